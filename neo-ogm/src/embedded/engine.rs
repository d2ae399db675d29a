//! What the server needs of an embedded engine, so that another can take its place.
//!
//! Everything here blocks; the session calls it on threads made for that.

use std::collections::BTreeMap;

use neo_bolt::server::Failure;
use neo_bolt::value::{Map, Value};

/// Opens handles to one database.
pub(super) trait Engine: Send + Sync + 'static {
    /// One connection to the data, used by one transaction at a time.
    type Handle: Handle;

    /// Opens a further handle.
    fn open(&self) -> Result<Self::Handle, Failure>;
}

/// One connection to the data. Dropping it rolls back what is open.
pub(super) trait Handle: Send + 'static {
    /// Begins a transaction that writes; the caller sees to it that there is one at a time.
    fn begin_write(&mut self) -> Result<(), Failure>;

    /// Begins a transaction that reads one state of the data throughout.
    fn begin_read(&mut self) -> Result<(), Failure>;

    /// Runs a statement: in the open transaction, or as a read of its own where none is open.
    fn run(&mut self, text: &str, parameters: &Map) -> Result<Rows, Failure>;

    /// Commits the open transaction; when this returns, it survives a crash.
    fn commit(&mut self) -> Result<(), Failure>;

    /// Rolls back what is open, if anything is.
    fn rollback(&mut self) -> Result<(), Failure>;

    /// Makes an index within the open transaction; one that is there already is fine.
    fn create_index(&mut self, label: &str, properties: &[&str]) -> Result<(), Failure>;

    /// Drops an index within the open transaction; one that is not there is fine.
    fn drop_index(&mut self, label: &str, properties: &[&str]) -> Result<(), Failure>;

    /// How many nodes have each label, and how many relationships are of each type, as the open
    /// transaction sees them.
    fn counts(&mut self) -> Result<Counts, Failure>;
}

/// Records, all there at once; each has its values under the engine's own column names.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// As the engine names them; empty when there are no records.
    pub(super) columns: Vec<String>,
    pub(super) records: Vec<Vec<Value>>,
}

/// The engine's statistics.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) labels: BTreeMap<String, i64>,
    pub(super) types: BTreeMap<String, i64>,
}
