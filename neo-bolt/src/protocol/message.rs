//! What the messages say: requests being written, answers being read.

use bytes::{Bytes, BytesMut};

use super::chunk::frame;
use super::tag;
use crate::error::Error;
use crate::gql::GqlError;
use crate::packstream::{DecodeError, Decoder, Dialect, EncodeError, Encoder, FromBolt, ToBolt};
use crate::value::{Map, Value};

/// Writes one request with its frame. `fields` says how many values `write` writes.
pub(super) fn request(
    out: &mut BytesMut,
    dialect: Dialect,
    tag: u8,
    fields: u8,
    write: impl FnOnce(&mut Encoder<'_>) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    frame(out, |out| {
        let mut encoder = Encoder::new(out, dialect);
        encoder.structure(tag, fields);
        write(&mut encoder)
    })
}

/// A map of which it is known only while writing which entries it has.
#[derive(Debug, Default)]
pub(super) struct Extra {
    entries: Vec<(&'static str, Value)>,
}

impl Extra {
    pub(super) fn set(&mut self, key: &'static str, value: impl Into<Value>) {
        self.entries.push((key, value.into()));
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn pairs(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        self.entries.iter().try_for_each(|(key, value)| {
            encoder.string(key)?;
            value.to_bolt(encoder)
        })
    }
}

impl ToBolt for Extra {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.map(self.len())?;
        self.pairs(encoder)
    }
}

/// The map that comes with a SUCCESS, as bytes: most of it is never asked for.
#[derive(Debug, Clone)]
pub(crate) struct Metadata {
    body: Bytes,
}

impl Metadata {
    /// Takes a map that is whole.
    fn new(body: Bytes) -> Result<Self, DecodeError> {
        let mut decoder = Decoder::new(&body);
        for _ in 0..decoder.map()? {
            decoder.string()?;
            decoder.skip()?;
        }
        decoder.finish()?;
        Ok(Self { body })
    }

    /// The value under `key`, if there is one of the right type.
    pub(crate) fn get<'a, T: FromBolt<'a>>(&'a self, key: &str) -> Option<T> {
        let mut decoder = Decoder::new(&self.body);
        for _ in 0..decoder.map().ok()? {
            if decoder.string().ok()? == key {
                return T::from_bolt(&mut decoder).ok();
            }
            decoder.skip().ok()?;
        }
        None
    }

    /// All of it.
    pub(crate) fn map(&self) -> Result<Map, DecodeError> {
        match Value::from_bolt(&mut Decoder::new(&self.body))? {
            Value::Map(map) => Ok(map),
            other => Err(DecodeError::unexpected("MAP", other.type_name())),
        }
    }
}

/// An answer of the server.
#[derive(Debug)]
pub(super) enum Response {
    Success(Metadata),
    /// The list of the record's values.
    Record(Bytes),
    Failure(Error),
    Ignored,
}

impl Response {
    pub(super) fn parse(mut message: Bytes) -> Result<Self, DecodeError> {
        let (tag, fields) = Decoder::new(&message).structure()?;
        // A structure's header is two bytes: marker and tag.
        let body = message.split_off(message.len().min(2));
        match (tag, fields) {
            // Records are checked where they are decoded, each value on its own.
            (tag::RECORD, 1) => Ok(Self::Record(body)),
            (tag::SUCCESS, 1) => Ok(Self::Success(Metadata::new(body)?)),
            (tag::FAILURE, 1) => Ok(Self::Failure(failure(&Metadata::new(body)?)?)),
            (tag::IGNORED, _) => Ok(Self::Ignored),
            (tag, fields) => Err(DecodeError::malformed(format!(
                "a message 0x{tag:02X} of {fields} fields is no answer"
            ))),
        }
    }
}

/// Before Bolt 5.7 the code is called `code`; from then on `neo4j_code`, and the status of the GQL
/// standard comes with it.
fn failure(metadata: &Metadata) -> Result<Error, DecodeError> {
    const UNKNOWN: &str = "Neo.DatabaseError.General.UnknownError";
    let mut metadata = metadata.map()?;
    let is_gql = metadata.contains_key("neo4j_code") || metadata.contains_key("gql_status");
    let code = metadata.remove("neo4j_code");
    let code = match code.or_else(|| metadata.remove("code")) {
        Some(Value::String(code)) if !code.is_empty() => code,
        _ => UNKNOWN.to_owned(),
    };
    let message = match metadata.get("message") {
        Some(Value::String(message)) if !message.is_empty() => message.clone(),
        _ => "the server gave no reason".to_owned(),
    };
    let gql = is_gql.then(|| GqlError::from_metadata(&mut metadata));
    Ok(Error::server(&code, &message, gql))
}
