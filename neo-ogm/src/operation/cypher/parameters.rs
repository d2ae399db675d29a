//! Values of parameters, as plain values: they are sent over connections that are not yet known.

use bytes::BytesMut;
use neo_bolt::Serde;
use neo_bolt::packstream::{Decoder, Dialect, EncodeError, Encoder, FromBolt, ToBolt};
use neo_bolt::value::{Map, Value};

use serde::Serialize;

use crate::mapping::Node;

/// Anything that can be sent.
pub(super) fn value(value: &impl ToBolt) -> Result<Value, EncodeError> {
    written(|encoder| value.to_bolt(encoder))
}

/// The fields of a struct, or the entries of a map.
pub(super) fn fields(value: &impl Serialize) -> Result<Map, EncodeError> {
    match self::value(&Serde(value))? {
        Value::Map(map) => Ok(map),
        _ => Err(EncodeError::NotAMap("a list or a single value")),
    }
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

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
        let made = fields(&Everything {
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
        let map = |key: &str, value: Value| Value::Map(Map::from_iter([(key.to_owned(), value)]));
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
        let error = fields(&BTreeMap::from([("a", u64::MAX)])).unwrap_err();
        assert!(
            matches!(error, EncodeError::IntegerOutOfRange(_)),
            "{error}"
        );
        let error = fields(&[1, 2]).unwrap_err();
        assert!(matches!(error, EncodeError::NotAMap(_)), "{error}");
        // Numbers as keys become text, as in JSON.
        let numbered = fields(&BTreeMap::from([(1, 2)])).unwrap();
        assert_eq!(numbered, Map::from_iter([("1".to_owned(), 2.into())]));
    }
}
