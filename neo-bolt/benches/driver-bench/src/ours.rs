//! neo-bolt.

use std::net::SocketAddr;
use std::time::Duration;

use neo_bolt::packstream::{EncodeError, Encoder, ToBolt};
use neo_bolt::{AuthToken, Driver, Error, SessionConfig};
use serde::Deserialize;

use crate::replay::{FIVE, INTS, NODES, NOTHING, ONE};
use crate::{Size, Work, timed};

#[derive(Debug, Deserialize)]
struct Person<'a> {
    name: &'a str,
    born: i64,
    score: f64,
    active: bool,
    email: &'a str,
    city: &'a str,
}

/// One map of the parameter list.
struct Item {
    id: i64,
    name: String,
    score: f64,
}

impl ToBolt for Item {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.map(3)?;
        encoder.string("id")?;
        self.id.to_bolt(encoder)?;
        encoder.string("name")?;
        self.name.to_bolt(encoder)?;
        encoder.string("score")?;
        self.score.to_bolt(encoder)
    }
}

pub(crate) fn driver(address: SocketAddr) -> Result<Driver, Error> {
    Driver::builder(&format!("bolt://{address}"))
        .auth(AuthToken::basic("neo4j", "secret"))
        .build()
}

pub(crate) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

pub(crate) fn run(
    work: Work,
    address: SocketAddr,
    size: Size,
) -> Result<(Duration, u64), Box<dyn std::error::Error>> {
    let runtime = runtime()?;
    let driver = driver(address)?;
    runtime.block_on(driver.verify_connectivity())?;
    let items: Vec<Item> = (0..if work == Work::ParameterList {
        size.parameters
    } else {
        0
    })
        .map(|id| Item {
            id: id as i64,
            name: format!("item number {id}"),
            score: id as f64,
        })
        .collect();
    let (time, done) = timed(|| {
        runtime.block_on(async {
            match work {
                Work::Ints => ints(&driver).await,
                Work::Five => five(&driver).await,
                Work::Nodes => nodes(&driver).await,
                Work::PointQueries => points(&driver, size.points).await,
                Work::ParallelQueries => parallel(&driver, size.parallel).await,
                Work::ManagedTransactions => transactions(&driver, size.transactions).await,
                Work::ParameterList => parameters(&driver, &items).await,
            }
        })
    });
    runtime.block_on(driver.close());
    Ok((time, done?))
}

async fn ints(driver: &Driver) -> Result<u64, Error> {
    let mut session = driver.session(SessionConfig::default());
    let mut result = session.run(INTS, ()).await?;
    let mut sum = 0;
    while let Some(record) = result.next().await {
        let (number,): (i64,) = record?.decode()?;
        sum += number as u64;
    }
    Ok(sum)
}

async fn five(driver: &Driver) -> Result<u64, Error> {
    let mut session = driver.session(SessionConfig::default());
    let mut result = session.run(FIVE, ()).await?;
    let mut sum = 0;
    while let Some(record) = result.next().await {
        let record = record?;
        let (id, score, name, active, note): (i64, f64, &str, bool, &str) = record.decode()?;
        sum += id as u64 + score as u64 + u64::from(active) + (name.len() + note.len()) as u64;
    }
    Ok(sum)
}

async fn nodes(driver: &Driver) -> Result<u64, Error> {
    let mut session = driver.session(SessionConfig::default());
    let mut result = session.run(NODES, ()).await?;
    let mut sum = 0;
    while let Some(record) = result.next().await {
        let record = record?;
        let (person,): (Person<'_>,) = record.to()?;
        sum += person.born as u64
            + person.score as u64
            + u64::from(person.active)
            + (person.name.len() + person.email.len() + person.city.len()) as u64;
    }
    Ok(sum)
}

async fn points(driver: &Driver, count: usize) -> Result<u64, Error> {
    let mut session = driver.session(SessionConfig::default());
    let mut sum = 0;
    for _ in 0..count {
        let record = session.run(ONE, ()).await?.single().await?;
        sum += record.get_at::<i64>(0)? as u64;
    }
    Ok(sum)
}

async fn parallel(driver: &Driver, count: usize) -> Result<u64, Error> {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let driver = driver.clone();
        tasks.spawn(async move { points(&driver, count / 16).await });
    }
    let mut sum = 0;
    while let Some(task) = tasks.join_next().await {
        sum += task.unwrap_or(Ok(0))?;
    }
    Ok(sum)
}

async fn transactions(driver: &Driver, count: usize) -> Result<u64, Error> {
    let mut sum = 0;
    for _ in 0..count {
        let result = driver.execute_query(ONE, ()).await?;
        for record in &result.records {
            sum += record.get_at::<i64>(0)? as u64;
        }
    }
    Ok(sum)
}

async fn parameters(driver: &Driver, items: &[Item]) -> Result<u64, Error> {
    struct Items<'a>(&'a [Item]);
    impl ToBolt for Items<'_> {
        fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
            encoder.map(1)?;
            encoder.string("items")?;
            self.0.to_bolt(encoder)
        }
    }
    let mut session = driver.session(SessionConfig::default());
    session.run(NOTHING, Items(items)).await?.consume().await?;
    Ok(items.len() as u64)
}
