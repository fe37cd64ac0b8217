// SPDX-License-Identifier: GPL-2.0-or-later
//! A lab cluster: started, watched, hurt and ended from outside.

use crate::layout::Layout;
use crate::machine::{self, MARK};
use crate::switch::{Outlets, Switch};
use crate::trace::Trace;
use anyhow::{Context, Result, bail};
use model::ExitCode;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use xml::Element;

/// How a lab cluster is made.
#[derive(Clone, Debug)]
pub struct Options {
    /// Our own binary, which answers to every name.
    pub binary: PathBuf,
    /// The folder to make it in; it must exist and be empty. Short, as sockets live there.
    pub root: PathBuf,
    /// The nodes' names.
    pub nodes: Vec<String>,
    /// The CIB every node starts with.
    pub cib: String,
    /// Whether a node that gets its power back starts its cluster software.
    pub autostart: bool,
    /// Whether the folder goes when the cluster ends.
    pub remove: bool,
}

/// A running lab cluster. All of it ends when this is dropped, and also when this process dies.
pub struct Cluster {
    machines: Arc<Machines>,
    switch: Switch,
    hub: Child,
    guard: Child,
}

/// The machines: what the switch feeds.
struct Machines {
    layout: Layout,
    nodes: Vec<String>,
    autostart: bool,
    prefix: String,
    /// `None` once the lab has ended: nothing is started any more, whoever asks the switch for it.
    running: Mutex<Option<BTreeMap<String, Child>>>,
}

impl Cluster {
    /// Lays the lab out and starts its surroundings; no node has power yet.
    pub fn new(options: Options) -> Result<Cluster> {
        let layout = Layout::new(&options.root);
        layout.lay(&options.binary, &options.nodes)?;
        for node in &options.nodes {
            std::fs::write(layout.cib(node), &options.cib)?;
        }
        let mut guard = Command::new(layout.bin().join("systole"))
            .args(["lab-guard"])
            .arg(&options.root)
            .args(options.remove.then_some("--remove"))
            .process_group(0)
            .stdin(Stdio::piped())
            .spawn()
            .context("cannot start the lab's guard")?;
        let started = Self::surroundings(&layout, &options);
        let (machines, switch, hub) = match started {
            Ok(parts) => parts,
            Err(error) => {
                drop(guard.stdin.take());
                let _ = guard.wait();
                return Err(error);
            }
        };
        Ok(Cluster { machines, switch, hub, guard })
    }

    fn surroundings(layout: &Layout, options: &Options) -> Result<(Arc<Machines>, Switch, Child)> {
        let machines = Arc::new(Machines {
            layout: layout.clone(),
            nodes: options.nodes.clone(),
            autostart: options.autostart,
            // Unique on this machine, so that two labs do not meet.
            prefix: format!("lab{}.", std::process::id()),
            running: Mutex::new(Some(BTreeMap::new())),
        });
        machines.write_on()?;
        let hub = Command::new(layout.bin().join("systole"))
            .arg("local-hub")
            .arg("--socket")
            .arg(layout.socket("hub"))
            .arg("--control")
            .arg(layout.socket("control"))
            .arg("--nodes")
            .arg(options.nodes.join(","))
            .env(MARK, layout.node("hub"))
            .process_group(0)
            .stdin(Stdio::null())
            .spawn()
            .context("cannot start the hub")?;
        wait_for("the hub's socket", Duration::from_secs(10), || {
            Ok((layout.socket("hub").exists() && layout.socket("control").exists()).then_some(()))
        })?;
        let outlets: Arc<dyn Outlets> = Arc::clone(&machines) as Arc<dyn Outlets>;
        let trace = Trace::new(layout.shared("switch.trace"));
        let switch =
            Switch::start(&layout.socket("switch"), trace, outlets).context("cannot start the switch")?;
        Ok((machines, switch, hub))
    }

    /// Where everything is.
    pub fn layout(&self) -> &Layout {
        &self.machines.layout
    }

    /// The nodes' names.
    pub fn nodes(&self) -> &[String] {
        &self.machines.nodes
    }

    /// The power switch, to break it.
    pub fn switch(&self) -> &Switch {
        &self.switch
    }

    /// Gives a node power and starts its cluster software.
    pub fn boot(&self, node: &str) -> Result<()> {
        self.machines.boot(node).map_err(anyhow::Error::msg)
    }

    /// What a dead power supply does: all of the node is gone at once, and nobody was asked or told.
    pub fn crash(&self, node: &str) -> Result<()> {
        self.machines.off(node).map_err(anyhow::Error::msg)
    }

    /// Whether anything of the node runs.
    pub fn is_up(&self, node: &str) -> bool {
        self.machines.is_on(node)
    }

    /// Stops a node's cluster software in good order, as an administrator does before maintenance.
    pub fn stop(&self, node: &str) -> Result<()> {
        self.machines.stop(node)
    }

    /// Says a line to the hub's control socket, and returns the answer.
    pub fn control(&self, line: &str) -> Result<String> {
        let mut stream = UnixStream::connect(self.layout().socket("control"))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        writeln!(stream, "{line}")?;
        stream.shutdown(std::net::Shutdown::Write)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// Runs one of our tools on a node, as a user there would.
    pub fn tool(&self, node: &str, name: &str, arguments: &[&str]) -> Result<Output> {
        let mut command = Command::new(self.layout().bin().join(name));
        // A tool is the user's, not the machine's: no mark, so it does not die with the node.
        command.envs(self.machines.environment(node)).args(arguments).stdin(Stdio::null());
        command.output().with_context(|| format!("cannot run {name}"))
    }

    /// Runs one of our tools on a node and returns what it printed; fails if it failed.
    pub fn ask(&self, node: &str, name: &str, arguments: &[&str]) -> Result<String> {
        let output = self.tool(node, name, arguments)?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("{name} {arguments:?} on {node}: {}: {}", output.status, said.trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The CIB, as a running node has it.
    pub fn cib(&self, node: &str) -> Result<Element> {
        xml::parse(&self.ask(node, "cibadmin", &["--query"])?).with_context(|| format!("the CIB of {node}"))
    }

    /// Waits until the cluster has nothing left to do.
    pub fn settle(&self, patience: Duration) -> Result<()> {
        wait_for("a cluster at rest", patience, || {
            let Some(dc) = self.dc() else { return Ok(None) };
            let status = self.tool(&dc, "crmadmin", &["--status", &dc])?;
            Ok(String::from_utf8_lossy(&status.stdout).contains("S_IDLE").then_some(()))
        })
    }

    /// Whether a node is up and a full member.
    pub fn joined(&self, node: &str) -> Result<Option<()>> {
        let Some(dc) = self.dc() else { return Ok(None) };
        let cib = self.cib(&dc)?;
        let mut states =
            cib.child("status").into_iter().flat_map(|status| status.elements_named("node_state"));
        let joined = states.any(|state| {
            state.attr("uname") == Some(node)
                && state.attr("join") == Some("member")
                && state.attr("expected") == Some("member")
                && state.attr("crmd").is_some_and(|crmd| !matches!(crmd, "0" | "offline"))
        });
        Ok((joined && self.is_up(node)).then_some(()))
    }

    /// The node that is the DC, as any running node tells it.
    pub fn dc(&self) -> Option<String> {
        let node = self.nodes().iter().find(|node| self.is_up(node))?;
        let cib = self.cib(node).ok()?;
        let id = cib.attr("dc-uuid")?;
        let nodes = cib.descend(&["configuration", "nodes"])?;
        let name = nodes.child_with_id("node", id)?.attr("uname")?.to_owned();
        self.is_up(&name).then_some(name)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let running = lock(&self.machines.running).take();
        // The guard kills all that is left, waits for it, and ends.
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
        let _ = self.hub.wait();
        for mut child in running.into_iter().flat_map(BTreeMap::into_values) {
            let _ = child.wait();
        }
    }
}

/// Asks again and again until there is an answer or the time is over.
pub fn wait_for<T>(what: &str, timeout: Duration, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let since = Instant::now();
    loop {
        if let Some(answer) = look()? {
            return Ok(answer);
        }
        if since.elapsed() > timeout {
            bail!("{what}: not within {} s", timeout.as_secs());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Machines {
    /// What makes a process part of a node. The mark is left to those that die with it.
    fn environment(&self, node: &str) -> Vec<(&'static str, OsString)> {
        let layout = &self.layout;
        let mut path = layout.bin().into_os_string();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()));
        let mut cluster = OsString::from("local:");
        cluster.push(layout.socket("hub"));
        vec![
            ("PATH", path),
            ("SYSTOLE_ROOT", layout.node(node).into()),
            ("SYSTOLE_IPC_PREFIX", format!("{}{node}.", self.prefix).into()),
            ("SYSTOLE_CLUSTER", cluster),
            ("SYSTOLE_NODE", node.into()),
            ("SYSTOLE_LIBEXEC", layout.libexec().into()),
            ("SYSTOLE_FENCE_PATH", layout.bin().into()),
            ("OCF_ROOT", layout.ocf().into()),
        ]
    }

    /// Writes the script by which people run tools on a node.
    fn write_on(&self) -> Result<()> {
        let mut text = String::from(
            "#!/bin/sh\n# Runs a tool on a node of this lab: on NODE TOOL [ARGUMENT]...\ncase $1 in\n",
        );
        for node in &self.nodes {
            text.push_str(&format!("{node})\n"));
            for (name, value) in self.environment(node) {
                let value = value.to_string_lossy().replace('\'', "'\\''");
                text.push_str(&format!("    export {name}='{value}'\n"));
            }
            text.push_str("    ;;\n");
        }
        text.push_str("*) echo \"no such node: $1\" >&2; exit 64 ;;\nesac\nshift\nexec \"$@\"\n");
        crate::layout::write_executable(&self.layout.on(), &text)
    }

    fn boot(&self, node: &str) -> Result<(), String> {
        let mut running = lock(&self.running);
        let running = running.as_mut().ok_or("the lab has ended")?;
        if !machine::processes(&self.layout.node(node)).is_empty() {
            return Err(format!("{node} has power already"));
        }
        if let Some(mut old) = running.remove(node) {
            let _ = old.wait();
        }
        let log = self.layout.node(node).join("console");
        let console = std::fs::OpenOptions::new().create(true).append(true).open(&log);
        let console = console.map_err(|error| format!("{}: {error}", log.display()))?;
        let mut command = Command::new(self.layout.bin().join("pacemakerd"));
        command.envs(self.environment(node)).env(MARK, self.layout.node(node));
        let errors = console.try_clone().map_err(|error| error.to_string())?;
        command.process_group(0).stdin(Stdio::null()).stdout(console).stderr(errors);
        let child = command.spawn().map_err(|error| format!("cannot start pacemakerd on {node}: {error}"))?;
        running.insert(node.to_owned(), child);
        Ok(())
    }

    fn stop(&self, node: &str) -> Result<()> {
        let mut running = lock(&self.running);
        let running = running.as_mut().context("the lab has ended")?;
        let child = running.get_mut(node).with_context(|| format!("{node} does not run"))?;
        let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id())?);
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM)?;
        let status = child.wait()?;
        running.remove(node);
        anyhow::ensure!(status.success(), "pacemakerd on {node} ended with {status}");
        Ok(())
    }
}

impl Outlets for Machines {
    fn nodes(&self) -> Vec<String> {
        self.nodes.clone()
    }

    fn off(&self, node: &str) -> Result<(), String> {
        machine::power_off(&self.layout.node(node)).map_err(|error| error.to_string())?;
        let child = lock(&self.running).as_mut().and_then(|running| running.remove(node));
        if let Some(mut child) = child {
            let _ = child.wait();
        }
        Ok(())
    }

    fn on(&self, node: &str) -> Result<(), String> {
        if self.autostart && !self.is_on(node) { self.boot(node) } else { Ok(()) }
    }

    fn is_on(&self, node: &str) -> bool {
        !machine::processes(&self.layout.node(node)).is_empty()
    }
}

/// The guard: a process of its own that waits until nobody holds the other end of its standard input, then kills all of
/// the lab. So even a lab whose owner was killed leaves nothing behind.
pub fn guard(arguments: Vec<OsString>) -> ExitCode {
    let Some(root) = arguments.get(1).map(PathBuf::from) else {
        eprintln!(
            "Usage: lab-guard FOLDER [--remove] (started by a lab, ends it when its standard input ends)"
        );
        return ExitCode::USAGE;
    };
    let remove = arguments.get(2).is_some_and(|word| word == "--remove");
    match end(&root, remove) {
        Ok(()) => ExitCode::OK,
        Err(error) => {
            eprintln!("lab-guard: {error:#}");
            ExitCode::ERROR
        }
    }
}

fn end(root: &Path, remove: bool) -> Result<()> {
    let mut nothing = Vec::new();
    std::io::stdin().read_to_end(&mut nothing)?;
    machine::power_off_all(root)?;
    if remove {
        std::fs::remove_dir_all(root).with_context(|| format!("cannot remove {}", root.display()))?;
    }
    Ok(())
}
