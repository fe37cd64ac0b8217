// SPDX-License-Identifier: GPL-2.0-or-later
//! Runs the scheduler daemon: command line, environment, saving of inputs, and the loop that drives the core.

use crate::core::{Config, Effect, Event, Schedulerd};
use crate::save;
use agents::option_list;
use messages::core::{EffectId, Service};
use model::ExitCode;
use model::options::Reader;
use shell::{Daemon, Effects, Environment, Outcomes, command_line};
use std::ffi::OsString;
use std::path::PathBuf;
use tokio::sync::mpsc;

type Job = (EffectId, Effect, Outcomes<Event>);

/// Saves inputs one after the other, beside the loop: files must not overtake each other, as the counter would go back.
struct Saver {
    directory: PathBuf,
    jobs: Option<mpsc::UnboundedSender<Job>>,
}

impl Effects<Schedulerd> for Saver {
    fn start(&mut self, id: EffectId, effect: Effect, outcomes: &Outcomes<Event>) {
        let directory = &self.directory;
        let jobs = self.jobs.get_or_insert_with(|| {
            let (sender, jobs) = mpsc::unbounded_channel();
            let directory = directory.clone();
            tokio::task::spawn_blocking(move || save_all(&directory, jobs));
            sender
        });
        if let Err(mpsc::error::SendError((id, _, outcomes))) = jobs.send((id, effect, outcomes.clone())) {
            outcomes.send(id, Event::Saved(Err("the saving of inputs has ended".to_owned())));
        }
    }
}

fn save_all(directory: &std::path::Path, mut jobs: mpsc::UnboundedReceiver<Job>) {
    while let Some((id, effect, outcomes)) = jobs.blocking_recv() {
        let Effect::Save { input, file, counter_file, next } = effect;
        let result = save::save(directory, &input, &file, &counter_file, next);
        let result = result.map_err(|error| format!("{}/{file}: {error}", directory.display()));
        outcomes.send(id, Event::Saved(result));
    }
}

/// The program; `args[0]` is the name it was called by.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let mut environment = Environment::load("pacemaker-schedulerd");
    let metadata = || option_list::of_daemon(Reader::Scheduler, environment.profile.version());
    if let Some(code) = shell::answer_metadata(&args, metadata) {
        return code;
    }
    let about = "Daemon for calculating a Pacemaker cluster's response to events";
    if let Err(code) = command_line(Service::Schedulerd, about, [], args, &mut environment) {
        return code;
    }
    let directory = environment.paths.pengine.clone();
    let config = Config {
        profile: environment.profile,
        directory: directory.display().to_string(),
        numbers: save::read_numbers(&directory),
    };
    let daemon = Daemon { service: Service::Schedulerd, clients_of: &[], cluster: false };
    shell::run(daemon, &environment, Schedulerd::new(config), Saver { directory, jobs: None })
}
