//! What is said to and between CIB managers.
// SPDX-License-Identifier: GPL-2.0-or-later
