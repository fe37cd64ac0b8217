// SPDX-License-Identifier: GPL-2.0-or-later
//! Resources of every kind.
//!
//! Decides: which there are. Given: choices. Leaves to others: where they run.

use super::{Choices, Made, Primitive, block, some};
use std::fmt::Write as _;

/// What a primitive is in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Nothing,
    Group,
    Clone { promotable: bool },
    Bundle { promotable: bool },
}

/// All of them.
pub fn resources(choices: &mut Choices, made: &mut Made) -> String {
    let mut out = String::new();
    for number in 0..choices.rarely(2) {
        let id = format!("template{number}");
        let inner = primitive_contents(choices, &id, false, Within::Nothing);
        writeln!(
            out,
            "<template id=\"{id}\" class=\"ocf\" provider=\"pacemaker\" type=\"Dummy\">{inner}</template>"
        )
        .unwrap();
        made.templates.push(id);
    }
    if choices.chance(75) {
        out.push_str(&fence_device(choices, made, "fence0"));
    }
    if choices.chance(15) {
        out.push_str(&fence_device(choices, made, "fence1"));
    }
    for number in 0..1 + choices.next(6) {
        let id = format!("r{number}");
        let text = match choices.next(12) {
            0..=3 => primitive(choices, made, &id, Within::Nothing),
            4..=6 => group(choices, made, &id, Within::Nothing),
            7..=9 => clone(choices, made, &id),
            10 => bundle(choices, made, &id),
            _ => remote(choices, made, &id),
        };
        out.push_str(&text);
    }
    out
}

fn fence_device(choices: &mut Choices, made: &mut Made, id: &str) -> String {
    made.primitives.push(Primitive {
        id: id.to_owned(),
        class: "stonith",
        provider: None,
        agent: "fence_xvm",
        cloned: false,
        promotable: false,
    });
    made.ids.push(id.to_owned());
    let meta = some(choices, &[(10, "provides", &["unfencing"]), (8, "priority", &["10"])]);
    let mut inner = block("meta_attributes", &format!("{id}-m"), &meta);
    if choices.chance(40) {
        write!(inner, "<operations><op id=\"{id}-monitor\" name=\"monitor\" interval=\"60s\"/></operations>")
            .unwrap();
    }
    format!("<primitive id=\"{id}\" class=\"stonith\" type=\"fence_xvm\">{inner}</primitive>\n")
}

fn meta(choices: &mut Choices, within: Within) -> Vec<(String, String)> {
    let mut pairs = some(
        choices,
        &[
            (12, "priority", &["5", "10", "-5"]),
            (12, "resource-stickiness", &["0", "50", "INFINITY"]),
            (8, "target-role", &["Started", "Stopped", "Unpromoted", "Promoted"]),
            (5, "is-managed", &["false"]),
            (3, "maintenance", &["true"]),
            (10, "migration-threshold", &["1", "2"]),
            (10, "failure-timeout", &["20min", "5s"]),
            (8, "multiple-active", &["stop_start", "stop_only", "block", "stop_unexpected"]),
            (15, "allow-migrate", &["true"]),
            (8, "requires", &["nothing", "quorum", "fencing", "unfencing"]),
            (5, "critical", &["false"]),
            (3, "allow-unhealthy-nodes", &["true"]),
        ],
    );
    if within != Within::Nothing {
        pairs.retain(|(name, _)| name != "target-role" || pairs_may_be_disabled(within));
    }
    pairs
}

/// In clones and bundles the role of a member is asked for at the top.
fn pairs_may_be_disabled(within: Within) -> bool {
    within == Within::Group
}

fn operations(choices: &mut Choices, id: &str, promotable: bool) -> String {
    let fail = |choices: &mut Choices, monitor: bool| {
        if !choices.chance(15) {
            return String::new();
        }
        let kinds: &[&str] = if monitor {
            &["restart", "ignore", "block", "stop", "fence", "standby", "restart-container", "demote"]
        } else {
            &["restart", "ignore", "block", "fence", "stop", "standby"]
        };
        format!(" on-fail=\"{}\"", choices.of(kinds))
    };
    let mut out = String::new();
    if choices.chance(60) {
        let kind = fail(choices, true);
        let role = if promotable { " role=\"Unpromoted\"" } else { "" };
        write!(out, "<op id=\"{id}-monitor-10\" name=\"monitor\" interval=\"10s\"{role}{kind}/>").unwrap();
    }
    if promotable && choices.chance(60) {
        let kind = fail(choices, true);
        write!(out, "<op id=\"{id}-monitor-11\" name=\"monitor\" interval=\"11s\" role=\"Promoted\"{kind}/>")
            .unwrap();
    }
    if choices.chance(8) {
        write!(out, "<op id=\"{id}-monitor-12\" name=\"monitor\" interval=\"12s\" role=\"Stopped\"/>")
            .unwrap();
    }
    for name in ["start", "stop"] {
        if choices.chance(15) {
            let kind = match name {
                "stop" if choices.chance(50) => {
                    format!(" on-fail=\"{}\"", choices.of(&["block", "ignore", "fence"]))
                }
                "stop" => String::new(),
                _ => fail(choices, false),
            };
            write!(out, "<op id=\"{id}-{name}\" name=\"{name}\" interval=\"0s\" timeout=\"40s\"{kind}/>")
                .unwrap();
        }
    }
    if promotable && choices.chance(10) {
        let kind = choices.of(&["restart", "ignore", "block", "demote", "fence"]);
        write!(out, "<op id=\"{id}-promote\" name=\"promote\" interval=\"0s\" on-fail=\"{kind}\"/>").unwrap();
    }
    if out.is_empty() { out } else { format!("<operations>{out}</operations>") }
}

fn primitive_contents(choices: &mut Choices, id: &str, promotable: bool, within: Within) -> String {
    let meta = meta(choices, within);
    let parameters = some(choices, &[(15, "state", &["/run/x", "/run/y"]), (8, "fake", &["1"])]);
    let needs = if matches!(within, Within::Bundle { .. }) {
        Vec::new()
    } else {
        some(choices, &[(30, "cpu", &["1", "2", "3"]), (15, "memory", &["256", "600"])])
    };
    block("meta_attributes", &format!("{id}-m"), &meta)
        + &block("instance_attributes", &format!("{id}-p"), &parameters)
        + &operations(choices, id, promotable)
        + &block("utilization", &format!("{id}-u"), &needs)
}

fn primitive(choices: &mut Choices, made: &mut Made, id: &str, within: Within) -> String {
    let (cloned, promotable) = match within {
        Within::Clone { promotable } | Within::Bundle { promotable } => (true, promotable),
        _ => (false, false),
    };
    let agents: [(&str, Option<&str>, &str); 4] = [
        ("ocf", Some("pacemaker"), if promotable { "Stateful" } else { "Dummy" }),
        ("systemd", None, "httpd"),
        ("lsb", None, "nfs"),
        ("ocf", Some("heartbeat"), "IPaddr2"),
    ];
    let which = if promotable || cloned || !choices.chance(20) { 0 } else { choices.next(4) };
    let (class, provider, agent) = agents[which];
    made.primitives.push(Primitive { id: id.to_owned(), class, provider, agent, cloned, promotable });
    if within == Within::Nothing || within == Within::Group || choices.chance(10) {
        made.ids.push(id.to_owned());
    }
    let mut contents = primitive_contents(choices, id, promotable, within);
    if within == Within::Nothing && choices.chance(8) {
        let node = format!("guest-{id}");
        let pair = format!("<nvpair id=\"{id}-guest\" name=\"remote-node\" value=\"{node}\"/>");
        let begin = format!("<meta_attributes id=\"{id}-m\">");
        contents = if contents.contains(&begin) {
            contents.replace(&begin, &(begin.clone() + &pair))
        } else {
            format!("{begin}{pair}</meta_attributes>{contents}")
        };
        made.reached.push(node);
    }
    if let Some(template) = choices.pick(&made.templates).cloned()
        && !promotable
        && choices.chance(25)
    {
        return format!("<primitive id=\"{id}\" template=\"{template}\">{contents}</primitive>\n");
    }
    let provider = provider.map(|provider| format!(" provider=\"{provider}\"")).unwrap_or_default();
    format!("<primitive id=\"{id}\" class=\"{class}\"{provider} type=\"{agent}\">{contents}</primitive>\n")
}

fn group(choices: &mut Choices, made: &mut Made, id: &str, within: Within) -> String {
    if within == Within::Nothing {
        made.ids.push(id.to_owned());
    }
    let mut out = format!("<group id=\"{id}\">\n");
    let pairs = some(
        choices,
        &[
            (8, "ordered", &["false"]),
            (8, "colocated", &["false"]),
            (8, "priority", &["7"]),
            (8, "resource-stickiness", &["10"]),
            (4, "target-role", &["Stopped", "Started"]),
            (3, "is-managed", &["false"]),
        ],
    );
    let pairs = if within == Within::Nothing { pairs } else { Vec::new() };
    out.push_str(&block("meta_attributes", &format!("{id}-m"), &pairs));
    let within = if within == Within::Nothing { Within::Group } else { within };
    for member in 0..1 + choices.next(3) {
        let text = primitive(choices, made, &format!("{id}-{member}"), within);
        out.push_str(&text);
    }
    out + "</group>\n"
}

fn clone(choices: &mut Choices, made: &mut Made, id: &str) -> String {
    made.ids.push(id.to_owned());
    let promotable = choices.chance(45);
    let mut pairs = some(
        choices,
        &[
            (25, "clone-max", &["2", "1", "3", "0"]),
            (10, "clone-node-max", &["2"]),
            (12, "clone-min", &["1", "2"]),
            (40, "interleave", &["true"]),
            (15, "ordered", &["true"]),
            (20, "notify", &["true"]),
            (15, "globally-unique", &["true"]),
            (8, "priority", &["8"]),
            (10, "resource-stickiness", &["0", "5"]),
            (6, "target-role", &["Stopped", "Started", "Unpromoted"]),
            (3, "is-managed", &["false"]),
        ],
    );
    if promotable {
        pairs.push(("promotable".to_owned(), "true".to_owned()));
        pairs.extend(some(
            choices,
            &[(25, "promoted-max", &["2", "1", "0"]), (8, "promoted-node-max", &["2", "1"])],
        ));
    }
    let within = Within::Clone { promotable };
    let inner = if choices.chance(30) {
        group(choices, made, &format!("{id}-g"), within)
    } else {
        primitive(choices, made, &format!("{id}-p"), within)
    };
    let meta = block("meta_attributes", &format!("{id}-m"), &pairs);
    format!("<clone id=\"{id}\">\n{meta}{inner}</clone>\n")
}

fn bundle(choices: &mut Choices, made: &mut Made, id: &str) -> String {
    made.ids.push(id.to_owned());
    let kind = choices.of(&["podman", "docker"]);
    let replicas = 1 + choices.next(3);
    let promotable = choices.chance(40);
    let promoted = if promotable { " promoted-max=\"1\"" } else { "" };
    let per_host = if choices.chance(10) { " replicas-per-host=\"2\"" } else { "" };
    let network = match choices.next(3) {
        0 => {
            "<network ip-range-start=\"192.168.122.131\"><port-mapping id=\"ID-port\" port=\"80\"/></network>"
        }
        1 => "<network control-port=\"3121\"/>",
        _ => "<network ip-range-start=\"192.168.122.131\" host-netmask=\"24\" host-interface=\"eth0\"/>",
    };
    let storage = if choices.chance(40) {
        format!(
            "<storage><storage-mapping id=\"{id}-storage\" source-dir=\"/srv/html\" target-dir=\"/var/www\" \
             options=\"rw\"/></storage>"
        )
    } else {
        String::new()
    };
    let meta = some(choices, &[(6, "target-role", &["Stopped", "Started"]), (6, "is-managed", &["false"])]);
    let meta = block("meta_attributes", &format!("{id}-m"), &meta);
    let inner = if choices.chance(80) {
        for replica in 0..replicas {
            made.reached.push(format!("{id}-{replica}"));
        }
        primitive(choices, made, &format!("{id}-p"), Within::Bundle { promotable })
    } else {
        String::new()
    };
    for replica in 0..replicas {
        made.primitives.push(Primitive {
            id: format!("{id}-{kind}-{replica}"),
            class: "ocf",
            provider: Some("heartbeat"),
            agent: if kind == "podman" { "podman" } else { "docker" },
            cloned: false,
            promotable: false,
        });
        if !inner.is_empty() {
            made.primitives.push(Primitive {
                id: format!("{id}-{replica}"),
                class: "ocf",
                provider: Some("pacemaker"),
                agent: "remote",
                cloned: false,
                promotable: false,
            });
        }
    }
    let network = network.replace("ID", id);
    format!(
        "<bundle id=\"{id}\">{meta}<{kind} image=\"img\" replicas=\"{replicas}\"{promoted}{per_host}/>{network}{storage}\
         {inner}</bundle>\n"
    )
}

fn remote(choices: &mut Choices, made: &mut Made, id: &str) -> String {
    let name = format!("remote-{id}");
    made.ids.push(name.clone());
    made.primitives.push(Primitive {
        id: name.clone(),
        class: "ocf",
        provider: Some("pacemaker"),
        agent: "remote",
        cloned: false,
        promotable: false,
    });
    made.reached.push(name.clone());
    let parameters = some(choices, &[(20, "reconnect_interval", &["60s"]), (40, "server", &["10.0.0.9"])]);
    let inner =
        block("instance_attributes", &format!("{name}-p"), &parameters) + &operations(choices, &name, false);
    format!(
        "<primitive id=\"{name}\" class=\"ocf\" provider=\"pacemaker\" type=\"remote\">{inner}</primitive>\n"
    )
}
