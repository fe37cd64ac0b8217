// SPDX-License-Identifier: GPL-2.0-or-later
//! Walks through small graphs, output by output.

use super::*;
use crate::TransitionGraph;
use model::Instant;

/// A graph from lines such as `2 web_start_0 node1 timeout=20000 after 1 3 priority 10`. Operations named `do_...`,
/// `stonith` or `lrm_delete` are cluster actions, those in brackets pseudo actions.
fn graph(options: &str, lines: &str) -> TransitionGraph {
    let mut root =
        xml::parse(&format!("<transition_graph transition_id='1' cluster-delay='1s' {options}/>")).unwrap();
    for (number, line) in lines.trim().lines().enumerate() {
        root.push(synapse(number, line.trim()));
    }
    TransitionGraph::from_xml(&root).unwrap()
}

fn synapse(number: usize, line: &str) -> xml::Element {
    let (line, priority) = line.split_once(" priority ").unwrap_or((line, "0"));
    let (line, inputs) = line.split_once(" after ").unwrap_or((line, ""));
    let mut words = line.split_whitespace();
    let (id, key) = (words.next().unwrap(), words.next().unwrap());
    let name = key.trim_matches(['[', ']']);
    let operation = match name.parse::<model::OpKey>() {
        Ok(key) => key.operation,
        Err(_) => name.to_owned(),
    };
    let element = match &*operation {
        _ if key.starts_with('[') => "pseudo_event",
        "stonith" | "lrm_delete" | "do_shutdown" => "crm_event",
        _ => "rsc_op",
    };
    let mut action = xml::Element::new(element)
        .with_attr("id", id)
        .with_attr("operation", &operation)
        .with_attr("operation_key", name);
    let mut attributes = xml::Element::new("attributes");
    for word in words {
        match word.split_once('=') {
            Some((meta, value)) => attributes.set_attr(format!("CRM_meta_{meta}"), value),
            None => {
                action.set_attr("on_node", word);
                action.set_attr("on_node_uuid", format!("id-of-{word}"));
            }
        }
    }
    action.push(attributes);
    let triggers = inputs.split_whitespace().map(|input| {
        let stand_in = xml::Element::new("pseudo_event")
            .with_attr("id", input)
            .with_attr("operation", "x")
            .with_attr("operation_key", "x");
        xml::Element::new("trigger").with_child(stand_in)
    });
    xml::Element::new("synapse")
        .with_attr("id", number)
        .with_attr("priority", priority)
        .with_child(xml::Element::new("action_set").with_child(action))
        .with_child(xml::Element::new("inputs").with_children(triggers))
}

fn at(ms: u64) -> Instant {
    Instant::since_origin(Duration::from_millis(ms))
}

fn walk(lines: &str) -> Walk {
    Walk::new(graph("batch-limit='0'", lines), Limits::default())
}

fn drain(walk: &mut Walk, ms: u64) -> Vec<Output> {
    std::iter::from_fn(|| walk.poll(at(ms))).collect()
}

use Output::{Finished, Lost, Passed, Run};

#[test]
fn what_waits_comes_after_what_it_waits_for() {
    let mut walk = walk(
        "1 [begin]
         2 web_start_0 n1 timeout=100 after 1
         3 web_monitor_10000 n1 timeout=100 after 2
         4 [end] after 2 3",
    );
    assert_eq!(drain(&mut walk, 0), [Passed(1), Run(2)]);
    assert!(walk.is_under_way(2) && !walk.is_confirmed(2));
    assert!(walk.confirm(2, Outcome::Done));
    assert!(!walk.confirm(2, Outcome::Done), "a second confirmation is no news");
    assert_eq!(drain(&mut walk, 1), [Run(3)]);
    walk.confirm(3, Outcome::Done);
    assert_eq!(drain(&mut walk, 2), [Passed(4), Finished(Ending::Complete)]);
    assert_eq!(walk.counts(), Counts { completed: 4, ..Counts::default() });
    assert_eq!((walk.next(), walk.next_timeout()), (Next::Done, None));
    assert_eq!(drain(&mut walk, 3), []);
}

#[test]
fn an_empty_graph_is_complete_at_once() {
    assert_eq!(drain(&mut walk(""), 0), [Finished(Ending::Complete)]);
}

#[test]
fn who_confirms_at_once_sees_passes_in_the_order_of_synapses() {
    let mut walk = walk(
        "1 a_start_0 n1 after 3
         2 b_start_0 n1 after 4
         3 c_stop_0 n1
         4 [stopped] after 3
         5 d_start_0 n1 after 1",
    );
    let mut order = Vec::new();
    while let Some(output) = walk.poll(at(0)) {
        if let Run(id) | Passed(id) = output {
            order.push(id);
            walk.confirm(id, Outcome::Done);
        }
    }
    assert_eq!(order, [3, 4, 1, 2, 5]);
}

#[test]
fn a_failure_stops_what_waits_except_what_is_infinitely_important() {
    let mut walk = walk(
        "1 a_stop_0 n1
         2 a_start_0 n2 after 1
         3 b_start_0 n1 after 1 priority 1000000",
    );
    assert_eq!(drain(&mut walk, 0), [Run(1)]);
    walk.confirm(1, Outcome::Failed);
    assert!(walk.abort(walk.priority(1).unwrap() + 1, Next::Restart, "Event failed"));
    assert_eq!(drain(&mut walk, 0), [Run(3)]);
    walk.confirm(3, Outcome::Done);
    assert_eq!(drain(&mut walk, 0), [Finished(Ending::Complete)]);
    assert_eq!((walk.next(), walk.abort_reason()), (Next::Restart, Some("Event failed")));
    assert_eq!(walk.counts().incomplete, 1);
}

#[test]
fn a_graph_that_waits_for_itself_is_terminated() {
    let mut walk = walk("1 a_start_0 n1 after 2\n2 b_start_0 n1 after 1");
    assert_eq!(drain(&mut walk, 0), [Finished(Ending::Terminated)]);
}

#[test]
fn an_abort_lets_pseudo_and_more_important_actions_pass() {
    let mut walk = walk(
        "1 a_stop_0 n1
         2 [a_stopped] after 1
         3 b_start_0 n1 after 2
         4 c_start_0 n1 after 2 priority 50",
    );
    assert_eq!(drain(&mut walk, 0), [Run(1)]);
    assert!(walk.abort(50, Next::Restart, "Configuration change"));
    assert!(!walk.abort(20, Next::Wait, "Less important"));
    assert_eq!(walk.abort_reason(), Some("Configuration change"));
    walk.confirm(1, Outcome::Done);
    assert_eq!(drain(&mut walk, 0), [Passed(2), Run(4)]);
    walk.confirm(4, Outcome::Done);
    assert_eq!(drain(&mut walk, 0), [Finished(Ending::Stopped)]);
    assert!(!walk.abort(1_000_000, Next::Shutdown, "too late"));
}

#[test]
fn no_more_at_once_than_the_batch_limit() {
    let lines = "1 a_start_0 n1\n2 b_start_0 n1\n3 c_start_0 n2\n4 d_start_0 n2";
    let mut walk = Walk::new(graph("batch-limit='2'", lines), Limits::default());
    assert_eq!(drain(&mut walk, 0), [Run(1), Run(2)]);
    walk.confirm(2, Outcome::Done);
    assert_eq!(drain(&mut walk, 0), [Run(3)]);
    walk.limit_batch(None);
    assert_eq!(drain(&mut walk, 0), [Run(4)]);
}

#[test]
fn no_more_on_a_node_than_its_jobs_and_migrations() {
    let lines = "1 a_migrate_to_0 n1 migrate_source=n1 migrate_target=n2
                 2 b_migrate_to_0 n1 migrate_source=n1 migrate_target=n3
                 3 c_start_0 n1
                 4 d_start_0 n1";
    let limits = Limits { jobs_per_node: Some(2), ..Limits::default() };
    let mut walk = Walk::new(graph("migration-limit='1'", lines), limits);
    assert_eq!(drain(&mut walk, 0), [Run(1), Run(3)]);
    walk.confirm(3, Outcome::Done);
    assert_eq!(drain(&mut walk, 0), [Run(4)]);
    walk.confirm(1, Outcome::Done);
    assert_eq!(drain(&mut walk, 0), [Run(2)]);
}

#[test]
fn an_action_of_which_nothing_is_heard_is_lost() {
    let mut walk = walk(
        "1 a_start_0 n1 timeout=5000 start_delay=1000
         2 a_monitor_10000 n1 timeout=100 after 1
         3 stonith n2",
    );
    assert_eq!(drain(&mut walk, 0), [Run(1), Run(3)]);
    assert_eq!(walk.next_timeout(), Some(at(7000)), "timeout, start delay and cluster delay");
    assert_eq!(drain(&mut walk, 6999), []);
    assert_eq!(drain(&mut walk, 7000), [Lost(1)]);
    assert_eq!((walk.next_timeout(), walk.next()), (None, Next::Restart));
    walk.confirm(3, Outcome::Done);
    assert_eq!(drain(&mut walk, 7001), [Finished(Ending::Complete)]);
}

#[test]
fn shutdown_is_not_waited_for() {
    let mut walk = walk("1 do_shutdown n1 op_no_wait=true\n2 [after] after 1");
    assert_eq!(drain(&mut walk, 0), [Run(1), Passed(2), Finished(Ending::Complete)]);
}

#[test]
fn what_a_lost_node_should_have_done_fails() {
    let mut walk = walk(
        "1 a_start_0 n1 timeout=100
         2 a_monitor_10000 n1 timeout=100 after 1
         3 stonith n1
         4 b_start_0 n2 timeout=100 after 3",
    );
    assert_eq!(drain(&mut walk, 0), [Run(1), Run(3)]);
    assert_eq!(walk.lose_node("id-of-n1", "n1"), [1]);
    assert_eq!(walk.lose_node("id-of-n1", "n1"), [], "only once");
    assert_eq!(walk.next_timeout(), None);
    assert!(!walk.confirm(1, Outcome::Done), "too late");
    walk.confirm(3, Outcome::Done);
    assert_eq!(drain(&mut walk, 0), [Finished(Ending::Stopped)]);
    assert_eq!(walk.counts(), Counts { completed: 1, pending: 0, skipped: 3, incomplete: 1 });
}

#[test]
fn a_node_fenced_by_hand_need_not_be_fenced_again() {
    let mut walk = walk("1 a_stop_0 n2\n2 stonith n1 after 1\n3 b_start_0 n2 after 2");
    assert_eq!(drain(&mut walk, 0), [Run(1)]);
    assert!(walk.confirm(2, Outcome::Done));
    assert_eq!(drain(&mut walk, 0), [Run(3)]);
    walk.confirm(1, Outcome::Done);
    walk.confirm(3, Outcome::Done);
    assert_eq!(drain(&mut walk, 0), [Finished(Ending::Complete)]);
}

#[test]
fn what_cannot_be_sent_ends_the_walk() {
    let mut walk = walk("1 a_start_0 n1\n2 b_start_0 n1 after 1\n3 c_start_0 n1");
    assert_eq!(walk.poll(at(0)), Some(Run(1)));
    walk.refuse(1);
    assert_eq!(drain(&mut walk, 0), [Finished(Ending::Stopped)]);
    assert_eq!(walk.counts().incomplete, 2);
}
