//! Behaviour tests of neo-ogm and neo-bolt; they live under `tests/`.
