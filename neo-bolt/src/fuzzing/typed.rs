//! The types that a caller may want a value or a record to be.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::packstream::{Decoder, FromBolt};
use crate::record::Record;
use crate::value::{
    Date, DateTime, Duration, LocalDateTime, LocalTime, Node, Path, Point, Relationship, Time,
    Value, Vector,
};

/// Whatever a type makes of a value, it takes exactly one: so many bytes are left behind it.
pub(super) fn value(data: &[u8], left: Option<usize>) {
    macro_rules! each {
        ($($ty:ty),* $(,)?) => {$({
            let mut decoder = Decoder::new(data);
            match <$ty as FromBolt<'_>>::from_bolt(&mut decoder) {
                Ok(_) => assert_eq!(
                    Some(decoder.remaining().len()), left, "{}", stringify!($ty)
                ),
                Err(error) => drop(error.to_string()),
            }
        })*};
    }
    each!(
        (), bool, i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize, f32, f64, char,
        &str, String, &[u8], Bytes, Option<i64>, Box<String>, Vec<i64>, Vec<Option<&str>>,
        Vec<Vec<Value>>, (i64, String), (Option<bool>, f64, &str), BTreeMap<String, Value>,
        HashMap<String, Vec<i64>>, Node, Relationship, Path, Date, Time, LocalTime, DateTime,
        LocalDateTime, Duration, Point, Vector,
    );
}

/// Serde's side. `sound` says that all values can be read.
pub(super) fn record(record: &Record, sound: bool) {
    assert_eq!(
        record.to::<(IgnoredAny, IgnoredAny, IgnoredAny)>().is_ok(),
        skips(record)
    );
    if let Err(error) = record.to::<Whole>() {
        // Points, paths and vectors are all that serde has no form for.
        let error = error.to_string();
        assert!(
            !sound || error.contains("has no form that serde knows"),
            "{error}"
        );
    }
    let _ = record.to::<Strict<'_>>();
    let _ = record.to::<HashMap<String, Untagged>>();
    let _ = record.to::<Vec<Tagged>>();
    let _ = record.to::<(Any, Option<Any>, Nested)>();
    let _ = record.to::<Flat>();
    let _ = record.to::<Any>();
    let _ = record.decode::<(i64, Option<String>, Value)>();
}

fn skips(record: &Record) -> bool {
    let mut decoder = record.raw_fields();
    (0..record.len()).all(|_| decoder.skip().is_ok())
}

#[derive(Deserialize)]
#[allow(dead_code)] // what is read is not looked at
struct Whole {
    a: Any,
    b: Any,
    c: Any,
}

#[derive(Deserialize)]
#[allow(dead_code)] // what is read is not looked at
struct Strict<'a> {
    a: u8,
    b: &'a str,
    #[serde(default)]
    c: Option<Vec<f64>>,
}

#[derive(Deserialize)]
#[allow(dead_code)] // what is read is not looked at
struct Flat {
    a: Option<char>,
    #[serde(flatten)]
    rest: BTreeMap<String, Any>,
}

#[derive(Deserialize)]
#[allow(dead_code)] // what is read is not looked at
struct Nested {
    #[serde(default)]
    children: Vec<Nested>,
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
#[allow(dead_code)] // what is read is not looked at
enum Untagged {
    Number(i64),
    Text(String),
    Many(Vec<Untagged>),
    Map(BTreeMap<String, Untagged>),
}

#[derive(Deserialize)]
#[allow(dead_code)] // what is read is not looked at
enum Tagged {
    Unit,
    One(i64),
    Two(i64, String),
    Fields { x: Option<f64> },
}

/// Takes whatever comes, as formats that describe themselves let it.
struct Any;

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyVisitor)
    }
}

struct AnyVisitor;

macro_rules! takes {
    ($($method:ident: $ty:ty),*) => {$(
        fn $method<E>(self, _: $ty) -> Result<Any, E> {
            Ok(Any)
        }
    )*};
}

impl<'de> Visitor<'de> for AnyVisitor {
    type Value = Any;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    takes!(
        visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str,
        visit_bytes: &[u8]
    );

    fn visit_unit<E>(self) -> Result<Any, E> {
        Ok(Any)
    }

    fn visit_none<E>(self) -> Result<Any, E> {
        Ok(Any)
    }

    fn visit_some<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Any, D::Error> {
        Any::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Any, A::Error> {
        while items.next_element::<Any>()?.is_some() {}
        Ok(Any)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Any, A::Error> {
        while pairs.next_entry::<String, Any>()?.is_some() {}
        Ok(Any)
    }
}
