// SPDX-License-Identifier: GPL-2.0-or-later
//! What happens while the status is shown: the CIB changes, a node is fenced, a key is hit, somebody ends us. Each is
//! waited for in a thread of its own, which ends with the process.
//!
//! Decides: when a lost connection is tried again. Leaves to others: what an event leads to (`updates`).

use messages::cib::{self, Notification};
use messages::fencer::{self, Request, Topic};
use nix::sys::signal::{SigSet, Signal};
use std::io::Read;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;
use xml::Element;

/// Something happened.
#[derive(Debug)]
pub(super) enum Event {
    /// The CIB has changed, by this patch.
    Changed(Element),
    /// A node was fenced, or could not be.
    Fenced(Box<fencer::FenceNotice>),
    /// What was fenced has changed.
    History,
    /// A daemon went away.
    Lost,
    /// A key was hit.
    Key(u8),
    /// We are to end.
    Ended,
}

/// How long is waited for one event. Nothing follows from its passing.
const WAIT: Duration = Duration::from_secs(3600);

/// Tells of signals that end us. They have to be blocked before any thread is begun: call this first.
pub(super) fn watch_signals(events: Sender<Event>) -> nix::Result<()> {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGTERM);
    signals.add(Signal::SIGINT);
    signals.thread_block()?;
    thread::spawn(move || {
        // Whoever waits for events is gone when nobody can be told.
        while signals.wait().is_ok() && events.send(Event::Ended).is_ok() {}
    });
    Ok(())
}

/// Tells of keys.
pub(super) fn watch_keys(events: Sender<Event>) {
    thread::spawn(move || {
        for key in std::io::stdin().lock().bytes() {
            let Ok(key) = key else { return };
            if events.send(Event::Key(key)).is_err() {
                return;
            }
        }
    });
}

/// Tells of changes of the CIB. A connection that is lost is tried again after `retry`.
pub(super) fn watch_cib(events: Sender<Event>, retry: Duration) {
    watch(events, retry, |events| {
        let mut client =
            ipc::blocking::Client::connect("cib_rw", &ipc::ClientOptions::from_environment()).ok()?;
        client.request(&cib::register("crm_mon", 1), None).ok()?;
        client.request(&cib::subscribe(cib::DIFF_NOTIFY, true), None).ok()?;
        loop {
            let Some(message) = client.next_event(Some(WAIT)).ok()? else { continue };
            if let Ok(notification) = Notification::from_xml(&message) {
                events.send(Event::Changed(notification.patch)).ok()?;
            }
        }
    });
}

/// Tells of fencing: of each, or only that there was some.
pub(super) fn watch_fencer(events: Sender<Event>, retry: Duration, each: bool) {
    watch(events, retry, move |events| {
        let options = ipc::ClientOptions::from_environment();
        let mut client = ipc::blocking::Client::connect("stonith-ng", &options).ok()?;
        let topic = if each { Topic::Fence } else { Topic::History };
        let hello = Request::Register { client_name: "crm_mon".into() };
        for request in [hello, Request::Subscribe { topic, activate: true }] {
            client.request(&fencer::Command::new(request, 0, 0, 0).to_xml(), None).ok()?;
        }
        loop {
            let Some(message) = client.next_event(Some(WAIT)).ok()? else { continue };
            let event = match fencer::Event::from_xml(&message) {
                Some(fencer::Event::Fence(notice)) => Event::Fenced(notice),
                Some(fencer::Event::HistoryChanged) => Event::History,
                _ => continue,
            };
            events.send(event).ok()?;
        }
    });
}

/// Does something again and again that only ends when a connection is lost.
fn watch(
    events: Sender<Event>,
    retry: Duration,
    mut attend: impl FnMut(&Sender<Event>) -> Option<()> + Send + 'static,
) {
    thread::spawn(move || {
        loop {
            let _lost = attend(&events);
            if events.send(Event::Lost).is_err() {
                return;
            }
            thread::sleep(retry);
        }
    });
}
