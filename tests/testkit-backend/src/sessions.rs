//! Sessions, their own statements, and the transactions that they retry.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use neo_bolt::{
    AccessMode, Bookmarks, ManagedTransaction, Session, SessionConfig, TransactionConfig,
};
use serde_json::{Value as Json, json};

use crate::callbacks::strings;
use crate::context::Context;
use crate::drivers::{fetch_size, notifications, text};
use crate::failure::Failure;
use crate::transactions::{Handle, TransactionEntry};
use crate::wire::response;
use crate::{auth, results, values};

/// A session, and the explicit transaction that has it in its hands.
#[derive(Clone)]
pub(crate) struct SessionEntry {
    pub(crate) session: Arc<tokio::sync::Mutex<Option<Session>>>,
    pub(crate) open: Arc<Mutex<Option<TransactionEntry>>>,
    /// While a transaction borrows the session, as they were before.
    bookmarks: Arc<Mutex<Bookmarks>>,
}

impl SessionEntry {
    /// Whether nothing borrows the session.
    async fn check_free(&self) -> Result<(), Failure> {
        match self.open_transaction() {
            None => Ok(()),
            Some(open) if open.has_failed().await => open.close().await,
            Some(_) => Err(busy()),
        }
    }

    pub(crate) fn open_transaction(&self) -> Option<TransactionEntry> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.clone().filter(TransactionEntry::is_open)
    }
}

pub(crate) fn closed() -> Failure {
    let why = "the session was closed: it is moved out".to_owned();
    Failure::RuledOut("neo4j.exceptions.SessionError", why)
}

fn busy() -> Failure {
    let why = "a transaction borrows the session, which can do nothing else meanwhile";
    Failure::RuledOut("neo4j.exceptions.TransactionError", why.to_owned())
}

pub(crate) fn new(context: &Context, data: &Json) -> Result<Json, Failure> {
    let driver = context.drivers.get(text(data, "driverId"))?;
    let mut config = SessionConfig::default().notifications(notifications(data));
    if data["accessMode"] == json!("r") {
        config = config.default_access_mode(AccessMode::Read);
    }
    if data["bookmarks"].is_array() {
        config = config.bookmarks(Bookmarks::from_raw_values(strings(data, "bookmarks")));
    }
    if let Some(id) = data["bookmarkManagerId"].as_str() {
        config = config.bookmark_manager(context.bookmark_managers.get(id)?);
    }
    if let Some(database) = data["database"].as_str() {
        config = config.database(database);
    }
    if let Some(size) = data["fetchSize"].as_i64() {
        config = config.fetch_size(fetch_size(size));
    }
    if let Some(user) = data["impersonatedUser"].as_str() {
        config = config.impersonated_user(user);
    }
    if let Some(token) = auth::token(&data["authorizationToken"])? {
        config = config.auth(token);
    }
    let id = context.next_id();
    let entry = SessionEntry {
        session: Arc::new(tokio::sync::Mutex::new(Some(driver.session(config)))),
        open: Arc::default(),
        bookmarks: Arc::default(),
    };
    context.sessions.put(&id, entry);
    Ok(response("Session", json!({ "id": id })))
}

pub(crate) fn transaction_config(data: &Json) -> Result<TransactionConfig, Failure> {
    let mut config = TransactionConfig::default();
    if let Some(metadata) = data["txMeta"].as_object() {
        config = config.metadata(values::map_of(metadata)?);
    }
    match data["timeout"].as_i64() {
        Some(millis) if millis < 0 => Err(Failure::RuledOut(
            "ValueError",
            "a `std::time::Duration` can't be negative".to_owned(),
        )),
        Some(millis) => Ok(config.timeout(Duration::from_millis(millis.unsigned_abs()))),
        None => Ok(config),
    }
}

pub(crate) async fn run(context: &Context, data: &Json) -> Result<Json, Failure> {
    let entry = context.sessions.get(text(data, "sessionId"))?;
    entry.check_free().await?;
    let config = transaction_config(data)?;
    let parameters = values::parameters(data)?;
    let mut session = entry.session.lock().await;
    let session = session.as_mut().ok_or_else(closed)?;
    let result = session
        .run_with(text(data, "cypher"), &parameters, config)
        .await?;
    Ok(results::put(context, result, parameters))
}

pub(crate) async fn begin(context: &Arc<Context>, data: &Json) -> Result<Json, Failure> {
    let entry = context.sessions.get(text(data, "sessionId"))?;
    entry.check_free().await?;
    let config = transaction_config(data)?;
    let guard = Arc::clone(&entry.session).lock_owned().await;
    if let Some(session) = guard.as_ref() {
        let mut kept = entry
            .bookmarks
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *kept = session.last_bookmarks();
    }
    let transaction = TransactionEntry::begin(guard, config).await?;
    *entry.open.lock().unwrap_or_else(PoisonError::into_inner) = Some(transaction.clone());
    let id = context.next_id();
    context.transactions.put(&id, transaction);
    Ok(response("Transaction", json!({ "id": id })))
}

pub(crate) async fn close(context: &Context, data: &Json) -> Result<Json, Failure> {
    let id = text(data, "sessionId");
    let entry = context.sessions.get(id)?;
    if let Some(open) = entry.open_transaction() {
        open.close().await?;
    }
    if let Some(session) = entry.session.lock().await.take() {
        session.close().await?;
    }
    Ok(response("Session", json!({ "id": id })))
}

pub(crate) async fn last_bookmarks(context: &Context, data: &Json) -> Result<Json, Failure> {
    let entry = context.sessions.get(text(data, "sessionId"))?;
    let bookmarks = if entry.open_transaction().is_some() {
        let kept = entry
            .bookmarks
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        kept.clone()
    } else {
        let session = entry.session.lock().await;
        session.as_ref().ok_or_else(closed)?.last_bookmarks()
    };
    let values: Vec<&str> = bookmarks.raw_values().collect();
    Ok(response("Bookmarks", json!({ "bookmarks": values })))
}

/// What the work of a retried transaction ends in.
struct WorkFailed(Failure);

impl From<neo_bolt::Error> for WorkFailed {
    fn from(error: neo_bolt::Error) -> Self {
        Self(error.into())
    }
}

pub(crate) async fn managed(
    context: &Arc<Context>,
    data: &Json,
    mode: AccessMode,
) -> Result<Json, Failure> {
    let id = text(data, "sessionId").to_owned();
    let entry = context.sessions.get(&id)?;
    entry.check_free().await?;
    let config = transaction_config(data)?;
    let mut session = entry.session.lock().await;
    let session = session.as_mut().ok_or_else(closed)?;
    let work = |transaction: ManagedTransaction| {
        let (context, id) = (Arc::clone(context), id.clone());
        async move { attempt(&context, &id, transaction).await }
    };
    let worked = match mode {
        AccessMode::Read => session.execute_read_with(config, work).await,
        AccessMode::Write => session.execute_write_with(config, work).await,
    };
    match worked {
        Ok(()) => Ok(response("RetryableDone", json!({}))),
        Err(WorkFailed(failure)) => Err(failure),
    }
}

/// Lets TestKit do the work, until it says whether it went well.
async fn attempt(
    context: &Arc<Context>,
    session: &str,
    transaction: ManagedTransaction,
) -> Result<(), WorkFailed> {
    let id = context.next_id();
    let handle = Handle::Managed(transaction);
    context.transactions.put(&id, TransactionEntry::new(handle));
    let said = context.expect(&retry_id(session));
    context.send("RetryableTry", json!({ "id": id }));
    let gone = |_| WorkFailed(Failure::Frontend("TestKit went away".to_owned()));
    let said = said.await.map_err(gone)?;
    match said["errorId"].as_str() {
        None => Ok(()),
        Some("") => Err(WorkFailed(Failure::Frontend("the test said no".to_owned()))),
        Some(error) => Err(WorkFailed(
            context.errors.get(error).unwrap_or_else(|unknown| unknown),
        )),
    }
}

/// Under which id the end of an attempt is waited for.
pub(crate) fn retry_id(session: &str) -> String {
    format!("the work of session {session}")
}
