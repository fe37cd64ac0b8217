// SPDX-License-Identifier: GPL-2.0-or-later
//! Constraints of every kind.
//!
//! Decides: which there are. Given: choices, and what there is to constrain. Leaves to others: whether they can be met.

use super::{Choices, Made};
use std::fmt::Write as _;

const SCORES: [&str; 8] = ["100", "INFINITY", "-INFINITY", "-100", "1", "0", "5000", "-1"];

/// All of them.
pub fn constraints(choices: &mut Choices, made: &mut Made) -> String {
    let mut out = String::new();
    let mut targets = made.ids.clone();
    targets.extend(made.tags.iter().cloned());
    let count = made.ids.len();
    for number in 0..choices.next(count + 2) {
        out.push_str(&location(choices, made, &targets, number));
    }
    for number in 0..choices.rarely(count + 2) {
        out.push_str(&colocation(choices, &targets, number));
    }
    for number in 0..choices.rarely(count + 2) {
        out.push_str(&order(choices, &targets, number));
    }
    for number in 0..choices.rarely(3) {
        let Some(resource) = choices.pick(&targets) else { continue };
        let ticket = choices.of(&["t1", "t2"]);
        let role = if choices.chance(30) { " rsc-role=\"Promoted\"" } else { "" };
        let loss = choices.of(&["stop", "demote", "fence", "freeze"]);
        writeln!(
            out,
            "<rsc_ticket id=\"ticket{number}\" rsc=\"{resource}\" ticket=\"{ticket}\"{role} loss-policy=\"{loss}\"/>"
        )
        .unwrap();
    }
    out
}

fn expression(choices: &mut Choices, id: &str) -> String {
    match choices.next(6) {
        0 => format!("<expression id=\"{id}\" attribute=\"site\" operation=\"eq\" value=\"a\"/>"),
        1 => format!("<expression id=\"{id}\" attribute=\"site\" operation=\"not_defined\"/>"),
        2 => format!("<expression id=\"{id}\" attribute=\"#uname\" operation=\"ne\" value=\"n1\"/>"),
        3 => format!("<expression id=\"{id}\" attribute=\"#kind\" operation=\"eq\" value=\"remote\"/>"),
        4 => format!("<date_expression id=\"{id}\" operation=\"gt\" start=\"2020-01-01\"/>"),
        _ => format!(
            "<expression id=\"{id}\" attribute=\"pingd\" operation=\"gt\" type=\"number\" value=\"5\"/>"
        ),
    }
}

fn location(choices: &mut Choices, made: &Made, targets: &[String], number: usize) -> String {
    let id = format!("location{number}");
    let (Some(resource), Some(node)) = (choices.pick(targets), choices.pick(&made.nodes)) else {
        return String::new();
    };
    let reached = if choices.chance(15) { choices.pick(&made.reached) } else { None };
    let node = reached.unwrap_or(node);
    let what = match choices.next(10) {
        9 => "rsc-pattern=\"^r[0-2]\"".to_owned(),
        _ => format!("rsc=\"{resource}\""),
    };
    if choices.chance(25) {
        let score = choices.of(&SCORES);
        let score = match choices.next(8) {
            7 => "score-attribute=\"weight\"".to_owned(),
            _ => format!("score=\"{score}\""),
        };
        let role = if choices.chance(20) { " role=\"Promoted\"" } else { "" };
        let both = if choices.chance(30) { " boolean-op=\"or\"" } else { "" };
        let mut inner = expression(choices, &format!("{id}-e0"));
        if choices.chance(30) {
            inner += &expression(choices, &format!("{id}-e1"));
        }
        return format!(
            "<rsc_location id=\"{id}\" {what}><rule id=\"{id}-rule\" {score}{role}{both}>{inner}</rule></rsc_location>\n"
        );
    }
    let score = choices.of(&SCORES);
    let mut more = String::new();
    if choices.chance(15) {
        more += &format!(" role=\"{}\"", choices.of(&["Promoted", "Started", "Unpromoted"]));
    }
    if choices.chance(10) {
        more += &format!(" resource-discovery=\"{}\"", choices.of(&["never", "exclusive", "always"]));
    }
    format!("<rsc_location id=\"{id}\" {what} node=\"{node}\" score=\"{score}\"{more}/>\n")
}

/// Sets of what is constrained together.
fn sets(
    choices: &mut Choices,
    targets: &[String],
    id: &str,
    attributes: &dyn Fn(&mut Choices) -> String,
) -> String {
    let mut out = String::new();
    let mut used: Vec<&String> = Vec::new();
    for set in 0..1 + choices.next(3) {
        let mut members = String::new();
        for _ in 0..1 + choices.next(3) {
            let Some(member) = choices.pick(targets) else { continue };
            if !used.contains(&member) {
                used.push(member);
                write!(members, "<resource_ref id=\"{member}\"/>").unwrap();
            }
        }
        if !members.is_empty() {
            let attributes = attributes(choices);
            write!(out, "<resource_set id=\"{id}-s{set}\"{attributes}>{members}</resource_set>").unwrap();
        }
    }
    out
}

fn colocation(choices: &mut Choices, targets: &[String], number: usize) -> String {
    let id = format!("colocation{number}");
    let score = choices.of(&SCORES);
    if choices.chance(20) {
        let sets = sets(choices, targets, &id, &|choices| {
            let mut out = String::new();
            if choices.chance(25) {
                out += " sequential=\"false\"";
            }
            if choices.chance(20) {
                out += &format!(" role=\"{}\"", choices.of(&["Promoted", "Started", "Unpromoted"]));
            }
            out
        });
        if sets.is_empty() {
            return String::new();
        }
        return format!("<rsc_colocation id=\"{id}\" score=\"{score}\">{sets}</rsc_colocation>\n");
    }
    let (Some(one), Some(other)) = (choices.pick(targets), choices.pick(targets)) else {
        return String::new();
    };
    if one == other {
        return String::new();
    }
    let mut more = String::new();
    if choices.chance(20) {
        more += &format!(" rsc-role=\"{}\"", choices.of(&["Promoted", "Started", "Unpromoted"]));
    }
    if choices.chance(25) {
        more += &format!(" with-rsc-role=\"{}\"", choices.of(&["Promoted", "Started", "Unpromoted"]));
    }
    if choices.chance(10) {
        more += " node-attribute=\"site\"";
    }
    if choices.chance(10) {
        more += &format!(" influence=\"{}\"", choices.of(&["false", "true"]));
    }
    format!("<rsc_colocation id=\"{id}\" rsc=\"{one}\" with-rsc=\"{other}\" score=\"{score}\"{more}/>\n")
}

fn order(choices: &mut Choices, targets: &[String], number: usize) -> String {
    let id = format!("order{number}");
    let mut more = String::new();
    if choices.chance(35) {
        more += &format!(" kind=\"{}\"", choices.of(&["Mandatory", "Optional", "Serialize"]));
    }
    let serialize = more.contains("Serialize");
    if choices.chance(15) && !serialize {
        more += " symmetrical=\"false\"";
    }
    if choices.chance(20) {
        let sets = sets(choices, targets, &id, &|choices| {
            let mut out = String::new();
            if choices.chance(30) {
                out += " sequential=\"false\"";
                if choices.chance(40) {
                    out += " require-all=\"false\"";
                }
            }
            if choices.chance(12) {
                out += &format!(" action=\"{}\"", choices.of(&["start", "promote", "stop", "demote"]));
            }
            out
        });
        if sets.is_empty() {
            return String::new();
        }
        return format!("<rsc_order id=\"{id}\"{more}>{sets}</rsc_order>\n");
    }
    let (Some(first), Some(then)) = (choices.pick(targets), choices.pick(targets)) else {
        return String::new();
    };
    if first == then {
        return String::new();
    }
    if choices.chance(25) {
        more += &format!(" first-action=\"{}\"", choices.of(&["start", "promote", "stop", "demote"]));
    }
    if choices.chance(15) {
        more += &format!(" then-action=\"{}\"", choices.of(&["start", "promote", "stop", "demote"]));
    }
    if choices.chance(8) {
        more += " require-all=\"false\"";
    }
    format!("<rsc_order id=\"{id}\" first=\"{first}\" then=\"{then}\"{more}/>\n")
}
