//! A clock that tests stop and move.

use std::sync::PoisonError;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::context::Context;
use crate::failure::Failure;
use crate::wire::response;

/// While it is there the clock does not move by itself. A stopped clock of tokio's jumps to the
/// next timer when nothing else is to be done, unless something blocks.
pub(crate) struct Stopped {
    _blocker: Sender<()>,
}

pub(crate) fn install(context: &Context) -> Result<Json, Failure> {
    let (blocker, blocked) = channel::<()>();
    // Ends when the sender is dropped.
    tokio::task::spawn_blocking(move || blocked.recv().is_err());
    tokio::time::pause();
    let mut clock = context.clock.lock().unwrap_or_else(PoisonError::into_inner);
    *clock = Some(Stopped { _blocker: blocker });
    Ok(response("FakeTimeAck", json!({})))
}

pub(crate) async fn tick(data: &Json) -> Result<Json, Failure> {
    let increment = data["incrementMs"].as_u64().unwrap_or(0);
    tokio::time::advance(Duration::from_millis(increment)).await;
    Ok(response("FakeTimeAck", json!({})))
}

pub(crate) fn uninstall(context: &Context) -> Result<Json, Failure> {
    tokio::time::resume();
    let mut clock = context.clock.lock().unwrap_or_else(PoisonError::into_inner);
    *clock = None;
    Ok(response("FakeTimeAck", json!({})))
}
