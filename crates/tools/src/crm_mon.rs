//! `crm_mon`.
// SPDX-License-Identifier: GPL-2.0-or-later
