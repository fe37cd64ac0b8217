// SPDX-License-Identifier: GPL-2.0-or-later
//! Tables of conditions and what comes of them.

use super::*;
use crate::Pattern;
use model::{Interval, Role, Score};
use std::collections::BTreeMap;
use xml::parse;

fn at(text: &str) -> DateTime {
    DateTime::parse(text, &DateTime::from_epoch(0, 0)).unwrap()
}

fn verdict(condition: &str, input: &Input<'_>) -> Verdict {
    evaluate(&parse(condition).unwrap(), input).verdict
}

fn issues(condition: &str) -> Vec<String> {
    let evaluation = evaluate(&parse(condition).unwrap(), &Input::at(at("2020-01-01")));
    evaluation.issues.iter().map(ToString::to_string).collect()
}

use Verdict::{AfterRange, BeforeRange, Invalid, Satisfied, Unsatisfied};

#[test]
fn dates() {
    for (condition, now, expected, change) in [
        (r#"operation="lt" end="2020-01-02""#, "2020-01-01", Satisfied, Some("2020-01-02 00:00:00Z")),
        (r#"operation="lt" end="2020-01-01""#, "2020-01-01", AfterRange, None),
        (r#"operation="gt" start="2020-01-01""#, "2020-01-01", BeforeRange, Some("2020-01-01 00:00:01Z")),
        (r#"operation="GT" start="2019-12-31""#, "2020-01-01", Satisfied, None),
        (r#"start="2020-01-01" end="2020-01-31""#, "2019-12-31", BeforeRange, Some("2020-01-01 00:00:00Z")),
        (r#"start="2020-01-01" end="2020-01-31""#, "2020-01-01", Satisfied, Some("2020-01-31 00:00:01Z")),
        (r#"start="2020-01-01" end="2020-01-31""#, "2020-01-31", Satisfied, Some("2020-01-31 00:00:01Z")),
        (r#"start="2020-01-01" end="2020-01-31""#, "2020-01-31 00:00:01Z", AfterRange, None),
        (r#"operation="in_range" start="2020-01-01""#, "2030-01-01", Satisfied, None),
        (r#"operation="in_range" end="2020-01-01""#, "2000-01-01", Satisfied, Some("2020-01-01 00:00:01Z")),
        // The same moment in another place.
        (r#"operation="lt" end="2020-01-01 02:00:00 +02:00""#, "2020-01-01", AfterRange, None),
    ] {
        let condition = parse(&format!("<date_expression id='d' {condition}/>")).unwrap();
        let evaluation = evaluate(&condition, &Input::at(at(now)));
        assert_eq!(evaluation.verdict, expected, "{condition} {now}");
        assert_eq!(evaluation.next_change.map(|at| at.to_string()).as_deref(), change, "{condition} {now}");
        assert!(evaluation.issues.is_empty());
    }
}

#[test]
fn durations_follow_their_start() {
    for (duration, now, expected) in [
        ("months='1'", "2020-02-29 00:00:00Z", Satisfied),
        ("months='1'", "2020-02-29 00:00:01Z", AfterRange),
        ("years='1'", "2021-01-31", Satisfied),
        ("weeks='1' days='1' hours='1'", "2020-02-08 01:00:00Z", Satisfied),
        ("weeks='1' days='1' hours='1'", "2020-02-08 01:00:01Z", AfterRange),
        ("minutes='1' seconds='30'", "2020-01-31 00:01:30Z", Satisfied),
        ("minutes='1' seconds='30'", "2020-01-31 00:01:31Z", AfterRange),
        ("months='1'", "2020-01-30", BeforeRange),
    ] {
        let condition = format!(
            "<date_expression id='d' start='2020-01-31' operation='in_range'><duration id='u' {duration}/></date_expression>"
        );
        assert_eq!(verdict(&condition, &Input::at(at(now))), expected, "{duration} {now}");
    }
}

#[test]
fn date_specs_are_of_the_place() {
    for (spec, now, expected) in [
        ("", "2020-02-05", Satisfied),
        ("years='2020'", "2020-02-05", Satisfied),
        ("years='2019'", "2020-02-05", AfterRange),
        ("years='2021-'", "2020-02-05", BeforeRange),
        ("years='-2021'", "2020-02-05", Satisfied),
        ("hours='9-16' weekdays='1-5'", "2020-02-05 16:59:59Z", Satisfied),
        ("hours='9-16' weekdays='1-5'", "2020-02-05 17:00:00Z", AfterRange),
        ("hours='9-16' weekdays='1-5'", "2020-02-09 10:00:00Z", AfterRange),
        ("hours='9-16'", "2020-02-05 10:00:00 -08:00", Satisfied),
        ("hours='9-16'", "2020-02-05 10:00:00 +08:00", Satisfied),
        ("months='2' monthdays='29'", "2020-02-29", Satisfied),
        ("yeardays='60'", "2020-02-29", Satisfied),
        ("weekyears='2020' weeks='53' weekdays='5'", "2021-01-01", Satisfied),
        ("minutes='30' seconds='15-20'", "2021-01-01 00:30:14Z", BeforeRange),
    ] {
        let condition = format!(
            "<date_expression id='d' operation='date_spec'><date_spec id='s' {spec}/></date_expression>"
        );
        assert_eq!(verdict(&condition, &Input::at(at(now))), expected, "{spec} {now}");
    }
}

#[test]
fn attributes_of_nodes() {
    let node =
        BTreeMap::from([("site", "North"), ("load", "9"), ("version", "1.10"), ("rack-db", "7"), ("x", "")]);
    let parameters = BTreeMap::from([("limit", "10")]);
    let meta = BTreeMap::from([("home", "north")]);
    let submatches = Pattern::parse("^ip-(.*)$").unwrap().find("ip-db").unwrap();
    let input = Input {
        node_attributes: Some(&node),
        parameters: Some(&parameters),
        meta: Some(&meta),
        submatches: Some(&submatches),
        ..Input::at(at("2020-01-01"))
    };
    for (condition, expected) in [
        ("attribute='site' operation='defined'", Satisfied),
        ("attribute='nope' operation='defined'", Unsatisfied),
        ("attribute='nope' operation='not_defined'", Satisfied),
        ("attribute='x' operation='defined'", Satisfied),
        ("attribute='site' operation='eq' value='north'", Satisfied),
        ("attribute='site' operation='ne' value='north'", Unsatisfied),
        ("attribute='nope' operation='ne' value='north'", Satisfied),
        ("attribute='nope' operation='eq' value=''", Unsatisfied),
        ("attribute='load' operation='lt' value='10'", Satisfied),
        ("attribute='load' operation='lt' value='10' type='string'", AfterRange),
        ("attribute='load' operation='gt' value='9.5'", BeforeRange),
        ("attribute='load' operation='gte' value='9.0'", Satisfied),
        ("attribute='load' operation='lte' value='8'", AfterRange),
        ("attribute='nope' operation='lt' value='10'", Unsatisfied),
        ("attribute='version' operation='gt' value='1.9'", BeforeRange),
        ("attribute='version' operation='gt' value='1.9' type='version'", Satisfied),
        ("attribute='version' operation='eq' value='1.10.0' type='version'", Satisfied),
        ("attribute='load' operation='lt' value='limit' value-source='param'", Satisfied),
        ("attribute='site' operation='eq' value='home' value-source='meta'", Satisfied),
        ("attribute='site' operation='eq' value='nope' value-source='meta'", Unsatisfied),
        ("attribute='nope' operation='eq' value='nope' value-source='meta'", Satisfied),
        ("attribute='load' operation='lt' value='nope' value-source='param'", Unsatisfied),
        ("attribute='rack-%1' operation='eq' value='7'", Satisfied),
    ] {
        assert_eq!(verdict(&format!("<expression id='e' {condition}/>"), &input), expected, "{condition}");
    }
}

#[test]
fn resources_and_operations() {
    let input = Input {
        standard: Some("ocf"),
        provider: Some("heartbeat"),
        agent: Some("IPaddr2"),
        operation: Some(("monitor", Interval::from_secs(10))),
        ..Input::at(at("2020-01-01"))
    };
    let nothing = Input::at(at("2020-01-01"));
    for (condition, expected, without) in [
        ("<rsc_expression id='e' class='ocf' provider='heartbeat' type='IPaddr2'/>", Satisfied, Unsatisfied),
        ("<rsc_expression id='e' type='IPaddr2'/>", Satisfied, Unsatisfied),
        ("<rsc_expression id='e' type='ipaddr2'/>", Unsatisfied, Unsatisfied),
        ("<rsc_expression id='e' class='lsb'/>", Unsatisfied, Unsatisfied),
        ("<rsc_expression id='e'/>", Satisfied, Satisfied),
        ("<op_expression id='e' name='monitor'/>", Satisfied, Unsatisfied),
        ("<op_expression id='e' name='monitor' interval='10s'/>", Satisfied, Unsatisfied),
        ("<op_expression id='e' name='monitor' interval='PT10S'/>", Satisfied, Unsatisfied),
        ("<op_expression id='e' name='monitor' interval='11'/>", Unsatisfied, Unsatisfied),
        // Read as the intervals of operations are, or a rule could not name one that is written the same.
        ("<op_expression id='e' name='monitor' interval='10.5 s'/>", Satisfied, Unsatisfied),
        ("<op_expression id='e' name='monitor' interval='P10S'/>", Satisfied, Unsatisfied),
        ("<op_expression id='e' name='monitor' interval='-10'/>", Invalid, Invalid),
        ("<op_expression id='e' name='start'/>", Unsatisfied, Unsatisfied),
    ] {
        assert_eq!(verdict(condition, &input), expected, "{condition}");
        assert_eq!(verdict(condition, &nothing), without, "{condition}, of nothing");
    }
}

/// A satisfied and an unsatisfied condition, and one that changes in 2021.
const YES: &str = "<rsc_expression id='yes'/>";
const NO: &str = "<rsc_expression id='no' class='x'/>";
const UNTIL_2021: &str = "<date_expression id='until' operation='lt' end='2021-01-01'/>";

#[test]
fn rules_join_their_conditions() {
    for (boolean, conditions, expected, change) in [
        ("", format!("{YES}{UNTIL_2021}"), Satisfied, true),
        ("boolean-op='and'", format!("{YES}{NO}{UNTIL_2021}"), Unsatisfied, false),
        ("boolean-op='or'", format!("{NO}{UNTIL_2021}{YES}"), Satisfied, true),
        ("boolean-op='OR'", format!("{YES}{UNTIL_2021}"), Satisfied, false),
        ("boolean-op='or'", format!("{NO}{NO}"), Unsatisfied, false),
        ("", format!("{YES}<rule id='in' boolean-op='or'>{NO}{UNTIL_2021}</rule>"), Satisfied, true),
        ("", format!("{YES}<rule id='in'>{NO}{UNTIL_2021}</rule>"), Unsatisfied, false),
        ("", format!("<expression id='wrong'/>{YES}"), Unsatisfied, false),
        ("boolean-op='or'", format!("<expression id='wrong'/>{YES}"), Satisfied, false),
    ] {
        let rule = parse(&format!("<rule id='r' {boolean}>{conditions}</rule>")).unwrap();
        let evaluation = evaluate(&rule, &Input::at(at("2020-01-01")));
        assert_eq!(evaluation.verdict, expected, "{rule}");
        assert_eq!(evaluation.next_change.is_some(), change, "{rule}");
    }
}

#[test]
fn references_lead_to_rules() {
    let cib = parse(&format!(
        "<cib><configuration><a><rule id='yes'>{YES}</rule><rule id='twice'/><rule id='twice'/></a>\
         <b><rule id='circle'><rule id-ref='circle'/></rule></b></configuration></cib>"
    ))
    .unwrap();
    let input = Input { cib: Some(&cib), ..Input::at(at("2020-01-01")) };
    assert_eq!(verdict("<rule id-ref='yes'/>", &input), Satisfied);
    assert_eq!(verdict("<rule id-ref='twice'/>", &input), Invalid);
    assert_eq!(verdict("<rule id-ref='gone'/>", &input), Invalid);
    assert_eq!(verdict("<rule id-ref='yes'/>", &Input::at(at("2020-01-01"))), Invalid);
    let circle = evaluate(&parse("<rule id-ref='circle'/>").unwrap(), &input);
    assert_eq!(circle.verdict, Unsatisfied);
    assert_eq!(
        circle.issues[0].to_string(),
        "Treating rule circle as not passing because it is more than 100 levels deep in rules"
    );
}

#[test]
fn what_is_wrong_is_said_with_the_element() {
    for (condition, expected) in [
        ("<rule/>", "Treating rule without id as not passing because it has no id"),
        ("<rule id='r'/>", "Ignoring rule r because it contains no conditions"),
        (
            "<rule id='r' boolean-op='xor'/>",
            "Treating rule r as not passing because 'xor' is not a valid boolean-op (expected and, or)",
        ),
        ("<moon id='m'/>", "Treating moon m as not passing because moon is not a valid condition type"),
        ("<expression attribute='a'/>", "Treating expression without id as not passing because it has no id"),
        (
            "<expression id='e' operation='eq'/>",
            "Treating expression e as not passing because it has no attribute",
        ),
        (
            "<expression id='e' attribute='a'/>",
            "Treating expression e as not passing because it has no operation",
        ),
        (
            "<expression id='e' attribute='a' operation='like' value='x'/>",
            "Treating expression e as not passing because 'like' is not a valid operation (expected defined, not_defined, eq, ne, lt, lte, gt, gte)",
        ),
        (
            "<expression id='e' attribute='a' operation='eq'/>",
            "Treating expression e as not passing because it has no value",
        ),
        (
            "<expression id='e' attribute='a' operation='defined' value='x'/>",
            "Treating expression e as not passing because value is not allowed when operation is defined",
        ),
        (
            "<expression id='e' attribute='a' operation='eq' value='x' type='float'/>",
            "Treating expression e as not passing because 'float' is not a valid type (expected string, integer, number, version)",
        ),
        (
            "<expression id='e' attribute='a' operation='eq' value='x' value-source='dice'/>",
            "Treating expression e as not passing because 'dice' is not a valid value-source (expected literal, param, meta)",
        ),
        (
            "<date_expression id='d'/>",
            "Treating date_expression d as not passing because in_range requires at least one of start or end",
        ),
        (
            "<date_expression id='d' operation='gt' end='2020-01-01'/>",
            "Treating date_expression d as not passing because it has no start",
        ),
        (
            "<date_expression id='d' operation='lt' end='soon'/>",
            "Treating date_expression d as not passing because end is invalid: 'soon' is not a valid ISO 8601 date/time specification",
        ),
        (
            "<date_expression id='d' operation='date_spec'/>",
            "Treating date_expression d as not passing because it has no date_spec subelement",
        ),
        (
            "<date_expression id='d' operation='date_spec'><date_spec id='s' hours='nine'/></date_expression>",
            "Treating date_expression d as not passing because 'nine' is not a valid hours (expected a number, or a range such as 1-5, 3- or -7)",
        ),
        (
            "<date_expression id='d' start='2020-01-01'><duration id='u' hours='many'/></date_expression>",
            "Treating date_expression d as not passing because 'many' is not a valid hours (expected a whole number of 32 bits)",
        ),
        ("<op_expression id='o'/>", "Treating op_expression o as not passing because it has no name"),
        (
            "<op_expression id='o' name='x' interval='often'/>",
            "Treating op_expression o as not passing because 'often' is not a valid interval (expected a number with s, ms, us, min, h or no unit, or an ISO 8601 duration)",
        ),
    ] {
        assert_eq!(issues(condition), [expected], "{condition}");
    }
}

#[test]
fn rules_of_constraints_have_scores_and_roles() {
    let node = BTreeMap::from([("loc-db", "-INFINITY"), ("bad", "much"), ("loose", " 7.5")]);
    let submatches = Pattern::parse("^ip-(.*)$").unwrap().find("ip-db").unwrap();
    let input =
        Input { node_attributes: Some(&node), submatches: Some(&submatches), ..Input::at(at("2020-01-01")) };
    let score = |rule: &str| score_of(&parse(rule).unwrap(), &input).map(|score| score.value(&input));
    assert_eq!(score("<rule id='r' score='100'/>"), Ok(Some(Score::new(100))));
    assert_eq!(score("<rule id='r' score-attribute='loc-%1'/>"), Ok(Some(Score::MINUS_INFINITY)));
    // What follows a number does not count.
    assert_eq!(score("<rule id='r' score='100 points'/>"), Ok(Some(Score::new(100))));
    assert_eq!(score("<rule id='r' score-attribute='loose'/>"), Ok(Some(Score::new(7))));
    assert_eq!(score("<rule id='r' score-attribute='bad'/>"), Ok(None));
    assert_eq!(score("<rule id='r' score-attribute='gone'/>"), Ok(None));
    let refusal = score("<rule id='r' score='much'/>").unwrap_err().to_string();
    assert_eq!(
        refusal,
        "Ignoring rule r because 'much' is not a valid score (expected an integer, INFINITY or -INFINITY)"
    );
    assert!(score("<rule id='r'/>").is_err());

    let role = |rule: &str| role_of(&parse(rule).unwrap(), &input);
    assert_eq!(role("<rule id='r'/>"), Ok(None));
    assert_eq!(role("<rule id='r' role='Unpromoted'/>"), Ok(None));
    assert_eq!(role("<rule id='r' role='Master'/>"), Ok(Some(Role::Promoted)));
    assert!(role("<rule id='r' role='boss'/>").is_err());
}
