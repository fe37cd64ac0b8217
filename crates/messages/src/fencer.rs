//! What is said to and between fencers.
// SPDX-License-Identifier: GPL-2.0-or-later
