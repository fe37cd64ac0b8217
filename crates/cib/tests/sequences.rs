// SPDX-License-Identifier: GPL-2.0-or-later
//! Sequences of operations on real configurations, under their schemas: one by one or in a transaction they come to the
//! same; what is refused leaves everything as it was; whoever has only the patches follows; and users under ACLs change
//! what they may change and nothing else.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "verdicts/chance.rs"]
mod chance;
#[path = "verdicts/damage.rs"]
mod damage;
#[path = "verdicts/examples.rs"]
#[allow(dead_code, reason = "names are for the other tests")]
mod examples;

use chance::Chance;
use cib::{CallOptions, Context, Operation, Outcome, Refusal, Request, Version, patch, perform, schema};
use damage::Damager;
use examples::Example;
use xml::{Element, Escaping, digest_v2};

fn digest(cib: &Element) -> String {
    digest_v2(cib, Escaping::Modern)
}

/// Without what each change writes down about itself.
fn bare(cib: &Element) -> Element {
    let mut bare = cib.clone();
    for name in [
        "admin_epoch",
        "epoch",
        "num_updates",
        "cib-last-written",
        "update-origin",
        "update-client",
        "update-user",
    ] {
        bare.remove_attr(name);
    }
    bare
}

fn context(cib_is_valid: bool) -> Context {
    Context { cib_is_valid, last_written: "now".into(), ..Context::default() }
}

/// Valid CIBs of the versions that say who changed them.
struct Ground {
    examples: Vec<Example>,
    valid: Vec<usize>,
    damager: Damager,
}

impl Ground {
    fn new() -> Ground {
        let examples = examples::all();
        let is_fit = |example: &Example| {
            example.size < 12_000
                && example.claimed.is_some_and(|version| version.to_string().as_str() >= "pacemaker-1.2")
                && schema::validate(&example.tree).is_empty()
        };
        let valid = (0..examples.len()).filter(|at| is_fit(&examples[*at])).collect::<Vec<_>>();
        assert!(!valid.is_empty());
        Ground { damager: Damager::new(&examples), examples, valid }
    }

    fn cib(&self, chance: &mut Chance) -> Element {
        self.examples[*chance.pick(&self.valid)].tree.clone()
    }

    /// What somebody may ask for: mostly what a damaged copy says.
    fn request(&self, cib: &Element, chance: &mut Chance) -> Request {
        // As it is read: text between elements is no part of a CIB.
        let damaged =
            |chance: &mut Chance| xml::parse(&self.damager.damage(cib, chance).to_string()).unwrap();
        let wanted = if chance.one_in(4) { cib.clone() } else { damaged(chance) };
        let section = *chance.pick(&["resources", "constraints", "crm_config", "nodes", "configuration"]);
        let part =
            cib::find_section(&wanted, Some(section)).cloned().unwrap_or_else(|| Element::new(section));
        let elements: Vec<&Element> = part.elements().collect();
        let element = (!elements.is_empty()).then(|| (*chance.pick(&elements)).clone());
        let xpath =
            |element: &Element| format!("//{}[@id='{}']", element.name(), element.id().unwrap_or("-"));
        let request = match (chance.below(9), element) {
            (0, _) => Request::new(Operation::Replace).section(section).input(part),
            (1, _) => {
                Request::new(Operation::Modify).section(section).input(part).with(CallOptions::CAN_CREATE)
            }
            (2, _) => {
                let mut whole = wanted;
                whole.replace_attrs(cib);
                Request::new(Operation::Replace).input(whole)
            }
            (3, _) => {
                let wanted = with_version_of(wanted, cib);
                match patch::make(cib, &wanted) {
                    Some(patch) => Request::new(Operation::ApplyPatch).input(patch),
                    None => Request::new(Operation::Bump),
                }
            }
            (4, Some(element)) => {
                let mut fresh = element;
                fresh.set_attr("id", format!("fresh-{}", chance.below(1_000)));
                Request::new(Operation::Create).section(section).input(fresh)
            }
            (5, Some(element)) => Request::new(Operation::Delete).xpath(&xpath(&element)),
            (6, Some(element)) => Request::new(Operation::Replace).xpath(&xpath(&element)).input(element),
            (7, Some(element)) => Request::new(Operation::Modify).section(section).input(element),
            _ => {
                let state = Element::new("node_state")
                    .with_attr("id", chance.below(5))
                    .with_attr("x", chance.below(3));
                Request::new(Operation::Modify).section("status").input(state).with(CallOptions::CAN_CREATE)
            }
        };
        if chance.one_in(5) { request.with(CallOptions::SCORE_UPDATE) } else { request }
    }
}

fn with_version_of(mut cib: Element, other: &Element) -> Element {
    cib.replace_attrs(other);
    let epoch = Version::of(other).epoch + 1;
    cib.set_attr("epoch", epoch);
    cib.set_attr("num_updates", 0);
    cib
}

/// Done, and the same in every way in which it can be done.
fn run(cib: &Element, request: &Request) -> Result<Outcome, Refusal> {
    let before = digest(cib);
    let [unknown, known] = [false, true].map(|valid| perform(cib, request, &context(valid)));
    match (&unknown, &known) {
        (Ok(a), Ok(b)) => assert!(a.cib == b.cib && a.patch == b.patch, "{request:?}"),
        (a, b) => assert_eq!(a.as_ref().err(), b.as_ref().err(), "{request:?}"),
    }
    assert_eq!(digest(cib), before, "{request:?}");
    if let Ok(outcome) = &known {
        assert_eq!(schema::validate(&outcome.cib), [], "{request:?}");
        match &outcome.patch {
            Some(patch) => {
                let followed = patch::apply(cib, patch, Escaping::Modern);
                let followed = followed.unwrap_or_else(|error| panic!("{error}: {patch}")).cib;
                assert_eq!(digest(&bare(&followed)), digest(&bare(&outcome.cib)), "{patch}");
            }
            None => assert_eq!(digest(cib), digest(&outcome.cib), "{request:?}"),
        }
    }
    known
}

fn command(request: &Request) -> Element {
    let mut command = Element::new("cib_command")
        .with_attr("cib_op", request.operation)
        .with_attr("cib_callopt", request.options.bits());
    command.set_attr_opt("cib_section", request.section.as_ref());
    if let Some(input) = &request.input {
        command.push(Element::new("cib_calldata").with_child(input.clone()));
    }
    command
}

#[test]
fn one_by_one_and_in_a_transaction_are_the_same() {
    let ground = Ground::new();
    let mut chance = Chance::new(31);
    let (mut done, mut refused, mut steps) = (0, 0, 0);
    for number in 0..350 {
        let before = ground.cib(&mut chance);
        let mut requests = Vec::new();
        let mut now = before.clone();
        let mut ended = Ok(());
        for _ in 0..=chance.below(4) {
            let request = ground.request(&now, &mut chance);
            let result = run(&now, &request);
            requests.push(request);
            match result {
                Ok(outcome) => now = outcome.cib,
                Err(refusal) => {
                    ended = Err(refusal.rc());
                    break;
                }
            }
            steps += 1;
        }
        let commands = requests.iter().map(command);
        let transaction = Element::new("cib_transaction").with_children(commands);
        let whole = run(&before, &Request::new(Operation::CommitTransaction).input(transaction));
        match (ended, whole) {
            (Ok(()), Ok(outcome)) => {
                done += 1;
                assert_eq!(digest(&bare(&outcome.cib)), digest(&bare(&now)), "number {number}: {requests:?}");
            }
            (Err(rc), Err(refusal)) => {
                refused += 1;
                assert_eq!(refusal.rc(), rc, "number {number}: {requests:?}");
            }
            (ended, whole) => panic!("number {number}: {ended:?}, but {:?}: {requests:?}", whole.err()),
        }
    }
    eprintln!("{done} sequences done, {refused} refused, {steps} steps");
    assert!(done > 80 && refused > 80, "{done} sequences done, {refused} refused");
}

#[test]
fn a_patch_from_any_configuration_to_any_other_leads_there() {
    let ground = Ground::new();
    let mut chance = Chance::new(32);
    for number in 0..800 {
        let old = ground.cib(&mut chance);
        let mut new = old.clone();
        for _ in 0..=chance.below(3) {
            new = ground.damager.damage(&new, &mut chance);
        }
        // Texts are no part of a CIB that was read.
        let new = with_version_of(xml::parse(&new.to_string()).unwrap(), &old);
        let Some(patch) = patch::make(&old, &new) else { panic!("number {number}: the version has changed") };
        let patch = xml::parse(&patch.to_string()).unwrap();
        let applied = patch::apply(&old, &patch, Escaping::Modern);
        let applied =
            applied.unwrap_or_else(|error| panic!("number {number}: {error}: from {old} by {patch}"));
        assert_eq!(digest(&applied.cib), digest(&new), "number {number}: {patch}");
    }
}

/// Turns ACLs on, and lets `writer` write resources and read the rest, `reader` read, `master` write everything.
fn with_acls(cib: &Element) -> Element {
    let mut cib = cib.clone();
    let configuration = cib.child_mut("configuration").unwrap();
    configuration.remove_elements(|element| matches!(element.name(), "acls" | "crm_config"));
    let acls = "<acls><acl_role id='acl-r'><acl_permission id='acl-r1' kind='read' xpath='/cib'/></acl_role>\
        <acl_role id='acl-w'><acl_permission id='acl-w1' kind='write' xpath='/cib/configuration/resources'/></acl_role>\
        <acl_role id='acl-m'><acl_permission id='acl-m1' kind='write' xpath='/cib'/></acl_role>\
        <acl_target id='reader'><role id='acl-r'/></acl_target>\
        <acl_target id='writer'><role id='acl-r'/><role id='acl-w'/></acl_target>\
        <acl_target id='master'><role id='acl-m'/></acl_target></acls>";
    let options = "<crm_config><cluster_property_set id='acl-on'><nvpair id='acl-on-1' name='enable-acl' value='true'/>\
        </cluster_property_set></crm_config>";
    configuration.insert(0, xml::parse(options).unwrap());
    configuration.push(xml::parse(acls).unwrap());
    cib
}

/// Whether all that is in one tree is in the other as it was, and what came besides has no attribute but its id.
fn only_scaffolding_came(old: &Element, new: &Element) -> bool {
    if !old.attributes().iter().eq(new.attributes().iter()) {
        return false;
    }
    let mut left: Vec<&Element> = new.elements().collect();
    let kept = old.elements().all(|child| {
        let same = |other: &&Element| other.name() == child.name() && other.id() == child.id();
        left.iter().position(same).is_some_and(|at| only_scaffolding_came(child, left.remove(at)))
    });
    let bare =
        |element: &Element| element.attributes().iter().all(|attribute| attribute.name().as_str() == "id");
    kept && left.iter().all(|element| element.descendants().all(bare))
}

fn without_resources(cib: &Element) -> Element {
    let mut cib = bare(cib);
    if let Some(configuration) = cib.child_mut("configuration") {
        configuration.remove_elements(|element| element.name() == "resources");
    }
    cib
}

#[test]
fn users_change_what_they_may_and_nothing_else() {
    let ground = Ground::new();
    let mut chance = Chance::new(33);
    let cibs: Vec<Element> = ground
        .valid
        .iter()
        .map(|at| with_acls(&ground.examples[*at].tree))
        .filter(|cib| schema::validate(cib).is_empty())
        .collect();
    assert!(!cibs.is_empty());
    let (mut allowed, mut denied) = (0, 0);
    for number in 0..800 {
        let cib = chance.pick(&cibs);
        let request = ground.request(cib, &mut chance);
        // What the superuser would get is what there is to be judged.
        let Ok(outcome) = run(cib, &request) else { continue };
        let as_user = |user: &str| {
            let mut request = request.clone();
            request.origin.user = Some(user.to_owned());
            run(cib, &request)
        };
        let shown = || format!("number {number}: {request:?} of {cib}");
        let master = as_user("master").unwrap_or_else(|refusal| panic!("{refusal}; {}", shown()));
        assert_eq!(digest(&bare(&master.cib)), digest(&bare(&outcome.cib)), "{}", shown());
        // What is put in the place of an element is written, even if it is the like of it; and a patch writes the version.
        let is_written = request.operation == Operation::ApplyPatch
            || request.operation == Operation::Replace && request.options.has(CallOptions::XPATH);
        let [reader, writer, nobody] = ["reader", "writer", "nobody"].map(as_user);
        let (old, new) = (bare(cib), bare(&outcome.cib));
        if old == new {
            assert!(is_written || reader.is_ok() && writer.is_ok(), "{}", shown());
            continue;
        }
        let (outside_old, outside_new) = (without_resources(cib), without_resources(&outcome.cib));
        if outside_old == outside_new && !is_written {
            assert!(writer.is_ok(), "{:?}; {}", writer.err(), shown());
        }
        if let Ok(writer) = &writer {
            allowed += 1;
            assert_eq!(bare(&writer.cib), new, "{}", shown());
            assert!(only_scaffolding_came(&outside_old, &outside_new), "{}", shown());
        } else {
            denied += 1;
        }
        for other in [reader, nobody] {
            assert!(other.is_err() || only_scaffolding_came(&old, &new), "{}", shown());
        }
    }
    eprintln!("{allowed} changes allowed to who may write resources, {denied} denied");
    assert!(allowed > 10 && denied > 100, "{allowed} allowed, {denied} denied");
}
