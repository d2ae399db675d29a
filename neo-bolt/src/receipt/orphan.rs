//! Ends a transaction whose connection is lost, so that it releases its locks.
//!
//! A server may go on with a transaction for a while after its connection was reset, for example if
//! the reset overtakes requests that it has not begun to read. A claim would wait for it.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;

use super::claim::Claimant;
use crate::connection::{Address, Connection};
use crate::error::Error;
use crate::packstream::ToBolt;
use crate::params;

/// How long a claim waits before the original transaction is ended, and between two attempts.
const WAIT: Duration = Duration::from_secs(2);

/// Ends what began on the connection before that was lost. Connection ids are used again when a
/// server has been restarted, so an id alone does not say which transaction is meant. A user may end
/// transactions of its own.
const TERMINATE: &str = "SHOW TRANSACTIONS YIELD transactionId AS id, connectionId, elapsedTime \
    WHERE connectionId = $connection AND elapsedTime.milliseconds >= $milliseconds \
    TERMINATE TRANSACTIONS id YIELD message RETURN message";

/// A connection that was lost while a COMMIT was not answered.
#[derive(Debug, Clone)]
pub(crate) struct LostConnection {
    address: Address,
    /// What the server calls it.
    id: Arc<str>,
    since: Instant,
}

impl LostConnection {
    /// To be made when the loss was noticed.
    pub(crate) fn new(connection: &Connection) -> Option<Self> {
        Some(Self {
            address: connection.address().clone(),
            id: Arc::clone(connection.id()?),
            since: Instant::now(),
        })
    }
}

/// Awaits `claim`. If that takes long, ends what still runs for the connection that was lost. This
/// takes a second connection.
pub(super) async fn unblocked<T>(
    claim: impl Future<Output = T> + Send,
    claimant: &Claimant,
    lost: Option<&LostConnection>,
) -> T {
    let mut claim = pin!(claim);
    let Some(lost) = lost else {
        return claim.await;
    };
    let mut unblocking = pin!(async {
        loop {
            tokio::time::sleep(WAIT).await;
            match end(claimant, lost).await {
                Ok(()) => tracing::debug!(?lost, "transactions of a lost connection are ended"),
                // The database has no such commands, or the user may not use them.
                Err(error) => tracing::debug!(%error, "transactions cannot be ended"),
            }
        }
    });
    poll_fn(|cx| match claim.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(done),
        Poll::Pending => {
            let _: Poll<()> = unblocking.as_mut().poll(cx);
            Poll::Pending
        }
    })
    .await
}

async fn end(claimant: &Claimant, lost: &LostConnection) -> Result<(), Error> {
    let (mut lease, home) = claimant.acquire().await?;
    if *lease.connection()?.address() != lost.address {
        // Ids of connections are those of one server.
        return Ok(());
    }
    let parameters = params! {
        "connection" => lost.id.as_ref(),
        "milliseconds" => i64::try_from(lost.since.elapsed().as_millis()).unwrap_or(i64::MAX),
    };
    let statements: [(&str, &(dyn ToBolt + Sync)); 1] = [(TERMINATE, &parameters)];
    claimant
        .run_on(&mut lease, home, &statements)
        .await
        .map(drop)
}
