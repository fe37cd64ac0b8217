// SPDX-License-Identifier: GPL-2.0-or-later
//! What is done with all instances together.
//!
//! Decides: whether the whole starts or stops. Given: its instances' actions. Leaves to others: each instance's.

use crate::{Cluster, ResourceId, Variant};
use model::Score;

/// What happens to instances.
#[derive(Clone, Copy, Debug, Default)]
struct Doings {
    starting: bool,
    stopping: bool,
    /// One of them does both.
    restarting: bool,
    active: bool,
}

impl Cluster {
    /// Makes the actions of all instances, and those that stand for all of them.
    pub(in crate::variant) fn create_instance_actions(
        &mut self,
        collective: ResourceId,
        instances: &[ResourceId],
    ) {
        let mut doings = Doings::default();
        for &instance in instances {
            self.create_actions(instance);
            self.add_doings(instance, &mut doings);
        }
        let start = self.stand_in(collective, "start", !doings.starting, true);
        let started = self.stand_in(collective, "running", !doings.starting, false);
        self.action_mut(started).priority = Score::INFINITY.value();
        if doings.active || doings.starting {
            self.action_mut(started).runnable = true;
        }
        let stop = self.stand_in(collective, "stop", !doings.stopping, true);
        let stopped = self.stand_in(collective, "stopped", !doings.stopping, true);
        self.action_mut(stopped).priority = Score::INFINITY.value();
        if !doings.restarting {
            self.action_mut(stop).migratable = true;
        }
        if self.resource(collective).variant == Variant::Clone {
            self.create_start_stop_notices(collective, [start, started], [stop, stopped]);
        }
    }

    fn add_doings(&self, id: ResourceId, doings: &mut Doings) {
        let resource = self.resource(id);
        if resource.variant != Variant::Primitive {
            for &child in &resource.children {
                self.add_doings(child, doings);
            }
            return;
        }
        let (mut starting, mut stopping) = (false, false);
        for &action in &resource.work.actions {
            let action = self.action(action);
            match &*action.task {
                "start" => starting |= !action.optional && action.runnable,
                // A stop that fencing implies is none that is carried out, but the instance is down then.
                "stop" => stopping |= !action.optional && (action.pseudo || action.runnable),
                _ => {}
            }
        }
        doings.active |= !resource.state.active_on.is_empty();
        doings.starting |= starting;
        doings.stopping |= stopping;
        doings.restarting |= starting && stopping;
    }
}
