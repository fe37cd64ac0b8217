// SPDX-License-Identifier: GPL-2.0-or-later
//! What is said to pacemakerd: how are you, and end. In the general form ([`crate::controller`]), without a hello.
//!
//! A request is acknowledged at once ([`crate::controller::ack`], [`model::ExitCode::INDETERMINATE`]); its answer is an
//! event.

use crate::controller::{Direction, Envelope};
use model::{ExitCode, WallTime};
use std::fmt;
use std::str::FromStr;
use xml::Element;

/// The subsystem that requests are for.
pub const SUBSYSTEM: &str = "pacemakerd";

/// What a client wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// To know how it is.
    Ping,
    /// That this node's cluster software ends. Only for the privileged.
    Quit,
    /// That it forgets a node; it remembers none.
    RemoveNodeCache,
}

impl Request {
    /// Its task in the general form.
    pub const fn task(self) -> &'static str {
        match self {
            Request::Ping => "ping",
            Request::Quit => "quit",
            Request::RemoveNodeCache => "rm_node_cache",
        }
    }

    /// From the general form; `None` if it is something else.
    pub fn of(envelope: &Envelope) -> Option<Request> {
        if envelope.direction != Direction::Request {
            return None;
        }
        [Request::Ping, Request::Quit, Request::RemoveNodeCache]
            .into_iter()
            .find(|request| request.task() == envelope.task)
    }
}

/// How far pacemakerd is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// It looks for daemons that run already.
    #[default]
    Init,
    /// It starts daemons.
    StartingDaemons,
    /// It waits for SBD to let it start them.
    WaitForPing,
    /// It watches over them.
    Running,
    /// It stops them.
    ShuttingDown,
    /// All are stopped.
    ShutdownComplete,
}

impl State {
    const ALL: [State; 6] = [
        State::Init,
        State::StartingDaemons,
        State::WaitForPing,
        State::Running,
        State::ShuttingDown,
        State::ShutdownComplete,
    ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            State::Init => "init",
            State::StartingDaemons => "starting_daemons",
            State::WaitForPing => "wait_for_ping",
            State::Running => "running",
            State::ShuttingDown => "shutting_down",
            State::ShutdownComplete => "shutdown_complete",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text was no state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a state of pacemakerd")]
pub struct ParseStateError(pub String);

impl FromStr for State {
    type Err = ParseStateError;

    fn from_str(text: &str) -> Result<State, ParseStateError> {
        State::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| ParseStateError(text.to_owned()))
    }
}

/// The answer to a ping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PingResponse {
    /// Who answers: the subsystem that was asked.
    pub subsystem: String,
    /// How far it is.
    pub state: State,
    /// When a daemon was last seen to be well; zero if none was yet.
    pub last_good: WallTime,
}

/// An answer is not what it must be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// It is another element.
    #[error("expected <{expected}>, got <{found}>")]
    Element {
        /// What should be there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// Something required is missing or unreadable.
    #[error("the answer's '{0}' is missing or invalid")]
    Attribute(&'static str),
    /// The state is unknown.
    #[error(transparent)]
    State(#[from] ParseStateError),
}

impl PingResponse {
    const NAME: &'static str = "ping_response";

    /// For the wire: a payload of the general form.
    pub fn to_xml(&self) -> Element {
        Element::new(PingResponse::NAME)
            .with_attr("crm_subsystem", &self.subsystem)
            .with_attr("pacemakerd_state", self.state)
            .with_attr("crm-timestamp", self.last_good)
            .with_attr("result", "ok")
    }

    /// From the wire.
    pub fn from_xml(payload: &Element) -> Result<PingResponse, AnswerError> {
        expect(payload, PingResponse::NAME)?;
        let required = |name| payload.attr(name).ok_or(AnswerError::Attribute(name));
        if required("result")? != "ok" {
            return Err(AnswerError::Attribute("result"));
        }
        let last_good =
            required("crm-timestamp")?.parse().map_err(|_| AnswerError::Attribute("crm-timestamp"))?;
        Ok(PingResponse {
            subsystem: required("crm_subsystem")?.to_owned(),
            state: required("pacemakerd_state")?.parse()?,
            last_good: WallTime::from_secs(last_good),
        })
    }
}

/// The answer to [`Request::Quit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuitResponse {
    /// [`ExitCode::OK`] if it ends now.
    pub status: ExitCode,
}

impl QuitResponse {
    const NAME: &'static str = "shutdown";

    /// For the wire: a payload of the general form.
    pub fn to_xml(self) -> Element {
        Element::new(QuitResponse::NAME).with_attr("op-status", self.status.value())
    }

    /// From the wire.
    pub fn from_xml(payload: &Element) -> Result<QuitResponse, AnswerError> {
        expect(payload, QuitResponse::NAME)?;
        let status = payload.attr("op-status").and_then(|text| text.parse().ok());
        Ok(QuitResponse { status: ExitCode::new(status.ok_or(AnswerError::Attribute("op-status"))?) })
    }
}

fn expect(payload: &Element, expected: &'static str) -> Result<(), AnswerError> {
    if payload.name() == expected {
        return Ok(());
    }
    Err(AnswerError::Element { expected, found: payload.name().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_survive_the_wire() {
        let ping = PingResponse {
            subsystem: SUBSYSTEM.into(),
            state: State::ShuttingDown,
            last_good: WallTime::from_secs(7),
        };
        let text = xml::write_compact(&ping.to_xml());
        assert_eq!(
            text,
            "<ping_response crm_subsystem=\"pacemakerd\" pacemakerd_state=\"shutting_down\" crm-timestamp=\"7\" \
             result=\"ok\"/>"
        );
        assert_eq!(PingResponse::from_xml(&xml::parse(&text).unwrap()), Ok(ping));
        let quit = QuitResponse { status: ExitCode::INSUFFICIENT_PRIV };
        assert_eq!(QuitResponse::from_xml(&quit.to_xml()), Ok(quit));
        for state in State::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
    }

    #[test]
    fn hostile_answers_are_refused_by_name() {
        let refused = |text| PingResponse::from_xml(&xml::parse(text).unwrap()).unwrap_err().to_string();
        assert_eq!(refused("<ping/>"), "expected <ping_response>, got <ping>");
        assert_eq!(refused("<ping_response/>"), "the answer's 'result' is missing or invalid");
        let odd = "<ping_response result='ok' crm-timestamp='1' crm_subsystem='x' pacemakerd_state='odd'/>";
        assert_eq!(refused(odd), "'odd' is not a state of pacemakerd");
        assert!(QuitResponse::from_xml(&Element::new("shutdown")).is_err());
    }

    #[test]
    fn requests_are_known_by_task() {
        let envelope = Envelope::request("quit", "r".into(), SUBSYSTEM, "x");
        assert_eq!(Request::of(&envelope), Some(Request::Quit));
        assert_eq!(Request::of(&envelope.reply(None)), None);
        assert_eq!(Request::of(&Envelope::request("dance", "r".into(), SUBSYSTEM, "x")), None);
    }
}
