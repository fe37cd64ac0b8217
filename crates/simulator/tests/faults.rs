// SPDX-License-Identifier: GPL-2.0-or-later
//! Faults at moments nobody would choose: machines that die, come back, are cut off or asked to leave, agents and the
//! power switch failing, in the middle of elections, joins, transitions and fencing. Whatever happens, nothing runs twice,
//! and when the faults are over the service is back and stays.
//!
//! Each seed is one run, the same every time. `SYSTOLE_SEED=17 cargo test -p simulator --test faults` replays one and
//! prints its record; `SYSTOLE_SEEDS=1000` tries more than usual.

#![allow(clippy::unwrap_used)] // a test

use messages::core::Service;
use model::WallTime;
use simulator::World;
use simulator::machines::Machines;
use simulator::pacemaker::boot;
use std::time::Duration;
use xml::Element;

const NODES: [&str; 3] = ["n1", "n2", "n3"];
const RESOURCES: [&str; 2] = ["db", "web"];
/// How many runs, unless more are asked for.
const RUNS: u64 = 25;

fn cib() -> Element {
    let text = r#"
<cib validate-with="pacemaker-4.0" admin_epoch="0" epoch="1" num_updates="0"><configuration>
  <crm_config><cluster_property_set id="options">
    <nvpair id="options-stonith-enabled" name="stonith-enabled" value="true"/>
    <nvpair id="options-dc-deadtime" name="dc-deadtime" value="2s"/>
  </cluster_property_set></crm_config>
  <nodes><node id="1" uname="n1"/><node id="2" uname="n2"/><node id="3" uname="n3"/></nodes>
  <resources>
    <primitive id="power" class="stonith" type="fence_lab"><instance_attributes id="power-params">
      <nvpair id="power-hosts" name="pcmk_host_list" value="n1 n2 n3"/>
    </instance_attributes></primitive>
    <group id="shop">
      <primitive id="db" class="ocf" provider="pacemaker" type="Dummy">
        <operations><op id="db-monitor" name="monitor" interval="10s"/></operations>
        <meta_attributes id="db-meta"><nvpair id="db-forget" name="failure-timeout" value="60s"/></meta_attributes>
      </primitive>
      <primitive id="web" class="ocf" provider="pacemaker" type="Dummy">
        <operations><op id="web-monitor" name="monitor" interval="10s"/></operations>
        <meta_attributes id="web-meta"><nvpair id="web-forget" name="failure-timeout" value="60s"/></meta_attributes>
      </primitive>
    </group>
  </resources>
  <constraints/>
</configuration><status/></cib>"#;
    xml::parse(text).unwrap()
}

/// Chance, the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    /// Now and then almost nothing, now and then long.
    fn pause(&mut self) -> Duration {
        let most = [50, 3_000, 20_000][usize::try_from(self.roll(3)).unwrap()];
        Duration::from_millis(self.roll(most))
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[usize::try_from(self.roll(from.len() as u64)).unwrap()]
    }
}

struct Run {
    world: World<Machines>,
    dice: Dice,
    /// What was done to the cluster, for people who have to find out why it broke.
    plan: Vec<String>,
}

impl Run {
    fn new(seed: u64) -> Run {
        let mut world = World::new(&NODES, WallTime::from_secs(1_800_000_000), Machines::default());
        for node in NODES {
            boot(&mut world, node, &cib());
        }
        Run { world, dice: Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) + 1), plan: Vec::new() }
    }

    fn is_off(&self, node: &str) -> bool {
        Service::ALL.iter().all(|&service| !self.world.runs(node, service))
    }

    fn coordinates(&self, node: &str) -> bool {
        self.world.runs(node, Service::Controld)
    }

    fn is_serving(&self) -> bool {
        let (db, web) = (self.world.physics.runs_on("db"), self.world.physics.runs_on("web"));
        db.len() == 1 && db == web
    }

    fn note(&mut self, what: &str) {
        let at = self.world.now().instant;
        self.plan.push(format!("{at:?} {what}"));
        eprintln!("{at:?} {what}");
    }

    fn one_fault(&mut self) {
        let node = self.dice.pick(&NODES);
        let alive = NODES.iter().filter(|node| !self.is_off(node)).count();
        match self.dice.roll(12) {
            0..=2 if !self.is_off(node) && alive > 1 => {
                self.note(&format!("{node} loses power"));
                self.world.crash(node);
            }
            3..=5 => self.bring_one_back(),
            6 => {
                self.note(&format!("{node} is cut off"));
                self.world.cut(node, 1);
            }
            7 => self.heal(),
            8 => {
                let resource = self.dice.pick(&RESOURCES);
                self.note(&format!("{resource} dies"));
                self.world.physics.fail(resource);
            }
            9 => {
                let times = u32::try_from(self.dice.roll(4)).unwrap();
                self.note(&format!("the switch of {node} is stuck {times} times"));
                self.world.physics.stuck.insert(node.to_owned(), times);
            }
            10 => {
                let resource = self.dice.pick(&RESOURCES);
                self.note(&format!("{resource} will not start on {node}"));
                self.world.physics.start_fails.insert((resource.to_owned(), node.to_owned()));
            }
            11 if self.coordinates(node) => self.ask_to_leave(node),
            _ => {}
        }
    }

    fn bring_one_back(&mut self) {
        if let Some(node) = NODES.iter().find(|node| self.is_off(node)) {
            self.note(&format!("{node} comes back"));
            boot(&mut self.world, node, &cib());
        }
    }

    fn heal(&mut self) {
        self.note("the network heals");
        for node in NODES {
            self.world.cut(node, 0);
        }
    }

    /// As `crmadmin` would have it leave.
    fn ask_to_leave(&mut self, node: &str) {
        self.note(&format!("{node} is asked to leave"));
        let request = "<message t='crmd' version='3.20.5' subt='request' crm_task='req_shutdown' reference='leave' \
                       crm_sys_to='crmd' crm_sys_from='test'/>";
        let request = xml::parse(request).unwrap();
        self.world.ask(node, Service::Controld, request, Duration::from_secs(1));
    }

    /// What pacemakerd would do with a node whose controller has ended.
    fn switch_off_idle_nodes(&mut self) {
        for node in NODES {
            if !self.is_off(node) && !self.coordinates(node) {
                self.note(&format!("{node} is without a controller and goes down"));
                self.world.crash(node);
                self.world.run_for(Duration::from_secs(2));
            }
        }
    }

    /// No more faults: says whether everybody comes together again.
    fn recovers(&mut self) -> bool {
        self.world.physics.start_fails.clear();
        self.heal();
        for _ in 0..40 {
            self.switch_off_idle_nodes();
            for node in NODES {
                if self.is_off(node) {
                    boot(&mut self.world, node, &cib());
                }
            }
            self.world.run_for(Duration::from_secs(10));
            if NODES.iter().all(|node| self.coordinates(node)) && self.is_serving() {
                self.world.run_for(Duration::from_secs(120));
                return self.is_serving() && NODES.iter().all(|node| self.coordinates(node));
            }
        }
        false
    }
}

#[test]
fn whatever_fails_nothing_runs_twice_and_the_service_comes_back() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let replayed = number("SYSTOLE_SEED");
    let seeds = match replayed {
        Some(seed) => seed..seed + 1,
        None => 0..number("SYSTOLE_SEEDS").unwrap_or(RUNS),
    };
    for seed in seeds {
        let mut run = Run::new(seed);
        for _ in 0..8 {
            let pause = run.dice.pause();
            run.world.run_for(pause);
            run.one_fault();
            run.switch_off_idle_nodes();
        }
        let recovered = run.recovers();
        if replayed.is_some() {
            println!("{}", run.world.record().join("\n"));
        }
        let laws = run.world.physics.broken_laws();
        assert!(
            laws.is_empty() && recovered,
            "seed {seed}: recovered: {recovered}, laws broken: {laws:?}, faults: {:#?}\nreplay it with SYSTOLE_SEED={seed}",
            run.plan
        );
    }
}
