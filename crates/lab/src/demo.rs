// SPDX-License-Identifier: GPL-2.0-or-later
//! `systole demo`: a cluster of three, a service with clients, a dead machine, and the service alive elsewhere.
//!
//! Everything is real but the machines: real daemons, real agents, a real service that real clients ask, real shared
//! data. What is told comes from outside the cluster: from the client, the power switch, the agents' traces, and the
//! cluster's own tools.

use crate::cluster::{Cluster, Options, wait_for};
use crate::layout::Layout;
use crate::scenario::{self, Shop};
use crate::trace::{Entry, Trace, now_us};
use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use model::ExitCode;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Parser)]
#[command(
    name = "systole demo",
    about = "Three nodes, one service, one dead machine: watch the service come back"
)]
struct Arguments {
    /// End after the tour; exit 0 only if the service came back and its fencing was confirmed before
    #[arg(long)]
    once: bool,
    /// Keep the folder with all logs and traces at the end
    #[arg(long)]
    keep: bool,
    /// Make the cluster in this empty folder instead of a new temporary one
    #[arg(long)]
    folder: Option<PathBuf>,
}

/// The program.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { ExitCode::USAGE } else { ExitCode::OK };
        }
    };
    match run(&arguments) {
        Ok(()) => ExitCode::OK,
        Err(error) => {
            eprintln!("demo: {error:#}");
            ExitCode::ERROR
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let root = match &arguments.folder {
        Some(folder) => {
            std::fs::create_dir_all(folder)?;
            ensure!(std::fs::read_dir(folder)?.next().is_none(), "{} is not empty", folder.display());
            folder.canonicalize()?
        }
        None => tempfile::Builder::new().prefix("systole-").tempdir()?.keep(),
    };
    println!("Systole demo: a cluster of three nodes, all of it below {}\n", root.display());
    let (layout, nodes) = (Layout::new(&root), scenario::nodes(3));
    let shop = Shop::new(&layout, "shop")?;
    let cluster = Cluster::new(Options {
        binary: std::env::current_exe()?,
        root: root.clone(),
        cib: scenario::cib(&layout, &nodes, &[&shop], ""),
        nodes,
        autostart: true,
        remove: !arguments.keep,
    })?;
    let tour = tour(&cluster, &shop);
    if let Err(error) = &tour {
        eprintln!("\nThe tour went wrong: {error:#}");
        eprintln!("{}", last_words(&cluster));
    }
    if !arguments.once && tour.is_ok() {
        println!("\nThe cluster stays up until you press ctrl-C. Meanwhile, from another terminal:");
        println!("  {} n2 crm_mon -1        (any tool, on any node)", cluster.layout().on().display());
        println!("  curl http://{}/         (the service itself)", shop.address());
        wait_for_interrupt()?;
        println!("\nEnding all of it.");
    }
    drop(cluster);
    if arguments.keep {
        println!("Logs and traces are kept in {}", root.display());
    }
    tour
}

fn tour(cluster: &Cluster, shop: &Shop) -> Result<()> {
    let start = now_us();
    for node in cluster.nodes() {
        cluster.boot(node)?;
    }
    println!(
        "Three nodes have power. They find each other, elect a coordinator (DC) and start the service ..."
    );
    let victim = wait_for("the service", Duration::from_secs(60), || Ok(shop.served_by()))?;
    println!("The service answered first after {}.\n", seconds(now_us() - start));
    cluster.settle(Duration::from_secs(30))?;
    println!("{}", cluster.ask("n1", "crm_mon", &["-1"])?);

    println!("Now the machine {victim}, which runs the service, loses its power.\n");
    let failure = now_us();
    cluster.crash(&victim)?;
    let back = narrate(cluster, shop, &victim, failure)?;
    println!("\nWhy, in the words of the scheduler (crm_simulate on the input it saved):\n");
    println!("{}", reasons(cluster, failure)?);

    let proof = shop.prove(&victim, failure)?;
    println!("Seen from outside the cluster:");
    println!("  {} was confirmed off {} after it died", victim, seconds(proof.off_us - failure));
    println!(
        "  nothing of the service was started elsewhere before that; the first start came {} later",
        seconds(proof.first_start_us - proof.off_us)
    );
    println!(
        "  the shared data never had two writers ({} processes wrote it, one after the other)",
        proof.writers
    );
    println!("  clients were without the service for {}\n", seconds(back - failure));

    println!("The power switch gave {victim} its power back; it joins again ...");
    wait_for("the node's return", Duration::from_secs(60), || cluster.joined(&victim))?;
    cluster.settle(Duration::from_secs(30))?;
    println!("{}", cluster.ask("n1", "crm_mon", &["-1"])?);
    Ok(())
}

/// Tells what happens while it happens; returns when clients were served again.
fn narrate(cluster: &Cluster, shop: &Shop, victim: &str, failure: u64) -> Result<u64> {
    let mut told = BTreeSet::new();
    let mut dc = None;
    println!("    0.000 s  {victim} is dead: all its processes are gone, nobody was told");
    wait_for("the service elsewhere", Duration::from_secs(60), || {
        let switch = cluster.layout().shared("switch.trace");
        for entry in Trace::new(switch).entries()?.into_iter().filter(|entry| entry.at_us >= failure) {
            let text = format!("the power switch cut {}: confirmed, nothing of it runs", entry.node);
            tell(&mut told, failure, entry, &text);
        }
        for (resource, trace) in shop.traces() {
            let since = trace.entries()?.into_iter().filter(|entry| entry.at_us >= failure);
            for entry in since.filter(|entry| entry.action == "start" && entry.rc == 0) {
                let text = format!("{} started {resource}", entry.node);
                tell(&mut told, failure, entry, &text);
            }
        }
        let now_dc = cluster.dc();
        if now_dc.is_some() && dc != now_dc {
            println!(
                "  {}  the coordinator (DC) is {}",
                stamp(now_us(), failure),
                now_dc.as_deref().unwrap_or_default()
            );
            dc = now_dc;
        }
        Ok(shop.served_by().map(|node| {
            println!("  {}  a client is served again, by {node}", stamp(now_us(), failure));
            now_us()
        }))
    })
}

fn tell(told: &mut BTreeSet<(u64, String)>, failure: u64, entry: Entry, text: &str) {
    if told.insert((entry.at_us, text.to_owned())) {
        println!("  {}  {text}", stamp(entry.at_us, failure));
    }
}

fn stamp(at_us: u64, failure: u64) -> String {
    format!("{:>7.3} s", at_us.saturating_sub(failure) as f64 / 1e6)
}

fn seconds(us: u64) -> String {
    format!("{:.3} s", us as f64 / 1e6)
}

/// The transition summary of the first scheduler input that was saved after the failure and asked for fencing.
fn reasons(cluster: &Cluster, failure: u64) -> Result<String> {
    let mut inputs = Vec::new();
    for node in cluster.nodes() {
        let folder = cluster.layout().node(node).join("var/lib/pacemaker/pengine");
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let modified = entry.metadata()?.modified()?.duration_since(std::time::UNIX_EPOCH)?;
            let is_input = entry.path().extension().is_some_and(|extension| extension == "bz2");
            if is_input && u64::try_from(modified.as_micros())? >= failure {
                inputs.push((modified, node.clone(), entry.path()));
            }
        }
    }
    inputs.sort();
    for (_, node, path) in inputs {
        let path = path.to_str().context("a path that is not text")?;
        let text = cluster.ask(&node, "crm_simulate", &["--simulate", "--xml-file", path])?;
        let summary = text.split("Transition Summary:").nth(1).and_then(|rest| rest.split("\n\n").next());
        if let Some(summary) = summary.filter(|summary| summary.contains("Fence")) {
            return Ok(format!("  {}\n", summary.trim_matches('\n').replace('\n', "\n  ")));
        }
    }
    bail!("no saved scheduler input asks for fencing")
}

fn wait_for_interrupt() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    })?;
    Ok(())
}

/// The ends of all logs, for whoever has to find out what went wrong.
fn last_words(cluster: &Cluster) -> String {
    let mut text = String::new();
    for node in cluster.nodes() {
        let log = std::fs::read_to_string(cluster.layout().log(node)).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(25)..].join("\n");
        text.push_str(&format!("--- the end of {}:\n{tail}\n", cluster.layout().log(node).display()));
    }
    text
}
