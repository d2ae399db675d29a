//! Values as TestKit writes them.

use std::str::FromStr;

use chrono::{DateTime as ChronoDateTime, Offset, TimeZone};
use neo_bolt::value::{
    CARTESIAN_2D, CARTESIAN_3D, Date, DateTime, Duration, LocalDateTime, LocalTime, Map, Node,
    Path, Point, Relationship, Time, Value, WGS_84_2D, WGS_84_3D, Zone,
};
use serde_json::{Value as Json, json};

use crate::failure::Failure;
use crate::wire::response;

fn wrong(what: impl std::fmt::Display) -> Failure {
    Failure::Backend(format!("not a value: {what}"))
}

/// The parameters of a statement; none where TestKit says nothing.
pub(crate) fn parameters(data: &Json) -> Result<Map, Failure> {
    match data["params"].as_object() {
        None => Ok(Map::new()),
        Some(parameters) => map_of(parameters),
    }
}

pub(crate) fn map_of(entries: &serde_json::Map<String, Json>) -> Result<Map, Failure> {
    entries
        .iter()
        .map(|(key, value)| Ok((key.clone(), from_json(value)?)))
        .collect()
}

fn from_json(value: &Json) -> Result<Value, Failure> {
    let data = &value["data"];
    let whole = |key: &str| data[key].as_i64().ok_or_else(|| wrong(value));
    let plain = &data["value"];
    Ok(match value["name"].as_str().unwrap_or_default() {
        "CypherNull" => Value::Null,
        "CypherBool" => plain.as_bool().ok_or_else(|| wrong(value))?.into(),
        "CypherInt" => plain.as_i64().ok_or_else(|| wrong(value))?.into(),
        "CypherFloat" => match plain {
            Json::String(text) => match text.as_str() {
                "+Infinity" => f64::INFINITY.into(),
                "-Infinity" => f64::NEG_INFINITY.into(),
                _ => f64::NAN.into(),
            },
            number => number.as_f64().ok_or_else(|| wrong(value))?.into(),
        },
        "CypherString" => plain.as_str().ok_or_else(|| wrong(value))?.into(),
        "CypherBytes" => {
            let text = plain.as_str().ok_or_else(|| wrong(value))?;
            let bytes: Result<Vec<u8>, _> = text
                .split_whitespace()
                .map(|byte| u8::from_str_radix(byte, 16))
                .collect();
            Value::Bytes(bytes.map_err(wrong)?.into())
        }
        "CypherList" => {
            let list = plain.as_array().ok_or_else(|| wrong(value))?;
            Value::List(list.iter().map(from_json).collect::<Result<_, _>>()?)
        }
        "CypherMap" => {
            let entries = plain.as_object().ok_or_else(|| wrong(value))?;
            Value::Map(map_of(entries)?)
        }
        "CypherPoint" => {
            let number = |key: &str| data[key].as_f64();
            let (x, y) = (number("x"), number("y"));
            let (x, y) = x.zip(y).ok_or_else(|| wrong(value))?;
            Value::Point(match (data["system"].as_str(), number("z")) {
                (Some("cartesian"), None) => Point::cartesian(x, y),
                (Some("cartesian"), Some(z)) => Point::cartesian_3d(x, y, z),
                (_, None) => Point::wgs_84(x, y),
                (_, Some(z)) => Point::wgs_84_3d(x, y, z),
            })
        }
        "CypherDate" => Value::Date(date(data)?),
        "CypherTime" => {
            let local = time(data)?;
            match data["utc_offset_s"].as_i64() {
                None => Value::LocalTime(local),
                Some(offset) => {
                    let offset = i32::try_from(offset).map_err(wrong)?;
                    Value::Time(Time::new(local, offset).map_err(wrong)?)
                }
            }
        }
        "CypherDateTime" => {
            let local = LocalDateTime::new(date(data)?, time(data)?);
            match data["utc_offset_s"].as_i64() {
                None => Value::LocalDateTime(local),
                Some(offset) => {
                    let zone = match data["timezone_id"].as_str() {
                        Some(id) => Zone::Id(id.into()),
                        None => Zone::Offset(i32::try_from(offset).map_err(wrong)?),
                    };
                    let seconds = local.epoch_seconds() - offset;
                    let instant = DateTime::from_epoch(seconds, local.nanosecond(), zone);
                    Value::DateTime(instant.map_err(wrong)?)
                }
            }
        }
        "CypherDuration" => Value::Duration(Duration::new(
            whole("months")?,
            whole("days")?,
            whole("seconds")?,
            i32::try_from(whole("nanoseconds")?).map_err(wrong)?,
        )),
        other => return Err(wrong(format!("{other} is not known"))),
    })
}

fn small<T: TryFrom<i64>>(data: &Json, key: &str) -> Result<T, Failure> {
    let number = data[key].as_i64().ok_or_else(|| wrong(data))?;
    T::try_from(number).map_err(|_| wrong(data))
}

fn date(data: &Json) -> Result<Date, Failure> {
    Date::from_ymd(
        small(data, "year")?,
        small(data, "month")?,
        small(data, "day")?,
    )
    .map_err(wrong)
}

fn time(data: &Json) -> Result<LocalTime, Failure> {
    let (hour, minute) = (small(data, "hour")?, small(data, "minute")?);
    LocalTime::from_hms_nano(
        hour,
        minute,
        small(data, "second")?,
        small(data, "nanosecond")?,
    )
    .map_err(wrong)
}

/// A value that came from the server.
///
/// # Errors
/// It is in a time zone that nobody knows, as an error of the driver's would be.
pub(crate) fn field(value: &Value) -> Result<Json, Failure> {
    if let Value::DateTime(instant) = value
        && let Zone::Id(id) = instant.zone()
        && chrono_tz::Tz::from_str(id).is_err()
    {
        return Err(Failure::RuledOut(
            "neo4j.exceptions.BrokenRecordError",
            format!("the time zone {id} is in no database of time zones"),
        ));
    }
    Ok(to_json(value))
}

pub(crate) fn knows_zone(id: &str) -> bool {
    chrono_tz::Tz::from_str(id).is_ok()
}

/// Whether the zone of a date and time had the offset that goes with it.
pub(crate) fn has_offset(value: &Json) -> bool {
    let Ok(Value::DateTime(instant)) = from_json(value) else {
        return true;
    };
    match instant.zone() {
        Zone::Offset(_) => true,
        Zone::Id(id) if !knows_zone(id) => false,
        Zone::Id(id) => {
            value["data"]["utc_offset_s"].as_i64() == Some(offset_in(id, instant.epoch_seconds()))
        }
    }
}

fn simple(name: &str, value: impl Into<Json>) -> Json {
    response(name, json!({ "value": value.into() }))
}

fn list(values: impl Iterator<Item = Json>) -> Json {
    simple("CypherList", values.collect::<Vec<_>>())
}

fn map(map: &Map) -> Json {
    let entries: serde_json::Map<_, _> = map
        .iter()
        .map(|(key, value)| (key.clone(), to_json(value)))
        .collect();
    simple("CypherMap", entries)
}

fn float(value: f64) -> Json {
    if value.is_nan() {
        simple("CypherFloat", "NaN")
    } else if value.is_infinite() {
        simple(
            "CypherFloat",
            if value > 0.0 {
                "+Infinity"
            } else {
                "-Infinity"
            },
        )
    } else {
        simple("CypherFloat", value)
    }
}

pub(crate) fn to_json(value: &Value) -> Json {
    match value {
        Value::Null => response("CypherNull", json!({})),
        Value::Boolean(flag) => simple("CypherBool", *flag),
        Value::Integer(number) => simple("CypherInt", *number),
        Value::Float(number) => float(*number),
        Value::String(text) => simple("CypherString", text.as_str()),
        Value::Bytes(bytes) => {
            let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            simple("CypherBytes", bytes.join(" "))
        }
        Value::List(values) => list(values.iter().map(to_json)),
        Value::Map(entries) => map(entries),
        Value::Node(found) => node(found),
        Value::Relationship(found) => relationship(found),
        Value::Path(found) => path(found),
        Value::Date(date) => json!({ "name": "CypherDate", "data": date_fields(*date) }),
        Value::LocalTime(time) => json!({ "name": "CypherTime", "data": time_fields(*time) }),
        Value::Time(time) => {
            let mut data = time_fields(time.local());
            data.insert("utc_offset_s".to_owned(), time.offset_seconds().into());
            json!({ "name": "CypherTime", "data": data })
        }
        Value::LocalDateTime(local) => {
            json!({ "name": "CypherDateTime", "data": local_fields(*local) })
        }
        Value::DateTime(instant) => date_time(instant),
        Value::Duration(duration) => json!({ "name": "CypherDuration", "data": {
            "months": duration.months, "days": duration.days,
            "seconds": duration.seconds, "nanoseconds": duration.nanoseconds,
        } }),
        Value::Point(point) => point_json(point),
        other => response("CypherNull", json!({ "unknown": other.type_name() })),
    }
}

fn date_fields(date: Date) -> serde_json::Map<String, Json> {
    let data = json!({ "year": date.year(), "month": date.month(), "day": date.day() });
    data.as_object().cloned().unwrap_or_default()
}

fn time_fields(time: LocalTime) -> serde_json::Map<String, Json> {
    let data = json!({
        "hour": time.hour(), "minute": time.minute(),
        "second": time.second(), "nanosecond": time.nanosecond(),
    });
    data.as_object().cloned().unwrap_or_default()
}

fn local_fields(local: LocalDateTime) -> serde_json::Map<String, Json> {
    let mut data = date_fields(local.date());
    data.extend(time_fields(local.time()));
    data
}

fn date_time(instant: &DateTime) -> Json {
    let offset = match instant.zone() {
        Zone::Offset(seconds) => i64::from(*seconds),
        Zone::Id(id) => offset_in(id, instant.epoch_seconds()),
    };
    let seconds = instant.epoch_seconds() + offset;
    let Ok(local) = LocalDateTime::from_epoch(seconds, instant.nanosecond()) else {
        return response("CypherNull", json!({}));
    };
    let mut data = local_fields(local);
    data.insert("utc_offset_s".to_owned(), offset.into());
    if let Zone::Id(id) = instant.zone() {
        data.insert("timezone_id".to_owned(), (&**id).into());
    }
    json!({ "name": "CypherDateTime", "data": data })
}

/// The beginning of the year 1900, in seconds since that of 1970.
const YEAR_1900: i64 = -2_208_988_800;

/// The offset of a zone. Before there were zones, clocks showed local mean time to the second, which
/// TestKit's own database of zones rounds to minutes.
fn offset_in(zone: &str, epoch_seconds: i64) -> i64 {
    let instant = ChronoDateTime::from_timestamp(epoch_seconds, 0);
    match (chrono_tz::Tz::from_str(zone), instant) {
        (Ok(zone), Some(instant)) => {
            let offset = zone.offset_from_utc_datetime(&instant.naive_utc());
            let seconds = i64::from(offset.fix().local_minus_utc());
            if epoch_seconds < YEAR_1900 {
                (seconds + 30).div_euclid(60) * 60
            } else {
                seconds
            }
        }
        _ => 0,
    }
}

fn point_json(point: &Point) -> Json {
    let system = match point.srid {
        CARTESIAN_2D | CARTESIAN_3D => "cartesian",
        WGS_84_2D | WGS_84_3D => "wgs84",
        _ => "unknown",
    };
    json!({ "name": "CypherPoint", "data": {
        "system": system, "x": point.x, "y": point.y, "z": point.z,
    } })
}

fn node(node: &Node) -> Json {
    let labels = node.labels.iter();
    json!({ "name": "Node", "data": {
        "id": simple("CypherInt", node.id),
        "labels": list(labels.map(|label| simple("CypherString", label.as_str()))),
        "props": map(&node.properties),
        "elementId": simple("CypherString", node.element_id.as_str()),
    } })
}

fn relationship(found: &Relationship) -> Json {
    let text = |text: &str| simple("CypherString", text);
    json!({ "name": "Relationship", "data": {
        "id": simple("CypherInt", found.id),
        "startNodeId": simple("CypherInt", found.start_node_id),
        "endNodeId": simple("CypherInt", found.end_node_id),
        "type": text(&found.relationship_type),
        "props": map(&found.properties),
        "elementId": text(&found.element_id),
        "startNodeElementId": text(&found.start_node_element_id),
        "endNodeElementId": text(&found.end_node_element_id),
    } })
}

fn path(path: &Path) -> Json {
    json!({ "name": "Path", "data": {
        "nodes": list(path.nodes().map(node)),
        "relationships": list(path.relationships().map(relationship)),
    } })
}

/// Plain JSON, as TestKit wants it within plans.
pub(crate) fn plain_json(map: &Map) -> Json {
    let entries: serde_json::Map<_, _> = map
        .iter()
        .map(|(key, value)| {
            let value = match value {
                Value::Boolean(flag) => json!(flag),
                Value::Integer(number) => json!(number),
                Value::Float(number) => json!(number),
                Value::String(text) => json!(text),
                Value::Map(map) => plain_json(map),
                other => json!(format!("{other:?}")),
            };
            (key.clone(), value)
        })
        .collect();
    entries.into()
}

/// Plain JSON as values; for what a custom login has besides.
pub(crate) fn plain_map(entries: &serde_json::Map<String, Json>) -> Result<Map, Failure> {
    entries
        .iter()
        .map(|(key, value)| Ok((key.clone(), plain(value)?)))
        .collect()
}

fn plain(value: &Json) -> Result<Value, Failure> {
    Ok(match value {
        Json::Null => Value::Null,
        Json::Bool(flag) => (*flag).into(),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.into(),
            (None, Some(float)) => float.into(),
            (None, None) => return Err(wrong(value)),
        },
        Json::String(text) => text.as_str().into(),
        Json::Array(list) => Value::List(list.iter().map(plain).collect::<Result<_, _>>()?),
        Json::Object(map) => Value::Map(plain_map(map)?),
    })
}
