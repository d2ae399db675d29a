//! The engine behind the trait: graphdblite, on an SQLite file.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use graphdblite::{Config, Database, GraphError, SyncMode};
use neo_bolt::server::Failure;
use neo_bolt::value::{Map, Value};

use super::engine::{Counts, Engine, Handle, Rows};
use super::failure::failure;
use super::names;
use super::values::{FromEngine, to_engine};

/// How long a handle waits for a writer in another process.
const BUSY_TIMEOUT_MS: u32 = 5000;
/// The longest property value, in bytes: as long as SQLite stores without trouble.
const MAX_PROPERTY_BYTES: usize = 256 << 20;
/// Room for the longest name, encoded.
const MAX_NAME_BYTES: usize = 4096;
/// Memory that each handle may map, in bytes.
const MMAP_BYTES: i64 = 64 << 20;

/// A graphdblite database file.
#[derive(Debug)]
pub(super) struct GraphDbLite {
    pub(super) path: PathBuf,
    pub(super) database_id: Arc<str>,
    /// Whether commits are to survive a crash of the machine.
    pub(super) durable: bool,
}

impl Engine for GraphDbLite {
    type Handle = GraphDbLiteHandle;

    fn open(&self) -> Result<GraphDbLiteHandle, Failure> {
        Ok(GraphDbLiteHandle {
            database: self.open_database().map_err(failure)?,
            database_id: Arc::clone(&self.database_id),
        })
    }
}

impl GraphDbLite {
    pub(super) fn open_database(&self) -> Result<Database, GraphError> {
        let config = Config {
            busy_timeout_ms: BUSY_TIMEOUT_MS,
            synchronous: if self.durable {
                SyncMode::Full
            } else {
                SyncMode::Off
            },
            max_property_value_bytes: MAX_PROPERTY_BYTES,
            max_name_bytes: MAX_NAME_BYTES,
            max_result_rows: 0,
            mmap_size: MMAP_BYTES,
            ..Config::default()
        };
        Database::open_with_config(&self.path, config)
    }
}

/// One SQLite connection.
pub(super) struct GraphDbLiteHandle {
    database: Database,
    database_id: Arc<str>,
}

impl Handle for GraphDbLiteHandle {
    fn begin_write(&mut self) -> Result<(), Failure> {
        self.database.begin_write().map_err(failure)
    }

    fn begin_read(&mut self) -> Result<(), Failure> {
        self.database.begin_read().map_err(failure)
    }

    fn run(&mut self, text: &str, parameters: &Map) -> Result<Rows, Failure> {
        let parameters = parameters
            .iter()
            .map(|(name, value)| Ok((names::encode(name).into_owned(), to_engine(value)?)))
            .collect::<Result<HashMap<_, _>, Failure>>()?;
        let found = self
            .database
            .execute_with_params(text, Some(&parameters))
            .map_err(failure)?;
        let from = FromEngine {
            database_id: &self.database_id,
        };
        let columns = found.first().map(|record| record.keys().cloned().collect());
        let records = found
            .iter()
            .map(|record| {
                record
                    .values()
                    .map(|value| from.value(value.clone()))
                    .collect()
            })
            .collect::<Result<_, _>>()?;
        Ok(Rows {
            columns: columns.unwrap_or_default(),
            records,
        })
    }

    fn commit(&mut self) -> Result<(), Failure> {
        self.database.commit().map_err(failure)
    }

    fn rollback(&mut self) -> Result<(), Failure> {
        if self.database.in_transaction() {
            self.database.rollback().map_err(failure)?;
        }
        Ok(())
    }

    fn create_index(&mut self, label: &str, properties: &[&str]) -> Result<(), Failure> {
        let (label, properties) = encoded(label, properties);
        let properties: Vec<&str> = properties.iter().map(String::as_str).collect();
        match self.database.create_composite_index(&label, &properties) {
            Ok(()) | Err(GraphError::IndexAlreadyExists { .. }) => Ok(()),
            Err(error) => Err(failure(error)),
        }
    }

    fn drop_index(&mut self, label: &str, properties: &[&str]) -> Result<(), Failure> {
        let (label, properties) = encoded(label, properties);
        let properties: Vec<&str> = properties.iter().map(String::as_str).collect();
        match self.database.drop_composite_index(&label, &properties) {
            Ok(()) | Err(GraphError::IndexNotFound { .. }) => Ok(()),
            Err(error) => Err(failure(error)),
        }
    }

    fn counts(&mut self) -> Result<Counts, Failure> {
        let rows = self.run("CALL db.counts() YIELD kind, name, count", &Map::new())?;
        let mut counts = Counts::default();
        for record in rows.records {
            if let [
                Value::String(kind),
                Value::String(name),
                Value::Integer(count),
            ] = &record[..]
            {
                let of = if kind.contains("label") || kind.contains("node") {
                    &mut counts.labels
                } else {
                    &mut counts.types
                };
                of.insert(name.clone(), *count);
            }
        }
        Ok(counts)
    }
}

fn encoded(label: &str, properties: &[&str]) -> (String, Vec<String>) {
    let properties = properties
        .iter()
        .map(|name| names::encode(name).into_owned())
        .collect();
    (names::encode(label).into_owned(), properties)
}
