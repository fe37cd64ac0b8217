//! What is said to and between attribute managers.
// SPDX-License-Identifier: GPL-2.0-or-later
