//! The nodes that are measured, under labels of the bench's own.

use neo_ogm::prelude::*;

/// Statements that take away whatever the bench has made.
pub(crate) const CLEAN: &[&str] = &[
    "MATCH (n:BenchBook) DETACH DELETE n",
    "MATCH (n:BenchPerson) DETACH DELETE n",
    "MATCH (n:BenchItem) DETACH DELETE n",
    "MATCH (n:BenchReader) DETACH DELETE n",
];

#[derive(Node, Debug, Clone)]
#[node(label = "BenchBook")]
pub(crate) struct Book {
    #[node(key)]
    pub(crate) isbn: String,
    #[node(fulltext)]
    pub(crate) title: String,
    pub(crate) pages: i64,
    #[relationship(type = "BENCH_WRITTEN_BY")]
    pub(crate) author: One<Person, WrittenBy>,
}

#[derive(Node, Debug, Clone)]
#[node(label = "BenchPerson")]
pub(crate) struct Person {
    #[node(key)]
    pub(crate) name: String,
    pub(crate) born: i64,
}

#[relationship(type = "BENCH_WRITTEN_BY")]
#[derive(Debug, Clone)]
pub(crate) struct WrittenBy {
    pub(crate) year: i64,
}

/// Six properties and no relationship: what is read by the thousand.
#[derive(Node, Debug, Clone)]
#[node(label = "BenchItem")]
pub(crate) struct Item {
    #[node(key)]
    pub(crate) code: String,
    #[node(index)]
    pub(crate) name: String,
    pub(crate) born: i64,
    pub(crate) score: f64,
    pub(crate) active: bool,
    pub(crate) city: String,
}

/// Who reads what, and since when: a relationship with a default.
#[derive(Node, Debug, Clone)]
#[node(label = "BenchReader")]
pub(crate) struct Reader {
    #[node(key)]
    pub(crate) name: String,
    #[relationship]
    pub(crate) reads: Many<Book, Reads>,
}

#[relationship(type = "BENCH_READS")]
#[derive(Debug, Clone)]
pub(crate) struct Reads {
    #[relationship(default = now())]
    pub(crate) since: i64,
}

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_nanos() as i64)
}
