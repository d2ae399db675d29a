//! The messages that a server sends.

use bytes::BytesMut;

use super::{Failure, chunk};
use crate::packstream::{Dialect, EncodeError, Encoder, write_any};
use crate::value::{Map, Value};

const SUCCESS: u8 = 0x70;
const RECORD: u8 = 0x71;
const IGNORED: u8 = 0x7E;
const FAILURE: u8 = 0x7F;

/// Collects messages until they are sent.
#[derive(Debug)]
pub(super) struct Outbox {
    pub(super) bytes: BytesMut,
    pub(super) dialect: Dialect,
    message: BytesMut,
}

impl Outbox {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self {
            bytes: BytesMut::new(),
            dialect,
            message: BytesMut::new(),
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
        self.message.clear();
        let mut encoder = Encoder::new(&mut self.message, self.dialect);
        encoder.structure(tag, u8::from(field.is_some()));
        if let Some(field) = field {
            write_any(field, &mut encoder)?;
        }
        chunk::write(&self.message, &mut self.bytes);
        Ok(())
    }
}
