//! Operations on many nodes at once.

use std::sync::Mutex;

use super::{Account, Setup, Since, Versioned};
use crate::common::{Backend, on_every_backend};
use neo_ogm::Error;
use neo_ogm::mapping::HookContext;
use neo_ogm::prelude::*;

on_every_backend!(
    writes_many_nodes_once,
    calls_hooks_of_many_nodes_once,
    connects_many_pairs_once,
    saves_a_graph_once,
);

static CALLS: Mutex<Vec<(String, &'static str)>> = Mutex::new(Vec::new());

fn calls(prefix: &str) -> Vec<&'static str> {
    let mut calls = CALLS.lock().unwrap();
    let (mine, others) = calls.drain(..).partition(|(id, _)| id.starts_with(prefix));
    *calls = others;
    let mine: Vec<(String, &'static str)> = mine;
    mine.into_iter().map(|(_, what)| what).collect()
}

#[derive(Node, Debug, Clone, PartialEq)]
#[node(label = "OnceHooked", hooks)]
struct Hooked {
    #[node(key)]
    id: String,
    #[node(element_id)]
    element: ElementId,
}

impl Hooks for Hooked {
    async fn after_create(&self, _: &HookContext) -> Result<(), Error> {
        CALLS.lock().unwrap().push((self.id.clone(), "created"));
        Ok(())
    }

    async fn after_save(&self, _: &HookContext) -> Result<(), Error> {
        CALLS.lock().unwrap().push((self.id.clone(), "saved"));
        Ok(())
    }
}

async fn found(setup: &Setup, prefix: &str) -> Vec<Versioned> {
    let find = Versioned::find().filter(Versioned::ID.starts_with(prefix));
    let find = find.order_by(Versioned::ID.asc());
    find.all(&setup.direct).await.unwrap()
}

async fn writes_many_nodes_once(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let prefix = backend.key("many");
    let account = |n: i64| Versioned::new(format!("{prefix}{n}"), n);
    let mut accounts: Vec<_> = (0..5).map(account).collect();
    let insert = setup.graph.insert_all(&accounts);
    setup.lose_answer(insert).await.unwrap();
    assert_eq!(found(&setup, &prefix).await, accounts);
    for account in &mut accounts {
        account.balance += 10;
    }
    let save = setup.graph.save_all(&accounts);
    setup.lose_answer(save).await.unwrap();
    assert_eq!(accounts[4].version.get(), Some(2));
    assert_eq!(found(&setup, &prefix).await, accounts);
    let update = setup.graph.update_all(&accounts).batch_size(2);
    setup.lose_answer(update).await.unwrap();
    assert_eq!(found(&setup, &prefix).await, accounts);
    let unit = setup.graph.transaction(async |tx| {
        tx.save_all(&accounts).await?;
        tx.update_all(&accounts[..2]).await
    });
    setup.lose_answer(unit).await.unwrap();
    assert_eq!(accounts[1].version.get(), Some(5));
    assert_eq!(found(&setup, &prefix).await, accounts);
    let delete = setup.graph.delete_all(&accounts);
    setup.lose_answer(delete).await.unwrap();
    assert!(found(&setup, &prefix).await.is_empty());
}

async fn calls_hooks_of_many_nodes_once(backend: Backend) {
    let setup = Setup::new(&backend).await;
    setup.direct.apply_schema::<Hooked>().await.unwrap();
    let prefix = backend.key("hooked");
    let nodes: Vec<_> = (0..2)
        .map(|n| Hooked::new(format!("{prefix}{n}")))
        .collect();
    let insert = setup.graph.insert_all(&nodes);
    setup.lose_answer(insert).await.unwrap();
    assert_eq!(calls(&prefix), ["created", "saved", "created", "saved"]);
    let find = Hooked::find().filter(Hooked::ID.starts_with(prefix.as_str()));
    let find = find.order_by(Hooked::ID.asc());
    assert_eq!(find.all(&setup.direct).await.unwrap(), nodes);
    let save = setup.graph.save_all(&nodes);
    setup.lose_answer(save).await.unwrap();
    assert_eq!(calls(&prefix), ["saved", "saved"]);
    let one = Hooked::new(format!("{prefix}-one"));
    setup.lose_answer(one.save(&setup.graph)).await.unwrap();
    assert_eq!(calls(&prefix), ["created", "saved"]);
    assert!(one.element.get().is_some());
}

async fn connects_many_pairs_once(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let a = setup.account(backend.key("a")).await;
    let b = setup.account(backend.key("b")).await;
    let since = |year| Since { year };
    let pairs = [(&a, &b, since(1)), (&b, &a, since(2))];
    let connect = setup.graph.connect_all(Account::FRIENDS, pairs);
    setup.lose_answer(connect).await.unwrap();
    for (account, year) in [(&a, 1), (&b, 2)] {
        let friends = account.friends.fetch().await.unwrap();
        let years: Vec<_> = friends.iter().map(|one| one.relationship.year).collect();
        assert_eq!(years, [year]);
    }
}

async fn saves_a_graph_once(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let mut root = Account::new(backend.key("root"), 1);
    let friend = Account::new(backend.key("friend"), 2);
    root.parent.set(Account::new(backend.key("parent"), 3));
    root.friends.push_with(friend, Since { year: 1 });
    setup
        .lose_answer(setup.graph.save_graph(&root))
        .await
        .unwrap();
    let found = Account::find_by_id(root.id.as_str())
        .load(Account::PARENT)
        .load(Account::FRIENDS);
    let found = found.get(&setup.direct).await.unwrap();
    assert_eq!(found.parent.get().unwrap().unwrap().balance, 3);
    assert_eq!(found.friends.get().unwrap().len(), 1);
    for (name, balance) in [("root", 1), ("friend", 2), ("parent", 3)] {
        assert_eq!(setup.balances(&backend.key(name)).await, [balance]);
    }
}
