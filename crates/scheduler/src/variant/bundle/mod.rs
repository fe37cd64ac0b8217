// SPDX-License-Identifier: GPL-2.0-or-later
//! Bundles: containers, each with what belongs to it, and a clone whose instances are in them.
//!
//! Decides: what that means in each stage, here; who is with which container (`colocation`). Given: a bundle with its
//! replicas. Leaves to others: what bundles share with clones (`variant::instances`); the clone within; each container.

mod colocation;

use crate::action::relation;
use crate::constraint::{Side, Terms};
use crate::ledger::Cause;
use crate::{Cluster, NodeId, NodeKind, Parameters, Replica, ResourceId, Variant};
use model::Score;
use std::sync::Arc;

/// A connection's address if it is at its container's host, wherever that is.
const HOST_ADDRESS: &str = "#uname";

impl Cluster {
    /// The containers of a bundle.
    pub(in crate::variant) fn containers(&self, bundle: ResourceId) -> Vec<ResourceId> {
        self.resource(bundle).replicas.iter().map(|replica| replica.container).collect()
    }

    /// The clone of what is in a bundle's containers.
    pub(crate) fn bundled_clone(&self, bundle: ResourceId) -> Option<ResourceId> {
        let children = &self.resource(bundle).children;
        children.last().copied().filter(|&child| self.resource(child).variant == Variant::Clone)
    }

    /// The replica that a resource (container, address, connection, instance) is of, with its bundle.
    fn replica_of(&self, id: ResourceId) -> Option<(ResourceId, &Replica)> {
        let number = self.work(id).replica?;
        let mut bundle = id;
        while let Some(parent) = self.resource(bundle).parent {
            bundle = parent;
        }
        Some((bundle, self.resource(bundle).replicas.get(number)?))
    }

    /// What runs in a bundle's container.
    pub(crate) fn resource_in_container(&self, container: ResourceId) -> Option<ResourceId> {
        let (_, replica) = self.replica_of(container)?;
        replica.child.filter(|_| replica.container == container)
    }

    fn is_container(&self, id: ResourceId) -> bool {
        self.replica_of(id).is_some_and(|(_, replica)| replica.container == id)
    }

    /// Whether a node is made by a bundle.
    pub(crate) fn is_bundle_node(&self, node: NodeId) -> bool {
        let node = self.node(node);
        node.kind == NodeKind::Guest && node.connection.is_some_and(|id| self.is_bundled(id))
    }

    /// Whether a resource is in a bundle, or is one.
    pub(crate) fn is_bundled(&self, id: ResourceId) -> bool {
        let top = self.top_of(id);
        self.resource(top).variant == Variant::Bundle || self.resource(top).parent.is_some()
    }

    /// Whether where a connection goes to depends on where its container is.
    pub(crate) fn has_open_address(&mut self, id: ResourceId) -> bool {
        let addr = |parameters: Arc<Parameters>| parameters.get("addr").map(|addr| &**addr == HOST_ADDRESS);
        self.work(id).remote_connection && addr(self.parameters(id, None)) == Some(true)
    }

    /// Parameters with the address at which a connection's container really is, where that was left open.
    pub(crate) fn with_real_address(
        &self,
        id: Option<ResourceId>,
        parameters: Arc<Parameters>,
    ) -> Arc<Parameters> {
        let open = parameters.get("addr").is_some_and(|addr| addr.eq_ignore_ascii_case(HOST_ADDRESS));
        let Some(container) = id.filter(|_| open).and_then(|id| self.work(id).launcher) else {
            return parameters;
        };
        let host = self.work(container).assigned.or_else(|| self.current_node(container));
        let Some(host) = host.filter(|_| self.is_container(container)) else { return parameters };
        let mut parameters = Parameters::clone(&parameters);
        parameters.insert(Arc::from("addr"), self.node(host).name.clone());
        Arc::new(parameters)
    }

    /// Whether what is known of a bundle's replicas says that it is active: the first of them that says anything decides.
    pub(in crate::variant) fn is_bundle_active(&self, bundle: ResourceId, all: bool) -> bool {
        let of_replica = |replica: &Replica| {
            [replica.ip, replica.child, Some(replica.container), replica.remote].into_iter().flatten()
        };
        let mut parts = self.resource(bundle).replicas.iter().flat_map(of_replica);
        let decides = |&id: &ResourceId| self.is_active(id, all) != all;
        parts.find(decides).map_or(all, |_| !all)
    }

    // --- placing --------------------------------------------------------------------------------------------------

    pub(super) fn assign_bundle(&mut self, bundle: ResourceId, prefer: Option<NodeId>, stop_if_fail: bool) {
        self.work_mut(bundle).assigning = true;
        self.record_scores(bundle, "pcmk__bundle_assign");
        let containers = self.sort_for_assignment(&self.containers(bundle));
        let terms = &self.resource(bundle).instances;
        let (max, per_node) = (terms.max, terms.per_node);
        self.assign_instances(bundle, &containers, max, per_node);
        for replica in self.resource(bundle).replicas.clone() {
            self.assign_replica(&replica, prefer, stop_if_fail);
        }
        if let Some(clone) = self.bundled_clone(bundle) {
            let own: Vec<Option<NodeId>> = self.resource(bundle).replicas.iter().map(|r| r.node).collect();
            for (index, allowed) in self.work_mut(clone).allowed.iter_mut().enumerate() {
                let is_own = own.contains(&Some(NodeId::new(index)));
                if let Some(allowed) = allowed {
                    allowed.score = if is_own { 0 } else { Score::MINUS_INFINITY.value() };
                }
            }
            self.account_changes(clone, || Cause::BundleNode);
            self.assign(clone, prefer, stop_if_fail);
        }
        let work = self.work_mut(bundle);
        work.assigning = false;
        work.unassigned = false;
    }

    /// Places what belongs to a container that has been placed.
    fn assign_replica(&mut self, replica: &Replica, prefer: Option<NodeId>, stop_if_fail: bool) {
        if let Some(ip) = replica.ip {
            self.assign(ip, prefer, stop_if_fail);
        }
        if let Some(remote) = replica.remote {
            let host = self.work(replica.container).assigned;
            if let Some(connection) = host.and_then(|host| self.node(host).connection) {
                // A remote node has one connection: what is in a container there is reached along it.
                let terms = Terms {
                    id: "#replica-remote-with-host-remote",
                    score: Score::INFINITY,
                    attribute: None,
                    dependent_role: None,
                    primary_role: None,
                    influence: true,
                    explicit: false,
                };
                self.add_colocation(remote, connection, &terms);
            }
            self.assign(remote, prefer, stop_if_fail);
        }
        let Some(child) = replica.child else { return };
        for node in self.node_ids() {
            let known = self.work(child).allowed.get(node.index()).is_some_and(Option::is_some);
            let score = match replica.node == Some(node) {
                false => Score::MINUS_INFINITY,
                true if known && self.threshold_reached(child, node).is_none() => Score::INFINITY,
                true => continue,
            };
            if let Some(Some(allowed)) = self.work_mut(child).allowed.get_mut(node.index()) {
                allowed.score = score.value();
            }
        }
        self.account_changes(child, || Cause::Container);
        let clone = self.resource(child).parent;
        for (id, assigning) in clone.into_iter().map(|id| (id, true)) {
            self.work_mut(id).assigning = assigning;
        }
        self.assign(child, replica.node, stop_if_fail);
        if let Some(clone) = clone {
            self.work_mut(clone).assigning = false;
        }
    }

    // --- actions and constraints ----------------------------------------------------------------------------------

    pub(super) fn create_bundle_actions(&mut self, bundle: ResourceId) {
        for replica in self.resource(bundle).replicas.clone() {
            for id in [replica.ip, Some(replica.container), replica.remote].into_iter().flatten() {
                self.create_actions(id);
            }
        }
        let containers = self.containers(bundle);
        self.create_instance_actions(bundle, &containers);
        let Some(clone) = self.bundled_clone(bundle) else { return };
        self.create_actions(clone);
        if self.work(clone).promotable {
            for (task, done) in [("promote", "promoted"), ("demote", "demoted")] {
                self.stand_in(bundle, task, true, true);
                let done = self.stand_in(bundle, done, true, true);
                self.action_mut(done).priority = Score::INFINITY.value();
            }
        }
    }

    pub(super) fn add_bundle_constraints(&mut self, bundle: ResourceId) {
        for replica in self.resource(bundle).replicas.clone() {
            self.add_replica_constraints(bundle, &replica);
        }
        let Some(clone) = self.bundled_clone(bundle) else { return };
        self.order_bundle_with_clone(bundle, clone, ["start", "running"]);
        self.order_bundle_with_clone(bundle, clone, ["stop", "stopped"]);
        self.add_internal_constraints(clone);
        if self.work(clone).promotable {
            self.order_promotion_restarts(bundle);
            self.order_bundle_with_clone(bundle, clone, ["demote", "demoted"]);
            self.order_bundle_with_clone(bundle, clone, ["promote", "promoted"]);
        }
    }

    fn order_bundle_with_clone(&mut self, bundle: ResourceId, clone: ResourceId, [task, done]: [&str; 2]) {
        self.order(bundle, task, clone, task, relation::THEN_IMPLIES_FIRST_GRAPHED);
        self.order(clone, done, bundle, done, relation::FIRST_IMPLIES_THEN_GRAPHED);
    }

    fn add_replica_constraints(&mut self, bundle: ResourceId, replica: &Replica) {
        use relation::{
            FIRST_IMPLIES_THEN_GRAPHED, GUEST_ALLOWED, THEN_IMPLIES_FIRST, THEN_IMPLIES_FIRST_GRAPHED,
            UNRUNNABLE_FIRST_BLOCKS,
        };
        let container = replica.container;
        self.add_internal_constraints(container);
        let up = UNRUNNABLE_FIRST_BLOCKS | THEN_IMPLIES_FIRST_GRAPHED;
        self.order(bundle, "start", container, "start", up);
        if let Some(child) = replica.child {
            self.order(bundle, "stop", child, "stop", THEN_IMPLIES_FIRST_GRAPHED);
        }
        self.order(bundle, "stop", container, "stop", THEN_IMPLIES_FIRST_GRAPHED);
        self.order(container, "start", bundle, "running", FIRST_IMPLIES_THEN_GRAPHED);
        self.order(container, "stop", bundle, "stopped", FIRST_IMPLIES_THEN_GRAPHED);
        if let Some(ip) = replica.ip {
            self.add_internal_constraints(ip);
            self.order(ip, "start", container, "start", UNRUNNABLE_FIRST_BLOCKS | GUEST_ALLOWED);
            self.order(container, "stop", ip, "stop", THEN_IMPLIES_FIRST | GUEST_ALLOWED);
            let terms = Terms {
                id: "#ip-with-container",
                score: Score::INFINITY,
                attribute: None,
                dependent_role: None,
                primary_role: None,
                influence: true,
                explicit: false,
            };
            self.add_colocation(ip, container, &terms);
        }
        if let Some(remote) = replica.remote {
            self.add_internal_constraints(remote);
        }
    }

    // --- probes ---------------------------------------------------------------------------------------------------

    pub(crate) fn probe_bundle(&mut self, bundle: ResourceId, node: NodeId) -> bool {
        let mut any = false;
        let alone = self.resource(bundle).instances.per_node == 1;
        let replicas = self.resource(bundle).replicas.clone();
        for replica in &replicas {
            any |= replica.ip.is_some_and(|ip| self.probe(ip, node));
            let child = replica.child.filter(|_| replica.node == Some(node));
            any |= child.is_some_and(|child| self.probe(child, node));
            if self.probe(replica.container, node) {
                any = true;
                // Where only one may be, no other starts before it is known whether one is there already.
                for other in replicas.iter().filter(|other| alone && other.container != replica.container) {
                    let first = Side::operation(self, replica.container, "monitor");
                    let then = Side::operation(self, other.container, "start");
                    self.add_ordering(first, then, relation::ORDERED | relation::IF_ON_SAME_NODE);
                }
            }
            if let Some(remote) = replica.remote
                && self.probe(remote, node)
                && let Some(probe) = self.find_first_action(remote, "monitor", Some(node))
            {
                // Where the connection would be is only known once the container is somewhere.
                any = true;
                let first = Side::operation(self, replica.container, "start");
                let then = Side::action(self, probe);
                self.add_ordering(first, then, relation::NESTED_REMOTE_PROBE);
            }
        }
        any
    }
}
