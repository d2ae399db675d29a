//! What exactly-once delivery costs: the same operations with receipts and without, in turn.

use std::time::{Duration, Instant};

use neo_bolt::AuthToken;
use neo_ogm::Graph;
use neo_ogm::prelude::*;
use neo_test_support::neo4j::Server;
use neo_test_support::proxy::Proxy;

use crate::model::Item;
use crate::{Failure, WARMING, median};

/// What is measured.
#[derive(Debug, Clone, Copy)]
enum Operation {
    SaveNew,
    SaveAgain,
    Insert,
    /// An update by filter, which stores its count.
    Count,
    /// A unit of work: read, compute, save.
    Unit,
    Bulk,
}

impl Operation {
    const ALL: [Self; 6] = [
        Self::SaveNew,
        Self::SaveAgain,
        Self::Insert,
        Self::Count,
        Self::Unit,
        Self::Bulk,
    ];

    fn title(self) -> &'static str {
        match self {
            Self::SaveNew => "save a new node",
            Self::SaveAgain => "save a changed node",
            Self::Insert => "insert",
            Self::Count => "`update().set(F, F + 1)`",
            Self::Unit => "a unit of work that reads, computes and saves",
            Self::Bulk => "1,000 saves in bulk",
        }
    }

    /// How often it is repeated in a round.
    fn repeated(self, short: bool) -> u32 {
        match self {
            Self::Bulk => 1,
            _ if short => 20,
            _ => 100,
        }
    }

    fn to_reach(self) -> &'static str {
        match self {
            Self::SaveNew | Self::SaveAgain => "≤ 1.15 × with 1 ms",
            Self::Unit => "≤ 1.1 × with 1 ms",
            Self::Insert | Self::Count | Self::Bulk => "–",
        }
    }
}

fn item(code: String) -> Item {
    Item {
        code,
        name: "a name".to_owned(),
        born: 1900,
        score: 0.5,
        active: true,
        city: "Oslo".to_owned(),
    }
}

async fn run(
    operation: Operation,
    graph: &Graph,
    key: &str,
    count: u32,
) -> Result<Duration, Failure> {
    let code = |number: u32| format!("receipts-{key}-{number}");
    if matches!(
        operation,
        Operation::SaveAgain | Operation::Count | Operation::Unit
    ) {
        let items: Vec<_> = (0..count).map(|number| item(code(number))).collect();
        graph.save_all(&items).await?;
    }
    let bulk: Vec<_> = match operation {
        Operation::Bulk => (0..1_000).map(|number| item(code(number))).collect(),
        _ => Vec::new(),
    };
    let begun = Instant::now();
    for number in 0..count {
        let item = item(code(number));
        match operation {
            Operation::SaveNew => item.save(graph).await?,
            Operation::SaveAgain => {
                // Neo4j commits nothing if all values are as before.
                let changed = Item { born: 1901, ..item };
                changed.save(graph).await?;
            }
            Operation::Insert => item.insert(graph).await?,
            Operation::Count => {
                let one = Item::find_by_code(item.code.as_str());
                one.update(graph).set(Item::BORN, Item::BORN + 1).await?;
            }
            Operation::Unit => {
                let unit = graph.transaction(async |tx| {
                    let mut found = Item::find_by_code(item.code.as_str()).get(&tx).await?;
                    found.born += 1;
                    found.save(&tx).await
                });
                unit.await?;
            }
            Operation::Bulk => graph.save_all(&bulk).await?,
        }
    }
    Ok(begun.elapsed() / count)
}

pub(crate) async fn report(
    server: &'static Server,
    rounds: usize,
    short: bool,
) -> Result<(), Failure> {
    let proxy = Proxy::start(server.address())?;
    let connect = async |uri: &str, exactly_once: bool| {
        let auth = AuthToken::basic(server.user(), server.password());
        let builder = Graph::builder(uri).auth(auth).exactly_once(exactly_once);
        builder.connect().await
    };
    println!(
        "| operation | without receipts | with receipts | ratio | with 1 ms of latency: without | \
         with | ratio | to reach |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let with = (
        connect(server.uri(), true).await?,
        connect(&proxy.uri(), true).await?,
    );
    let without = (
        connect(server.uri(), false).await?,
        connect(&proxy.uri(), false).await?,
    );
    proxy.set_latency(Duration::from_millis(1));
    for operation in Operation::ALL {
        let mut times: [Vec<Duration>; 4] = Default::default();
        let count = operation.repeated(short);
        for round in 0..WARMING + rounds {
            let graphs = [&without.0, &with.0, &without.1, &with.1];
            for turn in 0..graphs.len() {
                // Nobody is always the one who comes first.
                let which = (turn + round) % graphs.len();
                let key = format!("{operation:?}-{which}-{round}");
                let time = run(operation, graphs[which], &key, count).await?;
                if round >= WARMING {
                    times[which].push(time);
                }
            }
        }
        let [bare, receipts, far_bare, far_receipts] = times
            .each_mut()
            .map(|times| median(times).as_secs_f64() * 1e3);
        println!(
            "| {} | {bare:.2} ms | {receipts:.2} ms | {:.2} × | {far_bare:.2} ms | \
             {far_receipts:.2} ms | {:.2} × | {} |",
            operation.title(),
            receipts / bare,
            far_receipts / far_bare,
            operation.to_reach(),
        );
    }
    println!();
    Ok(())
}
