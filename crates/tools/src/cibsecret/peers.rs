// SPDX-License-Identifier: GPL-2.0-or-later
//! The other nodes: which there are, which of them answer, and how commands and files get there.
//!
//! Decides: by which program, and what is said of nodes that are left out. Given: the CIB and the programs of this machine
//! (fping, ping; pssh, pdsh, ssh). Leaves to others: which files.

use super::PROGRAM;
use super::store::sum_of;
use crate::cib_access::CibSession;
use crate::controller::{Controller, REPLY_TIMEOUT};
use crate::failure::Failure;
use crate::output::{Entry, Message, Output};
use model::ExitCode;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use xml::Element;

/// New nodes are not asked about.
const SSH_OPTIONS: &str = "StrictHostKeyChecking=no";

/// The other nodes that can be reached.
pub(super) struct Peers {
    hosts: Vec<String>,
    shell: Shell,
}

/// By what they are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shell {
    Pssh,
    Pdsh,
    Ssh,
}

impl Shell {
    fn installed() -> Option<Shell> {
        let shells = [("pssh", Shell::Pssh), ("pdsh", Shell::Pdsh), ("ssh", Shell::Ssh)];
        shells.into_iter().find(|(program, _)| is_installed(program)).map(|(_, shell)| shell)
    }
}

impl Peers {
    /// None if there are none. Those that do not answer are named; if nobody knows which nodes there are, that is said, and
    /// this node stays the only one.
    pub fn reachable(out: &mut Output<'_>) -> Result<Option<Peers>, Failure> {
        let all = match others() {
            Ok(all) => all,
            Err(why) => {
                let why = why.text.unwrap_or_default();
                out.error("Could not get list of cluster nodes");
                out.info(format_args!(
                    "Only this node was changed ({why}); run `cibsecret sync` when the cluster is up"
                ))?;
                return Ok(None);
            }
        };
        if all.is_empty() {
            return Ok(None);
        }
        let Some(shell) = Shell::installed() else {
            out.error("Please install one of pssh, pdsh, or ssh");
            let names = all.join(" ");
            return Err(Failure::new(ExitCode::NOT_INSTALLED, format_args!("Cannot reach {names}")));
        };
        let hosts = answering(&all, out);
        for down in all.iter().filter(|node| !hosts.contains(node)) {
            out.info(format_args!(
                "Node {down} is down - you'll need to update it with `cibsecret sync` later"
            ))?;
        }
        Ok(if hosts.is_empty() { None } else { Some(Peers { hosts, shell }) })
    }

    pub fn names(&self) -> String {
        self.hosts.join(" ")
    }

    /// Copies a secret and its digest; false if that failed, which has been said then.
    pub fn copy_with_sum(&self, file: &Path, out: &mut Output<'_>) -> bool {
        let folder = file.parent().unwrap_or(Path::new("/"));
        self.run(&format!("mkdir -p {}", quoted(folder)), out)
            && self.copy(file, folder, out)
            && self.copy(&sum_of(file), folder, out)
    }

    pub fn remove_with_sum(&self, file: &Path, out: &mut Output<'_>) -> bool {
        self.run(&format!("rm -f {} {}", quoted(file), quoted(&sum_of(file))), out)
    }

    /// Copies a folder with all that is in it, in place of theirs.
    pub fn replace_folder(&self, folder: &Path, out: &mut Output<'_>) -> bool {
        let above = folder.parent().unwrap_or(Path::new("/"));
        self.run(&format!("rm -rf {}", quoted(folder)), out)
            && self.run(&format!("mkdir -p {}", quoted(above)), out)
            && self.copy(folder, above, out)
    }

    /// Runs a line of shell on all of them.
    fn run(&self, line: &str, out: &mut Output<'_>) -> bool {
        match self.shell {
            Shell::Pssh => {
                let mut command = Command::new("pssh");
                command.args([
                    "-i",
                    "-H",
                    &self.hosts.join(" "),
                    "-x",
                    &format!("-o {SSH_OPTIONS}"),
                    "--",
                    line,
                ]);
                done(&mut command, out)
            }
            Shell::Pdsh => {
                let mut command = Command::new("pdsh");
                command.env("PDSH_SSH_ARGS_APPEND", format!("-o {SSH_OPTIONS}"));
                done(command.args(["-w", &self.hosts.join(","), "--", line]), out)
            }
            Shell::Ssh => self.hosts.iter().all(|host| {
                let mut command = Command::new("ssh");
                done(command.args(["-o", SSH_OPTIONS, "--", host, line]), out)
            }),
        }
    }

    fn copy(&self, from: &Path, to: &Path, out: &mut Output<'_>) -> bool {
        match self.shell {
            Shell::Pssh => {
                let mut command = Command::new("pscp.pssh");
                command.args([
                    "-H",
                    &self.hosts.join(" "),
                    "-x",
                    "-pr",
                    "-x",
                    &format!("-o {SSH_OPTIONS}"),
                    "--",
                ]);
                done(command.arg(from).arg(to), out)
            }
            Shell::Pdsh => {
                let mut command = Command::new("pdcp");
                command.env("PDSH_SSH_ARGS_APPEND", format!("-o {SSH_OPTIONS}"));
                done(command.args(["-pr", "-w", &self.hosts.join(","), "--"]).arg(from).arg(to), out)
            }
            Shell::Ssh => self.hosts.iter().all(|host| {
                let mut command = Command::new("scp");
                let mut target = OsString::from(format!("{host}:"));
                target.push(to);
                done(command.args(["-pqr", "-o", SSH_OPTIONS, "--"]).arg(from).arg(target), out)
            }),
        }
    }
}

/// All nodes of the CIB but this one. For a CIB in a file nobody knows which this one is.
fn others() -> Result<Vec<String>, Failure> {
    let mut session = CibSession::open(PROGRAM)?;
    let cib = session.query()?;
    let own = if session.is_file() { None } else { Some(own_name()?) };
    let mut names = nodes(&cib);
    names.retain(|name| Some(name) != own.as_ref());
    Ok(names)
}

fn own_name() -> Result<String, Failure> {
    let mut controller = Controller::connect(PROGRAM)?;
    controller.send("node-info", "crmd", None, None)?;
    let reply = controller.reply(REPLY_TIMEOUT)?.and_then(|reply| reply.payload);
    let name = reply.and_then(|node| node.attr("uname").map(str::to_owned));
    name.ok_or_else(|| Failure::new(ExitCode::TIMEOUT, "Could not get local node name"))
}

/// Cluster nodes, guests (resources that say which node they are), and remote nodes.
fn nodes(cib: &Element) -> Vec<String> {
    let configuration = |section: &str| cib.descend(&["configuration", section]);
    let members = configuration("nodes").into_iter().flat_map(|nodes| nodes.elements_named("node"));
    let members = members.filter(|node| matches!(node.attr("type"), None | Some("member")));
    let mut names: Vec<&str> = members.filter_map(|node| node.attr("uname").or(node.id())).collect();
    let resources = configuration("resources").into_iter().flat_map(Element::descendants);
    let primitives: Vec<&Element> = resources.filter(|element| element.name() == "primitive").collect();
    for primitive in &primitives {
        let pairs = primitive.elements_named("meta_attributes").flat_map(|set| set.elements_named("nvpair"));
        let guests = pairs.filter(|pair| pair.attr("name") == Some("remote-node"));
        names.extend(guests.filter_map(|pair| pair.attr("value")));
    }
    let is_remote = |primitive: &&&Element| {
        primitive.attr("type") == Some("remote") && primitive.attr("provider") == Some("pacemaker")
    };
    names.extend(primitives.iter().filter(is_remote).filter_map(|primitive| primitive.id()));
    let mut seen = std::collections::BTreeSet::new();
    names.into_iter().filter(|name| seen.insert(*name)).map(str::to_owned).collect()
}

/// Those that answer. What is no host's name is asked nothing: it would be taken for an option, or for several hosts.
fn answering(all: &[String], out: &mut Output<'_>) -> Vec<String> {
    let (hosts, odd): (Vec<&String>, Vec<&String>) = all.iter().partition(|name| is_host(name));
    for name in odd {
        out.error(format_args!("'{name}' is no name of a host"));
    }
    if nix::unistd::geteuid().is_root() && is_installed("fping") {
        let mut command = Command::new("fping");
        let asked = command.args(["-a", "-q", "--"]).args(&hosts).stdin(Stdio::null()).output();
        let said =
            asked.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        return hosts.into_iter().filter(|host| said.lines().any(|line| line == *host)).cloned().collect();
    }
    let answers = |host: &&String| {
        let mut command = Command::new("ping");
        command.args(["-c", "2", "-w", "5", "-q", "--", host.as_str()]);
        let asked = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        asked.is_ok_and(|status| status.success())
    };
    hosts.into_iter().filter(answers).cloned().collect()
}

fn is_host(name: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-');
    !name.is_empty() && !name.starts_with('-') && name.chars().all(allowed)
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// A path as a shell on another node reads it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// Runs a program to its end; what it has to say when it fails is passed on.
fn done(command: &mut Command, out: &mut Output<'_>) -> bool {
    let program = command.get_program().to_owned();
    match command.stdin(Stdio::null()).output() {
        Err(error) => {
            let why = why_not(&program, &error);
            out.error(why);
            false
        }
        Ok(output) if output.status.success() => true,
        Ok(output) => {
            let code = output.status.code();
            out.error(match code {
                Some(code) => format!("Child process exited with code {code}"),
                None => format!("Child process was ended: {}", output.status),
            });
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let said =
                Said { code: code.unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) };
            // If it cannot be printed, the exit code has to do.
            let _ = out.say(&said);
            false
        }
    }
}

fn why_not(program: &OsStr, error: &io::Error) -> String {
    format!(
        "Failed to execute child process \u{201c}{}\u{201d} ({})",
        program.display(),
        crate::failure::system_words(error)
    )
}

/// What a program said that failed.
struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Message for Said {
    fn text(&self, _quiet: bool) -> String {
        let lines =
            |text: &str| if text.is_empty() { String::new() } else { format!("{}\n", text.trim_end()) };
        lines(&self.out) + &lines(&self.err)
    }

    fn entry(&self) -> Option<Entry> {
        let stream = |source: &str, text: &str| Entry::new("output").attr("source", source).text(text);
        let mut entry = Entry::new("command").attr("code", self.code);
        if !self.out.is_empty() {
            entry = entry.item(stream("stdout", &self.out));
        }
        if !self.err.is_empty() {
            entry = entry.item(stream("stderr", &self.err));
        }
        Some(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_of_all_kinds_are_known_once() {
        let cib = r#"<cib><configuration><nodes><node id="1" uname="a"/><node id="2" uname="b" type="member"/>
            <node id="r" uname="r" type="remote"/></nodes><resources>
            <primitive id="r" class="ocf" provider="pacemaker" type="remote"/>
            <group id="g"><primitive id="vm" class="ocf" provider="heartbeat" type="VirtualDomain"><meta_attributes id="m">
            <nvpair id="n" name="remote-node" value="guest"/></meta_attributes></primitive></group>
            </resources></configuration></cib>"#;
        assert_eq!(nodes(&xml::parse(cib).unwrap()), ["a", "b", "guest", "r"]);
    }

    #[test]
    fn no_name_is_taken_for_something_else() {
        for name in ["-oProxyCommand=x", "a b", "a,b", "a;b", "", "$(x)"] {
            assert!(!is_host(name), "{name}");
        }
        assert!(is_host("node-1.example.com"));
        assert_eq!(quoted(Path::new("/a b/it's")), r"'/a b/it'\''s'");
    }
}
