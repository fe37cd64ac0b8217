// SPDX-License-Identifier: GPL-2.0-or-later
//! What users and agents see of it, on a CIB file. The texts are Pacemaker 3.0.2's.

use super::*;
use crate::cib_access::CibSession;
use std::path::PathBuf;

const CIB: &str = r#"<cib crm_feature_set="3.20.5" validate-with="pacemaker-4.0" admin_epoch="0" epoch="5" num_updates="1">
<configuration>
  <crm_config><cluster_property_set id="cib-bootstrap-options"><nvpair id="o-d" name="cluster-delay" value="60s"/></cluster_property_set>
  <cluster_property_set id="more"><nvpair id="m-d" name="dc-deadtime" value="5s"/></cluster_property_set></crm_config>
  <nodes><node id="1" uname="node1"/></nodes><resources/><constraints/>
</configuration><status><node_state id="1" uname="node1"/></status></cib>"#;

struct Lab {
    _folder: tempfile::TempDir,
    file: PathBuf,
}

impl Lab {
    fn new() -> Lab {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cib.xml");
        std::fs::write(&file, CIB).unwrap();
        Lab { _folder: folder, file }
    }

    /// Exit code, and what was printed on both streams.
    fn run(&self, args: &str) -> (i32, String) {
        self.run_as_agent(args, &[])
    }

    fn run_as_agent(&self, args: &str, env: &[(&str, &str)]) -> (i32, String) {
        let args: Vec<OsString> =
            [Options::NAME].into_iter().chain(args.split_whitespace()).map(OsString::from).collect();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let env = |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let open = || CibSession::open_file(&self.file);
        let around = Surroundings { program: Options::NAME, env: &env, open: &open };
        let code = command_line::run(&args, &mut out, &mut err, |options, out| work(options, &around, out));
        let code = code.value();
        (code, String::from_utf8(out).unwrap() + &String::from_utf8(err).unwrap())
    }

    fn holds(&self, text: &str) -> bool {
        xml::parse(&std::fs::read_to_string(&self.file).unwrap()).unwrap().to_string().contains(text)
    }
}

const NOTHING: &str = "crm_attribute: Error performing operation: No such device or address\n";

#[test]
fn cluster_options() {
    let lab = Lab::new();
    assert_eq!(lab.run("-n cluster-delay -G"), (0, "scope=crm_config name=cluster-delay value=60s\n".into()));
    assert_eq!(lab.run("-n cluster-delay -q"), (0, "60s\n".into()));
    assert_eq!(lab.run("-n none"), (105, NOTHING.into()));
    assert_eq!(lab.run("-n none -d 7 -q"), (0, "7\n".into()));
    assert_eq!(lab.run("-n cluster-delay -v 30s"), (0, String::new()));
    assert!(lab.holds(r#"<nvpair id="o-d" name="cluster-delay" value="30s"/>"#));
    assert_eq!(lab.run("-n no-quorum-policy -v ignore"), (0, String::new()));
    assert!(lab.holds(
        r#"<nvpair id="cib-bootstrap-options-no-quorum-policy" name="no-quorum-policy" value="ignore"/>"#
    ));
    assert_eq!(lab.run("-s more -n cluster-delay -v 1s").0, 0);
    let (code, text) = lab.run("-n cluster-delay -v 2s");
    assert_eq!(code, 109);
    assert!(
        text.contains("Multiple attributes match name=cluster-delay\n  Value: 30s \t(id=o-d)\n"),
        "{text}"
    );
    let deleted = "Deleted crm_config option: id=(null) name=cluster-delay\n";
    assert_eq!(lab.run("-i o-d -n cluster-delay -D"), (0, deleted.into()));
    assert_eq!(lab.run("-n none -D"), (0, String::new()));
}

#[test]
fn node_attributes() {
    let lab = Lab::new();
    assert_eq!(lab.run("-n ram -v 1024M -N node1"), (0, String::new()));
    assert!(lab.holds(r#"<node id="1" uname="node1"><instance_attributes id="nodes-1"><nvpair id="nodes-1-ram" name="ram" value="1024M"/>"#));
    assert_eq!(lab.run("-n rattr -v XYZ -N node1 -t nodes").0, 0);
    assert_eq!(
        lab.run("-P ra.* -G -N node1").1,
        "scope=nodes name=ram value=1024M\nscope=nodes name=rattr value=XYZ\n"
    );
    assert_eq!(lab.run("-P ^rat -D -N node1").1, "Deleted nodes attribute: id=nodes-1-rattr name=rattr\n");
    assert_eq!(lab.run("-n cpu -v 1 -z -N node1").0, 0);
    assert!(lab.holds(
        r#"<utilization id="nodes-1-utilization"><nvpair id="nodes-1-utilization-cpu" name="cpu" value="1"/>"#
    ));
    assert_eq!(lab.run("-n cpu -z -N node1 -q").1, "1\n");
    assert_eq!(
        lab.run("-n cpu -N node9"),
        (105, "crm_attribute: Could not map name=node9 to a UUID\n".into())
    );
}

#[test]
fn attributes_that_live_as_long_as_the_node() {
    let lab = Lab::new();
    assert_eq!(lab.run("-n fail-count-foo -v 3 -N node1 -t status"), (0, String::new()));
    assert!(lab.holds(r#"<nvpair id="status-1-fail-count-foo" name="fail-count-foo" value="3"/>"#));
    assert_eq!(lab.run("-n fail-count-foo -v value++ -N node1 -l reboot").0, 0);
    assert_eq!(lab.run("-n fail-count-foo -N node1 -l reboot -q").1, "4\n");
    assert_eq!(
        lab.run("-n fail-count-foo -D -N node1 -l reboot").1,
        "Deleted status attribute: id=status-1-fail-count-foo name=fail-count-foo\n"
    );
    let env = [("OCF_RESOURCE_INSTANCE", "db"), ("OCF_RESKEY_CRM_meta_on_node", "node1")];
    assert_eq!(lab.run_as_agent("-p -v 5", &env), (0, String::new()));
    assert_eq!(lab.run_as_agent("-p -G", &env).1, "scope=status name=master-db value=5\n");
    assert_eq!(lab.run_as_agent("-p web -v -INFINITY", &env).0, 0);
    assert_eq!(lab.run("--promotion web -q -N node1").1, "-INFINITY\n");
}

#[test]
fn says_what_is_wrong() {
    let lab = Lab::new();
    for (args, text) in [
        ("-D", "crm_attribute: Error: must specify attribute name or pattern to delete\n"),
        ("-v 1", "crm_attribute: Error: must specify attribute name or pattern to update\n"),
        ("-n a -P b", "crm_attribute: Error: --name and --pattern cannot be used at the same time\n"),
        (
            "-p -G",
            "crm_attribute: -p/--promotion must be called from an OCF resource agent or with a resource ID specified\n",
        ),
    ] {
        assert_eq!(lab.run(args), (64, text.into()), "{args}");
    }
    assert_eq!(lab.run("-P ( -G").0, 64);
    assert_eq!(lab.run("-n a -N node1 -l sometimes").0, 76);
}
