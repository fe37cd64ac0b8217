// SPDX-License-Identifier: GPL-2.0-or-later
//! Debian's own `cibadmin` against our CIB manager, and ours against the same: what an administrator types, what comes
//! out, and what is on disk afterwards.
//!
//! Needs root (for a network namespace of its own, as IPC names are the network namespace's) and Debian's Pacemaker
//! tools. Where they are missing the test says so and, under `CI=true`, fails.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "common/not_run.rs"]
mod not_run;

use not_run::not_run;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use xml::Element;

const DEBIAN: &str = "/usr/sbin/cibadmin";

/// A CIB manager without other nodes, in a network namespace of its own.
struct Manager {
    process: Child,
    profile: &'static str,
    folder: TempDir,
}

impl Manager {
    fn start(profile: &'static str) -> Manager {
        Manager::start_in(profile, tempfile::Builder::new().prefix("cib-").tempdir().unwrap())
    }

    fn start_in(profile: &'static str, folder: TempDir) -> Manager {
        let log = fs::File::create(folder.path().join("out")).unwrap();
        let process = Command::new("unshare")
            .args(["-n", "--", env!("CARGO_BIN_EXE_systole"), "pacemaker-based", "-s", "-w", "-V", "-r"])
            .arg(folder.path().join("cib"))
            .env("SYSTOLE_ROOT", folder.path())
            .env("SYSTOLE_PROFILE", profile)
            .env("PCMK_stderr", "1")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let manager = Manager { process, profile, folder };
        let patience = Instant::now() + Duration::from_secs(20);
        while !manager.run(DEBIAN, &["-Q"]).status.success() {
            assert!(Instant::now() < patience, "no answer; its log:\n{}", manager.log());
            std::thread::sleep(Duration::from_millis(100));
        }
        manager
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("out")).unwrap_or_default()
    }

    /// Runs a program where the manager is.
    fn run(&self, program: &str, args: &[&str]) -> Output {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.process.id().to_string(), "-n", "--", program]);
        if program != DEBIAN {
            command.arg("cibadmin");
        }
        command.args(args).env("SYSTOLE_PROFILE", self.profile).stdin(Stdio::null()).output().unwrap()
    }

    fn query(&self, program: &str, args: &[&str]) -> Element {
        let output = self.run(program, &[&["-Q"], args].concat());
        xml::parse_bytes(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
    }

    /// Ends it in good order; its folder stays.
    fn stop(mut self) -> TempDir {
        let kill = Command::new("kill").arg(self.process.id().to_string()).status().unwrap();
        assert!(kill.success());
        let status = self.process.wait().unwrap();
        assert!(status.success(), "{status}; its log:\n{}", self.log());
        std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap())
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        // After `stop` there is nothing left to end.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What is missing to run these tests.
fn missing() -> Option<String> {
    let tools = [DEBIAN, "/usr/bin/unshare", "/usr/bin/nsenter"];
    if let Some(tool) = tools.iter().find(|tool| !Path::new(tool).exists()) {
        return Some(format!("{tool} is not installed"));
    }
    let namespace = Command::new("unshare").args(["-n", "true"]).stderr(Stdio::null()).status();
    (!namespace.is_ok_and(|status| status.success()))
        .then(|| "not allowed to make a network namespace".to_owned())
}

/// Says loudly that a test was not run; in CI that is a failure.
fn can_run(test: &str) -> bool {
    let Some(missing) = missing() else { return true };
    not_run(test, &missing);
    false
}

const DUMMY: &str = r#"<primitive id="d" class="ocf" provider="pacemaker" type="Dummy"/>"#;

/// The same session for both clients.
fn session(manager: &Manager, program: &str) {
    let run = |args: &[&str], code: i32| {
        let output = manager.run(program, args);
        let text =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{program} {args:?}: {text}\n{}", manager.log());
        text
    };
    let cib = manager.query(program, &[]);
    assert_eq!((cib.name(), cib.attr("epoch")), ("cib", Some("0")));
    // Create, once.
    run(&["-C", "-o", "resources", "-X", DUMMY], 0);
    let text = run(&["-C", "-o", "resources", "-X", DUMMY], 108);
    assert!(text.contains("File exists") && text.contains("<failed_update id=\"d\""), "{text}");
    // Modify what is there, and what is not.
    run(&["-M", "-o", "resources", "-X", r#"<primitive id="d" provider="heartbeat"/>"#], 0);
    run(&["-M", "-o", "resources", "-X", r#"<primitive id="e" provider="heartbeat"/>"#], 105);
    let resources = manager.query(program, &["-o", "resources"]);
    assert_eq!(
        resources.to_string(),
        r#"<resources><primitive id="d" class="ocf" provider="heartbeat" type="Dummy"/></resources>"#
    );
    // A section, an XPath, counting.
    let pair = r#"<crm_config><cluster_property_set id="o"><nvpair id="o-x" name="x" value="5"/></cluster_property_set></crm_config>"#;
    run(&["-M", "-o", "crm_config", "-X", pair], 0);
    run(&["-M", "-o", "crm_config", "-X", r#"<nvpair id="o-x" value="value++"/>"#], 0);
    let found = run(&["-Q", "--xpath", "//nvpair[@name='x']"], 0);
    // A client of 2.1 does not ask for counting; 2.1's manager counted all the same.
    let value = if program == DEBIAN && manager.profile == "3.0" { "value++" } else { "6" };
    assert_eq!(found.trim(), format!(r#"<nvpair id="o-x" name="x" value="{value}"/>"#));
    assert!(run(&["-Q", "--xpath", "//nvpair[@name='y']"], 105).contains("No such device or address"));
    // What refers to nothing.
    let text = run(
        &["-C", "-o", "constraints", "-X", r#"<rsc_location id="l" rsc="ghost" node="n" score="1"/>"#],
        78,
    );
    assert!(text.contains("Update does not conform to the configured schema"), "{text}");
    assert!(manager.log().contains(r#"<rsc_location id="l">: rsc="ghost" refers to nothing"#));
    // What is not XML never gets as far as the manager.
    assert_ne!(manager.run(program, &["-C", "-o", "resources", "-X", "<primitive"]).status.code(), Some(0));
    // A patch for another version.
    let patch = r#"<diff format="2"><version><source admin_epoch="0" epoch="1" num_updates="0"/><target admin_epoch="0" epoch="2" num_updates="0"/></version></diff>"#;
    assert!(run(&["-P", "-X", patch], 103).contains("Update was older than existing configuration"));
    // Replace, delete.
    let before = manager.query(program, &[]);
    assert_eq!(
        (before.attr("epoch"), before.attr("update-client"), before.attr("update-user")),
        (Some("4"), Some("cibadmin"), Some("root"))
    );
    let file = manager.folder.path().join("new.xml");
    let mut new = before.clone();
    let configuration = new.child_mut("configuration").unwrap();
    configuration
        .child_mut("nodes")
        .unwrap()
        .push(Element::new("node").with_attr("id", 1).with_attr("uname", "n1"));
    fs::write(&file, new.to_string()).unwrap();
    let file = file.to_string_lossy().into_owned();
    run(&["-R", "-x", &file], 0);
    assert_eq!(
        manager.query(program, &["-o", "nodes"]).to_string(),
        r#"<nodes><node id="1" uname="n1"/></nodes>"#
    );
    assert!(run(&["-R", "-x", &file], 103).contains("older"));
    run(&["-D", "-o", "resources", "-X", r#"<primitive id="d"/>"#], 0);
    run(&["-D", "-o", "resources", "-X", r#"<primitive id="d"/>"#], 0);
    assert_eq!(manager.query(program, &["-o", "resources"]).to_string(), "<resources/>");
    run(&["-M", "-o", "status", "-c", "-X", r#"<node_state id="1" uname="n1"/>"#], 0);
    assert!(run(&["-E"], 107).contains("--force"));
}

/// What was acknowledged is there after a restart, signed as Debian's tools sign.
fn survives(manager: Manager, program: &str) {
    let before = manager.query(program, &["-o", "configuration"]);
    let profile = manager.profile;
    let folder = manager.stop();
    let live: PathBuf = folder.path().join("cib/cib.xml");
    let signature = fs::read_to_string(folder.path().join("cib/cib.xml.sig")).unwrap();
    let output = Command::new(DEBIAN).arg("-5").arg("-x").arg(&live).output().unwrap();
    assert!(
        String::from_utf8_lossy(&output.stdout).contains(signature.trim()),
        "{output:?}, signed {signature}"
    );
    assert!(!fs::read_to_string(&live).unwrap().contains("node_state"));
    let manager = Manager::start_in(profile, folder);
    assert_eq!(manager.query(program, &["-o", "configuration"]), before);
}

#[test]
fn debians_cibadmin_reads_and_writes() {
    if !can_run("debians_cibadmin_reads_and_writes") {
        return;
    }
    for profile in ["3.0", "2.1"] {
        let manager = Manager::start(profile);
        session(&manager, DEBIAN);
        survives(manager, DEBIAN);
    }
}

#[test]
fn our_cibadmin_does_the_same() {
    if !can_run("our_cibadmin_does_the_same") {
        return;
    }
    let ours = env!("CARGO_BIN_EXE_systole");
    let manager = Manager::start("3.0");
    session(&manager, ours);
    let create = ["-C", "-o", "constraints", "-X", r#"<rsc_location id="l" rsc="ghost"/>"#, "-V"];
    let refused =
        |arguments: &[&str]| String::from_utf8_lossy(&manager.run(ours, arguments).stderr).into_owned();
    let text = refused(&create);
    // To who asks, ours says which element, what was expected, and then what Pacemaker says; to scripts, the latter.
    assert_eq!(
        refused(&create[..5]),
        "cibadmin: CIB API call failed: Update does not conform to the configured schema\n"
    );
    assert!(
        text.contains(r#"<rsc_location id="l">: rsc="ghost" refers to nothing; expected the id of"#),
        "{text}"
    );
    assert!(
        text.ends_with("cibadmin: CIB API call failed: Update does not conform to the configured schema\n"),
        "{text}"
    );
    survives(manager, ours);
}

#[test]
fn an_edited_file_is_put_aside_and_said_so() {
    if !can_run("an_edited_file_is_put_aside_and_said_so") {
        return;
    }
    let manager = Manager::start("3.0");
    assert!(manager.run(DEBIAN, &["-C", "-o", "resources", "-X", DUMMY]).status.success());
    assert!(manager.run(DEBIAN, &["-D", "-o", "resources", "-X", DUMMY]).status.success());
    let folder = manager.stop();
    let live = folder.path().join("cib/cib.xml");
    let text = fs::read_to_string(&live).unwrap();
    fs::write(&live, text.replace("<nodes/>", r#"<nodes><node id="6" uname="six"/></nodes>"#)).unwrap();
    let manager = Manager::start_in("3.0", folder);
    // The one before: with the resource.
    let cib = manager.query(DEBIAN, &[]);
    assert!(
        cib.descendants().any(|element| element.id() == Some("d")) && cib.attr("epoch") == Some("1"),
        "{cib}"
    );
    assert!(manager.log().contains("edited by hand or damaged"), "{}", manager.log());
    let aside = manager.folder.path().join("cib/cib.auto.000/cib.xml");
    assert!(fs::read_to_string(aside).unwrap().contains("six"));
}

#[test]
fn a_cib_in_a_file_is_changed_as_debian_changes_it() {
    if !can_run("a_cib_in_a_file_is_changed_as_debian_changes_it") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let start = r#"<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="0" num_updates="0" admin_epoch="0"><configuration><crm_config/><nodes/><resources/><constraints/></configuration><status/></cib>"#;
    let steps: [&[&str]; 8] = [
        &["-C", "-o", "resources", "-X", DUMMY],
        &[
            "-M",
            "-o",
            "resources",
            "-X",
            r#"<primitive id="d" type="Stateful"><meta_attributes id="m"><nvpair id="m-x" name="x" value="1"/></meta_attributes></primitive>"#,
        ],
        &["-M", "-o", "resources", "-X", r#"<nvpair id="m-x" value="value+=5"/>"#],
        &["-C", "-o", "status", "-X", r#"<node_state id="1" uname="n1"><lrm id="1"/></node_state>"#],
        &["-M", "-X", r#"<cib admin_epoch="3"/>"#],
        &[
            "-R",
            "-o",
            "resources",
            "-X",
            r#"<resources><primitive id="f" class="ocf" provider="heartbeat" type="Dummy"/><primitive id="d" class="ocf" provider="heartbeat" type="Dummy"/></resources>"#,
        ],
        &["-D", "--xpath", "//primitive[@id='f']"],
        &["-B"],
    ];
    let both =
        [(DEBIAN, vec![]), (env!("CARGO_BIN_EXE_systole"), vec!["cibadmin"])].map(|(program, first)| {
            let file = folder.path().join(Path::new(program).file_name().unwrap());
            fs::write(&file, start).unwrap();
            let states = steps.iter().map(|step| {
                let mut command = Command::new(program);
                command.args(&first).args(*step).env("CIB_file", &file).stdin(Stdio::null());
                let output = command.output().unwrap();
                assert!(output.status.success(), "{program} {step:?}: {output:?}");
                xml::parse(&fs::read_to_string(&file).unwrap()).unwrap().to_string()
            });
            states.collect::<Vec<_>>()
        });
    for (step, (debian, ours)) in steps.iter().zip(both[0].iter().zip(&both[1])) {
        assert_eq!(debian, ours, "after {step:?}");
    }
}
