//! `simulator`.
