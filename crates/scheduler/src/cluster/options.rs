// SPDX-License-Identifier: GPL-2.0-or-later
//! Cluster properties, with their defaults.
//!
//! Decides: defaults and how values are read (Pacemaker Explained, "Cluster-Wide Configuration"). Given: the CIB's
//! `crm_config`. Leaves to others: what they lead to.

use std::collections::BTreeMap;
use std::sync::Arc;

/// `no-quorum-policy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QuorumPolicy {
    /// Stop everything in the partition.
    #[default]
    Stop,
    /// Keep what runs, start nothing.
    Freeze,
    /// Demote promoted resources, stop the others.
    Demote,
    /// Carry on.
    Ignore,
    /// Fence every node of the partition.
    Fence,
}

/// `placement-strategy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PlacementStrategy {
    /// Utilization does not matter.
    #[default]
    Default,
    /// Only where there is room.
    Utilization,
    /// Where there is room, on as few nodes as possible.
    Minimal,
    /// Where there is room, evenly.
    Balanced,
}

/// Cluster properties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterOptions {
    /// All properties as configured.
    pub values: BTreeMap<Arc<str>, Arc<str>>,
    /// `no-quorum-policy`.
    pub quorum_policy: QuorumPolicy,
    /// `symmetric-cluster`: resources may run anywhere unless told otherwise.
    pub symmetric: bool,
    /// `maintenance-mode`.
    pub maintenance_mode: bool,
    /// `fencing-enabled`.
    pub fencing_enabled: bool,
    /// `fencing-action`: `reboot` or `off`.
    pub fencing_action: Arc<str>,
    /// `concurrent-fencing`.
    pub concurrent_fencing: bool,
    /// `startup-fencing`: nodes never seen are fenced.
    pub startup_fencing: bool,
    /// `stop-all-resources`.
    pub stop_all: bool,
    /// `stop-removed-resources`.
    pub stop_removed: bool,
    /// `cancel-removed-actions`.
    pub cancel_removed: bool,
    /// `enable-startup-probes`.
    pub startup_probes: bool,
    /// `start-failure-is-fatal`.
    pub start_failure_fatal: bool,
    /// `shutdown-lock`.
    pub shutdown_lock: bool,
    /// `shutdown-lock-limit`, in milliseconds.
    pub shutdown_lock_limit_ms: u64,
    /// `priority-fencing-delay`, in milliseconds.
    pub priority_fencing_delay_ms: u64,
    /// `node-pending-timeout`, in milliseconds.
    pub node_pending_timeout_ms: u64,
    /// `have-watchdog`.
    pub have_watchdog: bool,
    /// `placement-strategy`.
    pub placement: PlacementStrategy,
    /// `cluster-name`.
    pub cluster_name: Option<Arc<str>>,
}

impl Default for ClusterOptions {
    fn default() -> ClusterOptions {
        ClusterOptions {
            values: BTreeMap::new(),
            quorum_policy: QuorumPolicy::Stop,
            symmetric: true,
            maintenance_mode: false,
            fencing_enabled: true,
            fencing_action: Arc::from("reboot"),
            concurrent_fencing: true,
            startup_fencing: true,
            stop_all: false,
            stop_removed: true,
            cancel_removed: true,
            startup_probes: true,
            start_failure_fatal: true,
            shutdown_lock: false,
            shutdown_lock_limit_ms: 0,
            priority_fencing_delay_ms: 0,
            node_pending_timeout_ms: 0,
            have_watchdog: false,
            placement: PlacementStrategy::Default,
            cluster_name: None,
        }
    }
}

impl ClusterOptions {
    /// A property as configured.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|value| &**value)
    }
}
