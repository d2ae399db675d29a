//! What all values of a column have in common.

use arrow_schema::DataType;

use crate::value::{Value, Vector};

/// What a column is made as.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// There is no value.
    Null,
    Boolean,
    Integer {
        /// Each of them can be a floating point number, too.
        exact: bool,
    },
    Float,
    Bytes,
    String,
    Date,
    LocalTime,
    Time,
    LocalDateTime,
    DateTime,
    Duration,
    Point,
    List(Box<Kind>),
    /// Numbers of this type.
    Vector(DataType),
    Node,
    Relationship,
    /// Anything, as text.
    Json,
}

impl Kind {
    pub(super) fn of_all<'v>(values: impl IntoIterator<Item = &'v Value>) -> Self {
        values.into_iter().map(Self::of).fold(Self::Null, Self::and)
    }

    fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Boolean(_) => Self::Boolean,
            Value::Integer(number) => Self::Integer {
                exact: exact(*number).is_some(),
            },
            Value::Float(_) => Self::Float,
            Value::Bytes(_) => Self::Bytes,
            Value::String(_) => Self::String,
            Value::List(items) => Self::List(Box::new(Self::of_all(items))),
            Value::Date(_) => Self::Date,
            Value::LocalTime(_) => Self::LocalTime,
            Value::Time(_) => Self::Time,
            Value::LocalDateTime(_) => Self::LocalDateTime,
            Value::DateTime(_) => Self::DateTime,
            Value::Duration(_) => Self::Duration,
            Value::Point(_) => Self::Point,
            Value::Vector(vector) => Self::Vector(match vector {
                Vector::Int8(_) => DataType::Int8,
                Vector::Int16(_) => DataType::Int16,
                Vector::Int32(_) => DataType::Int32,
                Vector::Int64(_) => DataType::Int64,
                Vector::Float32(_) => DataType::Float32,
                Vector::Float64(_) => DataType::Float64,
            }),
            Value::Node(_) => Self::Node,
            Value::Relationship(_) => Self::Relationship,
            Value::Map(_) | Value::Path(_) | Value::Unsupported(_) => Self::Json,
        }
    }

    /// What takes both.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Null, kind) | (kind, Self::Null) => kind,
            (Self::Integer { exact: one }, Self::Integer { exact: two }) => {
                Self::Integer { exact: one && two }
            }
            (Self::Integer { exact: true }, Self::Float)
            | (Self::Float, Self::Integer { exact: true }) => Self::Float,
            (Self::List(one), Self::List(two)) => Self::List(Box::new(one.and(*two))),
            (one, two) if one == two => one,
            _ => Self::Json,
        }
    }
}

/// The floating point number that is the integer, if there is one.
pub(super) fn exact(number: i64) -> Option<f64> {
    const LIMIT: u64 = 1 << 53;
    #[allow(clippy::cast_precision_loss)] // there is none up to the limit
    (number.unsigned_abs() <= LIMIT).then_some(number as f64)
}
