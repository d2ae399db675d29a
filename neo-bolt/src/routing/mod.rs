//! Which member of a cluster serves what.

mod discovery;
mod home;
mod provider;
mod table;

pub(crate) use provider::{Acquired, Provider, Purpose};
pub use table::RoutingTable;
