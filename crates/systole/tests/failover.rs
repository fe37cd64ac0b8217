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
    let mut victims = Vec::new();
    let mut dcs = 0;
    for run in 0..RUNS {
        let result = one_failover(&town, run, &mut dcs);
        match result {
            Ok(victim) => victims.push(victim),
            Err(error) => panic!("run {run} (victims so far: {victims:?}): {error:#}\n{}", town.logs()),
        }
    }
    assert!(victims.windows(2).all(|pair| pair[0] != pair[1]), "each run has another victim: {victims:?}");
    assert!(dcs > 0 && dcs < RUNS, "the DC is among the victims, and not always: {dcs} of {RUNS}");
}

/// Takes the power of a node that carries a service; returns who it was when all is as before.
fn one_failover(town: &Town, run: usize, dcs: &mut usize) -> Result<String> {
    let nodes = town.cluster.nodes();
    let victim = nodes[run % nodes.len()].clone();
    let shop = &town.shops[run % nodes.len()];
    if town.cluster.dc().context("no DC")? == victim {
        *dcs += 1;
    }
    let failure = now_us();
    town.cluster.crash(&victim)?;
    let server = wait_for("the service elsewhere", Duration::from_secs(40), || {
        Ok(shop.served_by().filter(|node| *node != victim))
    })?;
    ensure!(nodes.contains(&server), "served by {server}, which is no node");
    shop.prove(&victim, failure)?;
    // The others' services had no part in this.
    for other in town.shops.iter().filter(|other| other.name() != shop.name()) {
        for (resource, trace) in other.traces() {
            let disturbed =
                trace.entries()?.into_iter().find(|entry| entry.at_us > failure && entry.action == "stop");
            ensure!(disturbed.is_none(), "{resource} was stopped because {victim} died: {disturbed:?}");
        }
    }
    town.cluster.boot(&victim)?;
    town.whole()?;
    Ok(victim)
}
