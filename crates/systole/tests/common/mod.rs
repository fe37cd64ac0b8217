// SPDX-License-Identifier: GPL-2.0-or-later
//! What the tests on real clusters share.

use anyhow::{Context, Result};
use lab::cluster::{Cluster, Options, wait_for};
use lab::layout::Layout;
use lab::scenario::{self, Shop};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A cluster of three with a service that prefers each node, and whatever else is asked for.
pub struct Town {
    pub cluster: Cluster,
    pub shops: Vec<Shop>,
    // Last, so that the cluster ends before its folder goes.
    folder: tempfile::TempDir,
}

impl Town {
    /// Makes it and waits until every service answers where it prefers to be.
    pub fn new(further: &str) -> Result<Town> {
        let folder = tempfile::Builder::new().prefix("lab-").tempdir()?;
        let layout = Layout::new(folder.path());
        let nodes = scenario::nodes(3);
        let shops =
            nodes.iter().map(|node| Ok(Shop::new(&layout, &format!("shop-{node}"))?.preferring(node)));
        let shops: Vec<Shop> = shops.collect::<Result<_>>()?;
        let cib = scenario::cib(&layout, &nodes, &shops.iter().collect::<Vec<_>>(), further);
        let binary = PathBuf::from(env!("CARGO_BIN_EXE_systole"));
        let root = folder.path().to_owned();
        let cluster = Cluster::new(Options { binary, root, nodes, cib, autostart: false, remove: false })?;
        let town = Town { cluster, shops, folder };
        for node in town.cluster.nodes() {
            town.cluster.boot(node)?;
        }
        town.whole().with_context(|| town.logs())?;
        Ok(town)
    }

    /// The folder of it all.
    #[allow(dead_code, reason = "each test file is a crate of its own, and not all look into the folder")]
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Waits until every node is a member, every service is where it prefers to be, and nothing is left to do.
    pub fn whole(&self) -> Result<()> {
        for node in self.cluster.nodes() {
            wait_for(&format!("{node} a member"), Duration::from_secs(60), || self.cluster.joined(node))?;
        }
        for (node, shop) in self.cluster.nodes().iter().zip(&self.shops) {
            wait_for(&format!("{} on {node}", shop.name()), Duration::from_secs(60), || {
                Ok((shop.served_by().as_deref() == Some(node)).then_some(()))
            })?;
        }
        self.cluster.settle(Duration::from_secs(30))
    }

    /// The logs of all nodes, for a failing test to show.
    pub fn logs(&self) -> String {
        let nodes = self.cluster.nodes().iter();
        let logs = nodes.map(|node| {
            let log = std::fs::read_to_string(self.cluster.layout().log(node)).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            format!(
                "--- {node}, last lines of its log:\n{}\n",
                lines[lines.len().saturating_sub(60)..].join("\n")
            )
        });
        logs.collect()
    }
}
