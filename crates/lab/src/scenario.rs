//! The lab's service and its proof: a shop with a database that writes shared data and a web server that clients ask, in a
//! group, and a power switch that fences.
// SPDX-License-Identifier: GPL-2.0-or-later

use crate::cluster::Cluster;
use crate::journal;
use crate::layout::Layout;
use crate::service;
use crate::trace::{Entry, Trace};
use anyhow::{Context, Result, ensure};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

/// Names for this many nodes.
pub fn nodes(count: u32) -> Vec<String> {
    (1..=count).map(|number| format!("n{number}")).collect()
}

/// The service of one lab.
pub struct Shop {
    layout: Layout,
    address: SocketAddr,
}

/// What the traces prove of one failover.
#[derive(Clone, Copy, Debug)]
pub struct Proof {
    /// When the switch had confirmed that the victim is off.
    pub off_us: u64,
    /// When the first part of the service was started elsewhere.
    pub first_start_us: u64,
    /// How many processes have written the shared data so far.
    pub writers: usize,
}

impl Shop {
    /// The resources of the service, in the order they start.
    pub const RESOURCES: [&'static str; 2] = ["shop-db", "shop-web"];

    /// For the lab below `root`; picks a free loopback port.
    pub fn new(root: &Path) -> Result<Shop> {
        // Free now, and nobody else is told of it; the service binds it again in a moment.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        Ok(Shop { layout: Layout::new(root), address })
    }

    /// Where clients find the service.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The node that serves clients now, if one does.
    pub fn served_by(&self) -> Option<String> {
        service::ask(self.address, Duration::from_millis(200))
    }

    /// The shared data.
    pub fn journal(&self) -> std::path::PathBuf {
        self.layout.shared("journal")
    }

    /// The agents' traces, by resource.
    pub fn traces(&self) -> Vec<(&'static str, Trace)> {
        Self::RESOURCES.map(|name| (name, Trace::new(self.layout.shared(&format!("{name}.trace"))))).into()
    }

    /// The whole configuration: three nodes, the group, the fence device.
    pub fn cib(&self, nodes: &[String]) -> String {
        let program = self.layout.bin().join("systole").display().to_string();
        let journal = self.journal().display().to_string();
        let list: String =
            (1..).zip(nodes).map(|(id, name)| format!(r#"<node id="{id}" uname="{name}"/>"#)).collect();
        let primitive = |id: &str, command: &str| {
            let trace = self.layout.shared(&format!("{id}.trace"));
            format!(
                r#"<primitive id="{id}" class="ocf" provider="systole" type="process">
  <instance_attributes id="{id}-params">
    <nvpair id="{id}-command" name="command" value="{command}"/>
    <nvpair id="{id}-trace" name="trace" value="{}"/>
  </instance_attributes>
  <operations>
    <op id="{id}-start" name="start" interval="0" timeout="20s"/>
    <op id="{id}-stop" name="stop" interval="0" timeout="20s"/>
    <op id="{id}-monitor" name="monitor" interval="2s" timeout="10s"/>
  </operations>
</primitive>"#,
                trace.display()
            )
        };
        format!(
            r#"<cib validate-with="pacemaker-4.0" admin_epoch="0" epoch="1" num_updates="0">
<configuration>
<crm_config>
  <cluster_property_set id="cib-bootstrap-options">
    <nvpair id="opt-fencing-enabled" name="stonith-enabled" value="true"/>
    <nvpair id="opt-fencing-timeout" name="stonith-timeout" value="20s"/>
    <nvpair id="opt-dc-deadtime" name="dc-deadtime" value="2s"/>
  </cluster_property_set>
</crm_config>
<nodes>{list}</nodes>
<resources>
<primitive id="power" class="stonith" type="fence_lab">
  <instance_attributes id="power-params">
    <nvpair id="power-switch" name="switch" value="{switch}"/>
    <nvpair id="power-hosts" name="pcmk_host_list" value="{hosts}"/>
  </instance_attributes>
</primitive>
<group id="shop">
{db}
{web}
</group>
</resources>
<constraints/>
</configuration>
<status/>
</cib>
"#,
            switch = self.layout.socket("switch").display(),
            hosts = nodes.join(" "),
            db = primitive("shop-db", &format!("{program} lab-service journal {journal}")),
            web = primitive("shop-web", &format!("{program} lab-service web {} {journal}", self.address)),
        )
    }
}

/// Judges a failover by what the switch, the agents and the shared data say, and by nothing the cluster says of itself.
pub fn prove(cluster: &Cluster, shop: &Shop, victim: &str, failure_us: u64) -> Result<Proof> {
    let after = |entry: &Entry| entry.at_us >= failure_us;
    let switch = Trace::new(cluster.layout().shared("switch.trace"));
    let off = switch.entries()?.into_iter().filter(after).find(|entry| entry.node == victim && entry.rc == 0);
    let off_us = off.with_context(|| format!("the switch never cut {victim}"))?.at_us;
    let mut first_start_us = u64::MAX;
    for (resource, trace) in shop.traces() {
        for entry in trace.entries()?.into_iter().filter(after).filter(|entry| entry.action == "start") {
            ensure!(
                entry.at_us > off_us,
                "{} started {resource} {} us before {victim} was off",
                entry.node,
                off_us - entry.at_us
            );
            first_start_us = first_start_us.min(entry.at_us);
        }
    }
    ensure!(first_start_us < u64::MAX, "nothing was started anywhere after the failure");
    let tenures = journal::tenures(&shop.journal())?;
    let twice = journal::double_writers(&tenures);
    ensure!(twice.is_empty(), "the shared data had two writers at once: {twice:?}");
    Ok(Proof { off_us, first_start_us, writers: tenures.len() })
}
