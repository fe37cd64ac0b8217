// SPDX-License-Identifier: GPL-2.0-or-later
//! Sessions at a command line, as data: what people type in `tests/cli/*.case`, and what they get.
//!
//! A case is a text. Lines that begin with one of these marks and a blank mean something, all others explain:
//!
//! ```text
//! $ cibadmin -Q -o nodes      a command for /bin/sh, with all our names in its PATH before the system's
//! + > out.xml                 its next line
//! > <nodes/>                  what it prints (a line of the standard output)
//! ! cibadmin: no              what it says on the standard error
//! = 64                        what it exits with, if not 0
//! @ CIB_file=cib.xml          sets a variable for all that follow; `@ CIB_file` unsets it
//! ```
//!
//! All commands of a case run in one folder of its own that is empty at first and their `HOME`, without any of the
//! caller's Pacemaker settings, in UTC. What changes from run to run is masked in what they print: that folder as
//! `FOLDER`, times of writing as `TIME`. Fixtures are in `$FIXTURES` (`tests/cli/fixtures`).
//!
//! `SYSTOLE_BLESS=1 cargo test -p systole --test cli` writes what the commands say now into the cases: look at the
//! difference before you believe it. `SYSTOLE_CASE=NAME` runs only cases whose name contains NAME.

#![allow(clippy::unwrap_used, reason = "a test's helpers panic as the test does")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// No command of a case may take longer.
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn sessions_at_a_command_line() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli");
    let wanted = std::env::var("SYSTOLE_CASE").unwrap_or_default();
    let bless = std::env::var_os("SYSTOLE_BLESS").is_some();
    let names = Names::new();
    let mut cases: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.extension().is_some_and(|extension| extension == "case"));
    cases.retain(|path| path.file_stem().unwrap().to_string_lossy().contains(&wanted));
    cases.sort();
    assert!(!cases.is_empty(), "no case is called '{wanted}'");
    // Most of the time is spent waiting for programs to start and end.
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(path) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let text = fs::read_to_string(path).unwrap();
                    let now = played(&text, &names, &folder.join("fixtures"));
                    if bless && now != text {
                        fs::write(path, &now).unwrap();
                    } else if now != text {
                        let difference = difference(&text, &now);
                        wrong.lock().unwrap().insert(path, format!("--- {}\n{difference}", path.display()));
                    }
                }
            });
        }
    });
    let wrong: String = wrong.into_inner().unwrap().into_values().collect();
    assert!(wrong.is_empty(), "expected (-) and what came (+):\n{wrong}");
}

/// A folder in which our binary has all its names.
struct Names(tempfile::TempDir);

impl Names {
    fn new() -> Names {
        let folder = tempfile::tempdir().unwrap();
        let binary = env!("CARGO_BIN_EXE_systole");
        let listed = Command::new(binary).arg("names").output().unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        let names = listed.lines().filter_map(|line| line.split_once(' ')).map(|(_, name)| name);
        for name in names.chain(["systole"]) {
            std::os::unix::fs::symlink(binary, folder.path().join(name)).unwrap();
        }
        Names(folder)
    }
}

/// The case with what its commands say now.
fn played(case: &str, names: &Names, fixtures: &Path) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", names.0.path().display());
    let mut environment = BTreeMap::from([
        ("PATH".to_owned(), path),
        ("HOME".to_owned(), folder.path().display().to_string()),
        ("FIXTURES".to_owned(), fixtures.display().to_string()),
        ("TZ".to_owned(), "UTC".to_owned()),
        ("LC_ALL".to_owned(), "C".to_owned()),
        ("USER".to_owned(), "root".to_owned()),
        ("SHELL".to_owned(), "/bin/sh".to_owned()),
    ]);
    let mut out = String::new();
    let mut lines = case.lines().peekable();
    while let Some(line) = lines.next() {
        // What the commands said when it was written is left out.
        if [">", "!", "="].contains(&line) || ["> ", "! ", "= "].iter().any(|mark| line.starts_with(mark)) {
            continue;
        }
        out += &format!("{line}\n");
        if let Some(setting) = line.strip_prefix("@ ") {
            match setting.split_once('=') {
                Some((name, value)) => environment.insert(name.to_owned(), value.to_owned()),
                None => environment.remove(setting),
            };
        }
        let Some(command) = line.strip_prefix("$ ") else { continue };
        let mut command = command.to_owned();
        while let Some(more) = lines.next_if(|line| *line == "+" || line.starts_with("+ ")) {
            out += &format!("{more}\n");
            command += &format!("\n{}", more.strip_prefix("+ ").unwrap_or_default());
        }
        out += &said(&command, &environment, folder.path());
    }
    out
}

/// What one command says, as lines of a case.
fn said(command: &str, environment: &BTreeMap<String, String>, folder: &Path) -> String {
    let mut child = Command::new("/bin/sh")
        .args(["-c", command])
        .env_clear()
        .envs(environment)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let out = drained(child.stdout.take().unwrap());
    let err = drained(child.stderr.take().unwrap());
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            break child.wait().unwrap();
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let mut text = marked('>', &out.join().unwrap(), folder) + &marked('!', &err.join().unwrap(), folder);
    match status.code() {
        Some(0) => {}
        Some(code) => text += &format!("= {code}\n"),
        None => text += &format!("= killed: {status}\n"),
    }
    text
}

fn drained(mut pipe: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn marked(mark: char, text: &str, folder: &Path) -> String {
    let text = masked(text, folder);
    let line = |line: &str| if line.is_empty() { format!("{mark}\n") } else { format!("{mark} {line}\n") };
    text.lines().map(line).collect()
}

/// Without what is different in every run.
fn masked(text: &str, folder: &Path) -> String {
    let mut text = text.replace(&folder.display().to_string(), "FOLDER");
    for attribute in ["cib-last-written=\"", "execution-date=\""] {
        let mut from = 0;
        while let Some(at) = text[from..].find(attribute).map(|at| from + at + attribute.len()) {
            let end = text[at..].find('"').map_or(text.len(), |length| at + length);
            text.replace_range(at..end, "TIME");
            from = at;
        }
    }
    text
}

/// The lines in which two cases differ, with the command before each.
fn difference(expected: &str, came: &str) -> String {
    let (expected, came): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), came.lines().collect());
    let blocks = |lines: &[&str]| -> Vec<Vec<String>> {
        let mut blocks = vec![Vec::new()];
        for line in lines {
            if line.starts_with("$ ") {
                blocks.push(Vec::new());
            }
            blocks.last_mut().unwrap().push((*line).to_owned());
        }
        blocks
    };
    let mut text = String::new();
    // Commands are the same on both sides, so the blocks are.
    for (old, new) in blocks(&expected).iter().zip(&blocks(&came)) {
        if old == new {
            continue;
        }
        text += &format!("  {}\n", old[0]);
        for line in old.iter().skip(1).filter(|line| !new.contains(line)) {
            text += &format!("- {line}\n");
        }
        for line in new.iter().skip(1).filter(|line| !old.contains(line)) {
            text += &format!("+ {line}\n");
        }
        if old.iter().all(|line| new.contains(line)) && new.iter().all(|line| old.contains(line)) {
            text += "  (the same lines, in another order or number)\n";
        }
    }
    text
}
