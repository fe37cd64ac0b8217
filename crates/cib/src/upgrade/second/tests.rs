// SPDX-License-Identifier: GPL-2.0-or-later
//! The rules of the way to the third series, one by one.

use crate::upgrade::StepError;
use crate::upgrade::test_support::{becomes, try_steps};

const FROM: (u8, u8) = (2, 10);

fn properties(pairs: &str) -> String {
    format!("<crm_config><cluster_property_set id='p'>{pairs}</cluster_property_set></crm_config>")
}

fn primitive(inside: &str) -> String {
    format!("<resources><primitive id='web' class='ocf' type='x'>{inside}</primitive></resources>")
}

#[test]
fn properties_are_renamed_where_they_are() {
    let renamed = [
        ("cluster_recheck_interval", "cluster-recheck-interval"),
        ("dc_deadtime", "dc-deadtime"),
        ("election_timeout", "election-timeout"),
        ("no_quorum_policy", "no-quorum-policy"),
        ("remove_after_stop", "remove-after-stop"),
        ("shutdown_escalation", "shutdown-escalation"),
        ("startup_fencing", "startup-fencing"),
        ("stonith_action", "stonith-action"),
        ("stonith_enabled", "stonith-enabled"),
        ("stop_orphan_actions", "stop-orphan-actions"),
        ("stop_orphan_resources", "stop-orphan-resources"),
        ("symmetric_cluster", "symmetric-cluster"),
        ("transition_idle_timeout", "cluster-delay"),
    ];
    for (old, new) in renamed {
        let pair =
            |name| format!("<nvpair id='a' name='{name}' value='v'/><nvpair id='b' name='keep' value='1'/>");
        let said = becomes(FROM, &properties(&pair(old)), &properties(&pair(new)));
        assert_eq!(said, [format!("DEBUG: Cluster properties: a: renaming {old} as {new}")]);
    }
}

#[test]
fn properties_without_effect_go_and_empty_sets_with_them() {
    for name in [
        "default-migration-threshold",
        "default_migration_threshold",
        "default-resource-failure-stickiness",
        "default_resource_failure_stickiness",
        "expected-quorum-votes",
        "notification-agent",
        "notification-recipient",
    ] {
        let pair = format!("<nvpair id='a' name='{name}' value='5'/>");
        let said = becomes(FROM, &properties(&pair), "<crm_config/>");
        assert_eq!(
            said[0].split(" for matching").next(),
            Some(&*format!("INFO: Cluster properties: a: dropping {name}"))
        );
    }
    for stack in ["heartbeat", "openais", "classic openais", "classic openais (with plugin)", "cman"] {
        let pair = format!("<nvpair id='a' name='cluster-infrastructure' value='{stack}'/>");
        becomes(FROM, &properties(&pair), "<crm_config/>");
    }
    let corosync = properties("<nvpair id='a' name='cluster-infrastructure' value='corosync'/>");
    assert!(becomes(FROM, &corosync, &corosync).is_empty());
    becomes(FROM, "<crm_config><cluster_property_set id='empty'/></crm_config>", "<crm_config/>");
}

#[test]
fn a_comment_stays_with_the_property_after_it() {
    becomes(
        FROM,
        &properties(
            "<!-- k --><nvpair id='k' name='keep' value='1'/><!-- g --><nvpair id='g' name='expected-quorum-votes' value='2'/>\
             <!-- end -->",
        ),
        &properties("<!-- k --><nvpair id='k' name='keep' value='1'/>"),
    );
}

#[test]
fn defaults_among_properties_become_defaults() {
    let moved = [
        ("default-action-timeout", "op", "timeout"),
        ("default_action_timeout", "op", "timeout"),
        ("default-resource-stickiness", "rsc", "resource-stickiness"),
        ("default_resource_stickiness", "rsc", "resource-stickiness"),
        ("is-managed-default", "rsc", "is-managed"),
        ("is_managed_default", "rsc", "is-managed"),
    ];
    for (old, whose, new) in moved {
        let pair = |name| format!("<nvpair id='a' name='{name}' value='v'/>");
        let wanted = |id: &str| {
            format!(
                "<{whose}_defaults><meta_attributes id='{id}'>{}</meta_attributes></{whose}_defaults>",
                pair(new)
            )
        };
        // A section that is not there is made, at the end.
        let made = format!("<crm_config/>{}", wanted(&format!("_2TO3_-{whose}-defaults")));
        becomes(FROM, &properties(&pair(old)), &made);
        // In one that is, the first set without rule has them.
        let ruled = "<meta_attributes id='r'><rule id='rr'/></meta_attributes>";
        let there = |inside: &str| {
            format!(
                "<{whose}_defaults>{ruled}<meta_attributes id='d'>{inside}</meta_attributes></{whose}_defaults>"
            )
        };
        becomes(FROM, &(properties(&pair(old)) + &there("")), &format!("<crm_config/>{}", there(&pair(new))));
        // What the defaults say themselves wins.
        let own = there(&format!("<nvpair id='own' name='{new}' value='w'/>"));
        becomes(FROM, &(properties(&pair(old)) + &own), &format!("<crm_config/>{own}"));
    }
}

#[test]
fn stickiness_against_failure_was_a_threshold_of_one() {
    for name in ["default-resource-failure-stickiness", "default_resource_failure_stickiness"] {
        becomes(
            FROM,
            &properties(&format!("<nvpair id='a' name='{name}' value='-INFINITY'/>")),
            "<crm_config/><rsc_defaults><meta_attributes id='_2TO3_-rsc-defaults'>\
             <nvpair id='a' name='migration-threshold' value='1'/></meta_attributes></rsc_defaults>",
        );
    }
    for name in ["resource-failure-stickiness", "resource_failure_stickiness"] {
        let set = |pair: &str| primitive(&format!("<meta_attributes id='m'>{pair}</meta_attributes>"));
        let of = |value| set(&format!("<nvpair id='a' name='{name}' value='{value}'/>"));
        becomes(FROM, &of("-INFINITY"), &set("<nvpair id='a' name='migration-threshold' value='1'/>"));
        let said = becomes(FROM, &of("-100"), &primitive(""));
        assert_eq!(
            said[1],
            "INFO: Resource meta_attributes: ... migration-threshold can be configured instead"
        );
    }
}

#[test]
fn defaults_under_a_rule_have_no_place_to_go() {
    becomes(
        FROM,
        &properties("<rule id='r'/><nvpair id='a' name='is-managed-default' value='v'/>"),
        "<crm_config/>",
    );
    becomes(
        FROM,
        &(properties("<nvpair id='a' name='is-managed-default' value='v'/>") + "<rsc_defaults/>"),
        "<crm_config/><rsc_defaults/>",
    );
}

#[test]
fn normal_nodes_are_members() {
    let said = becomes(
        FROM,
        "<nodes><node id='1' type='normal' uname='n1'/><node id='2' type='ping' uname='n2'/></nodes>",
        "<nodes><node id='1' type='member' uname='n1'/><node id='2' type='ping' uname='n2'/></nodes>",
    );
    assert_eq!(
        said,
        ["DEBUG: Cluster node: n1 (id=1): keeping type as type, redefined as member, for matching normal"]
    );
}

#[test]
fn fence_devices_have_actions_not_commands() {
    let set = |pair: &str| primitive(&format!("<instance_attributes id='i'>{pair}</instance_attributes>"));
    for action in ["list", "monitor", "off", "on", "reboot", "status"] {
        let pair = |kind| set(&format!("<nvpair id='a' name='pcmk_{action}_{kind}' value='v'/>"));
        becomes(FROM, &pair("cmd"), &pair("action"));
    }
    let map = |value| set(&format!("<nvpair id='a' name='pcmk_arg_map' value='{value}'/>"));
    becomes(FROM, &map("port:plug"), &set("<nvpair id='a' name='pcmk_host_argument' value='plug'/>"));
    becomes(FROM, &map("port:plug,x:y"), &primitive(""));
    becomes(FROM, &map("host:plug"), &primitive(""));
}

#[test]
fn isolated_resources_are_stopped_and_somebody_is_told() {
    let set = |pair: &str| primitive(&format!("<meta_attributes id='m'>{pair}</meta_attributes>"));
    for name in ["isolation", "isolation-host", "isolation-instance", "isolation-wrapper"] {
        let said = becomes(
            FROM,
            &set(&format!("<nvpair id='a' name='{name}' value='v'/>")),
            &set("<nvpair id='a' name='target-role' value='Stopped'/>"),
        );
        assert!(said.iter().all(|line| line.starts_with("WARNING: Resource meta_attributes: ")), "{said:?}");
    }
}

#[test]
fn a_renamed_meta_attribute_comes_once() {
    let isolated = |id| format!("<nvpair id='{id}' name='isolation' value='v'/>");
    let stopped = "<nvpair id='a' name='target-role' value='Stopped'/>";
    let set = |inside: &str| format!("<meta_attributes id='m'>{inside}</meta_attributes>");
    let keep = "<nvpair id='k' name='keep' value='1'/>";
    // The second is not said again; nor is one after something that stays.
    becomes(FROM, &primitive(&set(&(isolated("a") + &isolated("b")))), &primitive(&set(stopped)));
    becomes(FROM, &primitive(&set(&(keep.to_owned() + &isolated("b")))), &primitive(&set(keep)));
    // Under a rule, one without rule in a later set has it.
    let ruled = |inside: &str| format!("<meta_attributes id='r'><rule id='rr'/>{inside}</meta_attributes>");
    becomes(
        FROM,
        &primitive(&(ruled(&isolated("b")) + &set(&isolated("a")))),
        &primitive(&(ruled("") + &set(stopped))),
    );
    becomes(FROM, &primitive(&ruled(&isolated("a"))), &primitive(&ruled(stopped)));
}

#[test]
fn comments_among_a_resources_attributes_stay_and_stay_again() {
    let set =
        |inside: &str| primitive(&format!("<instance_attributes id='i'>{inside}</instance_attributes>"));
    becomes(
        FROM,
        &set(
            "<!-- a --><nvpair id='a' name='x' value='1'/><!-- b --><nvpair id='b' name='pcmk_arg_map' value='1'/>",
        ),
        &set("<!-- a --><!-- a --><nvpair id='a' name='x' value='1'/><!-- b -->"),
    );
    // A comment in front keeps a set that has nothing else left.
    becomes(FROM, &set("<!-- b --><nvpair id='b' name='pcmk_arg_map' value='1'/>"), &set("<!-- b -->"));
    becomes(FROM, &set("<rule id='r'/><nvpair id='b' name='pcmk_arg_map' value='1'/>"), &primitive(""));
}

fn with_ops(ops: &str, after: &str) -> String {
    primitive(&format!("<operations>{ops}</operations>{after}"))
}

#[test]
fn what_an_operation_requires_is_the_resources_business() {
    for name in ["start", "promote"] {
        becomes(
            FROM,
            &with_ops(&format!("<op id='o' name='{name}' interval='0' requires='fencing'/>"), ""),
            &with_ops(
                &format!("<op id='o' name='{name}' interval='0'/>"),
                "<meta_attributes id='_2TO3_web-meta'>\
                 <nvpair id='_2TO3_o-meta-requires' name='requires' value='fencing'/></meta_attributes>",
            ),
        );
    }
    let said = becomes(
        FROM,
        &with_ops("<op id='o' name='stop' interval='0' requires='fencing'/>", ""),
        &with_ops("<op id='o' name='stop' interval='0'/>", ""),
    );
    assert_eq!(
        said,
        [
            "INFO: Resources-operation: o (rsc=web): dropping requires",
            "INFO: Resources-operation: ... only start/promote operation taken into account"
        ]
    );
}

fn requires(id: &str, value: &str) -> String {
    format!("<nvpair id='{id}' name='requires' value='{value}'/>")
}

#[test]
fn of_several_places_that_say_requires_one_wins() {
    let own = format!("<meta_attributes id='own'>{}</meta_attributes>", requires("x", "nothing"));
    let start = |attributes: &str, inside: &str| format!("<op id='s' name='start'{attributes}>{inside}</op>");
    let meta = |id: &str, inside: &str| format!("<meta_attributes id='{id}'>{inside}</meta_attributes>");
    let instance =
        |id: &str, inside: &str| format!("<instance_attributes id='{id}'>{inside}</instance_attributes>");
    // The resource's own.
    let ops = start(" requires='fencing'", &meta("m", &requires("a", "quorum")));
    becomes(FROM, &with_ops(&ops, &own), &with_ops(&start("", ""), &own));
    // Then an operation's attribute.
    let made = "<meta_attributes id='_2TO3_web-meta'>\
                <nvpair id='_2TO3_s-meta-requires' name='requires' value='fencing'/></meta_attributes>";
    becomes(FROM, &with_ops(&ops, ""), &with_ops(&start("", ""), made));
    // Then its meta-attributes, the last of them.
    let both = start(
        "",
        &(meta("m", &requires("a", "quorum"))
            + &meta("n", &requires("b", "fencing"))
            + &instance("i", &requires("c", "nothing"))),
    );
    becomes(
        FROM,
        &with_ops(&both, ""),
        &with_ops(&start("", ""), &meta("_2TO3_n", &requires("b", "fencing"))),
    );
    // Then its instance attributes.
    let last = start("", &instance("i", &requires("c", "nothing")));
    becomes(
        FROM,
        &with_ops(&last, ""),
        &with_ops(&start("", ""), &meta("_2TO3_i", &requires("c", "nothing"))),
    );
    // What has a rule stands beside what has none after it only if that says nothing.
    let ruled = |id: &str| meta(id, &format!("<rule id='r'/>{}", requires("a", "quorum")));
    let one = start("", &(ruled("m") + &meta("n", &requires("b", "fencing"))));
    becomes(
        FROM,
        &with_ops(&one, ""),
        &with_ops(&start("", ""), &meta("_2TO3_n", &requires("b", "fencing"))),
    );
    let other = start("", &(meta("n", &requires("b", "fencing")) + &ruled("m")));
    becomes(
        FROM,
        &with_ops(&other, ""),
        &with_ops(&start("", ""), &(meta("_2TO3_n", &requires("b", "fencing")) + &ruled("_2TO3_m"))),
    );
}

#[test]
fn options_among_an_operations_instance_attributes_are_meta_attributes() {
    for name in ["interval-origin", "start-delay", "enabled", "on-fail", "record-pending", "role", "timeout"]
    {
        let op = |inside: &str| with_ops(&format!("<op id='o' name='monitor'>{inside}</op>"), "");
        let pair = format!("<nvpair id='a' name='{name}' value='v'/>");
        let keep = "<nvpair id='k' name='depth' value='1'/>";
        let instance = |inside: &str| format!("<instance_attributes id='i'>{inside}</instance_attributes>");
        let meta = |id: &str, inside: &str| format!("<meta_attributes id='{id}'>{inside}</meta_attributes>");
        becomes(
            FROM,
            &op(&instance(&(pair.clone() + keep))),
            &op(&(instance(keep) + &meta("_2TO3_o-meta", &pair))),
        );
        // Into the first set without rule, if there is one.
        becomes(
            FROM,
            &op(&(instance(&pair) + &meta("m", keep) + &meta("n", keep.replace('k', "l").as_str()))),
            &op(&(meta("m", &(keep.to_owned() + &pair)) + &meta("n", keep.replace('k', "l").as_str()))),
        );
        // Under its rule, if it has one.
        let ruled =
            format!("<instance_attributes score='3' id='i'><rule id='r'/>{pair}</instance_attributes>");
        becomes(
            FROM,
            &op(&ruled),
            &op(&format!("<meta_attributes score='3' id='_2TO3_i'><rule id='r'/>{pair}</meta_attributes>")),
        );
        // Not at all, if the resource says it for all operations.
        let own = meta("own", &format!("<nvpair id='x' name='{name}' value='w'/>"));
        becomes(
            FROM,
            &with_ops(&format!("<op id='o' name='monitor'>{}</op>", instance(&pair)), &own),
            &with_ops("<op id='o' name='monitor'/>", &own),
        );
    }
}

#[test]
fn of_one_option_in_several_sets_the_last_counts() {
    let set = |id: &str, value: &str| {
        format!(
            "<instance_attributes id='{id}'><nvpair id='{id}t' name='timeout' value='{value}'/></instance_attributes>"
        )
    };
    becomes(
        FROM,
        &with_ops(&format!("<op id='o' name='monitor'>{}{}</op>", set("i", "1"), set("j", "2")), ""),
        &with_ops(
            "<op id='o' name='monitor'><meta_attributes id='_2TO3_o-meta'>\
             <nvpair id='jt' name='timeout' value='2'/></meta_attributes></op>",
            "",
        ),
    );
}

#[test]
fn colocations_have_no_score_attribute() {
    let said = becomes(
        FROM,
        "<constraints><rsc_colocation id='c' rsc='a' score-attribute='x' with-rsc='b' score-attribute-mangle='y'/></constraints>",
        "<constraints><rsc_colocation id='c' rsc='a' with-rsc='b'/></constraints>",
    );
    assert_eq!(said.len(), 4);
}

#[test]
fn a_reference_stays_one_while_both_ends_stay_the_same() {
    let of = |name: &str| {
        format!(
            "<resources><primitive id='a'><instance_attributes id='i'><nvpair id='n' name='{name}' value='v'/></instance_attributes>\
             </primitive><primitive id='b'><instance_attributes id-ref='i'/></primitive></resources>"
        )
    };
    becomes(FROM, &of("pcmk_off_cmd"), &of("pcmk_off_action"));
}

#[test]
fn a_reference_becomes_a_copy_where_it_means_something_else() {
    let op = |inside: &str| format!("<operations><op id='o' name='monitor'>{inside}</op></operations>");
    let set = |id: &str, pair: &str| {
        format!(
            "<instance_attributes id='{id}'><nvpair id='{pair}' name='requires' value='v'/></instance_attributes>"
        )
    };
    let said = becomes(
        FROM,
        &primitive(&(op(&set("i", "n")) + "<instance_attributes id-ref='i'/>")),
        &primitive(&(op("") + &set("_cibtr-2_i", "__cibtr-2_i__n"))),
    );
    assert_eq!(
        said.last().map(String::as_str),
        Some(
            "DEBUG: instance_attributes: original element pointed to with @id-ref (i) disappeared during upgrade"
        )
    );
}

#[test]
fn references_that_lead_nowhere_or_in_circles_are_refused() {
    let dangling = primitive("<meta_attributes id-ref='nowhere'/>");
    assert_eq!(
        try_steps(2, 10, &dangling).unwrap_err().to_string(),
        "<meta_attributes id-ref=\"nowhere\"> refers to nothing; expected the id of a <meta_attributes>"
    );
    let two = primitive("<meta_attributes id='m'/><meta_attributes id='m'/><meta_attributes id-ref='m'/>");
    assert!(matches!(try_steps(2, 10, &two), Err(StepError::Ambiguous { .. })));
    let circle = primitive("<meta_attributes id='m'><meta_attributes id-ref='m'/></meta_attributes>");
    assert_eq!(try_steps(2, 10, &circle).unwrap_err(), StepError::TooDeep);
}
