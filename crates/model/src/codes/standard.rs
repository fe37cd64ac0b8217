// SPDX-License-Identifier: GPL-2.0-or-later
//! What Pacemaker's functions tell each other: zero, a positive number of the system's, or one of Pacemaker's own below -1000.
//!
//! No program ends with such a number and none travels between nodes; they are the words of error messages, and what is
//! shown by `crm_error --rc`. The first column of [`LEGACY`] is what goes over the wire in their place.

use super::{ExitCode, LegacyRc, errno};
use std::borrow::Cow;
use std::fmt;

/// What a function of Pacemaker's returns (`pcmk_rc_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StandardRc(i32);

macro_rules! standard_codes {
    ($($(#[doc = $doc:literal])+ $constant:ident = $value:literal, $name:literal, $text:literal;)+) => {
        impl StandardRc {
            $($(#[doc = $doc])+ pub const $constant: StandardRc = StandardRc($value);)+

            /// Pacemaker's own, falling: number, name, words.
            const OWN: &[(i32, &'static str, &'static str)] = &[$(($value, $name, $text),)+];
        }
    };
}

standard_codes! {
    /// Failed, no more is known.
    ERROR = -1001, "pcmk_rc_error", "Error";
    /// There is no such output format.
    UNKNOWN_FORMAT = -1002, "pcmk_rc_unknown_format", "Unknown output format";
    /// That is no name with a value.
    BAD_NVPAIR = -1003, "pcmk_rc_bad_nvpair", "Bad name/value pair given";
    /// It is as asked for already.
    ALREADY = -1004, "pcmk_rc_already", "Already in requested state";
    /// There is no such node.
    NODE_UNKNOWN = -1005, "pcmk_rc_node_unknown", "Node not found";
    /// The resource runs on several nodes.
    MULTIPLE = -1006, "pcmk_rc_multiple", "Resource active on multiple nodes";
    /// The CIB on disk cannot be read.
    CIB_CORRUPT = -1007, "pcmk_rc_cib_corrupt", "Could not parse on-disk configuration";
    /// The CIB cannot be written.
    CIB_SAVE = -1008, "pcmk_rc_cib_save", "Could not save new configuration to disk";
    /// The CIB so far cannot be kept.
    CIB_BACKUP = -1009, "pcmk_rc_cib_backup", "Could not archive previous configuration";
    /// Somebody else changed the CIB on disk.
    CIB_MODIFIED = -1010, "pcmk_rc_cib_modified", "On-disk configuration was manually modified";
    /// The patch is not for this version; ask for the whole.
    DIFF_RESYNC = -1011, "pcmk_rc_diff_resync", "Application of update diff failed, requesting full refresh";
    /// The patch does not apply.
    DIFF_FAILED = -1012, "pcmk_rc_diff_failed", "Application of update diff failed";
    /// It is older than what is there.
    OLD_DATA = -1013, "pcmk_rc_old_data", "Update was older than existing configuration";
    /// The upgrade to another schema failed.
    TRANSFORM_FAILED = -1014, "pcmk_rc_transform_failed", "Schema transform failed";
    /// There is no newer schema.
    SCHEMA_UNCHANGED = -1015, "pcmk_rc_schema_unchanged", "Schema is already the latest available";
    /// The schema refuses it.
    SCHEMA_VALIDATION = -1016, "pcmk_rc_schema_validation", "Update does not conform to the configured schema";
    /// There is no quorum.
    NO_QUORUM = -1017, "pcmk_rc_no_quorum", "Operation requires quorum";
    /// Who listens there may not.
    IPC_UNAUTHORIZED = -1018, "pcmk_rc_ipc_unauthorized", "IPC server is blocked by unauthorized process";
    /// Who listens there does not answer.
    IPC_UNRESPONSIVE = -1019, "pcmk_rc_ipc_unresponsive", "IPC server is unresponsive";
    /// The daemon runs, but listens no more (or not yet).
    IPC_PID_ONLY = -1020, "pcmk_rc_ipc_pid_only", "IPC server process is active but not accepting connections";
    /// What it depends on does not hold.
    OP_UNSATISFIED = -1021, "pcmk_rc_op_unsatisfied", "Not applicable under current conditions";
    /// It cannot be known.
    UNDETERMINED = -1022, "pcmk_rc_undetermined", "Result undetermined";
    /// It is before its time.
    BEFORE_RANGE = -1023, "pcmk_rc_before_range", "Result occurs before given range";
    /// It is within its time.
    WITHIN_RANGE = -1024, "pcmk_rc_within_range", "Result occurs within given range";
    /// It is after its time.
    AFTER_RANGE = -1025, "pcmk_rc_after_range", "Result occurs after given range";
    /// There was nothing to print.
    NO_OUTPUT = -1026, "pcmk_rc_no_output", "Output message produced no output";
    /// The input is not there.
    NO_INPUT = -1027, "pcmk_rc_no_input", "Input file not available";
    /// The value is too small.
    UNDERFLOW = -1028, "pcmk_rc_underflow", "Value too small to be stored in data type";
    /// The dot file cannot be written.
    DOT_ERROR = -1029, "pcmk_rc_dot_error", "Error writing dot(1) file";
    /// The graph file cannot be written.
    GRAPH_ERROR = -1030, "pcmk_rc_graph_error", "Error writing graph file";
    /// The simulation made an impossible transition.
    INVALID_TRANSITION = -1031, "pcmk_rc_invalid_transition", "Cluster simulation produced invalid transition";
    /// The CIB makes no sense.
    UNPACK_ERROR = -1032, "pcmk_rc_unpack_error", "Unable to parse CIB XML";
    /// Two elements have one id.
    DUPLICATE_ID = -1033, "pcmk_rc_duplicate_id", "Two or more XML elements have the same ID";
    /// It is switched off.
    DISABLED = -1034, "pcmk_rc_disabled", "Disabled";
    /// The value makes no sense.
    BAD_INPUT = -1035, "pcmk_rc_bad_input", "Bad input value provided";
    /// The patch makes no sense.
    BAD_XML_PATCH = -1036, "pcmk_rc_bad_xml_patch", "Bad XML patch format";
    /// No transaction is open.
    NO_TRANSACTION = -1037, "pcmk_rc_no_transaction", "No active transaction found";
    /// A host has no address.
    NS_RESOLUTION = -1038, "pcmk_rc_ns_resolution", "Nameserver resolution error";
    /// Compressing or decompressing failed.
    COMPRESSION = -1039, "pcmk_rc_compression", "Compression/decompression error";
    /// There is no DC (yet).
    NO_DC = -1040, "pcmk_rc_no_dc", "DC is not yet elected";
    /// There is more of the message to come.
    IPC_MORE = -1041, "pcmk_rc_ipc_more", "More IPC message fragments to send";
    /// Corosync failed.
    CS_INTERNAL = -1042, "pcmk_rc_cs_internal", "Internal corosync error";
    /// The digests differ.
    DIGEST_MISMATCH = -1043, "pcmk_rc_digest_mismatch", "Digest does not match expected value";
}

impl StandardRc {
    /// Success.
    pub const OK: StandardRc = StandardRc(0);

    /// Any code.
    pub const fn new(code: i32) -> StandardRc {
        StandardRc(code)
    }

    /// The number.
    pub const fn value(self) -> i32 {
        self.0
    }

    fn own(self) -> Option<&'static (i32, &'static str, &'static str)> {
        let from_first = Self::ERROR.0.checked_sub(self.0)?;
        Self::OWN.get(usize::try_from(from_first).ok()?)
    }

    /// Its name (`pcmk_rc_error`, `EACCES`), if it has one.
    pub fn name(self) -> Option<&'static str> {
        match self.0 {
            0 => Some("pcmk_rc_ok"),
            1.. => errno::name(self.0),
            _ => self.own().map(|(_, name, _)| *name),
        }
    }

    /// The words for it.
    pub fn text(self) -> Cow<'static, str> {
        let known = match self.0 {
            0 => Some("OK"),
            1.. => errno::text(self.0),
            _ => Some(self.own().map_or("Error", |(.., text)| *text)),
        };
        known.map_or_else(|| Cow::Owned(format!("Unknown error {}", self.0)), Cow::Borrowed)
    }

    /// All that have names, rising.
    pub fn all() -> impl Iterator<Item = StandardRc> {
        let own = Self::OWN.iter().rev().map(|(number, ..)| *number);
        own.chain([0]).chain(errno::named()).map(StandardRc)
    }

    /// What a tool ends with for it.
    pub const fn exit_code(self) -> ExitCode {
        match self {
            Self::OK | Self::NO_OUTPUT | Self::WITHIN_RANGE => ExitCode::OK,
            Self::NO_QUORUM => ExitCode::QUORUM,
            Self::OLD_DATA => ExitCode::OLD,
            Self::CIB_CORRUPT | Self::SCHEMA_VALIDATION | Self::TRANSFORM_FAILED | Self::UNPACK_ERROR => {
                ExitCode::CONFIG
            }
            Self::BAD_NVPAIR => ExitCode::INVALID_PARAM,
            Self::UNDERFLOW | Self::COMPRESSION | Self::CS_INTERNAL => ExitCode::SOFTWARE,
            Self::ALREADY => ExitCode::EXISTS,
            Self::DOT_ERROR | Self::GRAPH_ERROR => ExitCode::IOERR,
            Self::MULTIPLE | Self::DUPLICATE_ID => ExitCode::MULTIPLE,
            Self::NO_TRANSACTION | Self::UNKNOWN_FORMAT => ExitCode::NOSUCH,
            Self::NODE_UNKNOWN | Self::NS_RESOLUTION => ExitCode::NOHOST,
            Self::BEFORE_RANGE => ExitCode::NOT_YET_IN_EFFECT,
            Self::AFTER_RANGE => ExitCode::EXPIRED,
            Self::UNDETERMINED => ExitCode::INDETERMINATE,
            Self::OP_UNSATISFIED => ExitCode::UNSATISFIED,
            Self::NO_INPUT => ExitCode::NOINPUT,
            Self::BAD_INPUT | Self::BAD_XML_PATCH => ExitCode::DATAERR,
            Self::NO_DC => ExitCode::NO_DC,
            Self::DIGEST_MISMATCH => ExitCode::DIGEST,
            StandardRc(number) => of_system_error(number),
        }
    }

    /// What goes over the wire in its place.
    pub fn legacy(self) -> LegacyRc {
        let listed = LEGACY.iter().find(|(_, standard, _)| *standard == self).map(|(number, ..)| *number);
        LegacyRc::new(match self.0 {
            0.. => -self.0,
            _ => -listed.unwrap_or(201),
        })
    }
}

/// The numbers are Linux's, as they travel between machines.
const fn of_system_error(number: i32) -> ExitCode {
    match number {
        13 => ExitCode::INSUFFICIENT_PRIV,
        9 | 14 | 22 | 38 | 75 => ExitCode::SOFTWARE,
        42 | 71 | 74 | 90..=93 => ExitCode::PROTOCOL,
        12 | 70 => ExitCode::OSERR,
        103 | 104 | 107 | 111 => ExitCode::DISCONNECT,
        17 => ExitCode::EXISTS,
        5 => ExitCode::IOERR,
        95 => ExitCode::UNIMPLEMENT_FEATURE,
        76 => ExitCode::MULTIPLE,
        2 | 6 | 19 => ExitCode::NOSUCH,
        62 | 110 => ExitCode::TIMEOUT,
        11 | 16 => ExitCode::UNSATISFIED,
        _ => ExitCode::ERROR,
    }
}

impl fmt::Display for StandardRc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text())
    }
}

/// Pacemaker's numbers on the wire: the number without its sign, what it means, its name (empty where there is none).
pub(super) const LEGACY: &[(i32, StandardRc, &str)] = &[
    (201, StandardRc::ERROR, "pcmk_err_generic"),
    (202, StandardRc::NO_QUORUM, "pcmk_err_no_quorum"),
    (203, StandardRc::SCHEMA_VALIDATION, "pcmk_err_schema_validation"),
    (204, StandardRc::TRANSFORM_FAILED, "pcmk_err_transform_failed"),
    (205, StandardRc::OLD_DATA, "pcmk_err_old_data"),
    (206, StandardRc::DIFF_FAILED, "pcmk_err_diff_failed"),
    (207, StandardRc::DIFF_RESYNC, "pcmk_err_diff_resync"),
    (208, StandardRc::CIB_MODIFIED, "pcmk_err_cib_modified"),
    (209, StandardRc::CIB_BACKUP, "pcmk_err_cib_backup"),
    (210, StandardRc::CIB_SAVE, "pcmk_err_cib_save"),
    (211, StandardRc::SCHEMA_UNCHANGED, ""),
    (212, StandardRc::CIB_CORRUPT, "pcmk_err_cib_corrupt"),
    (213, StandardRc::MULTIPLE, "pcmk_err_multiple"),
    (214, StandardRc::NODE_UNKNOWN, "pcmk_err_node_unknown"),
    (215, StandardRc::ALREADY, "pcmk_err_already"),
    (216, StandardRc::BAD_NVPAIR, "pcmk_err_bad_nvpair"),
    (217, StandardRc::UNKNOWN_FORMAT, "pcmk_err_unknown_format"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_numbers_fall_one_by_one() {
        for (index, (number, name, _)) in StandardRc::OWN.iter().enumerate() {
            assert_eq!(*number, -1001 - i32::try_from(index).unwrap());
            assert!(name.starts_with("pcmk_rc_"));
        }
        let all: Vec<StandardRc> = StandardRc::all().collect();
        assert!(all.is_sorted() && all.iter().all(|code| code.name().is_some()));
        assert_eq!((all[0], all.len()), (StandardRc::DIGEST_MISMATCH, 43 + 1 + 117));
    }

    #[test]
    fn words_for_every_number() {
        assert_eq!(StandardRc::NODE_UNKNOWN.to_string(), "Node not found");
        assert_eq!(StandardRc::new(-10_000).text(), "Error");
        assert_eq!(StandardRc::new(i32::MIN).name(), None);
        assert_eq!(StandardRc::new(i32::MAX).text(), "Unknown error 2147483647");
        assert_eq!(StandardRc::new(5).name(), Some("EIO"));
    }

    #[test]
    fn what_goes_over_the_wire_comes_back() {
        for (number, standard, _) in LEGACY {
            assert_eq!(standard.legacy(), LegacyRc::new(-number));
            assert_eq!(LegacyRc::new(-number).standard(), *standard);
        }
        assert_eq!(StandardRc::NO_DC.legacy(), LegacyRc::ERROR_GENERIC);
        assert_eq!(StandardRc::new(6).legacy(), LegacyRc::ENXIO);
    }
}
