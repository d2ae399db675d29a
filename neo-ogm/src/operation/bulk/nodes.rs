//! `save_all`, `insert_all`, `update_all` and `delete_all`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::future::IntoFuture;
use std::ops::Range;

use neo_bolt::Record;
use neo_bolt::value::DateTime;

use super::rows::NodeRows;
use super::run::{self, Options, Progress, options};
use super::version::{self, Versions};
use crate::error::{Error, ErrorKind};
use crate::executor::{BoxFuture, Target, WriteStatement, operation};
use crate::mapping::{HookContext, KeyOf, Node, NodeEvent, Operation, PropertyRole, check_node};
use crate::operation::write::{bind, created_labels, labels, of_role};
use crate::query::{escape, raise, raised, raised_number};
use crate::relation::keyed_by;
use crate::relation::pairs::{Failed, GUARD, sorted};

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident => $work:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// # Cancel safety
        /// Dropping the future leaves graph and connections sound; of the batches on their way
        /// each may or may not have been written.
        #[derive(Debug)]
        #[must_use = "nothing is sent before `.await`"]
        pub struct $name<'a, N> {
            nodes: Vec<&'a N>,
            target: Target,
            options: Options<'a>,
        }

        impl<'a, N: Node> $name<'a, N> {
            pub(crate) fn new(nodes: impl IntoIterator<Item = &'a N>, target: Target) -> Self {
                Self {
                    nodes: nodes.into_iter().collect(),
                    target,
                    options: Options::default(),
                }
            }

            options!();
        }

        impl<'a, N: Node> IntoFuture for $name<'a, N> {
            type Output = Result<(), Error>;
            type IntoFuture = BoxFuture<'a, Self::Output>;

            fn into_future(self) -> Self::IntoFuture {
                operation(run(Work::$work, self.nodes, self.target, self.options))
            }
        }
    )*};
}

operations! {
    /// A save of many nodes that waits to be awaited; see [`Graph::save_all`](crate::Graph::save_all).
    SaveAll => Save;
    /// An insert of many nodes that waits to be awaited; see
    /// [`Graph::insert_all`](crate::Graph::insert_all).
    InsertAll => Insert;
    /// An update of many nodes that waits to be awaited; see
    /// [`Graph::update_all`](crate::Graph::update_all).
    UpdateAll => Update;
    /// A delete of many nodes that waits to be awaited; see
    /// [`Graph::delete_all`](crate::Graph::delete_all).
    DeleteAll => Delete;
}

/// What is done with the nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Save,
    Insert,
    Update,
    Delete,
}

impl Work {
    fn name(self) -> &'static str {
        match self {
            Self::Save => "save_all",
            Self::Insert => "insert_all",
            Self::Update => "update_all",
            Self::Delete => "delete_all",
        }
    }

    fn operation(self) -> Operation {
        match self {
            Self::Save => Operation::Save,
            Self::Insert => Operation::Insert,
            Self::Update => Operation::Update,
            Self::Delete => Operation::Delete,
        }
    }

    /// The hooks that come before and after; a save may make a node, which its own hook is told.
    fn hooks(self) -> (&'static [NodeEvent], &'static [NodeEvent]) {
        match self {
            Self::Save | Self::Update => (&[NodeEvent::BeforeSave], &[NodeEvent::AfterSave]),
            Self::Insert => (
                &[NodeEvent::BeforeSave, NodeEvent::BeforeCreate],
                &[NodeEvent::AfterSave],
            ),
            Self::Delete => (&[NodeEvent::BeforeDelete], &[NodeEvent::AfterDelete]),
        }
    }
}

/// What a statement has to do besides writing properties.
#[derive(Debug, Clone, Copy)]
struct Plan {
    work: Work,
    /// Whether it may refuse a row, which it names by its number then, or says something of each.
    numbered: bool,
    /// Whether it says of each row if the node is new.
    tells_created: bool,
    tells_id: bool,
    tells_time: bool,
}

impl Plan {
    fn of<N: Node>(work: Work, example: &N) -> Self {
        let managed = example.managed();
        let writes = work != Work::Delete;
        let (tells_id, tells_time) = (
            writes && managed.element_id.is_some(),
            writes && managed.created_at.is_some(),
        );
        let tells_created = N::HOOKS && work == Work::Save;
        let refuses = matches!(work, Work::Insert | Work::Update) || managed.version.is_some();
        Self {
            work,
            numbered: refuses || tells_created || tells_id || tells_time,
            tells_created,
            tells_id,
            tells_time,
        }
    }

    /// Whether the statement writes the time of the operation.
    fn uses_time<N: Node>(self) -> bool {
        let creates = matches!(self.work, Work::Save | Work::Insert);
        let created = creates && of_role(N::SCHEMA, PropertyRole::CreatedAt).is_some();
        let writes = self.work != Work::Delete;
        created || writes && of_role(N::SCHEMA, PropertyRole::UpdatedAt).is_some()
    }

    /// The statement for nodes that have the same optional labels as `example`.
    fn statement<N: Node>(self, example: &N) -> WriteStatement {
        let mut text = String::from("UNWIND $rows AS row ");
        text.push_str(match self.work {
            Work::Save | Work::Insert => "MERGE ",
            Work::Update => "OPTIONAL MATCH ",
            Work::Delete => "MATCH ",
        });
        keyed_by(&mut text, "n", "row.k", N::SCHEMA);
        let time = |text: &mut String, role, word: &str| {
            let name = of_role(N::SCHEMA, role);
            if let Some(name) = name {
                // Writing to a string does not fail, here and below.
                let _ = write!(text, "{word}n.{} = $now", escape(name));
            }
            name.is_some()
        };
        let version = version::property(N::SCHEMA);
        let version = version.as_deref();
        match self.work {
            Work::Save => {
                let timed = time(&mut text, PropertyRole::CreatedAt, " ON CREATE SET ");
                if self.tells_created {
                    let word = if timed { ", " } else { " ON CREATE SET " };
                    let _ = write!(text, "{word}n.{GUARD} = true");
                }
                self.set(&mut text, version);
                time(&mut text, PropertyRole::UpdatedAt, ", ");
                labels(&mut text, example);
                if self.tells_created {
                    let _ = write!(
                        text,
                        " WITH row, n, coalesce(n.{GUARD}, false) AS created REMOVE n.{GUARD}"
                    );
                }
            }
            Work::Insert => {
                let _ = write!(text, " ON CREATE SET n += row.p, n.{GUARD} = true");
                if let Some(version) = version {
                    version::first(&mut text, version);
                }
                time(&mut text, PropertyRole::CreatedAt, ", ");
                time(&mut text, PropertyRole::UpdatedAt, ", ");
                created_labels(&mut text, example);
                let _ = write!(
                    text,
                    " SET n.{GUARD} = CASE WHEN coalesce(n.{GUARD}, false) THEN null ELSE "
                );
                raise(&mut text, "row.i", 'e');
                text.push_str(" END");
            }
            Work::Update => {
                text.push_str(" WITH row, n WHERE CASE WHEN n IS NULL THEN ");
                raise(&mut text, "row.i", 'n');
                text.push_str(" ELSE true END");
                self.set(&mut text, version);
                time(&mut text, PropertyRole::UpdatedAt, ", ");
                labels(&mut text, example);
            }
            Work::Delete => {
                if let Some(version) = version {
                    version::guard(&mut text, version);
                }
                text.push_str(" DETACH DELETE n");
            }
        }
        let mut statement = WriteStatement::with_rows(text);
        self.columns::<N>(&mut statement);
        statement
    }

    /// Sets the properties of a node that may have been there.
    fn set(self, text: &mut String, version: Option<&str>) {
        if let Some(version) = version {
            version::guard(text, version);
        }
        text.push_str(" SET n += row.p");
        if let Some(version) = version {
            version::raised_by_one(text, version);
        }
    }

    fn columns<N: Node>(self, statement: &mut WriteStatement) {
        if !(self.tells_created || self.tells_id || self.tells_time) {
            return;
        }
        statement.column("i", "row.i");
        if self.tells_created {
            statement.column("created", "created");
        }
        if self.tells_id {
            statement.column("id", "elementId(n)");
        }
        if self.tells_time
            && let Some(created) = of_role(N::SCHEMA, PropertyRole::CreatedAt)
        {
            statement.column("created_at", format_args!("n.{}", escape(created)));
        }
    }
}

async fn run<N: Node>(
    work: Work,
    nodes: Vec<&N>,
    target: Target,
    options: Options<'_>,
) -> Result<(), Error> {
    // The rules of all nodes, before anything is sent.
    if work != Work::Delete {
        for (index, node) in nodes.iter().enumerate() {
            check_node(*node).map_err(|error| Error::new(ErrorKind::Row { index, error }))?;
        }
    }
    let groups = groups(&nodes);
    let (nodes, target) = (&nodes, &target);
    let mut progress = Progress::of(nodes.len());
    for group in &groups {
        let Some(example) = group.first().and_then(|first| nodes.get(*first)) else {
            continue;
        };
        let plan = Plan::of(work, *example);
        let statement = &plan.statement(*example);
        let batch = |range: Range<usize>| -> BoxFuture<'_, Result<(), Error>> {
            Box::pin(async move {
                let rows = group.get(range).unwrap_or_default();
                let batch = Batch {
                    plan,
                    nodes,
                    rows,
                    target,
                };
                let cx = batch.before().await?;
                let done = batch.write(statement).await?;
                batch.after(&done, cx).await
            })
        };
        options
            .run(group.len(), target, &mut progress, batch)
            .await?;
    }
    Ok(())
}

/// The nodes by their optional labels, since those stand in the statement's text: nearly always
/// all of them together.
fn groups<N: Node>(nodes: &[&N]) -> Vec<Vec<usize>> {
    if N::SCHEMA.optional_labels.is_empty() {
        return vec![(0..nodes.len()).collect()];
    }
    let mut groups: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (index, node) in nodes.iter().enumerate() {
        groups
            .entry(node.optional_labels())
            .or_default()
            .push(index);
    }
    groups.into_values().collect()
}

/// One batch: some of the nodes.
struct Batch<'b, 'a, N> {
    plan: Plan,
    nodes: &'b [&'a N],
    rows: &'b [usize],
    target: &'b Target,
}

/// What a batch has written.
struct Written {
    records: Vec<Record>,
    now: DateTime,
}

impl<'a, N: Node> Batch<'_, 'a, N> {
    fn each(&self) -> impl Iterator<Item = (usize, &'a N)> {
        let rows = self.rows.iter();
        rows.filter_map(|row| Some((*row, *self.nodes.get(*row)?)))
    }

    /// The hooks that come first; what refuses is named.
    async fn before(&self) -> Result<HookContext, Error> {
        let named = |index: usize| move |error| Error::new(ErrorKind::Row { index, error });
        let cx = HookContext::new(self.target, self.plan.work.operation());
        if N::HOOKS {
            for (index, node) in self.each() {
                for event in self.plan.work.hooks().0 {
                    node.hook(*event, &cx).await.map_err(named(index))?;
                }
            }
        }
        Ok(cx)
    }

    async fn write(&self, statement: &WriteStatement) -> Result<Written, Error> {
        let Self {
            plan,
            nodes,
            target,
            ..
        } = *self;
        let keys = N::SCHEMA.keys().count();
        let order = sorted(self.rows, |index, encoder| {
            nodes.get(index).map_or(Ok(()), |node| {
                (0..keys).try_for_each(|key| node.encode_key(key, encoder))
            })
        });
        let versions = version::property(N::SCHEMA).map(|_| Versions {
            attempt: target.attempt(),
        });
        let now = target.time();
        let failed = Failed::default();
        let rows = |rows: usize| NodeRows {
            nodes,
            order: order.get(..rows).unwrap_or(&order),
            numbered: plan.numbered,
            properties: plan.work != Work::Delete,
            versions,
            now: plan.uses_time::<N>().then_some(&now),
            failed: &failed,
        };
        let done = target.write(statement, rows(order.len())).await;
        let error = match done {
            Ok(done) => {
                let records = done.records;
                return Ok(Written { records, now });
            }
            Err(error) => error,
        };
        if let Some(index) = failed.index() {
            return Err(Error::new(ErrorKind::Row { index, error }));
        }
        let Some((index, reason)) = raised(&error) else {
            let statement = statement.to_string().into();
            return Err(run::name_culprit(error, target, &statement, &order, rows).await);
        };
        let Some(node) = nodes.get(index) else {
            return Err(error);
        };
        let key = KeyOf::new(*node)?;
        let error = Error::new(match plan.work {
            _ if reason == 'v' => ErrorKind::VersionConflict {
                node: key,
                expected: node
                    .managed()
                    .version
                    .and_then(|v| v.0.seen_by(target.attempt())),
                // A node that the statement itself has made has none.
                found: raised_number(&error).filter(|version| *version > 0),
            },
            Work::Insert => ErrorKind::AlreadyExists { key },
            _ => ErrorKind::NodeNotFound {
                key,
                operation: plan.work.name(),
            },
        });
        Err(Error::new(ErrorKind::Row { index, error }))
    }

    /// Puts what a record tells from the column `at` on into the struct's cells.
    fn fill(&self, record: &Record, mut at: usize) -> Result<(), Error> {
        let index: usize = record.get_at(0)?;
        let Some(node) = self.nodes.get(index) else {
            return Ok(());
        };
        let (managed, attempt) = (node.managed(), self.target.attempt());
        if let Some(id) = managed.element_id {
            id.0.put(attempt, record.get_at::<String>(at)?.into());
            at += 1;
        }
        if let Some(cell) = managed.created_at
            && let Some(created) = record.get_at::<Option<DateTime>>(at)?
        {
            cell.0.put(attempt, created);
        }
        Ok(())
    }

    /// Fills the structs' cells, binds their relationship fields, and calls the hooks that come
    /// last.
    async fn after(&self, written: &Written, cx: HookContext) -> Result<(), Error> {
        let attempt = self.target.attempt();
        let mut created: BTreeSet<usize> = BTreeSet::new();
        for record in &written.records {
            let index: usize = record.get_at(0)?;
            let mut column = 1;
            if self.plan.tells_created {
                if record.get_at(column)? {
                    created.insert(index);
                }
                column += 1;
            }
            self.fill(record, column)?;
        }
        if self.plan.work != Work::Delete {
            // All of them before the first hook: what a hook refuses is written all the same.
            for (_, node) in self.each() {
                let managed = node.managed();
                if let Some(cell) = managed.updated_at {
                    cell.0.put(attempt, written.now.clone());
                }
                if let Some(cell) = managed.version {
                    let version = match self.plan.work {
                        Work::Insert => 1,
                        _ => cell.0.seen_by(attempt).unwrap_or(0) + 1,
                    };
                    cell.0.put(attempt, version);
                }
                bind(node, self.target)?;
            }
        }
        if N::HOOKS {
            for (index, node) in self.each() {
                if self.plan.work == Work::Insert || created.contains(&index) {
                    node.hook(NodeEvent::AfterCreate, &cx).await?;
                }
                for event in self.plan.work.hooks().1 {
                    node.hook(*event, &cx).await?;
                }
            }
        }
        Ok(())
    }
}
