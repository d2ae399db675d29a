//! Cursors: where a page of an ordered question ends, as a text that travels.

use std::fmt;
use std::str::FromStr;

use bytes::BytesMut;
use neo_bolt::packstream::{Decoder, Dialect, Encoder, FromBolt, ToBolt};
use neo_bolt::value::Value;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};

/// A place in the order of a question, from which [`Find::cursor_page`](super::Find::cursor_page)
/// goes on: a short text of letters, digits, `-` and `_`, that fits into a URL.
///
/// It has the values in it that the nodes are ordered by, readable for whoever decodes it. A
/// cursor that was cut or changed by accident, and one of another question, are refused. It is no
/// signature: who forges one chooses where a page begins among the nodes that the question finds
/// anyhow, and nothing else, since its values are only ever sent as parameters.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cursor(String);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cursor({})", self.0)
    }
}

impl From<Cursor> for String {
    fn from(cursor: Cursor) -> Self {
        cursor.0
    }
}

impl FromStr for Cursor {
    type Err = Error;

    /// Reads the text of a cursor.
    ///
    /// # Errors
    /// [`ErrorKind::BadCursor`] where it is none.
    fn from_str(text: &str) -> Result<Self, Error> {
        Position::read(text)?;
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for Cursor {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        Position::read(&text)?;
        Ok(Self(text))
    }
}

/// What a cursor says.
#[derive(Debug, PartialEq)]
pub(super) struct Position {
    /// Of which question it is.
    pub(super) question: u64,
    /// It leads to what is before it.
    pub(super) backward: bool,
    /// What the node has that the order asks for.
    pub(super) values: Vec<Value>,
}

pub(super) fn bad(reason: &'static str) -> Error {
    Error::new(ErrorKind::BadCursor { reason })
}

impl Position {
    pub(super) fn write(&self) -> Result<Cursor, Error> {
        let mut buffer = BytesMut::new();
        let mut encoder = Encoder::new(&mut buffer, Dialect::NEWEST);
        encoder.list(2 + self.values.len())?;
        encoder.integer(self.question.cast_signed());
        self.backward.to_bolt(&mut encoder)?;
        for value in &self.values {
            if !has_order(value) {
                return Err(bad(
                    "the nodes are ordered by what can't be compared, such as a duration or a \
                     list; order them by something else",
                ));
            }
            value.to_bolt(&mut encoder)?;
        }
        let sum = fnv(&buffer);
        buffer.extend_from_slice(&sum.to_be_bytes());
        Ok(Cursor(encode(&buffer)))
    }

    pub(super) fn read(text: &str) -> Result<Self, Error> {
        const NONE: &str = "it is no cursor, or was cut or changed on its way";
        let bytes = decode(text).ok_or_else(|| bad(NONE))?;
        let (content, sum) = bytes.split_last_chunk::<8>().ok_or_else(|| bad(NONE))?;
        if fnv(content).to_be_bytes() != *sum {
            return Err(bad(NONE));
        }
        Self::parse(content).ok_or_else(|| bad(NONE))
    }

    fn parse(content: &[u8]) -> Option<Self> {
        let mut decoder = Decoder::new(content);
        let len = decoder.list().ok()?;
        let question = decoder.integer().ok()?.cast_unsigned();
        let backward = decoder.boolean().ok()?;
        let values: Vec<Value> = (2..len)
            .map(|_| Value::from_bolt(&mut decoder).ok())
            .collect::<Option<_>>()?;
        let sound = decoder.remaining().is_empty() && values.iter().all(has_order);
        sound.then_some(Self {
            question,
            backward,
            values,
        })
    }
}

/// Whether the database compares such values by `<`.
fn has_order(value: &Value) -> bool {
    match value {
        Value::Float(number) => !number.is_nan(),
        Value::Null
        | Value::Boolean(_)
        | Value::Integer(_)
        | Value::String(_)
        | Value::Date(_)
        | Value::Time(_)
        | Value::LocalTime(_)
        | Value::DateTime(_)
        | Value::LocalDateTime(_) => true,
        _ => false,
    }
}

/// The 64-bit hash FNV-1a: the same in each build, as tokens outlive programs.
pub(super) fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Base64 of the kind for URLs, without padding.
fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk
            .iter()
            .chain([&0, &0])
            .take(3)
            .fold(0_u32, |group, byte| group << 8 | u32::from(*byte));
        for index in 0..=chunk.len() {
            let sextet = (group >> (18 - 6 * index)) & 63;
            text.push(char::from(ALPHABET[sextet as usize]));
        }
    }
    text
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for chunk in text.as_bytes().chunks(4) {
        if chunk.len() == 1 {
            return None;
        }
        let mut group = 0_u32;
        for index in 0..4 {
            let sextet = match chunk.get(index) {
                Some(letter) => ALPHABET.iter().position(|known| known == letter)?,
                None => 0,
            };
            group = group << 6 | u32::try_from(sextet).ok()?;
        }
        bytes.extend_from_slice(&group.to_be_bytes()[1..chunk.len()]);
    }
    // One text for each sequence of bytes.
    (encode(&bytes) == text).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        for (bytes, text) in [
            (&b""[..], ""),
            (b"f", "Zg"),
            (b"fo", "Zm8"),
            (b"foo", "Zm9v"),
            (b"foobar", "Zm9vYmFy"),
            (&[0xFB, 0xFF], "-_8"),
        ] {
            assert_eq!(encode(bytes), text);
            assert_eq!(decode(text).as_deref(), Some(bytes));
        }
        for wrong in ["Z", "Zh", "Zg==", "Zm 9v", "Zmä"] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_cursor_comes_back_and_no_other_text_does() {
        let position = Position {
            question: 7,
            backward: true,
            values: vec![Value::Null, Value::from("Anna"), Value::Float(0.5)],
        };
        let cursor = position.write().unwrap();
        assert_eq!(Position::read(&cursor.to_string()).unwrap(), position);
        assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
        let text = cursor.to_string();
        for index in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(changed.parse::<Cursor>().is_err(), "{changed}");
            assert!(text[..index].parse::<Cursor>().is_err());
        }
    }

    #[test]
    fn what_has_no_order_makes_no_cursor() {
        let position = Position {
            question: 0,
            backward: false,
            values: vec![Value::List(vec![])],
        };
        assert!(position.write().is_err());
    }
}
