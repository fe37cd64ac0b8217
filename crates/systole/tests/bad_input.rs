// SPDX-License-Identifier: GPL-2.0-or-later
//! What users, disks and agents get wrong: a clear word about it, and the rest of the cluster goes on.
#![allow(clippy::panic, clippy::expect_used)] // a test may

mod common;

use anyhow::{Context, Result, ensure};
use common::Town;
use lab::cluster::wait_for;
use lab::trace::now_us;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(40);

/// Resources whose agents are missing, fail, and hang.
const TROUBLE: &str = r#"
<primitive id="missing" class="ocf" provider="systole" type="no-such-agent"/>
<primitive id="failing" class="ocf" provider="systole" type="process">
  <instance_attributes id="failing-params"><nvpair id="failing-command" name="command" value="/bin/false"/></instance_attributes>
  <operations><op id="failing-start" name="start" interval="0" timeout="10s"/></operations>
</primitive>
<primitive id="hanging" class="ocf" provider="pacemaker" type="Dummy">
  <instance_attributes id="hanging-params"><nvpair id="hanging-sleep" name="op_sleep" value="600"/></instance_attributes>
  <operations>
    <op id="hanging-start" name="start" interval="0" timeout="1s"/>
    <op id="hanging-stop" name="stop" interval="0" timeout="1s" on-fail="block"/>
    <op id="hanging-monitor" name="monitor" interval="0" timeout="1s"/>
  </operations>
</primitive>
"#;

/// For a CIB of another version than any here.
const PATCH_FOR_ANOTHER: &str = r#"<diff format="2"><version><source admin_epoch="77" epoch="1" num_updates="0"/><target
admin_epoch="77" epoch="2" num_updates="0"/></version><change operation="delete" path="/cib/configuration/resources"/></diff>"#;

type Check = fn(&Town) -> Result<()>;

#[test]
fn bad_agents_and_bad_documents_disturb_nobody() {
    let town = Town::new(TROUBLE).expect("the services run whatever the other resources do");
    let checks: [(&str, Check); 3] = [
        ("agents", agents_are_named),
        ("documents", documents_are_refused),
        ("switch", a_worn_switch_is_tried_again),
    ];
    for (name, check) in checks {
        if let Err(error) = check(&town) {
            panic!("{name}: {error:#}\n{}", town.logs());
        }
    }
}

/// Each bad resource is shown with what was wrong with it, and the log has the words for it.
fn agents_are_named(town: &Town) -> Result<()> {
    let shown =
        [("* missing\t", "Not installed"), ("* failing start", "/bin/false"), ("* hanging ", "within 1s")];
    for (start, word) in shown {
        let look = || town.cluster.ask("n1", "crm_mon", &["-1", "--inactive"]);
        wait_for(&format!("a line {start:?} with {word:?}"), PATIENCE, || {
            Ok(look()?.lines().any(|line| line.contains(start) && line.contains(word)).then_some(()))
        })
        .with_context(|| look().unwrap_or_default())?;
    }
    let log = std::fs::read_to_string(town.cluster.layout().log("n1"))?;
    let named =
        log.lines().any(|line| line.contains("missing") && line.contains("no-such-agent: No such file"));
    ensure!(named, "the log of n1 does not say which agent is missing");
    for (node, shop) in town.cluster.nodes().iter().zip(&town.shops) {
        ensure!(shop.served_by().as_deref() == Some(node), "{} does not answer", shop.name());
    }
    Ok(())
}

/// Nothing of a document that makes no sense gets in, and the tool says where it stops making sense.
fn documents_are_refused(town: &Town) -> Result<()> {
    let before = town.cluster.cib("n1")?;
    let version = |cib: &xml::Element| {
        (cib.attr("admin_epoch").map(str::to_owned), cib.attr("epoch").map(str::to_owned))
    };
    let deep = "<x>".repeat(10_000) + &"</x>".repeat(10_000);
    let folder = tempfile::tempdir()?;
    let cut = folder.path().join("cut.xml").display().to_string();
    let text = before.to_string();
    std::fs::write(&cut, text.get(..text.len() / 2).unwrap_or_default())?;
    let cases = [
        (vec!["--replace", "--xml-text", "this is not XML"], "line 1"),
        (vec!["--replace", "--xml-text", "<cib><configuration></cib>"], "line 1"),
        (
            vec![
                "--create",
                "--scope",
                "constraints",
                "--xml-text",
                r#"<rsc_location id="lost" rsc="nobody" node="n1" score="1"/>"#,
            ],
            "nobody",
        ),
        (
            vec![
                "--create",
                "--scope",
                "constraints",
                "--xml-text",
                r#"<rsc_ticket id="missing" rsc="missing" ticket="t"/>"#,
            ],
            "does not conform",
        ),
        (vec!["--replace", "--xml-text", "<?xml version='1.0' encoding='UTF-16'?><cib/>"], "UTF-16"),
        (vec!["--create", "--scope", "status", "--xml-text", &deep], "256 levels"),
        (vec!["--patch", "--xml-text", PATCH_FOR_ANOTHER], "Application of update diff failed"),
        (vec!["--replace", "--xml-file", &cut], "line 1"),
    ];
    for (arguments, word) in cases {
        let output = town.cluster.tool("n2", "cibadmin", &arguments)?;
        let said =
            String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        ensure!(!output.status.success(), "cibadmin {arguments:?} was accepted: {said}");
        ensure!(said.contains(word), "cibadmin {arguments:?} does not say {word:?}: {said}");
    }
    ensure!(version(&town.cluster.cib("n1")?) == version(&before), "the configuration has changed");
    Ok(())
}

/// A fence agent that fails twice: the node stays unclean, nothing is started elsewhere, until it works.
fn a_worn_switch_is_tried_again(town: &Town) -> Result<()> {
    let (victim, shop) = ("n3", &town.shops[2]);
    town.cluster.switch().fail_next(victim, 2);
    let failure = now_us();
    town.cluster.crash(victim)?;
    wait_for("the service elsewhere", PATIENCE, || Ok(shop.served_by().filter(|node| node != victim)))?;
    shop.prove(victim, failure)?;
    let attempts = lab::trace::Trace::new(town.cluster.layout().shared("switch.trace")).entries()?;
    let failed = attempts.iter().filter(|entry| entry.at_us > failure && entry.rc != 0).count();
    ensure!(failed == 2, "the switch failed {failed} times");
    town.cluster.boot(victim)?;
    town.whole()
}

#[test]
fn a_node_without_a_cluster_says_so_and_starts_nothing() {
    let root = tempfile::tempdir().expect("a folder");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_systole"))
        .arg("pacemakerd")
        .env("SYSTOLE_ROOT", root.path())
        .env_remove("SYSTOLE_CLUSTER")
        .output()
        .expect("the program runs");
    assert_eq!(output.status.code(), Some(78));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("set it in SYSTOLE_CLUSTER"), "{said}");
}
