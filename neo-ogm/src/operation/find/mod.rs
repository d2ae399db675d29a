//! Typed finders: `Book::find().filter(…).load(…).all(&graph)`.

mod aggregate;
mod change;
mod cursor;
mod explain;
mod follow;
mod found;
mod load;
mod lock;
mod page;
mod path;
mod question;
mod search;
mod select;
mod shared;
mod stream;

pub use aggregate::{Aggregation, GroupBy, Groups};
pub use change::{DeleteFound, UpdateFound};
pub use cursor::Cursor;
pub use found::Found;
pub use load::LoadInto;
pub use lock::Locked;
pub use page::{NumberedPage, Page, Paged};
pub use path::{AllShortestPaths, Path, ShortestPath};
pub use search::{Index, Ranked, Scored, SearchIndex};
pub use select::{Projection, Select};
pub use shared::{Entry, NodeSet};
pub use stream::{NodeStream, RowStream};

use std::fmt;
use std::marker::PhantomData;

use neo_bolt::Record;
use neo_bolt::packstream::{DecodeError, Decoder};

use self::question::{Question, Returned};
use crate::error::{Error, ErrorKind};
use crate::executor::{Executor, Graph, Target};
use crate::mapping::Entity;
use crate::query::{Condition, Field, Filter, LoadPlan, Loadable, Orders, Parameters, steps};

/// A question for nodes of the struct `N`, made by `N::find()` and the finders of its key and
/// indexed properties. Nothing is sent before one of its last words is awaited.
///
/// It can be cloned, to be asked in several ways.
#[must_use = "a finder does nothing until `all`, `one`, `first`, `count`, `exists` or `stream`"]
pub struct Find<N> {
    question: Question,
    of: PhantomData<fn() -> N>,
}

impl<N> Clone for Find<N> {
    fn clone(&self) -> Self {
        Self::of(self.question.clone())
    }
}

impl<N: Entity> Default for Find<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<N> fmt::Debug for Find<N> {
    /// Shows the Cypher; values stay out of it, since they may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Find").field(&self.to_cypher()).finish()
    }
}

impl<N> Find<N> {
    fn of(question: Question) -> Self {
        Self {
            question,
            of: PhantomData,
        }
    }

    /// The Cypher of [`all`](Self::all), with parameters in the place of values.
    pub fn to_cypher(&self) -> String {
        self.question
            .render(&mut Parameters::default(), &Returned::Nodes)
    }
}

/// What is asked.
impl<N: Entity> Find<N> {
    /// All nodes of the struct's label.
    pub fn new() -> Self {
        Self::of(Question::new(N::ENTITY))
    }

    /// Only nodes that pass `filter`; called again, both must hold.
    pub fn filter(mut self, filter: Filter<N>) -> Self {
        self.question.conditions.push(filter.condition);
        self
    }

    /// Only nodes that do not pass `filter`. Unlike `filter(!…)`, it keeps those that lack the
    /// property which `filter` asks for.
    pub fn exclude(mut self, filter: Filter<N>) -> Self {
        let condition = Condition::Unless(Box::new(filter.condition));
        self.question.conditions.push(condition);
        self
    }

    /// Orders the nodes, by one property or by a tuple of several; called again, it decides between
    /// those that are equal so far.
    pub fn order_by(mut self, order: impl Orders<N>) -> Self {
        self.question.order.extend(steps(order));
        self
    }

    /// Leaves out the first `count` nodes.
    pub fn skip(mut self, count: u32) -> Self {
        self.question.skip = Some(count);
        self
    }

    /// At most `count` nodes.
    pub fn limit(mut self, count: u32) -> Self {
        self.question.limit = Some(count);
        self
    }

    /// Tells the planner to begin at the index over a property that a filter asks for; called
    /// again, at several. For when the planner's own choice is measurably worse.
    ///
    /// # Errors
    /// The question fails where no filter could use the index, and on the embedded engine, which
    /// has no such hints.
    pub fn using_index<T>(mut self, field: Field<N, T>) -> Self {
        self.question.hints.push(field.name());
        self
    }

    /// Loads a relationship of each node in the same query: `.load(Book::AUTHOR)`, deeper
    /// `.load(Book::AUTHOR.then(Person::BOOKS))`, or some of it; see
    /// [`Load`](crate::query::Load).
    pub fn load(mut self, load: impl Loadable<N>) -> Self {
        self.question.loads.push(load.into_plan());
        self
    }
}

/// How it is answered.
impl<N: Entity> Find<N> {
    /// All nodes: one round trip.
    pub fn all(self, on: impl Executor) -> Found<Self, Vec<N>> {
        Found::new(self, on, |find, target| Box::pin(find.fetch(target)))
    }

    /// The one node, or none: one round trip.
    ///
    /// # Errors
    /// [`ErrorKind::NotUnique`] where there are several.
    pub fn one(mut self, on: impl Executor) -> Found<Self, Option<N>> {
        self.question.at_most(2);
        Found::new(self, on, |find, target| Box::pin(find.fetch_one(target)))
    }

    /// The one node, or none; another name of [`one`](Self::one).
    ///
    /// # Errors
    /// As [`one`](Self::one).
    pub fn get_or_none(self, on: impl Executor) -> Found<Self, Option<N>> {
        self.one(on)
    }

    /// The one node, which must be there: one round trip.
    ///
    /// # Errors
    /// [`ErrorKind::NothingFound`] where there is none, [`ErrorKind::NotUnique`] where there are
    /// several.
    pub fn get(mut self, on: impl Executor) -> Found<Self, N> {
        self.question.at_most(2);
        Found::new(self, on, |find, target| {
            Box::pin(async move {
                let shown = find.clone();
                find.fetch_one(target).await?.ok_or_else(|| {
                    Error::new(ErrorKind::NothingFound {
                        label: question::name_of(N::ENTITY),
                        question: shown.to_cypher(),
                    })
                })
            })
        })
    }

    /// The first node in the order asked for, or none: one round trip.
    pub fn first(mut self, on: impl Executor) -> Found<Self, Option<N>> {
        self.question.at_most(1);
        Found::new(self, on, |find, target| {
            Box::pin(async move { Ok(find.fetch(target).await?.pop()) })
        })
    }

    /// How many nodes there are: one round trip. Order and loads play no part.
    pub fn count(self, on: impl Executor) -> Found<Self, u64> {
        Found::new(self, on, |find, target| {
            Box::pin(async move {
                let counted = find.question.ask_whole(&target, "count(n)").await?;
                let counted = counted.records.first();
                Ok(counted.map_or(Ok(0), |record| record.get_at::<u64>(0))?)
            })
        })
    }

    /// Whether there is any node: one round trip.
    pub fn exists(mut self, on: impl Executor) -> Found<Self, bool> {
        self.question.order.clear();
        self.question.at_most(1);
        Found::new(self, on, |find, target| {
            Box::pin(async move {
                let counted = find.question.ask_whole(&target, "count(n) > 0").await?;
                let counted = counted.records.first();
                Ok(counted.map_or(Ok(false), |record| record.get_at::<bool>(0))?)
            })
        })
    }

    /// The nodes one by one, as the server sends them: memory stays bounded however many there
    /// are. On a graph handle the query runs in an auto-commit transaction, which is not retried.
    pub fn stream(self, on: impl Executor) -> Found<Self, NodeStream<N>> {
        Found::new(self, on, |find, target| {
            Box::pin(NodeStream::open(find, target))
        })
    }

    async fn fetch(self, target: Target) -> Result<Vec<N>, Error> {
        let found = self.question.ask(&target, &Returned::Nodes).await?;
        let graph = target.graph();
        let records = found.records.iter();
        records.map(|record| self.decode(record, graph)).collect()
    }

    async fn fetch_one(self, target: Target) -> Result<Option<N>, Error> {
        let mut nodes = self.fetch(target).await?;
        if nodes.len() > 1 {
            let label = question::name_of(N::ENTITY);
            return Err(Error::new(ErrorKind::NotUnique { label }));
        }
        Ok(nodes.pop())
    }

    fn decode(&self, record: &Record, graph: &Graph) -> Result<N, Error> {
        read(&mut record.raw_fields(), &self.question.loads, graph)
            .map_err(|error| Error::decode("", error))
    }
}

fn read<N: Entity>(
    decoder: &mut Decoder<'_>,
    loads: &[LoadPlan],
    graph: &Graph,
) -> Result<N, DecodeError> {
    let mut node = N::decode(decoder, graph)?;
    for plan in loads {
        node.load_related(plan, decoder, graph)?;
    }
    Ok(node)
}
