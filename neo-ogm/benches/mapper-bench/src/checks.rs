//! What holds, and what does not: under races, twice over, and with awkward input.

use std::sync::Arc;

use neo_bolt::ProfiledPlan;
use neo_ogm::prelude::*;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::model::{Book, Item, Person, Reader, WrittenBy};
use crate::{Failure, Place};

pub(crate) async fn report(place: &mut Place, short: bool) -> Result<(), Failure> {
    let graph = place.direct.clone();
    let rounds = if short { 10 } else { 100 };
    println!("| check | neomodel | neo-ogm | to reach |");
    println!("|---|---|---|---|");
    let mut row = |title: &str, name: &str, count: usize, ours: String, target: &str| {
        // What neomodel races with must not be what we raced with.
        let key = if name == "profile" {
            "name 0001".into()
        } else {
            format!("neomodel-{name}")
        };
        let theirs = match &mut place.neomodel {
            None => "–".to_owned(),
            Some((direct, _)) => direct.check(name, &key, count)?,
        };
        println!("| {title} | {theirs} | {ours} | {target} |");
        Ok::<_, Failure>(())
    };
    row(
        "four racing connects on a `One` relationship",
        "races",
        rounds,
        races(&graph, rounds).await?,
        "violated in 0",
    )?;
    row(
        "the same node connected twice on `One`",
        "twice",
        0,
        twice(&graph).await?,
        "no-op",
    )?;
    row(
        "relationship struct with a default timestamp, connected twice",
        "default",
        0,
        default(&graph).await?,
        "1 relationships",
    )?;
    row(
        "8 × 100 transactions of two nodes in any order",
        "deadlocks",
        rounds,
        deadlocks(&graph, rounds).await?,
        "0 surface",
    )?;
    row(
        "ten of 20,000 nodes by how an indexed text starts",
        "profile",
        0,
        starts_with(&graph).await?,
        "≤ 34 db hits",
    )?;
    row(
        "a quotation mark in a full-text search",
        "quotation",
        0,
        quotation(&graph).await?,
        "found",
    )?;
    println!();
    Ok(())
}

async fn races(graph: &Graph, rounds: usize) -> Result<String, Failure> {
    let mut people = Vec::new();
    for number in 0..4 {
        let person = Person::new(format!("mapper-races-p{number}"), 1900);
        person.save(graph).await?;
        people.push(person);
    }
    let mut violated = 0;
    for round in 0..rounds {
        let book = Book::new(format!("mapper-races-{round}"), "A title", 1);
        book.save(graph).await?;
        let barrier = Arc::new(Barrier::new(people.len()));
        let mut tasks = JoinSet::new();
        for person in people.clone() {
            let (book, barrier) = (book.clone(), Arc::clone(&barrier));
            tasks.spawn(async move {
                barrier.wait().await;
                let connect = book.author.connect(&person);
                connect.properties(WrittenBy { year: 1 }).await.is_ok()
            });
        }
        let connected = tasks.join_all().await.into_iter().filter(|ok| *ok).count();
        let related = count(
            graph,
            "MATCH (:BenchBook {isbn: $key})-[r]->() RETURN count(r)",
            &book.isbn,
        );
        violated += usize::from(connected != 1 || related.await? != 1);
    }
    Ok(format!("violated in {violated} of {rounds} rounds"))
}

async fn count(graph: &Graph, statement: &'static str, key: &str) -> Result<i64, Failure> {
    let rows: Vec<i64> = graph
        .cypher(statement)
        .param("key", key)
        .fetch(graph)
        .await?;
    Ok(rows.first().copied().unwrap_or_default())
}

async fn twice(graph: &Graph) -> Result<String, Failure> {
    let book = Book::new("mapper-twice", "A title", 1);
    let person = Person::new("mapper-twice", 1900);
    book.save(graph).await?;
    person.save(graph).await?;
    book.author
        .connect(&person)
        .properties(WrittenBy { year: 1 })
        .await?;
    match book
        .author
        .connect(&person)
        .properties(WrittenBy { year: 1 })
        .await
    {
        Ok(()) => Ok("no-op".into()),
        Err(error) => Ok(format!("an error: {error}")),
    }
}

async fn default(graph: &Graph) -> Result<String, Failure> {
    let reader = Reader::new("mapper-default");
    let book = Book::new("mapper-default", "A title", 1);
    reader.save(graph).await?;
    book.save(graph).await?;
    reader.reads.connect(&book).await?;
    reader.reads.connect(&book).await?;
    let related = "MATCH (:BenchReader {name: $key})-[r]->() RETURN count(r)";
    Ok(format!(
        "{} relationships",
        count(graph, related, &reader.name).await?
    ))
}

async fn deadlocks(graph: &Graph, each: usize) -> Result<String, Failure> {
    let books: Vec<Book> = (0..6)
        .map(|number| Book::new(format!("mapper-deadlocks-{number}"), "A title", 1))
        .collect();
    let mut tasks = JoinSet::new();
    for seed in 0..8_usize {
        let (graph, books) = (graph.clone(), books.clone());
        tasks.spawn(async move {
            let mut surfaced = 0;
            for round in 0..each {
                let first = (seed * 31 + round * 17) % books.len();
                let second = (first + 1 + (seed + round * 7) % (books.len() - 1)) % books.len();
                let both = graph.transaction(async |tx| {
                    books[first].save(&tx).await?;
                    books[second].save(&tx).await
                });
                surfaced += usize::from(both.await.is_err());
            }
            surfaced
        });
    }
    let surfaced: usize = tasks.join_all().await.into_iter().sum();
    Ok(format!("{surfaced} of {} surface", 8 * each))
}

async fn starts_with(graph: &Graph) -> Result<String, Failure> {
    let find = Item::find().filter(Item::NAME.starts_with("name 0001"));
    Ok(format!("{} db hits", hits(&find.profile(graph).await?)))
}

fn hits(plan: &ProfiledPlan) -> i64 {
    plan.db_hits() + plan.children().iter().map(hits).sum::<i64>()
}

async fn quotation(graph: &Graph) -> Result<String, Failure> {
    let found = Book::find().search(Book::TITLE, "\"A title\"").limit(3);
    match found.all(graph).await {
        Ok(found) => Ok(format!("found {}", found.len())),
        Err(error) => Ok(format!("an error: {error}")),
    }
}
