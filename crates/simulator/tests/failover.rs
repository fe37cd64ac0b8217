// SPDX-License-Identifier: GPL-2.0-or-later
//! Whole failovers in virtual time: the daemons' own cores, no I/O, the same to the byte every time.
#![allow(clippy::unwrap_used)] // what is missing must fail the test

use model::{Instant, WallTime};
use simulator::World;
use simulator::machines::{Machines, What};
use simulator::pacemaker::boot;
use std::time::Duration;
use xml::Element;

const NODES: [&str; 3] = ["n1", "n2", "n3"];
const PATIENCE: Duration = Duration::from_secs(120);

const CIB: &str = r#"
<cib validate-with="pacemaker-4.0" admin_epoch="0" epoch="1" num_updates="0">
  <configuration>
    <crm_config>
      <cluster_property_set id="options">
        <nvpair id="options-stonith-enabled" name="stonith-enabled" value="true"/>
        <nvpair id="options-dc-deadtime" name="dc-deadtime" value="2s"/>
      </cluster_property_set>
    </crm_config>
    <nodes>
      <node id="1" uname="n1"/>
      <node id="2" uname="n2"/>
      <node id="3" uname="n3"/>
    </nodes>
    <resources>
      <primitive id="power" class="stonith" type="fence_lab">
        <instance_attributes id="power-params">
          <nvpair id="power-hosts" name="pcmk_host_list" value="n1 n2 n3"/>
        </instance_attributes>
      </primitive>
      <group id="shop">
        <primitive id="db" class="ocf" provider="pacemaker" type="Dummy">
          <operations><op id="db-monitor" name="monitor" interval="10s"/></operations>
        </primitive>
        <primitive id="web" class="ocf" provider="pacemaker" type="Dummy">
          <operations><op id="web-monitor" name="monitor" interval="10s"/></operations>
        </primitive>
      </group>
    </resources>
    <constraints/>
    <rsc_defaults>
      <meta_attributes id="defaults"><nvpair id="defaults-stickiness" name="resource-stickiness" value="10"/></meta_attributes>
    </rsc_defaults>
  </configuration>
  <status/>
</cib>"#;

fn cib() -> Element {
    xml::parse(CIB).unwrap()
}

/// Three nodes that have settled: a DC, and the shop somewhere.
fn settled() -> World<Machines> {
    let mut world = World::new(&NODES, WallTime::from_secs(1_800_000_000), Machines::default());
    for node in NODES {
        boot(&mut world, node, &cib());
    }
    assert!(world.run_until(PATIENCE, |world| serving(world).is_some()), "{}", tail(&world));
    world.run_for(Duration::from_secs(5));
    world
}

/// The node on which all of the shop runs.
fn serving(world: &World<Machines>) -> Option<String> {
    let (db, web) = (world.physics.runs_on("db"), world.physics.runs_on("web"));
    (db.len() == 1 && db == web).then(|| db[0].to_owned())
}

/// The DC, by what the CIB of a node says.
fn dc(world: &mut World<Machines>, asked: &str) -> Option<String> {
    let query =
        xml::parse("<cib_command t='cib' cib_op='cib_query' cib_callid='1' cib_callopt='4352'/>").unwrap();
    let register = xml::parse(
        "<cib_command t='cib' cib_op='register' cib_clientname='test' cib_callid='0' cib_callopt='4096'/>",
    )
    .unwrap();
    let service = messages::core::Service::Based;
    world.ask(asked, service, register, Duration::from_secs(1))?;
    let reply = world.ask(asked, service, query, Duration::from_secs(1))?;
    let cib = reply.descend(&["cib_calldata", "cib"])?;
    let id = cib.attr("dc-uuid")?;
    Some(cib.descend(&["configuration", "nodes"])?.child_with_id("node", id)?.attr("uname")?.to_owned())
}

fn tail(world: &World<Machines>) -> String {
    let record = world.record();
    let last = &record[record.len().saturating_sub(120)..];
    format!("{}\nbroken laws: {:?}", last.join("\n"), world.physics.broken_laws())
}

/// When the switch had confirmed that a node is off, and when the shop's first part was started after `since`.
fn fencing_and_start(
    world: &World<Machines>,
    victim: &str,
    since: Instant,
) -> (Option<Instant>, Option<Instant>) {
    let facts = || world.physics.facts().iter().filter(|fact| fact.at >= since);
    let confirmed =
        facts().find(|fact| fact.what == What::Confirmed && fact.node == victim).map(|fact| fact.at);
    let started = facts().find(|fact| matches!(fact.what, What::Started(_))).map(|fact| fact.at);
    (confirmed, started)
}

/// Takes the power of `victim` and checks that it was fenced, and before anything it ran was started elsewhere; a service
/// that did not run there is left alone.
fn fail_over(world: &mut World<Machines>, victim: &str) {
    let failure = world.now().instant;
    let served = serving(world).as_deref() == Some(victim);
    world.crash(victim);
    let over = |world: &mut World<Machines>| {
        let confirmed = fencing_and_start(world, victim, failure).0.is_some();
        confirmed && serving(world).is_some_and(|node| node != victim)
    };
    assert!(world.run_until(PATIENCE, over), "{}", tail(world));
    let (confirmed, started) = fencing_and_start(world, victim, failure);
    if served {
        assert!(confirmed.unwrap() < started.unwrap(), "{}", tail(world));
    } else {
        assert_eq!(started, None, "{}", tail(world));
    }
    assert!(world.physics.broken_laws().is_empty(), "{}", tail(world));
}

#[test]
fn a_dead_node_is_fenced_before_its_service_starts_elsewhere() {
    let mut world = settled();
    let victim = serving(&world).unwrap();
    fail_over(&mut world, &victim);
}

#[test]
fn every_node_may_die_the_dc_too_and_comes_back() {
    let mut world = settled();
    let mut kinds = Vec::new();
    for round in 0..6 {
        let (server, coordinator) = (serving(&world).unwrap(), dc(&mut world, "n1").unwrap());
        let victim = if round % 2 == 0 { coordinator.clone() } else { server.clone() };
        kinds.push((victim == server, victim == coordinator));
        fail_over(&mut world, &victim);
        world.run_for(Duration::from_secs(10));
        boot(&mut world, &victim, &cib());
        world.run_for(Duration::from_secs(30));
        assert!(serving(&world).is_some_and(|node| node != victim), "{}", tail(&world));
        assert_eq!(dc(&mut world, &victim), dc(&mut world, &server), "{}", tail(&world));
    }
    // (served, was the DC): each of the three kinds of victim must have been among them.
    for kind in [(true, true), (true, false), (false, true)] {
        assert!(kinds.contains(&kind), "{kind:?} is not among {kinds:?}");
    }
}

#[test]
fn the_same_plan_gives_the_same_run() {
    let run = || {
        let mut world = settled();
        let victim = serving(&world).unwrap();
        fail_over(&mut world, &victim);
        world.run_for(Duration::from_secs(30));
        world.record().join("\n")
    };
    let (first, second) = (run(), run());
    assert!(first.len() > 1000, "the record says something");
    assert_eq!(first, second);
}

#[test]
fn nothing_starts_while_the_switch_is_stuck() {
    let mut world = settled();
    let victim = serving(&world).unwrap();
    world.physics.stuck.insert(victim.clone(), 3);
    fail_over(&mut world, &victim);
    assert_eq!(world.physics.stuck.get(&victim), Some(&0), "it was asked until it worked");
}

#[test]
fn a_node_that_is_cut_off_loses_its_services_and_its_power() {
    let mut world = settled();
    let victim = serving(&world).unwrap();
    world.cut(&victim, 1);
    let elsewhere = |world: &mut World<Machines>| serving(world).is_some_and(|node| node != victim);
    assert!(world.run_until(PATIENCE, elsewhere), "{}", tail(&world));
    assert!(world.physics.broken_laws().is_empty(), "{}", tail(&world));
    let fenced = world.physics.facts().iter().any(|fact| fact.what == What::Confirmed && fact.node == victim);
    assert!(fenced, "{}", tail(&world));
}

#[test]
fn a_resource_that_will_not_start_is_tried_elsewhere() {
    let mut world = settled();
    let node = serving(&world).unwrap();
    let elsewhere = NODES.iter().find(|other| **other != node).unwrap();
    // It fails where it would go first, so the last node gets it.
    world.physics.start_fails.insert(("db".into(), (*elsewhere).to_owned()));
    world.physics.start_fails.insert(("db".into(), node.clone()));
    world.physics.fail("db");
    world.physics.fail("web");
    let moved =
        |world: &mut World<Machines>| serving(world).is_some_and(|now| now != node && now != **elsewhere);
    assert!(world.run_until(PATIENCE, moved), "{}", tail(&world));
    assert!(world.physics.broken_laws().is_empty(), "{}", tail(&world));
}
