//! Serde reads straight from the wire: records as structs of their columns, maps as structs.

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::error::{DecodeError, DecodeErrorKind};
use super::{Decoder, FromBolt, Kind};

/// How many levels of lists and maps serde may follow.
const MAX_DEPTH: usize = 128;

impl serde::de::Error for DecodeError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::new(DecodeErrorKind::Custom(message.to_string()))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(DecodeErrorKind::Missing).within(field)
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn serde::de::Expected) -> Self {
        Self::new(DecodeErrorKind::Custom(format!(
            "expected {expected}, found {found}"
        )))
    }
}

/// Deserializes one value.
struct ValueDeserializer<'d, 'de> {
    decoder: &'d mut Decoder<'de>,
    depth: usize,
}

/// Reads exactly one value.
pub(crate) fn deserialize<'de, T: serde::Deserialize<'de>>(
    decoder: &mut Decoder<'de>,
) -> Result<T, DecodeError> {
    T::deserialize(ValueDeserializer {
        decoder,
        depth: MAX_DEPTH,
    })
}

impl<'d, 'de> ValueDeserializer<'d, 'de> {
    fn deeper(&mut self) -> Result<usize, DecodeError> {
        self.depth
            .checked_sub(1)
            .ok_or(DecodeError::new(DecodeErrorKind::TooDeep(MAX_DEPTH)))
    }
}

impl<'de> Deserializer<'de> for ValueDeserializer<'_, 'de> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.decoder.peek()? {
            Kind::Null => {
                self.decoder.null();
                visitor.visit_unit()
            }
            Kind::Boolean => visitor.visit_bool(self.decoder.boolean()?),
            Kind::Integer => visitor.visit_i64(self.decoder.integer()?),
            Kind::Float => visitor.visit_f64(self.decoder.float()?),
            Kind::Bytes => visitor.visit_borrowed_bytes(self.decoder.bytes()?),
            Kind::String => visitor.visit_borrowed_str(self.decoder.string()?),
            Kind::List => {
                let depth = self.deeper()?;
                let left = self.decoder.list()?;
                let mut items = Items {
                    left,
                    decoder: self.decoder,
                    depth,
                };
                let value = visitor.visit_seq(&mut items)?;
                for _ in 0..items.left {
                    items.decoder.skip()?;
                }
                Ok(value)
            }
            Kind::Map => {
                let depth = self.deeper()?;
                map(self.decoder, depth, visitor)
            }
            // Nodes and relationships are their properties; the rest is text in ISO form.
            Kind::Structure(super::marker::tag::NODE) => {
                let depth = self.deeper()?;
                let header = self.decoder.node_header()?;
                let value = map(self.decoder, depth, visitor)?;
                self.decoder.node_footer(&header)?;
                Ok(value)
            }
            Kind::Structure(super::marker::tag::RELATIONSHIP) => {
                let depth = self.deeper()?;
                let header = self.decoder.relationship_header()?;
                let value = map(self.decoder, depth, visitor)?;
                self.decoder.relationship_footer(&header)?;
                Ok(value)
            }
            Kind::Structure(_) => visitor.visit_string(iso_text(self.decoder)?),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.decoder.null() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    /// Variants without contents are text; the others a map of one entry.
    fn deserialize_enum<V: Visitor<'de>>(
        mut self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        if self.decoder.peek()? == Kind::Map {
            let depth = self.deeper()?;
            if self.decoder.map()? != 1 {
                return Err(DecodeError::custom("an enum is a map of exactly one entry"));
            }
            let name = self.decoder.string()?;
            visitor.visit_enum(Variant {
                name,
                value: Some((self.decoder, depth)),
            })
        } else {
            let name = self.decoder.string()?;
            visitor.visit_enum(Variant { name, value: None })
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.decoder.skip()?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier
    }
}

fn iso_text(decoder: &mut Decoder<'_>) -> Result<String, DecodeError> {
    use crate::value::Value;
    let value = Value::from_bolt(decoder)?;
    Ok(match value {
        Value::Date(v) => v.to_string(),
        Value::Time(v) => v.to_string(),
        Value::LocalTime(v) => v.to_string(),
        Value::DateTime(v) => v.to_string(),
        Value::LocalDateTime(v) => v.to_string(),
        Value::Duration(v) => v.to_string(),
        other => {
            return Err(DecodeError::custom(format_args!(
                "a {} has no form that serde knows; read it as a type of neo_bolt::value",
                other.type_name()
            )));
        }
    })
}

fn map<'de, V: Visitor<'de>>(
    decoder: &mut Decoder<'de>,
    depth: usize,
    visitor: V,
) -> Result<V::Value, DecodeError> {
    let left = decoder.map()?;
    let mut pairs = Pairs {
        left,
        decoder,
        depth,
        key: None,
    };
    let value = visitor.visit_map(&mut pairs)?;
    for _ in 0..pairs.left {
        pairs.decoder.skip()?;
        pairs.decoder.skip()?;
    }
    Ok(value)
}

struct Items<'d, 'de> {
    left: usize,
    decoder: &'d mut Decoder<'de>,
    depth: usize,
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        seed.deserialize(ValueDeserializer {
            decoder: self.decoder,
            depth: self.depth,
        })
        .map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

struct Pairs<'d, 'de> {
    left: usize,
    decoder: &'d mut Decoder<'de>,
    depth: usize,
    key: Option<&'de str>,
}

impl<'de> MapAccess<'de> for Pairs<'_, 'de> {
    type Error = DecodeError;

    fn next_key_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        let key = self.decoder.string()?;
        self.key = Some(key);
        seed.deserialize(serde::de::value::BorrowedStrDeserializer::new(key))
            .map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<T::Value, DecodeError> {
        let key = self.key.take().unwrap_or_default();
        seed.deserialize(ValueDeserializer {
            decoder: self.decoder,
            depth: self.depth,
        })
        .map_err(|error| error.within(key))
    }
}

struct Variant<'d, 'de> {
    name: &'de str,
    value: Option<(&'d mut Decoder<'de>, usize)>,
}

impl<'d, 'de> EnumAccess<'de> for Variant<'d, 'de> {
    type Error = DecodeError;
    type Variant = Contents<'d, 'de>;

    fn variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<(T::Value, Self::Variant), DecodeError> {
        let name: StrDeserializer<'_, DecodeError> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, Contents(self.value)))
    }
}

struct Contents<'d, 'de>(Option<(&'d mut Decoder<'de>, usize)>);

impl<'d, 'de> Contents<'d, 'de> {
    fn value(self) -> Result<ValueDeserializer<'d, 'de>, DecodeError> {
        let (decoder, depth) = self
            .0
            .ok_or_else(|| DecodeError::custom("the variant needs contents"))?;
        Ok(ValueDeserializer { decoder, depth })
    }
}

impl<'de> VariantAccess<'de> for Contents<'_, 'de> {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<(), DecodeError> {
        match self.0 {
            None => Ok(()),
            Some((decoder, _)) => decoder.skip(),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, DecodeError> {
        seed.deserialize(self.value()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, DecodeError> {
        self.value()?.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.value()?.deserialize_any(visitor)
    }
}

/// Deserializes a record: a map of its columns, or a sequence of their values.
pub(crate) struct RecordDeserializer<'r, 'de> {
    keys: &'r [String],
    decoder: Decoder<'de>,
}

impl<'r, 'de> RecordDeserializer<'r, 'de> {
    pub(crate) fn new(keys: &'r [String], decoder: Decoder<'de>) -> Self {
        Self { keys, decoder }
    }
}

impl<'de> Deserializer<'de> for RecordDeserializer<'_, 'de> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, DecodeError> {
        // A record that is one node, one relationship or one map is that, whatever it is called.
        visitor.visit_map(Columns {
            keys: self.keys.iter(),
            key: "",
            decoder: &mut self.decoder,
        })
    }

    fn deserialize_seq<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_seq(Items {
            left: self.keys.len(),
            decoder: &mut self.decoder,
            depth: MAX_DEPTH,
        })
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct option map struct enum identifier ignored_any
    }
}

struct Columns<'r, 'd, 'de> {
    keys: std::slice::Iter<'r, String>,
    key: &'r str,
    decoder: &'d mut Decoder<'de>,
}

impl<'de> MapAccess<'de> for Columns<'_, '_, 'de> {
    type Error = DecodeError;

    fn next_key_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        let Some(key) = self.keys.next() else {
            return Ok(None);
        };
        self.key = key;
        let key: StrDeserializer<'_, DecodeError> = key.as_str().into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<T::Value, DecodeError> {
        seed.deserialize(ValueDeserializer {
            decoder: self.decoder,
            depth: MAX_DEPTH,
        })
        .map_err(|error| error.within(self.key))
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use serde::Deserialize;

    use super::*;
    use crate::packstream::{Dialect, Encoder, ToBolt};

    #[derive(Debug, Deserialize, PartialEq)]
    struct Row<'r> {
        name: &'r str,
        age: Option<u8>,
        tags: Vec<String>,
    }

    fn read<'de, T: Deserialize<'de>>(keys: &[&str], bytes: &'de [u8]) -> Result<T, DecodeError> {
        let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        T::deserialize(RecordDeserializer::new(&keys, Decoder::new(bytes)))
    }

    #[test]
    fn records_become_structs_and_tuples() {
        let mut out = BytesMut::new();
        let mut encoder = Encoder::new(&mut out, Dialect::NEWEST);
        "Ann".to_bolt(&mut encoder).unwrap();
        33.to_bolt(&mut encoder).unwrap();
        vec!["a", "b"].to_bolt(&mut encoder).unwrap();
        let row: Row<'_> = read(&["name", "age", "tags"], &out).unwrap();
        let tags = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(
            row,
            Row {
                name: "Ann",
                age: Some(33),
                tags: tags.clone()
            }
        );
        let tuple: (String, i64, Vec<String>) = read(&["x", "y", "z"], &out).unwrap();
        assert_eq!(tuple, ("Ann".to_owned(), 33, tags));
        let error = read::<Row<'_>>(&["name", "tags", "age"], &out).unwrap_err();
        assert!(error.to_string().starts_with("tags: "), "{error}");
        assert!(
            read::<Row<'_>>(&["name", "age", "x"], &out)
                .unwrap_err()
                .to_string()
                .contains("tags")
        );
    }
}
