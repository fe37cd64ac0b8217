//! `agents`.
