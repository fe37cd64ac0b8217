// SPDX-License-Identifier: GPL-2.0-or-later
//! `crm_mon`: how is the cluster?
//!
//! Decides: whether it is shown once or as things change, and where. Given: the command line. Leaves to others: what
//! options come to (`options`), who is asked (`source`), how an answer is shown (`show`), keys (`screen`), changes
//! (`events`), what a cluster's status looks like (`status`).

mod agent;
mod events;
mod options;
mod screen;
mod settings;
mod show;
mod source;
mod updates;

use crate::cib_access::CibPlace;
use crate::command_line::{self, Tool, quoted};
use crate::failure::{Failure, system_words};
use crate::status::Page;
use model::{ExitCode, WallTime};
use options::Options;
use settings::{Form, Mode, Settings};
use show::{Frame, Streams};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::time::SystemTime;

/// The definition of its command line, for man pages and completion.
pub fn command() -> clap::Command {
    let forms = ["console", "html", "text", "xml", "json", "none"];
    command_line::documentation::<Options>().mut_arg("output_as", |arg| arg.value_parser(forms))
}

/// The program.
pub fn main(args: Vec<OsString>) -> ExitCode {
    run(&args, wall_time(), &mut BufWriter::new(io::stdout().lock()), &mut io::stderr())
}

fn wall_time() -> WallTime {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    WallTime::from_secs(i64::try_from(now.as_secs()).unwrap_or(i64::MAX))
}

/// The program with everything it touches but the cluster: arguments (its name first), the time, and the two streams.
pub fn run(args: &[OsString], now: WallTime, out: &mut dyn Write, err: &mut dyn Write) -> ExitCode {
    let options = match command_line::understood::<Options>(args, out, err) {
        Ok((options, _)) => options,
        Err(code) => return code,
    };
    let asked = source::place(options.xml_file.as_deref())
        .and_then(|place| Ok((options.settings(place != CibPlace::Live)?, place)));
    match asked {
        Ok((settings, place)) => Monitor { args, options: &options, settings, place }.start(now, out, err),
        Err(failure) => refuse(&options, args, failure, out, err),
    }
}

/// Says what is wrong with the command line: in a report if one was asked for.
fn refuse(
    options: &Options,
    args: &[OsString],
    failure: Failure,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> ExitCode {
    let format = match options.common().format() {
        Some("xml") => crate::output::Format::Xml,
        Some("json") => crate::output::Format::Json,
        _ => crate::output::Format::Text,
    };
    if failure.code == ExitCode::USAGE && format == crate::output::Format::Text {
        // If nobody can be told, the exit code has to do.
        let _ = write!(err, "{}", command_line::help_text::<Options>());
    }
    crate::output::Output::new("crm_mon", &quoted(args), format, false, out, err).finish(Err(failure))
}

/// What is to be done.
struct Monitor<'a> {
    args: &'a [OsString],
    options: &'a Options,
    settings: Settings,
    place: CibPlace,
}

impl Monitor<'_> {
    fn start(self, now: WallTime, out: &mut dyn Write, err: &mut dyn Write) -> ExitCode {
        if let Some(why) = self.unfit_daemon() {
            return refuse(self.options, self.args, Failure::usage(why), out, err);
        }
        let asks_version = self.options.common().asks_version();
        if self.settings.mode != Mode::Once && self.place == CibPlace::Live && !asks_version {
            return self.keep_showing(out, err);
        }
        let mut file = match self.options.file().map(File::create).transpose() {
            Ok(file) => file.map(BufWriter::new),
            Err(error) => {
                let path = self.options.file().map(|path| path.display().to_string()).unwrap_or_default();
                let form = self.options.common().format().unwrap_or("text");
                // If nobody can be told, the exit code has to do.
                let _ = writeln!(
                    err,
                    "crm_mon: Error creating output format {form}: {path}: {}",
                    system_words(&error)
                );
                return ExitCode::ERROR;
            }
        };
        let out = file.as_mut().map_or(out, |file| file as &mut dyn Write);
        self.framed(|frame| match asks_version {
            true => frame.show_version(Streams { out, err }),
            false => once(frame, self.place.clone(), now, Streams { out, err }),
        })
    }

    /// Why it cannot be a daemon, if it is to be one: nobody would see what it does.
    fn unfit_daemon(&self) -> Option<&'static str> {
        if self.settings.mode != Mode::Daemon || self.options.external_agent.is_some() {
            return None;
        }
        match (self.options.file(), self.settings.form) {
            (None, _) => Some(
                "--daemonize requires at least one of --output-to (with value not set to '-') and --external-agent",
            ),
            (Some(_), Form::None) => {
                Some("--daemonize requires --external-agent if used with --output-as=none")
            }
            (Some(_), _) => None,
        }
    }

    /// Does something with everything around what is shown.
    fn framed<T>(&self, show: impl FnOnce(&Frame<'_>) -> T) -> T {
        let page = Page {
            title: self.options.html_title.clone().unwrap_or_else(|| "Cluster Status".to_owned()),
            stylesheet: self.options.html_stylesheet.clone(),
            // Whoever looks at a file sees what changes in it.
            refresh_secs: self.options.file().map(|_| self.settings.interval.as_ms() / 1000),
            errors: Vec::new(),
        };
        let request = quoted(self.args);
        show(&Frame {
            settings: &self.settings,
            request: &request,
            page: &page,
            cgi: self.options.html_cgi,
            verbose: self.options.common().verbose,
        })
    }
}

/// Shows how the cluster is now.
fn once(frame: &Frame<'_>, place: CibPlace, now: WallTime, streams: Streams<'_>) -> ExitCode {
    let Streams { out, err } = streams;
    let tell = |line| {
        // If nobody can be told, the status is still worth showing.
        let _ = writeln!(err, "{line}");
    };
    let answer = source::ask(place, now, frame.wants(false), tell);
    match answer {
        Ok(answer) => frame.show(Ok(&answer), now, Streams { out, err }),
        Err(failure) => frame.show(Err(failure), now, Streams { out, err }),
    }
}
