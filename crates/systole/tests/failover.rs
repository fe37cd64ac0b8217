// SPDX-License-Identifier: GPL-2.0-or-later
//! The main job, judged from outside: machines die, services come back elsewhere, and only after the power was cut.
#![allow(clippy::panic, clippy::expect_used)] // a test may

mod common;

use anyhow::{Context, Result, ensure};
use common::Town;
use lab::cluster::wait_for;
use lab::trace::now_us;
use std::time::Duration;

const RUNS: usize = 20;

#[test]
fn twenty_machines_in_a_row_lose_their_power() {
    let town = Town::new("").expect("a whole cluster");
    let mut victims: Vec<String> = Vec::new();
    for run in 0..RUNS {
        let result = victim(&town, run, victims.last().map(String::as_str))
            .and_then(|victim| one_failover(&town, &victim).map(|()| victim));
        match result {
            Ok(victim) => victims.push(victim),
            Err(error) => panic!("run {run} (victims so far: {victims:?}): {error:#}\n{}", town.logs()),
        }
    }
    assert!(victims.windows(2).all(|pair| pair[0] != pair[1]), "each run has another victim: {victims:?}");
    for node in town.cluster.nodes() {
        assert!(victims.contains(node), "{node} was never a victim: {victims:?}");
    }
}

/// Whose turn it is: the DC's, then that of a node that is neither the DC nor the last victim, then the DC's again.
/// (Going round would not do: the oldest controller becomes DC, so it would always be the next in the row.)
fn victim(town: &Town, run: usize, last: Option<&str>) -> Result<String> {
    let dc = town.cluster.dc().context("no DC")?;
    if run.is_multiple_of(2) {
        return Ok(dc);
    }
    let mut others = town.cluster.nodes().iter().filter(|node| **node != dc && Some(node.as_str()) != last);
    others.next().cloned().context("no node but the DC and the last victim")
}

/// Takes the power of a node that carries a service; returns when all is as before.
fn one_failover(town: &Town, victim: &str) -> Result<()> {
    let nodes = town.cluster.nodes();
    let place = nodes.iter().position(|node| node == victim).context("the victim is no node")?;
    let shop = &town.shops[place];
    let failure = now_us();
    town.cluster.crash(victim)?;
    let server = wait_for("the service elsewhere", Duration::from_secs(40), || {
        Ok(shop.served_by().filter(|node| node != victim))
    })?;
    ensure!(nodes.contains(&server), "served by {server}, which is no node");
    shop.prove(victim, failure)?;
    // The others' services had no part in this.
    for other in town.shops.iter().filter(|other| other.name() != shop.name()) {
        for (resource, trace) in other.traces() {
            let disturbed =
                trace.entries()?.into_iter().find(|entry| entry.at_us > failure && entry.action == "stop");
            ensure!(disturbed.is_none(), "{resource} was stopped because {victim} died: {disturbed:?}");
        }
    }
    town.cluster.boot(victim)?;
    town.whole()
}
