//! What other clients write between a lost answer and whatever the mapper does about it.

use super::{Account, Setup, Since, Versioned};
use crate::common::{Backend, on_every_backend};
use neo_ogm::ErrorKind;
use neo_ogm::prelude::*;

on_every_backend!(
    keeps_a_node_inserted_after_a_delete,
    keeps_nodes_inserted_after_a_delete_by_finder,
    keeps_a_property_overwritten_after_a_write,
    keeps_a_node_deleted_after_a_write,
    keeps_an_addition_after_a_unit,
    keeps_an_addition_after_an_update_that_counts,
    keeps_a_version_written_after_a_save,
    keeps_relationships_changed_after_a_write,
    keeps_changes_after_writes_in_bulk,
);

impl Setup {
    /// Writes as another client.
    async fn other(&self, statement: &str, id: &str) {
        let query = self.direct.cypher(statement).param("id", id);
        query.execute(&self.direct).await.unwrap();
    }
}

const ADD: &str = "MATCH (n:OnceAccount {id: $id}) SET n.balance = n.balance + 5";
const OVERWRITE: &str = "MATCH (n:OnceAccount {id: $id}) SET n.balance = -1";
const DELETE: &str = "MATCH (n:OnceAccount {id: $id}) DETACH DELETE n";

async fn keeps_a_node_inserted_after_a_delete(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let account = setup.account(backend.key("account")).await;
    let theirs = Account::new(account.id.clone(), -1);
    let insert = async || theirs.insert(&setup.direct).await.unwrap();
    let delete = account.delete(&setup.graph);
    setup.lose_answer_to(insert(), delete).await.unwrap();
    assert_eq!(setup.balances(&account.id).await, [-1]);
    let unit = setup
        .graph
        .transaction(async |tx| account.delete(&tx).await);
    setup.lose_answer_to(insert(), unit).await.unwrap();
    assert_eq!(setup.balances(&account.id).await, [-1]);

    let account = setup.versioned(backend.key("versioned")).await;
    let theirs = Versioned::new(account.id.clone(), -1);
    let insert = async { theirs.insert(&setup.direct).await.unwrap() };
    let delete = account.delete(&setup.graph);
    setup.lose_answer_to(insert, delete).await.unwrap();
    assert_eq!(
        setup.stored(&account.id).await,
        std::slice::from_ref(&theirs)
    );
    assert_eq!((theirs.balance, theirs.version.get()), (-1, Some(1)));
}

async fn keeps_nodes_inserted_after_a_delete_by_finder(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let account = setup.account(backend.key("account")).await;
    let theirs = Account::new(account.id.clone(), -1);
    let insert = async { theirs.insert(&setup.direct).await.unwrap() };
    let mine = Account::find().filter(Account::ID.starts_with(backend.key("")));
    let delete = setup.lose_answer_to(insert, mine.delete(&setup.graph));
    assert_eq!(delete.await.unwrap(), 1);
    assert_eq!(setup.balances(&account.id).await, [-1]);
}

async fn keeps_a_property_overwritten_after_a_write(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let account = setup.account(backend.key("account")).await;
    let id = account.id.as_str();
    let theirs = || setup.other(OVERWRITE, id);
    let graph = &setup.graph;
    setup
        .lose_answer_to(theirs(), account.save(graph))
        .await
        .unwrap();
    assert_eq!(setup.balances(id).await, [-1], "save");
    setup
        .lose_answer_to(theirs(), account.update(graph))
        .await
        .unwrap();
    assert_eq!(setup.balances(id).await, [-1], "update");
    let created = setup.lose_answer_to(theirs(), account.create_or_update(graph));
    assert!(!created.await.unwrap());
    assert_eq!(setup.balances(id).await, [-1], "create_or_update");
    let set = Account::find_by_id(id)
        .update(graph)
        .set(Account::BALANCE, 7);
    assert_eq!(setup.lose_answer_to(theirs(), set).await.unwrap(), 1);
    assert_eq!(setup.balances(id).await, [-1], "update by finder");
    let unit = graph.transaction(async |tx| account.save(&tx).await);
    setup.lose_answer_to(theirs(), unit).await.unwrap();
    assert_eq!(setup.balances(id).await, [-1], "unit");
    let mut tracked = account.clone().tracked();
    tracked.balance = 8;
    let changes = tracked.save_changes(graph);
    assert!(setup.lose_answer_to(theirs(), changes).await.unwrap());
    assert_eq!(setup.balances(id).await, [-1], "save_changes");
    let raw = graph.cypher("MATCH (n:OnceAccount {id: $id}) SET n.balance = 9");
    let raw = raw.param("id", id).execute(graph);
    setup.lose_answer_to(theirs(), raw).await.unwrap();
    assert_eq!(setup.balances(id).await, [-1], "raw Cypher");
    let tx = graph.begin().await.unwrap();
    account.save(&tx).await.unwrap();
    setup.lose_answer_to(theirs(), tx.commit()).await.unwrap();
    assert_eq!(setup.balances(id).await, [-1], "explicit transaction");
}

async fn keeps_a_node_deleted_after_a_write(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let account = setup.account(backend.key("account")).await;
    let id = account.id.as_str();
    let theirs = || setup.other(DELETE, id);
    let graph = &setup.graph;
    setup
        .lose_answer_to(theirs(), account.save(graph))
        .await
        .unwrap();
    assert!(setup.balances(id).await.is_empty(), "save");
    setup
        .lose_answer_to(theirs(), account.insert(graph))
        .await
        .unwrap();
    assert!(setup.balances(id).await.is_empty(), "insert");
    let created = setup.lose_answer_to(theirs(), account.create_or_update(graph));
    assert!(created.await.unwrap());
    assert!(setup.balances(id).await.is_empty(), "create_or_update");
    let made = setup.lose_answer_to(theirs(), account.get_or_create(graph));
    assert!(made.await.unwrap().1);
    assert!(setup.balances(id).await.is_empty(), "get_or_create");
    account.insert(&setup.direct).await.unwrap();
    setup
        .lose_answer_to(theirs(), account.update(graph))
        .await
        .unwrap();
    assert!(setup.balances(id).await.is_empty(), "update");
    let theirs = async {
        setup.other(DELETE, id).await;
        let theirs = Account::new(id, -1);
        theirs.insert(&setup.direct).await.unwrap();
    };
    setup
        .lose_answer_to(theirs, account.insert(graph))
        .await
        .unwrap();
    assert_eq!(setup.balances(id).await, [-1], "insert again");
}

async fn keeps_an_addition_after_a_unit(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let id = setup.account(backend.key("account")).await.id;
    let unit = setup.graph.transaction(async |tx| {
        let mut account = Account::find_by_id(id.as_str()).get(&tx).await?;
        account.balance += 10;
        account.save(&tx).await?;
        Ok(account.balance)
    });
    let theirs = setup.other(ADD, &id);
    assert_eq!(setup.lose_answer_to(theirs, unit).await.unwrap(), 110);
    assert_eq!(setup.balances(&id).await, [115]);
}

async fn keeps_an_addition_after_an_update_that_counts(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let id = setup.account(backend.key("account")).await.id;
    let update = Account::find_by_id(id.as_str())
        .filter(Account::BALANCE.eq(100))
        .update(&setup.graph)
        .set(Account::BALANCE, Account::BALANCE + 10);
    let theirs = setup.other(ADD, &id);
    assert_eq!(setup.lose_answer_to(theirs, update).await.unwrap(), 1);
    assert_eq!(setup.balances(&id).await, [115]);
    let raw = "MATCH (n:OnceAccount {id: $id}) SET n.balance = n.balance + 10 RETURN n.balance";
    let raw = setup.graph.cypher(raw).param("id", id.as_str());
    let theirs = setup.other(ADD, &id);
    let raw = setup.lose_answer_to(theirs, raw.get::<i64>(&setup.graph));
    assert_eq!(raw.await.unwrap(), 125);
    assert_eq!(setup.balances(&id).await, [130]);
}

async fn keeps_a_version_written_after_a_save(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let mut account = setup.versioned(backend.key("account")).await;
    let id = account.id.clone();
    let theirs = || async {
        let mut theirs = setup.stored(&id).await.remove(0);
        theirs.balance = -1;
        theirs.save(&setup.direct).await.unwrap();
    };
    account.balance = 110;
    let save = account.save(&setup.graph);
    setup.lose_answer_to(theirs(), save).await.unwrap();
    assert_eq!(account.version.get(), Some(2));
    let stored = setup.stored(&id).await.remove(0);
    assert_eq!((stored.balance, stored.version.get()), (-1, Some(3)));
    let error = account.save(&setup.graph).await.unwrap_err();
    let ErrorKind::VersionConflict {
        expected, found, ..
    } = error.kind()
    else {
        panic!("{error}")
    };
    assert_eq!((*expected, *found), (Some(2), Some(3)));
    let unit = setup.graph.transaction(async |tx| {
        let mut account = Versioned::find_by_id(id.as_str()).get(&tx).await?;
        account.balance = 120;
        account.save(&tx).await?;
        Ok(account)
    });
    let account = setup.lose_answer_to(theirs(), unit).await.unwrap();
    assert_eq!((account.balance, account.version.get()), (120, Some(4)));
    let stored = setup.stored(&id).await.remove(0);
    assert_eq!((stored.balance, stored.version.get()), (-1, Some(5)));
}

async fn keeps_relationships_changed_after_a_write(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let a = setup.account(backend.key("a")).await;
    let b = setup.account(backend.key("b")).await;
    let c = setup.account(backend.key("c")).await;
    // The same nodes as another client has them.
    let theirs = Account::find_by_id(a.id.as_str()).get(&setup.direct).await;
    let theirs = theirs.unwrap();
    let since = |year| Since { year };
    let disconnect = async { theirs.friends.disconnect(&b).await.unwrap() };
    let connect = a.friends.connect(&b).properties(since(1));
    setup.lose_answer_to(disconnect, connect).await.unwrap();
    assert_eq!(a.friends.count().await.unwrap(), 0, "connect");
    let replace = async { theirs.parent.replace(&c).await.unwrap() };
    let connect = a.parent.connect(&b);
    setup.lose_answer_to(replace, connect).await.unwrap();
    let parent = async || a.parent.fetch().await.unwrap().unwrap().id;
    assert_eq!(parent().await, c.id, "connect of at most one");
    let replace = async { theirs.parent.replace(&c).await.unwrap() };
    setup
        .lose_answer_to(replace, a.parent.replace(&b))
        .await
        .unwrap();
    assert_eq!(parent().await, c.id, "replace");
    let connect = theirs.friends.connect(&b).properties(since(2));
    connect.await.unwrap();
    let connect = async {
        let connect = theirs.friends.connect(&b).properties(since(3));
        connect.await.unwrap();
    };
    let ended = setup.lose_answer_to(connect, a.friends.disconnect(&b));
    ended.await.unwrap();
    let friends = a.friends.fetch().await.unwrap();
    assert_eq!(friends[0].relationship, since(3), "disconnect");
    let connect = async {
        let connect = theirs.friends.connect(&c).properties(since(4));
        connect.await.unwrap();
    };
    let ended = setup.lose_answer_to(connect, a.friends.disconnect_all());
    ended.await.unwrap();
    let friends = a.friends.fetch().await.unwrap();
    assert_eq!(friends[0].relationship, since(4), "disconnect_all");
}

async fn keeps_changes_after_writes_in_bulk(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let a = setup.account(backend.key("a")).await;
    let b = setup.account(backend.key("b")).await;
    let accounts = [a.clone(), b.clone()];
    let balances = async || {
        let (a, b) = (setup.balances(&a.id), setup.balances(&b.id));
        tokio::join!(a, b)
    };
    let theirs = setup.other(OVERWRITE, &a.id);
    let save = setup.graph.save_all(&accounts);
    setup.lose_answer_to(theirs, save).await.unwrap();
    assert_eq!(balances().await, (vec![-1], vec![100]), "save_all");
    let theirs = setup.other(OVERWRITE, &b.id);
    let update = setup.graph.update_all(&accounts);
    setup.lose_answer_to(theirs, update).await.unwrap();
    assert_eq!(balances().await, (vec![100], vec![-1]), "update_all");
    let theirs = setup.other(OVERWRITE, &a.id);
    let save = setup.graph.save_graph(&a);
    setup.lose_answer_to(theirs, save).await.unwrap();
    assert_eq!(balances().await, (vec![-1], vec![-1]), "save_graph");
    let theirs = Account::new(b.id.clone(), -2);
    let insert = async { theirs.insert(&setup.direct).await.unwrap() };
    let delete = setup.graph.delete_all(&accounts);
    setup.lose_answer_to(insert, delete).await.unwrap();
    assert_eq!(balances().await, (vec![], vec![-2]), "delete_all");
    let theirs = setup.other(DELETE, &a.id);
    let insert = setup.graph.insert_all(std::slice::from_ref(&a));
    setup.lose_answer_to(theirs, insert).await.unwrap();
    assert_eq!(balances().await, (vec![], vec![-2]), "insert_all");
}
