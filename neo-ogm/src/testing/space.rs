//! A label space of one's own on a shared server, and its end.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use neo_bolt::AccessMode;
use uuid::Uuid;

use crate::error::Error;
use crate::executor::{Graph, Target};
use crate::query::escape;
use crate::schema;

/// What all label spaces begin with; behind it come a UUID v7 and an underscore.
const FAMILY: &str = "NeoOgmTest_";

/// How many nodes are deleted in one transaction.
const BATCH: u32 = 10_000;

/// A label space of its own on a shared database.
///
/// ```
/// use neo_ogm::prelude::*;
/// use neo_ogm::testing::Space;
///
/// #[derive(Node)]
/// struct Book {
///     #[node(key)]
///     isbn: String,
/// }
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), neo_ogm::Error> {
/// # let server = Graph::in_memory().await?;
/// let (one, two) = (Space::new(&server), Space::new(&server));
/// Book::new("1").save(one.graph()).await?;
/// assert!(!Book::find_by_isbn("1").exists(two.graph()).await?);
/// one.close().await?;
/// two.close().await?;
/// # Ok(())
/// # }
/// ```
///
/// What it holds for is told [here](crate::testing). Nothing is sent before it is used. It has to
/// be [closed](Self::close), since deleting what is in it takes the time of the server; what was
/// not is found by [`sweep`].
#[derive(Debug)]
#[must_use = "it does nothing by itself"]
pub struct Space {
    graph: Graph,
}

impl Space {
    /// A new, empty label space in the database of `graph`.
    pub fn new(graph: &Graph) -> Self {
        let prefix = format!("{FAMILY}{}_", Uuid::now_v7().simple());
        Self {
            graph: graph.with_label_prefix(&prefix),
        }
    }

    /// The handle whose labels and relationship types are in the space.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// What labels and relationship types of the space begin with in the database.
    pub fn prefix(&self) -> &str {
        self.graph.label_prefix().unwrap_or_default()
    }

    /// Deletes the nodes of the space, and its constraints and indexes.
    ///
    /// # Errors
    /// The database could not be reached; it may be closed again by [`sweep`].
    pub async fn close(self) -> Result<(), Error> {
        empty(&self.graph, self.prefix()).await
    }
}

/// Deletes all nodes whose labels begin with `prefix`, and the constraints and indexes there.
async fn empty(graph: &Graph, prefix: &str) -> Result<(), Error> {
    let graph = graph.with_label_prefix(prefix);
    schema::clear(&graph).await?;
    let labels = labels(&graph, prefix).await?;
    // The statement names what the database has.
    let target = Target::Graph(graph.without_label_prefix());
    for label in labels {
        let text = format!(
            "MATCH (n:{}) WITH n LIMIT {BATCH} DETACH DELETE n RETURN count(*) AS deleted",
            escape(&label)
        );
        loop {
            let done = target
                .execute(AccessMode::Write, text.as_str().into(), ())
                .await?;
            let deleted: i64 = match done.records.first() {
                Some(record) => record.get_at(0)?,
                None => 0,
            };
            if deleted < i64::from(BATCH) {
                break;
            }
        }
    }
    Ok(())
}

/// The labels in the database that begin with `prefix`.
async fn labels(graph: &Graph, prefix: &str) -> Result<Vec<String>, Error> {
    let text = if graph.is_embedded() {
        "MATCH (n) UNWIND labels(n) AS label WITH DISTINCT label \
         WHERE label STARTS WITH $prefix RETURN label"
    } else {
        "CALL db.labels() YIELD label WHERE label STARTS WITH $prefix RETURN label"
    };
    let parameters = neo_bolt::params! { "prefix" => prefix };
    let target = Target::Graph(graph.clone());
    let found = target
        .execute(AccessMode::Read, text.into(), parameters)
        .await?;
    let labels = found.records.iter().map(|record| record.get_at(0));
    Ok(labels.collect::<Result<_, _>>()?)
}

/// Runs `test` in a label space of its own, and deletes what is in it afterwards, also when the
/// test panics.
///
/// ```
/// use neo_ogm::prelude::*;
///
/// #[derive(Node)]
/// struct Book {
///     #[node(key)]
///     isbn: String,
/// }
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), neo_ogm::Error> {
/// # let server = Graph::in_memory().await?;
/// let count = neo_ogm::testing::isolated(&server, async |graph| {
///     Book::new("1").save(&graph).await?;
///     Book::find().count(&graph).await
/// })
/// .await??;
/// assert_eq!(count, 1);
/// assert_eq!(Book::find().count(&server).await?, 0);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// What is in the space could not be deleted.
///
/// # Cancel safety
/// Dropping the future leaves the space's nodes behind; [`sweep`] finds them.
pub async fn isolated<T, F, Fut>(graph: &Graph, test: F) -> Result<T, Error>
where
    F: FnOnce(Graph) -> Fut,
    Fut: Future<Output = T>,
{
    let space = Space::new(graph);
    let done = caught(test(space.graph().clone())).await;
    let closed = space.close().await;
    match done {
        Ok(value) => closed.map(|()| value),
        Err(panic) => {
            if let Err(error) = closed {
                eprintln!("what the test left behind could not be deleted: {error}");
            }
            resume_unwind(panic)
        }
    }
}

/// Awaits a future, and catches its panic.
pub(super) async fn caught<T>(
    work: impl Future<Output = T>,
) -> Result<T, Box<dyn std::any::Any + Send>> {
    let mut work = pin!(work);
    std::future::poll_fn(|cx| {
        // The future is not polled again behind a panic.
        match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    })
    .await
}

/// Deletes what label spaces have left behind that are older than `age`, as those of tests that
/// were killed. It gives how many there were.
///
/// # Errors
/// The database refused, or could not be reached.
pub async fn sweep(graph: &Graph, age: Duration) -> Result<usize, Error> {
    let mut prefixes: Vec<String> = labels(graph, FAMILY).await?;
    prefixes.extend(schema::labels_or_types(graph).await?);
    let mut prefixes: Vec<&str> = prefixes.iter().filter_map(|name| old(name, age)).collect();
    prefixes.sort_unstable();
    prefixes.dedup();
    let mut swept = 0;
    for prefix in prefixes {
        if !empty_already(graph, prefix).await? {
            empty(graph, prefix).await?;
            swept += 1;
        }
    }
    Ok(swept)
}

/// The label space that a label belongs to, if it is older than `age`.
fn old(name: &str, age: Duration) -> Option<&str> {
    let rest = name.strip_prefix(FAMILY)?;
    let (id, _) = rest.split_once('_')?;
    let (seconds, _) = Uuid::try_parse(id).ok()?.get_timestamp()?.to_unix();
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .ok()?;
    (Duration::from_secs(seconds) + age <= now).then(|| &name[..FAMILY.len() + id.len() + 1])
}

/// Whether nothing is there but names that Neo4j does not forget.
async fn empty_already(graph: &Graph, prefix: &str) -> Result<bool, Error> {
    let space = graph.with_label_prefix(prefix);
    if !schema::labels_or_types(&space).await?.is_empty() {
        return Ok(false);
    }
    let target = Target::Graph(graph.without_label_prefix());
    for label in labels(graph, prefix).await? {
        let text = format!("MATCH (n:{}) RETURN 1 LIMIT 1", escape(&label));
        let found = target.execute(AccessMode::Read, text.into(), ()).await?;
        if !found.records.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_old_spaces_are_swept() {
        let name = format!("{FAMILY}{}_Book_Shelf", Uuid::now_v7().simple());
        assert_eq!(old(&name, Duration::from_secs(60)), None);
        let prefix = name.strip_suffix("Book_Shelf");
        assert_eq!(old(&name, Duration::ZERO), prefix);
        for other in ["Book", "NeoOgmTest_", "NeoOgmTest_x_Book"] {
            assert_eq!(old(other, Duration::ZERO), None, "{other}");
        }
    }
}
