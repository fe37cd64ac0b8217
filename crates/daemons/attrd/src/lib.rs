//! `attrd`.
