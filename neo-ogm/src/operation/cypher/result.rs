//! A result that is there as a whole.

use std::fmt;

use neo_bolt::{EagerResult, ResultSummary};
use serde::de::DeserializeOwned;

use super::rows::{FromRow, row};
use crate::error::Error;
use crate::executor::Graph;

/// The rows of a statement, and its summary.
pub struct CypherResult {
    found: EagerResult,
    graph: Graph,
}

impl fmt::Debug for CypherResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CypherResult")
            .field("rows", &self.found.records.len())
            .finish_non_exhaustive()
    }
}

impl CypherResult {
    pub(super) fn new(found: EagerResult, graph: Graph) -> Self {
        Self { found, graph }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.found.records.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.found.records.is_empty()
    }

    /// What the columns are called.
    pub fn columns(&self) -> &[String] {
        &self.found.keys
    }

    /// Reads each row as a `T`; see [`fetch`](super::CypherQuery::fetch).
    ///
    /// # Errors
    /// A row does not fit; the error names the column.
    pub fn rows<T: FromRow>(&self) -> Result<Vec<T>, Error> {
        let records = self.found.records.iter();
        records.map(|record| row(record, &self.graph)).collect()
    }

    /// Reads each row as a struct of its columns, by their names.
    ///
    /// # Errors
    /// A row does not fit.
    pub fn rows_as<T: DeserializeOwned>(&self) -> Result<Vec<T>, Error> {
        let records = self.found.records.iter();
        records.map(|record| Ok(record.to()?)).collect()
    }

    /// Reads one row, if there is such a one.
    ///
    /// # Errors
    /// It does not fit.
    pub fn row<T: FromRow>(&self, index: usize) -> Result<Option<T>, Error> {
        let record = self.found.records.get(index);
        record.map(|record| row(record, &self.graph)).transpose()
    }

    /// What the statement did, and what the server said to it.
    pub fn summary(&self) -> &ResultSummary {
        &self.found.summary
    }

    /// As [`summary`](Self::summary), without the rows.
    pub fn into_summary(self) -> ResultSummary {
        self.found.summary
    }
}
