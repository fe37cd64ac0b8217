// SPDX-License-Identifier: GPL-2.0-or-later
//! The number languages: what agents exit with, how an execution ended, what tools exit with, what daemons answer, what
//! functions return.

mod errno;
mod standard;

pub use standard::StandardRc;

use std::fmt;

/// What an OCF agent's exit code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OcfCode(i32);

impl OcfCode {
    /// Success; for a monitor, running.
    pub const OK: OcfCode = OcfCode(0);
    /// Failed, no more is known.
    pub const UNKNOWN_ERROR: OcfCode = OcfCode(1);
    /// The parameters are wrong on this node.
    pub const INVALID_PARAM: OcfCode = OcfCode(2);
    /// The agent does not know this action.
    pub const UNIMPLEMENT_FEATURE: OcfCode = OcfCode(3);
    /// Not allowed.
    pub const INSUFFICIENT_PRIV: OcfCode = OcfCode(4);
    /// The software is not on this node.
    pub const NOT_INSTALLED: OcfCode = OcfCode(5);
    /// The parameters are wrong on any node.
    pub const NOT_CONFIGURED: OcfCode = OcfCode(6);
    /// Cleanly stopped.
    pub const NOT_RUNNING: OcfCode = OcfCode(7);
    /// Running promoted.
    pub const RUNNING_PROMOTED: OcfCode = OcfCode(8);
    /// Was promoted, and failed.
    pub const FAILED_PROMOTED: OcfCode = OcfCode(9);
    /// Running, soon not.
    pub const DEGRADED: OcfCode = OcfCode(190);
    /// Running promoted, soon not.
    pub const DEGRADED_PROMOTED: OcfCode = OcfCode(191);
    /// Not an agent's: the operation has no result (yet).
    pub const UNKNOWN: OcfCode = OcfCode(193);

    /// Any exit code.
    pub const fn new(code: i32) -> OcfCode {
        OcfCode(code)
    }

    /// The number.
    pub const fn value(self) -> i32 {
        self.0
    }

    /// The words tools print for it: agents' codes share the language of exit codes.
    pub const fn as_str(self) -> &'static str {
        ExitCode(self.0).as_str()
    }
}

impl fmt::Display for OcfCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How an execution ended, apart from what the agent said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i32)]
pub enum ExecStatus {
    /// Nothing is known.
    Unknown = -2,
    /// Still running.
    Pending = -1,
    /// It ran to its end.
    Done = 0,
    /// Cancelled before its end.
    Cancelled = 1,
    /// Killed at its timeout.
    Timeout = 2,
    /// Not possible with this class or agent.
    NotSupported = 3,
    /// Failed; trying again may help.
    Error = 4,
    /// Failed; trying again on this node does not help.
    ErrorHard = 5,
    /// Failed; trying again anywhere does not help.
    ErrorFatal = 6,
    /// The agent or its software is missing.
    NotInstalled = 7,
    /// The executor could not be reached.
    NotConnected = 8,
    /// The request made no sense.
    Invalid = 9,
    /// No device can fence the target.
    NoFenceDevice = 10,
    /// A secret parameter could not be read.
    NoSecrets = 11,
}

impl ExecStatus {
    /// The number on the wire.
    pub const fn value(self) -> i32 {
        self as i32
    }

    /// From the number on the wire; numbers nobody knows are `Unknown`.
    pub const fn from_value(value: i32) -> ExecStatus {
        match value {
            -1 => ExecStatus::Pending,
            0 => ExecStatus::Done,
            1 => ExecStatus::Cancelled,
            2 => ExecStatus::Timeout,
            3 => ExecStatus::NotSupported,
            4 => ExecStatus::Error,
            5 => ExecStatus::ErrorHard,
            6 => ExecStatus::ErrorFatal,
            7 => ExecStatus::NotInstalled,
            8 => ExecStatus::NotConnected,
            9 => ExecStatus::Invalid,
            10 => ExecStatus::NoFenceDevice,
            11 => ExecStatus::NoSecrets,
            _ => ExecStatus::Unknown,
        }
    }

    /// The words tools print for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            ExecStatus::Unknown => "Unrecognized status (bug?)",
            ExecStatus::Pending => "Pending",
            ExecStatus::Done => "Done",
            ExecStatus::Cancelled => "Cancelled",
            ExecStatus::Timeout => "Timed out",
            ExecStatus::NotSupported => "Unsupported",
            ExecStatus::Error => "Error",
            ExecStatus::ErrorHard => "Hard error",
            ExecStatus::ErrorFatal => "Fatal error",
            ExecStatus::NotInstalled => "Not installed",
            ExecStatus::NotConnected => "Internal communication failure",
            ExecStatus::Invalid => "Cannot execute now",
            ExecStatus::NoFenceDevice => "No fence device",
            ExecStatus::NoSecrets => "CIB secrets unavailable",
        }
    }
}

impl fmt::Display for ExecStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a program exits with (Pacemaker's `CRM_EX_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExitCode(i32);

macro_rules! exit_codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $value:literal, $text:literal;)+) => {
        impl ExitCode {
            $($(#[doc = $doc])+ pub const $name: ExitCode = ExitCode($value);)+

            /// What `crm_error --exit` prints for it.
            pub const fn as_str(self) -> &'static str {
                match self.0 {
                    $($value => $text,)+
                    // As shells tell of a program that a signal ended.
                    129..255 => "Interrupted by signal",
                    255 => "Error occurred",
                    _ => "Unknown exit status",
                }
            }

            /// Its name (`CRM_EX_USAGE`), if it has one.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some(concat!("CRM_EX_", stringify!($name))),)+
                    _ => None,
                }
            }

            /// All that have names, rising.
            pub const ALL: &[ExitCode] = &[$(ExitCode::$name,)+];
        }
    };
}

exit_codes! {
    /// Success.
    OK = 0, "OK";
    /// Something failed.
    ERROR = 1, "Error occurred";
    /// The parameter is wrong.
    INVALID_PARAM = 2, "Invalid parameter";
    /// Not implemented.
    UNIMPLEMENT_FEATURE = 3, "Unimplemented";
    /// Not permitted.
    INSUFFICIENT_PRIV = 4, "Insufficient privileges";
    /// Not installed.
    NOT_INSTALLED = 5, "Not installed";
    /// Not configured.
    NOT_CONFIGURED = 6, "Not configured";
    /// Not running.
    NOT_RUNNING = 7, "Not running";
    /// Running promoted.
    PROMOTED = 8, "Promoted";
    /// Was promoted, and failed.
    FAILED_PROMOTED = 9, "Failed in promoted role";
    /// The command line is wrong.
    USAGE = 64, "Incorrect usage";
    /// The input data is wrong.
    DATAERR = 65, "Invalid data given";
    /// The input file is missing or unreadable.
    NOINPUT = 66, "Input file not available";
    /// No such user.
    NOUSER = 67, "User does not exist";
    /// No such host.
    NOHOST = 68, "Host does not exist";
    /// The service is not available.
    UNAVAILABLE = 69, "Necessary service unavailable";
    /// A bug.
    SOFTWARE = 70, "Internal software bug";
    /// The system refused.
    OSERR = 71, "Operating system error occurred";
    /// A system file is wrong.
    OSFILE = 72, "System file not available";
    /// The output file cannot be made.
    CANTCREAT = 73, "Cannot create output file";
    /// Input or output failed.
    IOERR = 74, "I/O error occurred";
    /// Try again later.
    TEMPFAIL = 75, "Temporary failure, try again";
    /// The peer does not speak our protocol.
    PROTOCOL = 76, "Protocol violated";
    /// Not allowed.
    NOPERM = 77, "Insufficient privileges";
    /// The configuration is wrong.
    CONFIG = 78, "Invalid configuration";
    /// Do not start again.
    FATAL = 100, "Fatal error occurred, will not respawn";
    /// Panic the host.
    PANIC = 101, "System panic required";
    /// The connection is gone.
    DISCONNECT = 102, "Not connected";
    /// The update is older than what is there.
    OLD = 103, "Update was older than existing configuration";
    /// The digests differ.
    DIGEST = 104, "Digest mismatch";
    /// No such object.
    NOSUCH = 105, "No such object";
    /// No quorum.
    QUORUM = 106, "Quorum required";
    /// Not safe without force.
    UNSAFE = 107, "Operation not safe";
    /// It exists.
    EXISTS = 108, "Requested item already exists";
    /// Several match.
    MULTIPLE = 109, "Multiple items match request";
    /// Expired.
    EXPIRED = 110, "Requested item has expired";
    /// Not yet in effect.
    NOT_YET_IN_EFFECT = 111, "Requested item is not yet in effect";
    /// Not known.
    INDETERMINATE = 112, "Could not determine status";
    /// A requirement is not met.
    UNSATISFIED = 113, "Not applicable under current conditions";
    /// There is no DC (yet).
    NO_DC = 114, "DC is not yet elected";
    /// Timed out.
    TIMEOUT = 124, "Timeout occurred";
    /// Running, soon not.
    DEGRADED = 190, "Service is active but might fail soon";
    /// Running promoted, soon not.
    DEGRADED_PROMOTED = 191, "Service is promoted but might fail soon";
    /// There is no exit status.
    NONE = 193, "No exit status available";
}

impl ExitCode {
    /// The highest a program can end with.
    pub const MAX: ExitCode = ExitCode(255);

    /// Any exit code.
    pub const fn new(code: i32) -> ExitCode {
        ExitCode(code)
    }

    /// The number.
    pub const fn value(self) -> i32 {
        self.0
    }
}

impl fmt::Display for ExitCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What daemons answer in `cib_rc`, `st_rc`, `lrmd_rc`: zero, a negative errno, or a negative number from 201 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LegacyRc(i32);

impl LegacyRc {
    /// Success.
    pub const OK: LegacyRc = LegacyRc(0);
    /// Not permitted (EPERM).
    pub const EPERM: LegacyRc = LegacyRc(-1);
    /// Not there (ENXIO is what the CIB says of a missing object).
    pub const ENXIO: LegacyRc = LegacyRc(-6);
    /// Try again (EAGAIN).
    pub const EAGAIN: LegacyRc = LegacyRc(-11);
    /// Access denied (EACCES).
    pub const EACCES: LegacyRc = LegacyRc(-13);
    /// It exists (EEXIST).
    pub const EEXIST: LegacyRc = LegacyRc(-17);
    /// No such device (ENODEV).
    pub const ENODEV: LegacyRc = LegacyRc(-19);
    /// The request is wrong (EINVAL).
    pub const EINVAL: LegacyRc = LegacyRc(-22);
    /// The peer's protocol is wrong (EPROTO).
    pub const EPROTO: LegacyRc = LegacyRc(-71);
    /// Not known (EOPNOTSUPP).
    pub const EOPNOTSUPP: LegacyRc = LegacyRc(-95);
    /// The CIB's feature set is newer than ours (EPROTONOSUPPORT).
    pub const EPROTONOSUPPORT: LegacyRc = LegacyRc(-93);
    /// Not connected (ENOTCONN).
    pub const ENOTCONN: LegacyRc = LegacyRc(-107);
    /// Timed out (ETIME).
    pub const ETIME: LegacyRc = LegacyRc(-62);
    /// Nobody could be reached (EHOSTUNREACH).
    pub const EHOSTUNREACH: LegacyRc = LegacyRc(-113);
    /// Failed, no more is known.
    pub const ERROR_GENERIC: LegacyRc = LegacyRc(-201);
    /// No quorum.
    pub const NO_QUORUM: LegacyRc = LegacyRc(-202);
    /// The schema refuses it.
    pub const SCHEMA_VALIDATION: LegacyRc = LegacyRc(-203);
    /// The schema transform failed.
    pub const TRANSFORM_FAILED: LegacyRc = LegacyRc(-204);
    /// It is older than what is there.
    pub const OLD_DATA: LegacyRc = LegacyRc(-205);
    /// The patch does not apply.
    pub const DIFF_FAILED: LegacyRc = LegacyRc(-206);
    /// The patch is not for this version; ask for the whole.
    pub const DIFF_RESYNC: LegacyRc = LegacyRc(-207);
    /// Corrupt.
    pub const CIB_CORRUPT: LegacyRc = LegacyRc(-212);

    /// Any code.
    pub const fn new(code: i32) -> LegacyRc {
        LegacyRc(code)
    }

    /// The number on the wire.
    pub const fn value(self) -> i32 {
        self.0
    }

    /// True for success.
    pub const fn is_ok(self) -> bool {
        self.0 >= 0
    }

    /// What the number stands for.
    pub fn standard(self) -> StandardRc {
        let number = self.0.saturating_abs();
        let own = standard::LEGACY.iter().find(|(known, ..)| *known == number);
        own.map_or(StandardRc::new(number), |(_, standard, _)| *standard)
    }

    /// The words tools print for it.
    pub fn text(self) -> String {
        self.standard().text().into_owned()
    }

    /// Its name (`pcmk_err_old_data`, `EACCES`), if it has one.
    pub fn name(self) -> Option<&'static str> {
        let number = self.0.saturating_abs();
        match standard::LEGACY.iter().find(|(known, ..)| *known == number) {
            Some((.., name)) => Some(*name).filter(|name| !name.is_empty()),
            None => StandardRc::new(number).name(),
        }
    }

    /// All that have names, as positive numbers, rising.
    pub fn all() -> impl Iterator<Item = LegacyRc> {
        let own = standard::LEGACY.iter().filter(|(.., name)| !name.is_empty());
        let own = own.map(|(number, ..)| LegacyRc(*number));
        StandardRc::all().filter(|code| code.value() >= 0).map(|code| LegacyRc(code.value())).chain(own)
    }

    /// The exit code a tool ends with when a daemon answered this.
    pub fn exit_code(self) -> ExitCode {
        self.standard().exit_code()
    }
}
