//! A value of each kind, as a column.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Float32Type, Float64Type, Int32Type, Int64Type, IntervalMonthDayNanoType,
    Time64NanosecondType, TimestampMicrosecondType, TimestampNanosecondType,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::TimeUnit;
use bytes::{Bytes, BytesMut};

use super::*;
use crate::packstream::{Dialect, Encoder, write_any};
use crate::protocol::Records;
use crate::record::Reader;
use crate::value::{
    Date, DateTime, Duration, LocalDateTime, LocalTime, Node, Path, Point, Relationship, Time,
    Vector, Zone,
};

fn made(values: Vec<Value>) -> Result<RecordBatch, Error> {
    let keys: Arc<[String]> = ["v".to_owned()].into();
    let records: Vec<Record> = values
        .into_iter()
        .map(|value| {
            let mut out = BytesMut::new();
            let mut encoder = Encoder::new(&mut out, Dialect::NEWEST);
            write_any(&Value::List(vec![value]), &mut encoder).unwrap();
            let list = Records::of(out.freeze());
            Reader::new(Arc::clone(&keys), list)
                .next()
                .unwrap()
                .unwrap()
        })
        .collect();
    batch(&keys, &records)
}

/// The only column: the values and a null behind them.
fn column(mut values: Vec<Value>) -> ArrayRef {
    let len = values.len();
    values.push(Value::Null);
    let batch = made(values).unwrap();
    let column = Arc::clone(batch.column(0));
    assert_eq!(column.len(), len + 1);
    assert!(column.is_null(len) || *column.data_type() == DataType::Null);
    column
}

fn texts(array: &ArrayRef) -> Vec<&str> {
    array.as_string::<i32>().iter().flatten().collect()
}

#[test]
fn plain_values() {
    let booleans = column(vec![true.into(), false.into()]);
    assert!(booleans.as_boolean().value(0) && !booleans.as_boolean().value(1));
    let integers = column(vec![1.into(), i64::MIN.into()]);
    assert_eq!(
        integers.as_primitive::<Int64Type>().values()[..2],
        [1, i64::MIN]
    );
    let floats = column(vec![0.5.into(), f64::INFINITY.into()]);
    assert_eq!(
        floats.as_primitive::<Float64Type>().values()[..2],
        [0.5, f64::INFINITY]
    );
    assert_eq!(texts(&column(vec!["a".into(), "é".into()])), ["a", "é"]);
    let bytes = column(vec![Value::Bytes(Bytes::from_static(&[1, 2]))]);
    assert_eq!(bytes.as_binary::<i32>().value(0), [1, 2]);
}

#[test]
fn integers_and_floats_are_floats_where_nothing_is_lost() {
    let numbers = column(vec![1.into(), 0.5.into()]);
    assert_eq!(
        numbers.as_primitive::<Float64Type>().values()[..2],
        [1.0, 0.5]
    );
    let large = column(vec![i64::MAX.into(), 0.5.into()]);
    assert_eq!(texts(&large), ["9223372036854775807", "0.5"]);
}

#[test]
fn dates_and_times() {
    let date = Date::from_ymd(1878, 4, 1).unwrap();
    let time = LocalTime::from_hms_nano(13, 5, 9, 7).unwrap();
    let local = LocalDateTime::new(date, time);
    let dates = column(vec![date.into()]);
    let days = i32::try_from(date.epoch_days()).unwrap();
    assert_eq!(dates.as_primitive::<Date32Type>().value(0), days);
    let times = column(vec![time.into()]);
    let nanosecond = time.nanosecond_of_day();
    assert_eq!(
        times.as_primitive::<Time64NanosecondType>().value(0),
        nanosecond
    );
    let zoned = column(vec![Time::new(time, -3600).unwrap().into()]);
    let offsets = zoned.as_struct().column_by_name("offset_seconds").unwrap();
    assert_eq!(offsets.as_primitive::<Int32Type>().value(0), -3600);
    let locals = column(vec![local.into()]);
    assert_eq!(
        *locals.data_type(),
        DataType::Timestamp(TimeUnit::Nanosecond, None)
    );
    let expected = local.epoch_seconds() * 1_000_000_000 + 7;
    assert_eq!(
        locals.as_primitive::<TimestampNanosecondType>().value(0),
        expected
    );
    let durations = column(vec![Duration::new(1, -2, 3, 4).into()]);
    let duration = durations
        .as_primitive::<IntervalMonthDayNanoType>()
        .value(0);
    assert_eq!((duration.months, duration.days), (1, -2));
    assert_eq!(duration.nanoseconds, 3_000_000_004);
}

#[test]
fn zones_are_kept_where_there_is_one() {
    let at = |zone| Value::DateTime(DateTime::from_epoch(5, 0, zone).unwrap());
    let paris = || at(Zone::Id("Europe/Paris".to_owned()));
    for (values, zone) in [
        (vec![paris(), paris()], "Europe/Paris"),
        (vec![at(Zone::Offset(-5400))], "-01:30"),
        (vec![at(Zone::Offset(0))], "UTC"),
        (vec![paris(), at(Zone::Offset(0))], "UTC"),
    ] {
        let column = column(values);
        let expected = DataType::Timestamp(TimeUnit::Nanosecond, Some(zone.into()));
        assert_eq!(*column.data_type(), expected);
        let instants = column.as_primitive::<TimestampNanosecondType>();
        assert_eq!(instants.value(0), 5_000_000_000);
    }
}

#[test]
fn what_is_far_away_is_counted_in_microseconds() {
    let far = LocalDateTime::from_epoch(253_402_300_799, 1000).unwrap();
    let column = column(vec![far.into()]);
    let instants = column.as_primitive::<TimestampMicrosecondType>();
    assert_eq!(instants.value(0), 253_402_300_799_000_001);
    let near = LocalDateTime::from_epoch(0, 1).unwrap();
    let error = made(vec![far.into(), near.into()]).unwrap_err();
    assert!(error.to_string().starts_with("column \"v\": "), "{error}");
}

#[test]
fn points_and_vectors() {
    let points = column(vec![
        Point::wgs_84(1.0, 2.0).into(),
        Point::cartesian_3d(1.0, 2.0, 3.0).into(),
    ]);
    let number = |name: &str| points.as_struct().column_by_name(name).unwrap().clone();
    assert_eq!(
        number("srid").as_primitive::<Int32Type>().values()[..2],
        [4326, 9157]
    );
    assert_eq!(number("y").as_primitive::<Float64Type>().value(1), 2.0);
    assert!(number("z").is_null(0) && number("z").is_valid(1));
    let vectors = column(vec![
        Vector::Float32(vec![0.25, 0.5]).into(),
        Vector::Float32(vec![]).into(),
    ]);
    let first = vectors.as_list::<i32>().value(0);
    assert_eq!(
        first.as_primitive::<Float32Type>().values()[..],
        [0.25, 0.5]
    );
    assert_eq!(vectors.as_list::<i32>().value_length(1), 0);
}

#[test]
fn lists_are_of_what_their_items_are() {
    let lists = column(vec![
        vec![1, 2].into(),
        Value::List(vec![]),
        vec![Some(3), None].into(),
    ]);
    let last = lists.as_list::<i32>().value(2);
    assert_eq!(
        last.as_primitive::<Int64Type>().iter().collect::<Vec<_>>(),
        [Some(3), None]
    );
    let mixed = column(vec![vec![Value::from(1), Value::from("a")].into()]);
    assert_eq!(texts(&mixed.as_list::<i32>().value(0)), ["1", "\"a\""]);
    let nested = column(vec![vec![vec![0.5]].into(), vec![vec![1]].into()]);
    let inner = nested.as_list::<i32>().value(1).as_list::<i32>().value(0);
    assert_eq!(inner.as_primitive::<Float64Type>().value(0), 1.0);
}

fn node() -> Node {
    Node {
        id: 1,
        element_id: "4:x:1".to_owned(),
        labels: vec!["A".to_owned(), "B".to_owned()],
        properties: crate::params! { "name" => "Ann \"A\"", "born" => Date::from_epoch_days(0) },
    }
}

#[test]
fn nodes_relationships_and_maps() {
    let nodes = column(vec![node().into()]);
    let of = |name: &str| nodes.as_struct().column_by_name(name).unwrap().clone();
    assert_eq!(texts(&of("element_id")), ["4:x:1"]);
    assert_eq!(texts(&of("labels").as_list::<i32>().value(0)), ["A", "B"]);
    let properties = r#"{"born":"1970-01-01","name":"Ann \"A\""}"#;
    assert_eq!(texts(&of("properties")), [properties]);
    let relationship = Relationship {
        element_id: "5:x:7".to_owned(),
        relationship_type: "KNOWS".to_owned(),
        ..Relationship::default()
    };
    let relationships = column(vec![relationship.into()]);
    let of = |name: &str| {
        relationships
            .as_struct()
            .column_by_name(name)
            .unwrap()
            .clone()
    };
    assert_eq!(
        (texts(&of("type")), texts(&of("properties"))),
        (vec!["KNOWS"], vec!["{}"])
    );
    let path = Path {
        start: node(),
        segments: vec![],
    };
    let path = column(vec![path.into()]);
    let expected = r#"{"nodes":[{"element_id":"4:x:1","labels":["A","B"],"properties":"#;
    assert!(texts(&path)[0].starts_with(expected), "{}", texts(&path)[0]);
    let batch = made(vec![
        crate::params! { "a" => f64::NAN, "b" => Value::Null }.into(),
    ])
    .unwrap();
    assert_eq!(texts(batch.column(0)), [r#"{"a":"NaN","b":null}"#]);
    let schema = batch.schema();
    assert_eq!(
        schema.field(0).metadata()["ARROW:extension:name"],
        "arrow.json"
    );
}

#[test]
fn mixed_columns_and_empty_results() {
    let mixed = column(vec![1.into(), "a".into(), true.into()]);
    assert_eq!(texts(&mixed), ["1", "\"a\"", "true"]);
    assert_eq!(*column(vec![]).data_type(), DataType::Null);
    let empty = made(vec![]).unwrap();
    assert_eq!((empty.num_rows(), empty.num_columns()), (0, 1));
    assert_eq!(*empty.column(0).data_type(), DataType::Null);
    assert_eq!(batch(&[], &[]).unwrap().num_columns(), 0);
}

#[test]
fn what_has_no_place_is_named() {
    let far = Date::from_ymd(99_999_999, 1, 1).unwrap();
    let error = made(vec![far.into()]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(
        error.to_string(),
        "column \"v\": +99999999-01-01 does not fit Arrow's Date32"
    );
    assert!(made(vec![Duration::new(i64::MAX, 0, 0, 0).into()]).is_err());
}
