// SPDX-License-Identifier: GPL-2.0-or-later
//! The operations on a CIB, and the options of a call.

use std::fmt;
use std::str::FromStr;

/// What a CIB manager can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// Of old, never done.
    AbsDelete,
    /// Apply a patch.
    ApplyPatch,
    /// Raise `epoch`.
    Bump,
    /// Do a list of operations, all or none.
    CommitTransaction,
    /// Add elements that are not there.
    Create,
    /// Remove elements.
    Delete,
    /// Back to an empty CIB.
    Erase,
    /// Is this node the primary?
    IsPrimary,
    /// Merge into elements that are there.
    Modify,
    /// Nothing, in the order of all changes.
    Noop,
    /// The digest of the CIB.
    Ping,
    /// Be the primary.
    Primary,
    /// Read.
    Query,
    /// Put in place of what is there.
    Replace,
    /// Schema files (for remote nodes).
    Schemas,
    /// Be the primary no more.
    Secondary,
    /// Another node's manager is about to end.
    Shutdown,
    /// Send the whole CIB to all nodes.
    Sync,
    /// Upgrade to the newest schema.
    Upgrade,
}

impl Operation {
    const NAMES: [(Operation, &'static str); 19] = [
        (Operation::AbsDelete, "cib_delete_alt"),
        (Operation::ApplyPatch, "cib_apply_diff"),
        (Operation::Bump, "cib_bump"),
        (Operation::CommitTransaction, "cib_commit_transact"),
        (Operation::Create, "cib_create"),
        (Operation::Delete, "cib_delete"),
        (Operation::Erase, "cib_erase"),
        (Operation::IsPrimary, "cib_ismaster"),
        (Operation::Modify, "cib_modify"),
        (Operation::Noop, "noop"),
        (Operation::Ping, "ping"),
        (Operation::Primary, "cib_master"),
        (Operation::Query, "cib_query"),
        (Operation::Replace, "cib_replace"),
        (Operation::Schemas, "cib_schemas"),
        (Operation::Secondary, "cib_slave"),
        (Operation::Shutdown, "cib_shutdown_req"),
        (Operation::Sync, "cib_sync"),
        (Operation::Upgrade, "cib_upgrade"),
    ];

    /// Its name on the wire.
    pub fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(operation, _)| *operation == self).map_or("noop", |(_, name)| name)
    }

    /// It changes the CIB, so all nodes do it, in one order.
    pub const fn modifies(self) -> bool {
        use Operation::*;
        matches!(
            self,
            AbsDelete
                | ApplyPatch
                | Bump
                | CommitTransaction
                | Create
                | Delete
                | Erase
                | Modify
                | Primary
                | Replace
                | Upgrade
        )
    }

    /// Not for those who may only read.
    pub const fn privileged(self) -> bool {
        !matches!(self, Operation::Noop | Operation::Ping | Operation::Query | Operation::Schemas)
    }

    /// Always done where it is asked for.
    pub const fn local(self) -> bool {
        matches!(self, Operation::Primary | Operation::Secondary | Operation::Schemas)
    }

    /// Written to disk even if no change of configuration was noticed.
    pub const fn writes_through(self) -> bool {
        matches!(self, Operation::CommitTransaction | Operation::Replace | Operation::Upgrade)
    }

    /// May be part of a transaction.
    pub const fn in_transaction(self) -> bool {
        use Operation::*;
        matches!(self, ApplyPatch | Bump | Create | Delete | Erase | Modify | Replace | Upgrade)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// There is no operation of that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a CIB operation")]
pub struct ParseOperationError(pub String);

impl FromStr for Operation {
    type Err = ParseOperationError;
    fn from_str(name: &str) -> Result<Operation, ParseOperationError> {
        let known = Self::NAMES.iter().find(|(_, known)| *known == name);
        known.map(|(operation, _)| *operation).ok_or_else(|| ParseOperationError(name.to_owned()))
    }
}

/// The options of a call, as bits; those of the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CallOptions(u32);

impl CallOptions {
    /// The section is an XPath.
    pub const XPATH: CallOptions = CallOptions(0x2);
    /// All that the XPath finds, not only the first.
    pub const MULTIPLE: CallOptions = CallOptions(0x4);
    /// Modify may create what it does not find.
    pub const CAN_CREATE: CallOptions = CallOptions(0x8);
    /// Nobody waits for the reply.
    pub const DISCARD_REPLY: CallOptions = CallOptions(0x10);
    /// Query without children.
    pub const NO_CHILDREN: CallOptions = CallOptions(0x20);
    /// Query for the paths of what the XPath finds.
    pub const XPATH_ADDRESS: CallOptions = CallOptions(0x40);
    /// Only on this node.
    pub const SCOPE_LOCAL: CallOptions = CallOptions(0x100);
    /// Say what would come out, change nothing.
    pub const DRY_RUN: CallOptions = CallOptions(0x200);
    /// Part of a transaction.
    pub const TRANSACTION: CallOptions = CallOptions(0x400);
    /// Values such as `x++` and `x+=5` are counted, not stored.
    pub const SCORE_UPDATE: CallOptions = CallOptions(0x800);
    /// The reply is the response to the call.
    pub const SYNC: CallOptions = CallOptions(0x1000);
    /// Leave who changed the CIB and when as it is.
    pub const NO_MTIME: CallOptions = CallOptions(0x2000);
    /// Tell no subscriber.
    pub const INHIBIT_NOTIFY: CallOptions = CallOptions(0x10000);

    /// Any bits.
    pub const fn from_bits(bits: u32) -> CallOptions {
        CallOptions(bits)
    }

    /// The bits.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether all of `options` are set.
    pub const fn has(self, options: CallOptions) -> bool {
        self.0 & options.0 == options.0
    }
}

impl std::ops::BitOr for CallOptions {
    type Output = CallOptions;
    fn bitor(self, other: CallOptions) -> CallOptions {
        CallOptions(self.0 | other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for (operation, name) in Operation::NAMES {
            assert_eq!(name.parse(), Ok(operation));
            assert_eq!(operation.to_string(), name);
        }
        assert!("cib_destroy".parse::<Operation>().is_err());
    }
}
