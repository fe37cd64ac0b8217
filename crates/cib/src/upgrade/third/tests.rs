// SPDX-License-Identifier: GPL-2.0-or-later
//! The rules of the way to the fourth series, one by one.

use crate::upgrade::StepError;
use crate::upgrade::test_support::{becomes, try_steps};

const FROM: (u8, u8) = (3, 10);

/// Asserts that there is nothing to change.
#[track_caller]
fn stays(configuration: &str) {
    assert!(becomes(FROM, configuration, configuration).is_empty());
}

fn properties(pairs: &str) -> String {
    format!("<crm_config><cluster_property_set id='p'>{pairs}</cluster_property_set></crm_config>")
}

fn pair(id: &str, name: &str, value: &str) -> String {
    format!("<nvpair id='{id}' name='{name}' value='{value}'/>")
}

fn set(id: &str, attributes: &str, inside: &str) -> String {
    format!("<meta_attributes id='{id}'{attributes}>{inside}</meta_attributes>")
}

// --- values ---------------------------------------------------------------------------------------------------------

#[test]
fn sets_are_put_in_the_order_of_their_scores_after_the_rest() {
    let scores = ["INFINITY", "+INFINITY", "100", "5", "0", "", "-3", "-70", "-INFINITY", "+9"];
    let sets = |order: &[usize]| {
        let one = |index: &usize| match scores[*index] {
            "" => set(&format!("m{index}"), "", ""),
            score => set(&format!("m{index}"), &format!(" score='{score}'"), ""),
        };
        order.iter().map(one).collect::<String>()
    };
    let rest = "<!-- c --><operations/>";
    becomes(
        FROM,
        &format!(
            "<resources><primitive id='a'>{}{rest}</primitive></resources>",
            sets(&[9, 8, 6, 7, 4, 5, 3, 2, 0, 1])
        ),
        &format!(
            "<resources><primitive id='a'>{rest}{}</primitive></resources>",
            sets(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
        ),
    );
    // Equal scores keep their order; all kinds of sets are put in order together.
    becomes(
        FROM,
        "<resources><primitive id='a'><utilization id='u'/><meta_attributes id='m' score='1'/><instance_attributes id='i'/></primitive></resources>",
        "<resources><primitive id='a'><meta_attributes id='m' score='1'/><utilization id='u'/><instance_attributes id='i'/></primitive></resources>",
    );
}

#[test]
fn the_first_set_of_properties_is_first_whatever_its_score() {
    becomes(
        FROM,
        "<crm_config><cluster_property_set id='x' score='INFINITY'/><cluster_property_set id='cib-bootstrap-options' score='-5'/></crm_config>",
        "<crm_config><cluster_property_set id='cib-bootstrap-options' score='-5'/><cluster_property_set id='x' score='INFINITY'/></crm_config>",
    );
}

#[test]
fn properties_are_renamed_redefined_and_dropped() {
    for what in ["finalization-timeout", "integration-timeout"] {
        let of = |name: String| properties(&pair("a", &name, "1s"));
        assert!(becomes(FROM, &of(format!("crmd-{what}")), &of(format!("join-{what}"))).is_empty());
    }
    let delay = |name| properties(&pair("a", name, "1s"));
    becomes(FROM, &delay("crmd-transition-delay"), &delay("transition-delay"));
    let action = |value| properties(&pair("a", "stonith-action", value));
    becomes(FROM, &action("poweroff"), &action("off"));
    stays(&action("reboot"));
    let said = becomes(FROM, &properties(&pair("a", "remove-after-stop", "true")), &properties(""));
    assert_eq!(said, ["WARNING: Dropping nvpair a because the remove-after-stop property is unsupported"]);
    // The same names elsewhere are nobody's business.
    let elsewhere = pair("a", "remove-after-stop", "1") + &pair("b", "stonith-action", "poweroff");
    stays(&format!(
        "<resources><primitive id='r'><instance_attributes id='i'>{elsewhere}</instance_attributes></primitive></resources>"
    ));
}

#[test]
fn pairs_without_value_go() {
    becomes(
        FROM,
        &properties("<nvpair id='a' name='x'/><nvpair id='b' name='y' value=''/>"),
        &properties("<nvpair id='b' name='y' value=''/>"),
    );
}

#[test]
fn the_moon_has_no_phases() {
    let of = |moon: &str| {
        properties(&format!(
            "<rule id='r'><date_expression id='e' operation='date_spec'><date_spec id='d' hours='1'{moon} months='2'/></date_expression></rule>"
        ))
    };
    let said = becomes(FROM, &of(" moon='3'"), &of(""));
    assert_eq!(
        said,
        ["WARNING: Dropping moon attribute from date spec d because moon phase is no longer supported"]
    );
}

#[test]
fn fencing_has_nine_levels() {
    becomes(
        FROM,
        "<fencing-topology><fencing-level id='a' index='9'/><fencing-level id='b' index='10'/></fencing-topology>",
        "<fencing-topology><fencing-level id='a' index='9'/></fencing-topology>",
    );
}

// --- old ways to say things -----------------------------------------------------------------------------------------

#[test]
fn of_pairs_with_one_name_the_one_that_counts_stays() {
    let x = |id: &str, value: &str| pair(id, "x", value);
    let y = pair("y", "y", "1");
    for (before, after) in [
        (x("a", "1") + &y + &x("b", "2"), x("a", "1") + &y),
        // A default makes those before it void, and gives way to any after it.
        (x("a", "1") + &x("b", "#default"), x("b", "#default")),
        (x("a", "#default") + &x("b", "2") + &x("c", "3"), x("b", "2")),
        (x("a", "1") + &x("b", "#default") + &x("c", "3"), x("c", "3")),
        (x("a", "#default") + &x("b", "#default"), x("b", "#default")),
        (x("a", "1") + &x("b", "#default") + &x("c", "2") + &x("d", "#default"), x("d", "#default")),
    ] {
        becomes(FROM, &properties(&before), &properties(&after));
    }
}

#[test]
fn ping_nodes_are_members_that_run_nothing() {
    becomes(
        FROM,
        "<nodes><node id='1' type='ping' uname='gw'/><node id='2' uname='n'/></nodes><constraints/>",
        "<nodes><node id='1' type='member' uname='gw'/><node id='2' uname='n'/></nodes>\
         <constraints><rsc_location id='pcmk__3_10_upgrade-ping-node-ban-gw' rsc-pattern='.*' node='gw' score='-INFINITY' \
         resource-discovery='never'/></constraints>",
    );
}

#[test]
fn promotable_clones_are_clones() {
    let own = set("m", "", &pair("a", "promotable", "false"));
    becomes(
        FROM,
        &format!("<resources><master id='ms'><primitive id='p'/>{own}</master></resources>"),
        &format!(
            "<resources><clone id='ms'>{}<primitive id='p'/>{own}</clone></resources>",
            set(
                "pcmk__3_10_upgrade-promotable-legacy-ms-meta_attributes",
                " score='INFINITY'",
                &pair(
                    "pcmk__3_10_upgrade-promotable-legacy-ms-meta_attributes-promotable",
                    "promotable",
                    "true"
                )
            )
        ),
    );
}

#[test]
fn a_bundle_has_a_maximum_of_promoted_ones() {
    let of = |name| {
        format!("<resources><bundle id='b'><podman image='i' {name}='2' replicas='3'/></bundle></resources>")
    };
    becomes(FROM, &of("masters"), &of("promoted-max"));
}

#[test]
fn a_location_has_one_rule() {
    let rule = |id: &str| {
        format!("<rule id='{id}' score='1'><expression id='{id}e' attribute='a' operation='defined'/></rule>")
    };
    let resources = "<resource_set id='s'><resource_ref id='p'/></resource_set>";
    becomes(
        FROM,
        &format!(
            "<constraints><rsc_location id='l' resource-discovery='never'>{resources}{}{}</rsc_location></constraints>\
             <acls><acl_role id='r'><acl_permission id='q' kind='read' reference='l'/></acl_role></acls>",
            rule("a"),
            rule("b")
        ),
        &format!(
            "<constraints><rsc_location id='pcmk__3_10_upgrade-l-1' resource-discovery='never'>{resources}{}</rsc_location>\
             <rsc_location id='pcmk__3_10_upgrade-l-2' resource-discovery='never'><resource_set id-ref='s'/>{}</rsc_location></constraints>\
             <acls><acl_role id='r'><acl_permission id='q' kind='read' \
             xpath=\"//*[@id = 'pcmk__3_10_upgrade-l-1' or @id = 'pcmk__3_10_upgrade-l-2']\"/></acl_role></acls>",
            rule("a"),
            rule("b")
        ),
    );
}

// --- lifetimes ------------------------------------------------------------------------------------------------------

fn rule(id: &str) -> String {
    format!("<rule id='{id}'><date_expression id='{id}e' operation='gt' start='2030-01-01'/></rule>")
}

#[test]
fn a_locations_lifetime_is_part_of_its_rule() {
    let location = |attributes: &str, inside: &str| {
        format!("<constraints><rsc_location id='l' rsc='p'{attributes}>{inside}</rsc_location></constraints>")
    };
    let and = |inside: &str| {
        format!("<rule id='pcmk__3_10_upgrade-l-lifetime-and-rule' boolean-op='and'>{inside}</rule>")
    };
    // With a rule of its own.
    becomes(
        FROM,
        &location("", &format!("{}<lifetime>{}</lifetime>", rule("a"), rule("b"))),
        &location("", &and(&(rule("a") + &rule("b")))),
    );
    // With a node and a score; any of several rules will do.
    becomes(
        FROM,
        &location(" node='n' score='7'", &format!("<lifetime>{}{}</lifetime>", rule("a"), rule("b"))),
        &location(
            "",
            &and(&format!(
                "<rule id='pcmk__3_10_upgrade-l-node-score-rule' score='7'><expression id='pcmk__3_10_upgrade-l-node-score-rule-expr' \
                 attribute='#uname' operation='eq' value='n'/></rule>\
                 <rule id='pcmk__3_10_upgrade-l-lifetime-or-rule' boolean-op='or'>{}{}</rule>",
                rule("a"),
                rule("b")
            )),
        ),
    );
}

#[test]
fn other_constraints_last_for_ever() {
    for constraint in ["rsc_colocation", "rsc_order"] {
        let said = becomes(
            FROM,
            &format!(
                "<constraints><{constraint} id='c'><lifetime>{}</lifetime></{constraint}></constraints>",
                rule("a")
            ),
            &format!("<constraints><{constraint} id='c'/></constraints>"),
        );
        assert!(
            said[0].starts_with("WARNING: Dropping lifetime element from constraint c because"),
            "{said:?}"
        );
    }
}

#[test]
fn a_rule_that_others_refer_to_lives_on_where_it_does_nothing() {
    becomes(
        FROM,
        &format!(
            "<rsc_defaults>{}</rsc_defaults><constraints><rsc_order id='c'><lifetime>{}</lifetime></rsc_order></constraints>",
            set("m", "", "<rule id-ref='a'/>"),
            rule("a")
        ),
        &format!(
            "<rsc_defaults>{}</rsc_defaults><constraints><rsc_order id='c'/>\
             <rsc_location id='pcmk__3_10_upgrade-coloc-order-lifetime-rules' rsc-pattern='a^'>\
             <rule id='pcmk__3_10_upgrade-coloc-order-lifetime-rules-rule' score='-INFINITY'>{}</rule></rsc_location></constraints>",
            set("m", "", "<rule id-ref='a'/>"),
            rule("a")
        ),
    );
}

// --- what is not supported any more ---------------------------------------------------------------------------------

fn primitive(id: &str, class: &str) -> String {
    format!("<primitive id='{id}' class='{class}' type='x'/>")
}

#[test]
fn resources_of_gone_classes_go_and_so_do_groups_and_clones_of_them() {
    for class in ["nagios", "upstart", "Nagios"] {
        let (gone, other) = (primitive("gone", class), primitive("other", "ocf"));
        let said = becomes(
            FROM,
            &format!(
                "<resources>{other}<group id='g1'>{gone}</group><group id='g2'>{}{}</group><clone id='c'><group id='g3'>{}</group></clone></resources>",
                gone.replace("gone", "gone2"),
                other.replace("other", "other2"),
                gone.replace("gone", "gone3"),
            ),
            &format!(
                "<resources>{other}<group id='g2'>{}</group></resources>",
                other.replace("other", "other2")
            ),
        );
        assert_eq!(
            said,
            [
                "INFO: Dropping group g1 because it would become empty".to_owned(),
                format!("WARNING: Dropping resource gone2 because {class} resources are no longer supported"),
                "INFO: Dropping clone c because it would become empty".to_owned(),
            ]
        );
    }
}

#[test]
fn templates_go_with_all_they_are_templates_of() {
    let said = becomes(
        FROM,
        "<resources><template id='t' class='nagios' type='x'/><primitive id='p' template='t'/></resources>",
        "<resources/>",
    );
    assert_eq!(said[0], "WARNING: Dropping template t because nagios resources are no longer supported");
    assert_eq!(said[1], "WARNING: Dropping resource p because nagios resources are no longer supported");
}

#[test]
fn bundles_of_a_gone_technology_go() {
    let said = becomes(
        FROM,
        "<resources><bundle id='b'><rkt image='i'/></bundle><bundle id='d'><docker image='i'/></bundle></resources>",
        "<resources><bundle id='d'><docker image='i'/></bundle></resources>",
    );
    assert_eq!(said, ["WARNING: Dropping bundle resource b because rkt containers are no longer supported"]);
}

#[test]
fn constraints_go_with_their_last_resource() {
    let resources = format!("{}{}", primitive("a", "upstart"), primitive("b", "ocf"));
    let left = format!("<resources>{}</resources>", primitive("b", "ocf"));
    let refs = |ids: &[&str]| ids.iter().map(|id| format!("<resource_ref id='{id}'/>")).collect::<String>();
    let sets = |sets: &[&[&str]]| {
        let one = |(number, ids): (usize, &&[&str])| {
            format!("<resource_set id='s{number}'>{}</resource_set>", refs(ids))
        };
        sets.iter().enumerate().map(one).collect::<String>()
    };
    for (before, after) in [
        ("<rsc_location id='c' rsc='a'/>".to_owned(), String::new()),
        ("<rsc_ticket id='c' rsc='a'/>".to_owned(), String::new()),
        ("<rsc_colocation id='c' rsc='b' with-rsc='a'/>".to_owned(), String::new()),
        ("<rsc_colocation id='c' rsc='a' with-rsc='b'/>".to_owned(), String::new()),
        ("<rsc_order id='c' first='a' then='b'/>".to_owned(), String::new()),
        ("<rsc_order id='c' first='b' then='a'/>".to_owned(), String::new()),
        (format!("<rsc_order id='c'>{}</rsc_order>", sets(&[&["a"], &["a"]])), String::new()),
        (
            format!("<rsc_order id='c'>{}</rsc_order>", sets(&[&["a", "b"], &["a"]])),
            format!("<rsc_order id='c'>{}</rsc_order>", sets(&[&["b"]])),
        ),
        ("<rsc_location id='c' rsc='b'/>".to_owned(), "<rsc_location id='c' rsc='b'/>".to_owned()),
    ] {
        becomes(
            FROM,
            &format!("<resources>{resources}</resources><constraints>{before}</constraints>"),
            &format!("{left}<constraints>{after}</constraints>"),
        );
    }
}

#[test]
fn meta_attributes_that_nobody_heeds_go() {
    let restart = pair("a", "restart-type", "restart");
    for parent in ["template", "primitive", "bundle"] {
        let of = |inside: &str| {
            format!("<resources><{parent} id='r' class='ocf'>{}</{parent}></resources>", set("m", "", inside))
        };
        let said = becomes(FROM, &of(&restart), &of(""));
        assert!(
            said[0].ends_with("Consider setting the \"kind\" attribute for relevant constraints"),
            "{said:?}"
        );
    }
    for name in ["can_fail", "role_after_failure"] {
        let of = |inside: &str| {
            format!(
                "<op_defaults>{}</op_defaults><resources><primitive id='r' class='ocf'><operations><op id='o'>{}</op></operations></primitive></resources>",
                set("m", "", inside),
                set("n", "", inside.replace("'a'", "'b'").as_str())
            )
        };
        let said = becomes(FROM, &of(&pair("a", name, "1")), &of(""));
        assert_eq!(said.len(), 2, "{said:?}");
    }
    stays(&format!(
        "<resources><primitive id='r' class='ocf'>{}</primitive></resources>",
        set("m", "", &pair("a", "can_fail", "1"))
    ));
}

// --- references -----------------------------------------------------------------------------------------------------

#[test]
fn references_stay_references_and_change_with_what_they_name() {
    let of = |name: &str| {
        format!(
            "<crm_config><cluster_property_set id='p'>{}</cluster_property_set><cluster_property_set id-ref='p'/></crm_config>",
            pair("a", name, "1s")
        )
    };
    becomes(FROM, &of("crmd-transition-delay"), &of("transition-delay"));
}

#[test]
fn the_first_reference_to_what_is_gone_takes_its_place() {
    let inside = pair("a", "x", "1");
    becomes(
        FROM,
        &format!(
            "<resources><primitive id='gone' class='nagios'>{}</primitive><primitive id='p' class='ocf'><meta_attributes id-ref='m'/></primitive>\
             <primitive id='q' class='ocf'><meta_attributes id-ref='m'/></primitive></resources>",
            set("m", "", &inside)
        ),
        &format!(
            "<resources><primitive id='p' class='ocf'>{}</primitive><primitive id='q' class='ocf'><meta_attributes id-ref='m'/></primitive></resources>",
            set("m", "", &inside)
        ),
    );
}

#[test]
fn a_reference_to_a_pair_under_another_name_is_a_pair() {
    becomes(
        FROM,
        &properties(&(pair("a", "x", "1") + "<nvpair id-ref='a' name='y'/><nvpair id-ref='a'/>")),
        &properties(&(pair("a", "x", "1") + &pair("pcmk__3_10_upgrade-a-y", "y", "1"))),
    );
}

#[test]
fn references_to_nothing_vanish_and_circles_are_refused() {
    becomes(
        FROM,
        "<resources><primitive id='p' class='ocf'><meta_attributes id-ref='nowhere'/></primitive></resources>",
        "<resources><primitive id='p' class='ocf'/></resources>",
    );
    let circle = "<resources><primitive id='p' class='ocf'><meta_attributes id='m'><rule id='r'><rule id-ref='r'/></rule></meta_attributes></primitive></resources>";
    assert_eq!(try_steps(3, 10, circle).unwrap_err(), StepError::TooDeep);
    // Twice as many with every level: a few hundred bytes that would be more than all memory.
    let doubling: String = (0..40)
        .map(|level| {
            let below = level + 1;
            format!("<rule id='r{level}'><rule id-ref='r{below}'/><rule id-ref='r{below}'/></rule>")
        })
        .collect();
    let bomb = format!("<rsc_defaults>{}</rsc_defaults>", set("m", "", &(doubling + "<rule id='r40'/>")));
    assert_eq!(try_steps(3, 10, &bomb).unwrap_err(), StepError::TooManyCopies);
}

#[test]
fn permissions_about_what_is_gone_are_about_nothing() {
    let acls = |what: &str| {
        format!("<acls><acl_role id='r'><acl_permission id='q' kind='read' {what}/></acl_role></acls>")
    };
    becomes(
        FROM,
        &format!("<resources>{}</resources>{}", primitive("gone", "nagios"), acls("reference='gone'")),
        &format!("<resources/>{}", acls("xpath='/*[false()]'")),
    );
    // Of permissions by XPath it is said that they may fit other elements now.
    let said = becomes(
        FROM,
        &(properties(&pair("a", "crmd-transition-delay", "1")) + &acls("xpath='//nvpair'")),
        &(properties(&pair("a", "transition-delay", "1")) + &acls("xpath='//nvpair'")),
    );
    assert!(said[0].starts_with("WARNING: CIB syntax changes may invalidate ACLs"), "{said:?}");
    stays(&acls("xpath='//nvpair'"));
}

#[test]
fn ids_may_come_twice_in_the_status() {
    let status = "<tags/>";
    stays(status);
    let cib = xml::parse(
        "<cib><configuration/><status><node_state id='1'><lrm id='1'/></node_state><node_state id='2'><lrm id='1'/></node_state></status></cib>",
    )
    .unwrap();
    let mut new = cib.clone();
    for step in crate::upgrade::steps(crate::schema::SchemaVersion::new(3, 10).unwrap()) {
        new = step.run(&new, &mut Vec::new()).unwrap();
    }
    assert!(
        new.child("status").unwrap().ptr_eq(cib.child("status").unwrap()),
        "shared, as nothing changed there"
    );
}
