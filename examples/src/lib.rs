//! Examples live in the files beside this crate.
