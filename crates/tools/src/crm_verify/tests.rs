// SPDX-License-Identifier: GPL-2.0-or-later
//! What people check, and what they are told.

use super::*;

const VALID: &str = r#"<cib validate-with="pacemaker-4.0" admin_epoch="0" epoch="1" num_updates="0"><configuration>
    <crm_config><cluster_property_set id="o"><nvpair id="o-f" name="fencing-enabled" value="false"/></cluster_property_set>
    </crm_config><nodes/><resources/><constraints/></configuration><status/></cib>"#;

fn verify(line: &[&str], stdin: &str) -> (i32, String, String) {
    let args: Vec<OsString> = ["crm_verify"].iter().chain(line).map(OsString::from).collect();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let now = WallTime::from_secs(1_700_000_000);
    let stdin = &mut stdin.as_bytes();
    let code = command_line::run(&args, &mut out, &mut err, |options, out| work(options, now, stdin, out));
    (code.value(), String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

#[test]
fn a_good_configuration_is_passed_over_in_silence() {
    let nothing = (0, String::new(), String::new());
    assert_eq!(verify(&["-X", VALID], ""), nothing);
    assert_eq!(verify(&["-p"], VALID), nothing);
    assert_eq!(verify(&["-x", "-"], VALID), nothing);
}

#[test]
fn errors_of_the_scheduler_are_told_to_who_asks() {
    let bad = VALID.replace("value=\"false\"", "value=\"true\"").replace(
        "<resources/>",
        r#"<resources><primitive id="a" class="ocf" provider="heartbeat" type="Dummy"/></resources>"#,
    );
    let (code, _, err) = verify(&["-X", &bad], "");
    assert_eq!((code, err.as_str()), (78, "Configuration invalid (-V may provide more detail)\n"));
    assert_eq!(verify(&["-q", "-X", &bad], ""), (78, String::new(), String::new()));
    let (_, _, err) = verify(&["-V", "-X", &bad], "");
    assert!(err.starts_with("error: Resource start-up disabled since no fencing resources"), "{err}");
    assert!(err.ends_with("error: CIB did not pass schema validation\nConfiguration invalid\n"), "{err}");
    let (_, out, _) = verify(&["--output-as=xml", "-X", &bad], "");
    assert!(
        out.contains("<error>error: Resource start-up disabled") && out.contains(r#"code="78""#),
        "{out}"
    );
}

#[test]
fn what_is_no_cib_is_named() {
    let (code, _, err) = verify(&["-X", "<html/>"], "");
    assert_eq!(code, 78);
    assert!(err.starts_with("Input is not a CIB (outermost element is html not cib)\n"), "{err}");
    let (code, _, err) = verify(&["-X", "<cib><configuration></cib>"], "");
    assert_eq!(code, 78);
    assert!(
        err.starts_with("line 1") && err.ends_with("Verification failed: Unable to parse CIB XML\n"),
        "{err}"
    );
    let broken = VALID.replace("<constraints/>", "");
    let (code, _, err) = verify(&["-X", &broken], "");
    assert!(code == 78 && err.contains("constraints"), "{err}");
    let odd = VALID.replace("<nodes/>", "<nodes>\n  <node uname=\"a\"/></nodes>");
    let (_, _, err) = verify(&["-X", &odd], "");
    assert!(err.starts_with("line 4, column 3: <node>: attribute 'id' is missing\n"), "{err}");
    let (_, _, err) = verify(&["-p"], &odd);
    assert!(err.starts_with("-:4:3: <node>: attribute 'id' is missing\n"), "{err}");
    assert_eq!(verify(&[], "").0, 1);
    assert_eq!(verify(&["-x", "/nonexistent/cib.xml"], "").0, 78);
}

#[test]
fn what_was_checked_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("saved.xml");
    assert_eq!(verify(&["-X", VALID, "-S", file.to_str().unwrap()], "").0, 0);
    assert_eq!(verify(&["-x", file.to_str().unwrap()], "").0, 0);
    let (code, _, err) = verify(&["-X", VALID, "-S", "/nonexistent/saved.xml"], "");
    assert!(code == 73 && err.contains("/nonexistent/saved.xml: No such file"), "{err}");
}
