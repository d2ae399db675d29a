//! Typed finders: `Book::find().filter(…).load(…).all(&graph)`.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;

use neo_bolt::packstream::{DecodeError, Decoder};
use neo_bolt::{AccessMode, Record};

use super::stream::NodeStream;
use crate::error::{Error, ErrorKind};
use crate::executor::{BoxFuture, Executor, Graph, Target};
use crate::mapping::Entity;
use crate::query::{Condition, Cypher, Filter, Load, LoadPlan, Order, Parameters, escape};

/// A question for nodes of the struct `N`, made by `N::find()` and the finders of its key and
/// indexed properties. Nothing is sent before one of its last words is awaited.
#[must_use = "a finder does nothing until `all`, `one`, `first`, `count`, `exists` or `stream`"]
pub struct Find<N> {
    conditions: Vec<Condition>,
    order: Vec<(&'static str, bool)>,
    skip: Option<u32>,
    limit: Option<u32>,
    loads: Vec<LoadPlan>,
    of: PhantomData<fn() -> N>,
}

impl<N: Entity> Default for Find<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<N: Entity> fmt::Debug for Find<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Find").field(&self.to_cypher()).finish()
    }
}

impl<N: Entity> Find<N> {
    /// All nodes of the struct's label.
    pub fn new() -> Self {
        Self {
            conditions: Vec::new(),
            order: Vec::new(),
            skip: None,
            limit: None,
            loads: Vec::new(),
            of: PhantomData,
        }
    }

    /// Only nodes that pass `filter`; called again, both must hold.
    pub fn filter(mut self, filter: Filter<N>) -> Self {
        self.conditions.push(filter.condition);
        self
    }

    /// Orders the nodes; called again, it decides between those that are equal so far.
    pub fn order_by(mut self, order: Order<N>) -> Self {
        self.order.push((order.name, order.descending));
        self
    }

    /// Leaves out the first `count` nodes.
    pub fn skip(mut self, count: u32) -> Self {
        self.skip = Some(count);
        self
    }

    /// At most `count` nodes.
    pub fn limit(mut self, count: u32) -> Self {
        self.limit = Some(count);
        self
    }

    /// Loads a relationship of each node in the same query: `.load(Book::AUTHOR)`, or deeper
    /// `.load(Book::AUTHOR.then(Person::BOOKS))`.
    pub fn load(mut self, load: impl Into<Load<N>>) -> Self {
        self.loads.push(load.into().plan);
        self
    }

    /// The Cypher of [`all`](Self::all), with parameters in the place of values.
    pub fn to_cypher(&self) -> String {
        self.render(&mut Parameters::default())
    }

    /// All nodes: one round trip.
    pub fn all(self, on: impl Executor) -> Found<N, Vec<N>> {
        Found::new(self, on, |find, target| {
            Box::pin(async move { find.fetch(&target).await })
        })
    }

    /// The one node, or none: one round trip.
    ///
    /// # Errors
    /// [`ErrorKind::NotUnique`] where there are several.
    pub fn one(mut self, on: impl Executor) -> Found<N, Option<N>> {
        // One more than is asked for, to see that it is the only one.
        self.limit = Some(self.limit.map_or(2, |limit| limit.min(2)));
        Found::new(self, on, |find, target| {
            Box::pin(async move {
                let mut nodes = find.fetch(&target).await?;
                if nodes.len() > 1 {
                    let of = N::ENTITY;
                    let label = if of.label.is_empty() {
                        of.type_name
                    } else {
                        of.label
                    };
                    return Err(Error::new(ErrorKind::NotUnique { label }));
                }
                Ok(nodes.pop())
            })
        })
    }

    /// The first node in the order asked for, or none: one round trip.
    pub fn first(mut self, on: impl Executor) -> Found<N, Option<N>> {
        self.limit = Some(self.limit.map_or(1, |limit| limit.min(1)));
        Found::new(self, on, |find, target| {
            Box::pin(async move { Ok(find.fetch(&target).await?.pop()) })
        })
    }

    /// How many nodes there are: one round trip. Order and loads play no part.
    pub fn count(self, on: impl Executor) -> Found<N, u64> {
        Found::new(self, on, |find, target| {
            Box::pin(async move {
                let counted = find.ask(&target, "count(n)").await?;
                Ok(counted.map_or(Ok(0), |record| record.get_at::<u64>(0))?)
            })
        })
    }

    /// Whether there is any node: one round trip.
    pub fn exists(self, on: impl Executor) -> Found<N, bool> {
        Found::new(self, on, |find, target| {
            Box::pin(async move {
                let counted = find.ask(&target, "count(n) > 0").await?;
                Ok(counted.map_or(Ok(false), |record| record.get_at::<bool>(0))?)
            })
        })
    }

    /// The nodes one by one, as the server sends them: memory stays bounded however many there
    /// are. On a graph handle the query runs in an auto-commit transaction, which is not retried.
    pub fn stream(self, on: impl Executor) -> Found<N, NodeStream<N>> {
        Found::new(self, on, |find, target| {
            Box::pin(NodeStream::open(find, target))
        })
    }

    fn matching<'c>(&'c self, cypher: &mut Cypher<'_, 'c>) {
        cypher.push("MATCH ");
        cypher.node("n", N::ENTITY);
        let narrowed = cypher.one_of(" WHERE ", "n", N::ENTITY);
        if !self.conditions.is_empty() {
            cypher.push(if narrowed { " AND " } else { " WHERE " });
            cypher.conjunction("n", &self.conditions);
        }
    }

    fn ordering(&self, cypher: &mut Cypher<'_, '_>) {
        for (index, (name, descending)) in self.order.iter().enumerate() {
            cypher.push(if index == 0 { " ORDER BY n." } else { ", n." });
            cypher.push(&escape(name));
            cypher.push(if *descending { " DESC" } else { "" });
        }
    }

    fn paging(&self, cypher: &mut Cypher<'_, '_>) {
        for (word, number) in [(" SKIP ", self.skip), (" LIMIT ", self.limit)] {
            if let Some(number) = number {
                cypher.push(word);
                cypher.number(number.into());
            }
        }
    }

    pub(super) fn render<'c>(&'c self, parameters: &mut Parameters<'c>) -> String {
        let mut cypher = Cypher::new(parameters);
        self.matching(&mut cypher);
        // Loads come behind the limit, so that they are made for those nodes only that stay.
        let paged = self.skip.is_some() || self.limit.is_some();
        let narrowed = paged && !self.loads.is_empty();
        if narrowed {
            cypher.push(" WITH n");
            self.ordering(&mut cypher);
            self.paging(&mut cypher);
        }
        cypher.push(" RETURN n");
        for (index, plan) in self.loads.iter().enumerate() {
            cypher.push(", ");
            cypher.load("n", plan);
            cypher.push(&format!(" AS l{index}"));
        }
        self.ordering(&mut cypher);
        if !narrowed {
            self.paging(&mut cypher);
        }
        cypher.finish()
    }

    async fn ask(&self, target: &Target, what: &str) -> Result<Option<Record>, Error> {
        let mut parameters = Parameters::default();
        let mut cypher = Cypher::new(&mut parameters);
        self.matching(&mut cypher);
        if self.skip.is_some() || self.limit.is_some() {
            cypher.push(" WITH n");
            self.paging(&mut cypher);
        }
        cypher.push(" RETURN ");
        cypher.push(what);
        cypher.push(" AS answer");
        let statement = cypher.finish().into();
        let mut found = target
            .execute(AccessMode::Read, statement, parameters)
            .await?;
        Ok(found.records.pop())
    }

    async fn fetch(&self, target: &Target) -> Result<Vec<N>, Error> {
        let mut parameters = Parameters::default();
        let statement = self.render(&mut parameters).into();
        let found = target
            .execute(AccessMode::Read, statement, parameters)
            .await?;
        let graph = target.graph();
        found
            .records
            .iter()
            .map(|record| self.decode(record, graph))
            .collect()
    }

    pub(super) fn decode(&self, record: &Record, graph: &Graph) -> Result<N, Error> {
        read(&mut record.raw_fields(), &self.loads, graph).map_err(|error| Error::decode("", error))
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

type Run<N, O> = fn(Find<N>, Target) -> BoxFuture<'static, Result<O, Error>>;

/// A finder that waits to be awaited.
#[must_use = "nothing is sent before `.await`"]
pub struct Found<N, O> {
    find: Find<N>,
    target: Target,
    run: Run<N, O>,
}

impl<N: Entity, O> Found<N, O> {
    fn new(find: Find<N>, on: impl Executor, run: Run<N, O>) -> Self {
        Self {
            find,
            target: on.target(),
            run,
        }
    }
}

impl<N: Entity, O> fmt::Debug for Found<N, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.find.fmt(f)
    }
}

impl<N: Entity, O> IntoFuture for Found<N, O> {
    type Output = Result<O, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        (self.run)(self.find, self.target)
    }
}
