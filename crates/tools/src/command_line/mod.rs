// SPDX-License-Identifier: GPL-2.0-or-later
//! What all tools' command lines have in common: one definition per tool gives the parser, the help, the man page and
//! the completion; wrong ones are answered as Pacemaker's tools answer; and what is the same around the work of every
//! tool stands here once.
//!
//! Decides: the shared options, exit codes of wrong usage, where output goes. Leaves to others: each tool's own options
//! and work; how things are printed (`output`).
//!
//! A tool is a `clap` parser that flattens [`CommonOptions`] and implements [`Tool`]; [`run`] does the rest.

mod errors;
mod help;
mod integer;
mod request;

pub(crate) use errors::NotUnderstood;
pub(crate) use integer::{IntegerError, integer};
pub(crate) use request::quoted;

use crate::failure::{Failure, system_words};
use crate::output::{Entry, Format, Message, Output};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches};
use model::{ExitCode, Profile};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// The options every tool has.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct CommonOptions {
    /// Show help options
    #[arg(short = 'h', long, action = ArgAction::Help, help_heading = "Help Options")]
    help: Option<bool>,
    /// Specify output format as one of: text (default), xml, json, none
    #[arg(long, value_name = "FORMAT", help_heading = "Output Options")]
    output_as: Option<String>,
    /// Specify file name for output (or "-" for stdout)
    #[arg(long, value_name = "DEST", help_heading = "Output Options")]
    output_to: Option<PathBuf>,
    /// Display software version and exit
    #[arg(short = '$', long)]
    version: bool,
    /// Increase debug output (may be specified multiple times)
    #[arg(short = 'V', long, action = ArgAction::Count)]
    pub verbose: u8,
}

impl CommonOptions {
    /// Whether the output goes to a file.
    pub(crate) fn is_to_file(&self) -> bool {
        self.file().is_some()
    }

    /// The form that was asked for, whether there is such a one or not.
    pub fn format(&self) -> Option<&str> {
        self.output_as.as_deref()
    }

    /// The file the output goes to, if it goes to one.
    pub fn file(&self) -> Option<&Path> {
        self.output_to.as_deref().filter(|path| path.as_os_str() != "-")
    }

    /// It was asked which Pacemaker we are.
    pub const fn asks_version(&self) -> bool {
        self.version
    }
}

/// A group of options that help shows together.
pub(crate) struct Group {
    /// The option that shows it, `help-NAME`.
    pub option: &'static str,
    /// The heading, which is also the options' `help_heading`.
    pub heading: &'static str,
    /// What `--help-NAME` says of itself.
    pub about: &'static str,
}

/// The group that is every tool's.
const OUTPUT: Group = Group { option: "help-output", heading: "Output Options", about: "Show output help" };

/// A tool's command line. Its summary is the `about`, what more there is to say the `long_about`, its examples the
/// `after_help` of its `clap` definition.
pub(crate) trait Tool: clap::Parser {
    /// The program's name.
    const NAME: &'static str;
    /// What follows the name in its usage.
    const USAGE: &'static str = "[OPTION...]";
    /// The letter that shows help. Where it is `h`, `?` does, too.
    const HELP_LETTER: char = 'h';
    /// True if words that belong to no option are refused; otherwise they are ignored, and that is told.
    const REFUSES_STRAY_WORDS: bool = false;
    /// Its groups of options, in the order of the help. Options of none come last.
    const GROUPS: &'static [Group] = &[];

    /// Its own words for options that it shares with other tools: the option's id in the definition, its help.
    const WORDS: &'static [(&'static str, &'static str)] = &[];

    /// The shared options.
    fn common(&self) -> &CommonOptions;

    /// True if only the essential is wanted.
    fn is_quiet(&self) -> bool {
        false
    }

    /// Told which options were given in what order, for tools where the last one counts.
    fn see(&mut self, _order: &Order<'_>) {}
}

/// The order of options on a command line.
pub(crate) struct Order<'a>(&'a ArgMatches);

impl Order<'_> {
    /// Which of these (by the ids of their definition) was given last.
    pub fn last<'n>(&self, ids: &[&'n str]) -> Option<&'n str> {
        ids.iter().copied().filter_map(|id| Some((self.place(id)?, id))).max().map(|(_, id)| id)
    }

    /// Where an option was given last, if it was.
    pub fn place(&self, id: &str) -> Option<usize> {
        self.places(id).last()
    }

    /// Everywhere an option was given that may be given more than once.
    pub fn places(&self, id: &str) -> impl Iterator<Item = usize> {
        let given = self.0.value_source(id) == Some(ValueSource::CommandLine);
        given.then(|| self.0.indices_of(id)).flatten().into_iter().flatten()
    }
}

/// The whole definition of a tool: its own and the shared options, and those that show help.
pub(crate) fn definition<T: Tool>() -> clap::Command {
    let mut command = T::command()
        .name(T::NAME)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args_override_self(true)
        .mut_args(takes_next_word)
        .mut_arg("help", |help| match T::HELP_LETTER {
            'h' => help.short_alias('?'),
            other => help.short(other),
        });
    for (id, words) in T::WORDS {
        command = command.mut_arg(id, |arg| arg.help(*words));
    }
    let all = help_option("help-all", "Show all help options");
    command = command.arg(all);
    for group in groups::<T>() {
        command = command.arg(help_option(group.option, group.about));
    }
    if command.get_positionals().next().is_none() {
        // What no tool of Pacemaker's looks at, none refuses.
        command = command.arg(Arg::new(REST).num_args(0..).hide(true));
    }
    command
}

/// The same for man pages and completion, which say what values there are.
pub(crate) fn documentation<T: Tool>() -> clap::Command {
    definition::<T>().mut_arg("output_as", |arg| arg.value_parser(["text", "xml", "json", "none"]))
}

const REST: &str = "rest";

/// The value of an option is the next word, whatever that begins with.
fn takes_next_word(arg: Arg) -> Arg {
    let optional = arg.get_num_args().is_some_and(|count| count.min_values() == 0);
    if arg.is_positional() || optional || !arg.get_action().takes_values() {
        return arg;
    }
    arg.allow_hyphen_values(true)
}

fn help_option(name: &'static str, about: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::Help).help(about).help_heading("Help Options")
}

fn groups<T: Tool>() -> impl Iterator<Item = &'static Group> {
    std::iter::once(&OUTPUT).chain(T::GROUPS)
}

/// The program around a tool's work, on the process's own streams.
pub(crate) fn main<T: Tool>(
    args: &[OsString],
    work: impl FnOnce(&T, &mut Output<'_>) -> Result<ExitCode, Failure>,
) -> ExitCode {
    run(args, &mut BufWriter::new(io::stdout().lock()), &mut io::stderr(), work)
}

/// The program around a tool's work: `args` begin with the name it was called by.
///
/// The work's `Ok` is the exit code for when there is nothing more to say; its `Err` is told.
pub(crate) fn run<T: Tool>(
    args: &[OsString],
    out: &mut dyn Write,
    err: &mut dyn Write,
    work: impl FnOnce(&T, &mut Output<'_>) -> Result<ExitCode, Failure>,
) -> ExitCode {
    let (options, matches) = match understood::<T>(args, out, err) {
        Ok(understood) => understood,
        Err(code) => return code,
    };
    let (format, mut file) = match destination(options.common()) {
        Ok(destination) => destination,
        Err(why) => return refused::<T>(err, ExitCode::ERROR, &why),
    };
    let out = file.as_mut().map_or(out, |file| file as &mut dyn Write);
    let mut output = Output::new(T::NAME, &quoted(args), format, options.is_quiet(), out, err);
    let stray = stray_words(&matches);
    let ended = if !stray.is_empty() && T::REFUSES_STRAY_WORDS {
        let help = help_text::<T>();
        Err(Failure::usage(format_args!("non-option ARGV-elements: {stray}\n\n{help}")))
    } else {
        if !stray.is_empty() {
            output.warn(format_args!("{}: ignored, as no option: {stray}", T::NAME));
        }
        match options.common().version {
            true => output.say(&Version).map(|()| ExitCode::OK),
            false => work(&options, &mut output),
        }
    };
    output.finish(ended)
}

/// The command line taken apart; or the exit code of one that was answered with help, or refused.
pub(crate) fn understood<T: Tool>(
    args: &[OsString],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<(T, ArgMatches), ExitCode> {
    let command = definition::<T>();
    let error = match parse::<T>(&command, args) {
        Ok(parsed) => return Ok(parsed),
        Err(error) => error,
    };
    if error.kind() == ErrorKind::DisplayHelp {
        let text = help::asked_for::<T>(args, &command);
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        return Err(if written.is_ok() { ExitCode::OK } else { ExitCode::IOERR });
    }
    Err(refused::<T>(err, ExitCode::USAGE, &errors::words(&error, args, &command)))
}

fn parse<T: Tool>(command: &clap::Command, args: &[OsString]) -> Result<(T, ArgMatches), clap::Error> {
    let matches = command.clone().try_get_matches_from(args)?;
    let mut options = T::from_arg_matches(&matches)?;
    options.see(&Order(&matches));
    Ok((options, matches))
}

/// A command line taken apart, for tests of options.
#[cfg(test)]
pub(crate) fn parsed<T: Tool>(args: &[OsString]) -> Result<T, clap::Error> {
    parse::<T>(&definition::<T>(), args).map(|(options, _)| options)
}

/// What is wrong before there is any output to put it into goes to the standard error in every form.
fn refused<T: Tool>(err: &mut dyn Write, code: ExitCode, text: &str) -> ExitCode {
    // If nobody can be told, the exit code has to do.
    let _ = writeln!(err, "{}: {text}", T::NAME);
    code
}

/// The form of the output and the file it goes to, if it goes to one; or why there is none.
fn destination(common: &CommonOptions) -> Result<(Format, Option<BufWriter<File>>), String> {
    let wanted = common.output_as.as_deref().unwrap_or("text");
    let unknown = || format!("Error creating output format {wanted}: Unknown output format");
    let format = format_named(wanted).ok_or_else(unknown)?;
    let Some(path) = common.file() else { return Ok((format, None)) };
    let file = File::create(path).map_err(|error| {
        let why = system_words(&error);
        format!("Error creating output format {wanted}: {}: {why}", path.display())
    })?;
    Ok((format, Some(BufWriter::new(file))))
}

/// The words that belong to no option, of a tool that has no use for such.
fn stray_words(matches: &ArgMatches) -> String {
    let words = matches.try_get_many::<String>(REST).ok().flatten();
    let words: Vec<&str> = words.into_iter().flatten().map(String::as_str).collect();
    words.join(" ")
}

fn format_named(name: &str) -> Option<Format> {
    match name {
        "text" => Some(Format::Text),
        "xml" => Some(Format::Xml),
        "json" => Some(Format::Json),
        "none" => Some(Format::None),
        _ => None,
    }
}

/// A tool's help, as a part of what is said of a call that asks for nothing.
pub(crate) fn help_text<T: Tool>() -> String {
    help::main_options::<T>(&definition::<T>())
}

/// Which Pacemaker we are.
pub(crate) struct Version;

impl Message for Version {
    fn text(&self, _quiet: bool) -> String {
        let pacemaker = Profile::default().version();
        format!(
            "Pacemaker {pacemaker}\nWritten by the Systole project (Systole {})\n",
            env!("CARGO_PKG_VERSION")
        )
    }

    fn entry(&self) -> Option<Entry> {
        Some(
            Entry::new("version")
                .attr("program", "Pacemaker")
                .attr("version", Profile::default().version().to_string())
                .attr("author", "the Systole project")
                .attr("build", concat!("systole-", env!("CARGO_PKG_VERSION")))
                .attr("features", ""),
        )
    }
}

#[cfg(test)]
mod tests;
