//! Derive macros of neo-ogm.
