//! `find.lock()`: nodes that nobody else changes until the transaction has ended.

use std::fmt;
use std::sync::Arc;

use neo_bolt::AccessMode;

use super::question::{Question, Returned, name_of};
use super::{Find, Found};
use crate::error::{Error, ErrorKind};
use crate::executor::{Target, Transaction};
use crate::mapping::Entity;
use crate::query::{Condition, Cypher, Parameters};
use crate::relation::lock;

/// A question for nodes that are locked; made by [`Find::lock`].
#[must_use = "nothing is locked before one of its last words is awaited"]
pub struct Locked<N> {
    find: Find<N>,
}

impl<N> fmt::Debug for Locked<N> {
    /// Shows the Cypher; values stay out of it, since they may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Locked").field(&self.to_cypher()).finish()
    }
}

impl<N> Locked<N> {
    /// The Cypher of [`all`](Self::all), with parameters in the place of values.
    pub fn to_cypher(&self) -> String {
        let whole = self.find.question.whole();
        render(&self.find.question, &whole, &mut Parameters::default())
    }
}

impl<N: Entity> Find<N> {
    /// Locks the nodes and reads them as they are then: until the transaction ends nobody else
    /// writes to them or deletes them, and whoever locks one of them waits. For a new value that
    /// comes of the old one.
    ///
    /// ```
    /// # use neo_ogm::prelude::*;
    /// # use neo_ogm::Error;
    /// # #[derive(Node, Debug, Clone)]
    /// # struct Account { #[node(key)] number: String, balance: i64 }
    /// # #[tokio::main] async fn main() -> Result<(), neo_ogm::Error> {
    /// # let graph = Graph::in_memory().await?;
    /// # graph.save_all(&[Account::new("1", 100), Account::new("2", 0)]).await?;
    /// graph
    ///     .transaction(async |tx| {
    ///         let mut from = Account::find_by_number("1").lock().get(&tx).await?;
    ///         let mut to = Account::find_by_number("2").lock().get(&tx).await?;
    ///         if from.balance < 30 {
    ///             return Err(Error::abort("there is not enough in it"));
    ///         }
    ///         from.balance -= 30;
    ///         to.balance += 30;
    ///         from.save(&tx).await?;
    ///         to.save(&tx).await
    ///     })
    ///     .await?;
    /// # assert_eq!(Account::find_by_number("2").get(&graph).await?.balance, 30);
    /// # Ok(()) }
    /// ```
    ///
    /// The filters are asked once more when the lock is there, so what has been changed in the
    /// meantime and no longer passes them is not among the nodes, and a question with a limit may
    /// give fewer. What is loaded along is not locked. Two that lock the same nodes in different
    /// orders may meet in a deadlock: one of the two is run again.
    pub fn lock(self) -> Locked<N> {
        Locked { find: self }
    }
}

/// How it is answered: within a transaction, since a lock ends with it.
impl<N: Entity> Locked<N> {
    /// All nodes: one round trip.
    ///
    /// # Errors
    /// The database refused it, as it does in a transaction that only reads.
    pub fn all(self, tx: &Transaction) -> Found<Self, Vec<N>> {
        Found::new(self, tx, |locked, target| Box::pin(locked.fetch(target)))
    }

    /// The one node, or none: one round trip.
    ///
    /// # Errors
    /// [`ErrorKind::NotUnique`] where there are several, or as [`all`](Self::all).
    pub fn one(mut self, tx: &Transaction) -> Found<Self, Option<N>> {
        self.find.question.at_most(2);
        Found::new(self, tx, |locked, target| {
            Box::pin(locked.fetch_one(target))
        })
    }

    /// The one node, which must be there: one round trip.
    ///
    /// # Errors
    /// [`ErrorKind::NothingFound`] where there is none, or as [`one`](Self::one).
    pub fn get(mut self, tx: &Transaction) -> Found<Self, N> {
        self.find.question.at_most(2);
        Found::new(self, tx, |locked, target| {
            Box::pin(async move {
                let question = locked.find.to_cypher();
                let found = locked.fetch_one(target).await?;
                let label = name_of(N::ENTITY);
                found.ok_or_else(|| Error::new(ErrorKind::NothingFound { label, question }))
            })
        })
    }

    /// The first node in the order asked for, or none: one round trip.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    pub fn first(mut self, tx: &Transaction) -> Found<Self, Option<N>> {
        self.find.question.at_most(1);
        Found::new(self, tx, |locked, target| {
            Box::pin(async move { Ok(locked.fetch(target).await?.pop()) })
        })
    }

    async fn fetch(self, target: Target) -> Result<Vec<N>, Error> {
        let question = &self.find.question;
        let whole = question.whole();
        let mut parameters = Parameters::default();
        let statement: Arc<str> = render(question, &whole, &mut parameters).into();
        let found = target
            .run(AccessMode::Write, false, statement, parameters)
            .await?;
        let records = found.records.iter();
        let graph = target.graph();
        records
            .map(|record| self.find.decode(record, graph))
            .collect()
    }

    async fn fetch_one(self, target: Target) -> Result<Option<N>, Error> {
        let mut nodes = self.fetch(target).await?;
        if nodes.len() > 1 {
            let label = name_of(N::ENTITY);
            return Err(Error::new(ErrorKind::NotUnique { label }));
        }
        Ok(nodes.pop())
    }
}

/// Locks the nodes that were found as `n`, and asks for the conditions again.
///
/// Nodes are found before they are locked, and somebody else may have changed them in between, so
/// those that do not pass any more are left out.
pub(super) fn lock_again_asked<'c>(cypher: &mut Cypher<'_, 'c>, conditions: &'c [Condition]) {
    let mut text = String::new();
    lock(&mut text, "n");
    cypher.push(&text);
    cypher.push(" WITH n");
    if !conditions.is_empty() {
        cypher.push(" WHERE ");
        cypher.conjunction("n", conditions);
    }
}

/// Finds the nodes and cuts them to their page, locks what is left, and then reads it; `whole` is
/// the question without its page.
fn render<'c>(
    question: &'c Question,
    whole: &'c Question,
    parameters: &mut Parameters<'c>,
) -> String {
    let mut cypher = Cypher::new(parameters);
    question.matching(&mut cypher, "n");
    question.cut(&mut cypher);
    lock_again_asked(&mut cypher, &whole.conditions);
    whole.rest(&mut cypher, vec!["n".to_owned()], &Returned::Nodes);
    cypher.finish()
}
