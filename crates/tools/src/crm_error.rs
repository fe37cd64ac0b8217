// SPDX-License-Identifier: GPL-2.0-or-later
//! `crm_error`: what a result code is called and means.
//!
//! Decides: which of the three number languages is meant, and how codes are listed. Leaves to others: the codes
//! (`model`).

use crate::command_line::{self, CommonOptions, Order, Tool};
use crate::failure::Failure;
use crate::output::{Entry, Message, Output};
use clap::Parser;
use model::{ExitCode, LegacyRc, StandardRc};
use std::ffi::OsString;
use std::num::IntErrorKind;

/// crm_error - display name or description of a Pacemaker error code
#[derive(Clone, Debug, Parser)]
struct Options {
    #[command(flatten)]
    common: CommonOptions,
    /// Which language was given last.
    #[arg(skip = Language::Legacy)]
    language: Language,

    /// Show error's name with its description (useful for looking for sources of the error in source code)
    #[arg(short = 'n', long)]
    name: bool,
    /// Show all known errors (enabled by default if no rc is specified)
    #[arg(short = 'l', long)]
    list: bool,
    /// Interpret as exit code rather than legacy function return value
    #[arg(short = 'X', long)]
    exit: bool,
    /// Interpret as return code rather than legacy function return value
    #[arg(short = 'r', long)]
    rc: bool,
    /// The codes; `--` must come before negative ones
    #[arg(value_name = "rc", hide = true)]
    codes: Vec<String>,
}

impl Tool for Options {
    const NAME: &'static str = "crm_error";
    const USAGE: &'static str = "[OPTION...] [-- <rc> [<rc>...]]";

    fn common(&self) -> &CommonOptions {
        &self.common
    }

    fn see(&mut self, order: &Order<'_>) {
        self.language = match order.last(&["exit", "rc"]) {
            Some("exit") => Language::Exit,
            Some(_) => Language::Standard,
            None => Language::Legacy,
        };
    }
}

/// The languages of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    /// What daemons answer, in either sign.
    Legacy,
    /// What functions return.
    Standard,
    /// What programs end with.
    Exit,
}

impl Language {
    fn describe(self, code: i32) -> Described {
        let (name, text) = match self {
            Language::Legacy => (LegacyRc::new(code).name(), LegacyRc::new(code).text()),
            Language::Standard => (StandardRc::new(code).name(), StandardRc::new(code).text().into_owned()),
            Language::Exit => (ExitCode::new(code).name(), ExitCode::new(code).to_string()),
        };
        let unknown = if self == Language::Exit { "CRM_EX_UNKNOWN" } else { "Unknown" };
        Described { code, name: name.unwrap_or(unknown), text }
    }

    fn all(self) -> Vec<i32> {
        match self {
            Language::Legacy => LegacyRc::all().map(LegacyRc::value).collect(),
            Language::Standard => StandardRc::all().map(StandardRc::value).collect(),
            Language::Exit => ExitCode::ALL.iter().copied().map(ExitCode::value).collect(),
        }
    }
}

/// A code with what there is to say of it.
struct Described {
    code: i32,
    name: &'static str,
    text: String,
}

/// The program.
pub fn main(args: Vec<OsString>) -> ExitCode {
    command_line::main(&args, work)
}

/// Its definition, for the man page and completion.
pub fn command() -> clap::Command {
    command_line::documentation::<Options>()
}

fn work(options: &Options, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let lists = options.list || options.codes.is_empty();
    let codes = match lists {
        true => options.language.all(),
        false => options.codes.iter().map(|word| number(word)).collect::<Result<_, _>>()?,
    };
    let with_code = lists || options.common.verbose > 0;
    for code in codes {
        let described = options.language.describe(code);
        out.say(&Shown { described, with_code, with_name: options.name })?;
    }
    Ok(ExitCode::OK)
}

/// A code as it was typed; one that is too large stands for the largest there is.
fn number(word: &str) -> Result<i32, Failure> {
    word.parse().or_else(|error: std::num::ParseIntError| match error.kind() {
        IntErrorKind::PosOverflow => Ok(i32::MAX),
        IntErrorKind::NegOverflow => Ok(i32::MIN),
        _ => Err(Failure::usage(format_args!("'{word}' is no result code: a whole number is expected"))),
    })
}

struct Shown {
    described: Described,
    with_code: bool,
    with_name: bool,
}

impl Message for Shown {
    fn text(&self, _quiet: bool) -> String {
        let Described { code, name, text } = &self.described;
        match (self.with_code, self.with_name) {
            // The columns are as wide as the widest code and the longest name.
            (true, true) => format!("{code:5}: {name:26}  {text}\n"),
            (true, false) => format!("{code:5}: {text}\n"),
            (false, true) => format!("{name} - {text}\n"),
            (false, false) => format!("{text}\n"),
        }
    }

    fn entries(&self) -> Vec<Entry> {
        let Described { code, name, text } = &self.described;
        let entry = Entry::new("result-code").attr("code", *code);
        let entry = if self.with_name { entry.attr("name", *name) } else { entry };
        vec![entry.attr("description", text)]
    }
}
