// SPDX-License-Identifier: GPL-2.0-or-later
//! Dates, durations and rules as no sane hand writes them: each is refused, or judged, and in time.

use model::{Duration, Interval};
use rules::{Checker, DateTime, Input, Period, Verdict, evaluate};
use std::fmt::Write;
use std::time::{Duration as Span, Instant};

fn now() -> DateTime {
    DateTime::from_epoch(1_700_000_000, 3600)
}

/// In a debug build, on a busy machine.
fn soon<T>(work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    assert!(start.elapsed() < Span::from_secs(20), "took {:?}", start.elapsed());
    result
}

#[test]
fn absurd_dates_are_refused() {
    for text in [
        "0000-01-01",
        "0-001",
        "0-W01-1",
        "-5-01-01",
        "9999999999-13-01",
        "2147483648-01-01",
        "2024-13-01",
        "2024-00-10",
        "2024-02-30",
        "2023-02-29",
        "2024-367",
        "2023-366",
        "2021-W53-1",
        "2024-W00-1",
        "2024-W01-0",
        "2024-01-01 24:00:01",
        "2024-01-01 25:00",
        "2024-01-01 10:60",
        "2024-01-01 10:00:60",
        "2024-01-01 10:00:61",
        "2024-01-01 10:00 +25:00",
        "2024-01-01 10:00 +14:60",
        "2024",
        "yesterday",
        "",
        " ",
        "T",
        "P1D",
    ] {
        assert!(DateTime::parse(text, &now()).is_err(), "{text:?}");
    }
}

#[test]
fn dates_at_the_edge_are_read() {
    for (text, expected) in [
        ("2024-02-29", "2024-02-29 00:00:00Z"),
        ("2000-02-29", "2000-02-29 00:00:00Z"),
        ("2024-366", "2024-12-31 00:00:00Z"),
        ("2020-W53-7", "2021-01-03 00:00:00Z"),
        ("2024-12-31 24:00:00Z", "2025-01-01 00:00:00Z"),
        ("2024-01-01 10:00 +18:00", "2023-12-31 16:00:00Z"),
        ("2024-01-01 00:00 +24:00", "2023-12-31 00:00:00Z"),
        ("0001-01-01", "0001-01-01 00:00:00Z"),
        ("0001-01-01 00:00 +14:00", "0001-01-01 10:00:00Z"),
        ("2147483647-12-31 23:59:59Z", "2147483647-12-31 23:59:59Z"),
    ] {
        assert_eq!(DateTime::parse(text, &now()).unwrap().to_string(), expected, "{text}");
    }
}

#[test]
fn absurd_durations_end_within_time() {
    for text in ["P2147483647Y", "P2147483647M", "P2147483647D", "PT2147483647S", "P2147483647Y2147483647M"] {
        let span = Duration::parse(text).unwrap();
        for start in [DateTime::from_epoch(0, 0), now()] {
            assert!(start.plus(&span) > start && start.minus(&span) < start, "{text}");
        }
        // At the end of time the day stays, as Pacemaker has it, while the clock goes on.
        let end = DateTime::from_epoch(i64::MAX, 0);
        assert_eq!(end.plus(&span).calendar(), end.calendar(), "{text}");
        assert!(text.parse::<Interval>().is_ok());
    }
    for text in [
        "P2147483648D",
        "P99999999999999999999Y",
        "PT2147483647H",
        "P1.5D",
        "P",
        "PT",
        "P-",
        "P1",
        "P0D",
        "1D",
    ] {
        assert!(Duration::parse(text).is_err(), "{text}");
    }
    assert!(Period::parse(&format!("2024-01-01/P{}", "1Y".repeat(100_000)), &now()).is_ok());
    assert!(DateTime::parse(&"9".repeat(1_000_000), &now()).is_err());
}

#[test]
fn rules_within_rules_are_bounded() {
    let nested = |depth: usize| {
        let open: String = (0..depth).map(|level| format!("<rule id='r{level}' boolean-op='or'>")).collect();
        let inside = "<expression id='e' attribute='x' operation='not_defined'/>";
        xml::parse(&format!("{open}{inside}{}", "</rule>".repeat(depth))).unwrap()
    };
    assert_eq!(evaluate(&nested(100), &Input::at(now())).verdict, Verdict::Satisfied);
    let refused = evaluate(&nested(101), &Input::at(now()));
    assert_eq!(refused.verdict, Verdict::Unsatisfied);
    let said: Vec<String> = refused.issues.iter().map(ToString::to_string).collect();
    assert_eq!(said, ["Treating rule r100 as not passing because it is more than 100 levels deep in rules"]);
}

#[test]
fn a_hundred_thousand_expressions_are_judged() {
    let mut text = "<rule id='r' boolean-op='or'>".to_owned();
    for number in 0..100_000 {
        write!(text, "<expression id='e{number}' attribute='a' operation='eq' value='{number}'/>").unwrap();
    }
    text += "<date_expression id='d' operation='gt' start='2020-01-01'/></rule>";
    let rule = xml::parse(&text).unwrap();
    assert!(soon(|| evaluate(&rule, &Input::at(now()))).is_satisfied());
    // As many that are all wrong: some are told.
    let wrong = xml::parse(&text.replace("operation='eq'", "operation='is'")).unwrap();
    let evaluation = soon(|| evaluate(&wrong, &Input::at(now())));
    assert!(evaluation.is_satisfied() && evaluation.issues.len() == 1_000);
}

#[test]
fn references_that_double_at_every_step_end() {
    let mut text = "<cib><configuration>".to_owned();
    for level in 0..99 {
        let next = level + 1;
        write!(
            text,
            "<rule id='r{level}' boolean-op='or'><rule id-ref='r{next}'/><rule id-ref='r{next}'/></rule>"
        )
        .unwrap();
    }
    text += "<rule id='r99'><expression id='e' attribute='x' operation='defined'/></rule>";
    text += "<rule id='circle' boolean-op='or'><rule id-ref='circle'/><rule id-ref='circle'/></rule>";
    let cib = xml::parse(&(text + "</configuration></cib>")).unwrap();
    let input = Input { cib: Some(&cib), ..Input::at(now()) };
    for start in ["r0", "circle"] {
        let rule = xml::parse(&format!("<rule id-ref='{start}'/>")).unwrap();
        let evaluation = soon(|| evaluate(&rule, &input));
        assert!(!evaluation.is_satisfied());
        assert!(
            evaluation.issues.iter().any(|issue| issue.to_string().contains("more than 1000 references"))
        );
    }
}

#[test]
fn thousands_of_rules_are_asked_for() {
    let mut text = "<cib>".to_owned();
    for number in 0..20_000 {
        write!(
            text,
            "<rule id='r{number}'><date_expression id='d{number}' operation='lt' end='2099-01-01'/></rule>"
        )
        .unwrap();
    }
    let cib = xml::parse(&(text + "</cib>")).unwrap();
    soon(|| {
        let checker = Checker::of(&cib);
        for number in 0..20_000 {
            assert!(checker.check(&format!("r{number}"), &now()).unwrap().evaluation.is_satisfied());
        }
        assert!(checker.check("r20000", &now()).is_err());
    });
}
