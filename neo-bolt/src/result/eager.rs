//! Results that were received as a whole.

use std::sync::Arc;

use serde::Deserialize;

use super::{Gatherer, Graph};
use crate::error::{Error, ErrorKind};
use crate::pool::Lease;
use crate::protocol::{End, StreamId};
use crate::record::{Reader, Record};
use crate::summary::{ResultSummary, ServerInfo};

/// A whole result.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EagerResult {
    /// The names of the columns, also where there are no records.
    pub keys: Arc<[String]>,
    /// The records.
    pub records: Vec<Record>,
    /// What the statement did.
    pub summary: ResultSummary,
    pub(crate) follows_lost_commit: bool,
    pub(super) is_recovered: bool,
}

impl EagerResult {
    /// The records as values of a type that serde knows: a struct with fields of the columns'
    /// names, or a tuple of the columns in their order.
    ///
    /// # Errors
    /// A record is no `T`.
    pub fn records_as<'r, T: Deserialize<'r>>(&'r self) -> Result<Vec<T>, Error> {
        self.records.iter().map(Record::to).collect()
    }

    /// Whether an earlier attempt of what this is the result of has lost the answer to its COMMIT,
    /// and so may have taken effect. An error that a caller makes of such a result can't say that
    /// nothing was written.
    pub fn follows_lost_commit(&self) -> bool {
        self.follows_lost_commit
    }

    /// Whether the result was lost with the answer to COMMIT and read again from the receipt. Then it
    /// has only the columns that were stored, and the summary is that of the second query; see
    /// [`ExecuteQuery::stores_receipt`](crate::ExecuteQuery::stores_receipt).
    pub fn is_recovered(&self) -> bool {
        self.is_recovered
    }

    pub(crate) fn recovered(mut self) -> Self {
        self.is_recovered = true;
        self
    }

    /// The nodes and relationships of the records, each once.
    ///
    /// # Errors
    /// The bytes are broken.
    pub fn graph(&self) -> Result<Graph, Error> {
        let mut gatherer = Gatherer::default();
        for record in &self.records {
            let values = record.values()?;
            values.into_iter().for_each(|value| gatherer.take(value));
        }
        Ok(gatherer.finish())
    }
}

pub(crate) fn server_info(lease: &mut Lease) -> Result<ServerInfo, Error> {
    let connection = lease.connection()?;
    Ok(ServerInfo {
        address: connection.address().clone(),
        agent: Arc::clone(connection.server_agent()),
        protocol_version: connection.machine().version(),
    })
}

/// Takes a result that has come whole.
pub(crate) fn collect(lease: &mut Lease, stream: StreamId) -> Result<EagerResult, Error> {
    let server = server_info(lease)?;
    let machine = lease.connection()?.machine();
    if let Some(failure) = machine.failure() {
        return Err(failure.again());
    }
    let keys = machine
        .keys(stream)
        .ok_or_else(|| Error::new(ErrorKind::Protocol, "a result without columns"))?;
    let (records, end) = machine.take_records(stream);
    let summary = match end {
        Some(End::Complete(completed)) => ResultSummary::new(completed, server)?,
        Some(End::Failed(error)) => return Err(error),
        None => return Err(Error::new(ErrorKind::Protocol, "a result without an end")),
    };
    let records = Reader::new(Arc::clone(&keys), records).collect::<Result<_, _>>()?;
    Ok(EagerResult {
        keys,
        records,
        summary,
        follows_lost_commit: false,
        is_recovered: false,
    })
}
