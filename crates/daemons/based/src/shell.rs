// SPDX-License-Identifier: GPL-2.0-or-later
//! Runs the CIB manager: command line, environment, reading and writing the store, and the loop that drives the core.

use crate::core::{Based, Config, Effect, Event};
use agents::option_list;
use cib::acl::{self, Groups};
use cib::store::{Source, Store};
use clap::Arg;
use messages::core::{EffectId, Service};
use model::ExitCode;
use model::options::Reader;
use shell::{Daemon, Effects, Environment, Outcomes, command_line, flag};
use std::ffi::OsString;
use std::path::PathBuf;
use tokio::sync::mpsc;

type Job = (EffectId, Effect, Outcomes<Event>);

/// Writes one CIB after the other, beside the loop.
struct Writer {
    store: Store,
    jobs: Option<mpsc::UnboundedSender<Job>>,
}

impl Effects<Based> for Writer {
    fn start(&mut self, id: EffectId, effect: Effect, outcomes: &Outcomes<Event>) {
        let effect = match effect {
            // Beside the loop as well: a directory service may take its time.
            Effect::LookUpGroups(names) => {
                let outcomes = outcomes.clone();
                tokio::task::spawn_blocking(move || outcomes.send(id, Event::Groups(members(names))));
                return;
            }
            Effect::Persist { .. } => effect,
        };
        let store = &self.store;
        let jobs = self.jobs.get_or_insert_with(|| {
            let (sender, jobs) = mpsc::unbounded_channel();
            let store = store.clone();
            tokio::task::spawn_blocking(move || write_all(&store, jobs));
            sender
        });
        if let Err(mpsc::error::SendError((id, _, outcomes))) = jobs.send((id, effect, outcomes.clone())) {
            outcomes.send(id, Event::Persisted(Err("the writing of CIBs has ended".to_owned())));
        }
    }
}

/// Of several that wait, the last holds what the others hold: one write does for all.
fn write_all(store: &Store, mut jobs: mpsc::UnboundedReceiver<Job>) {
    while let Some(first) = jobs.blocking_recv() {
        let mut waiting = vec![first];
        while let Ok(more) = jobs.try_recv() {
            waiting.push(more);
        }
        let Some((_, Effect::Persist { cib, last_written }, _)) = waiting.last() else { continue };
        let result = store.write(cib, last_written).map_err(|error| error.to_string());
        for (id, _, outcomes) in waiting {
            outcomes.send(id, Event::Persisted(result.clone()));
        }
    }
}

/// Whom the system's group database names as members of groups. A group that does not exist has none.
fn members(groups: Vec<String>) -> Vec<(String, Vec<String>)> {
    let looked_up = groups.into_iter().map(|name| {
        let found = nix::unistd::Group::from_name(&name).ok().flatten();
        (name, found.map(|group| group.mem).unwrap_or_default())
    });
    looked_up.collect()
}

struct Options {
    stand_alone: bool,
    disk_writes: bool,
    cib_root: Option<PathBuf>,
}

/// The program; `args[0]` is the name it was called by.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let mut environment = Environment::load("pacemaker-based");
    let metadata = || option_list::of_daemon(Reader::Manager, environment.profile.version());
    if let Some(code) = shell::answer_metadata(&args, metadata) {
        return code;
    }
    let folder = Arg::new("cib-root").short('r').long("cib-root").value_name("DIR");
    let own = [
        flag('s', "stand-alone", "Run without other nodes"),
        flag('w', "disk-writes", "Write changes to disk even when stand-alone"),
        folder.value_parser(clap::value_parser!(PathBuf)).help("Keep the CIB in this folder"),
    ];
    let about = "Daemon for managing the configuration of a Pacemaker cluster";
    let options = match command_line(Service::Based, about, own, args, &mut environment) {
        Ok(options) => options,
        Err(code) => return code,
    };
    let options = Options {
        stand_alone: options.get_flag("stand-alone"),
        disk_writes: options.get_flag("disk-writes"),
        cib_root: options.get_one("cib-root").cloned(),
    };
    run(&environment, options)
}

fn run(environment: &Environment, options: Options) -> ExitCode {
    let folder = options.cib_root.unwrap_or_else(|| environment.paths.cib.clone());
    if let Err(error) = std::fs::create_dir_all(&folder) {
        eprintln!("pacemaker-based: Bad permissions on {}: {error}", folder.display());
        return ExitCode::FATAL;
    }
    let mut store = Store::new(folder, environment.profile);
    if options.stand_alone {
        store = store.keeping_status();
    }
    let loaded = store.read();
    let mut groups = Groups::default();
    for (name, members) in members(acl::group_names(&loaded.cib).into_iter().map(str::to_owned).collect()) {
        groups.insert(name, members);
    }
    let writes = !options.stand_alone || options.disk_writes;
    let config = Config {
        profile: environment.profile,
        cib: loaded.cib,
        warnings: loaded.warnings,
        writes_at_start: writes && loaded.source != Source::Live,
        writes,
        stand_alone: options.stand_alone,
        node_name: environment.node_name.clone().or_else(host_name),
        utc_offset_secs: jiff::Zoned::now().offset().seconds(),
        groups,
    };
    let daemon = Daemon { service: Service::Based, clients_of: &[], cluster: !options.stand_alone };
    shell::run(daemon, environment, Based::new(config), Writer { store, jobs: None })
}

fn host_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}
