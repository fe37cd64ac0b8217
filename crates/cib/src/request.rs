// SPDX-License-Identifier: GPL-2.0-or-later
//! A request as the operations see it.

use crate::{CallOptions, Operation, Refusal};
use xml::Element;

/// Who wants a change: it is written into the CIB.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The node that the request came in on.
    pub node: Option<String>,
    /// What the client calls itself.
    pub client: Option<String>,
    /// On whose behalf.
    pub user: Option<String>,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What to do.
    pub operation: Operation,
    /// A section's name, or an XPath with [`CallOptions::XPATH`].
    pub section: Option<String>,
    /// How to do it.
    pub options: CallOptions,
    /// With what.
    pub input: Option<Element>,
    /// The node that is to do it alone (none of a transaction's may have one).
    pub host: Option<String>,
    /// What the digest of the input must be.
    pub digest: Option<String>,
    /// The version is that of the input, not raised (a copy of another node's CIB).
    pub keeps_version: bool,
    /// The newest schema that all nodes know, for an upgrade.
    pub schema_max: Option<String>,
    /// Who wants it.
    pub origin: Origin,
}

impl Request {
    /// A request with nothing but an operation.
    pub fn new(operation: Operation) -> Request {
        Request {
            operation,
            section: None,
            options: CallOptions::default(),
            input: None,
            host: None,
            digest: None,
            keeps_version: false,
            schema_max: None,
            origin: Origin::default(),
        }
    }

    /// In a section.
    #[must_use]
    pub fn section(mut self, section: &str) -> Request {
        self.section = Some(section.to_owned());
        self
    }

    /// At what an XPath finds.
    #[must_use]
    pub fn xpath(self, xpath: &str) -> Request {
        self.section(xpath).with(CallOptions::XPATH)
    }

    /// With input.
    #[must_use]
    pub fn input(mut self, input: Element) -> Request {
        self.input = Some(input);
        self
    }

    /// With further options.
    #[must_use]
    pub fn with(mut self, options: CallOptions) -> Request {
        self.options = self.options | options;
        self
    }

    /// From a message of the wire (`<cib_command>`, or what a CIB manager made of one).
    pub fn from_message(message: &Element) -> Result<Request, Refusal> {
        let attr = |name| message.attr(name).map(str::to_owned);
        let name = message.attr("cib_op").unwrap_or_default();
        let operation = name.parse().map_err(|_| Refusal::UnknownOperation(name.to_owned()))?;
        Ok(Request {
            operation,
            section: attr("cib_section"),
            options: call_options(message),
            input: message.child("cib_calldata").and_then(Element::first_element).cloned(),
            host: attr("cib_host").filter(|host| !host.is_empty()),
            digest: attr("digest"),
            keeps_version: message.attr("cib_update").and_then(model::parse_bool).unwrap_or(false),
            schema_max: attr("cib_schema_max"),
            origin: Origin { node: attr("src"), client: attr("cib_clientname"), user: attr("cib_user") },
        })
    }
}

/// The options of a message; none if they are not a number.
pub(crate) fn call_options(message: &Element) -> CallOptions {
    let bits = message.attr("cib_callopt").and_then(|text| text.trim().parse::<i64>().ok());
    CallOptions::from_bits(bits.and_then(|bits| u32::try_from(bits).ok()).unwrap_or(0))
}
