//! Transactions: those that a session retries are handles; an explicit one borrows its session,
//! so it lives in a task of its own that is told what to do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use neo_bolt::value::Map;
use neo_bolt::{Error, ManagedTransaction, RecordStream, Session, TransactionConfig};
use serde_json::{Value as Json, json};
use tokio::sync::{OwnedMutexGuard, mpsc, oneshot};

use crate::context::Context;
use crate::drivers::text;
use crate::failure::Failure;
use crate::sessions::closed;
use crate::wire::response;
use crate::{results, values};

fn over() -> Failure {
    let why = "the transaction is closed: it is moved out".to_owned();
    Failure::RuledOut("neo4j.exceptions.TransactionError", why)
}

fn managed() -> Failure {
    let why = "a transaction that is retried has no commit, rollback or close".to_owned();
    Failure::RuledOut("AttributeError", why)
}

enum Command {
    Run(String, Map, oneshot::Sender<Result<RecordStream, Error>>),
    Commit(oneshot::Sender<Result<(), Error>>),
    Rollback(oneshot::Sender<Result<(), Error>>),
    Close(oneshot::Sender<Result<(), Error>>),
    IsClosed(oneshot::Sender<Result<bool, Error>>),
}

#[derive(Clone)]
pub(crate) enum Handle {
    Managed(ManagedTransaction),
    Explicit(mpsc::UnboundedSender<Order>),
}

/// What a task is told; only this module knows what that can be.
pub(crate) struct Order(Command);

#[derive(Clone)]
pub(crate) struct TransactionEntry {
    handle: Handle,
    over: Arc<AtomicBool>,
}

impl TransactionEntry {
    pub(crate) fn new(handle: Handle) -> Self {
        Self {
            handle,
            over: Arc::default(),
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        !self.over.load(Ordering::Acquire)
    }

    /// Begins an explicit transaction; its task keeps the session until it is over.
    pub(crate) async fn begin(
        session: OwnedMutexGuard<Option<Session>>,
        config: TransactionConfig,
    ) -> Result<Self, Failure> {
        let (commands, received) = mpsc::unbounded_channel();
        let (begun, answer) = oneshot::channel();
        let entry = Self::new(Handle::Explicit(commands));
        let over = Arc::clone(&entry.over);
        tokio::spawn(async move {
            live(session, config, begun, received, &over).await;
            over.store(true, Ordering::Release);
        });
        let gone = |_| Failure::Backend("the transaction's task is gone".to_owned());
        answer.await.map_err(gone)??;
        Ok(entry)
    }

    async fn tell<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> Command,
    ) -> Result<T, Failure> {
        let Handle::Explicit(commands) = &self.handle else {
            return Err(managed());
        };
        let (sender, answer) = oneshot::channel();
        commands.send(Order(command(sender))).map_err(|_| over())?;
        Ok(answer.await.map_err(|_| over())??)
    }

    /// Whether it is over, or has failed: nobody keeps such a transaction in Rust, where `?` has
    /// dropped it.
    pub(crate) async fn has_failed(&self) -> bool {
        matches!(self.tell(Command::IsClosed).await, Ok(true))
    }

    /// Nothing happens where it is over.
    pub(crate) async fn close(&self) -> Result<(), Failure> {
        match self.tell(Command::Close).await {
            Err(Failure::RuledOut(..)) if !self.is_open() => Ok(()),
            closed => closed,
        }
    }
}

async fn live(
    mut session: OwnedMutexGuard<Option<Session>>,
    config: TransactionConfig,
    begun: oneshot::Sender<Result<(), Failure>>,
    mut commands: mpsc::UnboundedReceiver<Order>,
    over: &AtomicBool,
) {
    let Some(session) = session.as_mut() else {
        let _ = begun.send(Err(closed()));
        return;
    };
    let mut transaction = match session.begin_transaction_with(config).await {
        Ok(transaction) => transaction,
        Err(error) => {
            let _ = begun.send(Err(error.into()));
            return;
        }
    };
    // Whoever asked may have gone away; then nobody tells this task anything either.
    let _ = begun.send(Ok(()));
    while let Some(Order(command)) = commands.recv().await {
        match command {
            Command::Run(statement, parameters, answer) => {
                let _ = answer.send(transaction.run(statement, parameters).await);
            }
            Command::Commit(answer) => {
                let committed = transaction.commit().await;
                over.store(true, Ordering::Release);
                let _ = answer.send(committed);
                return;
            }
            Command::Rollback(answer) => {
                let rolled_back = transaction.rollback().await;
                over.store(true, Ordering::Release);
                let _ = answer.send(rolled_back);
                return;
            }
            Command::IsClosed(answer) => {
                let _ = answer.send(Ok(transaction.closed().await));
            }
            Command::Close(answer) => {
                let closed = transaction.close().await;
                over.store(true, Ordering::Release);
                let _ = answer.send(closed);
                return;
            }
        }
    }
}

pub(crate) async fn run(context: &Context, data: &Json) -> Result<Json, Failure> {
    let entry = context.transactions.get(text(data, "txId"))?;
    let statement = text(data, "cypher").to_owned();
    let parameters = values::parameters(data)?;
    let result = match &entry.handle {
        Handle::Managed(transaction) => transaction.run(statement, &parameters).await?,
        Handle::Explicit(_) => {
            entry
                .tell(|answer| Command::Run(statement, parameters.clone(), answer))
                .await?
        }
    };
    Ok(results::put(context, result, parameters))
}

pub(crate) async fn end(context: &Context, name: &str, data: &Json) -> Result<Json, Failure> {
    let id = text(data, "txId");
    let entry = context.transactions.get(id)?;
    match name {
        "TransactionCommit" => entry.tell(Command::Commit).await?,
        "TransactionRollback" => entry.tell(Command::Rollback).await?,
        _ => entry.close().await?,
    }
    Ok(response("Transaction", json!({ "id": id })))
}
