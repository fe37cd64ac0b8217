// SPDX-License-Identifier: GPL-2.0-or-later
//! Starts the controller's core in a process of its own.

use crate::core::{Config, Controld, Effect, Event};
use ::shell::{Daemon, Effects, Environment, Outcomes, command_line};
use agents::option_list;
use messages::core::{EffectId, Service};
use model::ExitCode;
use model::options::Reader;
use std::ffi::OsString;

struct NoEffects;

impl Effects<Controld> for NoEffects {
    fn start(&mut self, _id: EffectId, effect: Effect, _outcomes: &Outcomes<Event>) {
        match effect {}
    }
}

/// The program `pacemaker-controld`.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let mut environment = Environment::load(Service::Controld.program());
    let metadata = || option_list::of_daemon(Reader::Controller, environment.profile.version());
    if let Some(code) = shell::answer_metadata(&args, metadata) {
        return code;
    }
    let about = "Daemon for coordinating a Pacemaker cluster's response to events";
    if let Err(code) = command_line(Service::Controld, about, [], args, &mut environment) {
        return code;
    }
    let start_state = |name: &str| std::env::var(format!("{name}_node_start_state")).ok();
    let start_state = start_state("PCMK").or_else(|| start_state("HA"));
    let config = Config {
        profile: environment.profile,
        uuid: uuid::Uuid::new_v4().to_string(),
        build: format!("systole-{}", env!("CARGO_PKG_VERSION")),
        infrastructure: "corosync".to_owned(),
        have_watchdog: false,
        start_in_standby: match start_state.as_deref() {
            Some("standby") => Some(true),
            Some("online") => Some(false),
            _ => None,
        },
    };
    const DAEMON: Daemon = Daemon {
        service: Service::Controld,
        clients_of: &[Service::Based, Service::Execd, Service::Fenced, Service::Attrd, Service::Schedulerd],
        cluster: true,
    };
    let core = Controld::new(config, environment.now());
    ::shell::run(DAEMON, &environment, core, NoEffects)
}
