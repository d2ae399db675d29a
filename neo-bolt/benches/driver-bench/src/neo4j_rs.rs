//! The crate `neo4j`, which is blocking.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use neo4j::address::Address;
use neo4j::driver::auth::AuthToken;
use neo4j::driver::{ConnectionConfig, Driver, DriverConfig};
use neo4j::retry::ExponentialBackoff;
use neo4j::session::SessionConfig;
use neo4j::{ValueReceive, ValueSend, value_map};

use crate::replay::{FIVE, INTS, NODES, NOTHING, ONE};
use crate::{Size, Work, timed};

type Done = Result<u64, Box<dyn std::error::Error + Send + Sync>>;

pub(crate) fn run(
    work: Work,
    address: SocketAddr,
    size: Size,
) -> Result<(Duration, u64), Box<dyn std::error::Error>> {
    let host = address.ip().to_string();
    let connection =
        ConnectionConfig::new(Address::from((host.as_str(), address.port()))).with_routing(false);
    let auth = Arc::new(AuthToken::new_basic_auth("neo4j", "secret"));
    let driver = Driver::new(connection, DriverConfig::new().with_auth(auth));
    points(&driver, 1).map_err(|error| error.to_string())?;
    let items: Vec<ValueSend> = (0..if work == Work::ParameterList {
        size.parameters
    } else {
        0
    })
        .map(|id| {
            ValueSend::Map(value_map!({
                "id": id as i64, "name": format!("item number {id}"), "score": id as f64,
            }))
        })
        .collect();
    let (time, done) = timed(|| match work {
        Work::Ints => rows(&driver, INTS, |values| match values {
            [ValueReceive::Integer(number)] => *number as u64,
            _ => 0,
        }),
        Work::Five => rows(&driver, FIVE, five),
        Work::Nodes => rows(&driver, NODES, |values| values.first().map_or(0, person)),
        Work::PointQueries => points(&driver, size.points),
        Work::ParallelQueries => std::thread::scope(|scope| {
            let threads: Vec<_> = (0..16)
                .map(|_| scope.spawn(|| points(&driver, size.parallel / 16)))
                .collect();
            let mut sum = 0;
            for thread in threads {
                sum += thread.join().unwrap_or(Ok(0))?;
            }
            Ok(sum)
        }),
        Work::ManagedTransactions => transactions(&driver, size.transactions),
        Work::ParameterList => {
            let count = items.len() as u64;
            let parameters: HashMap<String, ValueSend> = value_map!({ "items": items });
            let mut session = driver.session(SessionConfig::new());
            let ran = session.auto_commit(NOTHING).with_parameters(parameters);
            ran.run().map(|_| count).map_err(Into::into)
        }
    });
    Ok((time, done.map_err(|error| error.to_string())?))
}

fn rows(driver: &Driver, statement: &str, read: fn(&[ValueReceive]) -> u64) -> Done {
    let mut session = driver.session(SessionConfig::new());
    let sum = session.auto_commit(statement).with_receiver(|records| {
        let mut sum = 0;
        for record in records {
            let values: Vec<ValueReceive> = record?.into_values().collect();
            sum += read(&values);
        }
        Ok(sum)
    });
    Ok(sum.run()?)
}

fn five(values: &[ValueReceive]) -> u64 {
    match values {
        [
            ValueReceive::Integer(id),
            ValueReceive::Float(score),
            ValueReceive::String(name),
            ValueReceive::Boolean(active),
            ValueReceive::String(note),
        ] => *id as u64 + *score as u64 + u64::from(*active) + (name.len() + note.len()) as u64,
        _ => 0,
    }
}

fn person(value: &ValueReceive) -> u64 {
    let ValueReceive::Node(node) = value else {
        return 0;
    };
    let mut sum = 0;
    for key in ["name", "born", "score", "active", "email", "city"] {
        sum += match node.properties.get(key) {
            Some(ValueReceive::Integer(number)) => *number as u64,
            Some(ValueReceive::Float(number)) => *number as u64,
            Some(ValueReceive::Boolean(flag)) => u64::from(*flag),
            Some(ValueReceive::String(text)) => text.len() as u64,
            _ => 0,
        };
    }
    sum
}

fn points(driver: &Driver, count: usize) -> Done {
    let mut session = driver.session(SessionConfig::new());
    let mut sum = 0;
    for _ in 0..count {
        let result = session.auto_commit(ONE).run()?;
        for record in result.records {
            for value in record.into_values() {
                if let ValueReceive::Integer(number) = value {
                    sum += number as u64;
                }
            }
        }
    }
    Ok(sum)
}

fn transactions(driver: &Driver, count: usize) -> Done {
    let mut sum = 0;
    for _ in 0..count {
        let query = driver.execute_query(ONE);
        let result = query.run_with_retry(ExponentialBackoff::default())?;
        for record in result.records {
            for value in record.into_values() {
                if let ValueReceive::Integer(number) = value {
                    sum += number as u64;
                }
            }
        }
    }
    Ok(sum)
}
