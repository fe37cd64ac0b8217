// SPDX-License-Identifier: GPL-2.0-or-later
//! The lab's services and their proof: shops, each a database that writes shared data and a web server that clients ask, in
//! a group; and a power switch that fences.

use crate::journal;
use crate::layout::Layout;
use crate::service;
use crate::trace::{Entry, Trace};
use anyhow::{Context, Result, ensure};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

/// Names for this many nodes.
pub fn nodes(count: u32) -> Vec<String> {
    (1..=count).map(|number| format!("n{number}")).collect()
}

/// One service of a lab.
pub struct Shop {
    layout: Layout,
    name: String,
    prefers: Option<String>,
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
    /// A service of this name; picks a free loopback port for it.
    pub fn new(layout: &Layout, name: &str) -> Result<Shop> {
        // Free now, and nobody else is told of it; the service binds it again in a moment.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        Ok(Shop { layout: layout.clone(), name: name.to_owned(), prefers: None, address })
    }

    /// The same, preferring a node to run on.
    #[must_use]
    pub fn preferring(mut self, node: &str) -> Shop {
        self.prefers = Some(node.to_owned());
        self
    }

    /// Its name: the group's id.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its resources, in the order they start.
    pub fn resources(&self) -> [String; 2] {
        [format!("{}-db", self.name), format!("{}-web", self.name)]
    }

    /// Where clients find it.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The node that serves its clients now, if one does.
    pub fn served_by(&self) -> Option<String> {
        service::ask(self.address, Duration::from_millis(200))
    }

    /// Its shared data.
    pub fn journal(&self) -> std::path::PathBuf {
        self.layout.shared(&format!("{}.journal", self.name))
    }

    /// Its agents' traces, by resource.
    pub fn traces(&self) -> [(String, Trace); 2] {
        self.resources().map(|name| {
            let trace = Trace::new(self.layout.shared(&format!("{name}.trace")));
            (name, trace)
        })
    }

    /// Judges a failover by what the switch, the agents and the shared data say, and by nothing the cluster says of itself.
    pub fn prove(&self, victim: &str, failure_us: u64) -> Result<Proof> {
        let after = |entry: &Entry| entry.at_us >= failure_us;
        let switch = Trace::new(self.layout.shared("switch.trace"));
        let off =
            switch.entries()?.into_iter().filter(after).find(|entry| entry.node == victim && entry.rc == 0);
        let off_us = off.with_context(|| format!("the switch never cut {victim}"))?.at_us;
        let mut first_start_us = u64::MAX;
        for (resource, trace) in self.traces() {
            for entry in trace.entries()?.into_iter().filter(after).filter(|entry| entry.action == "start") {
                let early_us = off_us.saturating_sub(entry.at_us);
                ensure!(
                    early_us == 0,
                    "{} started {resource} {early_us} us before {victim} was off",
                    entry.node
                );
                first_start_us = first_start_us.min(entry.at_us);
            }
        }
        ensure!(first_start_us < u64::MAX, "nothing of {} was started anywhere after the failure", self.name);
        let tenures = journal::tenures(&self.journal())?;
        let twice = journal::double_writers(&tenures);
        ensure!(twice.is_empty(), "the data of {} had two writers at once: {twice:?}", self.name);
        Ok(Proof { off_us, first_start_us, writers: tenures.len() })
    }

    fn group(&self) -> String {
        let program = self.layout.bin().join("systole").display().to_string();
        let journal = self.journal().display().to_string();
        let [(db, db_trace), (web, web_trace)] = self.traces();
        let db = process(&db, &format!("{program} lab-service journal {journal}"), &db_trace);
        let web = process(&web, &format!("{program} lab-service web {} {journal}", self.address), &web_trace);
        format!("<group id=\"{}\">\n{db}{web}</group>\n", self.name)
    }

    fn preference(&self) -> Option<String> {
        let (name, node) = (&self.name, self.prefers.as_ref()?);
        Some(format!(r#"<rsc_location id="{name}-likes-{node}" rsc="{name}" node="{node}" score="100"/>"#))
    }
}

fn process(id: &str, command: &str, trace: &Trace) -> String {
    format!(
        r#"<primitive id="{id}" class="ocf" provider="systole" type="process">
  <instance_attributes id="{id}-params">
    <nvpair id="{id}-command" name="command" value="{command}"/>
    <nvpair id="{id}-trace" name="trace" value="{trace}"/>
  </instance_attributes>
  <operations>
    <op id="{id}-start" name="start" interval="0" timeout="20s"/>
    <op id="{id}-stop" name="stop" interval="0" timeout="20s"/>
    <op id="{id}-monitor" name="monitor" interval="2s" timeout="10s"/>
  </operations>
</primitive>
"#,
        trace = trace.path().display()
    )
}

/// The whole configuration of a lab: its nodes, its services, further resources, the fence device.
pub fn cib(layout: &Layout, nodes: &[String], shops: &[&Shop], further: &str) -> String {
    let list: String =
        (1..).zip(nodes).map(|(id, name)| format!(r#"<node id="{id}" uname="{name}"/>"#)).collect();
    let groups: String = shops.iter().map(|shop| shop.group()).collect();
    let preferences: String = shops.iter().filter_map(|shop| shop.preference()).collect();
    format!(
        r#"<cib validate-with="pacemaker-4.0" admin_epoch="0" epoch="1" num_updates="0">
<configuration>
<crm_config>
  <cluster_property_set id="cib-bootstrap-options">
    <nvpair id="opt-stonith-enabled" name="stonith-enabled" value="true"/>
    <nvpair id="opt-stonith-timeout" name="stonith-timeout" value="20s"/>
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
{groups}{further}</resources>
<constraints>{preferences}</constraints>
<rsc_defaults>
  <meta_attributes id="defaults">
    <nvpair id="defaults-stickiness" name="resource-stickiness" value="10"/>
  </meta_attributes>
</rsc_defaults>
</configuration>
<status/>
</cib>
"#,
        switch = layout.socket("switch").display(),
        hosts = nodes.join(" "),
    )
}
