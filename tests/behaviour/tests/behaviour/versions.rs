//! Optimistic locking.

use crate::common::{Backend, on_every_backend};
use neo_ogm::prelude::*;
use neo_ogm::{Error, ErrorKind};
use neo_test_support::Message;
use neo_test_support::proxy::{Action, Proxy, When};

on_every_backend!(
    a_write_of_what_has_changed_is_refused,
    a_deleted_node_does_not_come_back,
    a_node_without_a_version_is_taken_in,
    deleting_checks_the_version,
    a_rolled_back_unit_leaves_the_version,
    a_unit_that_runs_again_starts_from_the_old_version,
    a_lost_commit_is_one_version,
    racing_writers_lose_no_write,
    racing_writers_with_lost_commits_count_once,
);

#[derive(Node, Debug, Clone, PartialEq)]
#[node(label = "VersionedAccount")]
struct Account {
    #[node(key)]
    id: String,
    balance: i64,
    #[node(version)]
    version: Version,
}

async fn proxied(backend: &Backend) -> (Proxy, Graph) {
    let address = backend.address().await;
    let proxy = Proxy::start(&address).expect("the proxy starts");
    let graph = backend.graph_through(&proxy.uri()).await;
    (proxy, graph.expect("the way is free"))
}

#[track_caller]
fn conflict(error: &Error) -> (Option<i64>, Option<i64>) {
    match error.kind() {
        ErrorKind::VersionConflict {
            expected, found, ..
        } => (*expected, *found),
        _ => panic!("{error}"),
    }
}

async fn stored(graph: &Graph, id: &str) -> Option<(i64, i64)> {
    let found = Account::find_by_id(id).one(graph).await.unwrap()?;
    Some((found.balance, found.version.get().unwrap()))
}

async fn a_write_of_what_has_changed_is_refused(backend: Backend) {
    let graph = backend.graph().await;
    let mut first = Account::new(backend.key("conflict"), 1);
    assert_eq!(first.version.get(), None);
    graph.save(&first).await.unwrap();
    assert_eq!(first.version.get(), Some(1));
    let find = || Account::find_by_id(first.id.as_str());
    let mut second = find().one(&graph).await.unwrap().unwrap();
    first.balance = 2;
    graph.save(&first).await.unwrap();
    first.balance = 3;
    graph.update(&first).await.unwrap();
    assert_eq!(first.version.get(), Some(3));

    second.balance = 100;
    assert_eq!(
        conflict(&graph.save(&second).await.unwrap_err()),
        (Some(1), Some(3))
    );
    assert_eq!(
        conflict(&graph.update(&second).await.unwrap_err()),
        (Some(1), Some(3))
    );
    let stranger = Account::new(first.id.clone(), 100);
    let error = graph.save(&stranger).await.unwrap_err();
    assert_eq!(conflict(&error), (None, Some(3)));
    assert_eq!(
        error.to_string(),
        format!(
            "VersionedAccount {{id: {:?}}} was changed by somebody else: it was read as version \
             none (never saved), and the database has 3; read it again and repeat the change",
            first.id
        )
    );
    let error = graph.insert(&stranger).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::AlreadyExists { .. }),
        "{error}"
    );
    assert_eq!(stored(&graph, &first.id).await, Some((3, 3)));

    second.refresh(&graph).await.unwrap();
    second.balance += 1;
    graph.save(&second).await.unwrap();
    assert_eq!(stored(&graph, &first.id).await, Some((4, 4)));
    let by_version = find().filter(Account::VERSION.ge(4));
    assert!(by_version.exists(&graph).await.unwrap());
}

async fn a_deleted_node_does_not_come_back(backend: Backend) {
    let graph = backend.graph().await;
    let account = Account::new(backend.key("gone"), 1);
    graph.insert(&account).await.unwrap();
    assert_eq!(account.version.get(), Some(1));
    graph.delete(&account).await.unwrap();
    assert_eq!(
        conflict(&graph.save(&account).await.unwrap_err()),
        (Some(1), None)
    );
    let error = graph.update(&account).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::NodeNotFound { .. }),
        "{error}"
    );
    assert_eq!(stored(&graph, &account.id).await, None);
}

async fn a_node_without_a_version_is_taken_in(backend: Backend) {
    let graph = backend.graph().await;
    let id = backend.key("old");
    let make = "CREATE (:VersionedAccount {id: $id, balance: 5})";
    graph
        .cypher(make)
        .param("id", id.as_str())
        .execute(&graph)
        .await
        .unwrap();
    let mut found = Account::find_by_id(id.as_str())
        .one(&graph)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.version.get(), None);
    found.balance = 6;
    graph.save(&found).await.unwrap();
    assert_eq!(stored(&graph, &id).await, Some((6, 1)));
}

async fn deleting_checks_the_version(backend: Backend) {
    let graph = backend.graph().await;
    let account = Account::new(backend.key("delete"), 1);
    graph.save(&account).await.unwrap();
    let old = account.clone();
    graph.save(&account).await.unwrap();
    assert_eq!(
        conflict(&graph.delete(&old).await.unwrap_err()),
        (Some(1), Some(2))
    );
    graph.delete(&account).await.unwrap();
    graph.delete(&account).await.unwrap();
    assert_eq!(stored(&graph, &account.id).await, None);
}

async fn a_rolled_back_unit_leaves_the_version(backend: Backend) {
    let graph = backend.graph().await;
    let account = Account::new(backend.key("rollback"), 1);
    graph.save(&account).await.unwrap();
    let failed = graph
        .transaction(async |tx| {
            account.save(&tx).await?;
            account.save(&tx).await?;
            assert_eq!(account.version.get(), Some(3));
            Err::<(), _>(Error::abort("no"))
        })
        .await;
    assert!(failed.is_err());
    assert_eq!(account.version.get(), Some(1));
    graph.save(&account).await.unwrap();
    let unit = graph.transaction(async |tx| {
        account.save(&tx).await?;
        account.save(&tx).await
    });
    unit.await.unwrap();
    assert_eq!(account.version.get(), Some(4));
    assert_eq!(stored(&graph, &account.id).await, Some((1, 4)));

    // Dropped in the middle.
    let mut unit = Box::pin(graph.transaction(async |tx| {
        account.save(&tx).await?;
        std::future::pending::<Result<(), Error>>().await
    }));
    let timeout = std::time::Duration::from_millis(300);
    assert!(tokio::time::timeout(timeout, &mut unit).await.is_err());
    drop(unit);
    assert_eq!(account.version.get(), Some(4));
    graph.save(&account).await.unwrap();
    assert_eq!(account.version.get(), Some(5));
}

/// A cut before COMMIT means a second attempt, a cut after it does not.
async fn a_unit_that_runs_again_starts_from_the_old_version(backend: Backend) {
    let (proxy, graph) = proxied(&backend).await;
    for (round, (action, attempts)) in [(Action::CutBefore, 2), (Action::CutAfterAnswer, 1)]
        .into_iter()
        .enumerate()
    {
        let account = Account::new(backend.key(&format!("rerun{round}")), 1);
        graph.save(&account).await.unwrap();
        proxy.inject(Message::Commit, action, When::Next(1));
        let unit = graph.transaction(async |tx| {
            let before = account.version.get();
            account.save(&tx).await?;
            account.save(&tx).await?;
            Ok((tx.attempt(), before, account.version.get()))
        });
        let expected = (attempts, Some(1), Some(3));
        assert_eq!(unit.await.unwrap(), expected, "{action:?}");
        assert_eq!(account.version.get(), Some(3));
        assert_eq!(stored(&graph, &account.id).await, Some((1, 3)));
    }
}

async fn a_lost_commit_is_one_version(backend: Backend) {
    let (proxy, graph) = proxied(&backend).await;
    let cut = || proxy.inject(Message::Commit, Action::CutAfterAnswer, When::Next(1));
    let mut account = Account::new(backend.key("lost"), 0);
    for version in 1..=9 {
        account.balance = version;
        let fault = cut();
        match version % 3 {
            0 => graph.update(&account).await.unwrap(),
            1 => {
                let created = graph.create_or_update(&account).await.unwrap();
                assert_eq!(created, version == 1);
            }
            _ => graph.save(&account).await.unwrap(),
        }
        assert_eq!(proxy.fired(fault), 1);
        assert_eq!(account.version.get(), Some(version));
        assert_eq!(stored(&graph, &account.id).await, Some((version, version)));
    }
    let mut tracked = account.clone().tracked();
    tracked.balance = 100;
    cut();
    assert!(tracked.save_changes(&graph).await.unwrap());
    assert_eq!(stored(&graph, &account.id).await, Some((100, 10)));
    let fault = cut();
    graph.delete(&*tracked).await.unwrap();
    assert_eq!(proxy.fired(fault), 1);
    assert_eq!(stored(&graph, &account.id).await, None);
    let fault = cut();
    let (_, created) = Account::new(account.id.clone(), 1)
        .get_or_create(&graph)
        .await
        .unwrap();
    assert_eq!((proxy.fired(fault), created), (1, true));
}

/// A write whose answer is lost is known again also where others have written since.
async fn racing_writers_with_lost_commits_count_once(backend: Backend) {
    let (proxy, graph) = proxied(&backend).await;
    let account = Account::new(backend.key("lossy"), 0);
    graph.save(&account).await.unwrap();
    let fault = proxy.inject(Message::Commit, Action::CutAfterAnswer, When::Every(7));
    add_in_turns(&graph, &account.id).await;
    assert!(proxy.fired(fault) > 3);
    proxy.clear_faults();
    assert_eq!(stored(&graph, &account.id).await, Some((40, 41)));
}

async fn racing_writers_lose_no_write(backend: Backend) {
    let graph = backend.quick_graph().await;
    let account = Account::new(backend.key("race"), 0);
    graph.save(&account).await.unwrap();
    add_in_turns(&graph, &account.id).await;
    assert_eq!(stored(&graph, &account.id).await, Some((40, 41)));
}

/// Four writers add ten each, reading anew after each conflict.
async fn add_in_turns(graph: &Graph, id: &str) {
    let writers = (0..4).map(|_| {
        let (graph, id) = (graph.clone(), id.to_owned());
        tokio::spawn(async move {
            let mut conflicts = 0;
            for _ in 0..10 {
                loop {
                    let mut mine = Account::find_by_id(id.as_str())
                        .one(&graph)
                        .await
                        .unwrap()
                        .unwrap();
                    mine.balance += 1;
                    match graph.save(&mine).await {
                        Ok(()) => break,
                        Err(error) => {
                            let (expected, found) = conflict(&error);
                            assert!(found > expected);
                            conflicts += 1;
                        }
                    }
                }
            }
            conflicts
        })
    });
    let writers: Vec<_> = writers.collect();
    for writer in writers {
        writer.await.unwrap();
    }
}
