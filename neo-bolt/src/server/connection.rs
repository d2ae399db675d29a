//! One connection: its states, and the loop that answers message by message.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};

use super::handshake::{self, Version};
use super::inbox::{Inbox, Watched};
use super::request::{Fetch, Request};
use super::response::Outbox;
use super::results::{OpenResult, OpenResults};
use super::{Backend, Failure, Query, Results, Session, TransactionOptions};
use crate::packstream::{Dialect, EncodeError};
use crate::value::{Map, Value};

/// How many bytes of records are collected before they are sent.
const FLUSH_AT: usize = 32 << 10;
/// How long answers wait for the next one, to be sent together.
const PATIENCE: Duration = Duration::from_millis(10);
/// How long a client may keep a routing table, in seconds.
const ROUTING_TTL: i64 = 300;

/// How a server treats its connections.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// The versions of Bolt spoken, as (major, minor); 4.4 and 5.0 to 5.6 may be named, and
    /// 5.0 to 5.4 are unless told otherwise.
    pub versions: Vec<(u8, u8)>,
    /// The largest message taken, in bytes; 256 MiB unless told otherwise.
    pub max_message_size: usize,
    /// How long a client may take until it is logged on; 30 s unless told otherwise.
    pub authentication_timeout: Duration,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            versions: vec![(5, 4), (5, 3), (5, 2), (5, 1), (5, 0)],
            max_message_size: 256 << 20,
            authentication_timeout: Duration::from_secs(30),
        }
    }
}

/// Why a connection ended otherwise than by the client's `GOODBYE`, or by its closing the stream
/// between two messages.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The stream failed.
    #[error("the stream failed: {0}")]
    Io(#[from] io::Error),
    /// The client's first bytes are not Bolt's.
    #[error("the client does not speak Bolt")]
    NotBolt,
    /// The client and this server have no version of Bolt in common.
    #[error("the client offered no version of Bolt that this server speaks")]
    NoCommonVersion,
    /// The client closed the stream between two messages.
    #[error("the client closed the connection")]
    Closed,
    /// The client closed the stream in the middle of a message.
    #[error("the client closed the connection in the middle of a message")]
    Truncated,
    /// A message was larger than [`ServerConfig::max_message_size`].
    #[error("a message was larger than the server takes")]
    MessageTooLarge,
    /// The client did not log on in time.
    #[error("the client did not log on in time")]
    AuthenticationTimeout,
    /// The client broke the protocol, or could not be served any more; it was told so.
    #[error("{0}")]
    Refused(#[from] Failure),
    /// An answer can't be put into the negotiated version of Bolt.
    #[error("an answer can't be sent: {0}")]
    Encode(#[from] EncodeError),
}

/// Serves one client until it says goodbye or the stream ends.
///
/// # Errors
/// See [`ServeError`]; whatever was open is rolled back first.
///
/// # Cancel safety
/// Dropping the future closes the stream and drops the session.
pub async fn serve_stream<S, B>(
    mut stream: S,
    backend: &B,
    config: &ServerConfig,
) -> Result<(), ServeError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    B: Backend,
{
    let deadline = tokio::time::Instant::now() + config.authentication_timeout;
    let version = tokio::time::timeout_at(
        deadline,
        handshake::negotiate(&mut stream, &config.versions),
    )
    .await
    .map_err(|_| ServeError::AuthenticationTimeout)??;
    let (reader, writer) = tokio::io::split(stream);
    let modern = version.major >= 5;
    let mut connection = Connection {
        inbox: Inbox::new(reader, config.max_message_size),
        writer,
        outbox: Outbox::new(Dialect {
            utc_datetimes: modern,
            vectors: false,
            element_ids: modern,
        }),
        backend,
        session: backend.session(),
        version,
        deadline,
        state: State::Connected,
    };
    match connection.run().await {
        Ok(()) | Err(ServeError::Closed) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Where a connection stands.
///
/// ```text
/// Connected --HELLO--> Authentication --LOGON--> Ready --RUN--> Streaming --PULL..--> Ready
///     (before 5.1 HELLO logs on)        <-LOGOFF-  |--BEGIN--> Transaction --COMMIT--> Ready
///                                                  any failure --> Failed --RESET--> Ready
/// ```
enum State<R> {
    Connected,
    Authentication,
    Ready,
    Streaming(OpenResult<R>),
    Transaction(OpenResults<R>),
    Failed,
}

/// Why the answer to a message is not the expected one.
enum Stop {
    /// The client is told, and must send `RESET`.
    Failure(Failure),
    /// The client is told, and the connection is closed.
    Refuse(Failure),
    /// The connection is of no more use.
    Broken(ServeError),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<ServeError> for Stop {
    fn from(error: ServeError) -> Self {
        Self::Broken(error)
    }
}

impl From<EncodeError> for Stop {
    fn from(error: EncodeError) -> Self {
        Self::Broken(error.into())
    }
}

enum Flow {
    Go,
    Close,
}

type SessionOf<B> = <B as Backend>::Session;
type ResultsOf<B> = <SessionOf<B> as Session>::Results;

struct Connection<'b, S, B: Backend> {
    inbox: Inbox<ReadHalf<S>>,
    writer: WriteHalf<S>,
    outbox: Outbox,
    backend: &'b B,
    session: B::Session,
    version: Version,
    deadline: tokio::time::Instant,
    state: State<ResultsOf<B>>,
}

impl<S, B> Connection<'_, S, B>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    B: Backend,
{
    async fn run(&mut self) -> Result<(), ServeError> {
        let ended = self.serve().await;
        self.state = State::Failed;
        self.session.reset().await?;
        ended
    }

    async fn serve(&mut self) -> Result<(), ServeError> {
        loop {
            let message = match self.inbox.take() {
                Some(message) => message,
                None => {
                    self.flush().await?;
                    self.next_message().await?
                }
            };
            match self.answer(&message).await {
                Ok(Flow::Go) => {}
                Ok(Flow::Close) => return Ok(()),
                Err(Stop::Failure(failure)) => self.fail(failure).await?,
                Err(Stop::Refuse(failure)) => {
                    self.outbox.failure(failure.clone())?;
                    self.flush().await?;
                    return Err(failure.into());
                }
                Err(Stop::Broken(error)) => return Err(error),
            }
        }
    }

    async fn next_message(&mut self) -> Result<bytes::Bytes, ServeError> {
        if matches!(self.state, State::Connected | State::Authentication) {
            tokio::time::timeout_at(self.deadline, self.inbox.next())
                .await
                .map_err(|_| ServeError::AuthenticationTimeout)?
        } else {
            self.inbox.next().await
        }
    }

    /// Tells of a failure, and gives up at once what the transaction holds.
    async fn fail(&mut self, failure: Failure) -> Result<(), ServeError> {
        self.state = State::Failed;
        self.session.reset().await?;
        Ok(self.outbox.failure(failure)?)
    }

    async fn answer(&mut self, message: &[u8]) -> Result<Flow, Stop> {
        let request = Request::read(message).map_err(Stop::Refuse)?;
        match request {
            Request::Goodbye => return Ok(Flow::Close),
            Request::Hello(auth) if matches!(self.state, State::Connected) => {
                self.hello(auth).await?;
            }
            Request::Logon(auth) if matches!(self.state, State::Authentication) => {
                self.authenticate(&auth).await?;
                self.outbox.success(Map::new())?;
            }
            request if matches!(self.state, State::Connected | State::Authentication) => {
                return Err(Stop::Refuse(Failure::invalid_request(format_args!(
                    "{} came before the client was logged on",
                    request.name()
                ))));
            }
            // While another RESET waits, this one is not the last word.
            Request::Reset if self.inbox.has_reset() => self.outbox.ignored()?,
            Request::Reset => {
                self.state = State::Ready;
                self.session.reset().await.map_err(Stop::Refuse)?;
                self.outbox.success(Map::new())?;
            }
            _ if self.inbox.has_reset() || matches!(self.state, State::Failed) => {
                self.outbox.ignored()?;
            }
            request => self.dispatch(request).await?,
        }
        Ok(Flow::Go)
    }

    async fn dispatch(&mut self, request: Request) -> Result<(), Stop> {
        match (request, std::mem::replace(&mut self.state, State::Ready)) {
            (Request::Run(query, options), State::Ready) => {
                let (result, mut metadata) = self.start(query, Some(options)).await?;
                metadata.remove("qid");
                self.state = State::Streaming(result);
                self.outbox.success(metadata)?;
            }
            (Request::Run(query, _), State::Transaction(mut open)) => {
                let (result, mut metadata) = self.start(query, None).await?;
                metadata.insert("qid".into(), open.insert(result).into());
                self.state = State::Transaction(open);
                self.outbox.success(metadata)?;
            }
            (request @ (Request::Pull(fetch) | Request::Discard(fetch)), state) => {
                let send = matches!(request, Request::Pull(_));
                self.fetch(fetch, send, request.name(), state).await?;
            }
            (Request::Begin(options), State::Ready) => {
                let begun = self
                    .inbox
                    .watch(
                        self.session.begin(options),
                        flush_late(&mut self.writer, &mut self.outbox),
                    )
                    .await;
                uninterrupted(begun)?;
                self.state = State::Transaction(OpenResults::default());
                self.outbox.success(Map::new())?;
            }
            (Request::Commit, State::Transaction(open)) => {
                drop(open);
                let bookmark = self.session.commit().await?;
                let mut metadata = Map::new();
                if let Some(bookmark) = bookmark {
                    metadata.insert("bookmark".into(), bookmark.into());
                }
                self.outbox.success(metadata)?;
            }
            (Request::Rollback, State::Transaction(open)) => {
                drop(open);
                self.session.rollback().await?;
                self.outbox.success(Map::new())?;
            }
            (Request::Route { routing }, State::Ready) => {
                self.outbox.success(routing_table(&routing)?)?;
            }
            (Request::Logoff, State::Ready) if self.version >= LOGON_SINCE => {
                self.state = State::Authentication;
                self.deadline = tokio::time::Instant::now() + Duration::from_secs(30);
                self.outbox.success(Map::new())?;
            }
            (Request::Telemetry, State::Ready) => self.outbox.success(Map::new())?,
            (request, state) => return Err(Stop::Refuse(out_of_place(request.name(), &state))),
        }
        Ok(())
    }

    async fn hello(&mut self, auth: Map) -> Result<(), Stop> {
        let utc = matches!(
            auth.get("patch_bolt"),
            Some(Value::List(patches)) if patches.contains(&Value::from("utc"))
        );
        if self.version < LOGON_SINCE {
            self.authenticate(&auth).await?;
        } else {
            self.state = State::Authentication;
        }
        static CONNECTIONS: AtomicU64 = AtomicU64::new(0);
        let number = CONNECTIONS.fetch_add(1, Ordering::Relaxed);
        let mut metadata = crate::params! {
            "server" => self.backend.agent(),
            "connection_id" => format!("bolt-{number}"),
            "hints" => Map::new(),
        };
        if utc && self.version.major < 5 {
            self.outbox.dialect.utc_datetimes = true;
            metadata.insert("patch_bolt".into(), vec!["utc"].into());
        }
        Ok(self.outbox.success(metadata)?)
    }

    async fn authenticate(&mut self, auth: &Map) -> Result<(), Stop> {
        self.backend
            .authenticate(auth)
            .await
            .map_err(Stop::Refuse)?;
        self.state = State::Ready;
        Ok(())
    }

    /// Runs a statement and describes its result.
    async fn start(
        &mut self,
        query: Query,
        auto_commit: Option<TransactionOptions>,
    ) -> Result<(OpenResult<ResultsOf<B>>, Map), Stop> {
        let started = Instant::now();
        let results = self
            .inbox
            .watch(
                self.session.run(query, auto_commit),
                flush_late(&mut self.writer, &mut self.outbox),
            )
            .await;
        let results = uninterrupted(results)?;
        let metadata = crate::params! {
            "fields" => results.columns().to_vec(),
            "t_first" => millis(started),
        };
        Ok((OpenResult::new(results), metadata))
    }

    async fn fetch(
        &mut self,
        fetch: Fetch,
        send: bool,
        name: &'static str,
        state: State<ResultsOf<B>>,
    ) -> Result<(), Stop> {
        match state {
            State::Streaming(mut result) => {
                let metadata = self.stream(&mut result, fetch, send).await?;
                if metadata.contains_key("has_more") {
                    self.state = State::Streaming(result);
                }
                self.outbox.success(metadata)?;
            }
            State::Transaction(mut open) => {
                let (id, mut result) = open.take(fetch)?;
                let metadata = self.stream(&mut result, fetch, send).await?;
                if metadata.contains_key("has_more") {
                    open.put_back(id, result);
                }
                self.state = State::Transaction(open);
                self.outbox.success(metadata)?;
            }
            state => return Err(Stop::Refuse(out_of_place(name, &state))),
        }
        Ok(())
    }

    /// Sends as many records as were asked for; what is told behind them says `has_more` when
    /// the result goes on.
    async fn stream(
        &mut self,
        result: &mut OpenResult<ResultsOf<B>>,
        fetch: Fetch,
        send: bool,
    ) -> Result<Map, Stop> {
        let started = Instant::now();
        let mut left = fetch.count;
        // A result that is thrown away to its end need not be made.
        let throw_away = !send && left.is_none();
        while !throw_away && left != Some(0) {
            let Some(record) = uninterrupted(
                self.inbox
                    .watch(
                        result.next(),
                        flush_late(&mut self.writer, &mut self.outbox),
                    )
                    .await,
            )?
            else {
                break;
            };
            left = left.map(|left| left - 1);
            if send {
                self.outbox.record(record).map_err(unsendable)?;
                if self.outbox.bytes.len() >= FLUSH_AT {
                    self.flush().await?;
                    if self.inbox.has_reset() {
                        return Err(Failure::interrupted().into());
                    }
                }
            }
        }
        if left == Some(0)
            && uninterrupted(
                self.inbox
                    .watch(
                        result.has_more(),
                        flush_late(&mut self.writer, &mut self.outbox),
                    )
                    .await,
            )?
        {
            return Ok(crate::params! { "has_more" => true });
        }
        let summary = result.results.finish().await?;
        let mut metadata = summary.extra;
        metadata.insert("type".into(), summary.query_type.into());
        metadata.insert("t_last".into(), millis(started).into());
        if !summary.counters.is_empty() {
            metadata.insert("stats".into(), summary.counters.into());
        }
        if let Some(database) = summary.database {
            metadata.insert("db".into(), database.into());
        }
        if let Some(bookmark) = summary.bookmark {
            metadata.insert("bookmark".into(), bookmark.into());
        }
        Ok(metadata)
    }

    /// Sends what has been collected, and goes on reading meanwhile: a client that writes much
    /// before it reads must not stand against a server that does the same.
    async fn flush(&mut self) -> Result<(), ServeError> {
        while !self.outbox.bytes.is_empty() {
            tokio::select! {
                biased;
                written = self.writer.write_buf(&mut self.outbox.bytes) => {
                    if written? == 0 {
                        return Err(io::Error::from(io::ErrorKind::WriteZero).into());
                    }
                }
                () = self.inbox.read_ahead() => {}
            }
        }
        Ok(self.writer.flush().await?)
    }
}

/// The first version with `LOGON`.
const LOGON_SINCE: Version = Version { major: 5, minor: 1 };

/// Sends the answers that wait when the next one takes long; before that, they are kept to be
/// sent with it. What fails here fails again when the next answers are sent.
async fn flush_late<W: AsyncWrite + Unpin>(writer: &mut W, outbox: &mut Outbox) {
    if outbox.bytes.is_empty() {
        return;
    }
    tokio::time::sleep(PATIENCE).await;
    while !outbox.bytes.is_empty() {
        if !matches!(writer.write_buf(&mut outbox.bytes).await, Ok(1..)) {
            return;
        }
    }
    let _ = writer.flush().await;
}

fn uninterrupted<T>(watched: Watched<Result<T, Failure>>) -> Result<T, Failure> {
    match watched {
        Watched::Done(result) => result,
        Watched::Interrupted => Err(Failure::interrupted()),
    }
}

fn unsendable(error: EncodeError) -> Failure {
    Failure::new(
        "Neo.ClientError.Statement.TypeError",
        format_args!("a record can't be sent: {error}"),
    )
}

fn out_of_place<R>(message: &str, state: &State<R>) -> Failure {
    let state = match state {
        State::Connected => "before HELLO",
        State::Authentication => "before LOGON",
        State::Ready => "without an open transaction or result",
        State::Streaming(_) => "while a result is open",
        State::Transaction(_) => "within a transaction",
        State::Failed => "after a failure",
    };
    Failure::invalid_request(format_args!("{message} can't be sent {state}"))
}

fn millis(since: Instant) -> i64 {
    i64::try_from(since.elapsed().as_millis()).unwrap_or(i64::MAX)
}

/// A table in which the server names itself, under the address by which the client found it.
fn routing_table(routing: &Map) -> Result<Map, Failure> {
    let Some(Value::String(address)) = routing.get("address") else {
        return Err(Failure::invalid_request(
            "ROUTE needs the address that the client connected to, as \"address\"",
        ));
    };
    let servers: Vec<Value> = ["ROUTE", "READ", "WRITE"]
        .into_iter()
        .map(|role| {
            Value::Map(crate::params! { "role" => role, "addresses" => vec![address.as_str()] })
        })
        .collect();
    Ok(crate::params! {
        "rt" => crate::params! { "ttl" => ROUTING_TTL, "db" => "neo4j", "servers" => Value::List(servers) },
    })
}
