// SPDX-License-Identifier: GPL-2.0-or-later
//! What clients get wrong, by mistake or on purpose: each is refused with its reason, and the CIB is as it was. The same
//! whether or not the CIB is known to be valid, and inside a transaction as outside.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use cib::patch::PatchError;
use cib::{CallOptions, Context, Operation, Outcome, Refusal, Request, Version, perform};
use model::{LegacyRc, Profile};
use xml::Element;

fn parse(text: &str) -> Element {
    xml::parse(text).unwrap()
}

/// Two resources, one of which is referred to; at 1.5.3.
fn cib() -> Element {
    parse(
        "<cib crm_feature_set='3.19.0' validate-with='pacemaker-3.9' admin_epoch='1' epoch='5' num_updates='3'>\
         <configuration><crm_config/><nodes><node id='1' uname='n1'/></nodes>\
         <resources><primitive id='p' class='ocf' provider='x' type='Dummy'/>\
         <primitive id='q' class='ocf' provider='x' type='Dummy'><meta_attributes id='q-meta'>\
         <nvpair id='q-meta-a' name='a' value='1'/></meta_attributes></primitive></resources>\
         <constraints><rsc_location id='l' rsc='p' node='n1' score='1'/></constraints></configuration>\
         <status><node_state id='1' uname='n1' crmd='offline'/></status></cib>",
    )
}

fn run_on(cib: &Element, request: &Request) -> Result<Outcome, Refusal> {
    let context = |cib_is_valid| Context { cib_is_valid, last_written: "now".into(), ..Context::default() };
    let [unknown, known] = [false, true].map(|valid| perform(cib, request, &context(valid)));
    match (&unknown, &known) {
        (Ok(a), Ok(b)) => assert_eq!((&a.cib, &a.patch), (&b.cib, &b.patch)),
        (a, b) => assert_eq!(a.as_ref().err(), b.as_ref().err()),
    }
    known
}

fn run(request: &Request) -> Result<Outcome, Refusal> {
    run_on(&cib(), request)
}

fn request(operation: Operation, section: &str, input: &str) -> Request {
    let request = Request::new(operation).input(parse(input));
    if section.starts_with('/') { request.xpath(section) } else { request.section(section) }
}

/// The same as the second step of a transaction.
fn in_transaction(request: &Request) -> Request {
    let mut command = Element::new("cib_command")
        .with_attr("cib_op", request.operation)
        .with_attr("cib_callopt", request.options.bits());
    command.set_attr_opt("cib_section", request.section.as_ref());
    if let Some(input) = &request.input {
        command.push(Element::new("cib_calldata").with_child(input.clone()));
    }
    let harmless = parse(
        "<cib_command cib_op='cib_modify' cib_section='nodes' cib_callopt='0'>\
         <cib_calldata><node id='1' uname='n1'/></cib_calldata></cib_command>",
    );
    let transaction = Element::new("cib_transaction").with_children([harmless, command]);
    Request::new(Operation::CommitTransaction).input(transaction)
}

/// Refused by the schema with these words, alone and in a transaction.
fn invalid(request: &Request, words: &str) {
    for request in [request.clone(), in_transaction(request)] {
        let refusal = run(&request).unwrap_err();
        assert!(matches!(refusal, Refusal::Invalid { .. }), "{request:?}: {refusal}");
        assert_eq!(refusal.rc(), LegacyRc::SCHEMA_VALIDATION);
        assert!(refusal.to_string().contains(words), "{request:?}: {refusal}");
    }
}

const TO_HERE: &str = "<version><source admin_epoch='1' epoch='5' num_updates='3'/><target admin_epoch='1' epoch='6' num_updates='0'/></version>";

fn patch(changes: &str) -> Request {
    request(Operation::ApplyPatch, "all", &format!("<diff format='2'>{TO_HERE}{changes}</diff>"))
}

#[test]
fn no_operation_makes_an_id_twice() {
    let words = r#"id="q" is already the id of"#;
    let group = "<group id='q'><primitive id='r' class='ocf' provider='x' type='Dummy'/></group>";
    invalid(&request(Operation::Create, "resources", group), words);
    invalid(&request(Operation::Modify, "resources", group).with(CallOptions::CAN_CREATE), words);
    invalid(
        &request(Operation::Modify, "constraints", "<rsc_location id='q' rsc='p' node='n1' score='1'/>")
            .with(CallOptions::CAN_CREATE),
        words,
    );
    let nvpairs = "<meta_attributes id='q-meta'><nvpair id='p' name='b' value='1'/></meta_attributes>";
    invalid(&request(Operation::Modify, "resources", nvpairs), r#"id="p" is already the id of"#);
    invalid(&request(Operation::Replace, "//nvpair", "<nvpair id='q' name='a' value='2'/>"), words);
    let section = "<resources><primitive id='q' class='ocf' provider='x' type='Dummy'/>\
                   <primitive id='p' class='ocf' provider='x' type='Dummy'/>\
                   <primitive id='q' class='ocf' provider='x' type='Dummy'/></resources>";
    invalid(&request(Operation::Replace, "resources", section), words);
    let mut whole = cib();
    let resources = whole.child_mut("configuration").unwrap().child_mut("resources").unwrap();
    resources.push(parse("<primitive id='q' class='ocf' provider='x' type='Dummy'/>"));
    invalid(&request(Operation::Replace, "all", &whole.to_string()), words);
    let create = "<change operation='create' path='/cib/configuration/resources' position='2'>\
                  <primitive id='q' class='ocf' provider='x' type='Dummy'/></change>";
    invalid(&patch(create), words);
    let modify = "<change operation='modify' path=\"/cib/configuration/resources/primitive[@id='p']\">\
                  <change-list><change-attr name='id' operation='set' value='q'/></change-list><change-result>\
                  <primitive id='q' class='ocf' provider='x' type='Dummy'/></change-result></change>";
    invalid(&patch(modify), words);
}

#[test]
fn no_operation_leaves_a_reference_that_leads_nowhere() {
    let words = r#"refers to nothing"#;
    let ghost = "<rsc_location id='l2' rsc='ghost' node='n1' score='1'/>";
    invalid(&request(Operation::Create, "constraints", ghost), words);
    invalid(&request(Operation::Modify, "constraints", ghost).with(CallOptions::CAN_CREATE), words);
    invalid(&request(Operation::Modify, "constraints", "<rsc_location id='l' rsc='ghost'/>"), words);
    invalid(&request(Operation::Delete, "resources", "<primitive id='p'/>"), words);
    invalid(&request(Operation::Replace, "resources", "<resources/>"), words);
    invalid(
        &request(
            Operation::Replace,
            "//primitive[@id='p']",
            "<primitive id='p2' class='ocf' provider='x' type='Dummy'/>",
        ),
        words,
    );
    invalid(&Request::new(Operation::Delete).xpath("//primitive[@id='p']"), words);
    let delete = "<change operation='delete' path=\"/cib/configuration/resources/primitive[@id='p']\"/>";
    invalid(&patch(delete), words);
    // What comes and goes in one transaction need not be right between its steps, but each step is looked at.
    let both = parse(
        "<cib_transaction>\
         <cib_command cib_op='cib_delete' cib_section='constraints' cib_callopt='0'><cib_calldata><rsc_location id='l'/></cib_calldata></cib_command>\
         <cib_command cib_op='cib_delete' cib_section='resources' cib_callopt='0'><cib_calldata><primitive id='p'/></cib_calldata></cib_command>\
         </cib_transaction>",
    );
    assert!(run(&Request::new(Operation::CommitTransaction).input(both)).is_ok());
}

#[test]
fn patches_for_others_and_patches_to_nowhere_say_so() {
    let to = |from: &str, to: &str| {
        let version = |name: &str, text: &str| {
            let numbers: Vec<&str> = text.split('.').collect();
            format!(
                "<{name} admin_epoch='{}' epoch='{}' num_updates='{}'/>",
                numbers[0], numbers[1], numbers[2]
            )
        };
        let (source, target) = (version("source", from), version("target", to));
        let text = format!("<diff format='2'><version>{source}{target}</version></diff>");
        match run(&request(Operation::ApplyPatch, "all", &text)).unwrap_err() {
            Refusal::Patch(error) => error,
            other => panic!("{other}"),
        }
    };
    assert!(matches!(to("1.6.0", "1.7.0"), PatchError::Ahead { .. }));
    assert!(matches!(to("1.4.0", "1.5.0"), PatchError::Behind { .. }));
    assert!(matches!(to("1.5.3", "1.5.3"), PatchError::NoProgress(..)));
    assert!(matches!(to("1.5.3", "9999999999.0.0"), PatchError::BadVersion("target")));
    assert!(matches!(to("-1.5.3", "x.6.0"), PatchError::BadVersion(_) | PatchError::Ahead { .. }));
    for path in [
        "",
        "/",
        "//",
        "cib",
        "/zoo",
        "/cib/configuration/nodes/node[@id='7']",
        "/zoo[",
        "/cib/node[@id='1",
        "/cib/@epoch",
    ] {
        for operation in ["delete", "modify", "create", "move", "paint", ""] {
            let change = Element::new("change").with_attr("operation", operation).with_attr("path", path);
            let result = "<change-list/><change-result><x/></change-result>";
            let change = change.to_string().replace("/>", &format!(" position='0'>{result}</change>"));
            if operation == "delete" && path.starts_with("/") {
                // What is not there need not be deleted any more.
                continue;
            }
            let refusal = run(&patch(&change)).unwrap_err();
            assert!(matches!(refusal, Refusal::Patch(_)), "{change}: {refusal}");
            assert!(refusal.to_string().starts_with("change 1: "), "{change}: {refusal}");
        }
    }
    for position in ["-1", "99999999999999999999", "x", ""] {
        let change = format!(
            "<change operation='create' path='/cib/status' position='{position}'><node_state id='9'/></change>"
        );
        // Wherever that is, there is one more or none.
        let states =
            run(&patch(&change)).map(|outcome| outcome.cib.child("status").unwrap().children().len());
        assert!(states.is_err() || states == Ok(2), "{position}: {states:?}");
    }
}

#[test]
fn nothing_grows_deeper_than_what_can_be_read() {
    let nested =
        |levels: usize| (1..levels).fold(Element::new("x"), |inner, _| Element::new("x").with_child(inner));
    let too_deep = |refusal: Refusal| matches!(refusal, Refusal::TooDeep { .. });
    for levels in [257, 10_000, 100_000] {
        for operation in [
            Operation::Create,
            Operation::Modify,
            Operation::Replace,
            Operation::Delete,
            Operation::ApplyPatch,
        ] {
            let request = Request::new(operation).section("status").input(nested(levels));
            assert!(
                too_deep(run(&request.with(CallOptions::CAN_CREATE)).unwrap_err()),
                "{operation} of {levels}"
            );
        }
    }
    // Nor step by step: the status holds anything, but not anything at all.
    let first = Request::new(Operation::Modify).section("status").with(CallOptions::CAN_CREATE);
    let mut cib = run(&first.input(nested(100))).unwrap().cib;
    let mut path = "/cib/status".to_owned();
    let refusal = loop {
        path += &"/x".repeat(99);
        assert!(path.len() < 10_000, "there is no end");
        match run_on(&cib, &Request::new(Operation::Modify).xpath(&(path.clone() + "/x")).input(nested(100)))
        {
            Ok(outcome) => cib = outcome.cib,
            Err(refusal) => break refusal,
        }
    };
    assert!(too_deep(refusal));
    assert!(xml::parse(&cib.to_string()).is_ok(), "what was taken can be read again");
}

#[test]
fn numbers_that_are_too_large_stay_numbers() {
    let value = |text: &str| {
        let input = format!("<nvpair id='q-meta-a' value='{text}'/>");
        let request = request(Operation::Modify, "resources", &input).with(CallOptions::SCORE_UPDATE);
        let outcome = run(&request).unwrap();
        let nvpair = outcome.cib.descendants().find(|element| element.id() == Some("q-meta-a"));
        nvpair.unwrap().attr("value").unwrap().to_owned()
    };
    assert_eq!(value("value++"), "2");
    assert_eq!(value("value+=999999999999999999999999999999"), "1000000");
    assert_eq!(value("value+=-999999999999999999999999999999"), "-1000000");
    assert_eq!(value("value+=INFINITY"), "1000000");
    assert_eq!(value("value+=-INFINITY"), "-1000000");
    assert_eq!(value("value+="), "1");
    assert_eq!(value(&format!("value+={}", "9".repeat(100_000))), "1000000");
    // Versions end where their numbers do.
    let last = cib().with_attr("epoch", i32::MAX).with_attr("num_updates", i32::MAX);
    let node = request(Operation::Modify, "nodes", "<node id='1' uname='n1' type='member'/>");
    let outcome = run_on(&last, &node).unwrap();
    assert_eq!(Version::of(&outcome.cib), Version::new(1, i32::MAX, 0));
    let far = run(&request(Operation::Modify, "cib", "<cib epoch='99999999999999999999'/>"));
    assert!(far.is_err_and(|refusal| matches!(refusal, Refusal::Old { .. } | Refusal::Invalid { .. })));
}

#[test]
fn absurd_options_do_nothing_absurd() {
    let before = cib();
    for bits in [u32::MAX, 1 << 31, 0x7fff_ffff, 0xdead_beef] {
        for operation in [
            Operation::Create,
            Operation::Modify,
            Operation::Delete,
            Operation::Replace,
            Operation::Erase,
            Operation::Bump,
            Operation::Upgrade,
        ] {
            for section in [
                None,
                Some(""),
                Some("zoo"),
                Some("//*"),
                Some("//["),
                Some("/cib/@*"),
                Some("count(//*)"),
                Some("status"),
            ] {
                let mut request = Request::new(operation)
                    .with(CallOptions::from_bits(bits))
                    .input(parse("<node_state id='1'/>"));
                request.section = section.map(str::to_owned);
                if let Ok(outcome) = run(&request) {
                    assert_eq!(outcome.cib.name(), "cib");
                    assert!(Version::of(&outcome.cib) >= Version::of(&before) || outcome.patch.is_none());
                }
            }
        }
    }
    for text in ["-5", "4294967296", "99999999999999999999", "x", ""] {
        let message =
            Element::new("cib_command").with_attr("cib_op", "cib_query").with_attr("cib_callopt", text);
        assert_eq!(Request::from_message(&message).unwrap().options, CallOptions::default(), "{text}");
    }
}

#[test]
fn a_huge_transaction_is_done_in_time_or_not_at_all() {
    let step = |number: usize| {
        let input = Element::new("primitive")
            .with_attr("id", format!("r{number}"))
            .with_attr("class", "ocf")
            .with_attr("provider", "x")
            .with_attr("type", "Dummy");
        Element::new("cib_command")
            .with_attr("cib_op", "cib_create")
            .with_attr("cib_section", "resources")
            .with_attr("cib_callopt", 0)
            .with_child(Element::new("cib_calldata").with_child(input))
    };
    let context = Context { cib_is_valid: true, profile: Profile::V3_0, ..Context::default() };
    let steps =
        |numbers: std::ops::Range<usize>| Element::new("cib_transaction").with_children(numbers.map(step));
    let commit = |transaction| {
        perform(&cib(), &Request::new(Operation::CommitTransaction).input(transaction), &context)
    };
    let outcome = commit(steps(0..500)).unwrap();
    assert_eq!(outcome.cib.descend(&["configuration", "resources"]).unwrap().children().len(), 502);
    // The last of many asks for what is there.
    let refusal = commit(steps(0..500).with_child(step(0))).unwrap_err();
    assert_eq!(refusal.rc(), LegacyRc::EEXIST);
    // A transaction in a transaction is none.
    let nested = Element::new("cib_command").with_attr("cib_op", "cib_commit_transact");
    let nested = nested.with_child(Element::new("cib_calldata").with_child(steps(0..1)));
    let refusal = commit(Element::new("cib_transaction").with_child(nested)).unwrap_err();
    assert!(matches!(refusal, Refusal::NotInTransaction(_)), "{refusal}");
}
