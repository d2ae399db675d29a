//! Fields that are stored as JSON text: maps, nested structs, whatever serde knows.

use neo_bolt::packstream::{DecodeError, Decoder, EncodeError, Encoder};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Writes a value as JSON text; what is JSON's `null` is no property.
///
/// # Errors
/// The value has no form in JSON, such as a map whose keys are no text.
pub fn encode_json<T: Serialize>(value: &T, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
    let text = serde_json::to_string(value).map_err(|e| EncodeError::Custom(e.to_string()))?;
    if text == "null" {
        encoder.null();
        return Ok(());
    }
    encoder.string(&text)
}

/// Reads the JSON text of the property `name`.
///
/// # Errors
/// It is no text, no JSON, or JSON of another form.
pub fn decode_json<T: DeserializeOwned>(
    decoder: &mut Decoder<'_>,
    name: &'static str,
) -> Result<T, DecodeError> {
    let read = if decoder.null() {
        serde_json::from_str("null")
    } else {
        serde_json::from_str(decoder.string().map_err(|error| error.within(name))?)
    };
    read.map_err(|error| DecodeError::custom(error).within(name))
}

/// What stands for a property that is not there: what JSON's `null` turns into.
///
/// # Errors
/// `null` turns into nothing, so the property must be there.
pub fn missing_json<T: DeserializeOwned>(name: &'static str) -> Result<T, DecodeError> {
    serde_json::from_str("null").map_err(|_| super::missing(name))
}
