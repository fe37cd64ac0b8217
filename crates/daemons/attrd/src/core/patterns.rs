// SPDX-License-Identifier: GPL-2.0-or-later
//! Which attributes a pattern means: those a client gives as an expression, and those that hold failures.

use messages::attrd::ClearFailure;
use model::{Interval, OpKey};
use regex_lite::{Regex, RegexBuilder};

/// What a client's pattern may be compiled to, in bytes.
const PATTERN_SIZE_MAX: usize = 64 * 1024;

/// A client's extended regular expression, found anywhere in a name. Matching takes linear time whatever it says.
pub(super) fn compile(pattern: &str) -> Result<Regex, regex_lite::Error> {
    RegexBuilder::new(pattern).size_limit(PATTERN_SIZE_MAX).build()
}

/// Whether an attribute holds failures that a request means: `fail-count-RESOURCE#OPERATION_INTERVAL` or
/// `last-failure-…`, of one resource and operation, or of all.
pub(super) fn is_failure(name: &str, clear: &ClearFailure) -> bool {
    let Some(of) = name.strip_prefix("fail-count-").or_else(|| name.strip_prefix("last-failure-")) else {
        return false;
    };
    let Some(resource) = &clear.resource else {
        return true;
    };
    let Some(operation) = of.strip_prefix(resource.as_str()).and_then(|rest| rest.strip_prefix('#')) else {
        return false;
    };
    match &clear.operation {
        None => {
            // Any operation, but it must be one: a name, an underscore, a number.
            let interval = operation.rsplit_once('_').filter(|(name, _)| !name.is_empty());
            interval.is_some_and(|(_, ms)| !ms.is_empty() && ms.bytes().all(|byte| byte.is_ascii_digit()))
        }
        Some(wanted) => {
            let interval = clear.interval.as_deref().and_then(|text| text.parse::<Interval>().ok());
            let key = OpKey::new("", wanted, interval.unwrap_or_default());
            key.to_string().strip_prefix('_') == Some(operation)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_told_by_resource_operation_and_interval() {
        let of = |resource: Option<&str>, operation: Option<&str>, interval: Option<&str>| ClearFailure {
            resource: resource.map(str::to_owned),
            operation: operation.map(str::to_owned),
            interval: interval.map(str::to_owned),
            ..ClearFailure::default()
        };
        let name = "fail-count-db#monitor_10000";
        assert!(is_failure(name, &of(None, None, None)));
        assert!(is_failure(name, &of(Some("db"), None, None)));
        assert!(is_failure(name, &of(Some("db"), Some("monitor"), Some("10s"))));
        assert!(!is_failure(name, &of(Some("db"), Some("monitor"), None)));
        assert!(!is_failure(name, &of(Some("d"), None, None)));
        assert!(is_failure("last-failure-db:1#start_0", &of(Some("db:1"), Some("start"), None)));
        assert!(!is_failure("fail-count-db", &of(Some("db"), None, None)));
        assert!(!is_failure("pingd", &of(None, None, None)));
    }

    #[test]
    fn hostile_patterns_are_refused() {
        assert!(compile("^a.*[bc]{2}$").unwrap().is_match("axxbc"));
        assert!(compile("(").is_err());
        assert!(compile("((((a{100}){100}){100}){100})").is_err());
    }
}
