//! The server's end of a connection in memory, played by a test: message by message, or by
//! [`Peer::serve`] as a well-behaved server that does what the statement's text says.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use neo_bolt::packstream::{Decoder, Dialect, Encoder, FromBolt, ToBolt};
use neo_bolt::value::{Map, Value};
use neo_bolt::{
    Address, AuthToken, BoxedStream, Connector, Driver, DriverBuilder, RetryPolicy, SessionConfig,
    params,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub(crate) const RESET: u8 = 0x0F;
pub(crate) const RUN: u8 = 0x10;
pub(crate) const BEGIN: u8 = 0x11;
pub(crate) const COMMIT: u8 = 0x12;
pub(crate) const ROLLBACK: u8 = 0x13;
pub(crate) const DISCARD: u8 = 0x2F;
pub(crate) const PULL: u8 = 0x3F;
pub(crate) const ROUTE: u8 = 0x66;
pub(crate) const HELLO: u8 = 0x01;
const GOODBYE: u8 = 0x02;
pub(crate) const LOGON: u8 = 0x6A;
pub(crate) const LOGOFF: u8 = 0x6B;

type Script = Box<dyn Fn(Peer) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// Gives each connection to a script, and keeps what came on the wire.
pub(crate) struct Server {
    script: Script,
    opened: AtomicUsize,
    log: Arc<Mutex<Vec<(usize, u8)>>>,
}

impl Server {
    pub(crate) fn new<F, Fut>(script: F) -> Arc<Self>
    where
        F: Fn(Peer) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let script: Script = Box::new(move |peer| Box::pin(script(peer)));
        Arc::new(Self {
            script,
            opened: AtomicUsize::new(0),
            log: Arc::default(),
        })
    }

    /// A server without faults.
    pub(crate) fn sound() -> Arc<Self> {
        Self::new(|mut peer| async move {
            peer.log_in().await;
            peer.serve().await;
        })
    }

    /// How many connections were opened.
    pub(crate) fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }

    /// The tags of the requests on connection `number`, without the login.
    pub(crate) fn requests(&self, number: usize) -> Vec<u8> {
        let log = self.log.lock().unwrap();
        log.iter()
            .filter(|(on, _)| *on == number)
            .map(|(_, tag)| *tag)
            .collect()
    }

    pub(crate) fn builder(self: &Arc<Self>) -> DriverBuilder {
        self.builder_for("bolt://peer:7687")
    }

    pub(crate) fn builder_for(self: &Arc<Self>, uri: &str) -> DriverBuilder {
        Driver::builder(uri)
            .auth(AuthToken::basic("neo4j", "secret"))
            .connector(Arc::new(Wire(Arc::clone(self))))
            .connection_timeout(Duration::from_secs(2))
            .retry_policy(RetryPolicy {
                initial_delay: Duration::from_millis(1),
                max_retry_time: Duration::from_secs(1),
                ..RetryPolicy::default()
            })
    }

    pub(crate) fn driver(self: &Arc<Self>) -> Driver {
        self.builder().build().unwrap()
    }
}

struct Wire(Arc<Server>);

impl Connector for Wire {
    fn connect<'a>(
        &'a self,
        address: &'a Address,
    ) -> Pin<Box<dyn Future<Output = io::Result<BoxedStream>> + Send + 'a>> {
        Box::pin(async move {
            let (ours, theirs) = tokio::io::duplex(1 << 16);
            let number = self.0.opened.fetch_add(1, Ordering::SeqCst);
            let log = Arc::clone(&self.0.log);
            let address = address.to_string();
            let peer = Peer {
                stream: Box::new(theirs),
                number,
                address,
                log,
                allowance: None,
            };
            tokio::spawn((self.0.script)(peer));
            Ok(Box::new(ours) as BoxedStream)
        })
    }
}

/// One request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) tag: u8,
    pub(crate) fields: Vec<Value>,
}

impl Request {
    pub(crate) fn text(&self) -> &str {
        match self.fields.first() {
            Some(Value::String(text)) => text,
            other => panic!("{other:?} is no statement"),
        }
    }

    /// The last field: what goes with a request.
    pub(crate) fn extra(&self) -> &Map {
        match self.fields.last() {
            Some(Value::Map(map)) => map,
            other => panic!("{other:?} is no map"),
        }
    }

    pub(crate) fn number(&self, key: &str) -> Option<i64> {
        match self.extra().get(key) {
            Some(Value::Integer(number)) => Some(*number),
            _ => None,
        }
    }
}

/// The server's end of one connection.
pub(crate) struct Peer {
    pub(crate) stream: BoxedStream,
    /// Which connection of the server it is, from 0.
    pub(crate) number: usize,
    /// What the driver thinks it is talking to.
    pub(crate) address: String,
    log: Arc<Mutex<Vec<(usize, u8)>>>,
    /// After how many more bytes of answers the connection is cut.
    pub(crate) allowance: Option<usize>,
}

impl Peer {
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        let bytes = match &mut self.allowance {
            None => bytes,
            Some(left) => {
                let part = &bytes[..bytes.len().min(*left)];
                *left -= part.len();
                part
            }
        };
        // The client may have gone; then the test ends otherwise.
        let _ = self.stream.write_all(bytes).await;
        let _ = self.stream.flush().await;
        if self.allowance == Some(0) {
            let _ = self.stream.shutdown().await;
        }
    }

    pub(crate) async fn read(&mut self, count: usize) -> Option<Vec<u8>> {
        if self.allowance == Some(0) {
            return None;
        }
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes).await.ok().map(|_| bytes)
    }

    /// Bolt 5.4, by the classic handshake, and a login that is taken.
    pub(crate) async fn log_in(&mut self) {
        self.log_in_as(4, 5).await;
    }

    pub(crate) async fn log_in_as(&mut self, minor: u8, major: u8) {
        self.log_in_with(minor, major, Map::new()).await;
    }

    /// As a server that hints at things.
    pub(crate) async fn log_in_with(&mut self, minor: u8, major: u8, hints: Map) {
        if self.read(20).await.is_none() {
            return;
        }
        self.write(&[0, 0, minor, major]).await;
        if self.expect(HELLO).await.is_none() {
            return;
        }
        let said = params! {
            "server" => "Neo4j/5.26.0", "connection_id" => "bolt-1", "hints" => hints,
        };
        self.success(said).await;
        if (major, minor) >= (5, 1) && self.expect(LOGON).await.is_some() {
            self.success(Map::new()).await;
        }
    }

    /// The next request; `None` where the client has gone.
    pub(crate) async fn receive(&mut self) -> Option<Request> {
        let mut message = Vec::new();
        loop {
            let header = self.read(2).await?;
            let len = usize::from(u16::from_be_bytes([header[0], header[1]]));
            if len == 0 {
                break;
            }
            message.extend(self.read(len).await?);
        }
        let mut decoder = Decoder::new(&message);
        let (tag, count) = decoder.structure().unwrap();
        let fields = (0..count)
            .map(|_| Value::from_bolt(&mut decoder).unwrap())
            .collect();
        decoder.finish().unwrap();
        if tag != HELLO && tag != LOGON {
            self.log.lock().unwrap().push((self.number, tag));
        }
        Some(Request { tag, fields })
    }

    /// The next request, which must be this one; `None` where the client has gone.
    pub(crate) async fn expect(&mut self, tag: u8) -> Option<Request> {
        let request = self.receive().await?;
        assert_eq!(request.tag, tag, "{request:?} came, 0x{tag:02X} was due");
        Some(request)
    }

    pub(crate) async fn send(&mut self, tag: u8, fields: &[Value]) {
        let mut message = bytes::BytesMut::new();
        let mut encoder = Encoder::new(&mut message, Dialect::NEWEST);
        encoder.structure(tag, u8::try_from(fields.len()).unwrap());
        fields
            .iter()
            .for_each(|field| field.to_bolt(&mut encoder).unwrap());
        let mut framed = u16::try_from(message.len()).unwrap().to_be_bytes().to_vec();
        framed.extend_from_slice(&message);
        framed.extend_from_slice(&[0, 0]);
        self.write(&framed).await;
    }

    pub(crate) async fn success(&mut self, metadata: Map) {
        self.send(0x70, &[metadata.into()]).await;
    }

    pub(crate) async fn record(&mut self, values: Vec<Value>) {
        self.send(0x71, &[values.into()]).await;
    }

    pub(crate) async fn failure(&mut self, code: &str) {
        let metadata = params! { "code" => code, "message" => "so the server says" };
        self.send(0x7F, &[metadata.into()]).await;
    }

    pub(crate) async fn ignored(&mut self) {
        self.send(0x7E, &[]).await;
    }

    /// Answers what comes, as a server does. A statement that is a number returns as many
    /// records; one that is a code of the server's fails with it; others return nothing.
    pub(crate) async fn serve(&mut self) {
        let mut open: Vec<(i64, i64)> = Vec::new();
        let (mut failed, mut in_transaction, mut next_qid) = (false, false, 0);
        while let Some(request) = self.receive().await {
            match request.tag {
                GOODBYE => return,
                LOGOFF | LOGON => self.success(Map::new()).await,
                RESET => {
                    (failed, in_transaction) = (false, false);
                    open.clear();
                    self.success(Map::new()).await;
                }
                _ if failed => self.ignored().await,
                BEGIN | ROLLBACK => {
                    in_transaction = request.tag == BEGIN;
                    open.clear();
                    next_qid = 0;
                    self.success(Map::new()).await;
                }
                COMMIT if in_transaction && open.is_empty() => {
                    in_transaction = false;
                    let bookmark = format!("bookmark-{}", self.number);
                    self.success(params! { "bookmark" => bookmark }).await;
                }
                RUN if request.text().starts_with("Neo.") => {
                    failed = true;
                    let code = request.text().to_owned();
                    self.failure(&code).await;
                }
                RUN => {
                    let count: i64 = request.text().parse().unwrap_or(0);
                    open.push((next_qid, count));
                    let mut metadata = params! { "fields" => vec!["n"], "t_first" => 1 };
                    if in_transaction {
                        metadata.insert("qid".to_owned(), next_qid.into());
                    }
                    next_qid += 1;
                    self.success(metadata).await;
                }
                PULL | DISCARD if !open.is_empty() => {
                    let qid = request.number("qid").unwrap_or(next_qid - 1);
                    let index = open.iter().position(|(id, _)| *id == qid).unwrap();
                    let wanted = request.number("n").unwrap();
                    let left = open[index].1;
                    let count = if wanted < 0 { left } else { left.min(wanted) };
                    if request.tag == PULL {
                        for number in 0..count {
                            self.record(vec![(left - number).into()]).await;
                        }
                    }
                    open[index].1 -= count;
                    if open[index].1 > 0 {
                        self.success(params! { "has_more" => true }).await;
                    } else {
                        open.remove(index);
                        let mut metadata = params! { "type" => "r", "db" => "neo4j" };
                        if !in_transaction {
                            metadata.insert("bookmark".to_owned(), "auto".into());
                        }
                        self.success(metadata).await;
                    }
                }
                _ => {
                    failed = true;
                    self.failure("Neo.ClientError.Request.Invalid").await;
                }
            }
        }
    }
}

/// Sessions whose transactions begin with their first statement: the shorter exchange.
pub(crate) fn pipelined() -> SessionConfig {
    SessionConfig::default().pipelined_begin(true)
}
