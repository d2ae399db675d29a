//! A small PackStream reader and writer, for what tests say and hear themselves.
//!
//! It is independent of the driver's codec on purpose: a mistake there must not hide behind the
//! same mistake here.

use std::fmt;

/// A PackStream value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Null.
    Null,
    /// A boolean.
    Boolean(bool),
    /// A 64-bit integer.
    Integer(i64),
    /// A 64-bit float.
    Float(f64),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A string.
    String(String),
    /// A list.
    List(Vec<Value>),
    /// A map, in the order of the wire.
    Map(Vec<(String, Value)>),
    /// A structure: its tag and its fields.
    Struct(u8, Vec<Value>),
}

/// Bytes that are no PackStream value; says what was wrong and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed(String);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Malformed {}

impl Value {
    /// A map out of pairs.
    pub fn map<K: Into<String>, V: Into<Value>>(entries: impl IntoIterator<Item = (K, V)>) -> Self {
        Value::Map(
            entries
                .into_iter()
                .map(|(k, v)| (k.into(), v.into()))
                .collect(),
        )
    }

    /// A list out of values.
    pub fn list<V: Into<Value>>(items: impl IntoIterator<Item = V>) -> Self {
        Value::List(items.into_iter().map(Into::into).collect())
    }

    /// The entry of a map; `None` when this is no map or has no such key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Value::Map(entries) => entries.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number of an integer.
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Value::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// The value as PackStream bytes.
    ///
    /// # Panics
    /// When a structure has more than 15 fields, or a string, list or map more than `u32::MAX`
    /// parts: no test says such a thing.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode_to(&mut out);
        out
    }

    fn encode_to(&self, out: &mut Vec<u8>) {
        match self {
            Value::Null => out.push(0xC0),
            Value::Boolean(false) => out.push(0xC2),
            Value::Boolean(true) => out.push(0xC3),
            Value::Integer(number) => encode_integer(*number, out),
            Value::Float(number) => {
                out.push(0xC1);
                out.extend_from_slice(&number.to_be_bytes());
            }
            Value::Bytes(bytes) => {
                header(bytes.len(), None, [0xCC, 0xCD, 0xCE], out);
                out.extend_from_slice(bytes);
            }
            Value::String(text) => {
                header(text.len(), Some(0x80), [0xD0, 0xD1, 0xD2], out);
                out.extend_from_slice(text.as_bytes());
            }
            Value::List(items) => {
                header(items.len(), Some(0x90), [0xD4, 0xD5, 0xD6], out);
                items.iter().for_each(|item| item.encode_to(out));
            }
            Value::Map(entries) => {
                header(entries.len(), Some(0xA0), [0xD8, 0xD9, 0xDA], out);
                for (key, value) in entries {
                    header(key.len(), Some(0x80), [0xD0, 0xD1, 0xD2], out);
                    out.extend_from_slice(key.as_bytes());
                    value.encode_to(out);
                }
            }
            Value::Struct(tag, fields) => {
                let count = u8::try_from(fields.len()).ok().filter(|n| *n < 16);
                out.push(0xB0 | count.expect("a structure has at most 15 fields"));
                out.push(*tag);
                fields.iter().for_each(|field| field.encode_to(out));
            }
        }
    }

    /// Reads one value that takes all of `bytes`.
    ///
    /// # Errors
    /// When the bytes are cut short, nest deeper than 64 levels, have an unknown marker, hold a
    /// string that is not UTF-8, or go on after the value.
    pub fn decode(bytes: &[u8]) -> Result<Value, Malformed> {
        let mut reader = Reader { bytes, at: 0 };
        let value = reader.value(64)?;
        if reader.at == bytes.len() {
            Ok(value)
        } else {
            Err(Malformed(format!(
                "{} bytes after the value",
                bytes.len() - reader.at
            )))
        }
    }
}

fn encode_integer(number: i64, out: &mut Vec<u8>) {
    if let (-16..=127, Ok(tiny)) = (number, i8::try_from(number)) {
        out.extend_from_slice(&tiny.to_be_bytes());
    } else if let Ok(small) = i8::try_from(number) {
        out.push(0xC8);
        out.extend_from_slice(&small.to_be_bytes());
    } else if let Ok(medium) = i16::try_from(number) {
        out.push(0xC9);
        out.extend_from_slice(&medium.to_be_bytes());
    } else if let Ok(large) = i32::try_from(number) {
        out.push(0xCA);
        out.extend_from_slice(&large.to_be_bytes());
    } else {
        out.push(0xCB);
        out.extend_from_slice(&number.to_be_bytes());
    }
}

fn header(len: usize, tiny: Option<u8>, markers: [u8; 3], out: &mut Vec<u8>) {
    if let (Some(tiny), Ok(len @ 0..=15)) = (tiny, u8::try_from(len)) {
        out.push(tiny | len);
    } else if let Ok(len) = u8::try_from(len) {
        out.extend_from_slice(&[markers[0], len]);
    } else if let Ok(len) = u16::try_from(len) {
        out.push(markers[1]);
        out.extend_from_slice(&len.to_be_bytes());
    } else {
        out.push(markers[2]);
        let len = u32::try_from(len).expect("tests send less than 4 GiB");
        out.extend_from_slice(&len.to_be_bytes());
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let end = self
            .at
            .checked_add(len)
            .filter(|end| *end <= self.bytes.len());
        let end = end.ok_or_else(|| Malformed(format!("cut short at byte {}", self.at)))?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn len(&mut self, width: u8) -> Result<usize, Malformed> {
        Ok(match width {
            0 => usize::from(u8::from_be_bytes(self.array()?)),
            1 => usize::from(u16::from_be_bytes(self.array()?)),
            _ => usize::try_from(u32::from_be_bytes(self.array()?)).unwrap_or(usize::MAX),
        })
    }

    fn string(&mut self, len: usize) -> Result<String, Malformed> {
        let at = self.at;
        String::from_utf8(self.take(len)?.to_vec())
            .map_err(|_| Malformed(format!("the string at byte {at} is not UTF-8")))
    }

    fn key(&mut self) -> Result<String, Malformed> {
        match self.value(0)? {
            Value::String(key) => Ok(key),
            other => Err(Malformed(format!("a map key is {other:?}"))),
        }
    }

    // Collections grow as their items arrive: a length is only a claim.
    fn list(&mut self, len: usize, depth: u8) -> Result<Vec<Value>, Malformed> {
        let depth = depth
            .checked_sub(1)
            .ok_or_else(|| Malformed("nested too deep".into()))?;
        let mut items = Vec::new();
        for _ in 0..len {
            items.push(self.value(depth)?);
        }
        Ok(items)
    }

    fn map(&mut self, len: usize, depth: u8) -> Result<Value, Malformed> {
        let depth = depth
            .checked_sub(1)
            .ok_or_else(|| Malformed("nested too deep".into()))?;
        let mut entries = Vec::new();
        for _ in 0..len {
            let key = self.key()?;
            entries.push((key, self.value(depth)?));
        }
        Ok(Value::Map(entries))
    }

    fn value(&mut self, depth: u8) -> Result<Value, Malformed> {
        let marker = self.array::<1>()?[0];
        let low = usize::from(marker & 0x0F);
        Ok(match marker {
            0x00..=0x7F | 0xF0..=0xFF => Value::Integer(i64::from(i8::from_be_bytes([marker]))),
            0x80..=0x8F => Value::String(self.string(low)?),
            0x90..=0x9F => Value::List(self.list(low, depth)?),
            0xA0..=0xAF => self.map(low, depth)?,
            0xB0..=0xBF => {
                let tag = self.array::<1>()?[0];
                Value::Struct(tag, self.list(low, depth)?)
            }
            0xC0 => Value::Null,
            0xC1 => Value::Float(f64::from_be_bytes(self.array()?)),
            0xC2 => Value::Boolean(false),
            0xC3 => Value::Boolean(true),
            0xC8 => Value::Integer(i64::from(i8::from_be_bytes(self.array()?))),
            0xC9 => Value::Integer(i64::from(i16::from_be_bytes(self.array()?))),
            0xCA => Value::Integer(i64::from(i32::from_be_bytes(self.array()?))),
            0xCB => Value::Integer(i64::from_be_bytes(self.array()?)),
            0xCC..=0xCE => {
                let len = self.len(marker - 0xCC)?;
                Value::Bytes(self.take(len)?.to_vec())
            }
            0xD0..=0xD2 => {
                let len = self.len(marker - 0xD0)?;
                Value::String(self.string(len)?)
            }
            0xD4..=0xD6 => {
                let len = self.len(marker - 0xD4)?;
                Value::List(self.list(len, depth)?)
            }
            0xD8..=0xDA => {
                let len = self.len(marker - 0xD8)?;
                self.map(len, depth)?
            }
            other => return Err(Malformed(format!("unknown marker {other:02X}"))),
        })
    }
}

macro_rules! from {
    ($($type:ty => |$value:ident| $make:expr;)*) => {
        $(impl From<$type> for Value {
            fn from($value: $type) -> Self {
                $make
            }
        })*
    };
}

from! {
    bool => |value| Value::Boolean(value);
    i32 => |value| Value::Integer(i64::from(value));
    i64 => |value| Value::Integer(value);
    f64 => |value| Value::Float(value);
    &str => |value| Value::String(value.to_owned());
    String => |value| Value::String(value);
    Vec<Value> => |value| Value::List(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_the_round() {
        let mut items = vec![
            Value::Null,
            true.into(),
            1.5.into(),
            Value::Bytes(vec![7; 300]),
        ];
        for number in [0, -16, -17, 127, 128, -129, 40_000, 1 << 33, i64::MIN] {
            items.push(number.into());
        }
        items.push("x".repeat(70_000).into());
        items.push(Value::map((0..20).map(|i| (format!("k{i}"), i))));
        items.push(Value::Struct(0x4E, vec![1.into(), Value::list(["A"])]));
        let value = Value::List(items);
        assert_eq!(Value::decode(&value.encode()), Ok(value));
    }

    #[test]
    fn known_bytes() {
        let reset = Value::Struct(0x0F, vec![]);
        assert_eq!(reset.encode(), [0xB0, 0x0F]);
        let pull = Value::Struct(0x3F, vec![Value::map([("n", -1)])]);
        assert_eq!(pull.encode(), [0xB1, 0x3F, 0xA1, 0x81, b'n', 0xFF]);
    }

    #[test]
    fn nonsense_is_an_error() {
        for bytes in [
            &[][..],
            &[0xD6, 0xFF, 0xFF, 0xFF, 0xFF],
            &[0xC0, 0xC0],
            &[0xDF],
            &[0x81, 0xFF],
        ] {
            assert!(Value::decode(bytes).is_err(), "{bytes:02X?}");
        }
        assert!(Value::decode(&[0x91; 100]).is_err());
    }
}
