// SPDX-License-Identifier: GPL-2.0-or-later
//! One binary that answers to every daemon's and tool's name.
//!
//! Called as `pacemaker-based` it is that daemon; called as `systole` it takes the name as its first argument. The
//! installation lays hard links, not symbolic ones, so that `/proc/PID/exe` shows the name it was started by.

mod documents;
mod programs;

use model::ExitCode;
use std::ffi::{OsStr, OsString};
use std::path::Path;

fn main() {
    let code = dispatch(std::env::args_os().collect());
    std::process::exit(code.value());
}

fn dispatch(mut arguments: Vec<OsString>) -> ExitCode {
    let called_as = arguments.first().and_then(|path| Path::new(path).file_name()).and_then(OsStr::to_str);
    if let Some(program) = called_as.and_then(programs::find) {
        return (program.main)(arguments);
    }
    // Not one of the names: the first argument says which.
    if !arguments.is_empty() {
        arguments.remove(0);
    }
    let Some(name) = arguments.first().and_then(|name| name.to_str()) else {
        eprint!("{}", usage());
        return ExitCode::USAGE;
    };
    match name {
        "-h" | "--help" | "help" => {
            print!("{}", usage());
            ExitCode::OK
        }
        "-V" | "--version" => {
            println!("systole {}", env!("CARGO_PKG_VERSION"));
            ExitCode::OK
        }
        "names" => {
            for program in programs::ALL.iter().filter(|program| program.place.is_some()) {
                println!("{} {}", program.place.unwrap_or_default(), program.name);
            }
            ExitCode::OK
        }
        "man" => documents::man(&arguments),
        "completion" => documents::completion(&arguments),
        name => match programs::find(name) {
            Some(program) => (program.main)(arguments),
            None => {
                eprintln!("systole: no program is called '{name}'\n\n{}", usage());
                ExitCode::USAGE
            }
        },
    }
}

fn usage() -> String {
    let mut text = String::from(
        "Usage: systole NAME [ARGUMENT]...\n\nEvery NAME also works as a command of its own once installed:\n",
    );
    for program in programs::ALL {
        text.push_str(&format!("  {:<22} {}\n", program.name, program.about));
    }
    text.push_str("  names                  list the names and where they are installed\n");
    text.push_str("  man [NAME]             a tool's man page; without a name, which there are\n");
    text.push_str("  completion SHELL NAME  what a shell needs to complete a tool's options\n");
    text
}
