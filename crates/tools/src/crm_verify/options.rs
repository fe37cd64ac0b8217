// SPDX-License-Identifier: GPL-2.0-or-later
//! The command line.

use crate::command_line::{CommonOptions, Group, Tool};
use clap::Parser;
use std::path::PathBuf;

/// Check a Pacemaker configuration for errors
///
/// A complete configuration is read as XML, held against the schema that it claims, and looked through for common
/// mistakes. The cluster cannot work with what is reported as an error; warnings are for you to decide on.
#[derive(Clone, Debug, Parser)]
#[command(after_help = "Examples:

Check the configuration of the running cluster:

\tcrm_verify --live-check

Check a file, and say nothing but by the exit code:

\tcrm_verify --xml-file file.xml --quiet

Check a file, and say everything that is wrong with it:

\tcrm_verify --xml-file file.xml --verbose")]
pub(super) struct Options {
    #[command(flatten)]
    pub common: CommonOptions,
    /// Don't print verify information
    #[arg(short = 'q', long)]
    pub quiet: bool,

    /// Check the configuration used by the running cluster (or by CIB_file or CIB_shadow)
    #[arg(short = 'L', long, help_heading = "Data sources")]
    pub live_check: bool,
    /// Check the configuration in the named file (decompressed if its name ends in .bz2; "-" for stdin)
    #[arg(short = 'x', long, value_name = "FILE", help_heading = "Data sources")]
    pub xml_file: Option<PathBuf>,
    /// Check the configuration piped in via stdin
    #[arg(short = 'p', long, help_heading = "Data sources")]
    pub xml_pipe: bool,
    /// Check the configuration in the supplied string
    #[arg(short = 'X', long, value_name = "XML", help_heading = "Data sources")]
    pub xml_text: Option<String>,

    /// Save verified XML to named file (most useful with -L)
    #[arg(short = 'S', long, value_name = "FILE", help_heading = "Additional options")]
    pub save_xml: Option<PathBuf>,
}

impl Tool for Options {
    const NAME: &'static str = "crm_verify";
    const GROUPS: &'static [Group] = &[
        Group { option: "help-data", heading: "Data sources", about: "Show data options" },
        Group { option: "help-additional", heading: "Additional options", about: "Show additional options" },
    ];

    fn common(&self) -> &CommonOptions {
        &self.common
    }

    fn is_quiet(&self) -> bool {
        self.quiet
    }
}
