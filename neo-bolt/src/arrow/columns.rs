//! Columns of one kind each.

use std::fmt::Display;
use std::sync::Arc;

use arrow_array::types::{
    ArrowPrimitiveType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    IntervalMonthDayNano,
};
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Float64Array, Int32Array, Int64Array,
    IntervalMonthDayNanoArray, ListArray, NullArray, PrimitiveArray, StringArray, StructArray,
    Time64NanosecondArray, TimestampMicrosecondArray, TimestampNanosecondArray,
};
use arrow_buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, Fields};

use super::json;
use super::kind::{Kind, exact};
use super::present;
use crate::value::{DateTime, Duration, Node, Relationship, Time, Value, Vector, Zone};

/// The values of a column; what is not there is null.
type Values<'a, 'v> = &'a [Option<&'v Value>];

/// What went wrong, without the column's name.
type Result<T> = std::result::Result<T, String>;

/// More text, bytes or items than one column can have.
const TOO_LARGE: &str = "more than 2 GiB do not fit into one batch; fetch fewer records at a time";

pub(super) fn array(kind: &Kind, values: Values<'_, '_>) -> Result<ArrayRef> {
    /// What is of the expected kind: all of it, since the kind was found from the values.
    macro_rules! each {
        ($variant:ident) => {
            values.iter().map(|value| match value {
                Some(Value::$variant(value)) => Some(value),
                _ => None,
            })
        };
    }
    Ok(match kind {
        Kind::Null => Arc::new(NullArray::new(values.len())),
        Kind::Boolean => Arc::new(
            each!(Boolean)
                .map(Option::<&bool>::copied)
                .collect::<BooleanArray>(),
        ),
        Kind::Integer { .. } => Arc::new(
            each!(Integer)
                .map(Option::<&i64>::copied)
                .collect::<Int64Array>(),
        ),
        Kind::Float => Arc::new(
            values
                .iter()
                .map(|value| match value {
                    Some(Value::Float(number)) => Some(*number),
                    Some(Value::Integer(number)) => exact(*number),
                    _ => None,
                })
                .collect::<Float64Array>(),
        ),
        Kind::Bytes => {
            fits(each!(Bytes).flatten().map(|bytes| bytes.len()))?;
            Arc::new(each!(Bytes).collect::<BinaryArray>())
        }
        Kind::String => strings(each!(String).map(|text| text.map(String::as_str)))?,
        Kind::Date => {
            let days = each!(Date).map(|date| {
                date.map(|date| {
                    i32::try_from(date.epoch_days()).map_err(|_| outside(date, "Date32"))
                })
                .transpose()
            });
            Arc::new(days.collect::<Result<Date32Array>>()?)
        }
        Kind::LocalTime => Arc::new(
            each!(LocalTime)
                .map(|time| time.map(|time| time.nanosecond_of_day()))
                .collect::<Time64NanosecondArray>(),
        ),
        Kind::Time => times(&each!(Time).collect::<Vec<_>>())?,
        Kind::LocalDateTime => {
            let instants = each!(LocalDateTime)
                .map(|local| local.map(|local| (local.epoch_seconds(), local.nanosecond())));
            timestamps(&instants.collect::<Vec<_>>(), None)?
        }
        Kind::DateTime => {
            let instants = each!(DateTime)
                .map(|zoned| zoned.map(|zoned| (zoned.epoch_seconds(), zoned.nanosecond())));
            let zone = common_zone(each!(DateTime).flatten());
            timestamps(&instants.collect::<Vec<_>>(), Some(zone))?
        }
        Kind::Duration => {
            let intervals = each!(Duration).map(|duration| duration.map(interval).transpose());
            Arc::new(intervals.collect::<Result<IntervalMonthDayNanoArray>>()?)
        }
        Kind::Point => {
            let points: Vec<_> = each!(Point).collect();
            let srid = points.iter().map(|p| p.map(|p| p.srid));
            let number = |of: fn(&crate::value::Point) -> Option<f64>| -> ArrayRef {
                let numbers = points.iter().map(|point| point.and_then(of));
                Arc::new(numbers.collect::<Float64Array>())
            };
            structs(
                points.iter().map(|point| point.is_some()),
                vec![
                    ("srid", Arc::new(srid.collect::<Int32Array>())),
                    ("x", number(|point| Some(point.x))),
                    ("y", number(|point| Some(point.y))),
                    ("z", number(|point| point.z)),
                ],
            )?
        }
        Kind::List(item) => {
            let lists: Vec<Option<&Vec<Value>>> = each!(List).collect();
            let items = lists.iter().copied().flatten().flatten().map(present);
            let items = array(item, &items.collect::<Vec<_>>())?;
            list(items, lists.iter().map(|list| list.map(Vec::len)))?
        }
        Kind::Vector(number) => vectors(number, &each!(Vector).collect::<Vec<_>>())?,
        Kind::Node => nodes(&each!(Node).collect::<Vec<_>>())?,
        Kind::Relationship => relationships(&each!(Relationship).collect::<Vec<_>>())?,
        Kind::Json => {
            let texts = values.iter().map(|value| {
                value.map(|value| {
                    let mut text = String::new();
                    json::write(value, &mut text);
                    text
                })
            });
            owned_strings(texts.collect())?
        }
    })
}

fn outside(value: impl Display, what: &str) -> String {
    format!("{value} does not fit Arrow's {what}")
}

/// Whether so much fits into one column.
fn fits(sizes: impl Iterator<Item = usize>) -> Result<()> {
    let total = sizes.fold(0_usize, usize::saturating_add);
    i32::try_from(total)
        .map(drop)
        .map_err(|_| TOO_LARGE.to_owned())
}

fn strings<'t>(texts: impl Iterator<Item = Option<&'t str>> + Clone) -> Result<ArrayRef> {
    fits(texts.clone().flatten().map(str::len))?;
    Ok(Arc::new(texts.collect::<StringArray>()))
}

fn owned_strings(texts: Vec<Option<String>>) -> Result<ArrayRef> {
    strings(texts.iter().map(Option::as_deref))
}

/// Rows of several fields; `present` says where there is one.
fn structs(present: impl Iterator<Item = bool>, fields: Vec<(&str, ArrayRef)>) -> Result<ArrayRef> {
    let types: Fields = fields
        .iter()
        .map(|(name, array)| Field::new(*name, array.data_type().clone(), true))
        .collect();
    let arrays = fields.into_iter().map(|(_, array)| array).collect();
    let rows = StructArray::try_new(types, arrays, Some(present.collect::<NullBuffer>()));
    Ok(Arc::new(rows.map_err(|error| error.to_string())?))
}

/// Rows of several items; `lens` says how many, where there is a list.
fn list(items: ArrayRef, lens: impl Iterator<Item = Option<usize>> + Clone) -> Result<ArrayRef> {
    fits(lens.clone().flatten())?;
    let offsets = OffsetBuffer::from_lengths(lens.clone().map(|len| len.unwrap_or(0)));
    let nulls: NullBuffer = lens.map(|len| len.is_some()).collect();
    let item = Arc::new(Field::new("item", items.data_type().clone(), true));
    let lists = ListArray::try_new(item, offsets, items, Some(nulls));
    Ok(Arc::new(lists.map_err(|error| error.to_string())?))
}

fn times(times: &[Option<&Time>]) -> Result<ArrayRef> {
    let local = times
        .iter()
        .map(|time| time.map(|time| time.local().nanosecond_of_day()));
    let offsets = times
        .iter()
        .map(|time| time.map(|time| time.offset_seconds()));
    structs(
        times.iter().map(|time| time.is_some()),
        vec![
            ("time", Arc::new(local.collect::<Time64NanosecondArray>())),
            ("offset_seconds", Arc::new(offsets.collect::<Int32Array>())),
        ],
    )
}

/// The zone of all of them, or UTC.
fn common_zone<'v>(mut zoned: impl Iterator<Item = &'v DateTime>) -> Arc<str> {
    let first = zoned.next().map(DateTime::zone);
    let of_all = first.filter(|first| zoned.all(|other| other.zone() == *first));
    match of_all {
        Some(Zone::Id(id)) => id.as_str().into(),
        Some(Zone::Offset(offset)) if *offset != 0 && offset % 60 == 0 => {
            let minutes = offset.unsigned_abs() / 60;
            let sign = if *offset < 0 { '-' } else { '+' };
            format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60).into()
        }
        _ => "UTC".into(),
    }
}

/// In nanoseconds if all of them fit, else in microseconds.
fn timestamps(instants: &[Option<(i64, u32)>], zone: Option<Arc<str>>) -> Result<ArrayRef> {
    let nanoseconds = instants.iter().map(|instant| match instant {
        None => Some(None),
        Some((seconds, nanosecond)) => seconds
            .checked_mul(1_000_000_000)?
            .checked_add((*nanosecond).into())
            .map(Some),
    });
    if let Some(nanoseconds) = nanoseconds.collect::<Option<TimestampNanosecondArray>>() {
        return Ok(Arc::new(nanoseconds.with_timezone_opt(zone)));
    }
    let microseconds = instants.iter().map(|instant| match instant {
        None => Ok(None),
        Some((seconds, nanosecond)) if nanosecond % 1000 == 0 => seconds
            .checked_mul(1_000_000)
            .and_then(|whole| whole.checked_add((nanosecond / 1000).into()))
            .map(Some)
            .ok_or_else(|| outside(format_args!("the second {seconds}"), "Timestamp")),
        Some(_) => Err(
            "one instant needs nanoseconds, and another lies beyond what can be counted \
                        in them"
                .to_owned(),
        ),
    });
    let microseconds = microseconds.collect::<Result<TimestampMicrosecondArray>>()?;
    Ok(Arc::new(microseconds.with_timezone_opt(zone)))
}

fn interval(duration: &Duration) -> Result<IntervalMonthDayNano> {
    let parts = i32::try_from(duration.months)
        .ok()
        .zip(i32::try_from(duration.days).ok())
        .zip(
            duration
                .seconds
                .checked_mul(1_000_000_000)
                .and_then(|whole| whole.checked_add(duration.nanoseconds.into())),
        );
    let ((months, days), nanoseconds) =
        parts.ok_or_else(|| outside(duration, "Interval of months, days and nanoseconds"))?;
    Ok(IntervalMonthDayNano::new(months, days, nanoseconds))
}

fn vectors(number: &DataType, vectors: &[Option<&Vector>]) -> Result<ArrayRef> {
    fn flat<T: ArrowPrimitiveType>(
        vectors: &[Option<&Vector>],
        numbers: impl Fn(&Vector) -> Option<&[T::Native]>,
    ) -> ArrayRef
    where
        T::Native: Copy,
    {
        let mut all = Vec::new();
        for vector in vectors.iter().copied().flatten() {
            all.extend_from_slice(numbers(vector).unwrap_or_default());
        }
        Arc::new(PrimitiveArray::<T>::new(ScalarBuffer::from(all), None))
    }
    macro_rules! numbers {
        ($ty:ident of $variant:ident) => {
            flat::<$ty>(vectors, |vector| match vector {
                Vector::$variant(numbers) => Some(numbers),
                _ => None,
            })
        };
    }
    let items = match number {
        DataType::Int8 => numbers!(Int8Type of Int8),
        DataType::Int16 => numbers!(Int16Type of Int16),
        DataType::Int32 => numbers!(Int32Type of Int32),
        DataType::Int64 => numbers!(Int64Type of Int64),
        DataType::Float32 => numbers!(Float32Type of Float32),
        _ => numbers!(Float64Type of Float64),
    };
    list(items, vectors.iter().map(|vector| vector.map(Vector::len)))
}

fn nodes(nodes: &[Option<&Node>]) -> Result<ArrayRef> {
    let labels = nodes
        .iter()
        .copied()
        .flatten()
        .flat_map(|node| &node.labels);
    let labels = strings(labels.map(|label| Some(label.as_str())))?;
    let properties = nodes
        .iter()
        .map(|node| node.map(|node| object(&node.properties)));
    structs(
        nodes.iter().map(|node| node.is_some()),
        vec![
            (
                "element_id",
                strings(nodes.iter().map(|n| n.map(|n| n.element_id.as_str())))?,
            ),
            (
                "labels",
                list(labels, nodes.iter().map(|n| n.map(|n| n.labels.len())))?,
            ),
            ("properties", owned_strings(properties.collect())?),
        ],
    )
}

fn relationships(relationships: &[Option<&Relationship>]) -> Result<ArrayRef> {
    let text =
        |of: fn(&Relationship) -> &str| strings(relationships.iter().map(move |r| r.map(of)));
    let properties = relationships
        .iter()
        .map(|r| r.map(|r| object(&r.properties)));
    structs(
        relationships
            .iter()
            .map(|relationship| relationship.is_some()),
        vec![
            ("element_id", text(|r| &r.element_id)?),
            ("type", text(|r| &r.relationship_type)?),
            ("start_node_element_id", text(|r| &r.start_node_element_id)?),
            ("end_node_element_id", text(|r| &r.end_node_element_id)?),
            ("properties", owned_strings(properties.collect())?),
        ],
    )
}

fn object(properties: &crate::value::Map) -> String {
    let mut text = String::new();
    json::map(properties, &mut text);
    text
}
