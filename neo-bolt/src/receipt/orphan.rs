//! Ends a transaction whose connection is lost, so that it releases its locks.
//!
//! A server may go on with a transaction for a while after its connection was reset, for example if
//! the reset overtakes requests that it has not begun to read. A claim would wait for it.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use super::claim::Claimant;
use crate::params;

/// How long a claim waits before the original transaction is ended, and between two attempts.
const WAIT: Duration = Duration::from_secs(2);

/// A user may end transactions of its own.
const TERMINATE: &str = "SHOW TRANSACTIONS YIELD transactionId AS id, connectionId \
    WHERE connectionId = $connection TERMINATE TRANSACTIONS id YIELD message RETURN message";

/// Awaits `claim`. If that takes long, ends what still runs for the connection that was lost. This
/// takes a second connection.
pub(super) async fn unblocked<T>(
    claim: impl Future<Output = T> + Send,
    claimant: &Claimant,
    lost: Option<&Arc<str>>,
) -> T {
    let mut claim = pin!(claim);
    let Some(lost) = lost else {
        return claim.await;
    };
    let mut unblocking = pin!(async {
        loop {
            tokio::time::sleep(WAIT).await;
            let connection = params! { "connection" => lost.as_ref() };
            match claimant.run(&[(TERMINATE, &connection)]).await {
                Ok(_) => tracing::debug!(%lost, "transactions of a lost connection are ended"),
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
