// SPDX-License-Identifier: GPL-2.0-or-later
//! What is wrong with a command line, in the words of Pacemaker's tools (which are GLib's).

use super::integer::IntegerError;
use clap::Command;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use std::error::Error as _;
use std::ffi::OsString;

/// Why a tool's own reader of a value refuses it, where there is no more to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not understood")]
pub(crate) struct NotUnderstood;

/// The words, without the program's name in front.
pub(super) fn words(error: &Error, args: &[OsString], command: &Command) -> String {
    let named = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(named)) => named.as_str(),
        _ => "",
    };
    let value = match error.get(ContextKind::InvalidValue) {
        Some(ContextValue::String(value)) => value.as_str(),
        _ => "",
    };
    match error.kind() {
        ErrorKind::UnknownArgument => format!("Unknown option {}", as_typed(named, args)),
        // A flag that was given a value.
        ErrorKind::TooManyValues => {
            format!("Unknown option {}", as_typed(named.split(' ').next().unwrap_or(named), args))
        }
        ErrorKind::InvalidValue if value.is_empty() => {
            format!("Missing argument for {}", spelling(named, args, command))
        }
        ErrorKind::InvalidValue => {
            format!("Invalid value '{value}' for option '{}'", spelling(named, args, command))
        }
        ErrorKind::ValueValidation => {
            let option = spelling(named, args, command);
            let source = error.source();
            if source.is_some_and(|source| source.is::<NotUnderstood>()) {
                return format!("Error parsing option {option}");
            }
            match source.and_then(|source| source.downcast_ref::<IntegerError>()) {
                Some(IntegerError::NotANumber) => {
                    format!("Cannot parse integer value \u{201c}{value}\u{201d} for {option}")
                }
                Some(IntegerError::OutOfRange) => {
                    format!("Integer value \u{201c}{value}\u{201d} for {option} out of range")
                }
                // A tool's own reader of values says it in its own words.
                None => source.map_or_else(|| own_words(error), ToString::to_string),
            }
        }
        _ => own_words(error),
    }
}

/// What the parser says, without its own lead and the hints after it.
fn own_words(error: &Error) -> String {
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    text.split("\n\nUsage:").next().unwrap_or(text).trim_end().to_owned()
}

/// An unknown option with the value it was given.
fn as_typed(option: &str, args: &[OsString]) -> String {
    let with_value = format!("{option}=");
    let typed = args.iter().map(|arg| arg.to_string_lossy()).find(|arg| arg.starts_with(&with_value));
    typed.map_or_else(|| option.to_owned(), |typed| typed.into_owned())
}

/// An option as it was last typed: `-x` or `--xml-file`. `named` is how the parser shows it, `--xml-file <FILE>`.
fn spelling(named: &str, args: &[OsString], command: &Command) -> String {
    let long = named.split([' ', '=', '[']).next().unwrap_or(named);
    let option = command.get_arguments().find(|arg| match long.strip_prefix("--") {
        Some(long) => arg.get_long() == Some(long),
        None => long.strip_prefix('-').is_some_and(|short| short.chars().next() == arg.get_short()),
    });
    let shorts: Vec<char> =
        option.and_then(|option| option.get_short_and_visible_aliases()).unwrap_or_default();
    for arg in args.iter().skip(1).rev().map(|arg| arg.to_string_lossy()) {
        if arg.strip_prefix(long).is_some_and(|rest| rest.is_empty() || rest.starts_with('=')) {
            return long.to_owned();
        }
        let cluster = arg.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
        if let Some(short) = cluster.and_then(|cluster| cluster.chars().find(|c| shorts.contains(c))) {
            return format!("-{short}");
        }
    }
    long.to_owned()
}
