//! A serde serializer that makes values: parameters from plain structs.

use std::fmt;

use neo_bolt::packstream::EncodeError;
use neo_bolt::value::{Map, Value};
use serde::ser::{
    Error as _, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

/// The fields of a struct, or the entries of a map.
pub(super) fn map(value: &impl Serialize) -> Result<Map, EncodeError> {
    match value.serialize(Values) {
        Ok(Value::Map(map)) => Ok(map),
        Ok(_) => Err(EncodeError::NotAMap("a list or a single value")),
        Err(Failed(error)) => Err(error),
    }
}

/// Why a value was not made.
#[derive(Debug)]
struct Failed(EncodeError);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Failed {}

impl serde::ser::Error for Failed {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(EncodeError::Custom(message.to_string()))
    }
}

struct Values;

macro_rules! integers {
    ($($method:ident: $ty:ty),*) => {$(
        fn $method(self, value: $ty) -> Result<Value, Failed> {
            let integer = i64::try_from(value)
                .map_err(|_| Failed(EncodeError::IntegerOutOfRange(value.to_string())))?;
            Ok(Value::Integer(integer))
        }
    )*};
}

/// `{Variant: value}`, as serde writes enums.
fn tagged(variant: &str, value: Value) -> Value {
    Value::Map(Map::from_iter([(variant.to_owned(), value)]))
}

impl Serializer for Values {
    type Ok = Value;
    type Error = Failed;
    type SerializeSeq = List;
    type SerializeTuple = List;
    type SerializeTupleStruct = List;
    type SerializeTupleVariant = List;
    type SerializeMap = Entries;
    type SerializeStruct = Entries;
    type SerializeStructVariant = Entries;

    integers!(
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_i128: i128, serialize_u8: u8, serialize_u16: u16, serialize_u32: u32,
        serialize_u64: u64, serialize_u128: u128
    );

    fn serialize_bool(self, value: bool) -> Result<Value, Failed> {
        Ok(Value::Boolean(value))
    }

    fn serialize_f32(self, value: f32) -> Result<Value, Failed> {
        Ok(Value::Float(value.into()))
    }

    fn serialize_f64(self, value: f64) -> Result<Value, Failed> {
        Ok(Value::Float(value))
    }

    fn serialize_char(self, value: char) -> Result<Value, Failed> {
        Ok(Value::String(value.to_string()))
    }

    fn serialize_str(self, value: &str) -> Result<Value, Failed> {
        Ok(Value::String(value.to_owned()))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Value, Failed> {
        Ok(Value::Bytes(bytes::Bytes::copy_from_slice(value)))
    }

    fn serialize_none(self) -> Result<Value, Failed> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, Failed> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, Failed> {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Value, Failed> {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Value, Failed> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Value, Failed> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Value, Failed> {
        Ok(tagged(variant, value.serialize(self)?))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<List, Failed> {
        Ok(List::default())
    }

    fn serialize_tuple(self, _: usize) -> Result<List, Failed> {
        Ok(List::default())
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<List, Failed> {
        Ok(List::default())
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<List, Failed> {
        Ok(List {
            variant: Some(variant),
            ..List::default()
        })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Entries, Failed> {
        Ok(Entries::default())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Entries, Failed> {
        Ok(Entries::default())
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Entries, Failed> {
        Ok(Entries {
            variant: Some(variant),
            ..Entries::default()
        })
    }
}

/// A list being made.
#[derive(Default)]
struct List {
    items: Vec<Value>,
    variant: Option<&'static str>,
}

macro_rules! lists {
    ($($trait:ident $method:ident),*) => {$(
        impl $trait for List {
            type Ok = Value;
            type Error = Failed;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failed> {
                self.items.push(value.serialize(Values)?);
                Ok(())
            }

            fn end(self) -> Result<Value, Failed> {
                let list = Value::List(self.items);
                Ok(match self.variant {
                    Some(variant) => tagged(variant, list),
                    None => list,
                })
            }
        }
    )*};
}
lists!(
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field
);

/// A map being made.
#[derive(Default)]
struct Entries {
    map: Map,
    key: String,
    variant: Option<&'static str>,
}

impl Entries {
    fn done(self) -> Value {
        let map = Value::Map(self.map);
        match self.variant {
            Some(variant) => tagged(variant, map),
            None => map,
        }
    }
}

macro_rules! structs {
    ($($trait:ident),*) => {$(
        impl $trait for Entries {
            type Ok = Value;
            type Error = Failed;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Failed> {
                self.map.insert(name.to_owned(), value.serialize(Values)?);
                Ok(())
            }

            fn end(self) -> Result<Value, Failed> {
                Ok(self.done())
            }
        }
    )*};
}
structs!(SerializeStruct, SerializeStructVariant);

impl SerializeMap for Entries {
    type Ok = Value;
    type Error = Failed;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Failed> {
        match key.serialize(Values)? {
            Value::String(key) => {
                self.key = key;
                Ok(())
            }
            _ => Err(Failed::custom("the keys of a map are text")),
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failed> {
        let key = std::mem::take(&mut self.key);
        self.map.insert(key, value.serialize(Values)?);
        Ok(())
    }

    fn end(self) -> Result<Value, Failed> {
        Ok(self.done())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[derive(serde::Serialize)]
    struct Everything<'a> {
        flag: bool,
        small: i8,
        large: u64,
        real: f32,
        letter: char,
        text: &'a str,
        nothing: Option<i64>,
        list: Vec<(i64, Kind)>,
        map: BTreeMap<&'a str, Wrapped>,
    }

    #[derive(serde::Serialize)]
    enum Kind {
        Plain,
        Pair(i64, i64),
        Named { a: i64 },
    }

    #[derive(serde::Serialize)]
    struct Wrapped(i64);

    #[test]
    fn structs_become_maps() {
        let made = map(&Everything {
            flag: true,
            small: -1,
            large: 7,
            real: 0.5,
            letter: 'x',
            text: "t",
            nothing: None,
            list: vec![
                (1, Kind::Plain),
                (2, Kind::Pair(3, 4)),
                (5, Kind::Named { a: 6 }),
            ],
            map: BTreeMap::from([("k", Wrapped(8))]),
        })
        .unwrap();
        let list = |items: Vec<Value>| Value::List(items);
        let map = |key: &str, value: Value| tagged(key, value);
        for (key, expected) in [
            ("flag", Value::Boolean(true)),
            ("small", Value::Integer(-1)),
            ("large", Value::Integer(7)),
            ("real", Value::Float(0.5)),
            ("letter", "x".into()),
            ("text", "t".into()),
            ("nothing", Value::Null),
            (
                "list",
                list(vec![
                    list(vec![1.into(), "Plain".into()]),
                    list(vec![2.into(), map("Pair", list(vec![3.into(), 4.into()]))]),
                    list(vec![5.into(), map("Named", map("a", 6.into()))]),
                ]),
            ),
            ("map", map("k", 8.into())),
        ] {
            assert_eq!(made.get(key), Some(&expected), "{key}");
        }
    }

    #[test]
    fn what_has_no_form_is_refused() {
        let error = map(&BTreeMap::from([("a", u64::MAX)])).unwrap_err();
        assert!(
            matches!(error, EncodeError::IntegerOutOfRange(_)),
            "{error}"
        );
        let error = map(&[1, 2]).unwrap_err();
        assert!(matches!(error, EncodeError::NotAMap(_)), "{error}");
        let error = map(&BTreeMap::from([(1, 2)])).unwrap_err();
        assert!(error.to_string().contains("text"), "{error}");
    }
}
