//! The same by hand: Cypher on neo-bolt, decoded by serde into plain structs.

use std::time::{Duration, Instant};

use neo_bolt::packstream::{EncodeError, Encoder, ToBolt};
use neo_bolt::{AccessMode, params};
use neo_ogm::Graph;
use serde::Deserialize;

use crate::Failure;
use crate::mapper::expect;
use crate::work::Work;

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
pub(crate) struct Item {
    code: String,
    name: String,
    born: i64,
    score: f64,
    active: bool,
    city: String,
}

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
pub(crate) struct Book {
    isbn: String,
    title: String,
    pages: i64,
}

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
pub(crate) struct WrittenBy {
    year: i64,
}

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
pub(crate) struct Person {
    name: String,
    born: i64,
}

const SAVE: &str = "MERGE (b:BenchBook {isbn: $isbn}) SET b += $p";
const AUTHOR: &str = "MERGE (p:BenchPerson {name: $name}) SET p += $p";
const CONNECT: &str = "MATCH (b:BenchBook {isbn: $isbn}) MATCH (p:BenchPerson {name: $name}) \
                       MERGE (b)-[r:BENCH_WRITTEN_BY]->(p) SET r.year = $year";
const REPLACE: &str = "MATCH (b:BenchBook {isbn: $isbn}) MATCH (p:BenchPerson {name: $name}) \
                       OPTIONAL MATCH (b)-[x:BENCH_WRITTEN_BY]->(o) WHERE o <> p \
                       DELETE x WITH DISTINCT b, p \
                       MERGE (b)-[r:BENCH_WRITTEN_BY]->(p) SET r.year = $year";
const SAVE_ALL: &str = "UNWIND $rows AS row MERGE (b:BenchBook {isbn: row.isbn}) SET b += row.p";
const CONNECT_ALL: &str = "UNWIND $rows AS row MATCH (b:BenchBook {isbn: row.isbn}) \
                           MATCH (p:BenchPerson {name: row.name}) \
                           MERGE (b)-[r:BENCH_WRITTEN_BY]->(p) SET r.year = row.year";
const BOOKS: &str = "MATCH (b:BenchBook)-[r:BENCH_WRITTEN_BY]->(p:BenchPerson) \
                     WHERE b.isbn STARTS WITH $prefix RETURN b, r, p";
const ITEMS: &str = "MATCH (n:BenchItem) RETURN n";

/// Rows of a bulk save.
struct Saves<'a>(&'a str, usize);

impl ToBolt for Saves<'_> {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.map(1)?;
        encoder.string("rows")?;
        encoder.list(self.1)?;
        for number in 0..self.1 {
            encoder.map(2)?;
            encoder.string("isbn")?;
            encoder.string(&format!("{}-{number}", self.0))?;
            encoder.string("p")?;
            encoder.map(2)?;
            encoder.string("title")?;
            encoder.string("A title")?;
            encoder.string("pages")?;
            300_i64.to_bolt(encoder)?;
        }
        Ok(())
    }
}

/// Rows of a bulk connect.
struct Connects<'a>(&'a str, usize);

impl ToBolt for Connects<'_> {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.map(1)?;
        encoder.string("rows")?;
        encoder.list(self.1)?;
        for number in 0..self.1 {
            encoder.map(3)?;
            encoder.string("isbn")?;
            encoder.string(&format!("{}-{number}", self.0))?;
            encoder.string("name")?;
            encoder.string(&format!("{}-p{}", self.0, number % 20))?;
            encoder.string("year")?;
            1_i64.to_bolt(encoder)?;
        }
        Ok(())
    }
}

/// The time that `work` takes, without its preparation.
pub(crate) async fn run(
    work: Work,
    graph: &Graph,
    key: &str,
    count: usize,
) -> Result<Duration, Failure> {
    let driver = graph.driver();
    let properties = || params! { "title" => "A title", "pages" => 300 };
    if matches!(
        work,
        Work::Connect | Work::Replace | Work::Unit | Work::BulkConnect
    ) {
        for number in 0..20 {
            let name = format!("{key}-p{number}");
            let parameters = params! { "name" => name, "p" => params! { "born" => 1900 } };
            driver.execute_query(AUTHOR, parameters).await?;
        }
    }
    if matches!(work, Work::Connect | Work::Replace | Work::BulkConnect) {
        driver.execute_query(SAVE_ALL, Saves(key, count)).await?;
        if work == Work::Replace {
            driver
                .execute_query(CONNECT_ALL, Connects(key, count))
                .await?;
        }
    }
    let isbn = |number: usize| format!("{key}-{number}");
    let ends = |number: usize, author: usize, year: i64| {
        params! { "isbn" => isbn(number), "name" => format!("{key}-p{author}"), "year" => year }
    };
    let begun = Instant::now();
    match work {
        Work::Save => {
            for number in 0..count {
                let parameters = params! { "isbn" => isbn(number), "p" => properties() };
                driver.execute_query(SAVE, parameters).await?;
            }
        }
        Work::Connect => {
            for number in 0..count {
                driver.execute_query(CONNECT, ends(number, 0, 1)).await?;
            }
        }
        Work::Replace => {
            for number in 0..count {
                driver.execute_query(REPLACE, ends(number, 1, 2)).await?;
            }
        }
        Work::Unit => {
            let mut session = driver.session(Default::default());
            for number in 0..count {
                session
                    .execute_write(async |tx| {
                        let parameters = params! { "isbn" => isbn(number), "p" => properties() };
                        tx.execute(SAVE, parameters).await?;
                        tx.execute(CONNECT, ends(number, 0, 1)).await?;
                        Ok::<_, neo_bolt::Error>(())
                    })
                    .await?;
            }
        }
        Work::BulkSave => {
            driver.execute_query(SAVE_ALL, Saves(key, count)).await?;
        }
        Work::BulkConnect => {
            driver
                .execute_query(CONNECT_ALL, Connects(key, count))
                .await?;
        }
        Work::Books => {
            let result = driver
                .execute_query(BOOKS, params! { "prefix" => "read-" })
                .routing(AccessMode::Read)
                .await?;
            let rows: Vec<(Book, WrittenBy, Person)> = result
                .records
                .iter()
                .map(neo_bolt::Record::to)
                .collect::<Result<_, _>>()?;
            expect(rows.len(), count)?;
        }
        Work::Items => {
            let result = driver
                .execute_query(ITEMS, ())
                .routing(AccessMode::Read)
                .await?;
            let items: Vec<(Item,)> = result
                .records
                .iter()
                .map(neo_bolt::Record::to)
                .collect::<Result<_, _>>()?;
            expect(items.len(), count)?;
        }
    }
    Ok(begun.elapsed())
}
