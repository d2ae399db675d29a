//! The server's end, with a client that may send anything.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::input::{Input, pieces};
use crate::protocol::chunk::Dechunker;
use crate::protocol::parse_response;
use crate::server::{
    Backend, Failure, Query, Results, ServerConfig, Session, Summary, TransactionOptions,
    serve_stream,
};
use crate::value::{Map, Value};

/// The versions that the first byte chooses from.
pub(super) const VERSIONS: [(u8, u8); 4] = [(4, 4), (5, 0), (5, 4), (5, 6)];

/// How far the client has come before its own bytes are sent.
pub(super) mod stage {
    pub(crate) const NOTHING: u8 = 0;
    pub(crate) const VERSION: u8 = 1;
    pub(crate) const LOGGED_ON: u8 = 2;
    pub(crate) const COUNT: u8 = 3;
}

/// One byte for the version, one for the cuts, one for how far the client has come; then what it
/// sends.
pub fn server(data: &[u8]) {
    let mut input = Input::new(data);
    let version = VERSIONS[usize::from(input.byte()) % VERSIONS.len()];
    let cut = input.byte();
    let stage = input.byte() % stage::COUNT;
    let mut bytes = Vec::new();
    if stage >= stage::VERSION {
        bytes.extend([0x60, 0x60, 0xB0, 0x17, 0, 0, version.1, version.0]);
        bytes.extend([0; 12]);
    }
    if stage >= stage::LOGGED_ON {
        bytes.extend(b"\x00\x03\xB1\x01\xA0\x00\x00");
        if version >= (5, 1) {
            bytes.extend(b"\x00\x03\xB1\x6A\xA0\x00\x00");
        }
    }
    bytes.extend(input.rest());
    let mut client = Client {
        sends: pieces(&bytes, cut).map(<[u8]>::to_vec).collect(),
        received: BytesMut::new(),
        hesitates: false,
    };
    let config = ServerConfig {
        versions: VERSIONS.to_vec(),
        max_message_size: 1 << 16,
        ..ServerConfig::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    match runtime.block_on(serve_stream(&mut client, &Scripted, &config)) {
        Ok(()) => {}
        Err(error) => drop(error.to_string()),
    }
    // Whatever was sent, the answers are sound.
    if client.received.len() >= 4 && stage >= stage::VERSION {
        let mut answers = client.received.split_off(4);
        let mut dechunker = Dechunker::new(1 << 20);
        while let Some(answer) = dechunker.next(&mut answers).expect("sound chunks") {
            parse_response(answer).expect("a sound answer");
        }
        assert!(answers.is_empty(), "half an answer");
    }
}

/// What it sends comes in pieces, with pauses between.
struct Client {
    sends: VecDeque<Vec<u8>>,
    received: BytesMut,
    hesitates: bool,
}

impl AsyncRead for Client {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.hesitates = !self.hesitates;
        if self.hesitates {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Some(mut piece) = self.sends.pop_front() {
            let rest = piece.split_off(piece.len().min(into.remaining()));
            into.put_slice(&piece);
            if !rest.is_empty() {
                self.sends.push_front(rest);
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Client {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.received.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Does what a statement's length says, and checks that it is asked for in order.
struct Scripted;

struct ScriptedSession {
    in_transaction: bool,
}

struct ScriptedResults {
    columns: Vec<String>,
    parameters: Value,
    left: usize,
    finished: bool,
}

impl Backend for Scripted {
    type Session = ScriptedSession;

    fn agent(&self) -> String {
        "Neo4j/5.26.0".to_owned()
    }

    async fn authenticate(&self, auth: &Map) -> Result<(), Failure> {
        match auth.get("scheme") {
            Some(Value::String(scheme)) if scheme == "wrong" => Err(Failure::new(
                "Neo.ClientError.Security.Unauthorized",
                "wrong",
            )),
            _ => Ok(()),
        }
    }

    fn session(&self) -> ScriptedSession {
        ScriptedSession {
            in_transaction: false,
        }
    }
}

impl Session for ScriptedSession {
    type Results = ScriptedResults;

    async fn begin(&mut self, _: TransactionOptions) -> Result<(), Failure> {
        assert!(!self.in_transaction, "one transaction at a time");
        tokio::task::yield_now().await;
        self.in_transaction = true;
        Ok(())
    }

    async fn run(
        &mut self,
        query: Query,
        auto_commit: Option<TransactionOptions>,
    ) -> Result<ScriptedResults, Failure> {
        assert_ne!(self.in_transaction, auto_commit.is_some());
        tokio::task::yield_now().await;
        match query.text.len() {
            1 => Err(Failure::new("Neo.ClientError.Statement.SyntaxError", "no")),
            len => Ok(ScriptedResults {
                columns: vec!["n".to_owned()],
                parameters: Value::Map(query.parameters),
                left: len,
                finished: false,
            }),
        }
    }

    async fn commit(&mut self) -> Result<Option<String>, Failure> {
        assert!(self.in_transaction);
        self.in_transaction = false;
        Ok(Some("mark".to_owned()))
    }

    async fn rollback(&mut self) -> Result<(), Failure> {
        assert!(self.in_transaction);
        self.in_transaction = false;
        Ok(())
    }

    async fn reset(&mut self) -> Result<(), Failure> {
        self.in_transaction = false;
        Ok(())
    }
}

impl Results for ScriptedResults {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    async fn next(&mut self) -> Result<Option<Vec<Value>>, Failure> {
        assert!(!self.finished, "nothing is asked of a result that is over");
        if self.left.is_multiple_of(3) {
            tokio::task::yield_now().await;
        }
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        if left == 40 {
            return Err(Failure::new(
                "Neo.ClientError.Statement.ArithmeticError",
                "/ 0",
            ));
        }
        Ok(Some(vec![self.parameters.clone()]))
    }

    async fn finish(&mut self) -> Result<Summary, Failure> {
        assert!(!self.finished);
        self.finished = true;
        Ok(Summary {
            query_type: "r".to_owned(),
            ..Summary::default()
        })
    }
}
