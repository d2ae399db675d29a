//! `book.similar.find()`: a typed question for what one relationship field leads to.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;

use neo_bolt::{AccessMode, Record};

use super::ends::{self, Bound};
use super::field::Related;
use super::stream::RelatedStream;
use super::update::UpdateFoundRelationships;
use super::{disconnect, values};
use crate::error::{Error, ErrorKind};
use crate::executor::{BoxFuture, Executor, Graph, Target, WriteStatement, operation};
use crate::mapping::{
    Cardinality, Entity, HookContext, Operation, Relationship, RelationshipEvent, decode_carried,
};
use crate::query::{
    Condition, Cypher, End, Expr, Filter, Hop, LoadPlan, Loadable, OrderStep, Orders, Parameter,
    Parameters, steps,
};

/// A question for the nodes that a relationship field leads to and what the relationships carry,
/// made by `find()` of the field. Nothing is sent before one of its last words is awaited.
///
/// It runs on the graph where the node of the field was saved or found, unless
/// [`on`](Self::on) says otherwise. A node that is not in the database leads to nothing.
///
/// ```
/// # use neo_ogm::prelude::*;
/// # #[derive(Node, Debug, Clone)]
/// # struct Book { #[node(key)] isbn: String, pages: Option<u32>,
/// #     #[relationship(type = "SIMILAR_TO")] similar: Many<Book, Similar> }
/// # #[relationship(type = "SIMILAR_TO")] #[derive(Debug, Clone)] struct Similar { score: f64 }
/// # #[tokio::main] async fn main() -> Result<(), neo_ogm::Error> {
/// # let graph = Graph::in_memory().await?;
/// # let (book, mut other) = (Book::new("1"), Book::new("2"));
/// # other.pages = Some(300);
/// # book.save(&graph).await?; other.save(&graph).await?;
/// # book.similar.connect(&other).properties(Similar { score: 0.9 }).await?;
/// let close = book
///     .similar
///     .find()
///     .exclude(Book::PAGES.gt(1000))
///     .filter_relationship(Similar::SCORE.ge(0.5))
///     .order_by_relationship(Similar::SCORE.desc())
///     .limit(10)
///     .all()
///     .await?;
/// assert_eq!(close[0].node.isbn, "2");
/// assert_eq!(close[0].relationship.score, 0.9);
/// # Ok(()) }
/// ```
#[must_use = "a question does nothing until `all`, `nodes`, `first`, `one`, `count` or the like"]
pub struct FindRelated<T, R = ()> {
    bound: Option<Bound>,
    on: Option<Target>,
    key: Vec<Parameter>,
    /// What must hold of nodes and relationships; there once the node is known.
    hop: Option<Hop>,
    order: Vec<(End, OrderStep)>,
    skip: Option<u32>,
    limit: Option<u32>,
    loads: Vec<LoadPlan>,
    of: PhantomData<Ends<T, R>>,
}

/// What a question is about, without being or having it.
type Ends<T, R> = fn() -> (T, R);

impl<T: Entity, R: Relationship> fmt::Debug for FindRelated<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cypher = self.bound.as_ref().map(|_| self.to_cypher());
        f.debug_tuple("FindRelated").field(&cypher).finish()
    }
}

impl<T: Entity, R: Relationship> FindRelated<T, R> {
    pub(super) fn new(bound: Option<Bound>) -> Self {
        let hop = bound.as_ref().map(|bound| Hop::new(bound.relation));
        let key = bound
            .as_ref()
            .map(|bound| values::of_node(&bound.origin.key));
        Self {
            key: key.unwrap_or_default(),
            bound,
            on: None,
            hop,
            order: Vec::new(),
            skip: None,
            limit: None,
            loads: Vec::new(),
            of: PhantomData,
        }
    }

    /// Only nodes that pass `filter`; called again, both must hold.
    pub fn filter(self, filter: Filter<T>) -> Self {
        self.with_node(filter.condition)
    }

    /// Only nodes that do not pass `filter`. Unlike `filter(!…)`, it keeps those that lack the
    /// property which `filter` asks for.
    pub fn exclude(self, filter: Filter<T>) -> Self {
        self.with_node(Condition::Unless(Box::new(filter.condition)))
    }

    fn with_node(mut self, condition: Condition) -> Self {
        if let Some(hop) = &mut self.hop {
            hop.node.push(condition);
        }
        self
    }

    /// Only relationships that pass `filter`, which asks for what they carry.
    pub fn filter_relationship(mut self, filter: Filter<R>) -> Self {
        if let Some(hop) = &mut self.hop {
            hop.relationship.push(filter.condition);
        }
        self
    }

    /// Orders by a property of the nodes; called again, it decides between those that are equal
    /// so far.
    pub fn order_by(mut self, order: impl Orders<T>) -> Self {
        self.order
            .extend(steps(order).map(|step| (End::Node, step)));
        self
    }

    /// Orders by what the relationships carry.
    pub fn order_by_relationship(mut self, order: impl Orders<R>) -> Self {
        let steps = steps(order).map(|step| (End::Relationship, step));
        self.order.extend(steps);
        self
    }

    /// Leaves out the first `count`.
    pub fn skip(mut self, count: u32) -> Self {
        self.skip = Some(count);
        self
    }

    /// At most `count`.
    pub fn limit(mut self, count: u32) -> Self {
        self.limit = Some(count);
        self
    }

    /// Loads a relationship of each node in the same query: `.load(Person::BOOKS)`.
    pub fn load(mut self, load: impl Loadable<T>) -> Self {
        self.loads.push(load.into_plan());
        self
    }

    /// Runs the operation on a transaction or another handle of the graph. By default, it joins the
    /// transaction that the node belongs to while that goes on, and otherwise runs on the node's
    /// graph; see [`Transaction`](crate::Transaction#scope).
    pub fn on(mut self, executor: impl Executor) -> Self {
        self.on = Some(executor.target());
        self
    }

    /// The Cypher of [`all`](Self::all), with parameters in the place of values; empty where the
    /// node was neither saved nor found.
    pub fn to_cypher(&self) -> String {
        let bound = self.bound.as_ref();
        bound.map_or_else(String::new, |bound| {
            self.render(bound, &mut Parameters::default())
        })
    }

    /// All nodes with their relationships: one round trip.
    ///
    /// # Errors
    /// The node that the field belongs to was neither saved nor found, or a node does not fit
    /// the struct.
    pub fn all(self) -> FoundRelated<T, R, Vec<Related<T, R>>> {
        FoundRelated::new(self, |find, bound, target| {
            Box::pin(async move { find.fetch(&bound, &target).await })
        })
    }

    /// All nodes, without what the relationships carry: one round trip.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    pub fn nodes(self) -> FoundRelated<T, R, Vec<T>> {
        FoundRelated::new(self, |find, bound, target| {
            Box::pin(async move {
                let found = find.fetch(&bound, &target).await?;
                Ok(found.into_iter().map(|related| related.node).collect())
            })
        })
    }

    /// The first in the order asked for, or none: one round trip.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    pub fn first(mut self) -> FoundRelated<T, R, Option<Related<T, R>>> {
        self.limit = Some(self.limit.map_or(1, |limit| limit.min(1)));
        FoundRelated::new(self, |find, bound, target| {
            Box::pin(async move { Ok(find.fetch(&bound, &target).await?.pop()) })
        })
    }

    /// The only one, or none: one round trip.
    ///
    /// # Errors
    /// [`ErrorKind::NotUnique`] where there are several; else as [`all`](Self::all).
    pub fn one(mut self) -> FoundRelated<T, R, Option<Related<T, R>>> {
        // One more than is asked for, to see that it is the only one.
        self.limit = Some(self.limit.map_or(2, |limit| limit.min(2)));
        FoundRelated::new(self, |find, bound, target| {
            Box::pin(async move {
                let mut found = find.fetch(&bound, &target).await?;
                if found.len() > 1 {
                    let label = T::ENTITY.type_name;
                    return Err(Error::new(ErrorKind::NotUnique { label }));
                }
                Ok(found.pop())
            })
        })
    }

    /// The only one, which must be there: one round trip.
    ///
    /// # Errors
    /// [`ErrorKind::NothingFound`] where there is none, [`ErrorKind::NotUnique`] where there are
    /// several; else as [`all`](Self::all).
    pub fn get(mut self) -> FoundRelated<T, R, Related<T, R>> {
        self.limit = Some(self.limit.map_or(2, |limit| limit.min(2)));
        FoundRelated::new(self, |find, bound, target| {
            Box::pin(async move {
                let mut found = find.fetch(&bound, &target).await?;
                let label = T::ENTITY.type_name;
                match (found.pop(), found.is_empty()) {
                    (Some(only), true) => Ok(only),
                    (Some(_), false) => Err(Error::new(ErrorKind::NotUnique { label })),
                    (None, _) => Err(Error::new(ErrorKind::NothingFound {
                        label,
                        question: find.to_cypher(),
                    })),
                }
            })
        })
    }

    /// How many there are: one round trip. Order and loads play no part.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    pub fn count(self) -> FoundRelated<T, R, u64> {
        FoundRelated::new(self, |find, bound, target| {
            Box::pin(async move {
                let counted = find.ask(&bound, &target, "count(r)").await?;
                Ok(counted.map_or(Ok(0), |record| record.get_at::<u64>(0))?)
            })
        })
    }

    /// Whether there is any: one round trip.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    pub fn exists(self) -> FoundRelated<T, R, bool> {
        FoundRelated::new(self, |find, bound, target| {
            Box::pin(async move {
                let counted = find.ask(&bound, &target, "count(r) > 0").await?;
                Ok(counted.map_or(Ok(false), |record| record.get_at::<bool>(0))?)
            })
        })
    }

    /// One by one, as the server sends them: memory stays bounded however many there are. On a
    /// graph handle the query runs in an auto-commit transaction, which is not retried.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    pub fn stream(self) -> FoundRelated<T, R, RelatedStream<T, R>> {
        FoundRelated::new(self, |find, bound, target| {
            Box::pin(RelatedStream::open(find, bound, target))
        })
    }

    /// Takes the relationships away, all that pass the filters, and says how many: one statement,
    /// one round trip. The nodes stay.
    ///
    /// Where the answer to its commit is lost and it runs again, it says how many were left for
    /// the second run.
    ///
    /// # Errors
    /// A node would lose its last relationship of a [`OneOrMore`](super::OneOrMore), on either
    /// side: then none is taken away. [`ErrorKind::NotSupported`] with `skip`, `limit` or an
    /// order.
    pub fn disconnect(self) -> FoundRelated<T, R, u64> {
        FoundRelated::new(self, |find, bound, target| {
            operation(async move {
                if !R::HOOKS {
                    return find.take_away(&bound, &target).await;
                }
                let cx = HookContext::new(&target, Operation::Disconnect);
                R::hook(None, RelationshipEvent::BeforeDisconnect, &cx).await?;
                let taken = find.take_away(&bound, &target).await?;
                R::hook(None, RelationshipEvent::AfterDisconnect, &cx).await?;
                Ok(taken)
            })
        })
    }

    /// Changes what the relationships carry, all that pass the filters:
    /// `.update().set(Similar::SCORE, 0.5).await`.
    pub fn update(self) -> UpdateFoundRelationships<T, R> {
        UpdateFoundRelationships::new(self)
    }

    pub(super) fn place(&self) -> Result<(Bound, Target), Error> {
        let summed = |(_, step): &(End, OrderStep)| matches!(step.expr, Expr::Summary(_));
        if self.order.iter().any(summed) {
            return Err(Error::new(ErrorKind::NotSupported {
                operation: "find",
                reason: "ordering by what further relationships sum up to; use `count()` of them, \
                         or a finder with `follow`",
            }));
        }
        let bound = ends::bound(self.bound.clone())?;
        let target = bound.target(self.on.clone());
        Ok((bound, target))
    }

    /// An update or a disconnect takes all that pass the filters.
    pub(super) fn refuse_paging(&self, operation: &'static str) -> Result<(), Error> {
        if self.skip.is_some() || self.limit.is_some() || !self.order.is_empty() {
            return Err(Error::new(ErrorKind::NotSupported {
                operation,
                reason: "it can't be run twice with `skip`, `limit` or an order; filter instead",
            }));
        }
        Ok(())
    }

    pub(super) fn matching<'c>(&'c self, bound: &Bound, cypher: &mut Cypher<'_, 'c>) {
        cypher.push("MATCH ");
        values::node(cypher, "a", bound.origin.key.schema, &self.key);
        self.step(cypher);
    }

    /// Writes the step to the nodes, and what must hold of them.
    fn step<'c>(&'c self, cypher: &mut Cypher<'_, 'c>) {
        if let Some(hop) = &self.hop {
            cypher.push(" MATCH ");
            cypher.hop("a", "r", hop, "n");
            cypher.hop_conditions("r", hop, "n");
        }
    }

    fn ordering<'c>(&'c self, cypher: &mut Cypher<'_, 'c>) {
        let mut word = " ORDER BY ";
        for (end, step) in &self.order {
            cypher.push(word);
            let variable = match end {
                End::Node => "n",
                End::Relationship => "r",
            };
            cypher.order_step(variable, step);
            word = ", ";
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

    pub(super) fn render<'c>(&'c self, bound: &Bound, parameters: &mut Parameters<'c>) -> String {
        let mut cypher = Cypher::new(parameters);
        self.matching(bound, &mut cypher);
        // Loads come behind the limit, so that they are made for those nodes only that stay.
        let paged = self.skip.is_some() || self.limit.is_some();
        let narrowed = paged && !self.loads.is_empty();
        let mut carried = vec!["r".to_owned(), "n".to_owned()];
        if narrowed {
            cypher.with(&carried);
            self.ordering(&mut cypher);
            self.paging(&mut cypher);
        }
        let staged: Vec<_> = self
            .loads
            .iter()
            .map(|plan| {
                plan.is_staged()
                    .then(|| cypher.staged_load("n", plan, &mut carried))
            })
            .collect();
        let carried = R::SCHEMA.asked("r");
        cypher.write(format_args!(" RETURN {carried} AS carried, n"));
        for (index, (plan, staged)) in self.loads.iter().zip(staged).enumerate() {
            cypher.push(", ");
            match staged {
                Some(list) => cypher.push(&list),
                None => {
                    cypher.load("n", plan);
                    cypher.push(&format!(" AS c{index}"));
                }
            }
        }
        self.ordering(&mut cypher);
        if !narrowed {
            self.paging(&mut cypher);
        }
        cypher.finish()
    }

    async fn ask(
        &self,
        bound: &Bound,
        target: &Target,
        what: &str,
    ) -> Result<Option<Record>, Error> {
        let mut parameters = Parameters::default();
        let mut cypher = Cypher::new(&mut parameters);
        self.matching(bound, &mut cypher);
        if self.skip.is_some() || self.limit.is_some() {
            cypher.push(" WITH r, n");
            self.ordering(&mut cypher);
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

    async fn fetch(&self, bound: &Bound, target: &Target) -> Result<Vec<Related<T, R>>, Error> {
        let mut parameters = Parameters::default();
        let statement = self.render(bound, &mut parameters).into();
        let found = target
            .execute(AccessMode::Read, statement, parameters)
            .await?;
        let graph = target.graph();
        found
            .records
            .iter()
            .map(|record| self.decode(bound, record, graph))
            .collect()
    }

    pub(super) fn decode(
        &self,
        bound: &Bound,
        record: &Record,
        graph: &Graph,
    ) -> Result<Related<T, R>, Error> {
        let mut decoder = record.raw_fields();
        let mut read = || {
            let relationship = decode_carried(&mut decoder, graph)?;
            let mut node = T::decode(&mut decoder, graph)?;
            for plan in &self.loads {
                node.load_related(plan, &mut decoder, graph)?;
            }
            Ok(Related { node, relationship })
        };
        read().map_err(|error| Error::decode(bound.relation.field, error))
    }

    async fn take_away(&self, bound: &Bound, target: &Target) -> Result<u64, Error> {
        self.refuse_paging("disconnect")?;
        if bound.relation.cardinality == Cardinality::One {
            return Err(ends::violation(
                Some(bound),
                Cardinality::One,
                "it has no disconnect; use `replace`",
            ));
        }
        let mut parameters = Parameters::default();
        let mut cypher = Cypher::new(&mut parameters);
        cypher.push("MATCH ");
        values::node(&mut cypher, "a", bound.origin.key.schema, &self.key);
        if bound.keeps_last() {
            let mut text = String::new();
            ends::lock(&mut text, "a");
            text.push_str(" WITH a");
            cypher.push(&text);
        }
        self.step(&mut cypher);
        let mut text = String::from(" WITH a, r, n AS b");
        disconnect::guard::<T>(&mut text, bound, T::ENTITY);
        text.push_str(" DELETE r");
        cypher.push(&text);
        let mut statement = WriteStatement::new(cypher.finish());
        statement.column("deleted", "count(*)");
        let done = target.write(&statement, parameters).await?;
        let deleted = done
            .records
            .first()
            .map_or(Ok(0), |record| record.get_at::<u64>(0))?;
        let guarded = bound.keeps_last() || bound.keeping_inverse(T::ENTITY).is_some();
        if deleted == 0 && guarded {
            let there = self.ask(bound, target, "count(r)").await?;
            if there.map_or(Ok(0), |record| record.get_at::<u64>(0))? > 0 {
                return Err(if bound.keeps_last() {
                    ends::violation(Some(bound), Cardinality::OneOrMore, disconnect::LAST)
                } else {
                    ends::left_alone(bound)
                });
            }
        }
        Ok(deleted)
    }
}

type Run<T, R, O> = fn(FindRelated<T, R>, Bound, Target) -> BoxFuture<'static, Result<O, Error>>;

/// A question about related nodes that waits to be awaited.
#[must_use = "nothing is sent before `.await`"]
pub struct FoundRelated<T, R, O> {
    find: FindRelated<T, R>,
    run: Run<T, R, O>,
}

impl<T: Entity, R: Relationship, O> FoundRelated<T, R, O> {
    fn new(find: FindRelated<T, R>, run: Run<T, R, O>) -> Self {
        Self { find, run }
    }
}

impl<T: Entity, R: Relationship, O> fmt::Debug for FoundRelated<T, R, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.find.fmt(f)
    }
}

impl<T: Entity, R: Relationship, O: Send + 'static> IntoFuture for FoundRelated<T, R, O> {
    type Output = Result<O, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        match self.find.place() {
            Ok((bound, target)) => (self.run)(self.find, bound, target),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }
}
