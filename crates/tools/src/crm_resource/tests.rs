// SPDX-License-Identifier: GPL-2.0-or-later
//! What users see of it, on a CIB file. The texts are Pacemaker 3.0.2's.

use super::*;
use std::path::PathBuf;

const CIB: &str = r#"<cib crm_feature_set="3.20.5" validate-with="pacemaker-4.0" admin_epoch="0" epoch="5" num_updates="1" have-quorum="1" dc-uuid="1">
<configuration>
  <crm_config><cluster_property_set id="o"><nvpair id="o-f" name="fencing-enabled" value="false"/></cluster_property_set></crm_config>
  <nodes><node id="1" uname="node1"/><node id="2" uname="node2"/></nodes>
  <resources>
    <primitive id="ip" class="ocf" provider="pacemaker" type="Dummy" description="the address">
      <instance_attributes id="ip-low" score="1"><nvpair id="ip-low-ip" name="ip" value="10.0.0.1"/></instance_attributes>
      <instance_attributes id="ip-high" score="2"><nvpair id="ip-high-ip" name="ip" value="10.0.0.2"/></instance_attributes>
      <meta_attributes id="ip-meta"><nvpair id="ip-meta-m" name="is-managed" value="true"/></meta_attributes>
    </primitive>
    <group id="g"><primitive id="a" class="ocf" provider="pacemaker" type="Dummy"/><primitive id="b" class="ocf" provider="pacemaker" type="Dummy"/></group>
  </resources>
  <constraints/>
</configuration>
<status>
  <node_state id="1" uname="node1" in_ccm="true" crmd="online" join="member" expected="member">
    <lrm id="1"><lrm_resources>
      <lrm_resource id="ip" class="ocf" provider="pacemaker" type="Dummy"><lrm_rsc_op id="ip_last_0" operation_key="ip_start_0" operation="start" crm_feature_set="3.20.5" transition-key="1:1:0:11111111-1111-1111-1111-111111111111" transition-magic="0:0;1:1:0:11111111-1111-1111-1111-111111111111" call-id="5" rc-code="0" op-status="0" interval="0"/></lrm_resource>
      <lrm_resource id="a" class="ocf" provider="pacemaker" type="Dummy"><lrm_rsc_op id="a_last_0" operation_key="a_start_0" operation="start" crm_feature_set="3.20.5" transition-key="2:1:0:11111111-1111-1111-1111-111111111111" transition-magic="0:0;2:1:0:11111111-1111-1111-1111-111111111111" call-id="6" rc-code="0" op-status="0" interval="0"/></lrm_resource>
    </lrm_resources></lrm>
  </node_state>
  <node_state id="2" uname="node2" in_ccm="true" crmd="online" join="member" expected="member"/>
</status></cib>"#;

struct Lab {
    _folder: tempfile::TempDir,
    file: PathBuf,
}

struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Lab {
    fn new() -> Lab {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cib.xml");
        std::fs::write(&file, CIB).unwrap();
        Lab { _folder: folder, file }
    }

    fn run(&self, args: &str) -> Said {
        let args: Vec<OsString> =
            [PROGRAM].into_iter().chain(args.split_whitespace()).map(OsString::from).collect();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let open = || CibSession::open_file(&self.file);
        let code = run(&args, WallTime::from_secs(1_700_000_000), open, &mut out, &mut err);
        Said {
            code: code.value(),
            out: String::from_utf8(out).unwrap(),
            err: String::from_utf8(err).unwrap(),
        }
    }

    /// The elements of the file's configuration with this id.
    fn find(&self, id: &str) -> Vec<String> {
        let cib = xml::parse(&std::fs::read_to_string(&self.file).unwrap()).unwrap();
        cib.descendants().filter(|element| element.id() == Some(id)).map(ToString::to_string).collect()
    }
}

#[test]
fn lists_resources() {
    let lab = Lab::new();
    let listed = "Full List of Resources:\n  * ip\t(ocf:pacemaker:Dummy):\t Started (the address)\n  \
                  * Resource Group: g:\n    * a\t(ocf:pacemaker:Dummy):\t Started\n    \
                  * b\t(ocf:pacemaker:Dummy):\t Stopped\n";
    assert_eq!(lab.run("-L").out, listed);
    assert_eq!(lab.run("").out, listed);
    assert_eq!(lab.run("--list-raw").out, "ip\na\nb\n");
}

#[test]
fn says_where_a_resource_runs() {
    let lab = Lab::new();
    assert_eq!(lab.run("-W -r ip").out, "resource ip is running on: node1\n");
    assert_eq!(lab.run("-W -r g").out, "resource g is running on: node1\n");
    assert_eq!(lab.run("-Q -W -r ip").out, "node1\n");
    let stopped = lab.run("-W -r b");
    assert_eq!((stopped.code, &*stopped.out, &*stopped.err), (0, "", "resource b is NOT running\n"));
}

#[test]
fn shows_configuration() {
    let lab = Lab::new();
    let shown = lab.run("-q -r a").out;
    assert!(
        shown.starts_with("a\t(ocf:pacemaker:Dummy):\t Started node1\nResource XML:\n<primitive id=\"a\""),
        "{shown}"
    );
    assert_eq!(lab.run("-r ip -g ip").out, "10.0.0.2\n");
    assert_eq!(lab.run("-r ip -m -g is-managed").out, "true\n");
    assert_eq!(lab.run("-r ip --element -g type").out, "Dummy\n");
    let missing = lab.run("-r ip -g none");
    assert_eq!((missing.code, &*missing.err), (0, "Attribute 'none' not found for 'ip'\n"));
}

#[test]
fn sets_and_deletes_parameters() {
    let lab = Lab::new();
    let said = lab.run("-r a --meta -p target-role -v Stopped");
    let text = "Set 'a' option: id=a-meta_attributes-target-role set=a-meta_attributes name=target-role value=Stopped\n";
    assert_eq!((said.code, &*said.out, &*said.err), (0, text, ""));
    let pair = r#"<nvpair id="a-meta_attributes-target-role" name="target-role" value="Stopped"/>"#;
    assert_eq!(lab.find("a-meta_attributes-target-role"), [pair]);
    assert_eq!(lab.run("-r a -m -g target-role").out, "Stopped\n");
    // What is there is changed where it is; which, has to be said if it is there twice.
    let several = lab.run("-r ip -p ip -v 10.0.0.3");
    assert_eq!(several.code, 109);
    assert!(
        several.out.starts_with("Multiple attributes match name=ip\n  Value: 10.0.0.1 \t(id=ip-low-ip)\n")
    );
    lab.run("-r ip -s ip-low -p ip -v 10.0.0.3");
    assert_eq!(lab.find("ip-low-ip"), [r#"<nvpair id="ip-low-ip" name="ip" value="10.0.0.3"/>"#]);
    lab.run("-r ip -s ip-high -p ip -v 10.0.0.4");
    assert_eq!(lab.run("-r ip -g ip").out, "10.0.0.4\n");
    let said = lab.run("-r a --meta -d target-role");
    assert_eq!(said.out, "Deleted 'a' option: id=a-meta_attributes-target-role name=target-role\n");
    assert!(lab.find("a-meta_attributes-target-role").is_empty());
    assert_eq!(lab.run("-r a --meta -d target-role").code, 105);
    assert_eq!(
        lab.run("-r a --element -p description -v hello").out,
        "Set attribute: name=description value=hello\n"
    );
    assert_eq!(lab.run("-r a --element -g description").out, "hello\n");
    assert_eq!(lab.run("-r a --element -d description").out, "Deleted attribute: description\n");
    assert_eq!(lab.run("-r a -p x").code, 64);
}

#[test]
fn moves_bans_and_clears() {
    let lab = Lab::new();
    let said = lab.run("-r ip -M");
    assert_eq!(said.code, 0);
    assert!(said.out.starts_with("WARNING: Creating rsc_location constraint 'cli-ban-ip-on-node1' with a score of -INFINITY for resource ip on node1.\n\tThis will prevent ip from running on node1 until"), "{}", said.out);
    let ban =
        r#"<rsc_location id="cli-ban-ip-on-node1" rsc="ip" role="Started" node="node1" score="-INFINITY"/>"#;
    assert_eq!(lab.find("cli-ban-ip-on-node1"), [ban]);
    assert_eq!(
        lab.run("-r ip -M -N node1").err,
        "crm_resource: Error performing operation: Requested item already exists\n"
    );
    assert_eq!(lab.run("-r ip -M -N node2").code, 0);
    let wish = r#"<rsc_location id="cli-prefer-ip" rsc="ip" role="Started" node="node2" score="INFINITY"/>"#;
    assert_eq!(lab.find("cli-prefer-ip"), [wish]);
    assert_eq!(lab.run("-r ip -U -N node1").out, "Removing constraint: cli-ban-ip-on-node1\n");
    assert_eq!(lab.find("cli-prefer-ip").len(), 1);
    assert_eq!(lab.run("-r ip -U").out, "Removing constraint: cli-prefer-ip\n");
    assert!(lab.find("cli-prefer-ip").is_empty());
    let stopped = lab.run("-r b -M");
    assert_eq!(stopped.code, 64);
    assert!(
        stopped.err.starts_with("crm_resource: Resource 'b' not moved: active in 0 locations.\n"),
        "{}",
        stopped.err
    );
}

#[test]
fn a_file_has_no_controllers_to_ask() {
    let lab = Lab::new();
    assert_eq!(lab.run("-C").out, "Dry run: skipping clean-up of all nodes due to CIB_file\n");
    assert_eq!(lab.run("-R -N node2").out, "Dry run: skipping clean-up of node2 due to CIB_file\n");
    let all = lab.run("-C -r a").err;
    assert!(all.contains("Dry run: skipping clean-up of a on node1 due to CIB_file\n"), "{all}");
    assert!(
        all.contains("Dry run: skipping clean-up of b on node2 due to CIB_file\n"),
        "the whole group: {all}"
    );
    let one = lab.run("-C -f -r a").err;
    assert!(!one.contains("clean-up of b "), "only the member: {one}");
    assert_eq!(lab.run("-F -r a -N node1").err, "Dry run: skipping fail of a on node1 due to CIB_file\n");
}

#[test]
fn says_what_is_wrong() {
    let lab = Lab::new();
    for (args, code, text) in [
        ("-W", 64, "crm_resource: Must supply a resource ID with -r/--resource\n"),
        ("-F -r ip", 64, "crm_resource: Must supply a node name with -N/--node\n"),
        (
            "-W -r x",
            105,
            "crm_resource: Resource 'x' not found\nError performing operation: No such object\n",
        ),
        ("-L -N x", 105, "crm_resource: Node 'x' not found\nError performing operation: No such object\n"),
        ("foo bar", 64, "crm_resource: non-option ARGV-elements:\n[1 of 2] foo\n[2 of 2] bar\n"),
        (
            "-M -r x:1",
            105,
            "crm_resource: Resource 'x:1' not found\nError performing operation: No such object\n",
        ),
        ("-D -r ip", 64, "crm_resource: You need to specify a resource type with -t\n"),
    ] {
        let said = lab.run(args);
        assert_eq!((said.code, &*said.err), (code, text), "{args}");
    }
    assert_eq!(lab.run("--no-such-option").code, 64);
    assert_eq!(lab.run("-D -r b -t primitive").code, 0);
    assert_eq!(lab.run("-W -r b").code, 105);
}

#[test]
fn a_file_that_is_no_cib_is_refused_by_name() {
    let lab = Lab::new();
    std::fs::write(&lab.file, "<cib><configuration>").unwrap();
    let said = lab.run("-L");
    assert_eq!(said.code, 78);
    assert!(said.err.contains("cib.xml") && said.err.contains("line 1"), "{}", said.err);
    std::fs::write(&lab.file, "<html/>").unwrap();
    assert!(lab.run("-L").err.contains("expected a <cib> element, found <html>"));
    std::fs::remove_file(&lab.file).unwrap();
    let said = lab.run("-L");
    assert_eq!(said.code, 105);
    assert!(said.err.contains("Could not connect to the CIB: No such device or address"), "{}", said.err);
}
