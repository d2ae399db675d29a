//! Dates, times and durations between Bolt and graphdblite.
//!
//! graphdblite's own temporal types can't be named outside of it; they are made by handing their
//! fields to their `Deserialize`.

use chrono::{
    FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone, Timelike,
};
use graphdblite as g;
use neo_bolt::server::Failure;
use neo_bolt::value::{Date, DateTime, Duration, LocalDateTime, LocalTime, Time, Zone};
use serde::Deserialize;
use serde::de::value::{Error as FieldError, SeqDeserializer};
use serde::de::{Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// One field of a temporal value.
enum Field {
    Number(i64),
    Text(String),
}

impl<'de> IntoDeserializer<'de, FieldError> for Field {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Field {
    type Error = FieldError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match self {
            Self::Number(number) => visitor.visit_i64(number),
            Self::Text(text) => visitor.visit_string(text),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        option unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

/// Makes a value of the type that `wrap` takes.
fn make<'de, T: Deserialize<'de>>(
    wrap: fn(T) -> g::Value,
    fields: Vec<Field>,
) -> Result<g::Value, Failure> {
    T::deserialize(SeqDeserializer::<_, FieldError>::new(fields.into_iter()))
        .map(wrap)
        .map_err(out_of_range)
}

fn numbers(numbers: impl IntoIterator<Item = i64>) -> Vec<Field> {
    numbers.into_iter().map(Field::Number).collect()
}

fn out_of_range(error: impl std::fmt::Display) -> Failure {
    Failure::new(
        "Neo.ClientError.Statement.ArgumentError",
        format_args!(
            "the embedded engine can't hold the temporal value: {error}; it has the years \
             -262143 to 262142, a Neo4j server has more"
        ),
    )
}

fn date_fields(date: Date) -> [i64; 3] {
    [date.year(), date.month().into(), date.day().into()]
}

fn time_fields(time: LocalTime) -> [i64; 4] {
    [
        time.hour().into(),
        time.minute().into(),
        time.second().into(),
        time.nanosecond().into(),
    ]
}

pub(super) fn to_date(date: Date) -> Result<g::Value, Failure> {
    make(g::Value::Date, numbers(date_fields(date)))
}

pub(super) fn to_local_time(time: LocalTime) -> Result<g::Value, Failure> {
    make(g::Value::LocalTime, numbers(time_fields(time)))
}

pub(super) fn to_time(time: Time) -> Result<g::Value, Failure> {
    let mut fields = numbers(time_fields(time.local()));
    fields.push(Field::Number(time.offset_seconds().into()));
    make(g::Value::Time, fields)
}

pub(super) fn to_local_date_time(at: LocalDateTime) -> Result<g::Value, Failure> {
    let fields = date_fields(at.date())
        .into_iter()
        .chain(time_fields(at.time()));
    make(g::Value::LocalDateTime, numbers(fields))
}

pub(super) fn to_date_time(at: &DateTime) -> Result<g::Value, Failure> {
    let (offset, name) = match at.zone() {
        Zone::Offset(offset) => (*offset, None),
        Zone::Id(id) => (offset_in(id, at)?, Some(id.clone())),
    };
    let local = LocalDateTime::from_epoch(
        at.epoch_seconds().saturating_add(offset.into()),
        at.nanosecond(),
    )
    .map_err(out_of_range)?;
    let mut fields = numbers(
        date_fields(local.date())
            .into_iter()
            .chain(time_fields(local.time())),
    );
    fields.push(Field::Number(offset.into()));
    fields.extend(name.map(Field::Text));
    make(g::Value::DateTime, fields)
}

/// The offset from UTC that a named zone has at an instant, in seconds.
fn offset_in(zone: &str, at: &DateTime) -> Result<i32, Failure> {
    let zone: chrono_tz::Tz = zone.parse().map_err(|_| {
        Failure::new(
            "Neo.ClientError.Statement.ArgumentError",
            format_args!("the embedded engine knows no time zone `{zone}`"),
        )
    })?;
    let utc = chrono::DateTime::from_timestamp(at.epoch_seconds(), at.nanosecond())
        .ok_or_else(|| out_of_range("the instant is too far away"))?;
    Ok(zone
        .offset_from_utc_datetime(&utc.naive_utc())
        .fix()
        .local_minus_utc())
}

pub(super) fn to_duration(duration: Duration) -> Result<g::Value, Failure> {
    make(
        g::Value::Duration,
        numbers([
            duration.months,
            duration.days,
            duration.seconds,
            duration.nanoseconds.into(),
        ]),
    )
}

pub(super) fn date(date: NaiveDate) -> Date {
    Date::from_epoch_days(days(date))
}

fn days(date: NaiveDate) -> i64 {
    date.signed_duration_since(NaiveDate::default()).num_days()
}

pub(super) fn local_time(time: NaiveTime) -> Result<LocalTime, Failure> {
    let nanoseconds = i64::from(time.num_seconds_from_midnight()) * NANOS_PER_SECOND
        + i64::from(time.nanosecond());
    LocalTime::from_nanosecond_of_day(nanoseconds).map_err(out_of_range)
}

pub(super) fn time(time: NaiveTime, offset: FixedOffset) -> Result<Time, Failure> {
    Time::new(local_time(time)?, offset.local_minus_utc()).map_err(out_of_range)
}

pub(super) fn local_date_time(at: NaiveDateTime) -> Result<LocalDateTime, Failure> {
    Ok(LocalDateTime::new(date(at.date()), local_time(at.time())?))
}

pub(super) fn date_time(
    local: NaiveDateTime,
    offset: FixedOffset,
    zone: Option<String>,
) -> Result<DateTime, Failure> {
    let utc = local
        .checked_sub_signed(TimeDelta::seconds(offset.local_minus_utc().into()))
        .ok_or_else(|| out_of_range("the instant is too far away"))?
        .and_utc();
    let zone = zone.map_or_else(|| Zone::Offset(offset.local_minus_utc()), Zone::Id);
    DateTime::from_epoch(utc.timestamp(), utc.timestamp_subsec_nanos(), zone).map_err(out_of_range)
}

pub(super) fn duration(
    months: i64,
    days: i64,
    seconds: i64,
    nanos: i64,
) -> Result<Duration, Failure> {
    // The engine keeps any number of nanoseconds; Bolt has less than a second of them.
    let seconds = seconds
        .checked_add(nanos.div_euclid(NANOS_PER_SECOND))
        .ok_or_else(|| out_of_range("the duration is too long"))?;
    let nanos = i32::try_from(nanos.rem_euclid(NANOS_PER_SECOND)).map_err(out_of_range)?;
    Ok(Duration::new(months, days, seconds, nanos))
}

#[cfg(test)]
mod tests {
    use super::super::values::{FromEngine, to_engine};
    use super::*;
    use neo_bolt::value::Value;

    #[test]
    fn temporal_values_come_back_exactly() {
        let time = LocalTime::from_hms_nano(23, 59, 58, 123_456_789).unwrap();
        let day = Date::from_ymd(1866, 2, 28).unwrap();
        let at = LocalDateTime::new(day, time);
        let zoned = |seconds, zone: &str| {
            Value::DateTime(DateTime::from_epoch(seconds, 7, Zone::Id(zone.into())).unwrap())
        };
        for value in [
            Value::Date(day),
            Value::Date(Date::from_ymd(-44, 3, 15).unwrap()),
            Value::LocalTime(time),
            Value::Time(Time::new(time, -12_600).unwrap()),
            Value::LocalDateTime(at),
            Value::DateTime(DateTime::from_local(at, 7200).unwrap()),
            zoned(1_700_000_000, "Europe/Stockholm"),
            // The hour that comes twice when summer time ends, both times.
            zoned(1_698_537_600 + 1800, "Europe/Stockholm"),
            zoned(1_698_541_200 + 1800, "Europe/Stockholm"),
            Value::Duration(Duration::new(14, -3, 5, 6)),
        ] {
            let there = to_engine(&value).unwrap();
            assert_eq!(FromEngine { database_id: "x" }.value(there).unwrap(), value);
        }
    }

    #[test]
    fn what_the_engine_can_not_hold_is_refused() {
        let far = Value::Date(Date::from_ymd(999_999_999, 1, 1).unwrap());
        assert_eq!(
            to_engine(&far).unwrap_err().code,
            "Neo.ClientError.Statement.ArgumentError"
        );
        let zone = DateTime::from_epoch(0, 0, Zone::Id("Mars/Olympus".into())).unwrap();
        assert!(
            to_engine(&Value::DateTime(zone))
                .unwrap_err()
                .message
                .contains("Mars/Olympus")
        );
    }
}
