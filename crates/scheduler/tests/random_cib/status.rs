// SPDX-License-Identifier: GPL-2.0-or-later
//! What nodes say and what was done on them: healthy, half done, failed, contradictory.
//!
//! Decides: what has happened. Given: choices, and what there is. Leaves to others: what it means.

use super::{Choices, MOMENT, Made, Primitive, block, some};
use std::fmt::Write as _;

/// The section.
pub fn status(choices: &mut Choices, made: &Made) -> String {
    let mut out = String::from("<status>\n");
    if choices.chance(20) {
        let granted = choices.chance(60);
        let standby = if choices.chance(20) { " standby=\"true\"" } else { "" };
        writeln!(
            out,
            "<tickets><ticket_state id=\"t1\" granted=\"{granted}\" last-granted=\"{}\"{standby}/></tickets>",
            MOMENT - 9_000
        )
        .unwrap();
    }
    // One place where each that is not cloned runs, if anywhere: most histories make sense.
    let homes: Vec<usize> = made.primitives.iter().map(|_| choices.next(made.nodes.len())).collect();
    for (index, name) in made.nodes.iter().enumerate() {
        out.push_str(&node(choices, made, &homes, index, name));
    }
    for name in &made.reached {
        if choices.chance(60) {
            out.push_str(&reached_node(choices, made, name));
        }
    }
    out + "</status>\n"
}

fn transient(choices: &mut Choices, made: &Made, id: &str) -> String {
    let mut pairs = some(
        choices,
        &[
            (5, "standby", &["on"]),
            (5, "maintenance", &["true"]),
            (5, "terminate", &["true"]),
            (10, "pingd", &["1", "10"]),
            (10, "weight", &["20", "-INFINITY"]),
            (6, "#health-smart", &["red", "yellow"]),
            (3, "#node-unfenced", &["1700000000"]),
        ],
    );
    if choices.chance(6) {
        pairs.push(("shutdown".to_owned(), (MOMENT - 60).to_string()));
    }
    for primitive in &made.primitives {
        if choices.chance(6) {
            let operation = choices.of(&["monitor_10000", "start_0", "stop_0"]);
            let count = choices.of(&["1", "3", "INFINITY"]);
            pairs.push((format!("fail-count-{}#{operation}", primitive.id), count.to_owned()));
            let ago = [10, 1_000, 100_000][choices.next(3)];
            pairs.push((format!("last-failure-{}#{operation}", primitive.id), (MOMENT - ago).to_string()));
        }
        if primitive.promotable && choices.chance(70) {
            let score = choices.of(&["10", "5", "1", "100", "-INFINITY", "INFINITY"]);
            pairs.push((format!("master-{}", primitive.id), score.to_owned()));
        }
    }
    let inner = block("instance_attributes", &format!("{id}-t"), &pairs);
    if inner.is_empty() {
        inner
    } else {
        format!("<transient_attributes id=\"{id}\">{inner}</transient_attributes>")
    }
}

fn node(choices: &mut Choices, made: &Made, homes: &[usize], index: usize, name: &str) -> String {
    let id = index + 1;
    let kind = choices.next(20);
    let state = match kind {
        0..=12 => "in_ccm=\"true\" crmd=\"online\" join=\"member\" expected=\"member\"",
        13 | 14 => "in_ccm=\"false\" crmd=\"offline\" join=\"down\" expected=\"member\"",
        15 => "in_ccm=\"false\" crmd=\"offline\" join=\"down\" expected=\"down\"",
        16 => "in_ccm=\"true\" crmd=\"offline\" join=\"down\" expected=\"down\"",
        17 => "in_ccm=\"true\" crmd=\"online\" join=\"down\" expected=\"member\"",
        18 => "in_ccm=\"1699990000\" crmd=\"1699990000\" join=\"member\" expected=\"member\"",
        _ => return String::new(),
    };
    let transient = transient(choices, made, &id.to_string());
    let mut histories = String::new();
    let known = choices.chance(85);
    for (primitive, &home) in made.primitives.iter().zip(homes) {
        if !known || choices.chance(8) {
            continue;
        }
        let here = primitive.cloned || home == index;
        histories.push_str(&history(choices, made, primitive, name, here));
    }
    if choices.chance(4) {
        let gone = Primitive {
            id: "gone".to_owned(),
            class: "ocf",
            provider: Some("pacemaker"),
            agent: "Dummy",
            cloned: false,
            promotable: false,
        };
        histories.push_str(&history(choices, made, &gone, name, true));
    }
    format!(
        "<node_state id=\"{id}\" uname=\"{name}\" {state}>{transient}<lrm id=\"{id}\"><lrm_resources>\n{histories}\
         </lrm_resources></lrm></node_state>\n"
    )
}

fn reached_node(choices: &mut Choices, made: &Made, name: &str) -> String {
    let clean = choices.of(&["", " node_fenced=\"0\"", " node_fenced=\"1\""]);
    let up = choices.of(&["true", "true", "false"]);
    let transient = transient(choices, made, name);
    let mut histories = String::new();
    // What is in a bundle runs on the bundle's nodes, and hardly anything else there.
    let bundle = name.rsplit_once('-').map(|(bundle, _)| format!("{bundle}-p"));
    for primitive in &made.primitives {
        let inner = bundle.as_deref() == Some(&*primitive.id);
        if inner || choices.chance(12) {
            let here = inner || choices.chance(30);
            histories.push_str(&history(choices, made, primitive, name, here));
        }
    }
    format!(
        "<node_state remote_node=\"true\" id=\"{name}\" uname=\"{name}\" in_ccm=\"{up}\"{clean}>{transient}\
         <lrm id=\"{name}\"><lrm_resources>\n{histories}</lrm_resources></lrm></node_state>\n"
    )
}

/// One operation of a history.
struct Operation<'a> {
    task: &'a str,
    interval_ms: u32,
    status: i32,
    rc: i32,
    target: i32,
    more: String,
}

fn done(task: &str, rc: i32) -> Operation<'_> {
    let target = if task == "monitor" && rc != 0 { 7 } else { 0 };
    Operation { task, interval_ms: 0, status: 0, rc, target, more: String::new() }
}

fn history(choices: &mut Choices, made: &Made, primitive: &Primitive, node: &str, here: bool) -> String {
    let (class, agent) = (primitive.class, primitive.agent);
    let name = match primitive.cloned && choices.chance(12) {
        true => format!("{}:{}", primitive.id, choices.next(3)),
        false => primitive.id.clone(),
    };
    let other = choices.pick(&made.nodes).cloned().unwrap_or_default();
    let operations =
        if here { active(choices, primitive, node, &other) } else { inactive(choices, node, &other) };
    let provider = primitive.provider.map(|provider| format!(" provider=\"{provider}\"")).unwrap_or_default();
    let mut out = format!("<lrm_resource id=\"{name}\" class=\"{class}\"{provider} type=\"{agent}\">");
    let first_call = 1 + choices.next(40);
    let start = MOMENT - [7_200, 600, 30][choices.next(3)];
    for (index, operation) in operations.iter().enumerate() {
        let Operation { task, interval_ms, status, rc, target, more } = operation;
        let id = match (*task, *rc == *target || *status == -1) {
            (_, false) => format!("{name}_last_failure_0"),
            ("monitor", true) if *interval_ms > 0 => format!("{name}_monitor_{interval_ms}"),
            ("migrate_to" | "migrate_from", true) => format!("{name}_{task}_0"),
            _ => format!("{name}_last_0"),
        };
        // What is under way has no call id yet; what comes later under the same id replaces what was.
        let call = if *status == -1 { -1 } else { (first_call + index) as i32 };
        if operations.iter().skip(index + 1).any(|later| {
            later.interval_ms == 0
                && *interval_ms == 0
                && later.rc == later.target
                && *rc == *target
                && !later.task.starts_with("migrate")
                && !task.starts_with("migrate")
        }) {
            continue;
        }
        let key = format!("{}:1:{target}:01234567-89ab-cdef-0123-456789abcdef", index + 1);
        let digest = match choices.next(12) {
            10 => " op-digest=\"4811cef7f7f94e3a35a70be7916cb2fd\"",
            11 => {
                " op-digest=\"f2317cad3d54cec5d7d7aa7d0bf35cf8\" op-force-restart=\" state \" \
                   op-restart-digest=\"f2317cad3d54cec5d7d7aa7d0bf35cf8\""
            }
            _ => " op-digest=\"f2317cad3d54cec5d7d7aa7d0bf35cf8\"",
        };
        write!(
            out,
            "<lrm_rsc_op id=\"{id}\" operation_key=\"{name}_{task}_{interval_ms}\" operation=\"{task}\" \
             crm_feature_set=\"3.20.5\" transition-key=\"{key}\" transition-magic=\"{status}:{rc};{key}\" \
             exit-reason=\"\" on_node=\"{node}\" call-id=\"{call}\" rc-code=\"{rc}\" op-status=\"{status}\" \
             interval=\"{interval_ms}\" last-rc-change=\"{}\" exec-time=\"10\" queue-time=\"0\"{digest}{more}/>",
            start + index as i64
        )
        .unwrap();
    }
    out + "</lrm_resource>\n"
}

/// What does not run here.
fn inactive<'a>(choices: &mut Choices, node: &str, other: &str) -> Vec<Operation<'a>> {
    match choices.next(20) {
        0..=13 => vec![done("monitor", 7)],
        14 | 15 => vec![done("start", 0), done("stop", 0)],
        16 => vec![Operation { status: 4, ..done("monitor", 5) }],
        17 => vec![Operation { status: -1, rc: 193, target: 7, ..done("monitor", 7) }],
        18 if node != other => {
            vec![done("start", 0), migration("migrate_to", node, other, 0), done("stop", 0)]
        }
        _ => vec![done("monitor", 0)],
    }
}

fn migration<'a>(task: &'a str, source: &str, target: &str, rc: i32) -> Operation<'a> {
    Operation {
        status: if rc == 0 { 0 } else { 4 },
        more: format!(" migrate_source=\"{source}\" migrate_target=\"{target}\""),
        ..done(task, rc)
    }
}

/// What runs here, or did, or tried to.
fn active<'a>(choices: &mut Choices, primitive: &Primitive, node: &str, other: &str) -> Vec<Operation<'a>> {
    let failed = |task, rc| Operation { status: 4, target: 0, ..done(task, rc) };
    let monitor = |rc: i32, target: i32| Operation {
        interval_ms: 10_000,
        target,
        status: if rc == target { 0 } else { 4 },
        ..done("monitor", rc)
    };
    let pending = |task| Operation { status: -1, rc: 193, ..done(task, 0) };
    let promoted = primitive.promotable && choices.chance(35);
    if promoted {
        let watched = Operation { interval_ms: 11_000, ..monitor(8, 8) };
        return match choices.next(10) {
            0..=3 => vec![done("start", 0), done("promote", 0)],
            4 => vec![done("start", 0), done("promote", 0), watched],
            5 => vec![done("start", 0), failed("promote", 1)],
            6 => {
                vec![done("start", 0), done("promote", 0), Operation { interval_ms: 11_000, ..monitor(9, 8) }]
            }
            7 => vec![done("start", 0), done("promote", 0), done("demote", 0)],
            8 => vec![done("start", 0), done("promote", 0), failed("demote", 1)],
            _ => vec![done("start", 0), pending("promote")],
        };
    }
    match choices.next(24) {
        0..=7 => vec![done("start", 0)],
        8..=11 => vec![done("start", 0), monitor(0, 0)],
        12 => vec![done("start", 0), monitor(0, 0), Operation { ..monitor(7, 0) }],
        13 => vec![failed("start", 1)],
        14 => vec![done("start", 0), failed("stop", 1)],
        15 => vec![done("start", 0), pending("stop")],
        16 => vec![pending("start")],
        17 => vec![done("start", 0), monitor(1, 0)],
        18 => vec![done("monitor", 0)],
        19 if node != other => vec![done("start", 0), migration("migrate_to", node, other, 0)],
        20 if node != other => vec![migration("migrate_from", other, node, 0)],
        21 if node != other => vec![done("start", 0), migration("migrate_to", node, other, 1)],
        22 if node != other => vec![migration("migrate_from", other, node, 1)],
        23 => vec![done("start", 0), done("stop", 0)],
        _ => vec![done("start", 0), pending("monitor")],
    }
}
