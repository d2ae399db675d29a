//! Writing one node: `save`, `insert`, `update` and their kin.

mod run;
mod statement;
mod tracked;

pub use run::{CreateOrUpdate, GetOrCreate, Insert, Save, Update};
pub use tracked::{SaveChanges, Tracked};

pub(super) use run::bind;
pub(super) use statement::{created_labels, labels, of_role, version_of};
