// SPDX-License-Identifier: GPL-2.0-or-later
//! The status shown as things change: on a terminal, or in a file.
//!
//! Decides: when it is drawn anew. Given: events. Leaves to others: what is drawn (`show`), what keys do (`screen`).

use super::agent::Agent;
use super::events::{self, Event};
use super::screen::{self, Keys, Next};
use super::settings::{Form, Mode};
use super::show::Streams;
use super::{Monitor, source, wall_time};
use model::ExitCode;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Changes often come in swarms: the status is drawn so long after the first of them, or at so many.
const SWARM: (Duration, usize) = (Duration::from_secs(2), 10);

impl Monitor<'_> {
    /// Shows it until somebody ends us.
    pub(super) fn keep_showing(mut self, out: &mut dyn Write, err: &mut dyn Write) -> ExitCode {
        if self.settings.mode == Mode::Daemon
            && let Err(error) = nix::unistd::daemon(true, false)
        {
            // If nobody can be told, the exit code has to do.
            let _ = writeln!(err, "crm_mon: Could not fork daemon: {}", error.desc());
            return ExitCode::OSERR;
        }
        let (sender, events) = channel();
        if events::watch_signals(sender.clone()).is_err() {
            return ExitCode::OSERR;
        }
        let on_screen = self.settings.form == Form::Console;
        let keys = if on_screen { Keys::read_singly() } else { None };
        if keys.is_some() {
            events::watch_keys(sender.clone());
        }
        let interval = Duration::from(self.settings.interval).max(Duration::from_millis(100));
        events::watch_cib(sender.clone(), interval);
        events::watch_fencer(sender, interval, self.options.watch_fencing);
        let recipient = self.options.external_recipient.clone();
        let mut agent = self.options.external_agent.clone().map(|path| Agent::new(path, recipient));
        let mut explains = false;
        let mut draw_at = Instant::now();
        let mut changes = 0;
        loop {
            let now = Instant::now();
            if now >= draw_at {
                let code = if explains { self.explain(out) } else { self.draw(out, err) };
                if code == ExitCode::IOERR {
                    return code;
                }
                (changes, draw_at) = (0, Instant::now() + interval);
            }
            match events.recv_timeout(draw_at.saturating_duration_since(Instant::now())) {
                Ok(Event::Changed(patch)) => {
                    agent.iter_mut().for_each(|agent| agent.tell_changes(&patch));
                    changes += 1;
                    let soon = if changes >= SWARM.1 { Duration::ZERO } else { SWARM.0 };
                    draw_at = draw_at.min(now + soon);
                }
                Ok(Event::Fenced(notice)) => {
                    agent.iter_mut().for_each(|agent| agent.tell_fencing(&notice));
                    draw_at = draw_at.min(now + SWARM.0);
                }
                Ok(Event::History) => draw_at = draw_at.min(now + SWARM.0),
                Ok(Event::Key(key)) => match screen::press(key, &mut self.settings) {
                    Next::End => return ExitCode::OK,
                    next => {
                        explains = next == Next::Explain;
                        draw_at = now;
                    }
                },
                Ok(Event::Lost) | Err(RecvTimeoutError::Timeout) => {}
                Ok(Event::Ended) | Err(RecvTimeoutError::Disconnected) => return ExitCode::OK,
            }
        }
    }

    fn explain(&self, out: &mut dyn Write) -> ExitCode {
        let text = format!("{}{}", screen::CLEAR, screen::explanation(&self.settings));
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        if written.is_ok() { ExitCode::OK } else { ExitCode::IOERR }
    }

    fn draw(&self, out: &mut dyn Write, err: &mut dyn Write) -> ExitCode {
        if self.settings.form == Form::None {
            return ExitCode::OK;
        }
        self.framed(|frame| {
            let now = wall_time();
            let answer = source::ask(self.place.clone(), now, frame.wants(true), |_| {});
            let mut text = Vec::new();
            let streams = Streams { out: &mut text, err };
            let code = match &answer {
                Ok(answer) => frame.show(Ok(answer), now, streams),
                Err(failure) => frame.show(Err(failure.clone()), now, streams),
            };
            let written = match self.options.file() {
                Some(path) => File::create(path)
                    .map(BufWriter::new)
                    .and_then(|mut file| file.write_all(&text).and_then(|()| file.flush())),
                None => out
                    .write_all(screen::CLEAR.as_bytes())
                    .and_then(|()| out.write_all(&text))
                    .and_then(|()| out.flush()),
            };
            if written.is_ok() { code } else { ExitCode::IOERR }
        })
    }
}
