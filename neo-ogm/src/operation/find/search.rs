//! Full-text and vector search, ranked.

use std::fmt;

use neo_bolt::packstream::{DecodeError, Decoder, FromBolt};

use super::question::{Nearest, Returned, Start};
use super::{Find, Found, Parameters};
use crate::error::{Error, ErrorKind};
use crate::executor::{Executor, Graph, Target};
use crate::mapping::{Entity, Node, NodeSchema, RuleKind};
use crate::query::{Comparison, Condition, Expr, Field, Filter, Loadable, Orders};

/// A node that a search found, and how well it fits: more is better.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Scored<N> {
    /// The node.
    pub node: N,
    /// How well it fits. Scores of one search compare with each other only.
    pub score: f64,
}

/// An index to search in: the properties that it is over, or its name.
///
/// `Book::TITLE` and `(Book::TITLE, Book::BLURB)` stand for the index that the model has over just
/// these; a text is the name of any index of the database.
#[diagnostic::on_unimplemented(
    message = "`{Self}` names no index of `{N}`",
    label = "expected properties of `{N}`, or the name of an index",
    note = "write `Book::TITLE`, `(Book::TITLE, Book::BLURB)` or `\"name_of_the_index\"`"
)]
pub trait SearchIndex<N> {
    /// The properties, or else the name.
    fn into_index(self) -> Index;
}

/// What an index is known by.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Index {
    /// Its name in the database.
    Named(String),
    /// The properties that it is over.
    Over(Vec<&'static str>),
}

impl<N, T> SearchIndex<N> for Field<N, T> {
    fn into_index(self) -> Index {
        Index::Over(vec![self.name()])
    }
}

impl<N> SearchIndex<N> for &str {
    fn into_index(self) -> Index {
        Index::Named(self.to_owned())
    }
}

impl<N> SearchIndex<N> for String {
    fn into_index(self) -> Index {
        Index::Named(self)
    }
}

macro_rules! indexes {
    ($($name:ident $index:tt),+) => {
        impl<N, $($name),+> SearchIndex<N> for ($(Field<N, $name>,)+) {
            fn into_index(self) -> Index {
                Index::Over(vec![$(self.$index.name()),+])
            }
        }
    };
}
indexes!(A 0);
indexes!(A 0, B 1);
indexes!(A 0, B 1, C 2);
indexes!(A 0, B 1, C 2, D 3);
indexes!(A 0, B 1, C 2, D 3, E 4);
indexes!(A 0, B 1, C 2, D 3, E 4, F 5);

impl Index {
    /// The name of the index in the database.
    fn name(
        self,
        schema: &'static NodeSchema,
        kind: &'static str,
        is_kind: fn(RuleKind) -> bool,
    ) -> Result<String, Error> {
        let properties = match self {
            Self::Named(name) => return Ok(name),
            Self::Over(properties) => properties,
        };
        let rule = schema
            .rules
            .iter()
            .find(|rule| is_kind(rule.kind) && rule.properties == properties);
        rule.map(|rule| rule.name_of(schema.label)).ok_or_else(|| {
            Error::new(ErrorKind::NoIndex {
                node: schema.type_name,
                kind,
                properties: properties.join(", "),
            })
        })
    }
}

/// A search among nodes of the struct `N`, the best first; made by [`Find::search`] and
/// [`Find::nearest`].
#[must_use = "a search does nothing until `all`, `first` or `nodes`"]
pub struct Ranked<N> {
    pub(super) find: Find<N>,
    /// What is wrong with it, told when it is asked.
    wrong: Option<Error>,
}

impl<N> fmt::Debug for Ranked<N> {
    /// Shows the Cypher; values stay out of it, since they may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ranked").field(&self.to_cypher()).finish()
    }
}

impl<N: Node> Find<N> {
    /// Searches a full-text index for words: nodes with any of them, the best first.
    ///
    /// `text` is taken for words and nothing else, whatever signs are in it; see
    /// [`search_lucene`](Self::search_lucene) for the query language of the index. What the
    /// question asks for otherwise must hold, too. The embedded engine has no full-text indexes,
    /// and says so.
    ///
    /// ```no_run
    /// # use neo_ogm::prelude::*;
    /// #[derive(Node)]
    /// struct Book {
    ///     #[node(key)]
    ///     isbn: String,
    ///     #[node(fulltext)]
    ///     title: String,
    ///     pages: Option<u32>,
    /// }
    /// # async fn example(graph: Graph) -> Result<(), neo_ogm::Error> {
    /// let found = Book::find()
    ///     .filter(Book::PAGES.lt(1000))
    ///     .search(Book::TITLE, "war peace")
    ///     .limit(10)
    ///     .all(&graph)
    ///     .await?;
    /// for hit in &found {
    ///     println!("{:.2} {}", hit.score, hit.node.title);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn search(self, index: impl SearchIndex<N>, text: &str) -> Ranked<N> {
        self.search_lucene(index, words(text))
    }

    /// Searches a full-text index by a query in the language of Lucene: `title:war AND peac*`.
    ///
    /// What is not such a query is refused by the database, so don't pass on what a user typed.
    pub fn search_lucene(self, index: impl SearchIndex<N>, query: impl Into<String>) -> Ranked<N> {
        let is_kind = |kind| matches!(kind, RuleKind::Fulltext { .. });
        let name = index.into_index().name(N::SCHEMA, "full-text", is_kind);
        let query = Expr::value::<String>(query.into());
        self.ranked("db.index.fulltext.queryNodes", name, query, None)
    }

    /// Searches a vector index for the `count` nodes whose vectors are nearest to `vector`, the
    /// nearest first.
    ///
    /// The index looks first, and the question's filters look at what it has given. So where there
    /// are filters, the index is asked for ten times as many candidates, and the nearest `count` of
    /// those that pass are the answer; fewer than `count` where too few of the candidates pass. With
    /// a filter that few nodes pass, ask for more by [`candidates`](Ranked::candidates).
    /// The embedded engine has no vector indexes, and says so.
    ///
    /// ```no_run
    /// # use neo_ogm::prelude::*;
    /// #[derive(Node)]
    /// struct Book {
    ///     #[node(key)]
    ///     isbn: String,
    ///     #[node(vector(dimensions = 3, similarity = "cosine"))]
    ///     embedding: Vec<f32>,
    /// }
    /// # async fn example(graph: Graph) -> Result<(), neo_ogm::Error> {
    /// let near = Book::find().nearest(Book::EMBEDDING, &[0.1, 0.9, 0.2], 10).nodes(&graph).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn nearest(self, index: impl SearchIndex<N>, vector: &[f32], count: u32) -> Ranked<N> {
        let is_kind = |kind| matches!(kind, RuleKind::Vector { .. });
        let name = index.into_index().name(N::SCHEMA, "vector", is_kind);
        let nearest = Nearest {
            count,
            candidates: None,
        };
        let vector = Expr::value(vector.to_vec());
        self.ranked("db.index.vector.queryNodes", name, vector, Some(nearest))
    }

    fn ranked(
        mut self,
        procedure: &'static str,
        name: Result<String, Error>,
        wanted: Expr,
        nearest: Option<Nearest>,
    ) -> Ranked<N> {
        let (name, mut wrong) = match name {
            Ok(name) => (name, None),
            Err(error) => (String::new(), Some(error)),
        };
        let started = std::mem::replace(
            &mut self.question.start,
            Start::Ranked {
                procedure,
                arguments: vec![Expr::value(name), wanted],
                nearest,
            },
        );
        if !matches!(started, Start::Label) {
            wrong = Some(Error::new(ErrorKind::NotASearch));
        }
        Ranked { find: self, wrong }
    }
}

impl<N> Ranked<N> {
    /// The Cypher of [`all`](Self::all), with parameters in the place of values.
    pub fn to_cypher(&self) -> String {
        self.find
            .question
            .render(&mut Parameters::default(), &Returned::Scored)
    }
}

/// What is asked beside the search.
impl<N: Entity> Ranked<N> {
    /// Only nodes that pass `filter`; called again, both must hold.
    pub fn filter(mut self, filter: Filter<N>) -> Self {
        self.find = self.find.filter(filter);
        self
    }

    /// Only nodes with this score or a better one.
    pub fn min_score(mut self, score: f64) -> Self {
        self.find.question.conditions.push(Condition::Compare {
            left: Expr::Name("score"),
            comparison: Comparison::GreaterOrEqual,
            right: Expr::value(score),
        });
        self
    }

    /// How many nodes [`nearest`](Find::nearest) takes from the index, of which those that pass the
    /// filters are left: more find what few nodes pass, and take longer. Without it, ten times as
    /// many as are to be found where there are filters.
    ///
    /// ```no_run
    /// # use neo_ogm::prelude::*;
    /// # #[derive(Node)]
    /// # struct Book {
    /// #     #[node(key)] isbn: String, language: String,
    /// #     #[node(vector(dimensions = 3))] embedding: Vec<f32>,
    /// # }
    /// # async fn example(graph: Graph) -> Result<(), neo_ogm::Error> {
    /// let near = Book::find()
    ///     .filter(Book::LANGUAGE.eq("is"))
    ///     .nearest(Book::EMBEDDING, &[0.1, 0.9, 0.2], 10)
    ///     .candidates(5_000)
    ///     .nodes(&graph)
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn candidates(mut self, count: u32) -> Self {
        if let Start::Ranked { nearest, .. } = &mut self.find.question.start {
            match nearest {
                Some(nearest) => nearest.candidates = Some(count),
                None => {
                    self.wrong = Some(Error::new(ErrorKind::NotSupported {
                        operation: "candidates",
                        reason: "a full-text search gives all that fits; `limit` cuts it",
                    }));
                }
            }
        }
        self
    }

    /// Orders the nodes otherwise than by their score.
    pub fn order_by(mut self, order: impl Orders<N>) -> Self {
        self.find = self.find.order_by(order);
        self
    }

    /// Leaves out the first `count` nodes.
    pub fn skip(mut self, count: u32) -> Self {
        self.find = self.find.skip(count);
        self
    }

    /// At most `count` nodes.
    pub fn limit(mut self, count: u32) -> Self {
        self.find = self.find.limit(count);
        self
    }

    /// Loads a relationship of each node in the same query.
    pub fn load(mut self, load: impl Loadable<N>) -> Self {
        self.find = self.find.load(load);
        self
    }
}

/// How it is answered.
impl<N: Entity> Ranked<N> {
    /// All that were found, with their scores: one round trip.
    ///
    /// # Errors
    /// [`ErrorKind::NoIndex`] where the model has no such index, and what the database says where
    /// it has none of that name.
    pub fn all(self, on: impl Executor) -> Found<Self, Vec<Scored<N>>> {
        Found::new(self, on, |ranked, target| Box::pin(ranked.fetch(target)))
    }

    /// The nodes that were found: one round trip.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    pub fn nodes(self, on: impl Executor) -> Found<Self, Vec<N>> {
        Found::new(self, on, |ranked, target| {
            Box::pin(async move {
                let found = ranked.fetch(target).await?;
                Ok(found.into_iter().map(|scored| scored.node).collect())
            })
        })
    }

    /// The best, or none: one round trip.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    pub fn first(mut self, on: impl Executor) -> Found<Self, Option<Scored<N>>> {
        self.find.question.at_most(1);
        Found::new(self, on, |ranked, target| {
            Box::pin(async move { Ok(ranked.fetch(target).await?.pop()) })
        })
    }

    async fn fetch(self, target: Target) -> Result<Vec<Scored<N>>, Error> {
        if let Some(wrong) = self.wrong {
            return Err(wrong);
        }
        let question = &self.find.question;
        let found = question.ask(&target, &Returned::Scored).await?;
        let read = |decoder: &mut Decoder<'_>, graph: &Graph| -> Result<_, DecodeError> {
            let score = f64::from_bolt(decoder)?;
            let node = super::read(decoder, &question.loads, graph)?;
            Ok(Scored { node, score })
        };
        let records = found.records.iter();
        records
            .map(|record| {
                read(&mut record.raw_fields(), target.graph())
                    .map_err(|error| Error::decode("", error))
            })
            .collect()
    }
}

/// A query of Lucene that asks for the words of `text`, whatever signs they are made of.
fn words(text: &str) -> String {
    if text.trim().is_empty() {
        // An empty query is an error, and an empty phrase is found nowhere.
        return "\"\"".to_owned();
    }
    let mut query = String::with_capacity(text.len() + 8);
    for word in text.split_whitespace() {
        if !query.is_empty() {
            query.push(' ');
        }
        // In capitals they are operators.
        if matches!(word, "AND" | "OR" | "NOT" | "TO") {
            query.push('\\');
        }
        for sign in word.chars() {
            if sign.is_ascii_punctuation() {
                query.push('\\');
            }
            query.push(sign);
        }
    }
    query
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn words_are_no_syntax() {
        for (text, query) in [
            ("war  peace", "war peace"),
            ("AND NOT and", "\\AND \\NOT and"),
            ("title:war*", "title\\:war\\*"),
            ("\"a (b", "\\\"a \\(b"),
            ("C:\\x && y~2^3", "C\\:\\\\x \\&\\& y\\~2\\^3"),
            ("größe", "größe"),
            (" ", "\"\""),
        ] {
            assert_eq!(words(text), query);
        }
    }
}
