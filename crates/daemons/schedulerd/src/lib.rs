//! `schedulerd`.
