//! `controld`.
