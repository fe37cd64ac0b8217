// SPDX-License-Identifier: GPL-2.0-or-later
//! Which versions an upgrade goes through, and where it ends.

use super::*;

fn version(name: &str) -> SchemaVersion {
    name.parse().unwrap()
}

/// A CIB with this in its configuration, in the order of sections.
fn cib(claim: &str, resources: &str, more: &str) -> Element {
    let text = format!(
        "<cib validate-with='{claim}' admin_epoch='0' epoch='1' num_updates='0'><configuration><crm_config/><nodes/>\
         <resources>{resources}</resources><constraints/>{more}</configuration><status/></cib>"
    );
    xml::parse(&text).unwrap()
}

fn old_resource() -> &'static str {
    "<primitive id='a' class='ocf' provider='p' type='x'><operations>\
     <op id='s' name='start' interval='0' requires='fencing'/></operations></primitive>"
}

fn told(upgraded: &Upgraded) -> Vec<String> {
    upgraded.events.iter().map(ToString::to_string).collect()
}

#[test]
fn what_follows_the_newest_is_only_said_to() {
    let old = cib("pacemaker-1.2", "", "");
    let new = upgrade(&old, None, Profile::V3_0);
    assert_eq!(
        (new.from, new.to, new.trouble.clone()),
        (Some(version("pacemaker-1.2")), Some(version("pacemaker-4.0")), None)
    );
    assert_eq!(new.cib.attr("validate-with"), Some("pacemaker-4.0"));
    assert!(new.cib.child("configuration").unwrap().ptr_eq(old.child("configuration").unwrap()));
    let told = told(&new);
    assert_eq!(told[0], "Schema pacemaker-1.2 validates");
    assert_eq!(told.len(), 26, "one version after the other, and the end: {told:?}");
    assert_eq!(told[25], "Transformed the configuration schema to pacemaker-4.0");
}

#[test]
fn what_does_not_follow_the_next_series_is_transformed() {
    let new = upgrade(&cib("pacemaker-2.9", old_resource(), ""), None, Profile::V3_0);
    assert_eq!(new.to, Some(version("pacemaker-4.0")));
    assert!(new.cib.descendants().any(|element| element.id() == Some("_2TO3_s-meta-requires")));
    let told = told(&new);
    let expected = [
        "Schema pacemaker-2.10 validates",
        "Upgrading schema from pacemaker-2.10 to pacemaker-3.0: applying XSL transform upgrade-2.10-0.xsl",
        "Upgrading schema from pacemaker-2.10 to pacemaker-3.0: applying XSL transform upgrade-2.10-1.xsl",
    ];
    assert_eq!(told[1..4], expected);
    assert!(
        told.contains(&"Schema upgrade from pacemaker-2.10 to pacemaker-3.0 succeeded".to_owned()),
        "{told:?}"
    );
}

#[test]
fn it_goes_no_further_than_is_wanted_or_known() {
    let old = cib("pacemaker-2.3", "", "");
    let to = |wanted, profile| upgrade(&old, wanted, profile).to.unwrap().to_string();
    assert_eq!(to(Some(version("pacemaker-2.7")), Profile::V3_0), "pacemaker-2.7");
    assert_eq!(to(None, Profile::V2_1), "pacemaker-3.9");
    assert_eq!(to(Some(version("pacemaker-4.0")), Profile::V2_1), "pacemaker-3.9");
    assert_eq!(to(Some(version("pacemaker-1.0")), Profile::V3_0), "pacemaker-4.0");
    // What is as new as is wanted stays.
    let same = upgrade(&old, Some(version("pacemaker-2.3")), Profile::V3_0);
    assert!(!same.advanced() && same.events.is_empty() && same.cib.ptr_eq(&old));
}

#[test]
fn a_claim_that_is_too_low_is_no_hindrance() {
    // There were no tags before 1.3.
    let new = upgrade(&cib("pacemaker-1.2", "", "<tags/>"), None, Profile::V3_0);
    assert_eq!((new.to, new.trouble.clone()), (Some(version("pacemaker-4.0")), None));
    assert_eq!(told(&new)[..2], ["Schema pacemaker-1.2 does not validate", "Schema pacemaker-1.3 validates"]);
}

#[test]
fn what_follows_nothing_stays_and_says_why() {
    let zoo = cib("pacemaker-3.5", "<zoo/>", "");
    let new = upgrade(&zoo, None, Profile::V3_0);
    assert!(!new.advanced() && new.cib.ptr_eq(&zoo));
    assert!(matches!(new.trouble, Some(Trouble::FollowsNone { .. })));
    assert_eq!(
        upgrade(&cib("pacemaker-1.1", "", ""), None, Profile::V3_0)
            .trouble
            .map(|trouble| matches!(trouble, Trouble::Unknown(_))),
        Some(true)
    );
    let mut silent = cib("", "", "");
    silent.remove_attr("validate-with");
    assert_eq!(upgrade(&silent, None, Profile::V3_0).trouble, Some(Trouble::NoClaim));
    let unchecked = upgrade(&cib("none", "<zoo/>", ""), None, Profile::V3_0);
    assert_eq!((unchecked.advanced(), unchecked.trouble), (false, None));
}

#[test]
fn a_transform_that_comes_to_nothing_valid_ends_it_there() {
    let old = cib("pacemaker-3.10", "", "");
    let limit = version("pacemaker-4.0");
    let new = upgrade_if(&old, limit, |_, version| version < limit);
    assert_eq!((new.to, &new.trouble), (new.from, &Some(Trouble::Transform(version("pacemaker-3.10")))));
    assert!(told(&new).iter().any(|text| text.contains("produced an invalid configuration")));
    assert_eq!(new.cib, old);
    // From an older version it comes as far as it can.
    let new = upgrade_if(&cib("pacemaker-3.8", "", ""), limit, |_, version| version < limit);
    assert_eq!((new.to, new.trouble.is_some()), (Some(version("pacemaker-3.10")), true));
    assert_eq!(new.cib.attr("validate-with"), Some("pacemaker-3.10"));
}

#[test]
fn a_step_that_cannot_be_done_ends_it_there() {
    let mut deep = Element::new("rule");
    for _ in 0..1000 {
        deep = Element::new("rule").with_child(deep);
    }
    let mut old = cib("pacemaker-3.10", "", "");
    old.child_mut("configuration").unwrap().push(deep);
    let new = upgrade_if(&old, version("pacemaker-4.0"), |_, version| version.major() == 3);
    assert!(
        new.events.iter().any(|event| matches!(event, Event::StepFailed { error: StepError::TooDeep, .. }))
    );
    assert!(new.trouble.is_some());
}

#[test]
fn programs_get_the_newest_series_or_nothing() {
    let from = |claim: &str, resources: &str| acceptable(&cib(claim, resources, ""), Profile::V3_0);
    let old = from("pacemaker-2.4", old_resource()).unwrap();
    assert_eq!(old.upgraded, Some((version("pacemaker-2.4"), version("pacemaker-4.0"))));
    // What is new enough is taken at its word; what asks not to be looked at, too.
    let new = from("pacemaker-4.0", "<zoo/>").unwrap();
    assert_eq!((new.upgraded, new.unchecked), (None, false));
    assert!(from("none", "<zoo/>").unwrap().unchecked);
    assert_eq!(
        from("pacemaker-2.4", "<zoo/>").unwrap_err().to_string(),
        "Cannot upgrade configuration (claiming pacemaker-2.4 schema) to at least pacemaker-4.0 because it does not \
         validate with any schema from pacemaker-2.4 to the latest"
    );
    assert_eq!(from("pacemaker-9.9", "").unwrap_err().claimed, None);
    // The older software is content with the third series.
    assert_eq!(acceptable(&cib("pacemaker-3.0", "", ""), Profile::V2_1).unwrap().upgraded, None);
}

#[test]
fn programs_do_not_get_what_is_stuck_on_the_way() {
    let stuck = Unacceptable {
        why: Trouble::FollowsNone { from: version("pacemaker-2.0"), to: version("pacemaker-4.0") },
        claimed: Some(version("pacemaker-2.0")),
        reached: Some(version("pacemaker-2.5")),
        needed: version("pacemaker-4.0"),
        events: Vec::new(),
    };
    assert!(stuck.to_string().ends_with("because it would not upgrade past pacemaker-2.5"));
}
