//! Where the fuzzers begin: real messages, and whole conversations.

use bytes::{Bytes, BytesMut};

use super::client::op;
use super::server::stage;
use crate::auth::AuthToken;
use crate::packstream::{Dialect, Encoder, write_any};
use crate::params;
use crate::protocol::{Begin, Machine, Version};
use crate::value::{
    Date, DateTime, Duration, LocalDateTime, LocalTime, Map, Node, Path, Point, Relationship,
    Segment, Time, Value, Vector, Zone,
};

/// Inputs by target.
pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let values = some_values();
    let mut seeds = Vec::new();
    for value in &values {
        for dialect in [Dialect::NEWEST, OLD] {
            seeds.extend(encode(value, dialect).map(|bytes| ("values", bytes)));
        }
    }
    for three in values.chunks_exact(3) {
        let record = encode(&Value::List(three.to_vec()), Dialect::NEWEST);
        seeds.extend(record.map(|bytes| ("values", bytes)));
    }
    seeds.extend(chunks().map(|bytes| ("chunks", bytes)));
    seeds.extend(hello().map(|bytes| ("hello", bytes)));
    seeds.extend(conversations(&values).map(|bytes| ("client", bytes)));
    seeds.extend(clients().map(|bytes| ("server", bytes)));
    seeds
}

const OLD: Dialect = Dialect {
    utc_datetimes: false,
    vectors: false,
    element_ids: false,
};

fn encode(value: &Value, dialect: Dialect) -> Option<Vec<u8>> {
    let mut out = BytesMut::new();
    write_any(value, &mut Encoder::new(&mut out, dialect)).ok()?;
    Some(out.to_vec())
}

fn some_values() -> Vec<Value> {
    let node = |id: i64| Node {
        id,
        element_id: format!("4:x:{id}"),
        labels: vec!["Person".to_owned(), "Author".to_owned()],
        properties: params! { "name" => "Ann", "born" => 1970 },
    };
    let relationship = Relationship {
        id: 7,
        start_node_id: 1,
        end_node_id: 2,
        relationship_type: "KNOWS".to_owned(),
        properties: params! { "since" => 1999 },
        element_id: "5:x:7".to_owned(),
        start_node_element_id: "4:x:1".to_owned(),
        end_node_element_id: "4:x:2".to_owned(),
    };
    let path = Path {
        start: node(1),
        segments: [node(2), node(1)]
            .map(|node| Segment {
                relationship: relationship.clone(),
                node,
            })
            .to_vec(),
    };
    let mut values = vec![
        Value::Null,
        Value::Boolean(true),
        Value::Integer(1),
        Value::Integer(-129),
        Value::Integer(70_000),
        Value::Integer(i64::MIN),
        Value::Float(1.1),
        Value::Bytes(Bytes::from_static(&[1, 2, 3])),
        Value::from("text"),
        Value::from("a text of more than fifteen bytes, with an é"),
        Value::List((0..20).map(Value::Integer).collect()),
        Value::Map(params! { "a" => vec![1, 2], "b" => Value::Null, "One" => 1 }),
        Value::Map(params! { "children" => vec![Value::Map(params! { "name" => "x" })] }),
        Value::Node(node(1)),
        Value::Relationship(relationship),
        Value::Path(path),
        Value::Duration(Duration::new(1, 2, 3, 4)),
        Value::Point(Point::wgs_84(1.0, 2.0)),
        Value::Point(Point::cartesian_3d(1.0, 2.0, 3.0)),
        Value::Vector(Vector::Int8(vec![1, -1])),
        Value::Vector(Vector::Int64(vec![i64::MIN, 1])),
        Value::Vector(Vector::Float32(vec![0.25, 0.5])),
        Value::Date(Date::from_epoch_days(19_000)),
    ];
    let time = LocalTime::from_hms_nano(13, 5, 9, 120_000_000);
    let local = LocalDateTime::from_epoch(1_700_000_000, 5);
    values.extend(time.into_iter().flat_map(|time| {
        let zoned = Time::new(time, 3600).map(Value::Time);
        [Value::LocalTime(time)].into_iter().chain(zoned)
    }));
    values.extend(local.map(Value::LocalDateTime));
    for zone in [Zone::Offset(3600), Zone::Id("Europe/Paris".to_owned())] {
        values.extend(DateTime::from_epoch(1_700_000_000, 5, zone).map(Value::DateTime));
    }
    values
}

fn chunks() -> impl Iterator<Item = Vec<u8>> {
    let streams: [&[u8]; 5] = [
        b"\x00\x03one\x00\x00",
        b"\x00\x00\x00\x02tw\x00\x01o\x00\x00\x00\x00",
        b"\x00\x05three\x00\x00\x00\x00\x00\x04four\x00\x00",
        b"\x00\x06abcdef\x00\x06abcdef\x00\x06",
        b"\x00",
    ];
    let heads: [[u8; 3]; 3] = [[0xFF, 0xFF, 0x00], [0xFF, 0xFF, 0x21], [0x00, 0x0A, 0x10]];
    heads
        .into_iter()
        .flat_map(move |head| streams.map(|stream| [&head, stream].concat()))
}

fn hello() -> impl Iterator<Item = Vec<u8>> {
    let answers: [&[u8]; 14] = [
        &[0, 0, 4, 5],
        &[0, 0, 4, 4],
        &[0, 0, 0, 3],
        &[0, 0, 0, 0],
        b"HTTP/1.1 400",
        &[
            0, 0, 1, 0xFF, 3, 0, 4, 8, 5, 0, 9, 9, 7, 0, 3, 3, 6, 0x80, 0x01,
        ],
        &[0, 0, 1, 0xFF, 1, 0, 1, 1, 6, 0],
        &[0, 0, 1, 0xFF, 0x81, 0x00, 0, 1, 1, 6, 0],
        &[0, 0, 1, 0xFF, 0],
        b"localhost:7687",
        b"[::1]:7687",
        b"[::1]",
        b"10.0.0.1",
        b"host.example:0",
    ];
    answers.map(<[u8]>::to_vec).into_iter()
}

/// A program for the client's machine.
#[derive(Clone)]
struct Program(Vec<u8>);

impl Program {
    fn new(version: u8) -> Self {
        Self(vec![version, 0x21])
    }

    fn then(mut self, operation: &[u8]) -> Self {
        self.0.extend_from_slice(operation);
        self
    }

    /// An answer, with what is wanted after it.
    fn answer(mut self, wanted: u8, tag: u8, field: Option<&Value>) -> Self {
        let mut message = vec![0xB0 | u8::from(field.is_some()), tag];
        message.extend(
            field
                .and_then(|f| encode(f, Dialect::NEWEST))
                .unwrap_or_default(),
        );
        // An operation takes no longer one.
        if let Ok(len) = u8::try_from(message.len()) {
            self.0.extend([op::MESSAGE, wanted, 0, len]);
            self.0.extend(message);
        }
        self
    }

    fn success(self, metadata: Map) -> Self {
        self.answer(0, 0x70, Some(&Value::Map(metadata)))
    }

    fn record(self, values: Vec<Value>) -> Self {
        self.answer(2, 0x71, Some(&Value::List(values)))
    }

    fn failure(self, metadata: Map) -> Self {
        self.answer(0, 0x7F, Some(&Value::Map(metadata)))
    }

    fn ignored(self) -> Self {
        self.answer(0, 0x7E, None)
    }
}

fn conversations(values: &[Value]) -> impl Iterator<Item = Vec<u8>> {
    let hello = |version| {
        let hints = params! { "telemetry.enabled" => true, "connection.recv_timeout_seconds" => 9 };
        Program::new(version)
            .then(&[op::HELLO, op::SENT, 0xFF])
            .success(params! {
                "server" => "Neo4j/5.26.0", "connection_id" => "bolt-1", "hints" => hints,
                "patch_bolt" => vec!["utc"],
            })
            .then(&[op::SUCCESS, op::ANSWER])
    };
    let mut programs: Vec<Program> = (0..8).map(hello).collect();
    let one = hello(6)
        .then(&[
            op::TELEMETRY,
            op::BEGIN,
            0,
            op::RUN,
            0,
            op::PULL,
            0xFF,
            0,
            op::COMMIT,
        ])
        .then(&[op::SENT, 0xFF, op::SUCCESS, op::SUCCESS])
        .success(params! { "fields" => vec!["n"], "t_first" => 1, "qid" => 0, "db" => "neo4j" });
    programs.push(
        one.clone()
            .failure(params! {
                "code" => "Neo.ClientError.Statement.SyntaxError", "message" => "no",
            })
            .ignored()
            .then(&[op::TAKE, 0, op::RESET, op::SUCCESS]),
    );
    for value in values {
        let stats = params! { "nodes-created" => 1, "contains-updates" => true };
        programs.push(
            one.clone()
                .record(vec![value.clone()])
                .then(&[op::TAKE, 0])
                .success(params! { "type" => "rw", "t_last" => 1, "stats" => stats })
                .success(params! { "bookmark" => "mark" })
                .then(&[op::TAKE, 0, op::ANSWER, op::LISTEN]),
        );
    }
    let two = hello(5)
        .then(&[op::BEGIN, 1, op::SUCCESS])
        .then(&[op::RUN, 0, op::PULL, 2, 0]);
    let fields = params! { "fields" => vec!["n"], "qid" => 0 };
    programs.push(
        two.success(fields.clone())
            .record(vec![Value::Integer(1)])
            .success(params! { "has_more" => true })
            .then(&[op::RUN, 0, op::PULL, 2, 1])
            .success(params! { "fields" => vec!["n"], "qid" => 1 })
            .then(&[
                op::PULL,
                2,
                0,
                op::FORGET,
                1,
                op::SUCCESS,
                op::DISCARD,
                0,
                op::SUCCESS,
            ])
            .then(&[op::FORGET_ENDED, op::ROLLBACK, op::SUCCESS]),
    );
    let step = |children: Vec<Value>| {
        Value::Map(params! {
            "operatorType" => "Scan", "identifiers" => vec!["n"], "children" => Value::List(children),
            "dbHits" => 1, "rows" => 1, "pageCacheHitRatio" => 0.5,
        })
    };
    let position = params! { "offset" => 1, "line" => 1, "column" => 2 };
    let details: [(&str, Value); 4] = [
        ("plan", step(vec![])),
        ("profile", step(vec![Value::Null])),
        (
            "notifications",
            Value::List(vec![Value::Map(params! {
                "code" => "Neo.C", "title" => "t", "severity" => "WARNING", "category" => "HINT",
                "position" => position.clone(),
            })]),
        ),
        (
            "statuses",
            Value::List(vec![Value::Map(params! {
                "gql_status" => "01N50", "status_description" => "d", "neo4j_code" => "Neo.C",
                "diagnostic_record" => params! { "_severity" => "WARNING", "_position" => position },
            })]),
        ),
    ];
    for (key, detail) in details {
        programs.push(
            Program::new(5)
                .then(&[op::RUN, 1, op::PULL, 0xFF, 0])
                .success(fields.clone())
                .success(params! { "type" => "r", key => detail })
                .then(&[op::TAKE, 0]),
        );
    }
    let gql = params! {
        "gql_status" => "42N62", "message" => "m", "description" => "d", "neo4j_code" => "Neo.C",
        "cause" => params! { "gql_status" => "42N01", "message" => "m", "description" => "d" },
    };
    programs.push(
        Program::new(7)
            .then(&[op::BEGIN, 0])
            .failure(gql)
            .then(&[op::RESET]),
    );
    let server = |role: &str| {
        Value::Map(params! { "role" => role, "addresses" => vec!["a:7687", "[::1]:1"] })
    };
    let servers = ["ROUTE", "READ", "WRITE"].map(server).to_vec();
    let table = params! { "ttl" => 300, "db" => "neo4j", "servers" => Value::List(servers) };
    programs.push(
        Program::new(5)
            .then(&[op::ROUTE])
            .success(params! { "rt" => table })
            .then(&[op::ANSWER]),
    );
    programs.push(
        Program::new(5)
            .then(&[op::BEGIN, 6, op::LOG_ON_ANEW, op::RESET])
            .then(&[op::RAW, 0, 0, 5, 0, 2, 0xB0, 0x7E, 0, op::RAW, 0, 0, 1, 0]),
    );
    programs.into_iter().map(|program| program.0)
}

/// What clients send: our own requests.
fn clients() -> impl Iterator<Item = Vec<u8>> {
    let run = |text: &str| {
        let mut machine = Machine::new(Version::new(5, 4));
        let parameters = params! { "x" => 1, "list" => vec!["a"] };
        let stream = machine.run(&text.into(), &parameters, Some(&Begin::default()));
        drop(stream.and_then(|stream| machine.pull(stream, 2)));
        machine.outgoing().to_vec()
    };
    let written = |write: fn(&mut Machine)| {
        let mut machine = Machine::new(Version::new(5, 4));
        write(&mut machine);
        machine.outgoing().to_vec()
    };
    let logged_on = [stage::LOGGED_ON];
    let transaction = written(|machine| {
        drop(machine.begin(&Begin {
            metadata: params! { "who" => "me" },
            timeout: Some(std::time::Duration::from_secs(1)),
            ..Begin::default()
        }));
        for text in ["RETURN 1", "RETURN 2"] {
            let stream = machine.run(&text.into(), &(), None);
            drop(stream.and_then(|stream| machine.pull(stream, 1)));
        }
        drop(machine.commit());
    });
    let route = written(|machine| {
        let context = params! { "address" => "a:1" };
        drop(machine.route(&context, &Default::default(), None, None));
        drop(machine.log_on_anew(&AuthToken::basic("a", "b")));
        machine.goodbye();
    });
    let reset = [
        run("R"),
        written(|machine| drop(machine.reset())),
        run("R2"),
    ]
    .concat();
    let login = written(|machine| {
        drop(machine.hello(
            "a/1",
            &AuthToken::basic("a", "b"),
            None,
            &Default::default(),
        ));
    });
    let rolled_back = written(|machine| {
        drop(machine.begin(&Begin::default()));
        drop(machine.rollback());
    });
    let long = "a statement of which there are more than forty records, so that it fails";
    let proposal = crate::protocol::handshake::PROPOSAL.to_vec();
    let mut seeds = vec![
        [&[stage::NOTHING][..], &proposal, &login].concat(),
        [&[stage::VERSION][..], &login].concat(),
    ];
    for sent in [
        run("RETURN 1"),
        run(long),
        transaction,
        route,
        reset,
        rolled_back,
    ] {
        seeds.push([&logged_on[..], &sent].concat());
    }
    seeds
        .into_iter()
        .flat_map(|seed| [[2, 0], [2, 0x13], [0, 0x21]].map(|head| [&head[..], &seed].concat()))
}
