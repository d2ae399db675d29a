//! Anything that serde knows, as a parameter or a column.

use std::fmt;
use std::ops::Deref;

use ::serde::Deserialize;
use ::serde::ser::{
    Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use crate::packstream::{DecodeError, Decoder, EncodeError, Encoder, FromBolt, ToBolt};

/// Sends and reads what serde knows: structs are maps, enums text or maps of one entry.
///
/// Anything that implements [`Serialize`] can be a parameter so, a whole set of parameters as well;
/// anything that implements [`Deserialize`] can be the value of a column. (Whole records need no
/// wrapper: see [`Record::to`](crate::Record::to).) Dates and times go through serde as text; to
/// send them as Neo4j's own types, use types that implement [`ToBolt`].
///
/// ```
/// use neo_bolt::Serde;
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Person {
///     name: String,
///     tags: Vec<String>,
/// }
///
/// # async fn example(driver: neo_bolt::Driver) -> Result<(), neo_bolt::Error> {
/// let ann = Person { name: "Ann".to_owned(), tags: vec!["author".to_owned()] };
/// let statement = "CREATE (p:Person {name: $name, tags: $tags}) RETURN p";
/// let result = driver.execute_query(statement, Serde(&ann)).await?;
/// let Serde(back) = result.records[0].get::<Serde<Person>>("p")?;
/// # let _ = back;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Serde<T>(pub T);

impl<T> Deref for Serde<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Serialize> ToBolt for Serde<T> {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        self.0.serialize(Writer { encoder })
    }
}

impl<'a, T: Deserialize<'a>> FromBolt<'a> for Serde<T> {
    fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        crate::packstream::deserialize(decoder).map(Self)
    }
}

impl ::serde::ser::Error for EncodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Custom(message.to_string())
    }
}

/// Writes one value.
struct Writer<'e, 'b> {
    encoder: &'e mut Encoder<'b>,
}

impl<'e, 'b> Writer<'e, 'b> {
    /// Opens a list; its items are written by what is returned.
    fn list(self, len: Option<usize>) -> Result<Items<'e, 'b>, EncodeError> {
        let header = match len {
            Some(len) => self.encoder.list(len).map(|()| None)?,
            None => Some(self.encoder.open_list()),
        };
        Ok(Items::new(self.encoder, header, len.unwrap_or(0), 1))
    }

    /// Opens a map; its keys and values are written by what is returned.
    fn map(self, len: Option<usize>) -> Result<Items<'e, 'b>, EncodeError> {
        let header = match len {
            Some(len) => self.encoder.map(len).map(|()| None)?,
            None => Some(self.encoder.open_map()),
        };
        Ok(Items::new(self.encoder, header, len.unwrap_or(0), 2))
    }

    /// Opens the map of one entry that stands for a variant with contents.
    fn variant(self, name: &str) -> Result<Self, EncodeError> {
        self.encoder.map(1)?;
        self.encoder.string(name)?;
        Ok(self)
    }
}

macro_rules! plain {
    ($($method:ident: $ty:ty),* $(,)?) => {$(
        fn $method(self, value: $ty) -> Result<(), EncodeError> {
            value.to_bolt(self.encoder)
        }
    )*};
}

impl<'e, 'b> Serializer for Writer<'e, 'b> {
    type Ok = ();
    type Error = EncodeError;
    type SerializeSeq = Items<'e, 'b>;
    type SerializeTuple = Items<'e, 'b>;
    type SerializeTupleStruct = Items<'e, 'b>;
    type SerializeTupleVariant = Items<'e, 'b>;
    type SerializeMap = Items<'e, 'b>;
    type SerializeStruct = Items<'e, 'b>;
    type SerializeStructVariant = Items<'e, 'b>;

    plain!(
        serialize_bool: bool,
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_i128: i128,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_u128: u128,
        serialize_f32: f32,
        serialize_f64: f64,
        serialize_char: char,
        serialize_str: &str,
    );

    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.encoder.bytes(bytes)
    }

    fn serialize_none(self) -> Result<(), EncodeError> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), EncodeError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), EncodeError> {
        self.encoder.null();
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), EncodeError> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
    ) -> Result<(), EncodeError> {
        self.encoder.string(name)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        value.serialize(self.variant(name)?)
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Items<'e, 'b>, EncodeError> {
        self.list(len)
    }

    fn serialize_tuple(self, len: usize) -> Result<Items<'e, 'b>, EncodeError> {
        self.list(Some(len))
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        len: usize,
    ) -> Result<Items<'e, 'b>, EncodeError> {
        self.list(Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        len: usize,
    ) -> Result<Items<'e, 'b>, EncodeError> {
        self.variant(name)?.list(Some(len))
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Items<'e, 'b>, EncodeError> {
        self.map(len)
    }

    fn serialize_struct(self, _: &'static str, len: usize) -> Result<Items<'e, 'b>, EncodeError> {
        self.map(Some(len))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        len: usize,
    ) -> Result<Items<'e, 'b>, EncodeError> {
        self.variant(name)?.map(Some(len))
    }
}

/// Writes the values of a list, or the keys and values of a map.
struct Items<'e, 'b> {
    encoder: &'e mut Encoder<'b>,
    /// Where its header stands, if its length is not known before the end.
    header: Option<usize>,
    /// How many items or pairs were said to come.
    expected: usize,
    /// How many values one item has: a pair has two.
    parts: usize,
    written: usize,
}

impl<'e, 'b> Items<'e, 'b> {
    fn new(
        encoder: &'e mut Encoder<'b>,
        header: Option<usize>,
        expected: usize,
        parts: usize,
    ) -> Self {
        Self {
            encoder,
            header,
            expected,
            parts,
            written: 0,
        }
    }

    fn write<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.written += 1;
        value.serialize(Writer {
            encoder: &mut *self.encoder,
        })
    }

    fn write_key(&mut self, key: &str) -> Result<(), EncodeError> {
        self.written += 1;
        self.encoder.string(key)
    }

    fn finish(self) -> Result<(), EncodeError> {
        let written = self.written / self.parts;
        match self.header {
            Some(at) => self.encoder.close(at, written),
            None if written == self.expected => Ok(()),
            // A broken message must not leave.
            None => Err(EncodeError::Custom(format!(
                "{} parts were announced to serde, and {written} were given",
                self.expected
            ))),
        }
    }
}

macro_rules! sequences {
    ($($of:ident: $method:ident),*) => {$(
        impl $of for Items<'_, '_> {
            type Ok = ();
            type Error = EncodeError;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
                self.write(value)
            }

            fn end(self) -> Result<(), EncodeError> {
                self.finish()
            }
        }
    )*};
}
sequences!(
    SerializeSeq: serialize_element,
    SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field,
    SerializeTupleVariant: serialize_field
);

macro_rules! structs {
    ($($of:ident),*) => {$(
        impl $of for Items<'_, '_> {
            type Ok = ();
            type Error = EncodeError;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), EncodeError> {
                self.write_key(key)?;
                self.write(value)
            }

            fn end(self) -> Result<(), EncodeError> {
                self.finish()
            }
        }
    )*};
}
structs!(SerializeStruct, SerializeStructVariant);

impl SerializeMap for Items<'_, '_> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), EncodeError> {
        let key = key.serialize(KeyWriter)?;
        self.write_key(&key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.write(value)
    }

    fn end(self) -> Result<(), EncodeError> {
        self.finish()
    }
}

/// Takes what can be the key of a map: text, and numbers as text.
struct KeyWriter;

fn no_key<T>() -> Result<T, EncodeError> {
    Err(EncodeError::Custom(
        "the keys of a map must be text or whole numbers".to_owned(),
    ))
}

macro_rules! keys {
    ($($method:ident: $ty:ty),* $(,)?) => {$(
        fn $method(self, key: $ty) -> Result<String, EncodeError> {
            Ok(key.to_string())
        }
    )*};
}

macro_rules! no_keys {
    ($($method:ident($($ty:ty),*) -> $ok:ty;)*) => {$(
        fn $method(self, $(_: $ty),*) -> Result<$ok, EncodeError> {
            no_key()
        }
    )*};
}

type NoKey = Impossible<String, EncodeError>;

impl Serializer for KeyWriter {
    type Ok = String;
    type Error = EncodeError;
    type SerializeSeq = NoKey;
    type SerializeTuple = NoKey;
    type SerializeTupleStruct = NoKey;
    type SerializeTupleVariant = NoKey;
    type SerializeMap = NoKey;
    type SerializeStruct = NoKey;
    type SerializeStructVariant = NoKey;

    keys!(
        serialize_char: char,
        serialize_str: &str,
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_i128: i128,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_u128: u128,
    );

    no_keys! {
        serialize_bool(bool) -> String;
        serialize_f32(f32) -> String;
        serialize_f64(f64) -> String;
        serialize_bytes(&[u8]) -> String;
        serialize_none() -> String;
        serialize_unit() -> String;
        serialize_unit_struct(&'static str) -> String;
        serialize_seq(Option<usize>) -> NoKey;
        serialize_tuple(usize) -> NoKey;
        serialize_tuple_struct(&'static str, usize) -> NoKey;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> NoKey;
        serialize_map(Option<usize>) -> NoKey;
        serialize_struct(&'static str, usize) -> NoKey;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> NoKey;
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<String, EncodeError> {
        value.serialize(self)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
    ) -> Result<String, EncodeError> {
        Ok(name.to_owned())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<String, EncodeError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<String, EncodeError> {
        no_key()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};
    use std::fmt::Debug;

    use ::serde::de::DeserializeOwned;
    use ::serde::{Deserialize, Serialize};
    use bytes::BytesMut;

    use super::*;
    use crate::packstream::Dialect;
    use crate::value::Value;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Shape {
        Point,
        Circle(f64),
        Line(i64, i64),
        Box { width: i64, height: Option<i64> },
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Newtype(String);

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Everything {
        flag: bool,
        small: u8,
        large: i64,
        half: f64,
        letter: char,
        text: Newtype,
        nothing: Option<i64>,
        something: Option<String>,
        unit: (),
        pair: (i64, String),
        shapes: Vec<Shape>,
        map: BTreeMap<String, Vec<i64>>,
        #[serde(flatten)]
        rest: HashMap<String, i64>,
    }

    fn written(value: impl Serialize) -> Result<BytesMut, EncodeError> {
        let mut out = BytesMut::new();
        Serde(value).to_bolt(&mut Encoder::new(&mut out, Dialect::NEWEST))?;
        Ok(out)
    }

    fn round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T) {
        let out = written(&value).unwrap();
        let mut decoder = Decoder::new(&out);
        assert_eq!(Serde::<T>::from_bolt(&mut decoder).unwrap().0, value);
        decoder.finish().unwrap();
        // Sound as a value, too.
        let mut decoder = Decoder::new(&out);
        Value::from_bolt(&mut decoder).unwrap();
        decoder.finish().unwrap();
    }

    #[test]
    fn what_serde_writes_it_reads() {
        round_trip(Everything {
            flag: true,
            small: 7,
            large: i64::MIN,
            half: 0.5,
            letter: 'é',
            text: Newtype("a".to_owned()),
            nothing: None,
            something: Some("b".to_owned()),
            unit: (),
            pair: (1, "c".to_owned()),
            shapes: vec![
                Shape::Point,
                Shape::Circle(1.5),
                Shape::Line(1, 2),
                Shape::Box {
                    width: 1,
                    height: None,
                },
            ],
            map: BTreeMap::from([("a".to_owned(), vec![1, 2])]),
            rest: HashMap::from([("extra".to_owned(), 1)]),
        });
        round_trip(vec![Some(1_i64), None]);
    }

    #[test]
    fn structs_of_a_known_length_are_maps_like_any_other() {
        #[derive(Serialize)]
        struct Person {
            name: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            born: Option<i32>,
        }
        let person = Person {
            name: "Ann",
            born: None,
        };
        assert_eq!(written(person).unwrap(), &b"\xA1\x84name\x83Ann"[..]);
        let keys = BTreeMap::from([(7, "x")]);
        assert_eq!(written(keys).unwrap(), &b"\xA1\x817\x81x"[..]);
    }

    #[test]
    fn what_can_not_be_sent_says_so() {
        let error = written(u64::MAX).unwrap_err();
        assert!(
            matches!(error, EncodeError::IntegerOutOfRange(_)),
            "{error}"
        );
        let keys = BTreeMap::from([(true, 1)]);
        let error = written(keys).unwrap_err();
        assert!(error.to_string().contains("must be text"), "{error}");
    }

    /// Says that more comes than does.
    #[test]
    fn a_broken_length_does_not_leave() {
        struct Liar;
        impl Serialize for Liar {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut list = serializer.serialize_seq(Some(2))?;
                list.serialize_element(&1)?;
                list.end()
            }
        }
        assert!(written(Liar).is_err());
    }
}
