//! The values that Cypher and Bolt know, as plain data.
//!
//! [`Value`] is for those who want to look at whatever came. Records decode straight into the
//! caller's own types through [`FromBolt`](crate::packstream::FromBolt) without building it.

mod graph;
mod spatial;
mod temporal;
mod unsupported;
mod vector;

pub use graph::{Node, Path, Relationship, Segment};
pub use spatial::{CARTESIAN_2D, CARTESIAN_3D, Point, WGS_84_2D, WGS_84_3D};
pub use temporal::{Date, DateTime, Duration, LocalDateTime, LocalTime, OutOfRange, Time, Zone};
pub use unsupported::Unsupported;
pub use vector::Vector;

use std::collections::BTreeMap;

use bytes::Bytes;

/// A map of Cypher: text keys, any values.
pub type Map = BTreeMap<String, Value>;

/// Any value that the Bolt protocol can carry.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub enum Value {
    /// The absence of a value.
    #[default]
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A signed 64-bit integer.
    Integer(i64),
    /// A 64-bit floating point number.
    Float(f64),
    /// Raw bytes.
    Bytes(Bytes),
    /// Text.
    String(String),
    /// An ordered list, of mixed types if need be.
    List(Vec<Value>),
    /// Text keys with values.
    Map(Map),
    /// A node of the graph, as it was when the query read it.
    Node(Node),
    /// A relationship of the graph.
    Relationship(Relationship),
    /// An alternating walk over nodes and relationships.
    Path(Path),
    /// A calendar date.
    Date(Date),
    /// A time of day with an offset from UTC.
    Time(Time),
    /// A time of day without a zone.
    LocalTime(LocalTime),
    /// An instant with a zone.
    DateTime(DateTime),
    /// A date and time of day without a zone.
    LocalDateTime(LocalDateTime),
    /// An amount of time in months, days, seconds and nanoseconds.
    Duration(Duration),
    /// A point in a coordinate reference system.
    Point(Point),
    /// A vector of numbers of one kind (Bolt 6.0 and later).
    Vector(Vector),
    /// A value that the connection's version of Bolt can't carry; it is read, never sent.
    Unsupported(Unsupported),
}

impl Value {
    /// The name of the value's type, as the Cypher manual writes it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Boolean(_) => "BOOLEAN",
            Self::Integer(_) => "INTEGER",
            Self::Float(_) => "FLOAT",
            Self::Bytes(_) => "BYTES",
            Self::String(_) => "STRING",
            Self::List(_) => "LIST",
            Self::Map(_) => "MAP",
            Self::Node(_) => "NODE",
            Self::Relationship(_) => "RELATIONSHIP",
            Self::Path(_) => "PATH",
            Self::Date(_) => "DATE",
            Self::Time(_) => "ZONED TIME",
            Self::LocalTime(_) => "LOCAL TIME",
            Self::DateTime(_) => "ZONED DATETIME",
            Self::LocalDateTime(_) => "LOCAL DATETIME",
            Self::Duration(_) => "DURATION",
            Self::Point(_) => "POINT",
            Self::Vector(_) => "VECTOR",
            Self::Unsupported(_) => "a value of a type that this Bolt version can't carry",
        }
    }

    /// Whether this is [`Value::Null`].
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

macro_rules! into_value {
    ($($from:ty => |$v:ident| $to:expr;)*) => {$(
        impl From<$from> for Value {
            fn from($v: $from) -> Self { $to }
        }
    )*};
}

into_value! {
    bool => |v| Value::Boolean(v);
    i8 => |v| Value::Integer(v.into());
    i16 => |v| Value::Integer(v.into());
    i32 => |v| Value::Integer(v.into());
    i64 => |v| Value::Integer(v);
    u8 => |v| Value::Integer(v.into());
    u16 => |v| Value::Integer(v.into());
    u32 => |v| Value::Integer(v.into());
    f32 => |v| Value::Float(v.into());
    f64 => |v| Value::Float(v);
    &str => |v| Value::String(v.to_owned());
    String => |v| Value::String(v);
    Bytes => |v| Value::Bytes(v);
    Map => |v| Value::Map(v);
    Node => |v| Value::Node(v);
    Relationship => |v| Value::Relationship(v);
    Path => |v| Value::Path(v);
    Date => |v| Value::Date(v);
    Time => |v| Value::Time(v);
    LocalTime => |v| Value::LocalTime(v);
    DateTime => |v| Value::DateTime(v);
    LocalDateTime => |v| Value::LocalDateTime(v);
    Duration => |v| Value::Duration(v);
    Point => |v| Value::Point(v);
    Vector => |v| Value::Vector(v);
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(values: Vec<T>) -> Self {
        Value::List(values.into_iter().map(Into::into).collect())
    }
}

/// Builds the parameters of a query: names with values of any type that turns into a [`Value`].
///
/// ```
/// let parameters = neo_bolt::params! { "name" => "Alice", "age" => 33 };
/// assert_eq!(parameters["age"], neo_bolt::value::Value::Integer(33));
/// ```
#[macro_export]
macro_rules! params {
    () => { $crate::value::Map::new() };
    ($($key:expr => $value:expr),+ $(,)?) => {{
        let mut map = $crate::value::Map::new();
        $(map.insert(::std::string::String::from($key), $crate::value::Value::from($value));)+
        map
    }};
}
