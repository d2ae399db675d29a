//! Aggregates over what a question finds, as a whole and in groups.

use std::fmt;
use std::marker::PhantomData;

use neo_bolt::AccessMode;
use neo_bolt::packstream::{DecodeError, Decoder};

use super::question::{Question, summarise};
use super::select::Read;
use super::{Find, Found};
use crate::error::Error;
use crate::executor::{Executor, Target};
use crate::mapping::Entity;
use crate::query::{
    Aggregates, Columns, Condition, Cypher, Expr, GroupOrder, Having, OrderStep, Parameters,
    Selection,
};

/// Aggregates over all nodes of a question, made by [`Find::aggregate`].
#[must_use = "an aggregate does nothing until `one`"]
pub struct Aggregation<A> {
    question: Question,
    columns: Vec<(Expr, String)>,
    read: fn(&mut Decoder<'_>) -> Result<A, DecodeError>,
}

impl<A> fmt::Debug for Aggregation<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Aggregation")
            .field(&self.to_cypher())
            .finish()
    }
}

impl<N: Entity> Find<N> {
    /// Asks for aggregates over the nodes instead of the nodes.
    ///
    /// With a limit, they are over those nodes that the limit leaves.
    ///
    /// ```
    /// # use neo_ogm::prelude::*;
    /// # #[derive(Node)]
    /// # struct Book { #[node(key)] isbn: String, pages: Option<u32> }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), neo_ogm::Error> {
    /// let graph = Graph::in_memory().await?;
    /// for (isbn, pages) in [("1", Some(100)), ("2", Some(301)), ("3", None)] {
    ///     let mut book = Book::new(isbn);
    ///     book.pages = pages;
    ///     book.save(&graph).await?;
    /// }
    /// let (books, pages, mean): (u64, i64, Option<f64>) = Book::find()
    ///     .aggregate((count(), Book::PAGES.sum(), Book::PAGES.avg()))
    ///     .get(&graph)
    ///     .await?;
    /// assert_eq!((books, pages, mean), (3, 401, Some(200.5)));
    /// # Ok(())
    /// # }
    /// ```
    pub fn aggregate<A: Aggregates<N>>(self, aggregates: A) -> Aggregation<A::Row> {
        let mut columns = Columns::default();
        aggregates.columns(&mut columns);
        Aggregation {
            question: self.question,
            columns: columns.columns,
            read: A::read,
        }
    }

    /// Asks for aggregates over groups of nodes that are alike in `keys`: a property, an
    /// expression, or a tuple of these.
    ///
    /// ```
    /// # use neo_ogm::prelude::*;
    /// # #[derive(Node)]
    /// # struct Book { #[node(key)] isbn: String, genre: String, pages: Option<u32> }
    /// # async fn example(graph: Graph) -> Result<(), neo_ogm::Error> {
    /// let genres: Vec<(String, (u64, Option<f64>))> = Book::find()
    ///     .group_by(Book::GENRE)
    ///     .aggregate((count(), Book::PAGES.avg()))
    ///     .having(count().ge(10))
    ///     .order_by(count().desc())
    ///     .order_by(Book::GENRE.asc())
    ///     .limit(5)
    ///     .all(&graph)
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn group_by<K: Selection<N>>(self, keys: K) -> GroupBy<N, K::Row> {
        let mut columns = Columns::default();
        keys.columns(&mut columns);
        GroupBy {
            question: self.question,
            keys: columns.columns,
            read: K::read,
            of: PhantomData,
        }
    }
}

impl<A> Aggregation<A> {
    /// The Cypher, with parameters in the place of values.
    pub fn to_cypher(&self) -> String {
        self.render(&mut Parameters::default())
    }

    pub(super) fn render<'c>(&'c self, parameters: &mut Parameters<'c>) -> String {
        let mut cypher = Cypher::new(parameters);
        self.question.matching(&mut cypher, "n");
        self.question.cut(&mut cypher);
        cypher.push(" RETURN ");
        for (index, (expr, name)) in self.columns.iter().enumerate() {
            cypher.push(if index > 0 { ", " } else { "" });
            cypher.expression("n", expr);
            cypher.write(format_args!(" AS {name}"));
        }
        cypher.finish()
    }
}

impl<A: Send + 'static> Aggregation<A> {
    /// The aggregates: one round trip.
    ///
    /// # Errors
    /// A value is of another type, such as a smallest value that does not fit the struct's.
    pub fn get(self, on: impl Executor) -> Found<Self, A> {
        Found::new(self, on, |aggregation, target| {
            Box::pin(aggregation.run(target))
        })
    }

    async fn run(self, target: Target) -> Result<A, Error> {
        let mut parameters = Parameters::default();
        let statement = self.render(&mut parameters).into();
        let found = target
            .execute(AccessMode::Read, statement, parameters)
            .await?;
        let read = match found.records.first() {
            Some(record) => (self.read)(&mut record.raw_fields()),
            None => Err(DecodeError::custom("the database gave no row for it")),
        };
        read.map_err(|error| Error::decode("an aggregate", error))
    }
}

/// Groups of nodes that are alike in something; made by [`Find::group_by`].
#[must_use = "groups do nothing until `aggregate`"]
pub struct GroupBy<N, K> {
    question: Question,
    keys: Vec<(Expr, String)>,
    read: Read<K>,
    of: PhantomData<fn() -> N>,
}

impl<N, K> fmt::Debug for GroupBy<N, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.keys.iter().map(|(_, name)| name);
        f.debug_list().entries(names).finish()
    }
}

impl<N: Entity, K> GroupBy<N, K> {
    /// What to compute of each group.
    pub fn aggregate<A: Aggregates<N>>(self, aggregates: A) -> Groups<N, K, A::Row> {
        let mut columns = Columns::default();
        aggregates.columns(&mut columns);
        Groups {
            question: self.question,
            keys: self.keys,
            aggregates: columns.columns,
            having: Vec::new(),
            order: Vec::new(),
            skip: None,
            limit: None,
            read: (self.read, A::read),
            of: PhantomData,
        }
    }
}

type ReadGroup<K, A> = (Read<K>, fn(&mut Decoder<'_>) -> Result<A, DecodeError>);

/// Aggregates over groups of nodes, made by [`GroupBy::aggregate`].
#[must_use = "groups do nothing until `all` or `first`"]
pub struct Groups<N, K, A> {
    question: Question,
    keys: Vec<(Expr, String)>,
    aggregates: Vec<(Expr, String)>,
    having: Vec<Condition>,
    order: Vec<OrderStep>,
    skip: Option<u32>,
    limit: Option<u32>,
    read: ReadGroup<K, A>,
    of: PhantomData<fn() -> N>,
}

impl<N, K, A> fmt::Debug for Groups<N, K, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Groups").field(&self.to_cypher()).finish()
    }
}

impl<N, K, A> Groups<N, K, A> {
    /// Only groups of which `having` holds; called again, both must.
    pub fn having(mut self, having: Having<N>) -> Self {
        self.having.push(having.condition);
        self
    }

    /// Orders the groups by an aggregate or by what they are grouped by; called again, it decides
    /// between those that are equal so far.
    ///
    /// A property that they are not grouped by differs within a group: the database refuses it.
    pub fn order_by(mut self, order: impl Into<GroupOrder<N>>) -> Self {
        self.order.push(order.into().step);
        self
    }

    /// Leaves out the first `count` groups.
    pub fn skip(mut self, count: u32) -> Self {
        self.skip = Some(count);
        self
    }

    /// At most `count` groups.
    pub fn limit(mut self, count: u32) -> Self {
        self.limit = Some(count);
        self
    }

    /// The Cypher, with parameters in the place of values.
    pub fn to_cypher(&self) -> String {
        self.render(&mut Parameters::default())
    }

    pub(super) fn render<'c>(&'c self, parameters: &mut Parameters<'c>) -> String {
        let mut cypher = Cypher::new(parameters);
        self.question.matching(&mut cypher, "n");
        self.question.cut(&mut cypher);
        let mut carried = vec!["n".to_owned()];
        for (expr, _) in &self.keys {
            summarise(&mut cypher, expr, &mut carried);
        }
        // Once for each: what is asked of groups beyond what is given of them is a column, too.
        let mut columns: Vec<(&Expr, String)> = Vec::new();
        for (list, letter) in [(&self.keys, "g"), (&self.aggregates, "a")] {
            for (expr, _) in list {
                columns.push((expr, format!("{letter}{}", columns.len())));
            }
        }
        let given: Vec<_> = columns.iter().map(|(_, name)| name.clone()).collect();
        let mut asked = Vec::new();
        for condition in &self.having {
            aggregates_of(condition, &mut asked);
        }
        asked.extend(self.order.iter().map(|step| &step.expr));
        for expr in asked {
            let known = columns.iter().any(|(other, _)| other.same(expr));
            if !known && has_aggregate(expr) {
                let name = format!("a{}", columns.len());
                columns.push((expr, name));
            }
        }
        for (index, (expr, name)) in columns.iter().enumerate() {
            cypher.push(if index > 0 { ", " } else { " WITH " });
            cypher.expression("n", expr);
            cypher.write(format_args!(" AS {name}"));
        }
        for (expr, name) in columns {
            cypher.alias(expr, name);
        }
        if !self.having.is_empty() {
            cypher.push(" WHERE ");
            cypher.conjunction("n", &self.having);
        }
        cypher.push(" RETURN ");
        cypher.push(&given.join(", "));
        cypher.ordering("n", &self.order);
        for (word, number) in [(" SKIP ", self.skip), (" LIMIT ", self.limit)] {
            if let Some(number) = number {
                cypher.push(word);
                cypher.number(number.into());
            }
        }
        cypher.finish()
    }
}

fn has_aggregate(expr: &Expr) -> bool {
    match expr {
        Expr::Aggregate(_) => true,
        Expr::Call(_, arguments) => arguments.iter().any(has_aggregate),
        _ => false,
    }
}

/// The aggregates that a condition on groups asks for.
fn aggregates_of<'c>(condition: &'c Condition, found: &mut Vec<&'c Expr>) {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => {
            for part in parts {
                aggregates_of(part, found);
            }
        }
        Condition::Not(inner) | Condition::Unless(inner) => aggregates_of(inner, found),
        Condition::Compare { left, .. } => found.push(left),
        Condition::IsNull(_)
        | Condition::HasLabel(_)
        | Condition::ElementId(_)
        | Condition::Related(_) => {}
    }
}

/// How it is answered.
impl<N: Entity, K: Send + 'static, A: Send + 'static> Groups<N, K, A> {
    /// All groups: one round trip.
    ///
    /// # Errors
    /// A value is of another type than the struct says.
    pub fn all(self, on: impl Executor) -> Found<Self, Vec<(K, A)>> {
        Found::new(self, on, |groups, target| Box::pin(groups.fetch(target)))
    }

    /// The first group in the order asked for, or none: one round trip.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    pub fn first(mut self, on: impl Executor) -> Found<Self, Option<(K, A)>> {
        self.limit = Some(self.limit.map_or(1, |limit| limit.min(1)));
        Found::new(self, on, |groups, target| {
            Box::pin(async move { Ok(groups.fetch(target).await?.pop()) })
        })
    }

    async fn fetch(self, target: Target) -> Result<Vec<(K, A)>, Error> {
        let mut parameters = Parameters::default();
        let statement = self.render(&mut parameters).into();
        let found = target
            .execute(AccessMode::Read, statement, parameters)
            .await?;
        let (keys, aggregates) = self.read;
        let read = |record: &neo_bolt::Record| {
            let mut decoder = record.raw_fields();
            Ok((
                keys(&mut decoder, target.graph())?,
                aggregates(&mut decoder)?,
            ))
        };
        let records = found.records.iter();
        records
            .map(|record| read(record).map_err(|error| Error::decode("a group", error)))
            .collect()
    }
}
