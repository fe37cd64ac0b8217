// SPDX-License-Identifier: GPL-2.0-or-later
//! Man pages and shell completion, made from the tools' own command lines.

use crate::programs::{self, Program};
use clap_complete::Shell;
use model::ExitCode;
use std::ffi::OsString;
use std::io::{self, Write};

/// `man [NAME]`: the page, or the names that have one.
pub fn man(arguments: &[OsString]) -> ExitCode {
    let Some(name) = arguments.get(1) else {
        let names = programs::ALL.iter().filter(|program| program.command.is_some());
        let names: String = names.map(|program| format!("{}\n", program.page)).collect();
        return print(names.as_bytes());
    };
    let Some(command) = command_of(name) else { return unknown(name) };
    let mut page = Vec::new();
    let man = clap_mangen::Man::new(command).section("8").manual("Systole").source("Systole");
    match man.render(&mut page) {
        Ok(()) => print(&page),
        Err(error) => cannot_print(&error),
    }
}

/// `completion SHELL NAME`.
pub fn completion(arguments: &[OsString]) -> ExitCode {
    let shell =
        arguments.get(1).and_then(|shell| shell.to_str()).and_then(|shell| shell.parse::<Shell>().ok());
    let (Some(shell), Some(name)) = (shell, arguments.get(2)) else {
        eprintln!("Usage: systole completion bash|elvish|fish|powershell|zsh NAME");
        return ExitCode::USAGE;
    };
    let Some(mut command) = command_of(name) else { return unknown(name) };
    let mut script = Vec::new();
    let program = command.get_name().to_owned();
    clap_complete::generate(shell, &mut command, program, &mut script);
    print(&script)
}

fn command_of(name: &OsString) -> Option<clap::Command> {
    let name = name.to_str()?;
    let program: &Program =
        programs::ALL.iter().find(|program| program.page == name || program.name == name)?;
    program.command.map(|command| command().name(program.page))
}

fn unknown(name: &OsString) -> ExitCode {
    eprintln!("systole: there is no page on '{}' ('systole man' lists those there are)", name.display());
    ExitCode::NOSUCH
}

fn print(text: &[u8]) -> ExitCode {
    let mut out = io::stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        Ok(()) => ExitCode::OK,
        Err(error) => cannot_print(&error),
    }
}

fn cannot_print(error: &io::Error) -> ExitCode {
    eprintln!("systole: cannot print: {error}");
    ExitCode::IOERR
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_tool_has_a_page_and_completion() {
        for program in programs::ALL.iter().filter_map(|program| Some((program.name, program.command?))) {
            let (name, command) = program;
            assert_eq!(command().get_name(), name);
            command().debug_assert();
            let mut page = Vec::new();
            clap_mangen::Man::new(command()).render(&mut page).unwrap();
            let page = String::from_utf8(page).unwrap();
            assert!(page.contains("output\\-as") && page.contains(name), "{name}: {page}");
            let mut script = Vec::new();
            clap_complete::generate(Shell::Bash, &mut command(), name, &mut script);
            assert!(String::from_utf8(script).unwrap().contains("--output-as"), "{name}");
        }
    }
}
