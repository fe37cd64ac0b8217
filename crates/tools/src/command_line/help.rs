// SPDX-License-Identifier: GPL-2.0-or-later
//! Help, as Pacemaker's tools give it: `--help` shows the groups there are, `--help-GROUP` one of them, `--help-all`
//! everything.

use super::{Tool, groups};
use clap::{Arg, Command};
use std::ffi::OsString;

/// Lines are broken at this width, if the words allow it.
const WIDTH: usize = 100;
/// Option names wider than this do not push all explanations to the right; theirs starts on the next line.
const NAMES_MAX: usize = 34;

/// The help that was asked for first.
pub(super) fn asked_for<T: Tool>(args: &[OsString], command: &Command) -> String {
    let groups: Vec<_> = groups::<T>().collect();
    let asked = args.iter().skip(1).filter_map(|arg| arg.to_str()?.strip_prefix("--"));
    for word in asked {
        if word == "help-all" {
            let headings = groups.iter().map(|group| Some(group.heading));
            return page::<T>(command, headings.chain([None]));
        }
        if let Some(group) = groups.iter().find(|group| group.option == word) {
            return usage::<T>() + &section(command, Some(group.heading));
        }
    }
    main_options::<T>(command)
}

/// What `--help` shows.
pub(super) fn main_options<T: Tool>(command: &Command) -> String {
    page::<T>(command, [None].into_iter())
}

fn page<T: Tool>(command: &Command, headings: impl Iterator<Item = Option<&'static str>>) -> String {
    let mut text = usage::<T>();
    let about = command.get_long_about().or(command.get_about());
    if let Some(about) = about {
        text.push_str(&format!("\n{}\n", wrapped(about.to_string().trim_end(), WIDTH).join("\n")));
    }
    text.push_str(&section(command, Some("Help Options")));
    for heading in headings {
        text.push_str(&section(command, heading));
    }
    if let Some(after) = command.get_after_help() {
        text.push_str(&format!("\n{}\n", after.to_string().trim_end()));
    }
    text
}

fn usage<T: Tool>() -> String {
    format!("Usage:\n  {} {}\n", T::NAME, T::USAGE)
}

/// The options of one heading; of `None`, those that have none.
fn section(command: &Command, heading: Option<&str>) -> String {
    let shown: Vec<(String, &Arg)> = command
        .get_opts()
        .chain(command.get_arguments().filter(|arg| !arg.get_action().takes_values()))
        .filter(|arg| arg.get_help_heading() == heading && !arg.is_hide_set())
        .map(|arg| (names(arg), arg))
        .collect();
    let in_order = command.get_arguments().filter_map(|arg| {
        shown.iter().find(|(_, shown)| shown.get_id() == arg.get_id() && !arg.is_positional())
    });
    let in_order: Vec<_> = in_order.collect();
    if in_order.is_empty() {
        return String::new();
    }
    let width = in_order.iter().map(|(names, _)| names.len()).filter(|&width| width <= NAMES_MAX).max();
    let width = width.unwrap_or(NAMES_MAX) + 4;
    let mut text = format!("\n{}:\n", heading.unwrap_or("Application Options"));
    for (names, arg) in in_order {
        let about = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default();
        let mut lines = wrapped(&about, WIDTH - width).into_iter();
        let first = if names.len() + 2 > width { None } else { lines.next() };
        let line = format!("  {names:<column$}{}", first.unwrap_or_default(), column = width - 2);
        text.push_str(line.trim_end());
        text.push('\n');
        for line in lines {
            let line = format!("{:width$}{line}", "");
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
    text
}

/// `-x, --xml-file=FILE`
fn names(arg: &Arg) -> String {
    let short = arg.get_short().map(|short| format!("-{short}"));
    let long = arg.get_long().map(|long| format!("--{long}"));
    let names: Vec<String> = short.into_iter().chain(long).collect();
    let mut text = names.join(", ");
    if arg.get_action().takes_values()
        && let Some(value) = arg.get_value_names().and_then(|names| names.first())
    {
        let optional = arg.get_num_args().is_some_and(|count| count.min_values() == 0);
        text.push_str(&if optional { format!("[={value}]") } else { format!("={value}") });
    }
    text
}

/// Broken between words; a line feed in the text stays one.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}
