// SPDX-License-Identifier: GPL-2.0-or-later
//! Tools' talk with the controller of this node: requests that it passes on to whom they concern, and the replies.

use crate::failure::Failure;
use ipc::ClientOptions;
use ipc::blocking::Client;
use messages::controller::{Direction, Envelope, References, hello};
use model::{ExitCode, FeatureSet, Profile, WallTime};
use std::time::{Duration, Instant, SystemTime};
use xml::Element;

const CONTROLLER: &str = "the controller";

/// How long replies may take by default.
pub(crate) const REPLY_TIMEOUT: Duration = Duration::from_secs(60);

/// A connection to the controller.
pub(crate) struct Controller {
    client: Client,
    system: String,
    references: References,
    version: FeatureSet,
    /// Requests that no reply has come to yet.
    expected: usize,
}

fn now() -> WallTime {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    WallTime::from_secs(i64::try_from(now.as_secs()).unwrap_or(i64::MAX))
}

impl Controller {
    /// Connects and introduces itself.
    pub fn connect(program: &str) -> Result<Controller, Failure> {
        let mut client = Client::connect("crmd", &ClientOptions::from_environment())
            .map_err(|error| Failure::connecting(CONTROLLER, &error))?;
        let version = Profile::default().feature_set();
        let mut references = References::default();
        // Unique among this node's clients, which is all it needs to be.
        let uuid = format!("{program}-{}", std::process::id());
        let greeting = hello(references.next("hello", &uuid, now()), "crmd", &uuid, program);
        client
            .send(&greeting.to_xml("create_hello_message", version))
            .map_err(|error| Failure::asking(CONTROLLER, &error))?;
        let system = format!("{uuid}_{program}");
        Ok(Controller { client, system, references, version, expected: 0 })
    }

    /// Sends a request for a host (`None`: any), to which one reply will come.
    pub fn send(
        &mut self,
        task: &str,
        to: &str,
        host: Option<&str>,
        payload: Option<Element>,
    ) -> Result<(), Failure> {
        let mut request = self.request(task, to);
        request.host_to = host.map(str::to_owned);
        request.payload = payload;
        self.pass(&request)?;
        self.expected += 1;
        Ok(())
    }

    /// Tells the cluster to forget a node, by its name or number. Nothing answers.
    pub fn forget_node(&mut self, name: Option<&str>, id: Option<u32>) -> Result<(), Failure> {
        let mut request = self.request("rm_node_cache", "crmd");
        request.extra.extend(id.map(|id| ("id", id.to_string())));
        request.extra.extend(name.map(|name| ("uname", name.to_owned())));
        self.pass(&request)
    }

    fn request(&mut self, task: &str, to: &str) -> Envelope {
        let reference = self.references.next(task, &self.system, now());
        Envelope::request(task, reference, to, &self.system)
    }

    fn pass(&mut self, request: &Envelope) -> Result<(), Failure> {
        let message = request.to_xml("create_controller_request", self.version);
        let passed = self.client.request(&message, None);
        passed.map(drop).map_err(|error| Failure::asking(CONTROLLER, &error))
    }

    /// How many replies have not come yet.
    pub const fn expected(&self) -> usize {
        self.expected
    }

    /// The next reply; `None` if none came in time.
    pub fn reply(&mut self, timeout: Duration) -> Result<Option<Envelope>, Failure> {
        let end = Instant::now() + timeout;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let event =
                self.client.next_event(Some(left)).map_err(|error| Failure::asking(CONTROLLER, &error))?;
            let Some(message) = event else { return Ok(None) };
            if message.name() == "ack" {
                continue;
            }
            let envelope = Envelope::from_xml(&message).map_err(|error| {
                Failure::new(ExitCode::PROTOCOL, format_args!("bad reply from {CONTROLLER}: {error}"))
            })?;
            // Some old controllers call certain replies requests; what comes here is for us all the same.
            if envelope.direction == Direction::Response || envelope.payload.is_some() {
                self.expected = self.expected.saturating_sub(1);
                return Ok(Some(envelope));
            }
        }
    }
}
