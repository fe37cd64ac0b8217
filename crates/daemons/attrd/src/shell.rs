// SPDX-License-Identifier: GPL-2.0-or-later
//! Runs the attribute manager: command line, environment, and the loop that drives the core.

use crate::core::{Attrd, Config, Effect, Event};
use messages::core::{EffectId, Service};
use model::ExitCode;
use shell::{Daemon, Effects, Environment, Outcomes, command_line, flag};
use std::ffi::OsString;

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
    let own = [flag('s', "stand-alone", "Never write attributes to the CIB")];
    let about = "Daemon for managing Pacemaker node attributes";
    let options = match command_line(Service::Attrd, about, own, args, &mut environment) {
        Ok(options) => options,
        Err(code) => return code,
    };
    let config = Config { profile: environment.profile, stand_alone: options.get_flag("stand-alone") };
    let daemon = Daemon { service: Service::Attrd, clients_of: clients_of(config), cluster: true };
    shell::run(daemon, &environment, Attrd::new(config), NoEffects)
}

fn clients_of(config: Config) -> &'static [Service] {
    if config.stand_alone { &[] } else { &[Service::Based] }
}
