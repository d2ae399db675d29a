//! What the guarantee needs of the database, and what it leaves there.

use std::time::Duration;

use super::{Account, Setup, Since, Versioned};
use crate::common::{Backend, on_every_backend};
use neo_ogm::Error;
use neo_ogm::neo_bolt::{CommitOutcome, ReceiptStatement, params};
use neo_ogm::prelude::*;
use neo_test_support::Message;
use neo_test_support::proxy::{Action, Proxy, When};

on_every_backend!(
    leaves_no_property_on_nodes,
    keeps_few_receipts,
    ends_a_transaction_whose_client_is_gone,
    refuses_an_original_that_arrives_after_its_claim,
    reports_unknown_without_receipts,
    a_claim_that_arrives_late_leaves_later_transactions_alone,
    recovers_a_result_of_nothing_but_null,
);

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

/// The server goes on with a transaction whose connection it believes in, and which holds the lock
/// that the claim waits for.
async fn ends_a_transaction_whose_client_is_gone(backend: Backend) {
    if backend.is_embedded() {
        // It has no commands for the transactions of others.
        return;
    }
    let setup = Setup::new(&backend).await;
    let account = setup.account(backend.key("account")).await;
    let fault = setup
        .proxy
        .inject(Message::Commit, Action::HangBefore, When::Next(1));
    let unit = setup.graph.transaction(async |tx| {
        let mut found = Account::find_by_id(account.id.as_str()).get(&tx).await?;
        found.balance += 10;
        found.save(&tx).await?;
        Ok(tx.attempt())
    });
    let lose = async {
        while setup.proxy.fired(fault) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        setup.proxy.lose_clients();
    };
    let (attempts, ()) = tokio::join!(unit, lose);
    assert_eq!(attempts.unwrap(), 2);
    assert_eq!(setup.balances(&account.id).await, [110]);
}

/// As when its requests were on their way for long: the receipt of the original is stored under the
/// lock of the claim, or after it.
async fn refuses_an_original_that_arrives_after_its_claim(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let driver = setup.direct.driver();
    let mut store = String::from("MATCH (n:OnceAccount {id: $key}) SET n.balance = 7");
    ReceiptStatement::append(&mut store, &[], 0);
    let account = setup.account(backend.key("account")).await;
    let id = backend.key("slot");
    let receipt = params! { "id" => id.as_str(), "epoch" => 0, "unit" => "original" };
    let of_original = params! { "key" => account.id.as_str(), "_receipt" => receipt };
    let claim = "MERGE (r:_NeoOgmReceipt {id: $id}) SET r.guard = true \
                 WITH r, coalesce(r.unit = $unit, false) AS committed \
                 SET r.guard = null, \
                 r.epoch = CASE WHEN r.epoch > $epoch THEN r.epoch ELSE $epoch + 1 END \
                 RETURN committed";
    let of_claim = params! { "id" => id.as_str(), "epoch" => 0, "unit" => "original" };
    let mut session = driver.session(Default::default());
    let claiming = session.begin_transaction().await.unwrap();
    let claimed = claiming.execute(claim, of_claim).await.unwrap();
    assert!(!claimed.records[0].get_at::<bool>(0).unwrap());
    // It waits for the lock of the claim, or for the claim to end.
    let late = tokio::spawn({
        let (driver, store, of_original) = (driver.clone(), store.clone(), of_original.clone());
        async move { driver.execute_query(store, of_original).await }
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    claiming.commit().await.unwrap();
    assert!(late.await.unwrap().is_err());
    driver.execute_query(store, of_original).await.unwrap_err();
    assert_eq!(setup.balances(&account.id).await, [100]);
    let delete = "MATCH (r:_NeoOgmReceipt {id: $id}) DELETE r";
    let of_slot = params! { "id" => id.as_str() };
    driver.execute_query(delete, of_slot).await.unwrap();
}

async fn reports_unknown_without_receipts(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let graph = backend.graph_without_receipts(&setup.proxy.uri()).await;
    let account = Account::new(backend.key("account"), 1);
    account.save(&graph).await.unwrap();
    let cut = Action::CutAfterAnswer;
    setup.proxy.inject(Message::Commit, cut, When::Next(1));
    let error = account.save(&graph).await.unwrap_err();
    assert_eq!(error.commit_outcome(), CommitOutcome::Unknown, "{error}");
    assert!(!error.to_string().contains("apply_schema"), "{error}");
    let create = graph.cypher("MATCH (n:OnceAccount {id: $id}) SET n.balance = n.balance + 1");
    let create = create.param("id", account.id.as_str());
    setup.proxy.inject(Message::Commit, cut, When::Next(1));
    let error = create.execute(&graph).await.unwrap_err();
    assert_eq!(error.commit_outcome(), CommitOutcome::Unknown, "{error}");
    assert_eq!(setup.balances(&account.id).await, [2]);
}

/// The connection of a claim may be lost while its requests are on their way, so it is carried out
/// when another claim has been answered and the slot is used again.
async fn a_claim_that_arrives_late_leaves_later_transactions_alone(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let account = setup.account(backend.key("account")).await;
    let driver = setup.direct.driver();
    let mut store = String::from("MATCH (n:OnceAccount {id: $key}) SET n.balance = n.balance + 1");
    ReceiptStatement::append(&mut store, &[], 0);
    let id = backend.key("slot");
    let write = async |epoch: i64, unit: &str| {
        let receipt = params! { "id" => id.as_str(), "epoch" => epoch, "unit" => unit };
        let parameters = params! { "key" => account.id.as_str(), "_receipt" => receipt };
        driver.execute_query(store.as_str(), parameters).await
    };
    let claim = async |epoch: i64, unit: &str| {
        let claim = "MERGE (r:_NeoOgmReceipt {id: $id}) SET r.guard = true \
                     WITH r, coalesce(r.unit = $unit, false) AS committed \
                     SET r.guard = null, \
                     r.epoch = CASE WHEN r.epoch > $epoch THEN r.epoch ELSE $epoch + 1 END \
                     RETURN committed";
        let parameters = params! { "id" => id.as_str(), "epoch" => epoch, "unit" => unit };
        let claimed = driver.execute_query(claim, parameters).await.unwrap();
        claimed.records[0].get_at::<bool>(0).unwrap()
    };
    write(0, "first").await.unwrap();
    assert!(claim(0, "first").await);
    write(1, "second").await.unwrap();
    assert!(
        !claim(0, "first").await,
        "the receipt is that of the second"
    );
    write(1, "third").await.unwrap();
    assert!(claim(1, "third").await);
    write(1, "late").await.unwrap_err();
    assert_eq!(setup.balances(&account.id).await, [103]);
    let delete = "MATCH (r:_NeoOgmReceipt {id: $id}) DELETE r";
    let of_slot = params! { "id" => id.as_str() };
    driver.execute_query(delete, of_slot).await.unwrap();
}

/// Was created before the struct had the field.
#[derive(Node, Debug, Clone)]
#[node(label = "OnceOld")]
struct Old {
    #[node(key)]
    id: String,
    title: String,
    #[node(created_at)]
    created: Timestamp,
}

async fn recovers_a_result_of_nothing_but_null(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let create = "CREATE (:OnceOld {id: $id, title: 'before'})";
    let create = setup.direct.cypher(create).param("id", backend.key("old"));
    create.execute(&setup.direct).await.unwrap();
    let old = Old::new(backend.key("old"), "after");
    setup.lose_answer(old.save(&setup.graph)).await.unwrap();
    assert_eq!(old.created.get(), None);
    let found = Old::find_by_id(old.id.as_str()).get(&setup.direct).await;
    assert_eq!(found.unwrap().title, "after");
}
