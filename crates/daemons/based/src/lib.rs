//! `based`.
