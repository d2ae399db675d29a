//! Values: read as they are, read as types, written and read again.

use std::fmt::Write;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::typed;
use crate::packstream::{Decoder, Dialect, Encoder, FromBolt, write_any};
use crate::protocol::Records;
use crate::record::Reader;
use crate::value::{Value, Zone};

/// One value, and the same bytes as a record.
pub fn values(data: &[u8]) {
    let mut skipped = Decoder::new(data);
    let skips = skipped.skip().is_ok();
    let mut decoder = Decoder::new(data);
    match Value::from_bolt(&mut decoder) {
        Ok(value) => {
            assert!(skips, "what can be read can be skipped");
            let left = decoder.remaining().len();
            assert_eq!(left, skipped.remaining().len());
            show(&value);
            write_again(&value);
            typed::value(data, Some(left));
        }
        Err(error) => {
            let _ = error.to_string();
            typed::value(data, skips.then(|| skipped.remaining().len()));
        }
    }
    record(data);
}

/// What was read can be written, and reads the same then.
fn write_again(value: &Value) {
    let once = encode(value);
    let mut decoder = Decoder::new(&once);
    let again = Value::from_bolt(&mut decoder).expect("what was written can be read");
    assert!(decoder.remaining().is_empty());
    // Not the values themselves: NaN is not equal to itself.
    assert_eq!(once, encode(&again));
}

fn encode(value: &Value) -> BytesMut {
    let mut out = BytesMut::new();
    let mut encoder = Encoder::new(&mut out, Dialect::NEWEST);
    write_any(value, &mut encoder).expect("what was read can be written");
    out
}

/// Writes a value for people to read, in all the ways that it has.
pub(super) fn show(value: &Value) {
    let mut text = String::new();
    let _ = match value {
        Value::Date(v) => write!(text, "{v} {} {} {}", v.year(), v.month(), v.day()),
        Value::Time(v) => write!(text, "{v}"),
        Value::LocalTime(v) => write!(text, "{v} {} {}", v.hour(), v.second()),
        Value::DateTime(v) => {
            if let Zone::Id(id) = v.zone() {
                text.push_str(id);
            }
            write!(text, "{v}")
        }
        Value::LocalDateTime(v) => write!(text, "{v} {} {}", v.date(), v.time()),
        Value::Duration(v) => write!(text, "{v}"),
        Value::Path(v) => write!(text, "{} {:?}", v.nodes().count(), v.end()),
        other => write!(text, "{other:?}"),
    };
    assert!(!text.is_empty());
}

/// The bytes as the list of a record of three columns.
fn record(data: &[u8]) {
    let keys: Arc<[String]> = ["a", "b", "c"].map(str::to_owned).into();
    let list = Records::of(Bytes::copy_from_slice(data));
    let Some(Ok(record)) = Reader::new(keys, list).next() else {
        return;
    };
    let all = record.values().map(|values| values.len());
    if let Ok(count) = &all {
        assert_eq!(*count, 3);
        assert!(record.get_at::<()>(2).is_ok());
    }
    assert_eq!(record.data().is_ok(), all.is_ok());
    assert_eq!(record.items().is_ok(), all.is_ok());
    let _ = format!("{record:?}");
    let _ = record.get::<i64>("b");
    assert!(record.get::<Value>("d").is_err());
    typed::record(&record, all.is_ok());
}
