//! The codec of [`Value`] and of the types that travel as structures.

use bytes::Bytes;

use super::error::{DecodeError, DecodeErrorKind, EncodeError};
use super::legacy_zone;
use super::marker::tag;
use super::{Decoder, Encoder, FromBolt, Kind, ToBolt};
use crate::value::{
    CARTESIAN_2D, CARTESIAN_3D, Date, DateTime, Duration, LocalDateTime, LocalTime, Map, Node,
    OutOfRange, Path, Point, Relationship, Segment, Time, Unsupported, Value, Vector, WGS_84_2D,
    WGS_84_3D, Zone,
};

/// How many levels of lists and maps a [`Value`] may have; deeper ones are refused, because a
/// tree is read and dropped by recursion.
pub(super) const MAX_DEPTH: usize = 128;

impl From<OutOfRange> for DecodeError {
    fn from(error: OutOfRange) -> Self {
        Self::malformed(error.to_string())
    }
}

impl ToBolt for Value {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        match self {
            Self::Null => encoder.null(),
            Self::Boolean(v) => encoder.boolean(*v),
            Self::Integer(v) => encoder.integer(*v),
            Self::Float(v) => encoder.float(*v),
            Self::Bytes(v) => return encoder.bytes(v),
            Self::String(v) => return encoder.string(v),
            Self::List(v) => return v.to_bolt(encoder),
            Self::Map(v) => return v.to_bolt(encoder),
            Self::Node(_) => return Err(EncodeError::NotAParameter("node")),
            Self::Relationship(_) => return Err(EncodeError::NotAParameter("relationship")),
            Self::Path(_) => return Err(EncodeError::NotAParameter("path")),
            Self::Unsupported(_) => {
                return Err(EncodeError::NotAParameter("value of an unsupported type"));
            }
            Self::Date(v) => return v.to_bolt(encoder),
            Self::Time(v) => return v.to_bolt(encoder),
            Self::LocalTime(v) => return v.to_bolt(encoder),
            Self::DateTime(v) => return v.to_bolt(encoder),
            Self::LocalDateTime(v) => return v.to_bolt(encoder),
            Self::Duration(v) => return v.to_bolt(encoder),
            Self::Point(v) => return v.to_bolt(encoder),
            Self::Vector(v) => return v.to_bolt(encoder),
        }
        Ok(())
    }
}

impl<'a> FromBolt<'a> for Value {
    fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        value(decoder, MAX_DEPTH)
    }

    fn from_missing() -> Result<Self, DecodeError> {
        Ok(Self::Null)
    }
}

fn value(decoder: &mut Decoder<'_>, depth: usize) -> Result<Value, DecodeError> {
    let deeper = || {
        depth
            .checked_sub(1)
            .ok_or(DecodeError::new(DecodeErrorKind::TooDeep(MAX_DEPTH)))
    };
    Ok(match decoder.peek()? {
        Kind::Null => {
            decoder.null();
            Value::Null
        }
        Kind::Boolean => Value::Boolean(decoder.boolean()?),
        Kind::Integer => Value::Integer(decoder.integer()?),
        Kind::Float => Value::Float(decoder.float()?),
        Kind::Bytes => Value::Bytes(Bytes::copy_from_slice(decoder.bytes()?)),
        Kind::String => Value::String(decoder.string()?.to_owned()),
        Kind::List => {
            let (len, depth) = (decoder.list()?, deeper()?);
            // Not `with_capacity(len)`: a value is larger than the byte that announces it.
            let mut items = Vec::with_capacity(len.min(64));
            for _ in 0..len {
                items.push(value(decoder, depth)?);
            }
            Value::List(items)
        }
        Kind::Map => Value::Map(map(decoder, deeper()?)?),
        Kind::Structure(structure) => match structure {
            tag::NODE => Value::Node(node(decoder, deeper()?)?),
            tag::RELATIONSHIP => Value::Relationship(relationship(decoder, deeper()?)?),
            tag::PATH => Value::Path(path(decoder, deeper()?)?),
            tag::DATE => Value::Date(Date::from_bolt(decoder)?),
            tag::TIME => Value::Time(Time::from_bolt(decoder)?),
            tag::LOCAL_TIME => Value::LocalTime(LocalTime::from_bolt(decoder)?),
            tag::DATE_TIME
            | tag::DATE_TIME_ZONE_ID
            | tag::LEGACY_DATE_TIME
            | tag::LEGACY_DATE_TIME_ZONE_ID => Value::DateTime(DateTime::from_bolt(decoder)?),
            tag::LOCAL_DATE_TIME => Value::LocalDateTime(LocalDateTime::from_bolt(decoder)?),
            tag::DURATION => Value::Duration(Duration::from_bolt(decoder)?),
            tag::POINT_2D | tag::POINT_3D => Value::Point(Point::from_bolt(decoder)?),
            tag::VECTOR => Value::Vector(Vector::from_bolt(decoder)?),
            tag::UNSUPPORTED => Value::Unsupported(Unsupported::from_bolt(decoder)?),
            unknown => {
                return Err(DecodeError::malformed(format!(
                    "a structure with the unknown tag 0x{unknown:02X}"
                )));
            }
        },
    })
}

impl<'a> FromBolt<'a> for Unsupported {
    fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        let fields = open(
            decoder,
            &[tag::UNSUPPORTED],
            "a value of an unsupported type",
        )?
        .1;
        if fields < 3 {
            return Err(DecodeError::malformed(format!(
                "an unsupported value of {fields} fields"
            )));
        }
        let name = decoder.string()?.to_owned();
        let minimum_version = (decoder.integer()?, decoder.integer()?);
        let mut message = None;
        for field in 3..fields {
            // The fourth has more to say.
            if field == 3 && decoder.peek()? == Kind::Map {
                message = map(decoder, 1)?.remove("message");
            } else {
                decoder.skip()?;
            }
        }
        Ok(Self {
            name,
            minimum_version,
            message: match message {
                Some(Value::String(message)) => Some(message),
                _ => None,
            },
        })
    }
}

fn map(decoder: &mut Decoder<'_>, depth: usize) -> Result<Map, DecodeError> {
    let mut map = Map::new();
    for _ in 0..decoder.map()? {
        let key = decoder.string()?;
        map.insert(
            key.to_owned(),
            value(decoder, depth).map_err(|e| e.within(key))?,
        );
    }
    Ok(map)
}

fn node(decoder: &mut Decoder<'_>, depth: usize) -> Result<Node, DecodeError> {
    let header = decoder.node_header()?;
    let properties = map(decoder, depth)?;
    let element_id = decoder.node_footer(&header)?;
    Ok(Node {
        id: header.id,
        element_id: element_id.map_or_else(|| header.id.to_string(), str::to_owned),
        labels: header.labels.map(str::to_owned).collect(),
        properties,
    })
}

fn relationship(decoder: &mut Decoder<'_>, depth: usize) -> Result<Relationship, DecodeError> {
    let header = decoder.relationship_header()?;
    let properties = map(decoder, depth)?;
    let footer = decoder.relationship_footer(&header)?;
    let id_or = |id: i64, element_id: Option<&str>| {
        element_id.map_or_else(|| id.to_string(), str::to_owned)
    };
    Ok(Relationship {
        id: header.id,
        start_node_id: header.start_node_id,
        end_node_id: header.end_node_id,
        relationship_type: header.relationship_type.to_owned(),
        properties,
        element_id: id_or(header.id, footer.map(|f| f.element_id)),
        start_node_element_id: id_or(
            header.start_node_id,
            footer.map(|f| f.start_node_element_id),
        ),
        end_node_element_id: id_or(header.end_node_id, footer.map(|f| f.end_node_element_id)),
    })
}

/// A relationship within a path, whose ends are told by the path.
fn unbound(decoder: &mut Decoder<'_>, depth: usize) -> Result<Relationship, DecodeError> {
    let (_, fields) = open(decoder, &[tag::UNBOUND_RELATIONSHIP], "RELATIONSHIP")?;
    let id = decoder.integer()?;
    let relationship_type = decoder.string()?.to_owned();
    let properties = map(decoder, depth)?;
    let element_id = match fields {
        3 => id.to_string(),
        4 => decoder.string()?.to_owned(),
        _ => {
            return Err(DecodeError::malformed(
                "a relationship of a path with wrong fields",
            ));
        }
    };
    Ok(Relationship {
        id,
        relationship_type,
        properties,
        element_id,
        ..Default::default()
    })
}

/// How many bytes, as they came, of nodes and relationships a path may name again. A walk that
/// passes a node a second time has a copy of it; without a limit, a short message whose steps name one
/// large node over and over would fill the memory. Fuzzers, whose messages are short, have a small one.
const MAX_REPEATED: usize = if cfg!(feature = "fuzzing") {
    64 << 10
} else {
    16 << 20
};

/// Something of a path, with how many bytes it took on the wire.
struct Part<T> {
    value: T,
    size: usize,
}

/// Reads a list of what paths are made of.
fn parts<T>(
    decoder: &mut Decoder<'_>,
    read: impl Fn(&mut Decoder<'_>) -> Result<T, DecodeError>,
) -> Result<Vec<Part<T>>, DecodeError> {
    let len = decoder.list()?;
    let mut parts = Vec::with_capacity(len.min(64));
    for _ in 0..len {
        let before = decoder.remaining().len();
        let value = read(decoder)?;
        let size = before - decoder.remaining().len();
        parts.push(Part { value, size });
    }
    Ok(parts)
}

/// A path lists its distinct nodes and relationships once, and the walk as indices into them.
fn path(decoder: &mut Decoder<'_>, depth: usize) -> Result<Path, DecodeError> {
    let broken = || DecodeError::malformed("a path whose steps point outside of it");
    let (_, fields) = open(decoder, &[tag::PATH], "PATH")?;
    if fields != 3 {
        return Err(DecodeError::malformed(format!("a PATH of {fields} fields")));
    }
    let nodes = parts(decoder, |decoder| node(decoder, depth))?;
    let relationships = parts(decoder, |decoder| unbound(decoder, depth))?;
    let steps = Vec::<i64>::from_bolt(decoder)?;
    if steps.len() % 2 != 0 {
        return Err(broken());
    }
    let start = nodes.first().ok_or_else(broken)?;
    let mut size = start.size;
    let limit = MAX_REPEATED
        + nodes.iter().map(|node| node.size).sum::<usize>()
        + relationships.iter().map(|part| part.size).sum::<usize>();
    let start = start.value.clone();
    let mut segments: Vec<Segment> = Vec::new();
    for step in steps.chunks_exact(2) {
        let index = usize::try_from(step[0].unsigned_abs()).map_err(|_| broken())?;
        let index = index.checked_sub(1).ok_or_else(broken)?;
        let relationship = relationships.get(index).ok_or_else(broken)?;
        let to = usize::try_from(step[1]).map_err(|_| broken())?;
        let node = nodes.get(to).ok_or_else(broken)?;
        size += relationship.size + node.size;
        if size > limit {
            return Err(DecodeError::malformed(format!(
                "a path whose steps name more than {MAX_REPEATED} bytes again"
            )));
        }
        let (mut relationship, node) = (relationship.value.clone(), node.value.clone());
        let from = segments.last().map_or(&start, |segment| &segment.node);
        // A negative index walks the relationship against its direction.
        let (tail, head) = if step[0] > 0 {
            (from, &node)
        } else {
            (&node, from)
        };
        relationship.start_node_id = tail.id;
        relationship
            .start_node_element_id
            .clone_from(&tail.element_id);
        relationship.end_node_id = head.id;
        relationship
            .end_node_element_id
            .clone_from(&head.element_id);
        segments.push(Segment { relationship, node });
    }
    Ok(Path { start, segments })
}

macro_rules! graph_values {
    ($($ty:ty => $read:ident;)*) => {$(
        impl<'a> FromBolt<'a> for $ty {
            fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
                $read(decoder, MAX_DEPTH)
            }
        }
    )*};
}
graph_values! {
    Node => node;
    Relationship => relationship;
    Path => path;
}

/// Opens a structure of one of `tags`; nothing is read when something else comes.
fn open(
    decoder: &mut Decoder<'_>,
    tags: &[u8],
    name: &'static str,
) -> Result<(u8, usize), DecodeError> {
    match decoder.peek()? {
        Kind::Structure(tag) if tags.contains(&tag) => decoder.structure(),
        _ => Err(decoder.unexpected(name)),
    }
}

/// Opens a structure of one of `tags` that has exactly so many fields.
fn open_sized(
    decoder: &mut Decoder<'_>,
    tags: &[(u8, usize)],
    name: &'static str,
) -> Result<u8, DecodeError> {
    let Kind::Structure(tag) = decoder.peek()? else {
        return Err(decoder.unexpected(name));
    };
    let Some((_, size)) = tags.iter().find(|(known, _)| *known == tag) else {
        return Err(decoder.unexpected(name));
    };
    let (_, fields) = decoder.structure()?;
    if fields == *size {
        Ok(tag)
    } else {
        Err(DecodeError::malformed(format!(
            "a {name} of {fields} fields"
        )))
    }
}

impl ToBolt for Date {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.structure(tag::DATE, 1);
        encoder.integer(self.epoch_days());
        Ok(())
    }
}

impl<'a> FromBolt<'a> for Date {
    fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        open_sized(decoder, &[(tag::DATE, 1)], "DATE")?;
        decoder.integer().map(Self::from_epoch_days)
    }
}

impl ToBolt for LocalTime {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.structure(tag::LOCAL_TIME, 1);
        encoder.integer(self.nanosecond_of_day());
        Ok(())
    }
}

impl<'a> FromBolt<'a> for LocalTime {
    fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        open_sized(decoder, &[(tag::LOCAL_TIME, 1)], "LOCAL TIME")?;
        Ok(Self::from_nanosecond_of_day(decoder.integer()?)?)
    }
}

impl ToBolt for Time {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.structure(tag::TIME, 2);
        encoder.integer(self.local().nanosecond_of_day());
        encoder.integer(self.offset_seconds().into());
        Ok(())
    }
}

impl<'a> FromBolt<'a> for Time {
    fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        open_sized(decoder, &[(tag::TIME, 2)], "ZONED TIME")?;
        let local = LocalTime::from_nanosecond_of_day(decoder.integer()?)?;
        Ok(Self::new(local, i32::from_bolt(decoder)?)?)
    }
}

impl ToBolt for LocalDateTime {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.structure(tag::LOCAL_DATE_TIME, 2);
        encoder.integer(self.epoch_seconds());
        encoder.integer(self.nanosecond().into());
        Ok(())
    }
}

impl<'a> FromBolt<'a> for LocalDateTime {
    fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        open_sized(decoder, &[(tag::LOCAL_DATE_TIME, 2)], "LOCAL DATETIME")?;
        Ok(Self::from_epoch(
            decoder.integer()?,
            u32::from_bolt(decoder)?,
        )?)
    }
}

impl ToBolt for DateTime {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        let utc = encoder.dialect().utc_datetimes;
        match self.zone() {
            Zone::Offset(offset) => {
                let shift = if utc { 0 } else { i64::from(*offset) };
                encoder.structure(
                    if utc {
                        tag::DATE_TIME
                    } else {
                        tag::LEGACY_DATE_TIME
                    },
                    3,
                );
                encoder.integer(self.epoch_seconds().saturating_add(shift));
                encoder.integer(self.nanosecond().into());
                encoder.integer((*offset).into());
                Ok(())
            }
            Zone::Id(id) if utc => {
                encoder.structure(tag::DATE_TIME_ZONE_ID, 3);
                encoder.integer(self.epoch_seconds());
                encoder.integer(self.nanosecond().into());
                encoder.string(id)
            }
            Zone::Id(id) => {
                let local = legacy_zone::to_local(self.epoch_seconds(), id);
                let local = local.ok_or(EncodeError::Unsupported(legacy_zone::NOT_SENT))?;
                encoder.structure(tag::LEGACY_DATE_TIME_ZONE_ID, 3);
                encoder.integer(local);
                encoder.integer(self.nanosecond().into());
                encoder.string(id)
            }
        }
    }
}

impl<'a> FromBolt<'a> for DateTime {
    fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        let tags = [
            (tag::DATE_TIME, 3),
            (tag::DATE_TIME_ZONE_ID, 3),
            (tag::LEGACY_DATE_TIME, 3),
            (tag::LEGACY_DATE_TIME_ZONE_ID, 3),
        ];
        let structure = open_sized(decoder, &tags, "ZONED DATETIME")?;
        let (seconds, nanosecond) = (decoder.integer()?, u32::from_bolt(decoder)?);
        let (seconds, zone) = match structure {
            tag::DATE_TIME => (seconds, Zone::Offset(i32::from_bolt(decoder)?)),
            tag::DATE_TIME_ZONE_ID => (seconds, Zone::Id(String::from_bolt(decoder)?)),
            tag::LEGACY_DATE_TIME => {
                let offset = i32::from_bolt(decoder)?;
                (seconds.saturating_sub(offset.into()), Zone::Offset(offset))
            }
            _ => {
                let id = decoder.string()?;
                let instant = legacy_zone::to_instant(seconds, id).ok_or_else(|| {
                    DecodeError::malformed(format!(
                        "the server sent a ZONED DATETIME in {id} in local form, {}",
                        legacy_zone::NOT_READ
                    ))
                })?;
                (instant, Zone::Id(id.to_owned()))
            }
        };
        Ok(Self::from_epoch(seconds, nanosecond, zone)?)
    }
}

impl ToBolt for Duration {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.structure(tag::DURATION, 4);
        encoder.integer(self.months);
        encoder.integer(self.days);
        encoder.integer(self.seconds);
        encoder.integer(self.nanoseconds.into());
        Ok(())
    }
}

impl<'a> FromBolt<'a> for Duration {
    fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        open_sized(decoder, &[(tag::DURATION, 4)], "DURATION")?;
        Ok(Self::new(
            decoder.integer()?,
            decoder.integer()?,
            decoder.integer()?,
            i32::from_bolt(decoder)?,
        ))
    }
}

impl ToBolt for Point {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        let structure = if self.z.is_some() {
            tag::POINT_3D
        } else {
            tag::POINT_2D
        };
        encoder.structure(structure, if self.z.is_some() { 4 } else { 3 });
        encoder.integer(self.srid.into());
        encoder.float(self.x);
        encoder.float(self.y);
        if let Some(z) = self.z {
            encoder.float(z);
        }
        Ok(())
    }
}

impl<'a> FromBolt<'a> for Point {
    fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        let structure = open_sized(decoder, &[(tag::POINT_2D, 3), (tag::POINT_3D, 4)], "POINT")?;
        let point = Self {
            srid: i32::from_bolt(decoder)?,
            x: decoder.float()?,
            y: decoder.float()?,
            z: (structure == tag::POINT_3D)
                .then(|| decoder.float())
                .transpose()?,
        };
        let dimensions = if point.z.is_some() { 3 } else { 2 };
        match (point.srid, dimensions) {
            (WGS_84_2D | CARTESIAN_2D, 3) | (WGS_84_3D | CARTESIAN_3D, 2) => {
                Err(DecodeError::malformed(format!(
                    "a POINT of {dimensions} dimensions in the system {}",
                    point.srid
                )))
            }
            _ => Ok(point),
        }
    }
}

impl ToBolt for Vector {
    /// Writes the inner type's marker and the numbers in big-endian order.
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        use super::marker::{FLOAT, INT_8, INT_16, INT_32, INT_64};
        fn be<T: Copy, const N: usize>(numbers: &[T], to: impl Fn(T) -> [u8; N]) -> Vec<u8> {
            numbers.iter().flat_map(|number| to(*number)).collect()
        }
        if !encoder.dialect().vectors {
            return Err(EncodeError::Unsupported("a VECTOR needs Bolt 6.0"));
        }
        let (marker, data) = match self {
            Self::Int8(v) => (INT_8, be(v, i8::to_be_bytes)),
            Self::Int16(v) => (INT_16, be(v, i16::to_be_bytes)),
            Self::Int32(v) => (INT_32, be(v, i32::to_be_bytes)),
            Self::Int64(v) => (INT_64, be(v, i64::to_be_bytes)),
            Self::Float32(v) => (FLOAT_32, be(v, f32::to_be_bytes)),
            Self::Float64(v) => (FLOAT, be(v, f64::to_be_bytes)),
        };
        encoder.structure(tag::VECTOR, 2);
        encoder.bytes(&[marker])?;
        encoder.bytes(&data)
    }
}

/// The inner type's marker of vectors of 32-bit floating point numbers.
const FLOAT_32: u8 = 0xC6;

impl<'a> FromBolt<'a> for Vector {
    fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        use super::marker::{FLOAT, INT_8, INT_16, INT_32, INT_64};
        fn be<T, const N: usize>(
            data: &[u8],
            from: impl Fn([u8; N]) -> T,
        ) -> Result<Vec<T>, DecodeError> {
            let (numbers, rest) = data.as_chunks::<N>();
            if !rest.is_empty() {
                return Err(DecodeError::malformed("a VECTOR that ends within a number"));
            }
            Ok(numbers.iter().map(|number| from(*number)).collect())
        }
        open_sized(decoder, &[(tag::VECTOR, 2)], "VECTOR")?;
        let (marker, data) = (decoder.bytes()?, decoder.bytes()?);
        Ok(match marker {
            [INT_8] => Self::Int8(be(data, i8::from_be_bytes)?),
            [INT_16] => Self::Int16(be(data, i16::from_be_bytes)?),
            [INT_32] => Self::Int32(be(data, i32::from_be_bytes)?),
            [INT_64] => Self::Int64(be(data, i64::from_be_bytes)?),
            [FLOAT_32] => Self::Float32(be(data, f32::from_be_bytes)?),
            [FLOAT] => Self::Float64(be(data, f64::from_be_bytes)?),
            other => {
                return Err(DecodeError::malformed(format!(
                    "a VECTOR of the unknown inner type {other:02X?}"
                )));
            }
        })
    }
}
