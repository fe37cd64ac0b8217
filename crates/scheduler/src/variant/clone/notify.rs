// SPDX-License-Identifier: GPL-2.0-or-later
//! Notifications: instances are told before and after others start, stop, are promoted or demoted.
//!
//! Decides: who is told of what, when, and with which words about all the others (Pacemaker Administration, "Clone
//! Notifications"). Given: a clone with `notify=true`, its instances' actions. Leaves to others: those actions.

use crate::action::{ActionId, relation};
use crate::{Cluster, NodeId, ResourceId};
use model::{Role, Score};

/// What is notified about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    Start,
    Stop,
    Promote,
    Demote,
}

impl About {
    const fn task(self) -> &'static str {
        match self {
            About::Start => "start",
            About::Stop => "stop",
            About::Promote => "promote",
            About::Demote => "demote",
        }
    }
}

/// The actions that stand for the notifications of all instances about one thing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Notice {
    about: About,
    before: Option<Told>,
    after: Option<Told>,
}

/// To tell, and all told.
#[derive(Clone, Copy, Debug)]
struct Told {
    tell: ActionId,
    told: ActionId,
}

/// A clone's notifications.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Notices {
    start: Option<Notice>,
    stop: Option<Notice>,
    promote: Option<Notice>,
    demote: Option<Notice>,
}

/// Resources, each with a node where one is known.
type Entries = Vec<(ResourceId, Option<NodeId>)>;

/// What all instances are and do.
#[derive(Clone, Debug, Default)]
struct News {
    starting: Entries,
    stopping: Entries,
    promoting: Entries,
    demoting: Entries,
    active: Entries,
    unpromoted: Entries,
    promoted: Entries,
    inactive: Entries,
    /// The names and values that agents are given.
    words: Vec<(&'static str, String)>,
}

fn join<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.collect();
    // An empty list is a blank, so that there is something to be given to the agent.
    if words.is_empty() { " ".to_owned() } else { words.join(" ") }
}

impl Cluster {
    // --- the actions that stand for all ---------------------------------------------------------------------------

    pub(in crate::variant) fn create_start_stop_notices(
        &mut self,
        clone: ResourceId,
        start: [ActionId; 2],
        stop: [ActionId; 2],
    ) {
        if self.work(clone).notices.start.is_none() {
            let notice = self.notice(clone, About::Start, Some(start[0]), Some(start[1]));
            self.work_mut(clone).notices.start = notice;
        }
        if self.work(clone).notices.stop.is_some() {
            return;
        }
        let notice = self.notice(clone, About::Stop, Some(stop[0]), Some(stop[1]));
        self.work_mut(clone).notices.stop = notice;
        let notices = self.work(clone).notices;
        self.order_notices(notices.stop, notices.start);
    }

    pub(super) fn create_promotion_notice(
        &mut self,
        clone: ResourceId,
        promote: ActionId,
        promoted: ActionId,
    ) {
        if self.work(clone).notices.promote.is_none() {
            let notice = self.notice(clone, About::Promote, Some(promote), Some(promoted));
            self.work_mut(clone).notices.promote = notice;
        }
    }

    pub(super) fn create_demotion_notice(&mut self, clone: ResourceId, demote: ActionId, demoted: ActionId) {
        if self.work(clone).notices.demote.is_some() {
            return;
        }
        let notice = self.notice(clone, About::Demote, Some(demote), Some(demoted));
        self.work_mut(clone).notices.demote = notice;
        let Notices { start, stop, promote, demote } = self.work(clone).notices;
        for (first, then) in
            [(stop, promote), (start, promote), (demote, promote), (demote, start), (demote, stop)]
        {
            self.order_notices(first, then);
        }
    }

    /// All are told that one thing is done before any is told that another will be.
    fn order_notices(&mut self, first: Option<Notice>, then: Option<Notice>) {
        let first = first.and_then(|notice| notice.after);
        let then = then.and_then(|notice| notice.before);
        if let (Some(first), Some(then)) = (first, then) {
            self.order_actions(first.told, then.tell, relation::ORDERED);
        }
    }

    fn notice(
        &mut self,
        resource: ResourceId,
        about: About,
        action: Option<ActionId>,
        complete: Option<ActionId>,
    ) -> Option<Notice> {
        if !self.work(resource).notify {
            return None;
        }
        let before = action.map(|action| self.notice_before(resource, about, action));
        let after = complete.map(|complete| self.notice_after(resource, about, complete));
        if let (Some(before), Some(after)) = (before, after) {
            self.order_actions(before.told, after.tell, relation::ORDERED);
        }
        Some(Notice { about, before, after })
    }

    fn notice_before(&mut self, resource: ResourceId, about: About, action: ActionId) -> Told {
        let tell = self.notice_action(resource, about, action, "notify", "pre", "pre");
        let told = self.notice_action(resource, about, action, "notified", "confirmed-pre", "pre");
        self.action_mut(tell).runnable = true;
        self.action_mut(told).runnable = true;
        self.order_actions(tell, told, relation::ORDERED);
        self.order_actions(told, action, relation::ORDERED);
        Told { tell, told }
    }

    fn notice_after(&mut self, resource: ResourceId, about: About, complete: ActionId) -> Told {
        let tell = self.notice_action(resource, about, complete, "notify", "post", "post");
        let told = self.notice_action(resource, about, complete, "notified", "confirmed-post", "post");
        let runnable = self.action(complete).runnable;
        for action in [tell, told] {
            let action = self.action_mut(action);
            action.priority = Score::INFINITY.value();
            action.runnable = runnable;
        }
        self.order_actions(complete, tell, relation::FIRST_IMPLIES_THEN);
        self.order_actions(tell, told, relation::FIRST_IMPLIES_THEN);
        Told { tell, told }
    }

    fn notice_action(
        &mut self,
        resource: ResourceId,
        about: About,
        action: ActionId,
        task: &str,
        kind: &str,
        when: &str,
    ) -> ActionId {
        let (optional, of) = (self.action(action).optional, self.action(action).task.clone());
        let key = format!("{}_{kind}_notify_{of}_0", self.resource(resource).id);
        let notice = self.keyed_action(resource, &key, task, 0, None, optional);
        let action = self.action_mut(notice);
        action.pseudo = true;
        action.set_meta("notify_key_type", kind);
        action.set_meta("notify_key_operation", of);
        action.set_meta("notify_type", when);
        action.set_meta("notify_operation", about.task());
        notice
    }

    // --- who is told what -----------------------------------------------------------------------------------------

    /// Makes the notifications of all instances, now that it is known what will be done.
    pub(crate) fn create_notifications(&mut self, clone: ResourceId) {
        let Notices { start, stop, promote, demote } = self.work(clone).notices;
        for notice in [start, stop, promote, demote].into_iter().flatten() {
            let mut news = News::default();
            self.collect_news(clone, true, &mut news);
            self.word_news(clone, &notice, &mut news);
            self.tell_instances(clone, &notice, &news);
        }
    }

    /// Tells the others of a stop that is implied by fencing, once the node is fenced.
    pub(crate) fn notify_after_fencing(&mut self, stop: ActionId, resource: ResourceId, fencing: ActionId) {
        let Some(notice) = self.notice(resource, About::Stop, None, Some(fencing)) else { return };
        let mut news = News::default();
        self.collect_news(resource, false, &mut news);
        let node = self.action(stop).node.map(|node| self.node(node).name.to_string());
        news.words.push(("notify_stop_resource", self.resource(resource).id.to_string()));
        news.words.push(("notify_stop_uname", node.unwrap_or_default()));
        self.tell_instances(self.top_of(resource), &notice, &news);
    }

    fn collect_news(&self, id: ResourceId, with_actions: bool, news: &mut News) {
        let resource = self.resource(id);
        if !resource.children.is_empty() {
            for &child in &resource.children {
                self.collect_news(child, with_actions, news);
            }
            return;
        }
        let entry = (id, resource.state.active_on.first().copied());
        match resource.state.role {
            Role::Stopped => news.inactive.push(entry),
            Role::Started => news.active.push(entry),
            Role::Unpromoted => {
                news.unpromoted.push(entry);
                news.active.push(entry);
            }
            Role::Promoted => {
                news.promoted.push(entry);
                news.active.push(entry);
            }
            Role::Unknown => {}
        }
        for &action in resource.work.actions.iter().filter(|_| with_actions) {
            let action = self.action(action);
            let Some(node) = action.node.filter(|_| !action.optional) else { continue };
            let implied = *action.task == *"stop" && self.node(node).state.unclean;
            if !implied && !action.runnable {
                continue;
            }
            match &*action.task {
                "start" => news.starting.push((id, Some(node))),
                "stop" => news.stopping.push((id, Some(node))),
                "promote" => news.promoting.push((id, Some(node))),
                "demote" => news.demoting.push((id, Some(node))),
                _ => {}
            }
        }
    }

    /// The names of resources, and of the nodes with them: sorted, each resource once.
    fn names_of(&self, entries: &mut Entries, need_node: bool) -> (String, String) {
        let key = |&(id, node): &(ResourceId, Option<NodeId>)| {
            let node_id = node.map(|node| self.node(node).id.clone());
            (self.resource(id).id.clone(), node_id)
        };
        entries.sort_by_cached_key(key);
        let mut seen = None;
        let mut listed = Vec::new();
        for &(id, node) in entries.iter() {
            if need_node && node.is_none() || seen == Some(id) {
                continue;
            }
            seen = Some(id);
            listed.push((id, node));
        }
        let resources = join(listed.iter().map(|&(id, _)| &*self.resource(id).id));
        let nodes = listed.iter().filter_map(|&(_, node)| Some(&*self.node(node?).name));
        (resources, join(nodes))
    }

    fn word_news(&mut self, clone: ResourceId, notice: &Notice, news: &mut News) {
        let needed = match notice.about {
            About::Start => !news.starting.is_empty(),
            About::Stop => !news.stopping.is_empty(),
            About::Promote => !news.promoting.is_empty(),
            About::Demote => !news.demoting.is_empty(),
        };
        let lists: [(&mut Entries, &[(&'static str, &'static str)]); 7] = [
            (&mut news.stopping, &[("notify_stop_resource", "notify_stop_uname")]),
            (&mut news.starting, &[("notify_start_resource", "notify_start_uname")]),
            (&mut news.demoting, &[("notify_demote_resource", "notify_demote_uname")]),
            (&mut news.promoting, &[("notify_promote_resource", "notify_promote_uname")]),
            (&mut news.active, &[("notify_active_resource", "notify_active_uname")]),
            (
                &mut news.unpromoted,
                &[
                    ("notify_unpromoted_resource", "notify_unpromoted_uname"),
                    ("notify_slave_resource", "notify_slave_uname"),
                ],
            ),
            (
                &mut news.promoted,
                &[
                    ("notify_promoted_resource", "notify_promoted_uname"),
                    ("notify_master_resource", "notify_master_uname"),
                ],
            ),
        ];
        for (entries, names) in lists {
            let (resources, nodes) = self.names_of(entries, true);
            for &(resource_name, node_name) in names {
                news.words.push((resource_name, resources.clone()));
                news.words.push((node_name, nodes.clone()));
            }
        }
        news.words.push(("notify_inactive_resource", self.names_of(&mut news.inactive, false).0));
        let known = self.work(clone).allowed.iter().zip(&self.nodes).filter(|(allowed, _)| allowed.is_some());
        news.words.push(("notify_available_uname", join(known.map(|(_, node)| &*node.name))));
        news.words.push(("notify_all_uname", join(self.nodes.iter().map(|node| &*node.name))));
        if self.attribute_source(clone) == Some("host") {
            let hosts = self.node_ids().map(|node| &*self.node(self.host_of(node)).name);
            news.words.push(("notify_all_hosts", join(hosts)));
        }
        for told in [notice.before, notice.after].into_iter().flatten().filter(|_| needed) {
            self.action_mut(told.tell).optional = false;
            self.action_mut(told.told).optional = false;
        }
    }

    fn add_words(&mut self, id: ActionId, news: &News) {
        let action = self.action_mut(id);
        for (name, value) in &news.words {
            action.meta.insert(*name, value.as_str());
        }
    }

    fn tell_instances(&mut self, id: ResourceId, notice: &Notice, news: &News) {
        if !self.resource(id).children.is_empty() {
            for child in self.resource(id).children.clone() {
                self.tell_instances(child, notice, news);
            }
            return;
        }
        for index in 0..self.work(id).actions.len() {
            let action = self.work(id).actions[index];
            let known = self.action(action);
            let is_told_of = matches!(&*known.task, "start" | "stop" | "promote" | "demote");
            if is_told_of && !known.optional && known.node.is_some() {
                self.add_words(action, news);
            }
        }
        match notice.about {
            About::Start if !news.starting.is_empty() => self.tell_of_rise(id, notice, news),
            About::Promote if !news.promoting.is_empty() => self.tell_of_rise(id, notice, news),
            About::Demote if !news.demoting.is_empty() => self.tell_of_fall(id, notice, news),
            // A stop may be implied by fencing and is told of all the same.
            About::Stop => self.tell_of_fall(id, notice, news),
            _ => {}
        }
    }

    /// Of a stop or demotion all are told that are active.
    fn tell_of_fall(&mut self, id: ResourceId, notice: &Notice, news: &News) {
        if self.state(id).role == Role::Stopped {
            return;
        }
        let stop = self.find_first_action(id, "stop", None);
        for node in self.state(id).active_on.clone() {
            let implied = stop.is_some_and(|stop| self.action(stop).pseudo);
            if implied && (self.node(node).state.unclean || self.node(node).state.remote_reset) {
                continue;
            }
            self.tell(id, node, notice.before, news);
            let stays = stop.is_none_or(|stop| self.action(stop).optional);
            if notice.about == About::Demote || stays {
                self.tell_after(id, node, notice, news);
            }
        }
    }

    /// Of a start or promotion all are told that will be active; before it those that are already.
    fn tell_of_rise(&mut self, id: ResourceId, notice: &Notice, news: &News) {
        if self.state(id).next_role == Role::Stopped {
            return;
        }
        let start = self.find_first_action(id, "start", None);
        if start.is_some_and(|start| self.is_connection_blocked(start)) {
            return;
        }
        let Some(node) = self.work(id).assigned else { return };
        let stays = start.is_none_or(|start| self.action(start).optional);
        if notice.about != About::Start || stays {
            self.tell(id, node, notice.before, news);
        }
        self.tell_after(id, node, notice, news);
    }

    fn tell_after(&mut self, id: ResourceId, node: NodeId, notice: &Notice, news: &News) {
        if let Some(notification) = self.tell(id, node, notice.after, news) {
            self.action_mut(notification).priority = Score::INFINITY.value();
        }
        let Some(told) = notice.after.map(|after| after.told) else { return };
        // Recurring operations begin once all have been told.
        for index in (0..self.work(id).actions.len()).rev() {
            let action = self.work(id).actions[index];
            let known = self.action(action);
            let recurs = known.meta("interval").is_some_and(|interval| interval != "0");
            if recurs && *known.task != *"cancel" {
                self.order_actions(told, action, relation::ORDERED);
            }
        }
    }

    fn tell(&mut self, id: ResourceId, node: NodeId, told: Option<Told>, news: &News) -> Option<ActionId> {
        let Told { tell, told } = told?;
        if !self.node(node).state.online || !self.action(tell).runnable {
            return None;
        }
        let of_all = self.action(tell);
        let (optional, meta, task) = (of_all.optional, of_all.meta.clone(), of_all.task.clone());
        let part = |name: &str| meta.get(name).map(|value| &**value).unwrap_or_default();
        let key =
            format!("{}_{}_notify_{}_0", self.resource(id).id, part("notify_type"), part("notify_operation"));
        let notification = self.keyed_action(id, &key, &task, 0, Some(node), optional);
        // What is set already, such as a timeout, is the notification's own.
        let action = self.action_mut(notification);
        action.meta.add_missing(&meta);
        self.add_words(notification, news);
        self.order_actions(tell, notification, relation::ORDERED);
        self.order_actions(notification, told, relation::ORDERED);
        Some(notification)
    }
}
