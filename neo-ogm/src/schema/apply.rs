//! `graph.apply_schema::<(Book, Person)>()`.

use std::future::IntoFuture;
use std::time::Duration;

use neo_bolt::AccessMode;
use tokio::time::Instant;

use super::found::{self, FoundRule};
use super::{Rule, Schema, SchemaReport, SchemaSet, Unsupported};
use crate::error::{Error, ErrorKind};
use crate::executor::{BoxFuture, Graph, Target, operation};

/// How long to wait between two looks at indexes that are being filled, at first and at most.
const LOOK_AGAIN: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));

/// How long a constraint may take to be made whole by somebody else.
const HALF_MADE: Duration = Duration::from_secs(5);

impl Graph {
    /// Makes the constraints and indexes that the structs name, where they are not there. Running
    /// it again changes nothing.
    ///
    /// The relationship structs of node structs go with them. What the options of the structs
    /// make, and where, is told [here](crate::schema).
    ///
    /// The constraint for receipts is created as well, by which each write takes effect
    /// [exactly once](crate::executor::GraphBuilder::exactly_once), unless the user may not create constraints. Receipts
    /// that are older than a day are deleted.
    ///
    /// ```no_run
    /// # use neo_ogm::prelude::*;
    /// # use std::time::Duration;
    /// # #[derive(Node)] struct Book { #[node(key)] isbn: String }
    /// # async fn example(graph: Graph) -> Result<(), neo_ogm::Error> {
    /// let report = graph
    ///     .apply_schema::<Book>()
    ///     .skip_unsupported()                    // not an error on Community
    ///     .await_online(Duration::from_secs(60)) // until indexes are filled
    ///     .await?;
    /// println!("{report}");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Schema`] where something can't be had on this database, or something else has
    /// its name or place; all the rest is made nevertheless, and the error says what became of
    /// each. The database's own error where the data breaks a constraint.
    pub fn apply_schema<S: SchemaSet>(&self) -> ApplySchema {
        self.apply(Schema::of::<S>())
    }

    /// As [`apply_schema`](Self::apply_schema), of a schema that is there already.
    pub(crate) fn apply(&self, schema: Schema) -> ApplySchema {
        ApplySchema {
            graph: self.clone(),
            schema,
            skip_unsupported: false,
            replace_changed: false,
            online: None,
        }
    }
}

/// A schema that waits to be applied: one wait to see what is there, and one round trip for each
/// constraint and index that is missing.
///
/// # Cancel safety
/// Dropping the future leaves each constraint and index whole, made or not made.
#[derive(Debug)]
#[must_use = "nothing is sent before `.await`"]
pub struct ApplySchema {
    graph: Graph,
    schema: Schema,
    skip_unsupported: bool,
    replace_changed: bool,
    online: Option<Duration>,
}

impl ApplySchema {
    /// Goes on without what the database can't have, such as existence constraints on Neo4j
    /// Community or full-text indexes on the embedded engine; the report lists it.
    pub fn skip_unsupported(mut self) -> Self {
        self.skip_unsupported = true;
        self
    }

    /// Drops what has the name or the place of something in the model and is not the same, and
    /// makes it anew, as after a change of an index's options.
    pub fn replace_changed(mut self) -> Self {
        self.replace_changed = true;
        self
    }

    /// Waits until the indexes are filled and used, for as long as this.
    pub fn await_online(mut self, within: Duration) -> Self {
        self.online = Some(within);
        self
    }

    /// The statements that make what is named, whether it is there or not; nothing is sent.
    pub fn to_cypher(&self) -> Vec<String> {
        self.schema.to_cypher()
    }

    async fn run(self) -> Result<SchemaReport, Error> {
        let mut report = SchemaReport::default();
        let there = self.look().await?;
        for rule in &self.schema.rules {
            self.apply(rule, &there, &mut report).await?;
        }
        self.graph.prepare_receipts().await?;
        if !report.different.is_empty() || !(self.skip_unsupported || report.unsupported.is_empty())
        {
            return Err(Error::new(ErrorKind::Schema(report)));
        }
        if let Some(within) = self.online {
            online(&self.graph, &self.schema, within).await?;
        }
        Ok(report)
    }

    async fn apply(
        &self,
        rule: &Rule,
        there: &[FoundRule],
        report: &mut SchemaReport,
    ) -> Result<(), Error> {
        if there.iter().any(|found| found.does(rule)) {
            report.present.push(rule.clone());
            return Ok(());
        }
        let against = |found: &&FoundRule| found.name == rule.name || found.stands_against(rule);
        let against: Vec<&FoundRule> = there.iter().filter(against).collect();
        let changed = against.first().map(|found| (*found).clone());
        if let Some(found) = &changed
            && !self.replace_changed
        {
            report.different.push((rule.clone(), found.clone()));
            return Ok(());
        }
        let prefix = self.graph.label_prefix().unwrap_or_default();
        for found in against {
            write(&self.graph, found.drop_cypher()).await?;
        }
        match (write(&self.graph, rule.create(prefix)).await, changed) {
            (Ok(()), Some(found)) => report.replaced.push((rule.clone(), found)),
            (Ok(()), None) => report.created.push(rule.clone()),
            (Err(error), _) => match reason(&error) {
                Some(reason) => report.unsupported.push(Unsupported {
                    rule: rule.clone(),
                    reason,
                }),
                None if self.was_beaten(rule, &error).await? => report.present.push(rule.clone()),
                None => return Err(error),
            },
        }
        Ok(())
    }
}

impl ApplySchema {
    /// Whether somebody else has made the rule since we looked. `IF NOT EXISTS` looks before it
    /// waits for its turn, so of two that make the same thing at once, one may be refused.
    async fn was_beaten(&self, rule: &Rule, error: &Error) -> Result<bool, Error> {
        if !error
            .code()
            .is_some_and(|code| code.ends_with("AlreadyExists"))
        {
            return Ok(false);
        }
        let there = self.look().await?;
        Ok(there.iter().any(|found| found.does(rule)))
    }

    /// What there is. Where somebody else is just making a constraint, its index is seen alone for
    /// a while, and this waits for the rest of it.
    async fn look(&self) -> Result<Vec<FoundRule>, Error> {
        let deadline = Instant::now() + HALF_MADE;
        loop {
            let there = found::all(&self.graph).await?;
            let rules = &self.schema.rules;
            let half_made = |found: &FoundRule| rules.iter().any(|rule| found.is_half_of(rule));
            if !there.iter().any(half_made) || Instant::now() > deadline {
                return Ok(there);
            }
            tokio::time::sleep(LOOK_AGAIN.0).await;
        }
    }
}

pub(super) async fn write(graph: &Graph, statement: String) -> Result<(), Error> {
    let target = Target::Graph(graph.clone());
    target
        .execute(AccessMode::Write, statement.into(), ())
        .await?;
    Ok(())
}

/// What the database said, where it said that it can't have such a thing at all.
fn reason(error: &Error) -> Option<String> {
    let message = error.driver_error()?.message();
    let unsupported = ["Enterprise Edition", "the embedded engine does not have"];
    unsupported
        .iter()
        .any(|said| message.contains(said))
        .then(|| message.to_owned())
}

/// Waits until the indexes of the schema are filled.
///
/// The procedure that Neo4j has for this waits for the indexes of everybody else, too, and fails
/// with theirs; so this looks at those of the schema.
async fn online(graph: &Graph, schema: &Schema, within: Duration) -> Result<(), Error> {
    let deadline = Instant::now() + within;
    let (mut pause, longest) = LOOK_AGAIN;
    loop {
        let waits = |found: &&FoundRule| {
            let ours = schema.rules.iter().any(|rule| found.does(rule));
            ours && found.state.as_deref() != Some("ONLINE")
        };
        let found = found::indexes(graph).await?;
        let Some(index) = found.iter().find(waits) else {
            return Ok(());
        };
        let state = index.state.clone().unwrap_or_default();
        if state == "FAILED" || Instant::now() + pause > deadline {
            return Err(Error::new(ErrorKind::IndexNotOnline {
                index: index.to_string(),
                state,
            }));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(longest);
    }
}

impl IntoFuture for ApplySchema {
    type Output = Result<SchemaReport, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        operation(self.run())
    }
}
