// SPDX-License-Identifier: GPL-2.0-or-later
//! What people type, and what they get: on a file, so without a cluster.

use super::*;

fn cibadmin(line: &[&str], stdin: &str) -> (i32, String, String) {
    let args: Vec<OsString> = ["cibadmin"].iter().chain(line).map(OsString::from).collect();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let stdin = &mut stdin.as_bytes();
    let code = command_line::run(&args, &mut out, &mut err, |options, out| work(options, stdin, out));
    (code.value(), String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

#[test]
fn digests_are_pacemakers() {
    // What Pacemaker 2.1.5's cibadmin prints for it.
    let cib = r#"<cib epoch="1" crm_feature_set="3.16.1"><configuration/></cib>"#;
    assert_eq!(cibadmin(&["-5", "-p"], cib).1, "faaeb82ab3834479cc1d4c303f607fbd\n");
    assert_eq!(cibadmin(&["--md5-sum-versioned", "-X", cib], "").1, "64a6a6791c13a2cc10ef230d6edd1894\n");
}

#[test]
fn an_empty_cib_is_printed() {
    let (code, out, _) = cibadmin(&["--empty"], "");
    assert_eq!(code, 0);
    assert!(
        out.starts_with(
            r#"<cib crm_feature_set="3.20.5" validate-with="pacemaker-4.0" admin_epoch="0" epoch="1""#
        ),
        "{out}"
    );
    assert!(cibadmin(&["--empty=pacemaker-3.5"], "").1.contains(r#"validate-with="pacemaker-3.5""#));
}

#[test]
fn wrong_command_lines_and_input_are_refused() {
    assert_eq!(cibadmin(&["--paint"], "").0, 64);
    let (code, _, err) = cibadmin(&["-M"], "");
    assert_eq!(
        (code, err.as_str()),
        (64, "cibadmin: The supplied command requires input via --xml-file, --xml-text, or --xml-pipe\n")
    );
    assert!(cibadmin(&["-D"], "").2.contains("requires either --xpath or input via"));
    let (code, _, err) = cibadmin(&["-C", "-X", "<a><b></a>"], "");
    assert_eq!(code, 65);
    assert!(
        err.starts_with("line 1, column")
            && err.ends_with("cibadmin: Couldn't parse input from input string\n"),
        "{err}"
    );
    let (code, _, err) = cibadmin(&["-R", "-x", "/nonexistent/x.xml"], "");
    assert_eq!(code, 65);
    assert!(err.contains("Couldn't parse input from /nonexistent/x.xml"), "{err}");
    let (code, _, err) = cibadmin(&["-E"], "");
    assert_eq!(code, 107);
    assert!(err.contains("the --force flag is required"), "{err}");
}

#[test]
fn the_last_command_counts() {
    let action = |line: &[&str]| {
        let args: Vec<OsString> = ["cibadmin"].iter().chain(line).map(OsString::from).collect();
        command_line::parsed::<Options>(&args).unwrap().action
    };
    assert_eq!(action(&[]), Action::Query);
    assert_eq!(action(&["-Q", "-M"]), Action::Modify);
    assert_eq!(action(&["--modify", "--query"]), Action::Query);
    assert_eq!(action(&["-Ql", "-o", "nodes"]), Action::Query);
}

#[test]
fn help_and_version_are_given() {
    let (code, out, _) = cibadmin(&["--help"], "");
    assert!(code == 0 && out.contains("--help-commands") && out.contains("Application Options"), "{out}");
    assert!(cibadmin(&["--version"], "").1.starts_with("Pacemaker 3.0.2"));
}

#[test]
fn a_report_holds_what_would_be_printed_and_how_it_went() {
    let (code, out, _) = cibadmin(&["--empty", "--output-as=xml"], "");
    let report = xml::parse_with(&out, xml::TextPolicy::Keep, xml::Limits::default()).unwrap();
    assert_eq!((code, report.attr("request")), (0, Some("cibadmin --empty --output-as=xml")));
    let inside = xml::parse(&report.child("output").unwrap().text()).unwrap();
    assert_eq!(inside.name(), "cib");
    assert_eq!(report.child("status").unwrap().attr("code"), Some("0"));
    let (code, out, _) = cibadmin(&["-M", "--output-as", "xml"], "");
    assert!(code == 64 && out.contains(r#"code="64""#) && out.contains("requires input via"), "{out}");
}
