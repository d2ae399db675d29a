//! Handles that wait for work, and the queue of those who want to write.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use neo_bolt::server::Failure;
use tokio::sync::OwnedMutexGuard;

use super::engine::{Engine, Handle};

/// How many handles there are: one for the writer, the others for statements that read.
///
/// They are opened with the database, because opening one waits for a writer, and a reader must
/// not.
const HANDLES: usize = 4;

/// The handles of one database. There is one writer at a time; writers queue in the order in
/// which they came, and readers never wait for them.
pub(super) struct Pool<E: Engine> {
    engine: E,
    handles: Mutex<Handles<E>>,
    returned: Condvar,
    writer: Arc<tokio::sync::Mutex<()>>,
}

struct Handles<E: Engine> {
    idle: Vec<E::Handle>,
    /// Idle or in use.
    open: usize,
}

impl<E: Engine> Pool<E> {
    pub(super) fn new(engine: E) -> Result<Self, Failure> {
        let idle = (0..HANDLES)
            .map(|_| engine.open())
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            engine,
            handles: Mutex::new(Handles {
                idle,
                open: HANDLES,
            }),
            returned: Condvar::new(),
            writer: Arc::default(),
        })
    }

    /// Waits for the turn to write.
    pub(super) async fn turn(&self, patience: Duration) -> Result<Turn, Failure> {
        match tokio::time::timeout(patience, Arc::clone(&self.writer).lock_owned()).await {
            Ok(turn) => Ok(Turn { _turn: turn }),
            Err(_) => Err(Failure::new(
                "Neo.TransientError.Transaction.LockAcquisitionTimeout",
                format_args!(
                    "another transaction has been writing for more than {:.1} s; the embedded \
                     engine has one writer at a time",
                    patience.as_secs_f64()
                ),
            )),
        }
    }

    /// A handle; blocks until one is free. With a turn it may write.
    pub(super) fn lease(self: &Arc<Self>, turn: Option<Turn>) -> Result<Lease<E>, Failure> {
        let mut handles = self.handles.lock().unwrap_or_else(PoisonError::into_inner);
        let handle = loop {
            if let Some(handle) = handles.idle.pop() {
                break handle;
            }
            if handles.open < HANDLES {
                // One was given up because it failed.
                let handle = self.engine.open()?;
                handles.open += 1;
                break handle;
            }
            handles = self
                .returned
                .wait(handles)
                .unwrap_or_else(PoisonError::into_inner);
        };
        drop(handles);
        Ok(Lease {
            handle: Some(handle),
            pool: Arc::clone(self),
            turn,
        })
    }

    fn give_back(&self, handle: Option<E::Handle>) {
        let mut handles = self.handles.lock().unwrap_or_else(PoisonError::into_inner);
        match handle {
            Some(handle) => handles.idle.push(handle),
            None => handles.open -= 1,
        }
        drop(handles);
        self.returned.notify_one();
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
        if let Some(mut handle) = self.handle.take() {
            let usable = handle.rollback().is_ok();
            self.pool.give_back(usable.then_some(handle));
        }
        self.turn = None;
    }
}
