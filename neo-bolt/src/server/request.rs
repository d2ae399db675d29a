//! The messages that clients send.

use std::time::Duration;

use super::Failure;
use super::backend::{Query, TransactionOptions};
use crate::packstream::{Decoder, FromBolt};
use crate::protocol::tag;
use crate::value::{Map, Value};

/// How many records are asked for, and of which result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fetch {
    /// `None` for all.
    pub(super) count: Option<u64>,
    /// `None` for the last statement.
    pub(super) query_id: Option<i64>,
}

/// A message of a client.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Request {
    Hello(Map),
    Logon(Map),
    Logoff,
    Goodbye,
    Reset,
    Run(Query, TransactionOptions),
    Pull(Fetch),
    Discard(Fetch),
    Begin(TransactionOptions),
    Commit,
    Rollback,
    Route { routing: Map },
    Telemetry,
}

impl Request {
    /// The message's name, for errors.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Hello(_) => "HELLO",
            Self::Logon(_) => "LOGON",
            Self::Logoff => "LOGOFF",
            Self::Goodbye => "GOODBYE",
            Self::Reset => "RESET",
            Self::Run(..) => "RUN",
            Self::Pull(_) => "PULL",
            Self::Discard(_) => "DISCARD",
            Self::Begin(_) => "BEGIN",
            Self::Commit => "COMMIT",
            Self::Rollback => "ROLLBACK",
            Self::Route { .. } => "ROUTE",
            Self::Telemetry => "TELEMETRY",
        }
    }

    /// Reads a whole message.
    pub(super) fn read(message: &[u8]) -> Result<Self, Failure> {
        let mut decoder = Decoder::new(message);
        let request = read(&mut decoder)?;
        decoder.finish().map_err(malformed)?;
        Ok(request)
    }
}

fn malformed(error: impl std::fmt::Display) -> Failure {
    Failure::invalid_request(format_args!("the message can't be read: {error}"))
}

fn read(decoder: &mut Decoder<'_>) -> Result<Request, Failure> {
    let (message, fields) = decoder.structure().map_err(malformed)?;
    let request = match (message, fields) {
        (tag::HELLO, 1) => Request::Hello(map(decoder)?),
        (tag::LOGON, 1) => Request::Logon(map(decoder)?),
        (tag::LOGOFF, 0) => Request::Logoff,
        (tag::GOODBYE, 0) => Request::Goodbye,
        (tag::RESET, 0) => Request::Reset,
        (tag::RUN, 3) => {
            let text = decoder.string().map_err(malformed)?.to_owned();
            let parameters = map(decoder)?;
            Request::Run(Query { text, parameters }, options(map(decoder)?)?)
        }
        (tag::PULL, 1) => Request::Pull(fetch(&map(decoder)?)?),
        (tag::DISCARD, 1) => Request::Discard(fetch(&map(decoder)?)?),
        (tag::BEGIN, 1) => Request::Begin(options(map(decoder)?)?),
        (tag::COMMIT, 0) => Request::Commit,
        (tag::ROLLBACK, 0) => Request::Rollback,
        (tag::ROUTE, 3) => {
            let routing = map(decoder)?;
            decoder
                .skip()
                .and_then(|()| decoder.skip())
                .map_err(malformed)?;
            Request::Route { routing }
        }
        (tag::TELEMETRY, 1) => {
            decoder.skip().map_err(malformed)?;
            Request::Telemetry
        }
        (unknown, fields) => {
            return Err(Failure::invalid_request(format_args!(
                "there is no message 0x{unknown:02X} with {fields} fields"
            )));
        }
    };
    Ok(request)
}

fn map(decoder: &mut Decoder<'_>) -> Result<Map, Failure> {
    match Value::from_bolt(decoder).map_err(malformed)? {
        Value::Map(map) => Ok(map),
        other => Err(malformed(format_args!(
            "expected MAP, found {}",
            other.type_name()
        ))),
    }
}

fn fetch(map: &Map) -> Result<Fetch, Failure> {
    let count = match map.get("n") {
        Some(Value::Integer(-1)) => None,
        Some(Value::Integer(n)) if *n > 0 => Some(n.unsigned_abs()),
        other => return Err(wrong("n", "-1 or a positive INTEGER", other)),
    };
    let query_id = match map.get("qid") {
        None | Some(Value::Integer(-1)) => None,
        Some(Value::Integer(id)) => Some(*id),
        other => return Err(wrong("qid", "INTEGER", other)),
    };
    Ok(Fetch { count, query_id })
}

fn options(mut map: Map) -> Result<TransactionOptions, Failure> {
    let bookmarks = match map.remove("bookmarks") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::List(items)) => items
            .into_iter()
            .map(|item| match item {
                Value::String(bookmark) => Ok(bookmark),
                other => Err(wrong("bookmarks", "a LIST of STRING", Some(&other))),
            })
            .collect::<Result<_, _>>()?,
        other => return Err(wrong("bookmarks", "a LIST of STRING", other.as_ref())),
    };
    let timeout = match map.remove("tx_timeout") {
        None | Some(Value::Null | Value::Integer(0)) => None,
        Some(Value::Integer(millis)) if millis > 0 => {
            Some(Duration::from_millis(millis.unsigned_abs()))
        }
        other => return Err(wrong("tx_timeout", "a positive INTEGER", other.as_ref())),
    };
    let metadata = match map.remove("tx_metadata") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Map(metadata)) => metadata,
        other => return Err(wrong("tx_metadata", "MAP", other.as_ref())),
    };
    let read_only = match text(&mut map, "mode")?.as_deref() {
        None | Some("w") => false,
        Some("r") => true,
        Some(other) => {
            return Err(Failure::invalid_request(format_args!(
                "the access mode must be \"r\" or \"w\", not {other:?}"
            )));
        }
    };
    Ok(TransactionOptions {
        bookmarks,
        timeout,
        metadata,
        read_only,
        database: text(&mut map, "db")?.filter(|name| !name.is_empty()),
        impersonated_user: text(&mut map, "imp_user")?,
    })
}

fn text(map: &mut Map, key: &'static str) -> Result<Option<String>, Failure> {
    match map.remove(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        other => Err(wrong(key, "STRING", other.as_ref())),
    }
}

fn wrong(key: &str, expected: &str, found: Option<&Value>) -> Failure {
    let found = found.map_or("nothing", Value::type_name);
    Failure::invalid_request(format_args!("\"{key}\" must be {expected}, not {found}"))
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::packstream::{Dialect, Encoder, ToBolt};

    fn message(tag: u8, fields: &[Value]) -> BytesMut {
        let mut out = BytesMut::new();
        let mut encoder = Encoder::new(&mut out, Dialect::NEWEST);
        encoder.structure(tag, u8::try_from(fields.len()).unwrap());
        for field in fields {
            field.to_bolt(&mut encoder).unwrap();
        }
        out
    }

    #[test]
    fn run_with_everything() {
        let bytes = message(
            0x10,
            &[
                Value::from("RETURN $x"),
                Value::Map(crate::params! { "x" => 1 }),
                Value::Map(crate::params! {
                    "bookmarks" => vec!["a", "b"], "tx_timeout" => 1500, "mode" => "r",
                    "db" => "neo4j", "tx_metadata" => crate::params! { "who" => "me" },
                }),
            ],
        );
        let Request::Run(query, options) = Request::read(&bytes).unwrap() else {
            panic!("not a RUN")
        };
        assert_eq!(query.text, "RETURN $x");
        assert_eq!(query.parameters["x"], Value::Integer(1));
        assert_eq!(options.bookmarks, ["a", "b"]);
        assert_eq!(options.timeout, Some(Duration::from_millis(1500)));
        assert!(options.read_only);
        assert_eq!(options.database.as_deref(), Some("neo4j"));
        assert_eq!(options.metadata["who"], Value::from("me"));
    }

    #[test]
    fn wrong_messages_are_refused_with_a_reason() {
        let empty = Value::Map(Map::new());
        for (bytes, reason) in [
            (
                message(0x10, &[Value::Integer(1), empty.clone(), empty.clone()]),
                "STRING",
            ),
            (
                message(0x10, &[Value::from("x"), empty.clone()]),
                "2 fields",
            ),
            (
                message(0x3F, &[Value::Map(crate::params! { "n" => 0 })]),
                "\"n\" must be",
            ),
            (
                message(0x3F, &[Value::Map(crate::params! { "n" => -2 })]),
                "\"n\" must be",
            ),
            (
                message(0x11, &[Value::Map(crate::params! { "mode" => "x" })]),
                "access mode",
            ),
            (message(0x77, &[]), "0x77"),
            (
                BytesMut::from(&[0xB1, 0x11, 0xA1, 0xD2, 0xFF, 0xFF, 0xFF, 0xFF][..]),
                "ends",
            ),
            (BytesMut::from(&[0xB0, 0x0F, 0x00][..]), "left over"),
            (BytesMut::from(&[0xC4][..]), "0xC4"),
        ] {
            let failure = Request::read(&bytes).unwrap_err();
            assert_eq!(failure.code, "Neo.ClientError.Request.Invalid");
            assert!(
                failure.message.contains(reason),
                "{reason}: {}",
                failure.message
            );
        }
    }
}
