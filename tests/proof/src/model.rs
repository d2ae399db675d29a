//! The nodes that the programmes write, under labels of their own.

use neo_ogm::prelude::*;

use crate::context::Failure;
use crate::ledger::{Counter, Entry};

#[derive(Node, Debug, Clone)]
#[node(label = "ProofBook")]
pub(crate) struct Book {
    #[node(key)]
    pub(crate) isbn: String,
    #[node(index)]
    pub(crate) title: String,
    pub(crate) pages: i64,
    #[relationship]
    pub(crate) author: One<Author, WrittenBy>,
    #[relationship(type = "PROOF_SIMILAR_TO")]
    pub(crate) similar: Many<Book>,
}

#[derive(Node, Debug, Clone)]
#[node(label = "ProofAuthor")]
pub(crate) struct Author {
    #[node(key)]
    pub(crate) name: String,
    pub(crate) born: Option<i64>,
}

#[relationship(type = "PROOF_WRITTEN_BY")]
#[derive(Debug, Clone)]
pub(crate) struct WrittenBy {
    pub(crate) year: i64,
}

/// Bounded at both ends.
#[derive(Node, Debug, Clone)]
#[node(label = "ProofHolder")]
pub(crate) struct Holder {
    #[node(key)]
    pub(crate) name: String,
    #[relationship(type = "PROOF_HOLDS")]
    pub(crate) passport: ZeroOrOne<Passport>,
}

/// Bounded at both ends.
#[derive(Node, Debug, Clone)]
#[node(label = "ProofPassport")]
pub(crate) struct Passport {
    #[node(key)]
    pub(crate) number: String,
    #[relationship(type = "PROOF_HOLDS", direction = "in")]
    pub(crate) holder: One<Holder>,
}

/// Nobody overwrites what another has written in between.
#[derive(Node, Debug, Clone)]
#[node(label = "ProofAccount")]
pub(crate) struct Account {
    #[node(key)]
    pub(crate) number: String,
    pub(crate) balance: i64,
    #[node(version)]
    pub(crate) version: Version,
}

/// Written by hand-written Cypher.
#[derive(Node, Debug, Clone)]
#[node(label = "ProofTick")]
pub(crate) struct Tick {
    #[node(key)]
    pub(crate) id: String,
}

pub(crate) async fn schema(graph: &Graph) -> Result<(), Failure> {
    graph
        .apply_schema::<(
            Book,
            Author,
            Holder,
            Passport,
            Account,
            Tick,
            Counter,
            Entry,
        )>()
        .await?;
    Ok(())
}

/// Takes away what was made under `prefix`.
pub(crate) async fn clean(graph: &Graph, prefix: &str) -> Result<(), Failure> {
    for statement in [
        "MATCH (n:ProofBook) WHERE n.isbn STARTS WITH $prefix DETACH DELETE n",
        "MATCH (n:ProofAuthor) WHERE n.name STARTS WITH $prefix DETACH DELETE n",
        "MATCH (n:ProofHolder) WHERE n.name STARTS WITH $prefix DETACH DELETE n",
        "MATCH (n:ProofPassport) WHERE n.number STARTS WITH $prefix DETACH DELETE n",
        "MATCH (n:ProofAccount) WHERE n.number STARTS WITH $prefix DETACH DELETE n",
        "MATCH (n:ProofTick) WHERE n.id STARTS WITH $prefix DETACH DELETE n",
        "MATCH (n:ProofCounter) WHERE n.name STARTS WITH $prefix DETACH DELETE n",
        "MATCH (n:ProofEntry) WHERE n.ledger STARTS WITH $prefix DETACH DELETE n",
    ] {
        let query = graph.cypher(statement).param("prefix", prefix);
        query.idempotent().execute(graph).await?;
    }
    Ok(())
}

/// The numbers that a statement counts for a key, `$key`.
pub(crate) async fn count(graph: &Graph, statement: &str, key: &str) -> Result<i64, Failure> {
    let query = graph.cypher(statement).param("key", key).read_only();
    let rows: Vec<i64> = query.fetch(graph).await?;
    Ok(rows.first().copied().unwrap_or_default())
}
