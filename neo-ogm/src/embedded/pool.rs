//! Handles that wait for work, and the queue of those who want to write.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use neo_bolt::server::Failure;
use tokio::sync::OwnedMutexGuard;

use super::engine::{Engine, Handle};

/// How many idle handles are kept.
const MAX_IDLE: usize = 8;

/// The handles of one database. There is one writer at a time; writers queue in the order in
/// which they came, and readers never wait for them.
pub(super) struct Pool<E: Engine> {
    engine: E,
    idle: Mutex<Vec<E::Handle>>,
    writer: Arc<tokio::sync::Mutex<()>>,
}

impl<E: Engine> Pool<E> {
    pub(super) fn new(engine: E) -> Self {
        Self {
            engine,
            idle: Mutex::default(),
            writer: Arc::default(),
        }
    }

    /// Waits for the turn to write.
    pub(super) async fn turn(&self, patience: Duration) -> Result<Turn, Failure> {
        match tokio::time::timeout(patience, Arc::clone(&self.writer).lock_owned()).await {
            Ok(turn) => Ok(Turn { _turn: turn }),
            Err(_) => Err(Failure::new(
                "Neo.TransientError.Transaction.LockAcquisitionTimeout",
                format_args!(
                    "another transaction has been writing for more than {patience:?}; the \
                     embedded engine has one writer at a time"
                ),
            )),
        }
    }

    /// A handle; blocks while one is opened. With a turn it may write.
    pub(super) fn lease(self: &Arc<Self>, turn: Option<Turn>) -> Result<Lease<E>, Failure> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let handle = match idle {
            Some(handle) => handle,
            None => self.engine.open()?,
        };
        Ok(Lease {
            handle: Some(handle),
            pool: Arc::clone(self),
            turn,
        })
    }
}

/// The right to write, held until dropped.
pub(super) struct Turn {
    _turn: OwnedMutexGuard<()>,
}

/// A handle in use. Wherever it is dropped, what is open is rolled back first, then the handle
/// is kept for the next, then the turn passes on.
pub(super) struct Lease<E: Engine> {
    handle: Option<E::Handle>,
    pool: Arc<Pool<E>>,
    turn: Option<Turn>,
}

impl<E: Engine> Lease<E> {
    pub(super) fn writes(&self) -> bool {
        self.turn.is_some()
    }

    /// The handle itself.
    pub(super) fn handle(&mut self) -> Result<&mut E::Handle, Failure> {
        self.handle.as_mut().ok_or_else(|| {
            Failure::new(
                "Neo.DatabaseError.General.UnknownError",
                "the handle is gone",
            )
        })
    }
}

impl<E: Engine> Drop for Lease<E> {
    fn drop(&mut self) {
        if let Some(mut handle) = self.handle.take()
            && handle.rollback().is_ok()
        {
            let mut idle = self
                .pool
                .idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if idle.len() < MAX_IDLE {
                idle.push(handle);
            }
        }
        self.turn = None;
    }
}
