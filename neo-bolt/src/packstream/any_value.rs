//! Writes any [`Value`], nodes, relationships and paths included: the server's side of the codec.

use std::collections::HashMap;

use super::error::EncodeError;
use super::marker::tag;
use super::{Encoder, ToBolt};
use crate::value::{Map, Node, Path, Relationship, Segment, Unsupported, Value};

fn write_node(node: &Node, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
    let element_ids = encoder.dialect().element_ids;
    encoder.structure(tag::NODE, if element_ids { 4 } else { 3 });
    encoder.integer(node.id);
    node.labels.to_bolt(encoder)?;
    write_map(&node.properties, encoder)?;
    if element_ids {
        encoder.string(&node.element_id)?;
    }
    Ok(())
}

fn write_map(map: &Map, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
    encoder.map(map.len())?;
    for (key, value) in map {
        encoder.string(key)?;
        write_any(value, encoder)?;
    }
    Ok(())
}

/// Writes any value, graph values included: the server's side of the codec.
pub(crate) fn write_any(value: &Value, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
    match value {
        Value::Node(node) => write_node(node, encoder),
        Value::Relationship(relationship) => write_relationship(relationship, encoder),
        Value::Path(path) => write_path(path, encoder),
        Value::Map(map) => write_map(map, encoder),
        Value::List(items) => {
            encoder.list(items.len())?;
            items.iter().try_for_each(|item| write_any(item, encoder))
        }
        Value::Unsupported(unsupported) => write_unsupported(unsupported, encoder),
        plain => plain.to_bolt(encoder),
    }
}

fn write_unsupported(value: &Unsupported, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
    encoder.structure(tag::UNSUPPORTED, 4);
    encoder.string(&value.name)?;
    encoder.integer(value.minimum_version.0);
    encoder.integer(value.minimum_version.1);
    encoder.map(usize::from(value.message.is_some()))?;
    if let Some(message) = &value.message {
        encoder.string("message")?;
        encoder.string(message)?;
    }
    Ok(())
}

fn write_relationship(
    relationship: &Relationship,
    encoder: &mut Encoder<'_>,
) -> Result<(), EncodeError> {
    let element_ids = encoder.dialect().element_ids;
    encoder.structure(tag::RELATIONSHIP, if element_ids { 8 } else { 5 });
    encoder.integer(relationship.id);
    encoder.integer(relationship.start_node_id);
    encoder.integer(relationship.end_node_id);
    encoder.string(&relationship.relationship_type)?;
    write_map(&relationship.properties, encoder)?;
    if element_ids {
        encoder.string(&relationship.element_id)?;
        encoder.string(&relationship.start_node_element_id)?;
        encoder.string(&relationship.end_node_element_id)?;
    }
    Ok(())
}

fn write_path(path: &Path, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
    let element_ids = encoder.dialect().element_ids;
    let mut nodes: Vec<&Node> = Vec::new();
    let mut node_index: HashMap<i64, i64> = HashMap::new();
    for node in path.nodes() {
        let next = i64::try_from(nodes.len()).unwrap_or(i64::MAX);
        node_index.entry(node.id).or_insert_with(|| {
            nodes.push(node);
            next
        });
    }
    let mut relationships: Vec<&Relationship> = Vec::new();
    let mut relationship_index: HashMap<&str, i64> = HashMap::new();
    let mut steps = Vec::with_capacity(path.segments.len() * 2);
    let mut from = path.start.id;
    for Segment { relationship, node } in &path.segments {
        let next = i64::try_from(relationships.len())
            .unwrap_or(i64::MAX)
            .saturating_add(1);
        let index = *relationship_index
            .entry(&relationship.element_id)
            .or_insert_with(|| {
                relationships.push(relationship);
                next
            });
        steps.push(if relationship.start_node_id == from {
            index
        } else {
            -index
        });
        steps.push(node_index.get(&node.id).copied().unwrap_or_default());
        from = node.id;
    }
    encoder.structure(tag::PATH, 3);
    encoder.list(nodes.len())?;
    nodes
        .iter()
        .try_for_each(|node| write_node(node, encoder))?;
    encoder.list(relationships.len())?;
    for relationship in relationships {
        encoder.structure(tag::UNBOUND_RELATIONSHIP, if element_ids { 4 } else { 3 });
        encoder.integer(relationship.id);
        encoder.string(&relationship.relationship_type)?;
        write_map(&relationship.properties, encoder)?;
        if element_ids {
            encoder.string(&relationship.element_id)?;
        }
    }
    steps.to_bolt(encoder)
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::packstream::error::DecodeErrorKind;
    use crate::packstream::value::MAX_DEPTH;
    use crate::packstream::{Decoder, Dialect, FromBolt};
    use crate::value::{
        Date, DateTime, Duration, LocalDateTime, LocalTime, Point, Time, Vector, Zone,
    };
    use bytes::Bytes;

    fn round_trip(value: &Value, dialect: Dialect) -> Value {
        let mut out = BytesMut::new();
        write_any(value, &mut Encoder::new(&mut out, dialect)).unwrap();
        let mut decoder = Decoder::new(&out);
        let back = Value::from_bolt(&mut decoder).unwrap();
        decoder.finish().unwrap();
        back
    }

    fn node(id: i64) -> Node {
        Node {
            id,
            element_id: format!("4:x:{id}"),
            labels: vec!["Person".into()],
            properties: crate::params! { "name" => "Ann", "tags" => vec!["a", "b"] },
        }
    }

    fn relationship(id: i64, start: i64, end: i64) -> Relationship {
        Relationship {
            id,
            start_node_id: start,
            end_node_id: end,
            relationship_type: "KNOWS".into(),
            properties: crate::params! { "since" => 1999 },
            element_id: format!("5:x:{id}"),
            start_node_element_id: format!("4:x:{start}"),
            end_node_element_id: format!("4:x:{end}"),
        }
    }

    #[test]
    fn every_type_round_trips() {
        let local_time = LocalTime::from_hms_nano(23, 59, 59, 999_999_999).unwrap();
        let local = LocalDateTime::new(Date::from_ymd(-1, 2, 28).unwrap(), local_time);
        let path = Path {
            start: node(1),
            segments: vec![
                Segment {
                    relationship: relationship(7, 1, 2),
                    node: node(2),
                },
                Segment {
                    relationship: relationship(8, 3, 2),
                    node: node(3),
                },
                Segment {
                    relationship: relationship(8, 3, 2),
                    node: node(2),
                },
            ],
        };
        for value in [
            Value::Null,
            Value::Bytes(Bytes::from_static(&[1, 2, 3])),
            Value::List(vec![
                Value::Float(0.5),
                Value::Map(crate::params! { "a" => true }),
            ]),
            Value::Date(Date::from_epoch_days(-1)),
            Value::LocalTime(local_time),
            Value::Time(Time::new(local_time, -3600).unwrap()),
            Value::LocalDateTime(local),
            Value::DateTime(DateTime::from_local(local, 7200).unwrap()),
            Value::DateTime(
                DateTime::from_epoch(1, 2, Zone::Id("Europe/Stockholm".into())).unwrap(),
            ),
            Value::Duration(Duration::new(1, -2, 3, 4)),
            Value::Point(Point::wgs_84(1.0, 2.0)),
            Value::Point(Point::cartesian_3d(1.0, 2.0, 3.0)),
            Value::Vector(Vector::Int8(vec![1, -1])),
            Value::Vector(Vector::Int16(vec![1, -300])),
            Value::Vector(Vector::Int32(vec![])),
            Value::Vector(Vector::Int64(vec![i64::MIN])),
            Value::Vector(Vector::Float32(vec![0.25])),
            Value::Vector(Vector::Float64(vec![1.0, f64::MAX])),
            Value::Node(node(4)),
            Value::Relationship(relationship(1, 2, 3)),
            Value::Path(path),
            Value::Unsupported(Unsupported {
                name: "UUID".to_owned(),
                minimum_version: (6, 2),
                message: Some("update the driver".to_owned()),
            }),
        ] {
            assert_eq!(round_trip(&value, Dialect::NEWEST), value);
        }
    }

    #[test]
    fn old_servers_get_local_datetimes_and_no_vectors() {
        let old = Dialect {
            utc_datetimes: false,
            vectors: false,
            element_ids: false,
        };
        let date_time = Value::DateTime(DateTime::from_epoch(10, 2, Zone::Offset(3600)).unwrap());
        assert_eq!(round_trip(&date_time, old), date_time);
        let mut out = BytesMut::new();
        date_time.to_bolt(&mut Encoder::new(&mut out, old)).unwrap();
        assert_eq!(
            &out[..],
            [0xB3, b'F', 0xC9, 0x0E, 0x1A, 2, 0xC9, 0x0E, 0x10]
        );
        let vector = Value::Vector(Vector::Int8(vec![1]));
        assert!(vector.to_bolt(&mut Encoder::new(&mut out, old)).is_err());
    }

    #[test]
    fn deep_nesting_is_refused_not_followed() {
        let mut bytes = vec![0x91; 100_000];
        bytes.push(0x01);
        let error = Value::from_bolt(&mut Decoder::new(&bytes)).unwrap_err();
        assert_eq!(error.kind(), &DecodeErrorKind::TooDeep(MAX_DEPTH));
    }

    #[test]
    fn paths_that_point_outside_are_refused() {
        let mut out = BytesMut::new();
        let mut encoder = Encoder::new(&mut out, Dialect::NEWEST);
        encoder.structure(tag::PATH, 3);
        encoder.list(1).unwrap();
        write_node(&node(1), &mut encoder).unwrap();
        encoder.list(0).unwrap();
        vec![1_i64, 0].to_bolt(&mut encoder).unwrap();
        let error = Value::from_bolt(&mut Decoder::new(&out)).unwrap_err();
        assert!(error.to_string().contains("outside"), "{error}");
    }

    /// A message of a megabyte that would be a path of terabytes.
    #[test]
    fn paths_that_name_a_large_node_over_and_over_are_refused() {
        let mut large = node(1);
        large.properties = crate::params! { "text" => "x".repeat(500_000) };
        let mut out = BytesMut::new();
        let mut encoder = Encoder::new(&mut out, Dialect::NEWEST);
        encoder.structure(tag::PATH, 3);
        encoder.list(1).unwrap();
        write_node(&large, &mut encoder).unwrap();
        encoder.list(1).unwrap();
        encoder.structure(tag::UNBOUND_RELATIONSHIP, 4);
        encoder.integer(7);
        encoder.string("LOOP").unwrap();
        encoder.map(0).unwrap();
        encoder.string("5:x:7").unwrap();
        [1_i64, 0].repeat(250_000).to_bolt(&mut encoder).unwrap();
        let error = Value::from_bolt(&mut Decoder::new(&out)).unwrap_err();
        assert!(error.to_string().contains("again"), "{error}");
    }

    #[test]
    fn errors_name_the_place() {
        let mut out = BytesMut::new();
        let mut encoder = Encoder::new(&mut out, Dialect::NEWEST);
        let map = crate::params! { "ages" => vec![Value::from(1), Value::from("two")] };
        map.to_bolt(&mut encoder).unwrap();
        let read = HashMap::<String, Vec<i64>>::from_bolt(&mut Decoder::new(&out));
        assert_eq!(
            read.unwrap_err().to_string(),
            "ages[1]: expected INTEGER, found STRING"
        );
    }
}
