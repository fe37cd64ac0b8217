//! `fenced`.
