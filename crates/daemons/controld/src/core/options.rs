// SPDX-License-Identifier: GPL-2.0-or-later
//! The cluster options the controller itself obeys, read from the CIB.

use model::Interval;
use std::time::Duration;
use xml::Element;

/// The options, with Pacemaker's defaults where nothing is configured.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub dc_deadtime: Duration,
    pub election_timeout: Duration,
    pub recheck_interval: Duration,
    pub shutdown_escalation: Duration,
    pub join_integration_timeout: Duration,
    pub join_finalization_timeout: Duration,
    /// How often fencing a node may fail before it is no longer tried at once.
    pub fencing_max_attempts: u32,
    /// Hearing of its own fencing, the node shall be stopped hard, not just its cluster software.
    pub panic_when_fenced: bool,
    /// The configured properties, as they were read (their ids matter when they are changed).
    pub crm_config: Option<Element>,
}

impl Default for Options {
    fn default() -> Options {
        Options::read(None)
    }
}

impl Options {
    /// From `<crm_config>`.
    pub fn read(crm_config: Option<&Element>) -> Options {
        let text = |names: &[&str]| names.iter().find_map(|name| value(crm_config?, name));
        let span = |name: &str, default: Duration| {
            let configured = text(&[name]).and_then(|text| text.parse::<Interval>().ok());
            configured.filter(|interval| !interval.is_zero()).map_or(default, Duration::from)
        };
        let attempts = text(&["fencing-max-attempts", "stonith-max-attempts"]);
        let attempts = attempts.map(|text| if text == "INFINITY" { "1000000" } else { text });
        Options {
            dc_deadtime: span("dc-deadtime", Duration::from_secs(20)),
            election_timeout: span("election-timeout", Duration::from_secs(120)),
            recheck_interval: span("cluster-recheck-interval", Duration::from_secs(15 * 60)),
            shutdown_escalation: span("shutdown-escalation", Duration::from_secs(20 * 60)),
            join_integration_timeout: span("join-integration-timeout", Duration::from_secs(3 * 60)),
            join_finalization_timeout: span("join-finalization-timeout", Duration::from_secs(30 * 60)),
            fencing_max_attempts: attempts
                .and_then(|text| text.parse().ok())
                .filter(|&attempts| attempts > 0)
                .unwrap_or(10),
            panic_when_fenced: text(&["fencing-reaction", "fence-reaction"]) == Some("panic"),
            crm_config: crm_config.cloned(),
        }
    }

    /// What a property must be written as: the set and pair it has already, or the bootstrap set's.
    pub fn property_update(&self, name: &str, value: &str) -> Element {
        let known = self.crm_config.iter().flat_map(|config| config.elements_named("cluster_property_set"));
        let known = known.flat_map(|set| set.elements_named("nvpair").map(move |pair| (set, pair)));
        let known = known
            .filter(|(_, pair)| pair.attr("name") == Some(name))
            .find_map(|(set, pair)| Some((set.id()?.to_owned(), pair.id()?.to_owned())));
        let (set, pair) =
            known.unwrap_or_else(|| (BOOTSTRAP_SET.to_owned(), format!("{BOOTSTRAP_SET}-{name}")));
        let pair =
            Element::new("nvpair").with_attr("id", pair).with_attr("name", name).with_attr("value", value);
        let set = Element::new("cluster_property_set").with_attr("id", set).with_child(pair);
        Element::new("crm_config").with_child(set)
    }
}

/// The property set that wins over the others.
const BOOTSTRAP_SET: &str = "cib-bootstrap-options";

fn value<'a>(crm_config: &'a Element, name: &str) -> Option<&'a str> {
    let sets = crm_config.elements_named("cluster_property_set");
    let (first, rest): (Vec<_>, Vec<_>) = sets.partition(|set| set.id() == Some(BOOTSTRAP_SET));
    let mut pairs = first.into_iter().chain(rest).flat_map(|set| set.elements_named("nvpair"));
    pairs.find(|pair| pair.attr("name") == Some(name))?.attr("value")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_options_and_keeps_their_places() {
        let config = xml::parse(
            "<crm_config><cluster_property_set id='other'><nvpair id='o1' name='dc-deadtime' value='9s'/>\
             <nvpair id='o2' name='dc-version' value='x'/></cluster_property_set>\
             <cluster_property_set id='cib-bootstrap-options'><nvpair id='b' name='dc-deadtime' value='2s'/>\
             <nvpair id='c' name='stonith-max-attempts' value='3'/></cluster_property_set></crm_config>",
        )
        .unwrap();
        let options = Options::read(Some(&config));
        assert_eq!(options.dc_deadtime, Duration::from_secs(2));
        assert_eq!(options.fencing_max_attempts, 3);
        assert_eq!(options.election_timeout, Duration::from_secs(120));
        assert_eq!(
            options.property_update("dc-version", "y").to_string(),
            r#"<crm_config><cluster_property_set id="other"><nvpair id="o2" name="dc-version" value="y"/></cluster_property_set></crm_config>"#
        );
        assert_eq!(
            Options::default().property_update("a", "b").descendants().last().unwrap().id(),
            Some("cib-bootstrap-options-a")
        );
    }

    #[test]
    fn nonsense_leaves_the_defaults() {
        let config = xml::parse(
            "<crm_config><cluster_property_set id='a'><nvpair id='b' name='dc-deadtime' value='soon'/>\
             <nvpair id='c' name='fencing-max-attempts' value='-1'/></cluster_property_set></crm_config>",
        )
        .unwrap();
        let options = Options::read(Some(&config));
        assert_eq!(options.dc_deadtime, Duration::from_secs(20));
        assert_eq!(options.fencing_max_attempts, 10);
    }
}
