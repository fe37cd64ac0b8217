//! What is said to pacemakerd.
// SPDX-License-Identifier: GPL-2.0-or-later
