//! Cypher's text, read just far enough to change names in it.

// Without the embedded engine, only the label space of a test reads statements.
#![cfg_attr(not(feature = "embedded"), allow(dead_code))]

pub(crate) mod place;
pub(crate) mod reads;
pub(crate) mod token;
