//! Shortest paths between two nodes.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::sync::Arc;

use neo_bolt::AccessMode;
use neo_bolt::packstream::{DecodeError, Decoder, EncodeError};

use crate::error::{Error, ErrorKind};
use crate::executor::{BoxFuture, Executor, Graph, Target, Transaction};
use crate::mapping::{Entity, KeyOf, Node, Relationship, decode_carried};
use crate::query::{
    Comparison, Condition, Cypher, Expr, Filter, Hop, Parameters, Relation, arrows, escape,
};
use crate::relation::Related;

/// A walk over relationships of one kind: where it begins, and each relationship with the node
/// that it leads to.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Path<N, R = ()> {
    /// The node where it begins.
    pub start: N,
    /// The relationships and the nodes behind them, in order; none from a node to itself.
    pub steps: Vec<Related<N, R>>,
}

impl<N, R> Path<N, R> {
    /// How many relationships it has.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether it ends where it begins, without a step.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The nodes in the order of the walk, the first and the last among them.
    pub fn nodes(&self) -> impl Iterator<Item = &N> {
        std::iter::once(&self.start).chain(self.steps.iter().map(|step| &step.node))
    }

    /// What the relationships carry, in the order of the walk.
    pub fn relationships(&self) -> impl Iterator<Item = &R> {
        self.steps.iter().map(|step| &step.relationship)
    }

    /// The node where it ends.
    pub fn end(&self) -> &N {
        self.steps.last().map_or(&self.start, |step| &step.node)
    }
}

/// A search for a shortest path that waits to be awaited: one read, one round trip.
#[must_use = "nothing is sent before `.await`"]
pub struct ShortestPath<N, R = ()> {
    ends: Result<[KeyOf; 2], EncodeError>,
    hop: Hop,
    on: Target,
    of: PhantomData<fn() -> (N, R)>,
}

/// As [`ShortestPath`], for all paths that are as short as the shortest.
#[must_use = "nothing is sent before `.await`"]
pub struct AllShortestPaths<N, R = ()>(ShortestPath<N, R>);

impl<N, R> fmt::Debug for ShortestPath<N, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ShortestPath")
            .field(&self.to_cypher())
            .finish()
    }
}

impl<N, R> fmt::Debug for AllShortestPaths<N, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! paths {
    ($($executor:ty),*) => {$(
        impl $executor {
            /// Looks for a shortest path from one node to another over relationships of one kind,
            /// in the direction that `over` has. Every node on the way is of the same struct.
            ///
            /// ```
            /// # use neo_ogm::prelude::*;
            /// #[derive(Node, Debug, Clone)]
            /// struct Person {
            ///     #[node(key)]
            ///     name: String,
            ///     #[relationship(type = "KNOWS", direction = "both")]
            ///     knows: Many<Person>,
            /// }
            /// # #[tokio::main(flavor = "current_thread")]
            /// # async fn main() -> Result<(), neo_ogm::Error> {
            /// # let graph = Graph::in_memory().await?;
            /// let people = ["Ann", "Bob", "Cid"].map(Person::new);
            /// for person in &people {
            ///     person.save(&graph).await?;
            /// }
            /// people[0].knows.connect(&people[1]).await?;
            /// people[1].knows.connect(&people[2]).await?;
            ///
            /// let path = graph.shortest_path(&people[0], &people[2], Person::KNOWS).max_hops(5).await?;
            /// let path = path.expect("they know each other over Bob");
            /// let names: Vec<_> = path.nodes().map(|person| person.name.as_str()).collect();
            /// assert_eq!(names, ["Ann", "Bob", "Cid"]);
            /// # Ok(())
            /// # }
            /// ```
            ///
            /// # Errors
            /// [`ErrorKind::NodeNotFound`] where one of the two nodes is not in the database.
            pub fn shortest_path<N: Node, R: Relationship>(
                &self,
                from: &N,
                to: &N,
                over: Relation<N, N, R>,
            ) -> ShortestPath<N, R> {
                ShortestPath::new(self.target(), from, to, over)
            }
        }
    )*};
}
paths!(Graph, Transaction);

impl<N: Node, R: Relationship> ShortestPath<N, R> {
    fn new(on: Target, from: &N, to: &N, over: Relation<N, N, R>) -> Self {
        let ends = KeyOf::new(from).and_then(|from| Ok([from, KeyOf::new(to)?]));
        let mut hop = Hop::new(over.schema());
        hop.range = Some((None, None));
        Self {
            ends,
            hop,
            on,
            of: PhantomData,
        }
    }

    /// Where to run: a transaction, or another handle of the graph.
    pub fn on(mut self, executor: impl Executor) -> Self {
        self.on = executor.target();
        self
    }

    /// At most `count` relationships; say it wherever you can, since without it the whole graph
    /// may be searched.
    pub fn max_hops(mut self, count: u32) -> Self {
        self.hop.range = Some((None, Some(count)));
        self
    }

    /// Only over relationships that pass `filter`.
    pub fn filter_relationship(mut self, filter: Filter<R>) -> Self {
        self.hop.relationship.push(filter.condition);
        self
    }

    /// Only over nodes that pass `filter`, the two ends among them.
    pub fn filter(mut self, filter: Filter<N>) -> Self {
        self.hop.node.push(filter.condition);
        self
    }

    /// All paths that are as short as the shortest.
    pub fn all_shortest(self) -> AllShortestPaths<N, R> {
        AllShortestPaths(self)
    }

    async fn run(self, function: &str) -> Result<Vec<Path<N, R>>, Error> {
        let ends = self.ends.clone()?;
        let keys = ends.each_ref().map(conditions);
        let mut parameters = Parameters::default();
        let statement: Arc<str> = if ends[0] == ends[1] {
            here(&keys[0], &ends[0], &mut parameters)
        } else if is_embedded(self.on.graph()) {
            self.render_embedded(&keys, function, &mut parameters)
        } else {
            self.render(&keys, function, &mut parameters)
        }
        .into();
        let found = self
            .on
            .execute(AccessMode::Read, statement, parameters)
            .await?;
        let missing = |key: &KeyOf| {
            Error::new(ErrorKind::NodeNotFound {
                key: key.clone(),
                operation: "shortest_path",
            })
        };
        if found.records.is_empty() {
            return Err(missing(&ends[0]));
        }
        let mut paths = Vec::new();
        for record in &found.records {
            let mut decoder = record.raw_fields();
            let there = decoder
                .boolean()
                .and_then(|from| Ok([from, decoder.boolean()?]));
            let there = there.map_err(|error| Error::decode("a path", error))?;
            if let Some((_, key)) = there.iter().zip(&ends).find(|(there, _)| !**there) {
                return Err(missing(key));
            }
            let path = read_path(&mut decoder, self.on.graph());
            paths.extend(path.map_err(|error| Error::decode("a path", error))?);
        }
        let shortest = paths.iter().map(Path::len).min();
        paths.retain(|path| Some(path.len()) == shortest);
        Ok(paths)
    }
}

impl<N, R> ShortestPath<N, R> {
    /// The Cypher, with parameters in the place of values; empty where a key can't be sent.
    pub fn to_cypher(&self) -> String {
        let Ok(ends) = &self.ends else {
            return String::new();
        };
        let keys = ends.each_ref().map(conditions);
        self.render(&keys, "shortestPath", &mut Parameters::default())
    }

    fn render<'c>(
        &'c self,
        keys: &'c [Vec<Condition>; 2],
        function: &str,
        parameters: &mut Parameters<'c>,
    ) -> String {
        let mut cypher = Cypher::new(parameters);
        self.ends(&mut cypher, keys);
        self.pattern(&mut cypher, function);
        let label = escape((self.hop.relation.target)().label);
        cypher.write(format_args!(" WHERE all(x IN nodes(p) WHERE x:{label}"));
        for condition in &self.hop.node {
            cypher.push(" AND ");
            cypher.conjunction("x", std::slice::from_ref(condition));
        }
        cypher.push(")");
        self.each_relationship(&mut cypher, " AND ");
        self.answer(&mut cypher);
        cypher.finish()
    }

    /// The same for the embedded engine, which looks for a shortest path first and at conditions
    /// afterwards: where there are conditions, it has to go through all paths.
    fn render_embedded<'c>(
        &'c self,
        keys: &'c [Vec<Condition>; 2],
        function: &str,
        parameters: &mut Parameters<'c>,
    ) -> String {
        let mut cypher = Cypher::new(parameters);
        self.ends(&mut cypher, keys);
        if self.hop.node.is_empty() && self.hop.relationship.is_empty() {
            self.pattern(&mut cypher, function);
            self.answer(&mut cypher);
            return cypher.finish();
        }
        self.pattern(&mut cypher, "");
        let mut word = " WHERE ";
        if !self.hop.node.is_empty() {
            cypher.push(" WHERE all(x IN nodes(p) WHERE ");
            cypher.conjunction("x", &self.hop.node);
            cypher.push(")");
            word = " AND ";
        }
        self.each_relationship(&mut cypher, word);
        self.answer(&mut cypher);
        cypher.push(" ORDER BY length(p)");
        if function == "shortestPath" {
            cypher.push(" LIMIT 1");
        }
        cypher.finish()
    }

    fn ends<'c>(&self, cypher: &mut Cypher<'_, 'c>, keys: &'c [Vec<Condition>; 2]) {
        for (variable, key) in ["a", "b"].into_iter().zip(keys) {
            cypher.push(if variable == "a" {
                "OPTIONAL MATCH "
            } else {
                " OPTIONAL MATCH "
            });
            cypher.node(variable, (self.hop.relation.target)());
            cypher.push(" WHERE ");
            cypher.conjunction(variable, key);
        }
    }

    fn pattern(&self, cypher: &mut Cypher<'_, '_>, function: &str) {
        let (open, close) = if function.is_empty() {
            ("", "")
        } else {
            ("(", ")")
        };
        let (left, right) = arrows(self.hop.relation.direction);
        let relationship_type = escape(self.hop.relation.relationship_type);
        cypher.write(format_args!(
            " OPTIONAL MATCH p = {function}{open}(a){left}[:{relationship_type}*"
        ));
        if let Some((_, Some(most))) = self.hop.range {
            cypher.write(format_args!("..{most}"));
        }
        cypher.write(format_args!("]{right}(b){close}"));
    }

    /// Writes what is told of the path `p`.
    fn answer(&self, cypher: &mut Cypher<'_, '_>) {
        let carried = self.hop.relation.relationship.asked("x");
        cypher.write(format_args!(
            " RETURN a IS NOT NULL AS source, b IS NOT NULL AS target, nodes(p) AS nodes, \
             [x IN relationships(p) | {carried}] AS relationships"
        ));
    }

    fn each_relationship<'c>(&'c self, cypher: &mut Cypher<'_, 'c>, word: &str) {
        if !self.hop.relationship.is_empty() {
            cypher.push(word);
            cypher.push("all(x IN relationships(p) WHERE ");
            cypher.conjunction("x", &self.hop.relationship);
            cypher.push(")");
        }
    }
}

#[cfg(feature = "embedded")]
fn is_embedded(graph: &Graph) -> bool {
    graph.engine().is_some()
}

#[cfg(not(feature = "embedded"))]
fn is_embedded(_: &Graph) -> bool {
    false
}

/// The statement of the path from a node to itself, for which databases do not look.
fn here<'c>(key: &'c [Condition], of: &KeyOf, parameters: &mut Parameters<'c>) -> String {
    let mut cypher = Cypher::new(parameters);
    cypher.push("MATCH ");
    cypher.node("a", of.schema());
    cypher.push(" WHERE ");
    cypher.conjunction("a", key);
    cypher.push(" RETURN true AS source, true AS target, [a] AS nodes, [] AS relationships");
    cypher.finish()
}

/// What must hold of the node of a key.
fn conditions(key: &KeyOf) -> Vec<Condition> {
    let values = key.schema().keys().zip(key.values());
    values
        .map(|(property, value)| Condition::Compare {
            left: Expr::Property(property.name),
            comparison: Comparison::Equal,
            right: Expr::value(value.clone()),
        })
        .collect()
}

/// Reads the nodes and the relationships of a path; nothing where both are not there.
fn read_path<N: Node, R: Relationship>(
    decoder: &mut Decoder<'_>,
    graph: &Graph,
) -> Result<Option<Path<N, R>>, DecodeError> {
    if decoder.null() {
        return Ok(None);
    }
    let count = decoder.list()?;
    let mut nodes = Vec::with_capacity(count.min(1024));
    for _ in 0..count {
        nodes.push(N::decode(decoder, graph)?);
    }
    let mut nodes = nodes.into_iter();
    let start = nodes
        .next()
        .ok_or_else(|| DecodeError::custom("a path without a node"))?;
    if decoder.list()? != nodes.len() {
        return Err(DecodeError::custom(
            "a path whose relationships do not fit its nodes",
        ));
    }
    let mut steps = Vec::with_capacity(nodes.len());
    for node in nodes {
        let relationship = decode_carried(decoder, graph)?;
        steps.push(Related { node, relationship });
    }
    Ok(Some(Path { start, steps }))
}

impl<N: Node, R: Relationship> IntoFuture for ShortestPath<N, R> {
    type Output = Result<Option<Path<N, R>>, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { Ok(self.run("shortestPath").await?.pop()) })
    }
}

impl<N: Node, R: Relationship> IntoFuture for AllShortestPaths<N, R> {
    type Output = Result<Vec<Path<N, R>>, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.0.run("allShortestPaths"))
    }
}
