//! Opens a connection: stream, TLS, handshake, login. Stream and TLS have a time limit of their
//! own; all of it is done within the acquisition timeout.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;

use super::{Address, BoxedStream, Census, Connection, Connector, Encryption, read_some};
use crate::auth::AuthToken;
use crate::config::NotificationConfig;
use crate::error::{Error, ErrorKind};
use crate::protocol::handshake::{self, CLASSIC_PROPOSAL, PROPOSAL, Step};
use crate::protocol::{Machine, Version, Wanted};
use crate::value::{Map, Value};

/// What it takes to open a connection.
#[derive(Clone)]
pub(crate) struct Opening {
    pub(crate) connector: Arc<dyn Connector>,
    pub(crate) encryption: Encryption,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<super::Tls>,
    pub(crate) user_agent: Arc<str>,
    pub(crate) routing: Option<Map>,
    pub(crate) notifications: NotificationConfig,
    /// Whether servers that want to know are told which parts of the driver are used.
    pub(crate) telemetry: bool,
    pub(crate) census: Arc<Census>,
    /// Whether the manifest handshake is offered, by which Bolt 6 is found.
    pub(crate) manifest: bool,
    pub(crate) timeout: Duration,
}

/// Opens a connection that is logged in.
///
/// # Cancel safety
/// Dropping the future closes what was opened.
pub(crate) async fn open(
    opening: &Opening,
    address: &Address,
    auth: &AuthToken,
) -> Result<Connection, Error> {
    let opened =
        steps(opening, address, auth)
            .await
            .map_err(|error| match opening.census.has_counted() {
                true => error.lost_while_opening(),
                false => error,
            });
    let connection = opened.inspect_err(|error| {
        tracing::debug!(%address, %error, "a connection could not be opened");
    })?;
    tracing::debug!(
        address = %address,
        version = %connection.machine.version(),
        server = %connection.server_agent(),
        "connection opened"
    );
    Ok(connection)
}

/// A byte stream, encrypted where that is wanted.
async fn connect(opening: &Opening, address: &Address) -> Result<BoxedStream, Error> {
    let stream = opening.connector.connect(address).await.map_err(|error| {
        Error::new(
            ErrorKind::ServiceUnavailable,
            format!("can't connect to {address}: {error}; check that a Neo4j server listens there"),
        )
        .with_source(error)
    })?;
    encrypt(opening, address, stream).await
}

async fn steps(
    opening: &Opening,
    address: &Address,
    auth: &AuthToken,
) -> Result<Connection, Error> {
    let stream = tokio::time::timeout(opening.timeout, connect(opening, address)).await;
    let mut stream = stream.unwrap_or_else(|_| {
        Err(Error::new(
            ErrorKind::ServiceUnavailable,
            format!(
                "{address} did not answer within the connection timeout of {:?}; check that a \
                 Neo4j server listens there",
                opening.timeout
            ),
        ))
    })?;
    let encrypted = opening.encryption != Encryption::Off;
    let version = shake_hands(&mut stream, address, encrypted, opening.manifest).await?;
    let mut machine = Machine::new(version);
    machine.hello(
        &opening.user_agent,
        auth,
        opening.routing.as_ref(),
        &opening.notifications,
    )?;
    let mut connection = Connection::new(
        stream,
        machine,
        address.clone(),
        auth.clone(),
        opening.timeout,
    );
    let driven = connection.drive(Wanted::Idle).await;
    if let Some(failure) = connection.machine.failure() {
        return Err(refused(failure, address));
    }
    driven?;
    if let Some(hello) = connection.machine.answer() {
        connection.server_agent = hello.get::<&str>("server").unwrap_or_default().into();
        connection.id = hello.get::<&str>("connection_id").map(Into::into);
        if !connection.server_agent.starts_with("Neo4j/") {
            return Err(Error::new(
                ErrorKind::UnsupportedServer,
                format!(
                    "{address} calls itself {:?}, which is no Neo4j server",
                    connection.server_agent
                ),
            ));
        }
        let hints = match hello.map()?.remove("hints") {
            Some(Value::Map(hints)) => hints,
            _ => Map::new(),
        };
        if let Some(Value::Integer(seconds)) = hints.get("connection.recv_timeout_seconds") {
            let seconds = u64::try_from(*seconds).ok().filter(|seconds| *seconds > 0);
            connection.silence_limit = seconds.map(Duration::from_secs);
        }
        let says = |hint: &str| hints.get(hint) == Some(&Value::Boolean(true));
        connection.wants_telemetry =
            opening.telemetry && version.has_telemetry() && says("telemetry.enabled");
        connection.is_of_cluster = opening.routing.is_some();
        connection.census = Some(opening.census.count(says("ssr.enabled")));
    }
    Ok(connection)
}

/// A refused login says where, and what to look at.
fn refused(failure: &Error, address: &Address) -> Error {
    if failure.kind() != ErrorKind::Authentication {
        return failure.again();
    }
    let message = format!(
        "{address} refused the login: {}; check user name and password",
        failure.message().trim_end_matches('.')
    );
    Error::server(
        failure.code().unwrap_or_default(),
        &message,
        failure.gql().cloned(),
    )
}

#[cfg(feature = "tls")]
async fn encrypt(
    opening: &Opening,
    address: &Address,
    stream: BoxedStream,
) -> Result<BoxedStream, Error> {
    match &opening.tls {
        None => Ok(stream),
        Some(tls) => tls.connect(address, stream).await,
    }
}

#[cfg(not(feature = "tls"))]
async fn encrypt(
    opening: &Opening,
    _: &Address,
    stream: BoxedStream,
) -> Result<BoxedStream, Error> {
    if opening.encryption == Encryption::Off {
        return Ok(stream);
    }
    Err(Error::new(
        ErrorKind::Configuration,
        "the URI asks for TLS, and neo-bolt was built without its feature `tls`",
    ))
}

async fn shake_hands(
    stream: &mut BoxedStream,
    address: &Address,
    encrypted: bool,
    manifest: bool,
) -> Result<Version, Error> {
    let lost = |error: io::Error| {
        let hint = if encrypted {
            ""
        } else {
            "; if the server takes TLS only, use neo4j+s:// or neo4j+ssc://"
        };
        Error::new(
            ErrorKind::NotBolt,
            format!("{address} closed the connection in the Bolt handshake: {error}{hint}"),
        )
        .with_source(error)
    };
    let proposal = if manifest {
        &PROPOSAL
    } else {
        &CLASSIC_PROPOSAL
    };
    stream.write_all(proposal).await.map_err(lost)?;
    stream.flush().await.map_err(lost)?;
    let mut received = Vec::new();
    loop {
        match handshake::answer(&received).map_err(|error| error.at(address))? {
            Step::Done { version, reply, .. } => {
                if !reply.is_empty() {
                    stream.write_all(&reply).await.map_err(lost)?;
                }
                return Ok(version);
            }
            Step::NeedMore => {}
        }
        // Four bytes, then one by one: the handshake is short, and what follows it is not ours.
        let mut next = [0; 4];
        let room = if received.len() < 4 {
            4 - received.len()
        } else {
            1
        };
        let count = read_some(stream, &mut next[..room]).await.map_err(lost)?;
        if count == 0 && received.is_empty() {
            return Err(lost(io::ErrorKind::UnexpectedEof.into()));
        } else if count == 0 {
            // Something like an answer had begun.
            return Err(Error::new(
                ErrorKind::ServiceUnavailable,
                format!("{address} closed the connection in the middle of the Bolt handshake"),
            ));
        }
        received.extend_from_slice(&next[..count]);
    }
}
