// SPDX-License-Identifier: GPL-2.0-or-later
//! Operations on a CIB, as a client asks for them: what comes out, with which version, and what is refused.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use cib::{CallOptions, Context, Operation, Origin, Outcome, Refusal, Request, Version, perform, query};
use model::{LegacyRc, Profile};
use proptest::prelude::*;
use xml::{Element, Escaping, digest_v2};

fn parse(text: &str) -> Element {
    xml::parse(text).unwrap()
}

fn context() -> Context {
    Context {
        profile: Profile::V3_0,
        feature_set: Some(Profile::V3_0.feature_set()),
        last_written: "Sun Nov 22 04:39:53 2026".to_owned(),
        ..Context::default()
    }
}

/// A CIB with a node, a resource and a status, at 1.5.3.
fn cib() -> Element {
    parse(
        "<cib crm_feature_set='3.19.0' validate-with='pacemaker-3.9' admin_epoch='1' epoch='5' num_updates='3'>\
         <configuration><crm_config><cluster_property_set id='o'><nvpair id='o-a' name='a' value='5'/></cluster_property_set>\
         </crm_config><nodes><node id='1' uname='n1'/></nodes><resources><primitive id='p' class='ocf' provider='x' type='Dummy'/>\
         </resources><constraints/></configuration><status><node_state id='1' uname='n1' crmd='offline'/></status></cib>",
    )
}

fn run(request: &Request) -> Result<Outcome, Refusal> {
    perform(&cib(), request, &context())
}

fn version(outcome: &Outcome) -> String {
    Version::of(&outcome.cib).to_string()
}

fn request(operation: Operation, section: &str, input: &str) -> Request {
    Request::new(operation).section(section).input(parse(input))
}

#[test]
fn status_raises_num_updates_only() {
    let outcome = run(&request(
        Operation::Modify,
        "status",
        "<status><node_state id='1' crmd='online'/><node_state id='2' uname='n2'/></status>",
    ))
    .unwrap();
    assert_eq!(version(&outcome), "1.5.4");
    assert!(!outcome.configuration_changed && !outcome.must_be_written);
    assert_eq!(
        outcome.cib.child("status").unwrap().to_string(),
        r#"<status><node_state id="1" uname="n1" crmd="online"/><node_state id="2" uname="n2"/></status>"#
    );
    assert!(outcome.cib.attr("cib-last-written").is_none());
    let applied = cib::patch::apply(&cib(), &outcome.patch.unwrap(), xml::Escaping::Modern).unwrap();
    assert_eq!(applied.cib, outcome.cib);
}

#[test]
fn configuration_raises_epoch_and_says_who() {
    let mut request = request(Operation::Modify, "nodes", "<node id='1' uname='n1' type='member'/>");
    request.origin =
        Origin { node: Some("n1".into()), client: Some("cibadmin".into()), user: Some("root".into()) };
    let outcome = run(&request).unwrap();
    assert_eq!(version(&outcome), "1.6.0");
    assert!(outcome.configuration_changed && outcome.must_be_written);
    for (name, value) in [
        ("cib-last-written", "Sun Nov 22 04:39:53 2026"),
        ("update-origin", "n1"),
        ("update-client", "cibadmin"),
        ("update-user", "root"),
    ] {
        assert_eq!(outcome.cib.attr(name), Some(value));
    }
    // The patch speaks of the change, not of who made it.
    assert!(!outcome.patch.unwrap().to_string().contains("update-origin"));
}

#[test]
fn what_changes_nothing_raises_nothing() {
    let outcome = run(&request(Operation::Modify, "nodes", "<node id='1' uname='n1'/>")).unwrap();
    assert!(outcome.patch.is_none() && outcome.cib.ptr_eq(&outcome.cib) && version(&outcome) == "1.5.3");
    let outcome = run(&request(Operation::Delete, "nodes", "<node id='7'/>")).unwrap();
    assert!(outcome.patch.is_none() && version(&outcome) == "1.5.3");
}

#[test]
fn modify_needs_a_match_unless_it_may_create() {
    let missing = request(Operation::Modify, "nodes", "<node id='2' uname='n2'/>");
    let refusal = run(&missing).unwrap_err();
    assert_eq!(refusal.rc(), LegacyRc::ENXIO);
    assert_eq!(refusal.to_string(), r#"cib_modify: nothing in the CIB matches <node id="2">"#);
    let outcome = run(&missing.with(CallOptions::CAN_CREATE)).unwrap();
    assert!(outcome.cib.descendants().any(|e| e.attr("uname") == Some("n2")));
    // A section that is not there is made.
    let tags = request(Operation::Modify, "tags", "<tags><tag id='t'><obj_ref id='p'/></tag></tags>");
    let outcome = run(&tags).unwrap();
    assert!(outcome.cib.descend(&["configuration", "tags", "tag"]).is_some());
    let refusal = run(&request(Operation::Modify, "zoo", "<zoo/>")).unwrap_err();
    assert_eq!(
        (refusal.rc(), refusal.to_string()),
        (LegacyRc::EINVAL, "'zoo' is not a section of the CIB".into())
    );
}

#[test]
fn scores_count_when_asked() {
    let literal = request(Operation::Modify, "crm_config", "<nvpair id='o-a' value='value++'/>");
    let value = |outcome: Outcome| {
        outcome
            .cib
            .descendants()
            .find_map(|e| (e.id() == Some("o-a")).then(|| e.attr("value").unwrap().to_owned()))
    };
    assert_eq!(value(run(&literal).unwrap()).as_deref(), Some("value++"));
    assert_eq!(value(run(&literal.clone().with(CallOptions::SCORE_UPDATE)).unwrap()).as_deref(), Some("6"));
    let old = Context { profile: Profile::V2_1, ..context() };
    let old = Context { feature_set: None, ..old };
    assert_eq!(value(perform(&cib(), &literal, &old).unwrap()).as_deref(), Some("6"));
}

#[test]
fn create_refuses_what_exists() {
    let outcome = run(&request(Operation::Create, "nodes", "<node id='2' uname='n2' replace='x'/>")).unwrap();
    assert_eq!(
        outcome.cib.descend(&["configuration", "nodes"]).unwrap().to_string(),
        r#"<nodes><node id="1" uname="n1"/><node id="2" uname="n2"/></nodes>"#
    );
    let refusal =
        run(&request(Operation::Create, "nodes", "<nodes><node id='2' uname='n2'/><node id='1'/></nodes>"))
            .unwrap_err();
    assert_eq!(refusal.rc(), LegacyRc::EEXIST);
    assert_eq!(refusal.to_string(), r#"<node id="1"> already exists in <nodes>"#);
    assert_eq!(
        refusal.output().unwrap().to_string(),
        r#"<failed><failed_update id="1" object-type="node" operation="cib_create" reason="File exists"><node id="1"/></failed_update></failed>"#
    );
}

#[test]
fn delete_takes_the_first_that_has_all_attributes() {
    let outcome = run(&request(Operation::Delete, "resources", "<primitive id='P' class='OCF'/>")).unwrap();
    assert!(outcome.cib.descend(&["configuration", "resources", "primitive"]).is_none());
    assert_eq!(version(&outcome), "1.6.0");
    let outcome =
        run(&request(Operation::Delete, "status", "<status><node_state id='1'/></status>")).unwrap();
    assert_eq!(
        (version(&outcome).as_str(), outcome.cib.child("status").unwrap().to_string()),
        ("1.5.4", "<status/>".into())
    );
}

#[test]
fn xpath_finds_what_to_change() {
    let outcome = run(&Request::new(Operation::Delete).xpath("//node_state[@uname='n1']")).unwrap();
    assert_eq!(version(&outcome), "1.5.4");
    let outcome = run(&Request::new(Operation::Delete).xpath("//node_state[@uname='n9']")).unwrap();
    assert!(outcome.patch.is_none());
    let modify = Request::new(Operation::Modify)
        .xpath("//nvpair[@name='a']")
        .input(parse("<nvpair id='o-a' value='7'/>"));
    assert!(run(&modify).unwrap().cib.to_string().contains(r#"value="7""#));
    assert_eq!(run(&Request::new(Operation::Delete).xpath("/cib")).unwrap_err().rc(), LegacyRc::EINVAL);
    let bad = run(&Request::new(Operation::Delete).xpath("//node[")).unwrap_err();
    assert_eq!(bad.rc(), LegacyRc::ENXIO);
    assert!(bad.to_string().contains("at character 8"), "{bad}");
    // A parent and its child, in whatever order they are found.
    let many = Request::new(Operation::Delete)
        .xpath("//nvpair | //cluster_property_set")
        .with(CallOptions::MULTIPLE);
    let outcome = run(&many).unwrap();
    assert_eq!(outcome.cib.descend(&["configuration", "crm_config"]).unwrap().to_string(), "<crm_config/>");
}

#[test]
fn replace_puts_the_input_in_place() {
    let outcome = run(&request(
        Operation::Replace,
        "resources",
        "<resources><primitive id='q' class='ocf' provider='x' type='x'/></resources>",
    ))
    .unwrap();
    assert_eq!(version(&outcome), "1.6.0");
    assert!(
        outcome
            .cib
            .descend(&["configuration", "resources"])
            .unwrap()
            .child_with_id("primitive", "q")
            .is_some()
    );
    // Equal parts of the configuration count as changed; the whole does not.
    let same =
        run(&request(Operation::Replace, "nodes", "<nodes><node id='1' uname='n1'/></nodes>")).unwrap();
    assert_eq!(version(&same), "1.6.0");
    let whole = run(&Request::new(Operation::Replace).input(cib())).unwrap();
    assert_eq!((version(&whole).as_str(), whole.must_be_written), ("1.5.4", true));
    assert_eq!(
        run(&request(Operation::Replace, "resources", "<primitive id='q'/>")).unwrap_err().rc(),
        LegacyRc::ENXIO
    );
}

#[test]
fn a_copy_of_another_node_keeps_its_version_and_must_not_be_older() {
    let mut copy = Request::new(Operation::Replace).input(cib().with_attr("num_updates", 9));
    copy.keeps_version = true;
    copy.digest = Some(xml::digest_v2(copy.input.as_ref().unwrap(), xml::Escaping::Modern));
    assert_eq!(version(&run(&copy).unwrap()), "1.5.9");
    copy.digest = Some("0".into());
    assert!(matches!(run(&copy).unwrap_err(), Refusal::Digest { .. }));
    copy.digest = None;
    copy.input = Some(cib().with_attr("num_updates", 2));
    let refusal = run(&copy).unwrap_err();
    assert_eq!(
        (refusal.rc(), refusal.to_string()),
        (LegacyRc::OLD_DATA, "version 1.5.2 is older than ours, 1.5.3".into())
    );
}

#[test]
fn a_fresh_cib_never_wins() {
    let mut copy = Request::new(Operation::Replace).input(cib::empty(Profile::V3_0));
    copy.keeps_version = true;
    assert_eq!(run(&copy).unwrap_err().rc(), LegacyRc::OLD_DATA);
    let fresh = cib::empty(Profile::V3_0);
    copy.input = Some(cib());
    assert_eq!(version(&perform(&fresh, &copy, &context()).unwrap()), "1.5.3");
}

#[test]
fn erase_bump_and_upgrade() {
    let erased = run(&Request::new(Operation::Erase)).unwrap();
    assert_eq!(version(&erased), "2.6.0");
    assert_eq!(erased.cib.attr("validate-with"), Some("pacemaker-3.9"));
    assert!(erased.cib.child("status").is_some_and(|status| status.children().is_empty()));
    let bumped = run(&Request::new(Operation::Bump)).unwrap();
    assert_eq!(version(&bumped), "1.6.4");
    assert!(bumped.must_be_written);
    let upgraded = run(&Request::new(Operation::Upgrade)).unwrap();
    assert_eq!(upgraded.cib.attr("validate-with"), Some("pacemaker-4.0"));
    assert!(!upgraded.events.is_empty());
    // As far as all agreed to go; what is there already is no refusal, only nothing new.
    let mut agreed = Request::new(Operation::Upgrade);
    agreed.schema_max = Some("pacemaker-3.10".into());
    let upgraded = run(&agreed).unwrap();
    assert_eq!((version(&upgraded), upgraded.configuration_changed), ("2.1.2".into(), false));
    let again = perform(&upgraded.cib, &agreed, &context()).unwrap();
    assert!(again.patch.is_none() && again.cib == upgraded.cib);
}

#[test]
fn an_upgrade_that_transforms_changes_the_configuration() {
    let mut old = cib().with_attr("validate-with", "pacemaker-2.10");
    old.child_mut("configuration").unwrap().child_mut("resources").unwrap().push(
        xml::parse(
            "<primitive id='z' class='ocf' provider='p' type='x'><operations>\
             <op id='z-start' name='start' interval='0' requires='fencing'/></operations></primitive>",
        )
        .unwrap(),
    );
    let upgraded = perform(&old, &Request::new(Operation::Upgrade), &context()).unwrap();
    assert_eq!((version(&upgraded), upgraded.configuration_changed), ("2.2.0".into(), true));
    let patch = upgraded.patch.unwrap();
    let applied = cib::patch::apply(&old, &patch, xml::Escaping::Modern).unwrap().cib;
    let digest = |cib| xml::digest_v2(cib, xml::Escaping::Modern);
    assert_eq!(digest(&applied), digest(&upgraded.cib));
}

#[test]
fn a_cib_of_no_or_unknown_schema_is_not_upgraded() {
    let mut none = cib();
    none.remove_attr("validate-with");
    let refusal = perform(&none, &Request::new(Operation::Upgrade), &context()).unwrap_err();
    assert_eq!(refusal.rc(), LegacyRc::CIB_CORRUPT);
    let mut zoo = cib();
    zoo.child_mut("configuration").unwrap().push(xml::Element::new("zoo"));
    let refusal = perform(&zoo, &Request::new(Operation::Upgrade), &context()).unwrap_err();
    assert_eq!(refusal.rc(), LegacyRc::SCHEMA_VALIDATION);
}

#[test]
fn invalid_outcomes_are_refused_with_their_reason() {
    let dangling =
        request(Operation::Create, "constraints", "<rsc_location id='l' rsc='ghost' node='n1' score='1'/>");
    let refusal = run(&dangling).unwrap_err();
    assert_eq!(refusal.rc(), LegacyRc::SCHEMA_VALIDATION);
    assert!(
        refusal.to_string().contains(r#"<rsc_location id="l">: rsc="ghost" refers to nothing"#),
        "{refusal}"
    );
    assert_eq!(refusal.output().unwrap().name(), "cib");
    let newer = run(&request(Operation::Modify, "cib", "<cib crm_feature_set='9.0.0'/>")).unwrap_err();
    assert_eq!(newer.rc(), LegacyRc::EPROTONOSUPPORT);
    let older = run(&request(Operation::Modify, "cib", "<cib epoch='1'/>")).unwrap_err();
    assert_eq!(older.rc(), LegacyRc::OLD_DATA);
    assert_eq!(run(&Request::new(Operation::Modify)).unwrap_err().rc(), LegacyRc::EINVAL);
}

#[test]
fn a_transaction_is_done_whole_or_not_at_all() {
    let good = "<cib_transaction>\
        <cib_command cib_op='cib_modify' cib_section='status' cib_callopt='1032'><cib_calldata><node_state id='2' uname='n2'/></cib_calldata></cib_command>\
        <cib_command cib_op='cib_delete' cib_section=\"//node_state[@id='1']\" cib_callopt='1026'/></cib_transaction>";
    let outcome = run(&Request::new(Operation::CommitTransaction).input(parse(good))).unwrap();
    assert_eq!(
        outcome.cib.child("status").unwrap().to_string(),
        r#"<status><node_state id="2" uname="n2"/></status>"#
    );
    // Each of them raises the version, and so does the whole.
    assert_eq!(version(&outcome), "1.5.6");
    let commit =
        |text: &str| run(&Request::new(Operation::CommitTransaction).input(parse(text))).unwrap_err();
    let half = good.replace("cib_delete", "cib_paint");
    assert!(matches!(commit(&half), Refusal::UnknownOperation(_)));
    assert_eq!(commit(&good.replace("cib_delete", "cib_query")).rc(), LegacyRc::EOPNOTSUPP);
    assert_eq!(commit(&good.replacen("cib_op", "cib_host='n1' cib_op", 1)).rc(), LegacyRc::EOPNOTSUPP);
    assert!(matches!(commit("<status/>"), Refusal::NoTransaction));
}

#[test]
fn queries_read_sections_and_paths() {
    let read = |request: Request| query(&cib(), &request, &context()).map(|element| element.to_string());
    let all = Request::new(Operation::Query);
    assert_eq!(read(all.clone()).unwrap(), cib().to_string());
    assert_eq!(read(all.clone().section("nodes")).unwrap(), r#"<nodes><node id="1" uname="n1"/></nodes>"#);
    assert!(
        read(all.clone().section("ALL").with(CallOptions::NO_CHILDREN))
            .unwrap()
            .starts_with("<cib crm_feature_set")
    );
    assert_eq!(read(all.clone().section("zoo")).unwrap_err().rc(), LegacyRc::ENXIO);
    assert_eq!(read(all.clone().section("alerts")).unwrap_err().rc(), LegacyRc::ENXIO);
    assert_eq!(read(all.clone().xpath("//node")).unwrap(), r#"<node id="1" uname="n1"/>"#);
    assert_eq!(
        read(all.clone().xpath("//node|//node_state").with(CallOptions::XPATH_ADDRESS)).unwrap(),
        r#"<xpath-query><xpath-query-path id="/cib/configuration/nodes/node[@id='1']"/><xpath-query-path id="/cib/status/node_state[@id='1']"/></xpath-query>"#
    );
    assert_eq!(read(all.xpath("//ghost")).unwrap_err().rc(), LegacyRc::ENXIO);
}

/// Something that looks a little like what the CIB holds.
fn input() -> impl Strategy<Value = Element> {
    let names =
        ["cib", "configuration", "nodes", "node", "status", "node_state", "nvpair", "lrm", "primitive"];
    let element = move |(name, id, x, children): (&'static str, Option<u8>, Option<u8>, Vec<Element>)| {
        let mut element = Element::new(name);
        element.set_attr_opt("id", id);
        element.set_attr_opt("uname", x.map(|x| format!("n{x}")));
        element.with_children(children)
    };
    let parts =
        move || (prop::sample::select(names.to_vec()), prop::option::of(0..3u8), prop::option::of(0..3u8));
    let leaf = parts().prop_map(move |(name, id, x)| element((name, id, x, Vec::new())));
    leaf.prop_recursive(3, 12, 4, move |inner| {
        (parts(), prop::collection::vec(inner, 0..4))
            .prop_map(move |((name, id, x), children)| element((name, id, x, children)))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is asked for is refused, or done so that who has only the patch comes to the same CIB.
    #[test]
    fn any_request_is_refused_or_can_be_followed(requests in prop::collection::vec((
        prop::sample::select(vec![Operation::Create, Operation::Modify, Operation::Delete, Operation::Replace, Operation::Erase, Operation::Bump]),
        prop::option::of(prop::sample::select(vec!["status", "nodes", "configuration", "resources", "all", "//node_state", "//*[@id='1']", "//nvpair/@value"])),
        prop::bool::ANY,
        input(),
    ), 1..6)) {
        let mut now = cib().with_attr("validate-with", "none");
        for (operation, section, can_create, input) in requests {
            let mut request = Request::new(operation).input(input);
            if let Some(section) = section {
                request = if section.starts_with('/') { request.xpath(section) } else { request.section(section) };
            }
            if can_create {
                request = request.with(CallOptions::CAN_CREATE | CallOptions::MULTIPLE);
            }
            let Ok(outcome) = perform(&now, &request, &context()) else { continue };
            if let Some(patch) = &outcome.patch {
                let followed = cib::patch::apply(&now, patch, Escaping::Modern).unwrap().cib;
                prop_assert_eq!(digest_v2(&followed, Escaping::Modern), digest_v2(&outcome.cib, Escaping::Modern), "{}", patch);
            } else {
                prop_assert_eq!(&outcome.cib, &now);
            }
            now = outcome.cib;
        }
    }
}

#[test]
fn what_only_moves_has_moved_without_a_new_version() {
    let patch =
        "<diff format='2'><change operation='move' path='/cib/configuration/resources' position='0'/></diff>";
    let outcome =
        perform(&cib(), &Request::new(Operation::ApplyPatch).input(parse(patch)), &context()).unwrap();
    assert_eq!(outcome.cib.child("configuration").unwrap().first_element().unwrap().name(), "resources");
    assert_eq!((outcome.patch, cib::Version::of(&outcome.cib)), (None, cib::Version::of(&cib())));
}
