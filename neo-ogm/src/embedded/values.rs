//! Values between Bolt and graphdblite, exact in both directions.
//!
//! The names of properties, labels and types pass through the naming of the identifiers module
//! on their way.

use graphdblite as g;
use neo_bolt::server::Failure;
use neo_bolt::value::{Map, Node, Path, Relationship, Segment, Value};

use super::names;
use super::temporal;

/// Turns engine values into Bolt's, under the element ids of one database.
#[derive(Debug, Clone, Copy)]
pub(super) struct FromEngine<'d> {
    /// What stands between the kind and the number in an element id.
    pub(super) database_id: &'d str,
}

impl FromEngine<'_> {
    pub(super) fn value(self, value: g::Value) -> Result<Value, Failure> {
        Ok(match value {
            g::Value::Null => Value::Null,
            g::Value::Bool(v) => Value::Boolean(v),
            g::Value::I64(v) => Value::Integer(v),
            g::Value::F64(v) => Value::Float(v),
            g::Value::String(v) => Value::String(v),
            g::Value::List(items) => Value::List(
                items
                    .into_iter()
                    .map(|item| self.value(item))
                    .collect::<Result<_, _>>()?,
            ),
            g::Value::Map(map) => Value::Map(self.map(map)?),
            g::Value::Node(node) => Value::Node(self.node(node)?),
            g::Value::Edge(edge) => Value::Relationship(self.relationship(edge)?),
            g::Value::Path(path) => Value::Path(self.path(path)?),
            g::Value::Date(v) => Value::Date(temporal::date(v.0)),
            g::Value::LocalTime(v) => Value::LocalTime(temporal::local_time(v.0)?),
            g::Value::Time(v) => Value::Time(temporal::time(v.0, v.1)?),
            g::Value::LocalDateTime(v) => Value::LocalDateTime(temporal::local_date_time(v.0)?),
            g::Value::DateTime(v) => Value::DateTime(temporal::date_time(v.0, v.1, v.2)?),
            g::Value::Duration(v) => {
                Value::Duration(temporal::duration(v.months, v.days, v.seconds, v.nanos)?)
            }
        })
    }

    fn map(self, map: impl IntoIterator<Item = (String, g::Value)>) -> Result<Map, Failure> {
        map.into_iter()
            .map(|(key, value)| Ok((names::decode(key), self.value(value)?)))
            .collect()
    }

    fn node(self, node: g::Node) -> Result<Node, Failure> {
        let id = number(node.id.0)?;
        Ok(Node {
            id,
            element_id: self.node_id(id),
            labels: node.labels.into_iter().map(names::decode).collect(),
            properties: self.map(node.properties)?,
        })
    }

    fn relationship(self, edge: g::Edge) -> Result<Relationship, Failure> {
        let (id, start, end) = (number(edge.seq)?, number(edge.src.0)?, number(edge.dst.0)?);
        Ok(Relationship {
            id,
            start_node_id: start,
            end_node_id: end,
            relationship_type: names::decode(edge.label),
            properties: self.map(edge.properties)?,
            element_id: format!("5:{}:{id}", self.database_id),
            start_node_element_id: self.node_id(start),
            end_node_element_id: self.node_id(end),
        })
    }

    fn path(self, path: g::PathValue) -> Result<Path, Failure> {
        let mut nodes = path.nodes.into_iter();
        let start = nodes.next().ok_or_else(|| broken("a path without nodes"))?;
        let segments = path
            .edges
            .into_iter()
            .zip(nodes)
            .map(|(edge, node)| {
                Ok(Segment {
                    relationship: self.relationship(edge)?,
                    node: self.node(node)?,
                })
            })
            .collect::<Result<_, Failure>>()?;
        Ok(Path {
            start: self.node(start)?,
            segments,
        })
    }

    fn node_id(self, id: i64) -> String {
        format!("4:{}:{id}", self.database_id)
    }
}

fn number(id: u64) -> Result<i64, Failure> {
    i64::try_from(id).map_err(|_| broken("an id beyond 63 bits"))
}

fn broken(what: &str) -> Failure {
    Failure::new(
        "Neo.DatabaseError.General.UnknownError",
        format_args!("the embedded engine gave {what}"),
    )
}

/// Turns a parameter into the engine's value.
pub(super) fn to_engine(value: &Value) -> Result<g::Value, Failure> {
    Ok(match value {
        Value::Null => g::Value::Null,
        Value::Boolean(v) => g::Value::Bool(*v),
        Value::Integer(v) => g::Value::I64(*v),
        Value::Float(v) => g::Value::F64(*v),
        Value::String(v) => g::Value::String(v.clone()),
        Value::List(items) => {
            g::Value::List(items.iter().map(to_engine).collect::<Result<_, _>>()?)
        }
        Value::Map(map) => g::Value::Map(
            map.iter()
                .map(|(key, value)| Ok((names::encode(key).into_owned(), to_engine(value)?)))
                .collect::<Result<_, Failure>>()?,
        ),
        Value::Date(v) => temporal::to_date(*v)?,
        Value::LocalTime(v) => temporal::to_local_time(*v)?,
        Value::Time(v) => temporal::to_time(*v)?,
        Value::LocalDateTime(v) => temporal::to_local_date_time(*v)?,
        Value::DateTime(v) => temporal::to_date_time(v)?,
        Value::Duration(v) => temporal::to_duration(*v)?,
        other => return Err(unsupported(other.type_name())),
    })
}

fn unsupported(type_name: &str) -> Failure {
    Failure::new(
        "Neo.ClientError.Statement.TypeError",
        format_args!(
            "the embedded engine has no values of type {type_name}; a Neo4j server has them"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_that_the_engine_lacks_are_named() {
        let point = Value::Point(neo_bolt::value::Point::wgs_84(1.0, 2.0));
        let nested = Value::List(vec![Value::Map(neo_bolt::params! { "at" => point })]);
        let failure = to_engine(&nested).unwrap_err();
        assert_eq!(failure.code, "Neo.ClientError.Statement.TypeError");
        assert!(failure.message.contains("POINT"), "{failure}");
    }

    #[test]
    fn parallel_relationships_have_ids_of_their_own() {
        let edge = |seq| {
            g::Value::Edge(g::Edge {
                src: g::NodeId(1),
                dst: g::NodeId(2),
                label: "KNOWS".into(),
                seq,
                properties: g::Properties::new(),
            })
        };
        let from = FromEngine { database_id: "x" };
        let Value::Relationship(relationship) = from.value(edge(7)).unwrap() else {
            panic!("no relationship")
        };
        assert_eq!(relationship.element_id, "5:x:7");
        assert_eq!(relationship.end_node_element_id, "4:x:2");
        assert_ne!(
            from.value(edge(8)).unwrap(),
            Value::Relationship(relationship)
        );
    }
}
