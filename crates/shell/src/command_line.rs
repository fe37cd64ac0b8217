// SPDX-License-Identifier: GPL-2.0-or-later
//! What all daemons' command lines have in common.
//!
//! Decides: the options every daemon has, how help and version read, what a wrong command line is answered. Given: the
//! daemon's own options. Leaves to others: what those mean.

use crate::Environment;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Command};
use messages::core::Service;
use model::ExitCode;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;

/// Reads a daemon's command line: its own options, and those all daemons have, which go into `environment`. `Err` is
/// what the process should exit with: the line was wrong, or asked only for help or the version.
pub fn command_line(
    service: Service,
    about: &'static str,
    own: impl IntoIterator<Item = Arg>,
    args: Vec<OsString>,
    environment: &mut Environment,
) -> Result<ArgMatches, ExitCode> {
    let program = service.program();
    let command = Command::new(program)
        .about(about)
        .version(environment.profile.version())
        .disable_version_flag(true)
        .disable_help_flag(true)
        .args(own)
        .arg(
            Arg::new("logfile")
                .short('l')
                .long("logfile")
                .value_name("FILE")
                .value_parser(clap::value_parser!(PathBuf))
                .help("Send the log to this file"),
        )
        .arg(Arg::new("verbose").short('V').long("verbose").action(ArgAction::Count).help("Log more"))
        .arg(
            Arg::new("help")
                .short('?')
                .short_alias('h')
                .long("help")
                .action(ArgAction::Help)
                .help("Show this and exit"),
        )
        .arg(
            Arg::new("version")
                .short('$')
                .long("version")
                .action(ArgAction::SetTrue)
                .help("Show the version and exit"),
        );
    let matches = command.try_get_matches_from(args).map_err(|error| {
        // If it cannot be printed, the exit code has to do.
        if error.use_stderr() {
            let _ = writeln!(io::stderr(), "{program}: {}", words(&error));
            return ExitCode::USAGE;
        }
        let _ = error.print();
        ExitCode::OK
    })?;
    if matches.get_flag("version") {
        println!("Pacemaker {}", environment.profile.version());
        return Err(ExitCode::OK);
    }
    if matches.get_count("verbose") > 0 {
        environment.log.debug = true;
    }
    if let Some(file) = matches.get_one::<PathBuf>("logfile") {
        environment.log.file = Some(file.clone());
    }
    Ok(matches)
}

/// What is wrong with a command line, in the words of all of Pacemaker's programs.
fn words(error: &clap::Error) -> String {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.as_str(),
        _ => "",
    };
    let named = context(ContextKind::InvalidArg);
    // The parser shows an option with what it takes, `--logfile <FILE>`.
    let option = named.split([' ', '=']).next().unwrap_or(named);
    match error.kind() {
        ErrorKind::UnknownArgument if named.starts_with('-') => format!("Unknown option {option}"),
        ErrorKind::UnknownArgument => format!("Unsupported extra command line parameters: {named}"),
        ErrorKind::InvalidValue if context(ContextKind::InvalidValue).is_empty() => {
            format!("Missing argument for {option}")
        }
        _ => {
            let text = error.render().to_string();
            let text = text.strip_prefix("error: ").unwrap_or(&text);
            text.split("\n\n").next().unwrap_or(text).to_owned()
        }
    }
}

/// Prints what options a daemon reads, if its command line asks for nothing but that. Front-ends do.
pub fn answer_metadata(args: &[OsString], metadata: impl FnOnce() -> String) -> Option<ExitCode> {
    if args.get(1)? != "metadata" {
        return None;
    }
    let mut out = io::stdout().lock();
    let written = out.write_all(metadata().as_bytes()).and_then(|()| out.flush());
    Some(if written.is_ok() { ExitCode::OK } else { ExitCode::IOERR })
}

/// An option that is there or not.
pub fn flag(short: char, long: &'static str, help: &'static str) -> Arg {
    Arg::new(long).short(short).long(long).action(ArgAction::SetTrue).help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<(ArgMatches, Environment), ExitCode> {
        let mut environment = Environment::load("pacemaker-attrd");
        let args =
            std::iter::once("pacemaker-attrd").chain(words.iter().copied()).map(OsString::from).collect();
        let own = [flag('s', "stand-alone", "Without a CIB")];
        let matches = command_line(Service::Attrd, "Keeps attributes", own, args, &mut environment)?;
        Ok((matches, environment))
    }

    #[test]
    fn common_options_go_into_the_environment() {
        let (matches, environment) = read(&["-V", "--logfile", "/tmp/x", "-s"]).unwrap();
        assert!(matches.get_flag("stand-alone") && environment.log.debug);
        assert_eq!(environment.log.file, Some(PathBuf::from("/tmp/x")));
    }

    #[test]
    fn questions_and_mistakes_end_it() {
        for (words, code) in [
            (["--version"], ExitCode::OK),
            (["--help"], ExitCode::OK),
            (["-?"], ExitCode::OK),
            (["--nonsense"], ExitCode::USAGE),
            (["-l"], ExitCode::USAGE),
            (["word"], ExitCode::USAGE),
        ] {
            assert_eq!(read(&words).err(), Some(code), "{words:?}");
        }
    }
}
