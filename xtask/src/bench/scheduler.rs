// SPDX-License-Identifier: GPL-2.0-or-later
//! Whole clusters planned, side by side with C's `crm_simulate`: processor time, memory, growth, and where our time goes.
//!
//! Decides: sizes and states, what is wanted of each. Leaves to others: the clusters (`generate`), what a run costs
//! (`process`), the stages (`stages`), the drawing (`plot`).

mod generate;
mod plot;
mod process;
mod report;
mod stages;

use anyhow::{Context, Result};
use generate::Size;
use process::Outcome;
use report::{Report, Row};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const SIZES: [Size; 3] = [
    Size { nodes: 8, resources: 200 },
    Size { nodes: 16, resources: 1_000 },
    Size { nodes: 32, resources: 2_000 },
];
/// Only on demand: bringing a million probes to rest takes `crm_simulate -S` many minutes.
const LARGEST: Size = Size { nodes: 100, resources: 10_000 };

/// Debian's, which is C.
const THEIRS: &str = "/usr/sbin/crm_simulate";
/// No run of ours may take longer than this.
const OUR_LIMIT_S: u64 = 300;
/// How often a simulated cluster is planned anew at most until it is at rest.
const TRANSITIONS_MAX: usize = 5;

/// What is known of a cluster's resources when it is planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing: every node has just come up.
    Cold,
    /// Everything runs, and all of it is known.
    Steady,
    /// The same, but a node has just been lost.
    NodeFail,
}

impl State {
    const ALL: [State; 3] = [State::Cold, State::Steady, State::NodeFail];

    pub fn as_str(self) -> &'static str {
        match self {
            State::Cold => "cold",
            State::Steady => "steady",
            State::NodeFail => "nodefail",
        }
    }
}

#[derive(clap::Args)]
pub struct Options {
    /// Only these sizes, as NODESxRESOURCES; others than the usual ones too
    #[arg(long, value_name = "SIZE")]
    size: Vec<String>,
    /// End C's runs after so many seconds of processor time
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    limit: u64,
    /// Also 100x10000, and what is known to take C longer than that: 900 seconds each, unless --limit says otherwise
    #[arg(long)]
    full: bool,
    /// Only ours
    #[arg(long)]
    ours: bool,
}

pub fn run(options: &Options) -> Result<()> {
    let sizes = options.sizes()?;
    let theirs = Path::new(THEIRS).is_file() && !options.ours;
    if !theirs && !options.ours {
        eprintln!("*** {THEIRS} is not there (package pacemaker-cli-utils): no comparison with it ***");
    }
    crate::check(crate::cargo().args(["build", "--quiet", "--release", "--locked", "--package", "systole"]))?;
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| crate::root().join("target"), PathBuf::from);
    let folder = target.join("bench");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let bench = Bench { ours: target.join("release/systole"), folder, options, theirs };
    let mut report = Report::new();
    for size in sizes {
        let files = bench.write_clusters(size)?;
        for (state, file) in State::ALL.into_iter().zip(&files) {
            report.add(bench.measure(size, state, file)?);
        }
    }
    let drawing = bench.folder.join("scheduler.svg");
    std::fs::write(&drawing, plot::svg(report.rows()))
        .with_context(|| format!("cannot write {}", drawing.display()))?;
    println!("cost against size: {}", drawing.display());
    report.finish()
}

pub use process::cost;
pub use stages::measure as stages;

impl Options {
    fn sizes(&self) -> Result<Vec<Size>> {
        if self.size.is_empty() {
            return Ok(SIZES.into_iter().chain(self.full.then_some(LARGEST)).collect());
        }
        let read = |text: &String| {
            let (nodes, resources) = text.split_once('x')?;
            let size = Size { nodes: nodes.parse().ok()?, resources: resources.parse().ok()? };
            (size.nodes > 0 && size.resources >= size.nodes).then_some(size)
        };
        let named = |text| read(text).with_context(|| format!("'{text}' is no size such as 16x1000"));
        self.size.iter().map(named).collect()
    }

    /// How long C may take for a case; none if it is not to be run.
    fn limit_s(&self, size: Size, state: State) -> Option<u64> {
        let slow = size.product() > 64_000 || size.product() == 64_000 && state == State::Cold;
        match (slow, self.full) {
            (false, _) => Some(self.limit),
            (true, false) => None,
            (true, true) => Some(self.limit.max(900)),
        }
    }
}

struct Bench<'a> {
    ours: PathBuf,
    folder: PathBuf,
    options: &'a Options,
    theirs: bool,
}

impl Bench<'_> {
    /// The files of a size, one for each state.
    fn write_clusters(&self, size: Size) -> Result<[PathBuf; 3]> {
        let files = State::ALL.map(|state| self.folder.join(format!("{size}-{}.xml", state.as_str())));
        let [cold_file, steady_file, nodefail_file] = &files;
        let cold = generate::cold(size);
        write(cold_file, &cold)?;
        let simulated = self.bring_to_rest(size, cold_file)?;
        let steady = generate::at_rest(&cold, &simulated)?;
        write(steady_file, &steady)?;
        write(nodefail_file, &generate::with_lost_node(&steady)?)?;
        Ok(files)
    }

    /// Simulates until there is nothing left to do.
    fn bring_to_rest(&self, size: Size, cold: &Path) -> Result<xml::Element> {
        let simulated = self.folder.join(format!("{size}-simulated.xml"));
        let graph = self.folder.join("graph.xml");
        let mut from = cold;
        for _ in 0..TRANSITIONS_MAX {
            let mut command = Command::new(&self.ours);
            command.args(["crm_simulate", "-S", "-Q", "-x"]).arg(from);
            command.arg("-O").arg(&simulated).arg("-G").arg(&graph).stdout(Stdio::null());
            crate::check(&mut command)?;
            if read(&graph)?.elements().next().is_none() {
                return read(&simulated);
            }
            from = &simulated;
        }
        anyhow::bail!("{size}: there is still something to do after {TRANSITIONS_MAX} transitions")
    }

    fn measure(&self, size: Size, state: State, file: &Path) -> Result<Row> {
        let graph = |who: &str| self.folder.join(format!("{size}-{}.{who}.graph", state.as_str()));
        let (our_graph, their_graph) = (graph("systole"), graph("c"));
        let program = [self.ours.as_path(), Path::new("crm_simulate")];
        let ours = process::simulate(&program, file, &our_graph, OUR_LIMIT_S)?;
        let ours =
            ours.cost().with_context(|| format!("{size} {}: more than {OUR_LIMIT_S} s", state.as_str()))?;
        let theirs = match self.options.limit_s(size, state).filter(|_| self.theirs) {
            Some(limit_s) => process::simulate(&[Path::new(THEIRS)], file, &their_graph, limit_s)?,
            None => Outcome::NotRun,
        };
        let same_plan = match theirs {
            Outcome::Done(_) => Some(plan(&our_graph)? == plan(&their_graph)?),
            Outcome::Over(_) | Outcome::NotRun => None,
        };
        Ok(Row { size, state, ours, theirs, same_plan, stages: stages::of(file)? })
    }
}

/// What a graph says, but for what differs between releases: names and numbers in its head, the feature set everywhere.
fn plan(graph: &Path) -> Result<String> {
    let text = std::fs::read_to_string(graph).with_context(|| format!("cannot read {}", graph.display()))?;
    let (_, synapses) = text.split_once('\n').unwrap_or_default();
    let mut parts = synapses.split("crm_feature_set=\"");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(part.split_once('"').map_or(part, |(_, rest)| rest));
    }
    Ok(out)
}

fn read(path: &Path) -> Result<xml::Element> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(xml::parse(&text)?)
}

fn write(path: &Path, cib: &xml::Element) -> Result<()> {
    std::fs::write(path, xml::write_indented(cib)).with_context(|| format!("cannot write {}", path.display()))
}
