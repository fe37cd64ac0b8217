// SPDX-License-Identifier: GPL-2.0-or-later
//! What a controller sees of the scheduler daemon.

use super::*;
use graph::TransitionGraph;
use model::WallTime;

const CLIENT: ClientId = ClientId(1);

fn cib(options: &str, epoch: u32) -> Element {
    let text = format!(
        "<cib epoch='{epoch}' validate-with='pacemaker-4.0' have-quorum='1'><configuration><crm_config>\
         <cluster_property_set id='o'>{options}</cluster_property_set></crm_config><nodes/><resources/>\
         <constraints/></configuration><status/></cib>"
    );
    xml::parse(&text).unwrap()
}

fn request(task: &str, payload: Option<Element>) -> Element {
    let mut envelope = Envelope::request(task, format!("{task}-tengine-1-1"), "pengine", "tengine");
    envelope.payload = payload;
    envelope.to_xml("test", Profile::V3_0.feature_set())
}

fn ask(core: &mut Schedulerd, message: Element) -> Vec<Output<Effect>> {
    let now = Now { wall: WallTime::from_secs(1_700_000_000), ..Now::default() };
    core.handle(now, Input::ClientMessage { client: CLIENT, request: 7, wants_response: true, message });
    std::iter::from_fn(|| core.poll()).collect()
}

fn status(outputs: &[Output<Effect>]) -> Option<&str> {
    outputs.iter().find_map(|output| match output {
        Output::Respond { message, request: 7, .. } => message.attr("status"),
        _ => None,
    })
}

fn reply(outputs: &[Output<Effect>]) -> Option<&Element> {
    outputs.iter().find_map(|output| match output {
        Output::Event { message, .. } => Some(message),
        _ => None,
    })
}

/// File and next number of what is saved.
fn saved(outputs: &[Output<Effect>]) -> Option<(String, u32)> {
    outputs.iter().find_map(|output| match output {
        Output::Effect { effect: Effect::Save { file, next, input, .. }, .. } => {
            assert_eq!(input.attr("execution-date"), Some("1700000000"));
            Some((file.clone(), *next))
        }
        _ => None,
    })
}

fn logged(outputs: &[Output<Effect>], level: Level, what: &str) -> bool {
    outputs.iter().any(|o| matches!(o, Output::Log { level: l, text } if *l == level && text.contains(what)))
}

fn daemon() -> Schedulerd {
    Schedulerd::new(Config { directory: "/inputs".to_owned(), ..Config::default() })
}

#[test]
fn a_cib_is_answered_with_an_ack_and_then_a_graph() {
    let mut core = daemon();
    let outputs = ask(&mut core, request("pe_calc", Some(cib("", 1))));
    assert_eq!(status(&outputs), Some("112"));
    let reply = reply(&outputs).unwrap();
    let envelope = Envelope::from_xml(reply).unwrap();
    assert_eq!(envelope.direction, Direction::Response);
    assert_eq!((envelope.task.as_str(), envelope.reference.as_str()), ("pe_calc", "pe_calc-tengine-1-1"));
    assert_eq!(envelope.sys_to, "tengine");
    let graph = envelope.payload.unwrap();
    assert_eq!((graph.name(), graph.attr("transition_id")), ("transition_graph", Some("1")));
    TransitionGraph::from_xml(&graph).unwrap();
    let (file, _) = saved(&outputs).unwrap();
    assert_eq!(reply.attr("crm-tgraph-in"), Some(format!("/inputs/{file}").as_str()));
    assert!(outputs.iter().any(|o| matches!(o, Output::Log { text, .. }
        if text.starts_with("Calculated transition 1") && text.ends_with(&format!(", saving inputs in /inputs/{file}")))));
}

#[test]
fn an_unchanged_input_is_not_saved_again() {
    let mut core = daemon();
    let first = ask(&mut core, request("pe_calc", Some(cib("", 1))));
    let again = ask(&mut core, request("pe_calc", Some(cib("", 1))));
    assert!(saved(&first).is_some());
    assert_eq!(saved(&again), None);
    let file = |outputs| reply(outputs).unwrap().attr("crm-tgraph-in").map(str::to_owned);
    assert_eq!(file(&first), file(&again));
    let graph = reply(&again).unwrap().child("crm_xml").unwrap().first_element().unwrap();
    assert_eq!(graph.attr("transition_id"), Some("2"));
    let changed = ask(&mut core, request("pe_calc", Some(cib("", 2))));
    assert!(saved(&changed).is_some());
    assert_ne!(file(&first), file(&changed));
    // A failed saving is made good when the input comes again.
    let failed = Event::Saved(Err("no space left".to_owned()));
    core.handle(Now::default(), Input::Done { effect: EffectId(2), event: failed });
    assert!(logged(&std::iter::from_fn(|| core.poll()).collect::<Vec<_>>(), Level::Error, "no space left"));
    assert!(saved(&ask(&mut core, request("pe_calc", Some(cib("", 2))))).is_some());
}

#[test]
fn every_series_counts_for_itself_and_wraps() {
    let numbers = BTreeMap::from([(Series::Error, 8), (Series::Warn, 8), (Series::Input, 8)]);
    let mut core = Schedulerd::new(Config { directory: "/inputs".into(), numbers, ..Config::default() });
    let max = |n: &str| {
        let option = |series: &str| format!("<nvpair id='{series}' name='{series}-series-max' value='{n}'/>");
        ["pe-error", "pe-warn", "pe-input"].map(option).concat()
    };
    let numbers: Vec<u32> = (1..=3)
        .map(|epoch| saved(&ask(&mut core, request("pe_calc", Some(cib(&max("10"), epoch))))).unwrap().1)
        .collect();
    assert_eq!(numbers, [9, 0, 1]);
    let none = ask(&mut core, request("pe_calc", Some(cib(&max("0"), 9))));
    assert_eq!(saved(&none), None);
    assert_eq!(reply(&none).unwrap().attr("crm-tgraph-in"), None);
    assert!(reply(&none).is_some());
}

#[test]
fn a_node_that_must_be_fenced_is_a_warning() {
    let text = "<cib validate-with='pacemaker-4.0' have-quorum='1' epoch='1'><configuration><crm_config/>\
        <nodes><node id='1' uname='node1'/><node id='2' uname='node2'/></nodes><resources>\
        <primitive id='fence' class='stonith' type='fence_lab'/></resources><constraints/></configuration>\
        <status><node_state id='1' uname='node1' in_ccm='true' crmd='online' join='member' expected='member'/>\
        <node_state id='2' uname='node2' in_ccm='false' crmd='offline' join='down' expected='member'/></status></cib>";
    let mut core = daemon();
    let outputs = ask(&mut core, request("pe_calc", Some(xml::parse(text).unwrap())));
    let graph = reply(&outputs).unwrap().child("crm_xml").unwrap().first_element().unwrap();
    assert!(graph.descendants().any(|e| e.attr("operation") == Some("stonith")), "{graph}");
    assert_eq!(saved(&outputs), Some(("pe-warn-0.bz2".to_owned(), 1)));
    assert!(logged(&outputs, Level::Warning, "Calculated transition 1 (with warnings)"));
    assert!(logged(&outputs, Level::Notice, "Actions: Fence      node2"));
}

#[test]
fn the_older_profile_counts_from_zero_and_has_its_own_words() {
    let mut core = Schedulerd::new(Config { profile: Profile::V2_1, ..Config::default() });
    let outputs = ask(&mut core, request("pe_calc", Some(cib("", 1))));
    let graph = reply(&outputs).unwrap().child("crm_xml").unwrap().first_element().unwrap();
    assert_eq!(graph.attr("transition_id"), Some("0"));
    assert!(graph.attr("stonith-timeout").is_some() && graph.attr("fencing-timeout").is_none());
}

/// The graph that a controller of a feature set is answered with.
fn graph_for(core: &mut Schedulerd, version: &str, cib: Element) -> Element {
    let mut message = request("pe_calc", Some(cib));
    message.set_attr("version", version);
    let outputs = ask(core, message);
    reply(&outputs).unwrap().child("crm_xml").unwrap().first_element().unwrap().clone()
}

#[test]
fn an_older_controller_reads_the_graph_it_knows() {
    let cib = || cib_with("<node id='1' uname='n1'/>", "", &member("1", "n1", ""));
    let shown = |version: &str| {
        let graph = graph_for(&mut daemon(), version, cib());
        let feature_set =
            graph.descendants().find_map(|element| element.attr("crm_feature_set")).map(str::to_owned);
        (graph.attr("fencing-timeout").is_some(), graph.attr("stonith-timeout").is_some(), feature_set)
    };
    let of = |fencing: bool, version: &str| (fencing, !fencing, Some(version.to_owned()));
    assert_eq!(shown("3.16.1"), of(false, "3.16.1"), "2.1.5");
    assert_eq!(shown("3.20.1"), of(false, "3.20.1"), "3.0.1, the last with the old name");
    assert_eq!(shown("3.20.5"), of(true, "3.20.5"), "3.0.2");
    assert_eq!(shown("3.99.0"), of(true, "3.20.5"), "we cannot be newer than we are");
    assert_eq!(shown("nonsense"), of(true, "3.20.5"));
}

/// A CIB with a resource that may run anywhere, and this status.
fn cib_with(nodes: &str, more: &str, status: &str) -> Element {
    let text = format!(
        "<cib validate-with='pacemaker-4.0' have-quorum='1' epoch='1'><configuration><crm_config>\
         <cluster_property_set id='o'><nvpair id='o-f' name='fencing-enabled' value='false'/></cluster_property_set>\
         </crm_config><nodes>{nodes}</nodes><resources><primitive id='a' class='ocf' provider='heartbeat' type='Dummy'/>\
         {more}</resources><constraints/></configuration><status>{status}</status></cib>"
    );
    xml::parse(&text).unwrap()
}

/// The state of a node that is there, with these operations of the resource.
fn member(id: &str, name: &str, operations: &str) -> String {
    format!(
        "<node_state id='{id}' uname='{name}' in_ccm='true' crmd='online' join='member' expected='member'>\
         <lrm id='{id}'><lrm_resources><lrm_resource id='a' class='ocf' provider='heartbeat' type='Dummy'>{operations}\
         </lrm_resource></lrm_resources></lrm></node_state>"
    )
}

fn operation(task: &str, rc: u32) -> String {
    let key = format!("{rc}:1:0:1b7b5e66-d4c4-4fc8-ae87-5ea2e4d2f3a5");
    format!(
        "<lrm_rsc_op id='a_last_0' operation_key='a_{task}_0' operation='{task}' crm_feature_set='3.20.5' \
         transition-key='{key}' transition-magic='0:{rc};{key}' call-id='5' rc-code='{rc}' op-status='0' interval='0' \
         op-digest='f2317cad3d54cec5d7d7aa7d0bf35cf8'/>"
    )
}

#[test]
fn inputs_are_named_by_the_worst_that_was_found() {
    let file_of = |cib: Element| {
        let outputs = ask(&mut daemon(), request("pe_calc", Some(cib)));
        let told = logged(&outputs, Level::Notice, "Configuration errors found during scheduler processing");
        (saved(&outputs).unwrap().0, told)
    };
    let nodes = "<node id='1' uname='n1'/><node id='2' uname='n2'/>";
    let up = |operations: &str| member("1", "n1", operations) + &member("2", "n2", "");
    assert_eq!(file_of(cib_with(nodes, "", &up(""))), ("pe-input-0.bz2".to_owned(), false));
    // That something failed is no fault of the configuration, but worth keeping.
    let failed = up(&operation("start", 1));
    assert_eq!(file_of(cib_with(nodes, "", &failed)), ("pe-warn-0.bz2".to_owned(), false));
    // What may not even be stopped, on a node that cannot be fenced, needs somebody to look at it.
    let stuck = up(&operation("stop", 4));
    assert_eq!(file_of(cib_with(nodes, "", &stuck)), ("pe-error-0.bz2".to_owned(), false));
    // A node that is lost, and cannot be fenced.
    let lost = member("1", "n1", "")
        + "<node_state id='2' uname='n2' in_ccm='true' crmd='offline' join='member' expected='member'/>";
    assert_eq!(file_of(cib_with(nodes, "", &lost)), ("pe-warn-0.bz2".to_owned(), false));
    // Running twice, which only planning notices.
    let twice = member("1", "n1", &operation("start", 0)) + &member("2", "n2", &operation("start", 0));
    assert_eq!(file_of(cib_with(nodes, "", &twice)), ("pe-error-0.bz2".to_owned(), false));
    let mut wrong = cib_with(nodes, "", &up(""));
    let order =
        Element::new("rsc_order").with_attr("id", "o1").with_attr("first", "a").with_attr("then", "zoo");
    wrong.child_or_insert("configuration").child_or_insert("constraints").push(order);
    assert_eq!(file_of(wrong), ("pe-error-0.bz2".to_owned(), true));
}

#[test]
fn what_is_no_request_is_answered_all_the_same() {
    let mut core = daemon();
    assert_eq!(status(&ask(&mut core, request("hello", None))), Some("112"));
    assert_eq!(status(&ask(&mut core, request("dance", None))), Some("76"));
    assert_eq!(status(&ask(&mut core, Element::new("x"))), Some("76"));
    let elsewhere = Envelope::request("pe_calc", "r".into(), "crmd", "tengine");
    let outputs = ask(&mut core, elsewhere.to_xml("test", Profile::V3_0.feature_set()));
    assert_eq!((status(&outputs), reply(&outputs)), (Some("112"), None));
}

#[test]
fn a_request_without_a_cib_gets_an_empty_graph() {
    let mut core = daemon();
    for payload in [None, Some(Element::new("status"))] {
        let outputs = ask(&mut core, request("pe_calc", payload));
        let graph = reply(&outputs).unwrap().child("crm_xml").unwrap().first_element().unwrap();
        assert_eq!(graph.to_string(), r#"<transition_graph transition_id="0" cluster-delay="0"/>"#);
        assert!(logged(&outputs, Level::Error, "expected a <cib>"));
        assert_eq!(saved(&outputs), None);
    }
}

/// A CIB of an older schema, with one more thing among its sections.
fn old_cib(schema: &str, more: &str) -> Element {
    let text = format!(
        "<cib admin_epoch='0' epoch='1' num_updates='0' validate-with='{schema}' have-quorum='1'><configuration><crm_config>\
         <cluster_property_set id='o'><nvpair id='o-s' name='stonith_enabled' value='false'/></cluster_property_set>\
         </crm_config><nodes/><resources/><constraints/>{more}</configuration><status/></cib>"
    );
    xml::parse(&text).unwrap()
}

#[test]
fn an_older_configuration_is_upgraded_for_the_plan_and_saved_as_it_came() {
    let mut core = daemon();
    let outputs = ask(&mut core, request("pe_calc", Some(old_cib("pacemaker-2.10", ""))));
    let told =
        "Configuration with pacemaker-2.10 schema was internally upgraded to latest version pacemaker-4.0";
    assert!(logged(&outputs, Level::Info, told));
    assert!(logged(&outputs, Level::Debug, "renaming stonith_enabled as stonith-enabled"));
    let input = outputs.iter().find_map(|output| match output {
        Output::Effect { effect: Effect::Save { input, .. }, .. } => Some(input),
        _ => None,
    });
    assert_eq!(input.unwrap().attr("validate-with"), Some("pacemaker-2.10"));
}

#[test]
fn a_configuration_that_cannot_be_upgraded_is_not_guessed_at() {
    let mut core = daemon();
    let outputs = ask(&mut core, request("pe_calc", Some(old_cib("pacemaker-2.10", "<zoo/>"))));
    assert!(logged(&outputs, Level::Error, "Cannot upgrade configuration (claiming pacemaker-2.10 schema)"));
    let graph = Envelope::from_xml(reply(&outputs).unwrap()).unwrap().payload.unwrap();
    assert_eq!((graph.attr("transition_id"), graph.attr("cluster-delay")), (Some("0"), Some("0")));
    assert!(graph.children().is_empty());
    let (file, _) = saved(&outputs).unwrap();
    assert!(file.starts_with("pe-error-"), "{file}");
}
