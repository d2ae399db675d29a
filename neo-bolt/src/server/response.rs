//! The messages that a server sends.

use bytes::BytesMut;

use super::Failure;
use crate::packstream::{Dialect, EncodeError, Encoder, write_any};
use crate::protocol::chunk;
use crate::protocol::tag::{FAILURE, IGNORED, RECORD, SUCCESS};
use crate::value::{Map, Value};

/// Collects messages until they are sent.
#[derive(Debug)]
pub(super) struct Outbox {
    pub(super) bytes: BytesMut,
    pub(super) dialect: Dialect,
}

impl Outbox {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self {
            bytes: BytesMut::new(),
            dialect,
        }
    }

    pub(super) fn success(&mut self, metadata: Map) -> Result<(), EncodeError> {
        self.message(SUCCESS, Some(&Value::Map(metadata)))
    }

    pub(super) fn ignored(&mut self) -> Result<(), EncodeError> {
        self.message(IGNORED, None)
    }

    pub(super) fn failure(&mut self, failure: Failure) -> Result<(), EncodeError> {
        let metadata = crate::params! { "code" => failure.code, "message" => failure.message };
        self.message(FAILURE, Some(&Value::Map(metadata)))
    }

    /// Nothing of the record is kept when a value of it can't be written.
    pub(super) fn record(&mut self, values: Vec<Value>) -> Result<(), EncodeError> {
        self.message(RECORD, Some(&Value::List(values)))
    }

    fn message(&mut self, tag: u8, field: Option<&Value>) -> Result<(), EncodeError> {
        let dialect = self.dialect;
        chunk::frame(&mut self.bytes, |out| {
            let mut encoder = Encoder::new(out, dialect);
            encoder.structure(tag, u8::from(field.is_some()));
            field.map_or(Ok(()), |field| write_any(field, &mut encoder))
        })
    }
}
