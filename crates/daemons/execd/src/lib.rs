//! `execd`.
