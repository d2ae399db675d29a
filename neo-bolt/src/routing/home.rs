//! What is remembered of users' home databases, so that most transactions that name no database
//! need not ask for it first.
//!
//! It is a guess, good where servers pass on what others have to do: the server that runs a
//! transaction says which database that was, and the guess is mended.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::Purpose;

/// As many users as are remembered; a program that acts for more asks again.
const CAPACITY: usize = 1000;

/// Whose home database: the user who is impersonated, or who a session is logged in as, or the
/// driver's own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Whose {
    Driver,
    User(Arc<str>),
}

impl Whose {
    /// Nobody where it can't be told who the user is, as of a token.
    fn of(purpose: &Purpose) -> Option<Self> {
        if let Some(user) = &purpose.impersonated_user {
            return Some(Self::User(Arc::clone(user)));
        }
        match &purpose.auth {
            None => Some(Self::Driver),
            Some(auth) => auth.principal().map(|user| Self::User(user.into())),
        }
    }
}

/// See the module's description.
#[derive(Debug, Default)]
pub(super) struct HomeDatabases {
    known: Mutex<HashMap<Whose, Known>>,
}

#[derive(Debug)]
struct Known {
    database: Arc<str>,
    /// Counts the questions to routers; which one this is the answer to.
    asked: u64,
}

impl HomeDatabases {
    pub(super) fn get(&self, purpose: &Purpose) -> Option<Arc<str>> {
        self.get_since(purpose, 0)
    }

    /// As the answer to the question `asked` or a later one.
    pub(super) fn get_since(&self, purpose: &Purpose, asked: u64) -> Option<Arc<str>> {
        let whose = Whose::of(purpose)?;
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .get(&whose)
            .filter(|known| known.asked >= asked)
            .map(|known| Arc::clone(&known.database))
    }

    pub(super) fn set(&self, purpose: &Purpose, database: &Arc<str>, asked: u64) {
        let Some(whose) = Whose::of(purpose) else {
            return;
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= CAPACITY && !known.contains_key(&whose) {
            known.clear();
        }
        let database = Arc::clone(database);
        known.insert(whose, Known { database, asked });
    }
}
