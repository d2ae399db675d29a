//! Whole conversations, message by message.

use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::*;
use crate::packstream::{Decoder, Dialect, Encoder, FromBolt, ToBolt};
use crate::params;
use crate::protocol::chunk::{Dechunker, frame};
use crate::protocol::tag;
use crate::value::{Map, Value};

/// Counts to what it is asked for; `sleep` takes for ever, `fail` fails.
struct Counter;

struct CounterSession;

struct CounterResults {
    columns: Vec<String>,
    left: i64,
}

impl Backend for Counter {
    type Session = CounterSession;

    fn agent(&self) -> String {
        "Neo4j/5.26.0".into()
    }

    async fn authenticate(&self, auth: &Map) -> Result<(), Failure> {
        match auth.get("credentials") {
            Some(Value::String(secret)) if secret == "wrong" => Err(Failure::new(
                "Neo.ClientError.Security.Unauthorized",
                "wrong password",
            )),
            _ => Ok(()),
        }
    }

    fn session(&self) -> CounterSession {
        CounterSession
    }
}

impl Session for CounterSession {
    type Results = CounterResults;

    async fn begin(&mut self, _: TransactionOptions) -> Result<(), Failure> {
        Ok(())
    }

    async fn run(
        &mut self,
        query: Query,
        _: Option<TransactionOptions>,
    ) -> Result<CounterResults, Failure> {
        match query.text.as_str() {
            "sleep" => std::future::pending().await,
            "fail" => Err(Failure::new("Neo.ClientError.Statement.SyntaxError", "no")),
            text => Ok(CounterResults {
                columns: vec!["n".into()],
                left: text.parse().unwrap_or(0),
            }),
        }
    }

    async fn commit(&mut self) -> Result<Option<String>, Failure> {
        Ok(Some("mark".into()))
    }

    async fn rollback(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    async fn reset(&mut self) -> Result<(), Failure> {
        Ok(())
    }
}

impl Results for CounterResults {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    async fn next(&mut self) -> Result<Option<Vec<Value>>, Failure> {
        self.left -= 1;
        Ok((self.left >= 0).then(|| vec![Value::Integer(self.left)]))
    }

    async fn finish(&mut self) -> Result<Summary, Failure> {
        Ok(Summary {
            query_type: "r".into(),
            ..Summary::default()
        })
    }
}

struct Client {
    stream: DuplexStream,
    arrived: BytesMut,
    dechunker: Dechunker,
    server: tokio::task::JoinHandle<Result<(), ServeError>>,
}

impl Client {
    async fn connect(config: ServerConfig) -> Self {
        let (mut stream, end) = tokio::io::duplex(512);
        let server = tokio::spawn(async move { serve_stream(end, &Counter, &config).await });
        stream
            .write_all(&[
                0x60, 0x60, 0xB0, 0x17, 0, 4, 4, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            ])
            .await
            .unwrap();
        let mut version = [0; 4];
        stream.read_exact(&mut version).await.unwrap();
        assert_eq!(version, [0, 0, 4, 5]);
        Self {
            stream,
            arrived: BytesMut::new(),
            dechunker: Dechunker::new(1 << 20),
            server,
        }
    }

    async fn ready() -> Self {
        let mut client = Self::connect(ServerConfig::default()).await;
        client
            .send(&[
                (tag::HELLO, vec![map(params! {})]),
                (tag::LOGON, vec![map(params! {})]),
            ])
            .await;
        assert_eq!(client.answer().await.0, tag::SUCCESS);
        assert_eq!(client.answer().await.0, tag::SUCCESS);
        client
    }

    async fn send(&mut self, messages: &[(u8, Vec<Value>)]) {
        let mut out = BytesMut::new();
        for (tag, fields) in messages {
            frame(&mut out, |out| {
                let mut encoder = Encoder::new(out, Dialect::NEWEST);
                encoder.structure(*tag, u8::try_from(fields.len()).unwrap());
                fields
                    .iter()
                    .try_for_each(|field| field.to_bolt(&mut encoder))
            })
            .unwrap();
        }
        self.stream.write_all(&out).await.unwrap();
    }

    /// The next answer: its tag and its field.
    async fn answer(&mut self) -> (u8, Value) {
        loop {
            if let Some(message) = self.dechunker.next(&mut self.arrived).unwrap() {
                let mut decoder = Decoder::new(&message);
                let (tag, fields) = decoder.structure().unwrap();
                let field = (fields > 0).then(|| Value::from_bolt(&mut decoder).unwrap());
                return (tag, field.unwrap_or_default());
            }
            let read = self.stream.read_buf(&mut self.arrived).await.unwrap();
            assert_ne!(read, 0, "the server hung up");
        }
    }

    async fn answers(&mut self, count: usize) -> Vec<u8> {
        let mut tags = Vec::new();
        for _ in 0..count {
            tags.push(self.answer().await.0);
        }
        tags
    }
}

fn map(map: Map) -> Value {
    Value::Map(map)
}

fn run(text: &str) -> (u8, Vec<Value>) {
    (
        tag::RUN,
        vec![text.into(), map(params! {}), map(params! {})],
    )
}

fn pull(n: i64, qid: i64) -> (u8, Vec<Value>) {
    (tag::PULL, vec![map(params! { "n" => n, "qid" => qid })])
}

fn simple(tag: u8) -> (u8, Vec<Value>) {
    (tag, vec![])
}

fn begin() -> (u8, Vec<Value>) {
    (tag::BEGIN, vec![map(params! {})])
}

fn field(value: &Value, key: &str) -> Value {
    match value {
        Value::Map(map) => map.get(key).cloned().unwrap_or_default(),
        _ => Value::Null,
    }
}

#[tokio::test]
async fn records_come_in_the_batches_asked_for() {
    let mut client = Client::ready().await;
    client.send(&[run("3"), pull(2, -1), pull(1, -1)]).await;
    assert_eq!(
        client.answers(3).await,
        [tag::SUCCESS, tag::RECORD, tag::RECORD]
    );
    let (_, summary) = client.answer().await;
    assert_eq!(field(&summary, "has_more"), Value::Boolean(true));
    assert_eq!(client.answer().await.0, tag::RECORD);
    let (_, summary) = client.answer().await;
    assert_eq!(
        field(&summary, "has_more"),
        Value::Null,
        "the last record was the last"
    );
    assert_eq!(field(&summary, "type"), Value::from("r"));
}

#[tokio::test]
async fn several_results_in_one_transaction() {
    let mut client = Client::ready().await;
    client
        .send(&[
            begin(),
            run("2"),
            run("1"),
            pull(1, 0),
            pull(-1, 1),
            pull(-1, 0),
            simple(tag::COMMIT),
        ])
        .await;
    client.answer().await;
    assert_eq!(field(&client.answer().await.1, "qid"), Value::Integer(0));
    assert_eq!(field(&client.answer().await.1, "qid"), Value::Integer(1));
    let (s, r) = (tag::SUCCESS, tag::RECORD);
    assert_eq!(client.answers(6).await, [r, s, r, s, r, s]);
    assert_eq!(
        field(&client.answer().await.1, "bookmark"),
        Value::from("mark")
    );
}

#[tokio::test]
async fn behind_a_failure_all_is_ignored_until_reset() {
    let mut client = Client::ready().await;
    client
        .send(&[begin(), run("fail"), pull(-1, -1), simple(tag::COMMIT)])
        .await;
    assert_eq!(
        client.answers(4).await,
        [tag::SUCCESS, tag::FAILURE, tag::IGNORED, tag::IGNORED]
    );
    client
        .send(&[simple(tag::RESET), run("1"), pull(-1, -1)])
        .await;
    assert_eq!(
        client.answers(4).await,
        [tag::SUCCESS, tag::SUCCESS, tag::RECORD, tag::SUCCESS]
    );
}

#[tokio::test]
async fn a_reset_interrupts_what_runs_and_all_that_waits() {
    let mut client = Client::ready().await;
    client.send(&[begin(), run("sleep"), pull(-1, -1)]).await;
    assert_eq!(client.answer().await.0, tag::SUCCESS);
    client
        .send(&[simple(tag::RESET), run("1"), pull(-1, -1)])
        .await;
    let (answer, failure) = client.answer().await;
    assert_eq!(answer, tag::FAILURE);
    assert_eq!(
        field(&failure, "code"),
        Value::from("Neo.TransientError.Transaction.Terminated")
    );
    assert_eq!(
        client.answers(5).await,
        [
            tag::IGNORED,
            tag::SUCCESS,
            tag::SUCCESS,
            tag::RECORD,
            tag::SUCCESS
        ]
    );
}

#[tokio::test]
async fn a_client_that_writes_much_before_it_reads_is_served() {
    let mut client = Client::ready().await;
    // Far more than the 512 bytes that the stream holds, in both directions.
    let messages: Vec<_> = (0..500).flat_map(|_| [run("20"), pull(-1, -1)]).collect();
    let sent = tokio::time::timeout(Duration::from_secs(10), client.send(&messages)).await;
    assert!(sent.is_ok(), "both ends wait for each other");
    assert_eq!(client.answers(500 * 22).await.len(), 11_000);
}

#[tokio::test]
async fn what_is_out_of_place_ends_the_connection_with_a_reason() {
    for messages in [
        vec![pull(-1, -1)],
        vec![simple(tag::COMMIT)],
        vec![run("1"), run("1")],
        vec![begin(), begin()],
        vec![(0x77, vec![])],
        vec![(tag::RUN, vec![Value::Null])],
    ] {
        let mut client = Client::ready().await;
        client.send(&messages).await;
        let mut last = client.answer().await;
        for _ in 1..messages.len() {
            last = client.answer().await;
        }
        assert_eq!(last.0, tag::FAILURE, "{messages:?}");
        assert_eq!(
            field(&last.1, "code"),
            Value::from("Neo.ClientError.Request.Invalid")
        );
        assert!(matches!(
            client.server.await.unwrap(),
            Err(ServeError::Refused(_))
        ));
    }
}

#[tokio::test]
async fn nothing_is_done_before_the_client_is_logged_on() {
    let mut client = Client::connect(ServerConfig::default()).await;
    client
        .send(&[(tag::HELLO, vec![map(params! {})]), run("1")])
        .await;
    assert_eq!(client.answers(2).await, [tag::SUCCESS, tag::FAILURE]);

    let mut client = Client::connect(ServerConfig::default()).await;
    let wrong = map(params! { "scheme" => "basic", "credentials" => "wrong" });
    client
        .send(&[
            (tag::HELLO, vec![map(params! {})]),
            (tag::LOGON, vec![wrong]),
        ])
        .await;
    client.answer().await;
    let (_, failure) = client.answer().await;
    assert_eq!(
        field(&failure, "code"),
        Value::from("Neo.ClientError.Security.Unauthorized")
    );
}

#[tokio::test(start_paused = true)]
async fn who_does_not_log_on_is_sent_away() {
    let client = Client::connect(ServerConfig::default()).await;
    assert!(matches!(
        client.server.await.unwrap(),
        Err(ServeError::AuthenticationTimeout)
    ));
}

#[tokio::test]
async fn bytes_that_are_no_messages_end_the_connection() {
    let config = ServerConfig {
        max_message_size: 1000,
        ..ServerConfig::default()
    };
    for bytes in [
        &[0xFF, 0xFF][..],
        &[0, 2, 0xB1, 0x01, 0, 0],
        &[0, 6, 0xB1, 0x01, 0xDA, 0xFF, 0xFF, 0xFF, 0, 0],
        &[0, 1, 0xC4, 0, 0],
    ] {
        let mut client = Client::connect(config.clone()).await;
        client.stream.write_all(bytes).await.unwrap();
        let ended = tokio::time::timeout(Duration::from_secs(5), client.server).await;
        assert!(ended.unwrap().unwrap().is_err(), "{bytes:02X?}");
    }
    // Every message cut at every byte, and every byte of it changed: no panic, no hang.
    let mut whole = BytesMut::new();
    frame(&mut whole, |out| {
        let mut encoder = Encoder::new(out, Dialect::NEWEST);
        encoder.structure(tag::HELLO, 1);
        params! { "user_agent" => "x", "n" => vec![1, 2] }.to_bolt(&mut encoder)
    })
    .unwrap();
    for at in 0..whole.len() {
        for change in [0x00, 0x7F, 0xD6, 0xFF] {
            let mut bytes = whole.to_vec();
            bytes[at] = change;
            let mut client = Client::connect(config.clone()).await;
            client.stream.write_all(&bytes).await.unwrap();
            drop(client.stream);
            let ended = tokio::time::timeout(Duration::from_secs(5), client.server).await;
            assert!(ended.unwrap().is_ok(), "the server panicked: {bytes:02X?}");
        }
    }
}

#[tokio::test]
async fn a_routing_table_names_the_server_as_the_client_did() {
    let mut client = Client::ready().await;
    let routing = map(params! { "address" => "db.example:7687" });
    client
        .send(&[(
            tag::ROUTE,
            vec![routing, Value::List(vec![]), map(params! {})],
        )])
        .await;
    let (_, answer) = client.answer().await;
    let Value::List(servers) = field(&field(&answer, "rt"), "servers") else {
        panic!("{answer:?}")
    };
    let roles: Vec<_> = servers.iter().map(|server| field(server, "role")).collect();
    assert_eq!(roles, ["ROUTE".into(), "READ".into(), "WRITE".into()]);
    for server in &servers {
        assert_eq!(
            field(server, "addresses"),
            Value::from(vec!["db.example:7687"])
        );
    }
}
