// SPDX-License-Identifier: GPL-2.0-or-later
//! The parameters that every fence device may have, whatever its agent: the fencer itself acts on them.

use super::{Kind, OptionInfo, Reader};

/// What a device can be told about one of its actions: another command for it, how long it may take, how often it is tried.
macro_rules! of_action {
    ($action:literal) => {
        [
            OptionInfo::new(
                Reader::Fencer,
                concat!("pcmk_", $action, "_action"),
                Kind::String,
                concat!("An alternate command to run instead of '", $action, "'"),
            )
            .default($action)
            .advanced()
            .long(concat!(
                "Some devices do not support the standard commands or may provide additional ones. Use this to ",
                "specify an alternate, device-specific, command that implements the '",
                $action,
                "' action."
            )),
            OptionInfo::new(
                Reader::Fencer,
                concat!("pcmk_", $action, "_timeout"),
                Kind::Timeout,
                concat!(
                    "Specify an alternate timeout to use for '",
                    $action,
                    "' actions instead of fencing-timeout"
                ),
            )
            .default("60s")
            .advanced()
            .long(concat!(
                "Some devices need much more/less time to complete than normal. Use this to specify an alternate, ",
                "device-specific, timeout for '",
                $action,
                "' actions."
            )),
            OptionInfo::new(
                Reader::Fencer,
                concat!("pcmk_", $action, "_retries"),
                Kind::Integer,
                concat!(
                    "The maximum number of times to try the '",
                    $action,
                    "' command within the timeout period"
                ),
            )
            .default("2")
            .advanced()
            .long(concat!(
                "Some devices do not support multiple connections. Operations may \"fail\" if the device is busy ",
                "with another task. In that case, Pacemaker will automatically retry the operation if there is time ",
                "remaining. Use this option to alter the number of times Pacemaker tries a '",
                $action,
                "' action before giving up."
            )),
        ]
    };
}

const REBOOT: [OptionInfo; 3] = of_action!("reboot");
const OFF: [OptionInfo; 3] = of_action!("off");
const ON: [OptionInfo; 3] = of_action!("on");
const LIST: [OptionInfo; 3] = of_action!("list");
const MONITOR: [OptionInfo; 3] = of_action!("monitor");
const STATUS: [OptionInfo; 3] = of_action!("status");

/// All of them.
pub const FENCING_PARAMETERS: &[OptionInfo] = &[
    OptionInfo::new(
        Reader::Fencer,
        "pcmk_host_argument",
        Kind::String,
        "Name of agent parameter that should be set to the fencing target",
    )
    .advanced()
    .long(
        "If the fencing agent metadata advertises support for the \"port\" or \"plug\" parameter, that \
         will be used as the default, otherwise \"none\" will be used, which tells the cluster not to \
         supply any additional parameters.",
    ),
    OptionInfo::new(
        Reader::Fencer,
        "pcmk_host_map",
        Kind::String,
        "A mapping of node names to port numbers for devices that do not support node names.",
    )
    .long(
        "For example, \"node1:1;node2:2,3\" would tell the cluster to use port 1 for node1 and ports 2 \
         and 3 for node2.",
    ),
    OptionInfo::new(Reader::Fencer, "pcmk_host_list", Kind::String, "Nodes targeted by this device").long(
        "Comma-separated list of nodes that can be targeted by this device (for example, \
         \"node1,node2,node3\"). If pcmk_host_check is \"static-list\", either this or pcmk_host_map \
         must be set.",
    ),
    OptionInfo::new(
        Reader::Fencer,
        "pcmk_host_check",
        Kind::Select(&["dynamic-list", "static-list", "status", "none"]),
        "How to determine which nodes can be targeted by the device",
    )
    .long(
        "Use \"dynamic-list\" to query the device via the 'list' command; \"static-list\" to check the \
         pcmk_host_list attribute; \"status\" to query the device via the 'status' command; or \"none\" \
         to assume every device can fence every node. The default value is \"static-list\" if \
         pcmk_host_map or pcmk_host_list is set; otherwise \"dynamic-list\" if the device supports the \
         list operation; otherwise \"status\" if the device supports the status operation; otherwise \
         \"none\"",
    ),
    OptionInfo::new(
        Reader::Fencer,
        "pcmk_delay_max",
        Kind::Duration,
        "Enable a delay of no more than the time specified before executing fencing actions.",
    )
    .default("0s")
    .long(
        "Enable a delay of no more than the time specified before executing fencing actions. Pacemaker \
         derives the overall delay by taking the value of pcmk_delay_base and adding a random delay \
         value such that the sum is kept below this maximum.",
    ),
    OptionInfo::new(
        Reader::Fencer,
        "pcmk_delay_base",
        Kind::String,
        "Enable a base delay for fencing actions and specify base delay value.",
    )
    .default("0s")
    .long(
        "This enables a static delay for fencing actions, which can help avoid \"death matches\" where \
         two nodes try to fence each other at the same time. If pcmk_delay_max is also used, a random \
         delay will be added such that the total delay is kept below that value. This can be set to a \
         single time value to apply to any node targeted by this device (useful if a separate device is \
         configured for each target), or to a node map (for example, \"node1:1s;node2:5\") to set a \
         different value for each target.",
    ),
    OptionInfo::new(
        Reader::Fencer,
        "pcmk_action_limit",
        Kind::Integer,
        "The maximum number of actions can be performed in parallel on this device",
    )
    .default("1")
    .long(
        "If the concurrent-fencing cluster property is \"true\", this specifies the maximum number of \
         actions that can be performed in parallel on this device. A value of -1 means unlimited.",
    ),
    REBOOT[0],
    REBOOT[1],
    REBOOT[2],
    OFF[0],
    OFF[1],
    OFF[2],
    ON[0],
    ON[1],
    ON[2],
    LIST[0],
    LIST[1],
    LIST[2],
    MONITOR[0],
    MONITOR[1],
    MONITOR[2],
    STATUS[0],
    STATUS[1],
    STATUS[2],
];
