//! Results as record batches of Apache Arrow, which data-frame libraries take.
//!
//! Which type a column has stands in `types.md`, which is part of the documentation.

mod columns;
mod json;
mod kind;

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::{DataType, Field, Schema};

use crate::error::{Error, ErrorKind};
use crate::record::Record;
use crate::result::EagerResult;
use crate::result::RecordStream;
use crate::value::Value;
use kind::Kind;

impl EagerResult {
    /// The records as a record batch of Apache Arrow (feature `arrow`).
    ///
    /// ```
    /// # async fn example(driver: neo_bolt::Driver) -> Result<(), neo_bolt::Error> {
    /// let statement = "MATCH (p:Person) RETURN p.name AS name, p.born AS born";
    /// let batch = driver.execute_query(statement, ()).await?.to_arrow()?;
    /// println!("{} people: {}", batch.num_rows(), batch.schema());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// A column has the type of its values:
    #[doc = include_str!("types.md")]
    ///
    /// # Errors
    /// A value has no place in its column, or the bytes are broken ([`ErrorKind::Decode`]).
    pub fn to_arrow(&self) -> Result<RecordBatch, Error> {
        batch(&self.keys, &self.records)
    }
}

impl RecordStream {
    /// The records that are left as a record batch of Apache Arrow (feature `arrow`); see
    /// [`EagerResult::to_arrow`] for the types of its columns.
    ///
    /// # Errors
    /// As [`next`](Self::next), or a value has no place in its column ([`ErrorKind::Decode`]).
    ///
    /// # Cancel safety
    /// As [`collect`](Self::collect).
    pub async fn to_arrow(&mut self) -> Result<RecordBatch, Error> {
        let records = self.collect().await?;
        batch(self.keys(), &records)
    }
}

fn batch(keys: &[String], records: &[Record]) -> Result<RecordBatch, Error> {
    let mut columns: Vec<Vec<Value>> = keys.iter().map(|_| Vec::new()).collect();
    for record in records {
        for (column, value) in columns.iter_mut().zip(record.values()?) {
            column.push(value);
        }
    }
    let mut fields = Vec::with_capacity(keys.len());
    let mut arrays = Vec::with_capacity(keys.len());
    for (key, values) in keys.iter().zip(&columns) {
        let values: Vec<Option<&Value>> = values.iter().map(present).collect();
        let kind = Kind::of_all(values.iter().copied().flatten());
        let array = columns::array(&kind, &values).map_err(|error| at(key, error))?;
        fields.push(field(key, array.data_type(), &kind));
        arrays.push(array);
    }
    let schema = Arc::new(Schema::new(fields));
    // Where there are no columns, nothing else tells how many rows there are.
    let options = RecordBatchOptions::new().with_row_count(Some(records.len()));
    RecordBatch::try_new_with_options(schema, arrays, &options)
        .map_err(|error| Error::new(ErrorKind::Decode, error.to_string()).with_source(error))
}

/// `NULL` is the absence of a value.
fn present(value: &Value) -> Option<&Value> {
    (!value.is_null()).then_some(value)
}

fn field(key: &str, data_type: &DataType, kind: &Kind) -> Field {
    let field = Field::new(key, data_type.clone(), true);
    match kind {
        Kind::Json => field.with_metadata(HashMap::from([
            ("ARROW:extension:name".to_owned(), "arrow.json".to_owned()),
            ("ARROW:extension:metadata".to_owned(), String::new()),
        ])),
        _ => field,
    }
}

fn at(key: &str, what: String) -> Error {
    Error::new(ErrorKind::Decode, format!("column {key:?}: {what}"))
}

#[cfg(test)]
mod tests;
