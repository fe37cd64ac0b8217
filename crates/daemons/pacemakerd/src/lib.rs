//! `pacemakerd`.
