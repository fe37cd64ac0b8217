// SPDX-License-Identifier: GPL-2.0-or-later
//! What users see and may do, by examples: every operation, as users with different roles.

use super::{Facts, Groups, Note, NoteKind, group_names};
use crate::{CallOptions, Context, Operation, Refusal, Request, patch, perform, query};
use model::LegacyRc;
use std::sync::Arc;
use xml::Element;

const ACLS: &str = r#"<acls>
    <acl_role id="observer"><acl_permission id="o1" kind="read" xpath="/cib"/>
        <acl_permission id="o2" kind="write" xpath="//nvpair[@name='target-role']"/></acl_role>
    <acl_role id="operator"><acl_permission id="p1" kind="write" xpath="/cib/configuration/resources"/>
        <acl_permission id="p2" kind="deny" reference="secret"/></acl_role>
    <acl_role id="statist"><acl_permission id="s1" kind="write" object-type="status"/>
        <acl_permission id="s2" kind="read" object-type="nvpair" attribute="value"/></acl_role>
    <acl_role id="counter"><acl_permission id="c1" kind="write" xpath="//primitive[position()=1]"/></acl_role>
    <acl_role id="master"><acl_permission id="m1" kind="write" xpath="/cib"/></acl_role>
    <acl_target id="olaf"><role id="observer"/></acl_target>
    <acl_target id="u1" name="petra"><role id="operator"/><role id="nothing"/></acl_target>
    <acl_target id="stan"><role id="statist"/></acl_target>
    <acl_target id="carl"><role id="counter"/></acl_target>
    <acl_target id="mona"><role id="master"/></acl_target>
    <acl_target id="lone"/>
    <acl_group id="g1" name="admins"><role id="master"/></acl_group>
</acls>"#;

fn cib() -> Element {
    let text = format!(
        r#"<cib admin_epoch="0" epoch="1" num_updates="0" validate-with="none"><configuration><crm_config>
        <cluster_property_set id="o"><nvpair id="e" name="enable-acl" value="true"/></cluster_property_set></crm_config><nodes/>
        <resources><primitive id="first" class="ocf"><!-- note --><meta_attributes id="m"><nvpair id="t" name="target-role"
        value="Started"/></meta_attributes></primitive><primitive id="secret" class="ocf"><instance_attributes id="i"><nvpair
        id="w" name="password" value="hush"/></instance_attributes></primitive></resources><constraints/>{ACLS}
        </configuration><status><node_state id="1"/></status></cib>"#
    );
    xml::parse(&text).unwrap()
}

fn context() -> Context {
    let mut groups = Groups::default();
    groups.insert("admins", ["ada".to_owned()]);
    Context { acl: Facts { groups: Arc::new(groups), ..Facts::default() }, ..Context::default() }
}

fn as_user(mut request: Request, user: &str) -> Request {
    request.origin.user = Some(user.to_owned());
    request
}

fn seen(user: &str) -> Result<String, LegacyRc> {
    let seen = query(&cib(), &as_user(Request::new(Operation::Query), user), &context());
    seen.map(|cib| cib.to_string()).map_err(|refusal| refusal.rc())
}

fn change(user: &str, request: &Request) -> Result<String, Refusal> {
    let request = as_user(request.clone(), user).with(CallOptions::NO_MTIME);
    perform(&cib(), &request, &context()).map(|outcome| outcome.cib.to_string())
}

fn may(user: &str, request: &Request) -> bool {
    match change(user, request) {
        Ok(_) => true,
        Err(Refusal::Denied { notes, .. }) => {
            assert!(
                notes.iter().any(|note| note.kind == NoteKind::Check),
                "a denial has its reason: {notes:?}"
            );
            false
        }
        Err(other) => panic!("{other}"),
    }
}

fn request(operation: Operation, section: &str, input: &str) -> Request {
    Request::new(operation).section(section).input(xml::parse(input).unwrap())
}

#[test]
fn those_above_acls_see_all_and_the_others_their_part() {
    let all = cib().to_string();
    for user in ["root", "hacluster", "", "ada", "mona", "olaf"] {
        assert_eq!(seen(user).as_ref(), Ok(&all), "{user}");
    }
    for user in ["stranger", "lone"] {
        assert_eq!(seen(user), Err(LegacyRc::EACCES), "{user}");
    }
    let petra = seen("petra").unwrap();
    assert!(petra.contains(r#"<primitive id="first" class="ocf"><!-- note -->"#), "{petra}");
    assert!(!petra.contains("secret") && !petra.contains("hush") && !petra.contains("enable-acl"), "{petra}");
    assert!(petra.starts_with("<cib><configuration><resources>"), "{petra}");
    let stan = seen("stan").unwrap();
    assert_eq!(
        stan,
        r#"<cib><configuration><crm_config><cluster_property_set id="o"><nvpair id="e" name="enable-acl" value="true"/></cluster_property_set></crm_config><resources><primitive id="first"><!-- note --><meta_attributes id="m"><nvpair id="t" name="target-role" value="Started"/></meta_attributes></primitive><primitive id="secret"><instance_attributes id="i"><nvpair id="w" name="password" value="hush"/></instance_attributes></primitive></resources></configuration><status><node_state id="1"/></status></cib>"#
    );
}

#[test]
fn what_is_hidden_is_not_found() {
    let ask = |user: &str, request: Request| {
        query(&cib(), &as_user(request, user), &context()).map_err(|refusal| refusal.rc())
    };
    let secret = || Request::new(Operation::Query).xpath("//primitive[@id='secret']");
    assert_eq!(ask("petra", secret()), Err(LegacyRc::ENXIO));
    assert!(ask("olaf", secret()).is_ok());
    assert_eq!(ask("petra", Request::new(Operation::Query).section("crm_config")), Err(LegacyRc::ENXIO));
    assert!(ask("petra", Request::new(Operation::Query).section("resources")).is_ok());
}

#[test]
fn nothing_is_enforced_unless_acls_are_enabled() {
    for (value, enforced) in [("true", true), ("on", true), ("false", false), ("maybe", false)] {
        let cib = xml::parse(&cib().to_string().replace(r#"value="true""#, &format!(r#"value="{value}""#)))
            .unwrap();
        let seen = query(&cib, &as_user(Request::new(Operation::Query), "stranger"), &context());
        assert_eq!(seen.is_err(), enforced, "{value}");
    }
    // A rule can say from when on they are.
    let rule =
        r#"<rule id="r"><date_expression id="d" operation="gt" start="2030-01-01"/></rule><nvpair id="e""#;
    let cib = xml::parse(&cib().to_string().replace(r#"<nvpair id="e""#, rule)).unwrap();
    for (year, enforced) in [(2029, false), (2031, true)] {
        let mut context = context();
        context.acl.now = model::WallTime::from_secs((year - 1970) * 31_557_600);
        let seen = query(&cib, &as_user(Request::new(Operation::Query), "stranger"), &context);
        assert_eq!(seen.is_err(), enforced, "{year}");
    }
}

#[test]
fn a_group_nobody_has_looked_up_gives_nothing_to_anybody() {
    assert_eq!(group_names(&cib()).into_iter().collect::<Vec<_>>(), ["admins"]);
    let nothing_known = Context::default();
    for user in ["ada", "mona", "petra"] {
        let seen = query(&cib(), &as_user(Request::new(Operation::Query), user), &nothing_known);
        assert_eq!(seen.map_err(|refusal| refusal.rc()), Err(LegacyRc::EACCES), "{user}");
    }
    assert!(query(&cib(), &as_user(Request::new(Operation::Query), "root"), &nothing_known).is_ok());
}

#[test]
fn every_operation_takes_its_right() {
    use Operation::*;
    let new = patch::make(&cib(), &{
        let mut new = cib();
        new.child_mut("status").unwrap().child_mut("node_state").unwrap().set_attr("crmd", "online");
        new.set_attr("num_updates", 1);
        new
    });
    let started = r#"<nvpair id="t" name="target-role" value="Stopped"/>"#;
    // Who may: olaf reads and sets roles, petra has resources (but not the secret one), stan the status, carl the first
    // resource, mona all.
    let cases = [
        (request(Modify, "resources", started), ["olaf", "petra", "carl", "mona"].as_slice()),
        (request(Modify, "resources", r#"<nvpair id="w" value="x"/>"#), &["mona"]),
        (request(Modify, "crm_config", r#"<nvpair id="e" value="false"/>"#), &["mona"]),
        (request(Create, "resources", r#"<primitive id="new" class="lsb" type="x"/>"#), &["petra", "mona"]),
        (request(Create, "status", r#"<node_state id="2" uname="n"/>"#), &["stan", "mona"]),
        (
            request(Create, "nodes", r#"<node id="2"/>"#),
            &["olaf", "petra", "stan", "carl", "lone", "stranger", "mona"],
        ),
        (request(Create, "acls", r#"<acl_target id="new"/>"#), &["mona"]),
        (request(Delete, "resources", r#"<primitive id="secret"/>"#), &["mona"]),
        (request(Delete, "resources", r#"<primitive id="first"/>"#), &["petra", "carl", "mona"]),
        (request(Delete, "resources", r#"<nvpair id="t"/>"#), &["olaf", "petra", "carl", "mona"]),
        (Request::new(Delete).xpath("//nvpair").with(CallOptions::MULTIPLE), &["mona"]),
        (Request::new(Delete).xpath("//comment()"), &["petra", "carl", "mona"]),
        (request(Replace, "resources", r#"<primitive id="first" class="lsb"/>"#), &["petra", "carl", "mona"]),
        (
            Request::new(Replace)
                .xpath("//primitive[@id='first']")
                .input(xml::parse("<primitive id='first'/>").unwrap()),
            &["petra", "carl", "mona"],
        ),
        (Request::new(Replace).input(cib().with_attr("epoch", 5)), &["mona"]),
        (Request::new(Bump), &["mona"]),
        (Request::new(Erase), &["mona"]),
        (Request::new(ApplyPatch).input(new.unwrap()), &["mona"]),
    ];
    for (request, allowed) in cases {
        for user in ["olaf", "petra", "stan", "carl", "lone", "stranger", "mona"] {
            assert_eq!(may(user, &request), allowed.contains(&user), "{user}: {request:?}");
        }
        assert!(may("root", &request) && may("hacluster", &request) && may("ada", &request));
    }
}

#[test]
fn nobody_is_somebody_else_inside_a_transaction() {
    let command = |user: &str| {
        let data =
            Element::new("cib_calldata").with_child(xml::parse("<nvpair id='e' value='false'/>").unwrap());
        Element::new("cib_command")
            .with_attr("cib_op", Operation::Modify)
            .with_attr("cib_section", "crm_config")
            .with_attr("cib_user", user)
            .with_child(data)
    };
    let transaction = |user: &str| {
        Request::new(Operation::CommitTransaction)
            .input(Element::new("cib_transaction").with_child(command(user)))
    };
    assert!(!may("olaf", &transaction("root")) && !may("olaf", &transaction("mona")));
    assert!(may("mona", &transaction("olaf")) && may("root", &transaction("root")));
    assert!(!may("root", &transaction("olaf")), "who speaks for somebody has that one's rights");
}

#[test]
fn a_denied_part_makes_a_signed_patch_another_one() {
    let mut new = cib();
    new.set_attr("epoch", 2);
    let made = patch::make(&cib(), &new).unwrap();
    let request = Request::new(Operation::ApplyPatch).input(made.clone());
    assert!(!may("olaf", &request));
    let request = request.input(patch::with_digest(made, &new, xml::Escaping::Modern));
    assert_eq!(change("olaf", &request).unwrap_err().rc(), LegacyRc::DIFF_FAILED);
    assert!(may("mona", &request));
}

#[test]
fn an_invalid_outcome_is_shown_only_as_far_as_it_may_be_seen() {
    let mut cib = cib();
    cib.set_attr("validate-with", "pacemaker-3.9");
    let bad = as_user(
        request(Operation::Create, "resources", "<primitive id='x' class='ocf'><zoo/></primitive>"),
        "petra",
    );
    let refusal = perform(&cib, &bad, &context()).unwrap_err();
    assert_eq!(refusal.rc(), LegacyRc::SCHEMA_VALIDATION);
    let shown = refusal.output().unwrap().to_string();
    assert!(shown.contains("first") && !shown.contains("hush"), "{shown}");
}

#[test]
fn decisions_are_told_in_pacemakers_words() {
    let told = |user: &str, request: &Request| -> Vec<String> {
        let request = as_user(request.clone(), user);
        let notes =
            |notes: &[Note]| notes.iter().map(|note| format!("{} {note}", note.kind.function())).collect();
        match perform(&cib(), &request, &context()) {
            Ok(outcome) => notes(&outcome.notes),
            Err(refusal) => notes(refusal.notes()),
        }
    };
    let create = request(Operation::Create, "resources", "<primitive id='x' class='ocf'/>");
    assert_eq!(
        told("olaf", &create),
        [
            "pcmk__check_acl Default ACL denies user 'olaf' read/write access to /cib/configuration/resources/primitive[@id='x']",
            "pcmk__apply_creation_acl ACLs disallow creation of <primitive> with id=\"x\"",
        ]
    );
    assert_eq!(
        told("petra", &create),
        ["pcmk__apply_creation_acl ACLs allow creation of <primitive> with id=\"x\""]
    );
    assert!(
        told("stranger", &create)[0]
            .starts_with("pcmk__check_acl Lack of ACL denies user 'stranger' read/write")
    );
    let secret = request(Operation::Modify, "resources", "<nvpair id='w' value='y'/>");
    assert_eq!(
        told("petra", &secret),
        [
            "pcmk__check_acl Parent ACL denies user 'petra' read/write access to /cib/configuration/resources/primitive[@id='secret']/instance_attributes[@id='i']/nvpair[@id='w'][@value]"
        ]
    );
    let scaffold = request(Operation::Create, "nodes", "<node id='2'/>");
    assert_eq!(
        told("olaf", &scaffold),
        ["pcmk__apply_creation_acl Creation of <node> scaffolding with id=\"2\" is implicitly allowed"]
    );
}

#[test]
fn two_sections_of_acls_are_none() {
    let twice = cib().to_string().replace("</acls>", "</acls><acls/>");
    let seen =
        query(&xml::parse(&twice).unwrap(), &as_user(Request::new(Operation::Query), "mona"), &context());
    assert_eq!(seen.map_err(|refusal| refusal.rc()), Err(LegacyRc::EACCES));
}
