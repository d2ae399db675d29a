//! Counters with a ledger, by which it shows whether each addition took effect exactly once.
//!
//! Each unit of work adds to a counter and creates an entry, in one transaction. The entry has what
//! the counter came to. So the entries of a counter form a chain, in which an addition that was lost,
//! done twice, or undone by another leaves a gap.

use std::collections::{BTreeMap, BTreeSet};

use neo_ogm::prelude::*;
use neo_ogm::{Error, ErrorKind};

use crate::context::Failure;
use crate::random::Random;

#[derive(Node, Debug, Clone)]
#[node(label = "ProofCounter")]
pub(crate) struct Counter {
    #[node(key)]
    pub(crate) name: String,
    pub(crate) balance: i64,
    #[node(version)]
    pub(crate) version: Version,
}

/// Written by hand-written Cypher, with nothing that would hide a second one.
#[derive(Node, Debug, Clone)]
#[node(label = "ProofEntry")]
pub(crate) struct Entry {
    #[node(key)]
    pub(crate) id: String,
    #[node(index)]
    pub(crate) ledger: String,
    pub(crate) unit: i64,
    pub(crate) by: Option<i64>,
    pub(crate) after: Option<i64>,
}

/// The statement that creates an entry of `$ledger` for `$unit`.
pub(crate) const ENTRY: &str = "CREATE (:ProofEntry {id: randomUUID(), ledger: $ledger, \
                                unit: $unit, by: $by, after: $after})";

const ADD: &str = "MATCH (c:ProofCounter {name: $ledger}) \
                   SET c.balance = c.balance + $by, c.version = c.version + 1 \
                   CREATE (:ProofEntry {id: randomUUID(), ledger: $ledger, unit: $unit, by: $by, \
                   after: c.balance}) RETURN c.balance";

/// How a counter is added to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Manner {
    /// Read under a lock, added to, saved.
    Lock,
    /// Read, added to, saved; refused if another has written in between.
    Version,
    /// An update that computes its value, beside an insert in the same unit.
    Computed,
    /// One statement of raw Cypher.
    Raw,
    /// An explicit transaction. It is not tried again.
    Explicit,
}

impl Manner {
    pub(crate) fn by_chance(random: &mut Random) -> Self {
        match random.below(9) {
            0 | 1 => Self::Lock,
            2 | 3 => Self::Version,
            4 | 5 => Self::Computed,
            6 | 7 => Self::Raw,
            _ => Self::Explicit,
        }
    }
}

/// One addition.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Addition<'a> {
    pub(crate) ledger: &'a str,
    pub(crate) unit: i64,
    pub(crate) by: i64,
}

impl Addition<'_> {
    /// Performs it, and returns what the counter came to.
    pub(crate) async fn perform(self, graph: &Graph, manner: Manner) -> Result<i64, Error> {
        match manner {
            Manner::Raw => self.raw(graph).await,
            Manner::Explicit => {
                let tx = graph.begin().await?;
                let after = self.lock(&tx).await?;
                tx.commit().await?;
                Ok(after)
            }
            Manner::Lock => graph.transaction(async |tx| self.lock(&tx).await).await,
            Manner::Version => {
                graph
                    .transaction(async |tx| {
                        let counter = Counter::find_by_name(self.ledger).get(&tx).await?;
                        self.save(&tx, counter).await
                    })
                    .await
            }
            Manner::Computed => graph.transaction(async |tx| self.computed(&tx).await).await,
        }
    }

    /// One statement that adds and creates the entry.
    pub(crate) async fn raw(self, graph: &Graph) -> Result<i64, Error> {
        let query = graph.cypher(ADD).param("ledger", self.ledger);
        let query = query.param("unit", self.unit).param("by", self.by);
        query.get(graph).await
    }

    async fn lock(self, tx: &Transaction) -> Result<i64, Error> {
        let counter = Counter::find_by_name(self.ledger).lock().get(tx).await?;
        self.save(tx, counter).await
    }

    async fn save(self, tx: &Transaction, mut counter: Counter) -> Result<i64, Error> {
        counter.balance += self.by;
        counter.save(tx).await?;
        self.enter(tx, counter.balance).await?;
        Ok(counter.balance)
    }

    async fn computed(self, tx: &Transaction) -> Result<i64, Error> {
        let counter = || Counter::find_by_name(self.ledger);
        let update = counter().update(tx);
        let update = update.set(Counter::BALANCE, Counter::BALANCE + self.by);
        let tick = crate::model::Tick::new(format!("{}/{}", self.ledger, self.unit));
        let (updated, inserted) = tokio::join!(
            std::future::IntoFuture::into_future(update),
            std::future::IntoFuture::into_future(tick.insert(tx)),
        );
        inserted?;
        if updated? != 1 {
            return Err(Error::abort("the counter is not there"));
        }
        let after = counter().select(Counter::BALANCE).get(tx).await?;
        self.enter(tx, after).await?;
        Ok(after)
    }

    async fn enter(self, tx: &Transaction, after: i64) -> Result<(), Error> {
        let entry = tx.cypher(ENTRY).param("ledger", self.ledger);
        let entry = entry.param("unit", self.unit).param("by", self.by);
        entry.param("after", after).execute(tx).await.map(drop)
    }
}

/// What the clients know of the additions to one counter.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// What each acknowledged unit returned.
    acknowledged: BTreeMap<i64, i64>,
    /// Acknowledged units that inserted a node as well.
    inserted: BTreeSet<i64>,
    /// Units that failed, and the error.
    failed: BTreeMap<i64, String>,
    /// Errors that say that the outcome is unknown.
    unknown: Vec<String>,
    /// Errors other than what an explicit transaction and optimistic locking bring with them.
    surfaced: Vec<String>,
}

impl Known {
    fn note(&mut self, addition: Addition<'_>, manner: Manner, ended: Result<i64, Error>) -> bool {
        match ended {
            Ok(after) => {
                self.acknowledged.insert(addition.unit, after);
                if matches!(manner, Manner::Computed) {
                    self.inserted.insert(addition.unit);
                }
                return true;
            }
            Err(error) => {
                let text = format!("{manner:?}: {error}");
                let expected = matches!(manner, Manner::Explicit)
                    || matches!(error.kind(), ErrorKind::VersionConflict { .. });
                if error.commit_outcome() == neo_bolt::CommitOutcome::Unknown {
                    self.unknown.push(text.clone());
                } else if !expected {
                    self.surfaced.push(text.clone());
                }
                self.failed.insert(addition.unit, text);
            }
        }
        false
    }

    fn merge(&mut self, other: Self) {
        self.acknowledged.extend(other.acknowledged);
        self.inserted.extend(other.inserted);
        self.failed.extend(other.failed);
        self.unknown.extend(other.unknown);
        self.surfaced.extend(other.surfaced);
    }

    /// Everything in which the counter and its entries differ from what is known.
    async fn differences(&self, direct: &Graph, ledger: &str) -> Result<Vec<String>, Failure> {
        let entries = "MATCH (e:ProofEntry {ledger: $ledger}) \
                       RETURN e.unit, e.by, e.after ORDER BY e.after";
        let entries = direct.cypher(entries).param("ledger", ledger).read_only();
        let entries: Vec<(i64, i64, i64)> = entries.fetch(direct).await?;
        let counter = Counter::find_by_name(ledger).get(direct).await?;
        let mut differences = Vec::new();
        let mut there = BTreeMap::new();
        let mut balance = 0;
        for (unit, by, after) in &entries {
            if there.insert(*unit, *after).is_some() {
                differences.push(format!("unit {unit} is there twice"));
            }
            if balance + by != *after {
                differences.push(format!(
                    "unit {unit} added {by} to {balance} and came to {after}"
                ));
            }
            balance = *after;
        }
        if counter.balance != balance {
            let stored = counter.balance;
            differences.push(format!("the counter is {stored} instead of {balance}"));
        }
        let versions = i64::try_from(entries.len())? + 1;
        if counter.version.get() != Some(versions) {
            let version = counter.version.get();
            differences.push(format!("the version is {version:?} instead of {versions}"));
        }
        for (unit, returned) in &self.acknowledged {
            match there.get(unit) {
                None => differences.push(format!("unit {unit} is lost")),
                Some(after) if after != returned => differences.push(format!(
                    "unit {unit} returned {returned} and committed {after}"
                )),
                Some(_) => {}
            }
        }
        for (unit, error) in &self.failed {
            if there.contains_key(unit) {
                differences.push(format!("unit {unit} failed and is there: {error}"));
            }
        }
        let ticks = "MATCH (t:ProofTick) WHERE t.id STARTS WITH $ledger + '/' \
                     RETURN toInteger(split(t.id, '/')[1])";
        let ticks = direct.cypher(ticks).param("ledger", ledger).read_only();
        let ticks: Vec<i64> = ticks.fetch(direct).await?;
        let all: BTreeSet<i64> = ticks.iter().copied().collect();
        if all != self.inserted || all.len() != ticks.len() {
            let (count, expected) = (ticks.len(), self.inserted.len());
            differences.push(format!("{count} nodes instead of {expected} were inserted"));
        }
        let known = self.acknowledged.len() + self.failed.len();
        if there.len() > known {
            let count = there.len();
            differences.push(format!("{count} units are there, of {known}"));
        }
        Ok(differences)
    }
}

/// What the clients know of all counters, by name.
#[derive(Debug, Default)]
pub(crate) struct Ledgers(BTreeMap<String, Known>);

/// What came out of all counters.
#[derive(Debug, Default)]
pub(crate) struct Balance {
    pub(crate) acknowledged: usize,
    pub(crate) unknown: Vec<String>,
    pub(crate) surfaced: Vec<String>,
    pub(crate) differences: Vec<String>,
}

impl Ledgers {
    /// Notes how an addition ended; says whether it was acknowledged.
    pub(crate) fn note(
        &mut self,
        addition: Addition<'_>,
        manner: Manner,
        ended: Result<i64, Error>,
    ) -> bool {
        let known = self.0.entry(addition.ledger.to_owned()).or_default();
        known.note(addition, manner, ended)
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (ledger, known) in other.0 {
            self.0.entry(ledger).or_default().merge(known);
        }
    }

    /// Compares the database with what is known.
    pub(crate) async fn balance(self, direct: &Graph) -> Result<Balance, Failure> {
        let mut balance = Balance::default();
        for (ledger, known) in self.0 {
            balance
                .differences
                .extend(known.differences(direct, &ledger).await?);
            balance.acknowledged += known.acknowledged.len();
            balance.unknown.extend(known.unknown);
            balance.surfaced.extend(known.surfaced);
        }
        Ok(balance)
    }
}
