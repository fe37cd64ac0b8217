// SPDX-License-Identifier: GPL-2.0-or-later
//! `crm_mon`: how is the cluster?
//!
//! Decides: options, which daemons are asked, how the status is printed and how often. Given: the CIB of the running
//! cluster, or a file's. Leaves to others: what the CIB means (`scheduler`), what the status looks like (`status`).

mod options;

use crate::acceptable::acceptable;
use crate::cib_access::{DocumentError, read_file, with_status};
use crate::failure::Failure;
use crate::live::{self, LiveError};
use crate::output::{self, Entry, Output};
use crate::status::{self, Daemons, Lists, xml_form};
use crate::{command_line, live::Neighbours};
use ::cib::upgrade::Unacceptable;
use clap::Parser;
use model::{ExitCode, WallTime};
use options::{Format, Options};
use std::ffi::OsString;
use std::io::{self, Write};
use std::time::SystemTime;
use xml::Element;

/// Puts the cursor of a terminal to the top left, and clears what is there.
const CLEAR_SCREEN: &str = "\x1b[H\x1b[2J";

/// The program.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let out = &mut io::BufWriter::new(io::stdout().lock());
    let err = &mut io::stderr().lock();
    let interval = match Options::try_parse_from(&args) {
        Ok(options) if !options.is_one_shot() && !options.version => options.interval,
        _ => return run(&args, wall_time(), out, err),
    };
    loop {
        if write!(out, "{CLEAR_SCREEN}").is_err() {
            return ExitCode::IOERR;
        }
        // The cluster may come back: only a screen that is gone ends it.
        if run(&args, wall_time(), out, err) == ExitCode::IOERR {
            return ExitCode::IOERR;
        }
        std::thread::sleep(interval.into());
    }
}

fn wall_time() -> WallTime {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    WallTime::from_secs(i64::try_from(now.as_secs()).unwrap_or(i64::MAX))
}

/// Prints the status once, with everything it touches but the cluster: arguments (its name first), the time, and the
/// two streams.
pub fn run(args: &[OsString], now: WallTime, out: &mut dyn Write, err: &mut dyn Write) -> ExitCode {
    let options = match Options::try_parse_from(args) {
        Ok(options) => options,
        Err(error) => return command_line::refuse("crm_mon", &error, out, err),
    };
    if options.version {
        return command_line::print_version(out);
    }
    let gathered = gather(&options, now).and_then(|(cib, daemons)| {
        // If nobody can be told, the status is still worth showing.
        let tell = |line| drop(writeln!(err, "{line}"));
        let cib = acceptable(&cib, tell).map_err(|refusal| MonitorError::Unacceptable(Box::new(refusal)))?;
        Ok((cib, daemons))
    });
    match options.format() {
        Format::Text => print_text(&options, &gathered, out, err),
        Format::Xml | Format::Json => print_report(args, &options, &gathered, out, err),
    }
}

/// The status could not be had.
#[derive(Debug, thiserror::Error)]
enum MonitorError {
    #[error(transparent)]
    Source(#[from] DocumentError),
    #[error(transparent)]
    Live(LiveError),
    #[error("Error: cluster is not available on this node")]
    Unavailable(LiveError),
    #[error("Upgrade failed: {0}")]
    Unacceptable(Box<Unacceptable>),
}

impl MonitorError {
    fn exit_code(&self) -> ExitCode {
        match self {
            MonitorError::Source(error) => error.exit_code(),
            MonitorError::Live(error) | MonitorError::Unavailable(error) => error.exit_code(),
            MonitorError::Unacceptable(_) => ExitCode::CONFIG,
        }
    }
}

/// The CIB, and what others than its manager say.
fn gather(options: &Options, now: WallTime) -> Result<(Element, Daemons), MonitorError> {
    let updated_at_secs = now.secs;
    if let Some(path) = &options.xml_file {
        let cib = read_file(path).and_then(with_status)?;
        return Ok((cib, Daemons { updated_at_secs, ..Daemons::default() }));
    }
    let cib = live::query_cib().map_err(|error| match error {
        LiveError::Connect(_) => MonitorError::Unavailable(error),
        _ => MonitorError::Live(error),
    })?;
    let Neighbours { pacemakerd_state, node_name } = live::ask_neighbours(now);
    Ok((cib, Daemons { pacemakerd_state, node_name, updated_at_secs }))
}

fn print_text(
    options: &Options,
    gathered: &Result<(Element, Daemons), MonitorError>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> ExitCode {
    let mut lists = Lists::new(out, err, true, false);
    let code = match gathered {
        Ok((cib, daemons)) => {
            let (cluster, _) = scheduler::unpack(cib, WallTime::from_secs(daemons.updated_at_secs));
            status::print_status(&mut lists, &cluster, options.sections(), options.show(), Some(daemons));
            ExitCode::OK
        }
        Err(error) => {
            lists.error(format_args!("crm_mon: {error}"));
            error.exit_code()
        }
    };
    if lists.finish().is_ok() { code } else { ExitCode::IOERR }
}

fn print_report(
    args: &[OsString],
    options: &Options,
    gathered: &Result<(Element, Daemons), MonitorError>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> ExitCode {
    let format = match options.format() {
        Format::Json => output::Format::Json,
        _ => output::Format::Xml,
    };
    let mut report = Output::new("crm_mon", &command_line::quoted(args), format, false, out, err);
    let ended = match gathered {
        Ok((cib, daemons)) => {
            let (cluster, _) = scheduler::unpack(cib, WallTime::from_secs(daemons.updated_at_secs));
            let sections = xml_form::status(&cluster, options.sections(), options.show(), Some(daemons));
            sections.iter().for_each(|section| report.add_once(Entry::from(section)));
            Ok(ExitCode::OK)
        }
        Err(error) => Err(Failure::new(error.exit_code(), error)),
    };
    report.finish(ended)
}
