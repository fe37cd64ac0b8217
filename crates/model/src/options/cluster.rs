// SPDX-License-Identifier: GPL-2.0-or-later
//! The options of a cluster, which are set in `crm_config`.

use super::{Kind, OptionInfo, Reader};

/// All of them.
pub const CLUSTER_OPTIONS: &[OptionInfo] = &[
    OptionInfo::new(
        Reader::Controller,
        "dc-version",
        Kind::Version,
        "Pacemaker version on cluster node elected Designated Controller (DC)",
    )
    .generated()
    .long(
        "Includes a hash which identifies the exact revision the code was built from. Used for \
         diagnostic purposes.",
    ),
    OptionInfo::new(
        Reader::Controller,
        "cluster-infrastructure",
        Kind::String,
        "The messaging layer on which Pacemaker is currently running",
    )
    .generated()
    .long("Used for informational and diagnostic purposes."),
    OptionInfo::new(Reader::Controller, "cluster-name", Kind::String, "An arbitrary name for the cluster")
        .long(
            "This optional value is mostly for users' convenience as desired in administration, but may \
         also be used in Pacemaker configuration rules via the #cluster-name node attribute, and by \
         higher-level tools and resource agents.",
        ),
    OptionInfo::new(
        Reader::Controller,
        "dc-deadtime",
        Kind::Duration,
        "How long to wait for a response from other nodes during start-up",
    )
    .default("20s")
    .long(
        "The optimal value will depend on the speed and load of your network and the type of switches \
         used.",
    ),
    OptionInfo::new(
        Reader::Controller,
        "cluster-recheck-interval",
        Kind::Duration,
        "Polling interval to recheck cluster state and evaluate rules with date specifications",
    )
    .default("15min")
    .long(
        "Pacemaker is primarily event-driven, and looks ahead to know when to recheck cluster state for \
         failure-timeout settings and most time-based rules. However, it will also recheck the cluster \
         after this amount of inactivity, to evaluate rules with date specifications and serve as a \
         fail-safe for certain types of scheduler bugs. A value of 0 disables polling. A positive value \
         sets an interval in seconds, unless other units are specified (for example, \"5min\").",
    ),
    OptionInfo::new(
        Reader::Controller,
        "election-timeout",
        Kind::Duration,
        "Declare an election failed if it is not decided within this much time. If you need to adjust \
         this value, it probably indicates the presence of a bug.",
    )
    .default("2min")
    .advanced(),
    OptionInfo::new(
        Reader::Controller,
        "shutdown-escalation",
        Kind::Duration,
        "Exit immediately if shutdown does not complete within this much time. If you need to adjust \
         this value, it probably indicates the presence of a bug.",
    )
    .default("20min")
    .advanced(),
    OptionInfo::new(
        Reader::Controller,
        "join-integration-timeout",
        Kind::Duration,
        "If you need to adjust this value, it probably indicates the presence of a bug.",
    )
    .default("3min")
    .advanced(),
    OptionInfo::new(
        Reader::Controller,
        "join-finalization-timeout",
        Kind::Duration,
        "If you need to adjust this value, it probably indicates the presence of a bug.",
    )
    .default("30min")
    .advanced(),
    OptionInfo::new(
        Reader::Controller,
        "transition-delay",
        Kind::Duration,
        "Enabling this option will slow down cluster recovery under all conditions",
    )
    .default("0s")
    .advanced()
    .long(
        "Delay cluster recovery for this much time to allow for additional events to occur. Useful if \
         your configuration is sensitive to the order in which ping updates arrive.",
    ),
    OptionInfo::new(
        Reader::Scheduler,
        "no-quorum-policy",
        Kind::Select(&["stop", "freeze", "ignore", "demote", "fence", "suicide"]),
        "What to do when the cluster does not have quorum",
    )
    .default("stop"),
    OptionInfo::new(
        Reader::Scheduler,
        "shutdown-lock",
        Kind::Boolean,
        "Whether to lock resources to a cleanly shut down node",
    )
    .default("false")
    .long(
        "When true, resources active on a node when it is cleanly shut down are kept \"locked\" to that \
         node (not allowed to run elsewhere) until they start again on that node after it rejoins (or \
         for at most shutdown-lock-limit, if set). Stonith resources and Pacemaker Remote connections \
         are never locked. Clone and bundle instances and the promoted role of promotable clones are \
         currently never locked, though support could be added in a future release.",
    ),
    OptionInfo::new(
        Reader::Scheduler,
        "shutdown-lock-limit",
        Kind::Duration,
        "Do not lock resources to a cleanly shut down node longer than this",
    )
    .default("0")
    .long(
        "If shutdown-lock is true and this is set to a nonzero time duration, shutdown locks will \
         expire after this much time has passed since the shutdown was initiated, even if the node has \
         not rejoined.",
    ),
    OptionInfo::new(
        Reader::Manager,
        "enable-acl",
        Kind::Boolean,
        "Enable Access Control Lists (ACLs) for the CIB",
    )
    .default("false"),
    OptionInfo::new(
        Reader::Scheduler,
        "symmetric-cluster",
        Kind::Boolean,
        "Whether resources can run on any node by default",
    )
    .default("true"),
    OptionInfo::new(
        Reader::Scheduler,
        "maintenance-mode",
        Kind::Boolean,
        "Whether the cluster should refrain from monitoring, starting, and stopping resources",
    )
    .default("false"),
    OptionInfo::new(
        Reader::Scheduler,
        "start-failure-is-fatal",
        Kind::Boolean,
        "Whether a start failure should prevent a resource from being recovered on the same node",
    )
    .default("true")
    .long(
        "When true, the cluster will immediately ban a resource from a node if it fails to start there. \
         When false, the cluster will instead check the resource's fail count against its \
         migration-threshold.",
    ),
    OptionInfo::new(
        Reader::Scheduler,
        "enable-startup-probes",
        Kind::Boolean,
        "Whether the cluster should check for active resources during start-up",
    )
    .default("true")
    .deprecated(),
    OptionInfo::new(
        Reader::Scheduler,
        "fence-remote-without-quorum",
        Kind::Boolean,
        "Whether remote nodes can be fenced without quorum",
    )
    .default("false")
    .advanced()
    .long(
        "By default, an inquorate node can not fence Pacemaker Remote nodes that are part of its \
         partition as long as the cluster thinks they can be restarted.  If true, inquorate nodes will \
         be able to fence remote nodes regardless.",
    ),
    OptionInfo::new(
        Reader::Scheduler,
        "fencing-enabled",
        Kind::Boolean,
        "Whether nodes may be fenced as part of recovery",
    )
    .alias("stonith-enabled")
    .default("true")
    .advanced()
    .long(
        "If false, unresponsive nodes are immediately assumed to be harmless, and resources that were \
         active on them may be recovered elsewhere. This can result in a \"split-brain\" situation, \
         potentially leading to data loss and/or service unavailability.",
    ),
    OptionInfo::new(
        Reader::Scheduler,
        "fencing-action",
        Kind::Select(&["reboot", "off"]),
        "Action to send to fence device when a node needs to be fenced",
    )
    .alias("stonith-action")
    .default("reboot"),
    OptionInfo::new(
        Reader::Controller,
        "fencing-reaction",
        Kind::Select(&["stop", "panic"]),
        "How a cluster node should react if notified of its own fencing",
    )
    .alias("fence-reaction")
    .default("stop")
    .long(
        "A cluster node may receive notification of a \"succeeded\" fencing that targeted it if fencing \
         is misconfigured, or if fabric fencing is in use that doesn't cut cluster communication. Use \
         \"stop\" to attempt to immediately stop Pacemaker and stay stopped, or \"panic\" to attempt to \
         immediately reboot the local node, falling back to stop on failure.",
    ),
    OptionInfo::new(
        Reader::Scheduler,
        "fencing-timeout",
        Kind::Duration,
        "How long to wait for on, off, and reboot fence actions to complete by default",
    )
    .alias("stonith-timeout")
    .default("60s"),
    OptionInfo::new(
        Reader::Scheduler,
        "have-watchdog",
        Kind::Boolean,
        "Whether watchdog integration is enabled",
    )
    .default("false")
    .generated()
    .long(
        "This is set automatically by the cluster according to whether SBD is detected to be in use. \
         User-configured values are ignored. The value `true` is meaningful if diskless SBD is used and \
         `fencing-watchdog-timeout` is nonzero. In that case, if fencing is required, watchdog-based \
         self-fencing will be performed via SBD without requiring a fencing resource explicitly \
         configured.",
    ),
    OptionInfo::new(
        Reader::Controller,
        "fencing-watchdog-timeout",
        Kind::Timeout,
        "How long before nodes can be assumed to be safely down when watchdog-based self-fencing via \
         SBD is in use",
    )
    .alias("stonith-watchdog-timeout")
    .default("0")
    .long(
        "If this is set to a positive value, lost nodes are assumed to achieve self-fencing using \
         watchdog-based SBD within this much time. This does not require a fencing resource to be \
         explicitly configured, though a fence_watchdog resource can be configured, to limit use to \
         specific nodes. If this is set to 0 (the default), the cluster will never assume \
         watchdog-based self-fencing. If this is set to a negative value, the cluster will use twice \
         the local value of the `SBD_WATCHDOG_TIMEOUT` environment variable if that is positive, or \
         otherwise treat this as 0. WARNING: When used, this timeout must be larger than \
         `SBD_WATCHDOG_TIMEOUT` on all nodes that use watchdog-based SBD, and Pacemaker will refuse to \
         start on any of those nodes where this is not true for the local value or SBD is not active. \
         When this is set to a negative value, `SBD_WATCHDOG_TIMEOUT` must be set to the same value on \
         all nodes that use SBD, otherwise data corruption or loss could occur.",
    ),
    OptionInfo::new(
        Reader::Controller,
        "fencing-max-attempts",
        Kind::Score,
        "How many times fencing can fail before it will no longer be immediately re-attempted on a \
         target",
    )
    .alias("stonith-max-attempts")
    .default("10"),
    OptionInfo::new(
        Reader::Scheduler,
        "concurrent-fencing",
        Kind::Boolean,
        "Allow performing fencing operations in parallel",
    )
    .default("true")
    .deprecated(),
    OptionInfo::new(
        Reader::Scheduler,
        "startup-fencing",
        Kind::Boolean,
        "Whether to fence unseen nodes at start-up",
    )
    .default("true")
    .advanced()
    .long(
        "Setting this to false may lead to a \"split-brain\" situation, potentially leading to data \
         loss and/or service unavailability.",
    ),
    OptionInfo::new(
        Reader::Scheduler,
        "priority-fencing-delay",
        Kind::Duration,
        "Apply fencing delay targeting the lost nodes with the highest total resource priority",
    )
    .default("0")
    .long(
        "Apply specified delay for the fencings that are targeting the lost nodes with the highest \
         total resource priority in case we don't have the majority of the nodes in our cluster \
         partition, so that the more significant nodes potentially win any fencing match, which is \
         especially meaningful under split-brain of 2-node cluster. A promoted resource instance takes \
         the base priority + 1 on calculation if the base priority is not 0. Any static/random delays \
         that are introduced by `pcmk_delay_base/max` configured for the corresponding fencing \
         resources will be added to this delay. This delay should be significantly greater than, safely \
         twice, the maximum `pcmk_delay_base/max`. By default, priority fencing delay is disabled.",
    ),
    OptionInfo::new(
        Reader::Scheduler,
        "node-pending-timeout",
        Kind::Duration,
        "How long to wait for a node that has joined the cluster to join the controller process group",
    )
    .default("0")
    .long(
        "Fence nodes that do not join the controller process group within this much time after joining \
         the cluster, to allow the cluster to continue managing resources. A value of 0 means never \
         fence pending nodes. Setting the value to 2h means fence nodes after 2 hours.",
    ),
    OptionInfo::new(
        Reader::Scheduler,
        "cluster-delay",
        Kind::Duration,
        "Maximum time for node-to-node communication",
    )
    .default("60s")
    .long(
        "The node elected Designated Controller (DC) will consider an action failed if it does not get \
         a response from the node executing the action within this time (after considering the action's \
         own timeout). The \"correct\" value will depend on the speed and load of your network and \
         cluster nodes.",
    ),
    OptionInfo::new(
        Reader::Controller,
        "load-threshold",
        Kind::Percentage,
        "Maximum amount of system load that should be used by cluster nodes",
    )
    .default("80%")
    .long(
        "The cluster will slow down its recovery process when the amount of system resources used \
         (currently CPU) approaches this limit",
    ),
    OptionInfo::new(
        Reader::Controller,
        "node-action-limit",
        Kind::Integer,
        "Maximum number of jobs that can be scheduled per node (defaults to 2x cores)",
    )
    .default("0"),
    OptionInfo::new(
        Reader::Scheduler,
        "batch-limit",
        Kind::Integer,
        "Maximum number of jobs that the cluster may execute in parallel across all nodes",
    )
    .default("0")
    .long(
        "The \"correct\" value will depend on the speed and load of your network and cluster nodes. If \
         set to 0, the cluster will impose a dynamically calculated limit when any node has a high \
         load.",
    ),
    OptionInfo::new(
        Reader::Scheduler,
        "migration-limit",
        Kind::Integer,
        "The number of live migration actions that the cluster is allowed to execute in parallel on a \
         node (-1 means no limit)",
    )
    .default("-1"),
    OptionInfo::new(Reader::Manager, "cluster-ipc-limit", Kind::NonnegativeInteger, "Ignored").deprecated(),
    OptionInfo::new(
        Reader::Scheduler,
        "stop-all-resources",
        Kind::Boolean,
        "Whether the cluster should stop all active resources",
    )
    .default("false"),
    OptionInfo::new(
        Reader::Scheduler,
        "stop-removed-resources",
        Kind::Boolean,
        "Whether to stop resources that were removed from the configuration",
    )
    .alias("stop-orphan-resources")
    .default("true")
    .deprecated(),
    OptionInfo::new(
        Reader::Scheduler,
        "cancel-removed-actions",
        Kind::Boolean,
        "Whether to cancel recurring actions removed from the configuration",
    )
    .alias("stop-orphan-actions")
    .default("true")
    .deprecated(),
    OptionInfo::new(
        Reader::Scheduler,
        "pe-error-series-max",
        Kind::Integer,
        "The number of scheduler inputs resulting in errors to save",
    )
    .default("-1")
    .long("Zero to disable, -1 to store unlimited."),
    OptionInfo::new(
        Reader::Scheduler,
        "pe-warn-series-max",
        Kind::Integer,
        "The number of scheduler inputs resulting in warnings to save",
    )
    .default("5000")
    .long("Zero to disable, -1 to store unlimited."),
    OptionInfo::new(
        Reader::Scheduler,
        "pe-input-series-max",
        Kind::Integer,
        "The number of scheduler inputs without errors or warnings to save",
    )
    .default("4000")
    .long("Zero to disable, -1 to store unlimited."),
    OptionInfo::new(
        Reader::Scheduler,
        "node-health-strategy",
        Kind::Select(&["none", "migrate-on-red", "only-green", "progressive", "custom"]),
        "How cluster should react to node health attributes",
    )
    .default("none")
    .long(
        "Requires external entities to create node attributes (named with the prefix \"#health\") with \
         values \"red\", \"yellow\", or \"green\".",
    ),
    OptionInfo::new(
        Reader::Scheduler,
        "node-health-base",
        Kind::Score,
        "Base health score assigned to a node",
    )
    .default("0")
    .long("Only used when \"node-health-strategy\" is set to \"progressive\"."),
    OptionInfo::new(
        Reader::Scheduler,
        "node-health-green",
        Kind::Score,
        "The score to use for a node health attribute whose value is \"green\"",
    )
    .default("0")
    .long("Only used when \"node-health-strategy\" is set to \"custom\" or \"progressive\"."),
    OptionInfo::new(
        Reader::Scheduler,
        "node-health-yellow",
        Kind::Score,
        "The score to use for a node health attribute whose value is \"yellow\"",
    )
    .default("0")
    .long("Only used when \"node-health-strategy\" is set to \"custom\" or \"progressive\"."),
    OptionInfo::new(
        Reader::Scheduler,
        "node-health-red",
        Kind::Score,
        "The score to use for a node health attribute whose value is \"red\"",
    )
    .default("-INFINITY")
    .long("Only used when \"node-health-strategy\" is set to \"custom\" or \"progressive\"."),
    OptionInfo::new(
        Reader::Scheduler,
        "placement-strategy",
        Kind::Select(&["default", "utilization", "minimal", "balanced"]),
        "How the cluster should allocate resources to nodes",
    )
    .default("default"),
];
