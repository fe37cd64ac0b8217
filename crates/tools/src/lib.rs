// SPDX-License-Identifier: GPL-2.0-or-later
//! The command-line tools: one module each, named after the program.
//!
//! Decides: options, what is asked of which daemon (or file), and how the answer is printed. Leaves to others: every
//! privilege check (the daemons') and every decision about the cluster.

mod acceptable;
pub mod advice;
pub mod attrd_updater;
mod attributes;
mod cib_access;
pub mod cibadmin;
pub mod cibsecret;
mod command_line;
mod controller;
pub mod crm_attribute;
pub mod crm_diff;
pub mod crm_error;
pub mod crm_failcount;
pub mod crm_master;
pub mod crm_mon;
pub mod crm_node;
pub mod crm_resource;
pub mod crm_rule;
pub mod crm_shadow;
pub mod crm_simulate;
pub mod crm_standby;
pub mod crm_ticket;
pub mod crm_verify;
pub mod crmadmin;
mod date;
mod failure;
pub mod iso8601;
mod live;
mod log;
mod node_attribute;
mod option_list;
mod output;
mod status;
pub mod stonith_admin;
pub mod validate;
