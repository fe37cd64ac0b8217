// SPDX-License-Identifier: GPL-2.0-or-later
//! The decisions of the scheduler daemon.
//!
//! Decides: what is a request, how it is answered, where its input is saved. Given: what clients say, moments, the
//! numbers of the last inputs saved. Leaves to others: the planning itself (the `scheduler` crate), the saving (the
//! shell). The answer does not wait for the saving: a disk that is slow or full must not delay any recovery.

mod series;
mod summary;

pub use series::{Keep, Series};

use cib::schema::SchemaVersion;
use cib::upgrade;
use messages::controller::{Direction, Envelope, ack};
use messages::core::{ClientId, Core, EffectId, Input, Level, Output};
use model::{ExitCode, Instant, Now, Profile};
use scheduler::{About, ConfigIssue, Severity};
use std::collections::{BTreeMap, VecDeque};
use xml::{Element, Escaping, digest_v1};

/// What a scheduler daemon needs to know before it starts.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Which Pacemaker it passes for.
    pub profile: Profile,
    /// The folder of saved inputs, as the controller is told.
    pub directory: String,
    /// The number of the next input of each series; missing is 0.
    pub numbers: BTreeMap<Series, u32>,
}

/// What only the scheduler daemon asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Save an input.
    Save {
        /// The input, with the moment it was used at.
        input: Element,
        /// The name of its file in the folder of inputs; what is there is replaced.
        file: String,
        /// The name of the series' counter file.
        counter_file: String,
        /// The number of the series' next input, which goes there.
        next: u32,
    },
}

/// What happens to the scheduler daemon only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An input was saved, or why it was not.
    Saved(Result<(), String>),
}

/// The scheduler daemon.
#[derive(Debug)]
pub struct Schedulerd {
    config: Config,
    /// The number of the next transition.
    transition: i32,
    /// The digest of the last input.
    last_digest: Option<String>,
    /// The file of the last input, if it was saved.
    last_file: Option<String>,
    last_effect: u64,
    outputs: VecDeque<Output<Effect>>,
}

/// What came of an input.
struct Outcome {
    graph: Element,
    transition: i32,
    series: Series,
    keep: Keep,
    has_config_errors: bool,
}

impl Schedulerd {
    /// A daemon that has seen no input yet.
    pub fn new(config: Config) -> Schedulerd {
        let transition = match config.profile {
            Profile::V3_0 => 1,
            Profile::V2_1 => 0,
        };
        Schedulerd {
            config,
            transition,
            last_digest: None,
            last_file: None,
            last_effect: 0,
            outputs: VecDeque::new(),
        }
    }

    fn request(&mut self, now: Now, client: ClientId, request: i32, wants_response: bool, message: &Element) {
        let (status, envelope) = match Envelope::from_xml(message) {
            Err(error) => {
                self.log(Level::Warning, format!("Ignoring IPC request: {error}"));
                (ExitCode::PROTOCOL, None)
            }
            Ok(envelope) if envelope.direction == Direction::Response => {
                self.log(Level::Info, "Ignoring IPC reply".into());
                (ExitCode::INDETERMINATE, None)
            }
            Ok(envelope) if envelope.sys_to != "pengine" => {
                let text = format!("Ignoring invalid IPC message: to '{}' not pengine", envelope.sys_to);
                self.log(Level::Info, text);
                (ExitCode::INDETERMINATE, None)
            }
            Ok(envelope) => match envelope.task.as_str() {
                "hello" => (ExitCode::INDETERMINATE, None),
                "pe_calc" => (ExitCode::INDETERMINATE, Some(envelope)),
                unknown => {
                    self.log(Level::Warning, format!("Unknown request type '{unknown}'"));
                    (ExitCode::PROTOCOL, None)
                }
            },
        };
        if wants_response {
            let message = ack("handle_request", status);
            self.outputs.push_back(Output::Respond { client, request, message, after: None });
        }
        if let Some(envelope) = envelope {
            let reply = self.calculate(now, &envelope);
            self.outputs.push_back(Output::Event { client, message: reply, after: None });
        }
    }

    /// Plans, and says what the controller is told.
    fn calculate(&mut self, now: Now, request: &Envelope) -> Element {
        let version = self.config.profile.feature_set();
        let Some(cib) = request.payload.as_ref().filter(|payload| payload.name() == "cib") else {
            let found = request.payload.as_ref().map_or("nothing", Element::name);
            self.log(Level::Error, format!("Cannot schedule: the request holds {found}, expected a <cib>"));
            return request.reply(Some(nothing_to_do())).to_xml("pcmk__new_reply", version);
        };
        let outcome = match self.in_todays_schema(cib) {
            Some(usable) => self.plan(now, &usable, request.version.as_deref()),
            None => Outcome {
                graph: nothing_to_do(),
                transition: 0,
                series: Series::Error,
                keep: Keep::from_option(None, Series::Error),
                has_config_errors: true,
            },
        };
        let file = self.keep(now, cib, &outcome);
        self.log_outcome(&outcome, file.as_deref());
        let mut reply = request.reply(Some(outcome.graph)).to_xml("pcmk__new_reply", version);
        reply.set_attr_opt("crm-tgraph-in", file);
        reply
    }

    /// The CIB as the scheduler knows it; none if it cannot be brought to that.
    fn in_todays_schema(&mut self, cib: &Element) -> Option<Element> {
        let profile = self.config.profile;
        let accepted = match upgrade::acceptable(cib, profile) {
            Ok(accepted) => accepted,
            Err(refusal) => {
                self.log_upgrade(&refusal.events);
                self.log(Level::Error, refusal.to_string());
                return None;
            }
        };
        self.log_upgrade(&accepted.events);
        if let Some((from, to)) = accepted.upgraded {
            let newest = SchemaVersion::newest(profile);
            let (level, how) = match to == newest {
                true => (Level::Info, "latest version"),
                false => (Level::Warning, "acceptable (but not most recent)"),
            };
            self.log(
                level,
                format!("Configuration with {from} schema was internally upgraded to {how} {to}"),
            );
        }
        Some(accepted.cib)
    }

    fn log_upgrade(&mut self, events: &[upgrade::Event]) {
        for event in events {
            for line in event.to_string().lines() {
                self.log(event.level(), line.to_owned());
            }
        }
    }

    /// `version` is the feature set of the controller that asks.
    fn plan(&mut self, now: Now, cib: &Element, version: Option<&str>) -> Outcome {
        let (cluster, issues) = scheduler::unpack(cib, now.wall);
        let transition = self.transition;
        self.transition = self.transition.checked_add(1).unwrap_or(1);
        let asked_by = version.and_then(|version| version.parse().ok());
        let options = scheduler::Options {
            transition_id: transition,
            ..scheduler::Options::for_controller(self.config.profile, asked_by)
        };
        let schedule = scheduler::schedule(&cluster, &options);
        for issue in issues.iter().chain(&schedule.issues) {
            self.log_issue(issue);
        }
        for line in summary::lines(&cluster, &schedule) {
            self.log(Level::Notice, line);
        }
        let is_config_error =
            |issue: &ConfigIssue| (issue.severity, issue.about) == (Severity::Error, About::Configuration);
        let all = || issues.iter().chain(&schedule.issues);
        let wrong = all().filter(|issue| issue.about != About::Event);
        let series = match wrong.map(|issue| issue.severity).max() {
            Some(Severity::Error) => Series::Error,
            Some(Severity::Warning) => Series::Warn,
            None => Series::Input,
        };
        Outcome {
            graph: schedule.graph.to_xml(),
            transition,
            series,
            keep: Keep::from_option(cluster.options.value(series.option()), series),
            has_config_errors: all().any(is_config_error),
        }
    }

    /// Has the input saved, unless it is the same as last time or inputs of its kind are not kept. Says in which file
    /// it is to be found.
    fn keep(&mut self, now: Now, cib: &Element, outcome: &Outcome) -> Option<String> {
        let digest = digest_v1(cib, Escaping::Modern);
        let is_same = self.last_digest.as_ref() == Some(&digest);
        self.last_digest = Some(digest);
        let Outcome { series, keep, .. } = *outcome;
        if keep == Keep::None {
            self.last_file = None;
            self.log(Level::Debug, "Not saving input to disk (disabled by configuration)".into());
        } else if is_same && self.last_file.is_some() {
            let text = "Input has not changed since last time, not saving to disk";
            self.log(Level::Info, text.into());
        } else {
            let number = self.config.numbers.entry(series).or_default();
            let file = series.input_file(*number);
            *number = keep.next(*number);
            let effect = Effect::Save {
                input: cib.clone().with_attr("execution-date", now.wall),
                file: file.clone(),
                counter_file: series.counter_file(),
                next: *number,
            };
            self.last_effect += 1;
            self.outputs.push_back(Output::Effect { id: EffectId(self.last_effect), effect });
            self.last_file = Some(format!("{}/{file}", self.config.directory));
        }
        self.last_file.clone()
    }

    fn log_outcome(&mut self, outcome: &Outcome, file: Option<&str>) {
        let (level, with) = match outcome.series {
            Series::Error => (Level::Error, " (with errors)"),
            Series::Warn => (Level::Warning, " (with warnings)"),
            Series::Input => (Level::Notice, ""),
        };
        let saving = file.map_or_else(String::new, |file| format!(", saving inputs in {file}"));
        self.log(level, format!("Calculated transition {}{with}{saving}", outcome.transition));
        if outcome.has_config_errors {
            let text = "Configuration errors found during scheduler processing, please run \"crm_verify -L\" to identify issues";
            self.log(Level::Notice, text.into());
        }
    }

    fn log_issue(&mut self, issue: &ConfigIssue) {
        let level = match issue.severity {
            Severity::Error => Level::Error,
            Severity::Warning => Level::Warning,
        };
        self.log(level, issue.to_string());
    }

    fn log(&mut self, level: Level, text: String) {
        self.outputs.push_back(Output::Log { level, text });
    }
}

/// An empty graph, so that the controller does not wait for one.
fn nothing_to_do() -> Element {
    Element::new("transition_graph").with_attr("transition_id", 0).with_attr("cluster-delay", 0)
}

impl Core for Schedulerd {
    type Event = Event;
    type Effect = Effect;

    fn handle(&mut self, now: Now, input: Input<Event>) {
        match input {
            Input::ClientMessage { client, request, wants_response, message } => {
                self.request(now, client, request, wants_response, &message);
            }
            Input::Done { event: Event::Saved(Err(reason)), .. } => {
                self.log(Level::Error, format!("Could not save scheduler input: {reason}"));
                // What is not on disk must be saved when it comes again.
                self.last_digest = None;
            }
            Input::Shutdown => {
                self.log(Level::Info, "Shutting down scheduler".into());
                self.outputs.push_back(Output::Exit { code: ExitCode::OK });
            }
            // Clients are all the same, and nobody else speaks to a scheduler.
            Input::Done { event: Event::Saved(Ok(())), .. }
            | Input::ClientConnected { .. }
            | Input::ClientGone { .. }
            | Input::ServiceUp { .. }
            | Input::ServiceDown { .. }
            | Input::ServiceResponse { .. }
            | Input::ServiceEvent { .. }
            | Input::ClusterJoined { .. }
            | Input::Membership(_)
            | Input::ClusterMessage { .. }
            | Input::ClusterLost
            | Input::Tick => {}
        }
    }

    fn poll(&mut self) -> Option<Output<Effect>> {
        self.outputs.pop_front()
    }

    fn next_timeout(&self) -> Option<Instant> {
        None
    }
}

#[cfg(test)]
mod tests;
