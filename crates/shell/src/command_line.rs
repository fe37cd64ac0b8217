// SPDX-License-Identifier: GPL-2.0-or-later
//! What all daemons' command lines have in common.
//!
//! Decides: the options every daemon has, how help and version read, what a wrong command line is answered. Given: the
//! daemon's own options. Leaves to others: what those mean.

use crate::Environment;
use clap::{Arg, ArgAction, ArgMatches, Command};
use messages::core::Service;
use model::ExitCode;
use std::ffi::OsString;
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
            Arg::new("version").long("version").action(ArgAction::SetTrue).help("Show the version and exit"),
        );
    let matches = command.try_get_matches_from(args).map_err(|error| {
        // If it cannot be printed, the exit code has to do.
        let _ = error.print();
        if error.use_stderr() { ExitCode::USAGE } else { ExitCode::OK }
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
