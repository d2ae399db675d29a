//! What the guarantee needs of the database, and what it leaves there.

use super::{Account, Setup, Since, Versioned};
use crate::common::{Backend, on_every_backend};
use neo_ogm::Error;
use neo_ogm::neo_bolt::CommitOutcome;
use neo_ogm::prelude::*;
use neo_test_support::Message;
use neo_test_support::proxy::{Action, Proxy, When};

on_every_backend!(leaves_no_property_on_nodes, keeps_few_receipts);

/// Nodes and relationships of these ids with their properties that are the mapper's own.
const OURS: &str = "MATCH (n) WHERE (n:OnceAccount OR n:OnceVersioned) AND n.id STARTS WITH $prefix \
                    OPTIONAL MATCH (n)-[r]->() \
                    WITH keys(n) + coalesce(keys(r), []) AS keys UNWIND keys AS key \
                    WITH DISTINCT key WHERE key STARTS WITH '_neo_ogm' RETURN key";

async fn leaves_no_property_on_nodes(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let graph = &setup.graph;
    let check = async |what: &str| {
        let query = setup.direct.cypher(OURS).param("prefix", backend.key(""));
        let ours: Vec<String> = query.read_only().fetch(&setup.direct).await.unwrap();
        assert!(ours.is_empty(), "{what} leaves {ours:?}");
    };
    let saved = Account::new(backend.key("saved"), 1);
    saved.save(graph).await.unwrap();
    check("save").await;
    let inserted = Account::new(backend.key("inserted"), 1);
    setup.lose_answer(inserted.insert(graph)).await.unwrap();
    check("insert").await;
    let mut versioned = Versioned::new(backend.key("versioned"), 1);
    versioned.insert(graph).await.unwrap();
    check("insert with a version").await;
    versioned.balance = 2;
    setup.lose_answer(versioned.save(graph)).await.unwrap();
    versioned.update(graph).await.unwrap();
    check("save with a version").await;
    let find = || Versioned::find_by_id(versioned.id.as_str());
    let computed = find().update(graph);
    let computed = computed.set(Versioned::BALANCE, Versioned::BALANCE + 1);
    assert_eq!(computed.await.unwrap(), 1);
    check("update that counts").await;
    let set = find().update(graph).set(Versioned::BALANCE, 3);
    assert_eq!(setup.lose_answer(set).await.unwrap(), 1);
    check("update by finder").await;
    let mut tracked = find().get(graph).await.unwrap().tracked();
    tracked.balance = 4;
    assert!(tracked.save_changes(graph).await.unwrap());
    check("save_changes").await;
    let other = Versioned::new(backend.key("other"), 1);
    assert!(other.get_or_create(graph).await.unwrap().1);
    check("get_or_create").await;
    let another = Versioned::new(backend.key("another"), 1);
    assert!(another.create_or_update(graph).await.unwrap());
    check("create_or_update").await;
    let many: Vec<_> = (0..3)
        .map(|n| Versioned::new(backend.key(&format!("many{n}")), n))
        .collect();
    setup.lose_answer(graph.insert_all(&many)).await.unwrap();
    graph.save_all(&many).await.unwrap();
    graph.update_all(&many).await.unwrap();
    check("bulk operations").await;
    let connect = saved.friends.connect(&inserted);
    connect.properties(Since { year: 1 }).await.unwrap();
    saved.parent.replace(&inserted).await.unwrap();
    check("relationships").await;
    let unit = graph.transaction(async |tx| {
        let mut account = Account::find_by_id(saved.id.as_str())
            .lock()
            .get(&tx)
            .await?;
        account.balance += 1;
        account.save(&tx).await?;
        Account::new(backend.key("in a unit"), 1).insert(&tx).await
    });
    setup.lose_answer(unit).await.unwrap();
    check("a unit that locks").await;
    let tx = graph.begin().await.unwrap();
    let explicit = Versioned::new(backend.key("explicit"), 1);
    explicit.insert(&tx).await.unwrap();
    tx.commit().await.unwrap();
    check("an explicit transaction").await;
}

/// Receipts of one handle do not grow with its writes, nor with its lost answers.
async fn keeps_few_receipts(backend: Backend) {
    if !backend.is_embedded() {
        // Other tests write to the same server.
        return;
    }
    let setup = Setup::new(&backend).await;
    let receipts = async || {
        let count = "MATCH (n:_NeoOgmReceipt) RETURN count(n)";
        let count = setup.direct.cypher(count).read_only();
        count.get::<i64>(&setup.direct).await.unwrap()
    };
    let account = setup.account(backend.key("account")).await;
    for round in 0..200 {
        if round % 10 == 0 {
            setup.lose_answer(account.save(&setup.graph)).await.unwrap();
        } else {
            account.save(&setup.graph).await.unwrap();
        }
    }
    let after = receipts().await;
    assert!(after <= 20, "{after} receipts");
    let writers = (0..10).map(|n| {
        let (graph, id) = (setup.graph.clone(), backend.key(&format!("writer{n}")));
        tokio::spawn(async move {
            for balance in 0..20 {
                Account::new(id.as_str(), balance).save(&graph).await?;
            }
            Ok::<_, Error>(())
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap().unwrap();
    }
    let after = receipts().await;
    assert!(after <= 30, "{after} receipts");
}

/// A database without the constraint: an engine to which no schema was applied.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_apply_schema_if_the_constraint_is_missing() {
    let engine = Graph::in_memory().await.unwrap();
    let serving = engine.serve("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::start(&serving.local_addr().to_string()).unwrap();
    let graph = Graph::builder(&proxy.uri()).auth(Auth::none());
    let graph = graph.connect().await.unwrap();
    let cut = || {
        let cut = Action::CutAfterAnswer;
        proxy.inject(Message::Commit, cut, When::Next(1))
    };
    let account = Account::new("account", 1);
    account.save(&graph).await.unwrap();
    let raw = graph.cypher("MATCH (n:OnceAccount) SET n.balance = n.balance + 1");
    let mut errors = Vec::new();
    cut();
    errors.push(("save", account.save(&graph).await.unwrap_err()));
    cut();
    errors.push(("update", account.update(&graph).await.unwrap_err()));
    cut();
    let unit = graph.transaction(async |tx| account.save(&tx).await);
    errors.push(("unit", unit.await.unwrap_err()));
    cut();
    errors.push(("raw Cypher", raw.clone().execute(&graph).await.unwrap_err()));
    let tx = graph.begin().await.unwrap();
    account.save(&tx).await.unwrap();
    cut();
    errors.push(("explicit", tx.commit().await.unwrap_err()));
    cut();
    errors.push(("delete", account.delete(&graph).await.unwrap_err()));
    for (what, error) in &errors {
        assert_eq!(
            error.commit_outcome(),
            CommitOutcome::Unknown,
            "{what}: {error}"
        );
        assert!(
            error.to_string().contains("apply_schema"),
            "{what}: {error}"
        );
    }
    // Each of them took effect, and none twice.
    let all = Account::find().count(&engine).await.unwrap();
    assert_eq!(all, 0);
    // With the constraint the same handle has the guarantee.
    graph.apply_schema::<Account>().await.unwrap();
    cut();
    account.save(&graph).await.unwrap();
    cut();
    raw.execute(&graph).await.unwrap();
    let balance = Account::find_by_id("account").get(&engine).await.unwrap();
    assert_eq!(balance.balance, 2);
}
