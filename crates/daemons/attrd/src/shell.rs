//! Runs the attribute manager: command line, environment, and the loop that drives the core.
// SPDX-License-Identifier: GPL-2.0-or-later

use crate::core::{Attrd, Config, Effect, Event};
use messages::core::{EffectId, Service};
use model::ExitCode;
use shell::{Daemon, Effects, Environment, Outcomes};
use std::ffi::OsString;
use std::path::PathBuf;

const USAGE: &str = "\
Usage: pacemaker-attrd [OPTION]...
Daemon for managing Pacemaker node attributes

  -s, --stand-alone    never write attributes to the CIB
  -l, --logfile FILE   send the log to this file
  -V, --verbose        log more
  -?, --help           show this and exit
      --version        show the version and exit
";

/// There is nothing that only the attribute manager does.
struct NoEffects;

impl Effects<Attrd> for NoEffects {
    fn start(&mut self, _id: EffectId, effect: Effect, _outcomes: &Outcomes<Event>) {
        match effect {}
    }
}

/// The program; `args[0]` is the name it was called by.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let mut environment = Environment::load("pacemaker-attrd");
    let mut config = Config { profile: environment.profile, stand_alone: false };
    let mut args = args.into_iter().skip(1);
    while let Some(arg) = args.next() {
        match arg.to_str() {
            Some("-s" | "--stand-alone") => config.stand_alone = true,
            Some("-V" | "--verbose") => environment.log.debug = true,
            Some("-l" | "--logfile") => match args.next() {
                Some(file) => environment.log.file = Some(PathBuf::from(file)),
                None => return usage_error("option -l needs a file"),
            },
            Some("-?" | "-h" | "--help") => {
                print!("{USAGE}");
                return ExitCode::OK;
            }
            Some("--version") => {
                println!("Pacemaker {}", environment.profile.version());
                return ExitCode::OK;
            }
            _ => return usage_error(&format!("unknown option '{}'", arg.to_string_lossy())),
        }
    }
    let daemon = Daemon { service: Service::Attrd, clients_of: clients_of(config), cluster: true };
    shell::run(daemon, &environment, Attrd::new(config), NoEffects)
}

fn clients_of(config: Config) -> &'static [Service] {
    if config.stand_alone { &[] } else { &[Service::Based] }
}

fn usage_error(text: &str) -> ExitCode {
    eprintln!("pacemaker-attrd: {text}\n\n{USAGE}");
    ExitCode::USAGE
}
