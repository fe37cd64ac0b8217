// SPDX-License-Identifier: GPL-2.0-or-later
//! One look at the cluster, in the form that was asked for.
//!
//! Decides: which form shows what, and what is said where there is nothing to show. Given: what was answered, and how it
//! is to be shown. Leaves to others: the status itself (`status`), the forms of reports (`output`).

use super::settings::{FenceLevel, Form, Settings};
use super::source::{Answer, Snapshot, Wants};
use crate::command_line::Version;
use crate::date;
use crate::failure::Failure;
use crate::output::{self, Entry, Message, Output};
use crate::status;
use crate::status::{Daemons, Lists, Only, Outline, Page, Sections, View, friendly_state};
use model::{ExitCode, Profile, WallTime};
use std::io::Write;

/// What every look has in common.
pub(super) struct Frame<'a> {
    /// How it is shown.
    pub settings: &'a Settings,
    /// The command line, as reports repeat it.
    pub request: &'a str,
    /// The page around what is shown.
    pub page: &'a Page,
    /// What servers have to say before a page.
    pub cgi: bool,
    /// How much is told besides.
    pub verbose: u8,
}

/// Where it goes.
pub(super) struct Streams<'a> {
    pub out: &'a mut dyn Write,
    pub err: &'a mut dyn Write,
}

impl Frame<'_> {
    /// What is to be asked for. Displays that go on leave out of what was fenced what is outdated.
    pub fn wants(&self, goes_on: bool) -> Wants {
        let sections = &self.settings.sections;
        let level = self.settings.fence_level();
        Wants {
            level,
            reduced: goes_on && level != FenceLevel::Full && !self.settings.form.is_for_programs(),
            constraints: sections.bans || sections.tickets,
            verbose: self.verbose,
        }
    }

    /// Shows what was answered; the exit code.
    pub fn show(&self, answer: Result<&Answer, Failure>, now: WallTime, streams: Streams<'_>) -> ExitCode {
        match self.settings.form {
            Form::Console | Form::Text | Form::None => self.show_text(answer, now, streams),
            Form::Html => self.show_page(answer, now, streams),
            Form::Xml | Form::LegacyXml | Form::Json => self.show_report(answer, now, streams),
        }
    }

    fn show_text(&self, answer: Result<&Answer, Failure>, now: WallTime, streams: Streams<'_>) -> ExitCode {
        let silent = self.settings.form == Form::None;
        let mut nowhere = std::io::sink();
        let out = if silent { &mut nowhere as &mut dyn Write } else { streams.out };
        let mut lists = Lists::new(out, streams.err, true, false);
        let mut code = ExitCode::OK;
        match answer {
            Ok(Answer::Status(snapshot)) => self.outline(snapshot, status::Medium::Text).print(&mut lists),
            Ok(Answer::Health(daemons)) => {
                lists.info(health(daemons, now));
            }
            Ok(other) if !silent => errors(other).iter().for_each(|error| lists.error(error)),
            Ok(_) => {}
            Err(failure) => {
                code = failure.code;
                failure.details.iter().for_each(|detail| lists.error(detail));
                lists.error(failure.words("crm_mon"));
            }
        }
        if lists.finish().is_ok() { code } else { ExitCode::IOERR }
    }

    fn show_page(&self, answer: Result<&Answer, Failure>, now: WallTime, streams: Streams<'_>) -> ExitCode {
        let mut page = self.page.clone();
        let mut outline = Outline::default();
        let mut code = ExitCode::OK;
        match answer {
            Ok(Answer::Status(snapshot)) => outline = self.outline(snapshot, status::Medium::Page),
            Ok(Answer::Health(daemons)) => outline.line(health(daemons, now)),
            Ok(other) => page.errors = errors(other),
            Err(failure) => {
                code = failure.code;
                page.errors = failure.details.iter().cloned().chain([failure.words("crm_mon")]).collect();
            }
        }
        let head = if self.cgi { "Content-Type: text/html\n\n" } else { "" };
        let text = format!("{head}{}", page.with(&outline));
        let written = streams.out.write_all(text.as_bytes()).and_then(|()| streams.out.flush());
        if written.is_ok() { code } else { ExitCode::IOERR }
    }

    fn show_report(&self, answer: Result<&Answer, Failure>, now: WallTime, streams: Streams<'_>) -> ExitCode {
        let format = match self.settings.form {
            Form::Json => output::Format::Json,
            _ => output::Format::Xml,
        };
        let mut report = Output::new("crm_mon", self.request, format, false, streams.out, streams.err);
        if self.settings.form == Form::LegacyXml {
            let version = Profile::default().version().to_string();
            report = report.with_old_root(Entry::new("crm_mon").attr("version", version));
        }
        let ended = match answer {
            Ok(Answer::Status(snapshot)) => {
                let entries = self.view(snapshot, |view| view.entries());
                entries.into_iter().for_each(|entry| report.add_once(entry));
                Ok(ExitCode::OK)
            }
            Ok(Answer::Health(daemons)) => {
                report.add_once(health_entry(daemons, now));
                Ok(ExitCode::OK)
            }
            Ok(other) => {
                errors(other).iter().for_each(|error| report.error(error));
                Ok(ExitCode::OK)
            }
            Err(failure) => Err(failure),
        };
        report.finish(ended)
    }

    /// Looks at a cluster as it is to be shown.
    fn view<T>(&self, snapshot: &Snapshot, look: impl FnOnce(View<'_>) -> T) -> T {
        let Settings { sections, show, ban_prefix, only_node, only_resource, .. } = self.settings;
        let cluster = &snapshot.cluster;
        let nodes = Only::nodes(cluster, only_node.as_deref());
        let resources = Only::resources(cluster, only_resource.as_deref());
        // That nobody decides is said whatever is left out.
        let sections = Sections { dc: sections.dc || cluster.dc.is_none(), ..*sections };
        look(View {
            nodes: &nodes,
            resources: &resources,
            ban_prefix,
            daemons: &snapshot.daemons,
            fencing: snapshot.fencing.as_ref(),
            ..View::new(cluster, sections, *show)
        })
    }

    /// What people are told.
    pub fn outline(&self, snapshot: &Snapshot, medium: status::Medium) -> Outline {
        let mut outline = Outline::default();
        self.view(snapshot, |view| View { medium, ..view }.tell(&mut outline));
        outline
    }

    /// Says which Pacemaker we are.
    pub fn show_version(&self, streams: Streams<'_>) -> ExitCode {
        let text = Version.text(false);
        match self.settings.form {
            Form::Console | Form::Text => written(streams, &text),
            Form::Html => {
                let lines: Vec<String> = text.lines().map(str::to_owned).collect();
                written(streams, &self.page.of_version(&lines))
            }
            Form::Xml | Form::LegacyXml | Form::Json => {
                let format = match self.settings.form {
                    Form::Json => output::Format::Json,
                    _ => output::Format::Xml,
                };
                let mut report =
                    Output::new("crm_mon", self.request, format, false, streams.out, streams.err);
                let said = report.say(&Version).map(|()| ExitCode::OK);
                report.finish(said)
            }
            Form::None => ExitCode::OK,
        }
    }
}

fn written(streams: Streams<'_>, text: &str) -> ExitCode {
    let written = streams.out.write_all(text.as_bytes()).and_then(|()| streams.out.flush());
    if written.is_ok() { ExitCode::OK } else { ExitCode::IOERR }
}

/// Why there is nothing to show.
fn errors(answer: &Answer) -> Vec<String> {
    match answer {
        Answer::NoCib(failure) => {
            let words = failure.text.clone().unwrap_or_else(|| failure.code.to_string());
            failure.details.iter().cloned().chain([words]).collect()
        }
        Answer::Unusable(why) => {
            vec![why.clone(), "Error outputting status info from the fencer or CIB".to_owned()]
        }
        Answer::Status(_) | Answer::Health(_) => Vec::new(),
    }
}

/// Who says how the cluster's start or end goes on.
fn health_source(daemons: &Daemons) -> &'static str {
    if daemons.pacemakerd_state.as_deref() == Some("remote") { "pacemaker-remoted" } else { "pacemakerd" }
}

fn health(daemons: &Daemons, now: WallTime) -> String {
    let state = daemons.pacemakerd_state.as_deref().map_or("unknown", friendly_state);
    format!("Status of {}: '{state}' (last updated {})", health_source(daemons), date::utc(now.secs))
}

fn health_entry(daemons: &Daemons, now: WallTime) -> Entry {
    Entry::new("pacemakerd")
        .attr("sys_from", health_source(daemons))
        .attr_opt("state", daemons.pacemakerd_state.as_ref())
        .attr("last_updated", date::utc(now.secs))
}
