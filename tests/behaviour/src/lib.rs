//! Behaviour tests live under `tests/`.
