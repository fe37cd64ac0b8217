// SPDX-License-Identifier: GPL-2.0-or-later
//! What a lab node is: the processes that carry its mark. Powering off kills them all, and says so only when none is left.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The environment variable every process of a lab node has inherited. Its value is the node's state folder.
pub const MARK: &str = "SYSTOLE_LAB_NODE";

/// Some process of the node would not die.
#[derive(Debug, thiserror::Error)]
#[error("processes {pids:?} of {} are still there {waited_ms} ms after SIGKILL", root.display())]
pub struct StillAlive {
    root: PathBuf,
    pids: Vec<i32>,
    waited_ms: u128,
}

/// The processes that carry the mark of the node with this state folder. Zombies do not count: nothing runs in them.
pub fn processes(root: &Path) -> Vec<i32> {
    marked(|mark| mark == root.as_os_str().as_encoded_bytes())
}

/// Takes the node's power away: kills all its processes at once, again and again until none is left (a process may fork
/// while we look). Returns only when that is so.
pub fn power_off(root: &Path) -> Result<(), StillAlive> {
    kill_all(root, || processes(root))
}

/// The same for every node of the lab below `root`, and for whatever else of it has a mark.
pub fn power_off_all(root: &Path) -> Result<(), StillAlive> {
    let mut prefix = root.as_os_str().as_encoded_bytes().to_vec();
    prefix.push(b'/');
    kill_all(root, || marked(|mark| mark.starts_with(&prefix)))
}

fn marked(wanted: impl Fn(&[u8]) -> bool) -> Vec<i32> {
    let name = format!("{MARK}=").into_bytes();
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let marked = pids.filter(|pid| {
        // Processes of other users cannot be read, nor are they ours. A zombie's environment is empty.
        std::fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environ| {
            let mut variables = environ.split(|&byte| byte == 0);
            variables.any(|variable| variable.strip_prefix(name.as_slice()).is_some_and(&wanted))
        })
    });
    let mut found: Vec<i32> = marked.collect();
    found.sort_unstable();
    found
}

fn kill_all(root: &Path, look: impl Fn() -> Vec<i32>) -> Result<(), StillAlive> {
    const PATIENCE: Duration = Duration::from_secs(10);
    let since = Instant::now();
    loop {
        let pids = look();
        if pids.is_empty() {
            return Ok(());
        }
        for &pid in &pids {
            // It may have ended in the meantime; the next look tells.
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        if since.elapsed() > PATIENCE {
            return Err(StillAlive { root: root.to_owned(), pids, waited_ms: since.elapsed().as_millis() });
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn powering_off_kills_what_carries_the_mark_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let (mine, other) = (folder.path().join("n1"), folder.path().join("n2"));
        let start = |root: &Path| Command::new("sleep").arg("60").env(MARK, root).spawn().unwrap();
        let (mut victim, mut bystander) = (start(&mine), start(&other));
        let pid = |child: &std::process::Child| i32::try_from(child.id()).unwrap();
        assert_eq!(processes(&mine), [pid(&victim)]);
        power_off(&mine).unwrap();
        assert!(!victim.wait().unwrap().success());
        assert_eq!(processes(&other), [pid(&bystander)]);
        power_off_all(folder.path()).unwrap();
        assert!(!bystander.wait().unwrap().success());
    }
}
