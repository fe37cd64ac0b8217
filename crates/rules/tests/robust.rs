// SPDX-License-Identifier: GPL-2.0-or-later
//! Whatever is written as a date, duration, period or rule is read or refused; and what was read writes back.

use model::Duration;
use proptest::prelude::*;
use rules::{DateForm, DateTime, Input, Pattern, Period, Recurrence, evaluate};
use xml::Element;

fn nearly_time() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "2024",
        "1",
        "0",
        "02",
        "29",
        "366",
        "53",
        "99999999999",
        "-",
        "-W",
        ":",
        "T",
        " ",
        "Z",
        "+",
        "+01:30",
        "24",
        "P",
        "Y",
        "M",
        "D",
        "H",
        "S",
        "W",
        "/",
        "R",
        "epoch",
        ".",
        "é",
        "2147483647",
    ]);
    prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_breaks_the_calendar(
        text in prop_oneof![nearly_time(), any::<String>()],
        secs in any::<i64>(),
        offset_s in -86_400..=86_400,
    ) {
        let now = DateTime::from_epoch(secs, offset_s);
        // At both ends of time another place's day may be beyond it.
        let inside = |at: &DateTime| (2..rules::MAX_YEAR).contains(&at.calendar().0);
        if let Ok(at) = DateTime::parse(&text, &now)
            && inside(&at)
        {
            for form in [DateForm::Calendar, DateForm::Ordinal] {
                let written = at.text(form, false);
                prop_assert_eq!(DateTime::parse(&written, &now), Ok(at), "{}", written);
            }
        }
        if let Ok(span) = Duration::parse(&text) {
            let _ = (span.to_string(), now.plus(&span), now.minus(&span));
        }
        let _ = Period::parse(&text, &now);
        if let Ok(recurrence) = Recurrence::parse(&text, &now)
            && let Some(period) = recurrence.at_or_after(&now)
        {
            prop_assert!(period.end > now && period.end > period.start);
        }
    }

    #[test]
    fn moments_go_there_and_back(secs in -62_135_596_800..200_000_000_000_i64, minutes in -1_439..=1_439) {
        let at = DateTime::from_epoch(secs, minutes * 60);
        let near_the_begin = secs < -62_135_596_800 + 90_000;
        if !near_the_begin {
            prop_assert_eq!(at.epoch_s(), secs);
            for form in [DateForm::Calendar, DateForm::Ordinal, DateForm::Week] {
                let written = at.text(form, true);
                prop_assert_eq!(DateTime::parse(&written, &at).unwrap().epoch_s(), secs, "{}", written);
            }
        }
        let (year, month, day) = at.calendar();
        prop_assert!((1..=12).contains(&month) && (1..=31).contains(&day) && year >= 1);
    }

    #[test]
    fn no_rule_breaks_the_judge(
        name in prop::sample::select(vec!["expression", "date_expression", "rsc_expression", "op_expression", "rule"]),
        attributes in prop::collection::vec((
            prop::sample::select(vec![
                "id", "id-ref", "operation", "attribute", "value", "type", "value-source", "start", "end", "interval",
                "boolean-op", "class", "name",
            ]),
            prop_oneof![nearly_time(), prop::sample::select(vec![
                "lt", "gt", "eq", "in_range", "date_spec", "defined", "number", "version", "integer", "or", "%1x", "i",
            ]).prop_map(str::to_owned)],
        ), 0..8),
        child in prop::sample::select(vec!["date_spec", "duration", "rule", "moon"]),
        spec in prop::collection::vec((
            prop::sample::select(vec!["id", "years", "months", "hours", "weeks", "weekdays", "seconds"]), nearly_time(),
        ), 0..4),
    ) {
        let build = |name: &'static str, attributes: &[(&'static str, String)]| {
            attributes.iter().fold(Element::new(name), |element, (name, value)| element.with_attr(*name, value))
        };
        let condition = build(name, &attributes).with_child(build(child, &spec));
        let submatches = Pattern::parse("(.)").unwrap().find("é");
        let input = Input { cib: Some(&condition), submatches: submatches.as_ref(), ..Input::at(DateTime::from_epoch(0, 0)) };
        let evaluation = evaluate(&condition, &input);
        prop_assert!(evaluation.is_satisfied() || evaluation.verdict.exit_code().value() != 0);
    }
}
