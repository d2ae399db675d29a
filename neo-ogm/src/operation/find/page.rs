//! Pages: by number, and by cursor.

use std::sync::Arc;

use neo_bolt::AccessMode;
use neo_bolt::packstream::{DecodeError, FromBolt};
use neo_bolt::value::Value;

use super::cursor::{Cursor, Position, bad, fnv};
use super::question::{Question, Returned};
use super::{Find, Found};
use crate::error::Error;
use crate::executor::{Executor, Target};
use crate::mapping::Entity;
use crate::query::{Comparison, Condition, Cypher, Expr, OrderStep, Parameters};

/// One page of a question's nodes, and how many there are in all; made by [`Find::page`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct NumberedPage<N> {
    /// The nodes of the page.
    pub nodes: Vec<N>,
    /// How many nodes the question finds.
    pub total: u64,
    /// Which page it is, from 1.
    pub number: u32,
    /// How many nodes a full page has.
    pub size: u32,
}

impl<N> NumberedPage<N> {
    /// How many pages there are.
    pub fn pages(&self) -> u64 {
        self.total.div_ceil(self.size.max(1).into())
    }

    /// Whether another page comes behind this one.
    pub fn has_next(&self) -> bool {
        u64::from(self.number) < self.pages()
    }
}

/// One page of a question's nodes, and where the pages beside it are; made by
/// [`Find::cursor_page`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Page<N> {
    /// The nodes of the page.
    pub nodes: Vec<N>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
    /// Where the page before ends, if there is one.
    pub previous: Option<Cursor>,
}

/// A question for a page.
#[derive(Debug)]
pub struct Paged<N> {
    find: Find<N>,
    number: u32,
    size: u32,
    cursor: Option<Cursor>,
}

impl<N: Entity> Find<N> {
    /// The page `number`, from 1, of pages of `size` nodes, and how many nodes there are in all:
    /// one round trip (two for a page behind the last).
    ///
    /// Give an order that is the same each time, such as one that ends with the key. A skip or
    /// limit of the question's own plays no part. Far pages are slow, since the database goes
    /// through all before: see [`cursor_page`](Self::cursor_page).
    ///
    /// ```
    /// # use neo_ogm::prelude::*;
    /// # #[derive(Node)]
    /// # struct Book { #[node(key)] isbn: String, title: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), neo_ogm::Error> {
    /// # let graph = Graph::in_memory().await?;
    /// # for isbn in ["1", "2", "3"] { Book::new(isbn, "A title").save(&graph).await?; }
    /// let page = Book::find().order_by(Book::ISBN.asc()).page(2, 2, &graph).await?;
    /// assert_eq!((page.nodes.len(), page.total, page.pages()), (1, 3, 2));
    /// assert_eq!(page.nodes[0].isbn, "3");
    /// # Ok(())
    /// # }
    /// ```
    pub fn page(
        mut self,
        number: u32,
        size: u32,
        on: impl Executor,
    ) -> Found<Paged<N>, NumberedPage<N>> {
        let number = number.max(1);
        self.question.skip = Some((number - 1).saturating_mul(size));
        self.question.limit = Some(size);
        let paged = Paged {
            find: self,
            number,
            size,
            cursor: None,
        };
        Found::new(paged, on, |paged, target| Box::pin(paged.by_number(target)))
    }

    /// At most `size` nodes from where `cursor` leads, or from the start: one round trip.
    ///
    /// The page begins where the one before ended, whatever was added or deleted since, and is
    /// found as fast however far it is. The order may have several steps, in either direction and
    /// over properties that some nodes lack; the key decides between nodes that are equal in it.
    /// A skip or limit of the question's own plays no part.
    ///
    /// ```
    /// # use neo_ogm::prelude::*;
    /// # #[derive(Node)]
    /// # struct Book { #[node(key)] isbn: String, title: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), neo_ogm::Error> {
    /// # let graph = Graph::in_memory().await?;
    /// # for isbn in ["1", "2", "3"] { Book::new(isbn, "A title").save(&graph).await?; }
    /// let books = || Book::find().order_by(Book::TITLE.desc());
    /// let first = books().cursor_page(None, 2, &graph).await?;
    /// assert_eq!(first.nodes.len(), 2);
    ///
    /// let token = first.next.expect("a third book").to_string(); // goes to the client and comes back
    /// let cursor: Cursor = token.parse()?;
    /// let second = books().cursor_page(Some(&cursor), 2, &graph).await?;
    /// assert_eq!(second.nodes[0].isbn, "3");
    /// assert!(second.next.is_none() && second.previous.is_some());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::BadCursor`](crate::ErrorKind::BadCursor) where the cursor belongs to a
    /// question about other nodes or in another order, or the order has no place to go on from,
    /// as that of [`random`](crate::query::random) or of an aggregate over a relationship.
    pub fn cursor_page(
        self,
        cursor: Option<&Cursor>,
        size: u32,
        on: impl Executor,
    ) -> Found<Paged<N>, Page<N>> {
        let paged = Paged {
            find: self,
            number: 0,
            size,
            cursor: cursor.cloned(),
        };
        Found::new(paged, on, |paged, target| Box::pin(paged.by_cursor(target)))
    }
}

impl<N: Entity> Paged<N> {
    async fn by_number(self, target: Target) -> Result<NumberedPage<N>, Error> {
        let question = &self.find.question;
        let mut parameters = Parameters::default();
        let mut cypher = Cypher::new(&mut parameters);
        question.matching(&mut cypher, "n");
        cypher.push(" WITH count(n) AS total ");
        question.matching_beside(&mut cypher, "n", ", total");
        let carried = vec!["n".to_owned(), "total".to_owned()];
        question.rest(&mut cypher, carried, &Returned::Counted);
        let statement: Arc<str> = cypher.finish().into();
        let found = target
            .execute(AccessMode::Read, statement, parameters)
            .await?;
        let mut total = None;
        let mut nodes = Vec::with_capacity(found.records.len());
        for record in &found.records {
            let mut decoder = record.raw_fields();
            let read = decoder.integer();
            total = Some(read.map_err(|error| Error::decode("the count", error))?);
            let node = super::read(&mut decoder, &question.loads, target.graph());
            nodes.push(node.map_err(|error| Error::decode("", error))?);
        }
        let total = match total {
            Some(total) => u64::try_from(total).unwrap_or_default(),
            None if self.number == 1 && self.size > 0 => 0,
            // Behind the last node there is no row that could have the count.
            None => {
                let mut all = self.find.question.clone();
                (all.skip, all.limit) = (None, None);
                let counted = all.ask_whole(&target, "count(n)").await?;
                let counted = counted.records.first();
                counted.map_or(Ok(0), |record| record.get_at::<u64>(0))?
            }
        };
        Ok(NumberedPage {
            nodes,
            total,
            number: self.number,
            size: self.size,
        })
    }

    async fn by_cursor(mut self, target: Target) -> Result<Page<N>, Error> {
        let question = &mut self.find.question;
        let keys = keyed_order(question)?;
        let fingerprint = fingerprint(question, &keys);
        let position = match &self.cursor {
            Some(cursor) => Some(Position::read(&cursor.to_string())?),
            None => None,
        };
        let backward = position.as_ref().is_some_and(|position| position.backward);
        if let Some(position) = &position {
            let fits = position.question == fingerprint && position.values.len() == keys.len();
            if !fits {
                return Err(bad(
                    "it belongs to a question about other nodes, or in another order",
                ));
            }
            let beyond = beyond(question, &keys, &position.values, backward);
            question.conditions.push(beyond);
        }
        question.order = keys;
        if backward {
            for step in &mut question.order {
                step.descending = !step.descending;
            }
        }
        question.skip = None;
        question.limit = Some(self.size.saturating_add(1));
        let found = question.ask(&target, &Returned::Keyed).await?;
        let width = question.order.len();
        let mut rows = Vec::with_capacity(found.records.len());
        for record in &found.records {
            let mut decoder = record.raw_fields();
            let mut read = || -> Result<(Vec<Value>, N), DecodeError> {
                let values = Vec::<Value>::from_bolt(&mut decoder)?;
                if values.len() != width {
                    return Err(DecodeError::custom("the place of a node is incomplete"));
                }
                let node = super::read(&mut decoder, &question.loads, target.graph())?;
                Ok((values, node))
            };
            rows.push(read().map_err(|error| Error::decode("", error))?);
        }
        let more = rows.len() > self.size as usize;
        rows.truncate(self.size as usize);
        if backward {
            rows.reverse();
        }
        let place = |row: Option<&(Vec<Value>, N)>, backward| {
            row.map(|(values, _)| {
                Position {
                    question: fingerprint,
                    backward,
                    values: values.clone(),
                }
                .write()
            })
            .transpose()
        };
        // Where the page was come to from one side, there is something on that side.
        let (after, before) = if backward {
            (true, more)
        } else {
            (more, position.is_some())
        };
        Ok(Page {
            next: if after {
                place(rows.last(), false)?
            } else {
                None
            },
            previous: if before {
                place(rows.first(), true)?
            } else {
                None
            },
            nodes: rows.into_iter().map(|(_, node)| node).collect(),
        })
    }
}

/// The order of a question, with the key behind it, so that no two nodes are equal in it.
fn keyed_order(question: &Question) -> Result<Vec<OrderStep>, Error> {
    let mut order = question.order.clone();
    let placeless = order
        .iter()
        .any(|step| matches!(&step.expr, Expr::Summary(_) | Expr::Call("rand", _)));
    if placeless {
        return Err(bad(
            "the order is by chance or by an aggregate over a relationship, which has no place \
             to go on from; use `page`",
        ));
    }
    for key in question.schema.keys() {
        let expr = Expr::Property(key.name);
        if !order.iter().any(|step| step.expr.same(&expr)) {
            order.push(OrderStep {
                expr,
                descending: false,
            });
        }
    }
    if question.schema.keys().next().is_none() {
        return Err(bad(
            "the nodes are of an enum, which has no key that could tell them apart; use `page`",
        ));
    }
    Ok(order)
}

/// Tells questions about other nodes or in another order apart.
fn fingerprint(question: &Question, keys: &[OrderStep]) -> u64 {
    let mut parameters = Parameters::default();
    let mut cypher = Cypher::new(&mut parameters);
    cypher.node("n", question.schema);
    cypher.ordering("n", keys);
    fnv(cypher.finish().as_bytes())
}

/// The nodes that come behind a place, or before it where it is gone `backward`: they are equal
/// to it in the first steps of the order, and beyond it in the next.
fn beyond(question: &Question, keys: &[OrderStep], values: &[Value], backward: bool) -> Condition {
    let mut ways = Vec::new();
    let mut equal: Vec<Condition> = Vec::new();
    for (step, value) in keys.iter().zip(values) {
        let expr = || step.expr.clone();
        let compare = |comparison| Condition::Compare {
            left: expr(),
            comparison,
            right: Expr::value(value.clone()),
        };
        let is_null = || Condition::IsNull(expr());
        // What is not there comes last when ascending, and first when descending.
        let descending = step.descending != backward;
        let further = match (descending, value) {
            (false, Value::Null) => None,
            (true, Value::Null) => Some(Condition::Not(Box::new(is_null()))),
            (true, _) => Some(compare(Comparison::Less)),
            (false, _) if is_key(question, &step.expr) => Some(compare(Comparison::Greater)),
            (false, _) => Some(Condition::Any(vec![
                compare(Comparison::Greater),
                is_null(),
            ])),
        };
        if let Some(further) = further {
            let mut way = equal.clone();
            way.push(further);
            ways.push(Condition::All(way));
        }
        equal.push(match value {
            Value::Null => is_null(),
            _ => compare(Comparison::Equal),
        });
    }
    Condition::Any(ways)
}

/// Whether every node has it.
fn is_key(question: &Question, expr: &Expr) -> bool {
    matches!(expr, Expr::Property(name) if question.schema.keys().any(|key| key.name == *name))
}
