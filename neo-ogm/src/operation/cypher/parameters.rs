//! Values of parameters, as plain values: they are sent over connections that are not yet known.

use bytes::BytesMut;
use neo_bolt::packstream::{Decoder, Dialect, EncodeError, Encoder, FromBolt, ToBolt};
use neo_bolt::value::{Map, Value};

use crate::mapping::Node;

/// Anything that can be sent.
pub(super) fn value(value: &impl ToBolt) -> Result<Value, EncodeError> {
    written(|encoder| value.to_bolt(encoder))
}

/// The properties of a node: those of the key, and the others.
pub(super) fn node<N: Node>(node: &N) -> Result<Value, EncodeError> {
    let mut map = match written(|encoder| node.encode_properties(encoder))? {
        Value::Map(map) => map,
        _ => Map::new(),
    };
    for (index, key) in N::SCHEMA.keys().enumerate() {
        let value = written(|encoder| node.encode_key(index, encoder))?;
        map.insert(key.name.to_owned(), value);
    }
    Ok(Value::Map(map))
}

/// Written and read back, whatever it was; the dialect of the connection that sends it may be
/// another.
fn written(
    write: impl FnOnce(&mut Encoder<'_>) -> Result<(), EncodeError>,
) -> Result<Value, EncodeError> {
    let mut buffer = BytesMut::new();
    write(&mut Encoder::new(&mut buffer, Dialect::NEWEST))?;
    Value::from_bolt(&mut Decoder::new(&buffer))
        .map_err(|error| EncodeError::Custom(error.to_string()))
}
