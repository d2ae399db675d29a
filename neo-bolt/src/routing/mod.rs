//! Which member of a cluster serves a transaction.

mod provider;
mod table;

pub(crate) use provider::{Provider, Purpose};
