// SPDX-License-Identifier: GPL-2.0-or-later
//! Fencing levels: which devices have to succeed together, and what is tried next.

use messages::fencer::{Level, LevelTarget};
use std::collections::BTreeMap;

/// The number of the highest level.
pub(super) const HIGHEST: u32 = 9;

/// Levels of one kind of target: number to devices.
type Levels = BTreeMap<u32, Vec<String>>;

#[derive(Debug, Default)]
pub(super) struct Topology {
    from_cib: BTreeMap<LevelTarget, Levels>,
    from_clients: BTreeMap<LevelTarget, Levels>,
    /// Permanent attributes of nodes, by the node's name.
    attributes: BTreeMap<String, BTreeMap<String, String>>,
}

impl Topology {
    /// What the CIB says now takes the place of what it said before.
    pub fn set_from_cib(
        &mut self,
        levels: Vec<Level>,
        attributes: BTreeMap<String, BTreeMap<String, String>>,
    ) {
        self.from_cib.clear();
        for level in levels {
            self.from_cib
                .entry(level.target)
                .or_default()
                .entry(level.index)
                .or_default()
                .extend(level.devices);
        }
        self.attributes = attributes;
    }

    pub fn add(&mut self, level: Level) {
        self.from_clients.entry(level.target).or_default().insert(level.index, level.devices);
    }

    pub fn remove(&mut self, level: &Level) {
        if let Some(levels) = self.from_clients.get_mut(&level.target) {
            levels.remove(&level.index);
            if levels.is_empty() {
                self.from_clients.remove(&level.target);
            }
        }
    }

    /// The levels for a node, lowest first: those for its name, else the first that match.
    pub fn levels_for(&self, node: &str) -> Option<&Levels> {
        let of_name = |levels: &'_ BTreeMap<LevelTarget, Levels>| {
            let is_it = |target: &LevelTarget| matches!(target, LevelTarget::Name(name) if name.eq_ignore_ascii_case(node));
            levels.keys().find(|target| is_it(target)).cloned()
        };
        for source in [&self.from_clients, &self.from_cib] {
            if let Some(target) = of_name(source) {
                return source.get(&target);
            }
        }
        let matches = |(target, _): &(&LevelTarget, &Levels)| match target {
            LevelTarget::Name(_) => false,
            LevelTarget::Pattern(pattern) => matches_pattern(pattern, node),
            LevelTarget::Attribute { name, value } => {
                self.attributes.get(node).and_then(|own| own.get(name)) == Some(value)
            }
        };
        let mut all = self.from_clients.iter().chain(&self.from_cib);
        all.find(matches).map(|(_, levels)| levels)
    }

    /// The devices of the next level after this one.
    pub fn next_level(&self, node: &str, after: u32) -> Option<(u32, Vec<String>)> {
        let levels = self.levels_for(node)?;
        let (index, devices) = levels.range(after + 1..=HIGHEST).next()?;
        Some((*index, devices.clone()))
    }
}

/// Whether an extended regular expression of the simple kinds is found in a name: plain characters, `.`, `[…]`, `*`, `+`,
/// `?`, `^`, `$` and alternatives with `|`, without groups.
fn matches_pattern(pattern: &str, name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    pattern.split('|').any(|branch| {
        let (anchored, branch) = branch.strip_prefix('^').map_or((false, branch), |rest| (true, rest));
        let branch: Vec<char> = branch.chars().collect();
        let starts = if anchored { 0..=0 } else { 0..=name.len() };
        starts.into_iter().any(|start| matches_here(&branch, name.get(start..).unwrap_or_default()))
    })
}

fn matches_here(pattern: &[char], text: &[char]) -> bool {
    match pattern {
        [] => true,
        ['$'] => text.is_empty(),
        _ => {
            let (length, is_one) = atom(pattern);
            let rest = pattern.get(length..).unwrap_or_default();
            let (least, most, rest) = match rest.first() {
                Some('*') => (0, usize::MAX, rest.get(1..).unwrap_or_default()),
                Some('+') => (1, usize::MAX, rest.get(1..).unwrap_or_default()),
                Some('?') => (0, 1, rest.get(1..).unwrap_or_default()),
                _ => (1, 1, rest),
            };
            let run = text.iter().take_while(|c| is_one(**c)).count().min(most);
            (least..=run).any(|count| matches_here(rest, text.get(count..).unwrap_or_default()))
        }
    }
}

/// The first atom of a pattern: its length, and whether a character is one.
fn atom(pattern: &[char]) -> (usize, Box<dyn Fn(char) -> bool + '_>) {
    match pattern {
        ['.', ..] => (1, Box::new(|_| true)),
        ['\\', escaped, ..] => (2, Box::new(move |c| c == *escaped)),
        ['[', body @ ..] => {
            let Some(end) = body.iter().skip(1).position(|c| *c == ']').map(|at| at + 1) else {
                return (pattern.len(), Box::new(|_| false));
            };
            let body = body.get(..end).unwrap_or_default();
            let (negated, body) = match body {
                ['^', rest @ ..] => (true, rest),
                all => (false, all),
            };
            let is_in = move |c: char| {
                let in_range = body.windows(3).any(|w| matches!(w, [a, '-', b] if (*a..=*b).contains(&c)));
                in_range || body.contains(&c)
            };
            (end + 2, Box::new(move |c| is_in(c) != negated))
        }
        [plain, ..] => (1, Box::new(move |c| c == *plain)),
        [] => (0, Box::new(|_| false)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(index: u32, target: LevelTarget, device: &str) -> Level {
        Level { index, target, devices: vec![device.to_owned()] }
    }

    #[test]
    fn a_nodes_own_levels_come_before_patterns_and_attributes() {
        let mut topology = Topology::default();
        let attributes =
            BTreeMap::from([("n2".to_owned(), BTreeMap::from([("rack".to_owned(), "1".to_owned())]))]);
        topology.set_from_cib(
            vec![
                level(1, LevelTarget::Pattern("^n[13]$".into()), "by-pattern"),
                level(2, LevelTarget::Name("n1".into()), "second"),
                level(1, LevelTarget::Name("n1".into()), "first"),
                level(1, LevelTarget::Attribute { name: "rack".into(), value: "1".into() }, "by-rack"),
            ],
            attributes,
        );
        assert_eq!(topology.next_level("N1", 0), Some((1, vec!["first".to_owned()])));
        assert_eq!(topology.next_level("n1", 1), Some((2, vec!["second".to_owned()])));
        assert_eq!(topology.next_level("n1", 2), None);
        assert_eq!(topology.next_level("n2", 0), Some((1, vec!["by-rack".to_owned()])));
        assert_eq!(topology.next_level("n3", 0), Some((1, vec!["by-pattern".to_owned()])));
        assert_eq!(topology.next_level("n4", 0), None);
        topology.add(level(1, LevelTarget::Name("n1".into()), "from-client"));
        assert_eq!(topology.next_level("n1", 0), Some((1, vec!["from-client".to_owned()])));
        topology.remove(&level(1, LevelTarget::Name("n1".into()), ""));
        assert_eq!(topology.next_level("n1", 0), Some((1, vec!["first".to_owned()])));
    }

    #[test]
    fn patterns_match_as_in_egrep() {
        for (pattern, name, matches) in [
            ("node", "mynode1", true),
            ("^node", "mynode1", false),
            ("node[0-9]+$", "node12", true),
            ("node[^0-9]", "node1", false),
            ("n.*2|other", "n012", true),
            ("n.*2|other", "another", true),
            ("a\\.b", "axb", false),
            ("colou?r", "color", true),
            ("[", "[", false),
        ] {
            assert_eq!(matches_pattern(pattern, name), matches, "{pattern} {name}");
        }
    }
}
