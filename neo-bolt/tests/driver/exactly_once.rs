//! Lost commits: what receipts decide, and what plain writes do instead.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use neo_bolt::value::{Map, Value};
use neo_bolt::{CommitOutcome, Error, ReceiptStatement, TransactionConfig, params};
use tokio::time::timeout;

use crate::peer::{BEGIN, COMMIT, PULL, Peer, RESET, RUN, Request, Server};

const LONG: Duration = Duration::from_secs(20);

/// What becomes of a COMMIT.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Answered,
    /// It takes effect, and the connection is lost before the answer.
    LostAfter,
    /// The connection is lost before it takes effect.
    LostBefore,
    /// As `LostAfter`; every result of the transaction is lost as well.
    AllLostAfter,
}

/// A database that only knows receipts, and counts the writes that were committed.
#[derive(Debug, Default)]
struct Database {
    has_constraint: bool,
    /// The unit of each slot.
    receipts: HashMap<String, String>,
    /// The epoch of each slot.
    epochs: HashMap<String, i64>,
    writes: usize,
    claims: usize,
    checks: usize,
    /// The next commit of a transaction without writes is lost.
    loses_reads: bool,
    /// What becomes of the next commits; those of claims and checks do not count.
    fates: Vec<Fate>,
}

type Shared = Arc<Mutex<Database>>;

fn database(fates: &[Fate]) -> (Shared, Arc<Server>) {
    let database = Database {
        has_constraint: true,
        fates: fates.to_vec(),
        ..Database::default()
    };
    let shared = Shared::new(Mutex::new(database));
    let database = Arc::clone(&shared);
    let server = Server::new(move |mut peer| {
        let database = Arc::clone(&database);
        async move {
            peer.log_in().await;
            serve(&mut peer, &database).await;
        }
    });
    (shared, server)
}

fn text(map: &Map, key: &str) -> String {
    match map.get(key) {
        Some(Value::String(text)) => text.clone(),
        other => panic!("{other:?} under {key}"),
    }
}

fn number(map: &Map, key: &str) -> i64 {
    match map.get(key) {
        Some(Value::Integer(number)) => *number,
        other => panic!("{other:?} under {key}"),
    }
}

/// Plays the server until the connection is lost.
async fn serve(peer: &mut Peer, shared: &Shared) {
    let mut writes = 0;
    let mut receipt = None;
    let mut answers: Vec<(Map, Vec<Vec<Value>>, Map)> = Vec::new();
    while let Some(request) = peer.receive().await {
        match request.tag {
            BEGIN | RESET => {
                (writes, receipt) = (0, None);
                peer.success(Map::new()).await;
            }
            RUN => {
                let statement = request.text().to_owned();
                let Some(Value::Map(parameters)) = request.fields.get(1) else {
                    panic!("no parameters")
                };
                let (columns, rows, kind) = run(&statement, parameters, shared);
                receipt = stored_by(&request).or(receipt);
                writes += usize::from(statement.starts_with("WRITE"));
                let fate = shared.lock().unwrap().fates.first().copied();
                if fate == Some(Fate::AllLostAfter) && writes > 0 {
                    // COMMIT is on its way already.
                    while let Some(request) = peer.receive().await
                        && request.tag != COMMIT
                    {
                        receipt = stored_by(&request).or(receipt);
                    }
                    commit(shared, writes, receipt.take());
                    return;
                }
                peer.success(params! { "fields" => columns }).await;
                answers.push((Map::new(), rows, params! { "type" => kind }));
            }
            PULL => {
                let (_, rows, end) = answers.remove(0);
                for row in rows {
                    peer.record(row).await;
                }
                peer.success(end).await;
            }
            COMMIT => {
                let fate = match writes {
                    0 => Fate::Answered,
                    _ => match shared.lock().unwrap().fates.first() {
                        Some(fate) => *fate,
                        None => Fate::Answered,
                    },
                };
                if std::mem::take(&mut shared.lock().unwrap().loses_reads) && writes == 0 {
                    return;
                }
                if fate == Fate::LostBefore {
                    shared.lock().unwrap().fates.remove(0);
                    return;
                }
                if writes > 0 {
                    commit(shared, writes, receipt.take());
                }
                if fate == Fate::LostAfter {
                    return;
                }
                peer.success(params! { "bookmark" => "b" }).await;
            }
            _ => peer.success(Map::new()).await,
        }
    }
}

/// The receipt that a request stores.
fn stored_by(request: &Request) -> Option<(String, i64, String)> {
    let Some(Value::Map(parameters)) = request.fields.get(1) else {
        return None;
    };
    match parameters.get("_receipt") {
        Some(Value::Map(map)) if request.text().contains("MERGE (_r:_NeoOgmReceipt") => {
            Some((text(map, "id"), number(map, "epoch"), text(map, "unit")))
        }
        _ => None,
    }
}

fn commit(shared: &Shared, writes: usize, receipt: Option<(String, i64, String)>) {
    let mut database = shared.lock().unwrap();
    if !database.fates.is_empty() {
        database.fates.remove(0);
    }
    database.writes += writes;
    if let Some((id, of_slot, unit)) = receipt {
        let epoch = database.epochs.get(&id).copied().unwrap_or_default();
        assert_eq!(of_slot, epoch, "a transaction of an earlier epoch");
        database.receipts.insert(id, unit);
    }
}

fn run(
    statement: &str,
    parameters: &Map,
    shared: &Shared,
) -> (Vec<&'static str>, Vec<Vec<Value>>, &'static str) {
    let mut database = shared.lock().unwrap();
    if statement.starts_with("SHOW CONSTRAINTS") {
        database.checks += 1;
        let labels = Value::List(vec!["_NeoOgmReceipt".into()]);
        let properties = Value::List(vec!["id".into()]);
        let row = vec!["r".into(), "UNIQUENESS".into(), labels, properties];
        let rows = if database.has_constraint {
            vec![row]
        } else {
            vec![]
        };
        return (
            vec!["name", "type", "labelsOrTypes", "properties"],
            rows,
            "r",
        );
    }
    if statement.starts_with("MERGE (r:_NeoOgmReceipt") {
        database.claims += 1;
        let id = text(parameters, "id");
        let committed = database.receipts.get(&id) == Some(&text(parameters, "unit"));
        let epoch = database.epochs.entry(id).or_default();
        *epoch = (*epoch).max(number(parameters, "epoch") + 1);
        return (vec!["committed"], vec![vec![committed.into()]], "rw");
    }
    if statement.starts_with("MATCH (r:_NeoOgmReceipt") {
        return (vec!["n"], vec![vec![7.into()]], "r");
    }
    match statement.starts_with("READ") {
        true => (vec!["n"], vec![vec![1.into()]], "r"),
        false => (vec!["n"], vec![vec![7.into()]], "w"),
    }
}

fn exactly_once() -> TransactionConfig {
    TransactionConfig::default().exactly_once(true)
}

#[tokio::test]
async fn returns_the_first_result_of_a_commit_that_was_lost() {
    let (database, server) = database(&[Fate::LostAfter, Fate::Answered, Fate::LostBefore]);
    let driver = server.driver();
    let mut session = driver.session(Default::default());
    for (attempts, writes) in [(1, 1), (1, 2), (2, 3)] {
        let worked = session.execute_write_with(exactly_once(), async |tx| {
            tx.execute("READ", ()).await?;
            tx.execute("WRITE", ()).await?;
            Ok::<_, Error>(tx.attempt())
        });
        assert_eq!(timeout(LONG, worked).await.unwrap().unwrap(), attempts);
        assert_eq!(database.lock().unwrap().writes, writes);
    }
    let database = database.lock().unwrap();
    assert_eq!((database.claims, database.receipts.len()), (2, 1));
}

#[tokio::test]
async fn decides_single_queries_with_a_statement_of_its_own() {
    let (database, server) = database(&[Fate::LostBefore, Fate::LostAfter]);
    let driver = server.driver();
    let query = driver.execute_query("WRITE", ()).exactly_once(true);
    let result = timeout(LONG, query).await.unwrap().unwrap();
    assert_eq!(result.records[0].get_at::<i64>(0).unwrap(), 7);
    assert!(!result.is_recovered() && !result.follows_lost_commit());
    let database = database.lock().unwrap();
    assert_eq!((database.writes, database.claims), (1, 2));
}

#[tokio::test]
async fn recovers_the_columns_that_a_statement_stored() {
    for fate in [Fate::AllLostAfter, Fate::LostAfter] {
        let (database, server) = database(&[fate]);
        let driver = server.driver();
        let query = driver
            .execute_query("WRITE", params! { "a" => 1 })
            .stores_receipt("WRITE MERGE (_r:_NeoOgmReceipt", ["n"]);
        let result = timeout(LONG, query).await.unwrap().unwrap();
        assert!(result.is_recovered());
        assert_eq!(result.records[0].get::<i64>("n").unwrap(), 7);
        assert_eq!(database.lock().unwrap().writes, 1);
    }
}

#[tokio::test]
async fn a_pipelined_commit_may_lose_its_result_and_nothing_else() {
    let (database, server) = database(&[Fate::LostBefore, Fate::AllLostAfter, Fate::Answered]);
    let driver = server.driver();
    let query = || {
        let query = driver.execute_query("WRITE", ()).exactly_once(true);
        query.pipelined_commit(true)
    };
    let error = timeout(LONG, query()).await.unwrap().unwrap_err();
    assert_eq!(error.commit_outcome(), CommitOutcome::Committed, "{error}");
    assert_eq!(database.lock().unwrap().writes, 1);
    let result = timeout(LONG, query()).await.unwrap().unwrap();
    assert_eq!(result.records.len(), 1);
    let bookmarks = driver.bookmark_manager().bookmarks();
    assert_eq!(bookmarks.raw_values().collect::<Vec<_>>(), ["b"]);
}

#[tokio::test]
async fn an_explicit_commit_tells_what_became_of_it() {
    let (_, server) = database(&[Fate::LostAfter, Fate::LostBefore]);
    let driver = server.driver();
    let mut session = driver.session(Default::default());
    let tx = session
        .begin_transaction_with(exactly_once())
        .await
        .unwrap();
    tx.execute("WRITE", ()).await.unwrap();
    tx.commit().await.unwrap();
    let tx = session
        .begin_transaction_with(exactly_once())
        .await
        .unwrap();
    tx.execute("WRITE", ()).await.unwrap();
    let error = tx.commit().await.unwrap_err();
    assert_eq!(error.commit_outcome(), CommitOutcome::NotSent, "{error}");
    assert!(error.is_retryable());
}

#[tokio::test]
async fn says_what_is_missing_without_the_constraint() {
    let (shared, server) = database(&[Fate::LostAfter, Fate::LostAfter, Fate::Answered]);
    shared.lock().unwrap().has_constraint = false;
    let driver = server.driver();
    assert!(!driver.has_receipt_constraint(None).await.unwrap());
    let query = driver.execute_query("WRITE", ()).exactly_once(true);
    let error = timeout(LONG, query).await.unwrap().unwrap_err();
    assert_eq!(error.commit_outcome(), CommitOutcome::Unknown, "{error}");
    assert!(error.lacks_receipt_constraint());
    assert!(
        error.to_string().contains("create_receipt_constraint"),
        "{error}"
    );
    let mut session = driver.session(Default::default());
    let worked = session.execute_write_with(exactly_once(), async |tx| {
        tx.execute("WRITE", ()).await.map(drop)
    });
    let error = timeout(LONG, worked).await.unwrap().unwrap_err();
    assert!(error.lacks_receipt_constraint(), "{error}");
    let checks = shared.lock().unwrap().checks;
    driver
        .execute_query("WRITE", ())
        .exactly_once(true)
        .await
        .unwrap();
    assert_eq!(
        shared.lock().unwrap().checks,
        checks,
        "the answer is remembered"
    );
    assert_eq!(shared.lock().unwrap().receipts.len(), 0);
}

#[tokio::test]
async fn transactions_that_only_read_leave_no_receipt() {
    let (database, server) = database(&[]);
    let driver = server.driver();
    let mut session = driver.session(Default::default());
    let worked = session.execute_write_with(exactly_once(), async |tx| {
        tx.execute("READ", ()).await.map(drop)
    });
    worked.await.unwrap();
    assert!(database.lock().unwrap().receipts.is_empty());
    // So there is nothing to decide, either.
    database.lock().unwrap().loses_reads = true;
    let worked = session.execute_write_with(exactly_once(), async |tx| {
        tx.execute("READ", ()).await?;
        Ok::<_, Error>(tx.attempt())
    });
    assert_eq!(timeout(LONG, worked).await.unwrap().unwrap(), 1);
    database.lock().unwrap().loses_reads = true;
    let query = driver.execute_query("READ", ()).exactly_once(true);
    assert_eq!(
        timeout(LONG, query).await.unwrap().unwrap().records.len(),
        1
    );
    assert_eq!(database.lock().unwrap().claims, 0);
}

#[tokio::test]
async fn writers_after_each_other_share_a_slot_and_concurrent_ones_do_not() {
    let (database, server) = database(&[]);
    let driver = server.driver();
    for _ in 0..10 {
        driver
            .execute_query("WRITE", ())
            .exactly_once(true)
            .await
            .unwrap();
    }
    assert_eq!(database.lock().unwrap().receipts.len(), 1);
    let write = || driver.execute_query("WRITE", ()).exactly_once(true);
    let (one, two, three) = tokio::join!(write(), write(), write());
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
    assert!(database.lock().unwrap().receipts.len() <= 3);
    assert_eq!(database.lock().unwrap().writes, 13);
}

/// COMMIT does not leave before a plain write has succeeded, so a connection that is lost meanwhile
/// leaves no doubt.
#[tokio::test]
async fn retries_a_plain_write_whose_connection_is_lost_while_it_runs() {
    let server = Server::new(|mut peer| async move {
        peer.log_in().await;
        if peer.number > 0 {
            return peer.serve().await;
        }
        for tag in [BEGIN, RUN, PULL] {
            peer.expect(tag).await;
        }
    });
    let driver = server.driver();
    let result = timeout(LONG, driver.execute_query("1", ())).await.unwrap();
    assert_eq!(result.unwrap().records.len(), 1);
    assert_eq!(server.requests(0), [BEGIN, RUN, PULL]);
    assert_eq!(server.opened(), 2);
}

#[test]
fn statements_store_their_receipt_with_the_first_columns() {
    let mut text = String::from("MATCH (n) SET n.a = 1");
    ReceiptStatement::append(&mut text, &[], 0);
    assert_eq!(
        text,
        "MATCH (n) SET n.a = 1 WITH count(*) AS _rows MERGE (_r:_NeoOgmReceipt {id: $_receipt.id}) \
         ON CREATE SET _r.epoch = $_receipt.epoch SET _r.unit = $_receipt.unit \
         SET _r.guard = CASE WHEN _r.epoch > $_receipt.epoch THEN 1 / 0 ELSE null END"
    );
    let mut text = String::from("MATCH (n) SET n.a = 1");
    let columns = [("n.b".to_owned(), "b"), ("n".to_owned(), "n")];
    ReceiptStatement::append(&mut text, &columns, 1);
    assert!(
        text.starts_with(
            "MATCH (n) SET n.a = 1 WITH n.b AS b, n AS n WITH collect([b, n]) AS _rows"
        )
    );
    assert!(text.ends_with(
        " SET _r.rows = size(_rows), _r.c0 = [_row IN _rows WHERE _row[0] IS NOT NULL | _row[0]] \
         WITH _rows UNWIND _rows AS _row RETURN _row[0] AS b, _row[1] AS n"
    ));
}
