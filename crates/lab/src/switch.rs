// SPDX-License-Identifier: GPL-2.0-or-later
//! The power switch: what `fence_lab` asks to take a node's power away.
//!
//! It stands outside the cluster, like the switched power strip in a rack, and keeps its own trace: so a test can see
//! when a node's power was really gone, whatever the cluster's logs say.
//!
//! Protocol, over a Unix socket: one line `ACTION NODE` (`off`, `on`, `reboot`, `status`; `list` and `monitor` take no
//! node), answered by one line `ok …` or `error …`. `off` and `reboot` answer when nothing of the node runs any more.

use crate::trace::Trace;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What the switch does to a node: power it off (returning when it is), or on.
pub trait Outlets: Send + Sync {
    /// The nodes it feeds.
    fn nodes(&self) -> Vec<String>;
    /// Takes the power away; returns when nothing runs any more.
    fn off(&self, node: &str) -> Result<(), String>;
    /// Gives power again.
    fn on(&self, node: &str) -> Result<(), String>;
    /// Whether it has power.
    fn is_on(&self, node: &str) -> bool;
}

/// A switch that listens until it is dropped.
pub struct Switch {
    socket: PathBuf,
    broken: Arc<Mutex<BTreeMap<String, u32>>>,
}

impl Switch {
    /// Listens at `socket`; writes what it does to `trace`.
    pub fn start(socket: &Path, trace: Trace, outlets: Arc<dyn Outlets>) -> std::io::Result<Switch> {
        let listener = UnixListener::bind(socket)?;
        let broken = Arc::new(Mutex::new(BTreeMap::new()));
        let shared = Arc::clone(&broken);
        std::thread::Builder::new().name("power switch".into()).spawn(move || {
            for stream in listener.incoming().flatten() {
                let (outlets, trace, broken) = (Arc::clone(&outlets), trace.clone(), Arc::clone(&shared));
                // One caller must not hold up the others: a thread each, as short as the caller's timeout.
                let _ = std::thread::Builder::new().name("power request".into()).spawn(move || {
                    let _ = answer(stream, &*outlets, &trace, &broken);
                });
            }
        })?;
        Ok(Switch { socket: socket.to_owned(), broken })
    }

    /// Makes the next `times` requests to cut this node's power fail, as worn-out hardware does.
    pub fn fail_next(&self, node: &str, times: u32) {
        lock(&self.broken).insert(node.to_owned(), times);
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        // The listening thread ends with the process; nobody can reach it any more.
        let _ = std::fs::remove_file(&self.socket);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A thread that panicked while holding it left a plain counter behind, which is still good.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(
    mut stream: UnixStream,
    outlets: &dyn Outlets,
    trace: &Trace,
    broken: &Mutex<BTreeMap<String, u32>>,
) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut line = String::new();
    BufReader::new((&stream).take(1024)).read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (action, node) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let result = carry_out(action, node, outlets, broken);
    if matches!(action, "off" | "on" | "reboot") {
        trace.line(&[node, action, if result.is_ok() { "0" } else { "1" }]);
    }
    match result {
        Ok(text) => writeln!(stream, "ok {text}"),
        Err(text) => writeln!(stream, "error {text}"),
    }
}

fn carry_out(
    action: &str,
    node: &str,
    outlets: &dyn Outlets,
    broken: &Mutex<BTreeMap<String, u32>>,
) -> Result<String, String> {
    if matches!(action, "list" | "monitor") {
        return Ok(outlets.nodes().join(" "));
    }
    if !outlets.nodes().iter().any(|known| known == node) {
        return Err(format!("no outlet feeds '{node}'; known: {}", outlets.nodes().join(" ")));
    }
    if matches!(action, "off" | "reboot")
        && let Some(left) = lock(broken).get_mut(node).filter(|left| **left > 0)
    {
        *left -= 1;
        return Err(format!("relay of '{node}' is stuck"));
    }
    match action {
        "status" => Ok(if outlets.is_on(node) { "on" } else { "off" }.to_owned()),
        "off" => outlets.off(node).map(|()| "off".to_owned()),
        "on" => outlets.on(node).map(|()| "on".to_owned()),
        "reboot" => outlets.off(node).and_then(|()| outlets.on(node)).map(|()| "rebooted".to_owned()),
        other => Err(format!("unknown action '{other}'; known: off on reboot status list monitor")),
    }
}
