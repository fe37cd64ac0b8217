//! `graph`.
