//! What one test has made: drivers, sessions, results and all the rest, by their ids.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use neo_bolt::{AuthManager, BookmarkManager, ClientCertificateProvider, Driver};
use serde_json::Value as Json;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use crate::failure::Failure;
use crate::results::ResultEntry;
use crate::sessions::SessionEntry;
use crate::transactions::TransactionEntry;
use crate::wire::response;

/// Things by their ids.
pub(crate) struct Registry<T> {
    entries: Mutex<HashMap<String, T>>,
}

impl<T> Default for Registry<T> {
    fn default() -> Self {
        Self {
            entries: Mutex::default(),
        }
    }
}

impl<T: Clone> Registry<T> {
    pub(crate) fn put(&self, id: &str, entry: T) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.insert(id.to_owned(), entry);
    }

    pub(crate) fn get(&self, id: &str) -> Result<T, Failure> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let known = entries.get(id).cloned();
        known.ok_or_else(|| Failure::Backend(format!("nothing is known by the id {id}")))
    }

    pub(crate) fn take(&self, id: &str) -> Option<T> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.remove(id)
    }
}

type Answers = Mutex<HashMap<String, oneshot::Sender<Json>>>;

pub(crate) struct Context {
    out: UnboundedSender<Json>,
    last_id: AtomicU64,
    answers: Answers,
    pub(crate) drivers: Registry<Driver>,
    pub(crate) sessions: Registry<SessionEntry>,
    pub(crate) transactions: Registry<TransactionEntry>,
    pub(crate) results: Registry<Arc<tokio::sync::Mutex<ResultEntry>>>,
    pub(crate) errors: Registry<Failure>,
    pub(crate) auth_managers: Registry<Arc<dyn AuthManager>>,
    pub(crate) certificates: Registry<Arc<dyn ClientCertificateProvider>>,
    pub(crate) bookmark_managers: Registry<BookmarkManager>,
    pub(crate) clock: Mutex<Option<crate::clock::Stopped>>,
}

impl Context {
    pub(crate) fn new(out: UnboundedSender<Json>) -> Arc<Self> {
        Arc::new(Self {
            out,
            last_id: AtomicU64::new(0),
            answers: Mutex::default(),
            drivers: Registry::default(),
            sessions: Registry::default(),
            transactions: Registry::default(),
            results: Registry::default(),
            errors: Registry::default(),
            auth_managers: Registry::default(),
            certificates: Registry::default(),
            bookmark_managers: Registry::default(),
            clock: Mutex::default(),
        })
    }

    pub(crate) fn next_id(&self) -> String {
        (self.last_id.fetch_add(1, Ordering::Relaxed) + 1).to_string()
    }

    pub(crate) fn send(&self, name: &str, data: Json) {
        // Where TestKit is gone, nobody misses it.
        let _ = self.out.send(response(name, data));
    }

    /// Waits for what TestKit answers to the request `id` of ours.
    pub(crate) fn expect(&self, id: &str) -> oneshot::Receiver<Json> {
        let (sender, receiver) = oneshot::channel();
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.insert(id.to_owned(), sender);
        receiver
    }

    /// TestKit has answered the request `id`.
    pub(crate) fn answered(&self, id: &str, answer: Json) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = answers.remove(id) {
            let _ = sender.send(answer);
        }
    }
}
