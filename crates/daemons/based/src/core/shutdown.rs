// SPDX-License-Identifier: GPL-2.0-or-later
//! Ending in good order: clients first, then the other managers are told, and when one has heard it, that is that.

use super::Based;
use messages::core::{ClusterNode, Level, Output};
use model::{ExitCode, Instant, Now};
use std::time::Duration;
use xml::Element;

/// Longer than this nobody is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// How far the end is.
#[derive(Debug)]
pub(super) enum Shutdown {
    /// Another manager is to acknowledge it.
    Told { deadline: Instant },
    /// Everything is said; what must be on disk is written.
    Writing { deadline: Instant, code: ExitCode },
    /// Done.
    Over,
}

impl Shutdown {
    pub(super) const fn deadline(&self) -> Option<Instant> {
        match self {
            Shutdown::Told { deadline } | Shutdown::Writing { deadline, .. } => Some(*deadline),
            Shutdown::Over => None,
        }
    }
}

impl Based {
    pub(super) fn shut_down(&mut self, now: Now) {
        if self.shutdown.is_some() {
            return;
        }
        let clients = self.hang_up_on_all();
        self.log(Level::Info, format!("Disconnected {clients} clients"));
        self.shutdown = Some(Shutdown::Told { deadline: now.instant + PATIENCE });
        if self.local.is_none() || self.peers < 2 {
            let text = "Exiting without sending shutdown request (no active peers)";
            self.log(Level::Info, text.to_owned());
            return self.exit_when_written(ExitCode::OK);
        }
        self.log(Level::Info, format!("Sending shutdown request to {} peers", self.peers));
        let leaving =
            Element::new("exit-notification").with_attr("t", "cib").with_attr("cib_op", "cib_shutdown_req");
        self.send(None, leaving);
    }

    pub(super) fn leave_acknowledged(&mut self, from: &ClusterNode) {
        if self.shutdown.is_none() {
            let text = format!("Peer {} mistakenly thinks we wanted to shut down", from.name);
            return self.log(Level::Error, text);
        }
        if matches!(self.shutdown, Some(Shutdown::Told { .. })) {
            self.log(Level::Info, format!("Exiting after {} acknowledged our shutdown request", from.name));
            self.exit_when_written(ExitCode::OK);
        }
    }

    pub(super) fn exit_when_written(&mut self, code: ExitCode) {
        if let Some(Shutdown::Told { deadline }) = self.shutdown {
            self.shutdown = Some(Shutdown::Writing { deadline, code });
            self.exit_if_done();
        }
    }

    pub(super) fn exit_if_done(&mut self) {
        if let Some(Shutdown::Writing { code, .. }) = self.shutdown
            && self.unwritten.is_empty()
        {
            self.exit(code);
        }
    }

    pub(super) fn escalate_if_due(&mut self, now: Now) {
        let deadline = self.shutdown.as_ref().and_then(Shutdown::deadline);
        if deadline.is_some_and(|deadline| deadline <= now.instant) {
            let text = "Exiting immediately after 10s without shutdown acknowledgment";
            self.log(Level::Notice, text.to_owned());
            self.exit(ExitCode::ERROR);
        }
    }

    fn exit(&mut self, code: ExitCode) {
        self.shutdown = Some(Shutdown::Over);
        self.outputs.push_back(Output::Exit { code });
    }
}
