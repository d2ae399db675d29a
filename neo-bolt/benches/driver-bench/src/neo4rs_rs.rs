//! The crate `neo4rs`.

use std::net::SocketAddr;
use std::time::Duration;

use neo4rs::{BoltType, ConfigBuilder, Error, Graph, query};
use serde::Deserialize;

use crate::ours::runtime;
use crate::replay::{FIVE, INTS, NODES, NOTHING, ONE};
use crate::{Size, Work, timed};

#[derive(Debug, Deserialize)]
struct Five {
    id: i64,
    score: f64,
    name: String,
    active: bool,
    note: String,
}

#[derive(Debug, Deserialize)]
struct Person {
    name: String,
    born: i64,
    score: f64,
    active: bool,
    email: String,
    city: String,
}

pub(crate) fn run(
    work: Work,
    address: SocketAddr,
    size: Size,
) -> Result<(Duration, u64), Box<dyn std::error::Error>> {
    let runtime = runtime()?;
    let config = ConfigBuilder::default()
        .uri(format!("bolt://{address}"))
        .user("neo4j")
        .password("secret")
        .fetch_size(1000)
        .build()?;
    let graph = runtime.block_on(async { Graph::connect(config) })?;
    runtime.block_on(points(&graph, 1))?;
    let items: Vec<std::collections::HashMap<String, BoltType>> = (0
        ..if work == Work::ParameterList {
            size.parameters
        } else {
            0
        })
        .map(|id| {
            [
                ("id".to_owned(), BoltType::from(id as i64)),
                ("name".to_owned(), format!("item number {id}").into()),
                ("score".to_owned(), (id as f64).into()),
            ]
            .into()
        })
        .collect();
    let (time, done) = timed(|| {
        runtime.block_on(async {
            match work {
                Work::Ints => ints(&graph).await,
                Work::Five => five(&graph).await,
                Work::Nodes => nodes(&graph).await,
                Work::PointQueries => points(&graph, size.points).await,
                Work::ParallelQueries => parallel(&graph, size.parallel).await,
                Work::ManagedTransactions => transactions(&graph, size.transactions).await,
                Work::ParameterList => {
                    let count = items.len() as u64;
                    graph.run(query(NOTHING).param("items", items)).await?;
                    Ok(count)
                }
            }
        })
    });
    Ok((time, done?))
}

async fn ints(graph: &Graph) -> Result<u64, Error> {
    let mut result = graph.execute(query(INTS)).await?;
    let mut sum = 0;
    while let Some(row) = result.next().await? {
        let number: i64 = row.get("n").map_err(Error::DeserializationError)?;
        sum += number as u64;
    }
    Ok(sum)
}

async fn five(graph: &Graph) -> Result<u64, Error> {
    let mut result = graph.execute(query(FIVE)).await?;
    let mut sum = 0;
    while let Some(row) = result.next().await? {
        let five: Five = row.to().map_err(Error::DeserializationError)?;
        sum += five.id as u64
            + five.score as u64
            + u64::from(five.active)
            + (five.name.len() + five.note.len()) as u64;
    }
    Ok(sum)
}

async fn nodes(graph: &Graph) -> Result<u64, Error> {
    let mut result = graph.execute(query(NODES)).await?;
    let mut sum = 0;
    while let Some(row) = result.next().await? {
        let person: Person = row.get("n").map_err(Error::DeserializationError)?;
        sum += person.born as u64
            + person.score as u64
            + u64::from(person.active)
            + (person.name.len() + person.email.len() + person.city.len()) as u64;
    }
    Ok(sum)
}

async fn points(graph: &Graph, count: usize) -> Result<u64, Error> {
    let mut sum = 0;
    for _ in 0..count {
        let mut result = graph.execute(query(ONE)).await?;
        while let Some(row) = result.next().await? {
            let number: i64 = row.get("n").map_err(Error::DeserializationError)?;
            sum += number as u64;
        }
    }
    Ok(sum)
}

async fn parallel(graph: &Graph, count: usize) -> Result<u64, Error> {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let graph = graph.clone();
        tasks.spawn(async move { points(&graph, count / 16).await });
    }
    let mut sum = 0;
    while let Some(task) = tasks.join_next().await {
        sum += task.unwrap_or(Ok(0))?;
    }
    Ok(sum)
}

async fn transactions(graph: &Graph, count: usize) -> Result<u64, Error> {
    let mut sum = 0;
    for _ in 0..count {
        let mut transaction = graph.start_txn().await?;
        let mut result = transaction.execute(query(ONE)).await?;
        while let Some(row) = result.next(transaction.handle()).await? {
            let number: i64 = row.get("n").map_err(Error::DeserializationError)?;
            sum += number as u64;
        }
        transaction.commit().await?;
    }
    Ok(sum)
}
