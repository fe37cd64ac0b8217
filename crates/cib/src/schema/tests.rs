// SPDX-License-Identifier: GPL-2.0-or-later
//! The table makes sense, and what it says is said back in words that help.

use super::table::{Pattern, Reference, Type};
use super::*;
use std::collections::BTreeSet;

// --- the table --------------------------------------------------------------------------------------------------

#[test]
fn every_version_can_be_made_ready() {
    for profile in [Profile::V3_0, Profile::V2_1] {
        for version in SchemaVersion::ALL {
            if let Err(error) = compiled_for(version, profile) {
                panic!("{version}: {error}");
            }
        }
    }
}

/// All versions for one profile.
fn all() -> impl Iterator<Item = &'static Ready> {
    SchemaVersion::ALL.into_iter().map(|version| compiled_for(version, Profile::V3_0).unwrap())
}

fn references<'a>(pattern: &'a Pattern, into: &mut BTreeSet<&'a str>) {
    fn add<'a>(reference: &'a Reference, into: &mut BTreeSet<&'a str>) {
        into.insert(&reference.name);
        reference.arguments.iter().for_each(|argument| add(argument, into));
    }
    match pattern {
        Pattern::Choice(parts) | Pattern::Interleave(parts) | Pattern::Group(parts) => {
            parts.iter().for_each(|part| references(&part.item, into));
        }
        Pattern::Repeat(part, _) => references(part, into),
        Pattern::Element(element) => references(&element.content, into),
        Pattern::Reference(reference) => add(reference, into),
        Pattern::Attribute(attribute) => attribute.value.iter().for_each(|value| {
            if let Type::Named { name, .. } = &value.item {
                into.insert(name);
            }
        }),
        Pattern::Anything => {}
    }
}

#[test]
fn everything_defined_is_used() {
    let table = Table::built_in().unwrap();
    let mut used: BTreeSet<&str> = [table.start.as_str()].into();
    table.definitions.values().for_each(|definition| references(&definition.body, &mut used));
    for name in table.definitions.keys().chain(table.types.keys()) {
        assert!(used.contains(name.as_str()), "nothing uses '{name}'");
    }
}

#[test]
fn every_element_and_attribute_is_explained() {
    let mut wordless = BTreeSet::new();
    for Ready { compiled: Compiled { grammar, .. }, .. } in all() {
        let (mut told, mut met) = (BTreeSet::new(), BTreeSet::new());
        for (id, kind) in grammar.kinds.iter().enumerate() {
            let elements = [(kind.name, "", kind.about)].into_iter();
            let attributes =
                grammar.attributes(id).map(|attribute| (kind.name, attribute.name, attribute.about));
            for (element, attribute, about) in elements.chain(attributes) {
                met.insert((element, attribute));
                if !about.is_empty() {
                    told.insert((element, attribute));
                }
            }
        }
        wordless.extend(
            met.difference(&told)
                .map(|(element, attribute)| format!("{} of <{element}> in {}", attribute, grammar.version)),
        );
    }
    assert!(wordless.is_empty(), "nothing is said of {wordless:#?}");
}

/// An attribute with the same name twice in a sequence, or a choice of nothing, would make an element impossible.
#[test]
fn every_kind_of_element_can_be_made() {
    for ready in all() {
        let compiled = &ready.compiled;
        let mut machine = Machine::new(compiled);
        for kind in 0..compiled.kinds.len() {
            let start = machine.start(kind);
            let forgiven = machine.forgiven(start);
            let name = compiled.grammar.kinds[kind].name;
            let possible = machine.is_complete(forgiven) || !machine.reachable(forgiven).is_empty();
            assert!(possible, "{}: <{name}> can never be right", compiled.grammar.version);
        }
    }
}

/// Walks to every state there is, so that what a machine remembers has a known bound.
#[test]
fn states_are_few() {
    let mut most = 0;
    for ready in all() {
        let compiled = &ready.compiled;
        let mut machine = Machine::new(compiled);
        let mut waiting: Vec<usize> = (0..compiled.kinds.len()).map(|kind| machine.start(kind)).collect();
        let mut seen = BTreeSet::new();
        while let Some(state) = waiting.pop() {
            if !seen.insert(state) {
                continue;
            }
            waiting.extend(machine.opened(state));
            waiting.push(machine.forgiven(state));
            for attribute in machine.attributes_to_come(state) {
                waiting.push(machine.after_attribute(state, &[attribute]));
            }
            for kind in machine.reachable(state) {
                waiting.push(machine.after_child(state, kind));
            }
        }
        most = most.max(machine.size());
    }
    assert!((100..10_000).contains(&most), "{most} states");
}

#[test]
fn wrong_tables_are_refused_with_their_line() {
    for (text, line, problem) in [
        ("a = <a>{}", 1, "no 'start"),
        ("start = a\na = <a>{ b }", 2, "'b' is not defined"),
        ("start = a\na = <a>{ @b: c }", 2, "'c' is not a type"),
        ("start = a\na = <a>{ [1.1..] @b }", 2, "'1.1' is not a version"),
        ("start = a\na = <a>{ [3.0..2.0] @b }", 2, "ends before it begins"),
        ("start = a\na = <a>{ @b @c }", 2, "expected '}'"),
        ("start = a\na = <a>{ b }\nb = b", 3, "contains itself"),
        ("start = a\na = <a>{ b(c) }\nb = @c\nc = @d", 2, "0 parameters, and here are 1"),
        ("start = a\na = <a>{ <b>{} | <b>{@c} }", 2, "two kinds"),
        ("start = a\na = <a>{}\na = <a>{}", 3, "defined already"),
        ("start = a\na = <a>{ @b: {c ", 2, "expected a word"),
        ("start = a\na = <a>{ @b: /[/ }", 2, "bracket"),
        ("start = a\na = @b", 1, "not one element"),
        ("start = a\na = <a>{\n((((((((((((((((((((((((", 3, "too many parentheses"),
    ] {
        let outcome = notation::read(text).and_then(|table| {
            let table: &'static Table = Box::leak(Box::new(table));
            Grammar::new(table, SchemaVersion::ALL[20], Profile::V3_0)
        });
        let error = outcome.err().unwrap_or_else(|| panic!("nothing is said of {text}"));
        assert!(error.line == line && error.problem.contains(problem), "{text}: {error}");
    }
}

/// What a child is, its name and its parent say; so it can be told without looking at what stands before it.
#[test]
fn children_of_one_name_are_of_one_kind() {
    for ready in all() {
        let grammar = &ready.compiled.grammar;
        for (id, kind) in grammar.kinds.iter().enumerate() {
            let mut names: Vec<&str> =
                grammar.children(id).into_iter().map(|id| grammar.kinds[id].name).collect();
            names.sort_unstable();
            assert!(names.is_sorted_by(|a, b| a < b), "{}: in <{}> {names:?}", grammar.version, kind.name);
        }
    }
}

/// What an attribute is, its kind of element says; so it can be told without looking at the others.
#[test]
fn an_id_is_always_an_id() {
    for ready in all() {
        let grammar = &ready.compiled.grammar;
        for (id, kind) in grammar.kinds.iter().enumerate() {
            for attribute in grammar.attributes(id) {
                let is = |attribute: &grammar::AttributeKind| {
                    (
                        attribute.datatype == datatype::Datatype::Id,
                        attribute.datatype == datatype::Datatype::IdRef,
                    )
                };
                let mut same = grammar.attributes(id).filter(|other| other.name == attribute.name);
                let place = format!("{}: {} of <{}>", grammar.version, attribute.name, kind.name);
                assert!(same.all(|other| is(other) == is(attribute)), "{place}");
            }
        }
    }
}

// --- what is said -----------------------------------------------------------------------------------------------

/// All issues, text between elements included.
fn issues_of(text: &str) -> Vec<Issue> {
    validate(&xml::parse_with(text, xml::TextPolicy::Keep, xml::Limits::default()).unwrap())
}

fn said(text: &str) -> Vec<String> {
    issues_of(text).iter().map(|issue| format!("{:?} {issue}", issue.path)).collect()
}

/// A CIB of a version with these resources and constraints.
fn cib(version: &str, resources: &str, constraints: &str) -> String {
    format!(
        "<cib validate-with='pacemaker-{version}' admin_epoch='0' epoch='1' num_updates='0'><configuration><crm_config/><nodes/>\
         <resources>{resources}</resources><constraints>{constraints}</constraints></configuration><status/></cib>"
    )
}

const DUMMY: &str = "<primitive id='p' class='ocf' provider='pacemaker' type='Dummy'/>";

#[test]
fn an_empty_cib_is_valid() {
    for profile in [Profile::V3_0, Profile::V2_1] {
        assert_eq!(validate(&crate::empty(profile)), []);
    }
}

#[test]
fn wrong_elements_are_named_with_what_was_expected_and_meant() {
    assert_eq!(
        said(&cib("3.9", "<primitve id='a'/>", "")),
        [
            "[0, 2, 0] <primitve id=\"a\"> is not expected in <resources>; expected primitive, template, group, clone, \
          master or bundle; did you mean 'primitive'?"
        ]
    );
    assert_eq!(
        said(&cib("4.0", &format!("<master id='m'>{DUMMY}</master>"), "")),
        [
            "[0, 2, 0] <master id=\"m\"> is not expected in <resources>; expected primitive, template, group, clone or \
          bundle; that is allowed until pacemaker-3.10, and this is pacemaker-4.0"
        ]
    );
    let order = "<rsc_order id='o' first='m' then='x'/>";
    assert!(
        !said(&cib("4.0", &format!("<master id='m'>{DUMMY}</master>"), order))
            .iter()
            .any(|issue| issue.contains("first")),
        "what follows from something else is not told"
    );
    assert_eq!(
        said(&cib("2.7", "<bundle id='b'><docker image='x'/></bundle>", "")),
        [
            "[0, 2, 0] <bundle id=\"b\"> is not expected in <resources>; expected primitive, template, group, clone or \
          master; that is allowed since pacemaker-2.8, and this is pacemaker-2.7"
        ]
    );
    assert_eq!(
        said(&cib("3.9", &format!("<clone id='c'>{DUMMY}<group id='g'/></clone>"), "")),
        [
            "[0, 2, 0, 1] <group id=\"g\"> is not expected in <clone>; expected meta_attributes or instance_attributes; \
             there is one too many, or it is in the wrong order (in <clone>: meta_attributes, instance_attributes, \
             primitive, group)",
            "[0, 2, 0, 1] <group id=\"g\">: <primitive> is missing"
        ]
    );
    assert_eq!(
        said(&cib("3.9", "<clone id='c'/>", "")),
        ["[0, 2, 0] <clone id=\"c\">: one of these is missing: <primitive> or <group>"]
    );
}

#[test]
fn wrong_attributes_are_named_with_what_was_expected_and_meant() {
    let primitive = |attributes: &str| said(&cib("3.9", &format!("<primitive {attributes}/>"), ""));
    assert_eq!(
        primitive("id='p' class='ocf' typ='Dummy' provider='x'"),
        [
            "[0, 2, 0] <primitive id=\"p\">: attribute 'typ' is not expected; expected description, provider or type; did you mean 'type'?",
            "[0, 2, 0] <primitive id=\"p\">: attribute 'type' is missing"
        ]
    );
    assert_eq!(primitive("class='lsb' type='x'"), ["[0, 2, 0] <primitive>: attribute 'id' is missing"]);
    assert_eq!(
        primitive("id='p' class='LSB' type='x'"),
        [
            "[0, 2, 0] <primitive id=\"p\">: class=\"LSB\" is not valid; expected ocf, lsb, heartbeat, stonith, upstart, \
          service, systemd or nagios; did you mean 'lsb'?"
        ]
    );
    assert_eq!(
        primitive("id='p' class='lsb' type='x' template='y'"),
        [
            "[0, 2, 0] <primitive id=\"p\">: attribute 'template' is not expected; expected description; it cannot stand \
          together with the attributes before it"
        ]
    );
    assert_eq!(
        said(&cib("3.5", DUMMY, "<rsc_colocation id='c' rsc='p' with-rsc='p' influence='1'/>")),
        [
            "[0, 3, 0] <rsc_colocation id=\"c\">: attribute 'influence' is not expected; expected node-attribute, rsc-role, \
          score or with-rsc-role; that is allowed since pacemaker-3.6, and this is pacemaker-3.5"
        ]
    );
    assert_eq!(
        said(&cib("3.6", DUMMY, "<rsc_location id='l' rsc='p' role='Promoted' node='n' score='1'/>")),
        [
            "[0, 3, 0] <rsc_location id=\"l\">: role=\"Promoted\" is not valid; expected Stopped, Started, Master or Slave; \
          that is allowed since pacemaker-3.7, and this is pacemaker-3.6"
        ]
    );
    assert_eq!(
        said(&cib("3.9", DUMMY, "<rsc_location id='l' node='n' score='1'/>")),
        [
            "[0, 3, 0] <rsc_location id=\"l\">: one of these is missing: attribute 'rsc', attribute 'rsc-pattern' or <resource_set>"
        ]
    );
}

#[test]
fn ids_are_unique_and_references_lead_somewhere() {
    assert_eq!(
        said(&cib("3.9", &format!("{DUMMY}{DUMMY}"), "")),
        [
            "[0, 2, 1] <primitive id=\"p\">: id=\"p\" is already the id of another element, <primitive>; choose another"
        ]
    );
    assert_eq!(
        said(&cib(
            "3.9",
            DUMMY,
            "<rsc_location id='l' rsc='q' node='n' score='1'/><rsc_location id='m' rsc='p' node='n' score='1'/>"
        )),
        [
            "[0, 3, 0] <rsc_location id=\"l\">: rsc=\"q\" refers to nothing; expected the id of an element of the \
          configuration"
        ]
    );
    assert_eq!(
        said(&cib("3.9", "<primitive id='1a' class='lsb' type='x'/>", "")),
        [
            "[0, 2, 0] <primitive id=\"1a\">: id=\"1a\" is not valid; expected a name (a letter or '_', then letters, \
          digits, '.', '-', '_')"
        ]
    );
}

#[test]
fn the_whole_is_looked_at_as_pacemaker_does() {
    assert_eq!(said("<diff/>"), ["[] <diff>: the root element must be <cib>"]);
    assert_eq!(said("<cib validate-with='none'><anything/></cib>"), Vec::<String>::new());
    assert_eq!(
        said("<cib/>"),
        ["[] <cib>: attribute 'validate-with' is missing; expected the name of a schema"]
    );
    for unknown in ["pacemaker-9.9", "pacemaker-next", "pacemaker-1.1", "", "pacemaker-3.00"] {
        let said = said(&format!("<cib validate-with='{unknown}'/>"));
        assert!(said.len() == 1 && said[0].contains("is not a known schema"), "{said:?}");
    }
    let found = said(
        "<cib validate-with='pacemaker-3.9' admin_epoch='0' epoch='-1'>x<configuration xmlns='y'><crm_config/>\
         <nodes><node uname='n'/></nodes><nodes/><resources>  </resources></configuration><status a='b'>free <x/></status></cib>",
    );
    let wanted = [
        "[] <cib>: epoch=\"-1\" is not valid; expected a whole number, 0 or more",
        "[] <cib>: attribute 'num_updates' is missing",
        "[] <cib>: text is not expected: 'x'",
        "[0] <configuration>: namespace 'y': elements of a CIB are in none",
        "[0] <configuration>: <constraints> is missing",
        "[0, 1, 0] <node>: attribute 'id' is missing",
        "[0, 2] <nodes> is not expected in <configuration>; expected",
    ];
    assert_eq!(found.len(), wanted.len(), "{found:#?}");
    for (found, wanted) in found.iter().zip(wanted) {
        assert!(found.starts_with(wanted), "{found} / {wanted}");
    }
}

#[test]
fn issues_know_where_they_are() {
    let text = cib("4.0", "\n <!-- a --> text\n <primitive\n  id='p' clas='lsb'\n  type='x'/>\n  <zoo/>", "");
    let mut issues = issues_of(&text);
    locate(&mut issues, &text);
    let places: Vec<String> =
        issues.iter().map(|issue| issue.to_string().split(": ").next().unwrap().to_owned()).collect();
    let column = text.find("<resources>").unwrap() + 1;
    assert_eq!(
        places,
        [
            format!("line 1, column {column}"),
            "line 4, column 10".to_owned(),
            "line 3, column 2".to_owned(),
            "line 6, column 3".to_owned()
        ],
        "{issues:#?}"
    );
}

/// As tools read a CIB: without text between elements, and with a status if it had none.
#[test]
fn issues_are_found_in_the_text_of_what_was_made_ready() {
    let text =
        cib("4.0", "\n text <!-- a -->\n <primitive id='p' class='lsb' type='x'/>\n <primitive id='p'/>", "");
    let text = text.replace("<status/>", "");
    let mut tree = xml::parse(&text).unwrap();
    tree.child_or_insert("status");
    let mut issues = validate(&tree);
    locate(&mut issues, &text);
    let said: Vec<String> = issues.iter().map(ToString::to_string).collect();
    assert!(said[0].starts_with("line 4, column 13: <primitive id=\"p\">: id=\"p\" is already"), "{said:#?}");
}

// --- what strangers send ----------------------------------------------------------------------------------------

#[test]
fn ten_thousand_wrong_elements_make_a_hundred_issues() {
    let wrong = "<primitve id='a'/>".repeat(10_000);
    assert_eq!(said(&cib("4.0", &wrong, "")).len(), validator::MAX_ISSUES);
    let doubled = DUMMY.repeat(10_000);
    assert_eq!(said(&cib("4.0", &doubled, "")).len(), validator::MAX_ISSUES);
    let dangling = (0..10_000).map(|n| format!("<rsc_location id='l{n}' rsc='x{n}' node='n' score='1'/>"));
    assert_eq!(said(&cib("4.0", "", &dangling.collect::<String>())).len(), validator::MAX_ISSUES);
}

#[test]
fn huge_values_are_cut_in_messages() {
    let huge = "x".repeat(5_000_000);
    let name = "y".repeat(40_000);
    let issues = said(&cib("4.0", &format!("<primitive id='{huge}' class='{huge}' {name}='1'/>"), ""));
    assert!(issues.len() == 3 && issues.iter().all(|issue| issue.len() < 1_000), "{}", issues.len());
}

#[test]
fn depth_has_a_limit() {
    let mut rule = Element::new("rule").with_attr("id", "r");
    for n in 0..20_000 {
        rule = Element::new("rule").with_attr("id", format!("r{n}")).with_child(rule);
    }
    let mut tree = xml::parse(&cib("4.0", DUMMY, "<rsc_location id='l' rsc='p'/>")).unwrap();
    let constraints = tree.child_mut("configuration").unwrap().child_mut("constraints").unwrap();
    constraints.child_mut("rsc_location").unwrap().push(rule);
    let issues = validate(&tree);
    assert!(issues.iter().any(|issue| matches!(issue.problem, Problem::TooDeep(_))), "{issues:?}");
}

mod chance {
    use super::*;
    use proptest::prelude::*;

    const NAMES: [&str; 16] = [
        "cib",
        "configuration",
        "crm_config",
        "nodes",
        "resources",
        "constraints",
        "primitive",
        "rule",
        "nvpair",
        "op",
        "meta_attributes",
        "rsc_order",
        "resource_set",
        "status",
        "xmlns",
        "zoo",
    ];
    const ATTRIBUTES: [&str; 12] = [
        "id",
        "id-ref",
        "name",
        "value",
        "class",
        "score",
        "rsc",
        "first",
        "validate-with",
        "epoch",
        "xmlns",
        "xmlns:x",
    ];

    fn tree() -> impl Strategy<Value = Element> {
        let attributes = proptest::collection::vec((0..ATTRIBUTES.len(), ".{0,6}"), 0..5);
        let leaf = (0..NAMES.len(), attributes).prop_map(|(name, attributes)| {
            attributes.into_iter().fold(Element::new(NAMES[name]), |element, (name, value)| {
                element.with_attr(ATTRIBUTES[name], value)
            })
        });
        leaf.prop_recursive(6, 60, 6, |inner| {
            (0..NAMES.len(), proptest::collection::vec(inner, 0..6))
                .prop_map(|(name, children)| Element::new(NAMES[name]).with_children(children))
        })
    }

    proptest! {
        #[test]
        fn any_tree_is_judged_the_same_in_both_ways(mut root in tree(), version in 0..SchemaVersion::ALL.len(), whole: bool) {
            let version = SchemaVersion::ALL[version];
            if whole {
                let mut cib = crate::empty(Profile::V3_0);
                cib.child_mut("configuration").unwrap().child_mut("resources").unwrap().push(root);
                root = cib;
            }
            let issues = validate_against(&root, version);
            prop_assert_eq!(issues.is_empty(), is_valid(&root, version));
            prop_assert!(issues.iter().all(|issue| !issue.to_string().is_empty()));
            validate(&root);
        }
    }
}
