//! Several operations as one: units of work that are retried, reads, transactions that one ends by
//! oneself, timeouts, metadata, bookmarks, and errors that roll back.

use std::time::Duration;

use neo_ogm::prelude::*;
use neo_ogm::{Bookmarks, Error, ErrorKind};
use neo_ogm_examples::isolated;

#[derive(Node, Debug, Clone)]
struct Warehouse {
    #[node(key)]
    name: String,
    boxes: i64,
}

/// An error of this program's own.
#[derive(Debug)]
struct TooFew {
    wanted: i64,
    there: i64,
}

impl std::fmt::Display for TooFew {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} boxes wanted, {} there", self.wanted, self.there)
    }
}

impl std::error::Error for TooFew {}

/// Adds boxes, and gives the warehouse as it is then. It is one statement: between a `get` and a
/// `save` somebody else could write, since reading locks nothing.
async fn add(tx: &Transaction, name: &str, count: i64) -> Result<Warehouse, Error> {
    tx.cypher("MATCH (w:Warehouse {name: $name}) SET w.boxes = w.boxes + $count RETURN w")
        .param("name", name)
        .param("count", count)
        .get(tx)
        .await
}

/// Moves boxes. Where the database asks for another attempt, all of it runs again; where it
/// returns an error, nothing of it stays.
async fn carry(graph: &Graph, [from, to]: [&str; 2], count: i64) -> Result<i64, Error> {
    graph
        .transaction(async |tx| {
            add(&tx, to, count).await?;
            let left = add(&tx, from, -count).await?.boxes;
            if left < 0 {
                return Err(Error::abort(TooFew {
                    wanted: count,
                    there: left + count,
                }));
            }
            Ok(left)
        })
        .await
}

async fn boxes(graph: &Graph, names: [&str; 2]) -> Result<[i64; 2], Error> {
    // Both are read in one transaction; a cluster serves it from any member.
    graph
        .read_transaction(async |tx| {
            let one = Warehouse::find_by_name(names[0]).get(&tx).await?;
            let other = Warehouse::find_by_name(names[1]).get(&tx).await?;
            Ok([one.boxes, other.boxes])
        })
        .await
}

async fn explicit(graph: &Graph, name: &str) -> Result<(), Error> {
    let warehouse = Warehouse::new(name, 1);
    let tx = graph.begin().await?;
    warehouse.save(&tx).await?;
    assert!(Warehouse::find_by_name(name).exists(&tx).await?);
    tx.rollback().await?;
    assert!(!Warehouse::find_by_name(name).exists(graph).await?);

    let tx = graph.begin().await?;
    warehouse.save(&tx).await?;
    tx.commit().await?;
    assert!(Warehouse::find_by_name(name).exists(graph).await?);

    // While one transaction has the node, another waits for it, here for a second at most.
    let holder = graph.begin().await?;
    warehouse.save(&holder).await?;
    let hasty = graph.with_timeout(Duration::from_secs(1)).begin().await?;
    let error = warehouse.save(&hasty).await.expect_err("the node is taken");
    println!("Gave up: {error}");
    drop(hasty); // rolls back
    holder.rollback().await?;
    Ok(())
}

async fn run(graph: Graph) -> Result<(), Error> {
    graph.apply_schema::<Warehouse>().await?;
    let [north, south] = ["North", "South"];

    graph
        .transaction(async |tx| {
            Warehouse::new(north, 10).save(&tx).await?;
            Warehouse::new(south, 0).save(&tx).await
        })
        .await?;

    // A unit of work is `Send`, so it runs in a task of its own, as in a web handler. Those below
    // meet at the same nodes; whichever deadlocks is run again.
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let graph = graph.clone();
            tokio::spawn(async move { carry(&graph, [north, south], 2).await })
        })
        .collect();
    for task in tasks {
        let left = task.await.expect("the task did not panic")?;
        println!("{left} boxes left in the north");
    }
    assert_eq!(boxes(&graph, [north, south]).await?, [2, 8]);

    // An error of the program's own rolls back what was written before it, and comes out as it was.
    let error = carry(&graph, [north, south], 3)
        .await
        .expect_err("2 are left");
    println!("Rolled back: {error}");
    let ErrorKind::Aborted(cause) = error.kind() else {
        return Err(error);
    };
    let TooFew { wanted, there } = cause.downcast_ref().expect("it is ours");
    assert_eq!((*wanted, *there), (3, 2));
    assert_eq!(boxes(&graph, [north, south]).await?, [2, 8]);

    explicit(&graph, "East").await?;

    // A handle with a limit, and with what the server's query log and SHOW TRANSACTIONS tell.
    let patient = graph
        .with_timeout(Duration::from_secs(20))
        .with_metadata("job", "stocktaking");
    carry(&patient, [south, north], 1).await?;

    // Bookmarks go to another process, which then sees what was written here.
    let sent: Vec<String> = patient
        .last_bookmarks()
        .raw_values()
        .map(str::to_owned)
        .collect();
    println!("{} bookmark(s) handed on", sent.len());
    let elsewhere = graph.with_bookmarks(Bookmarks::from_raw_values(sent));
    assert_eq!(boxes(&elsewhere, [north, south]).await?, [3, 7]);

    println!("Done.");
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    isolated(run).await
}
