//! Money that goes from one account to another: nodes that are locked while they are read.

use crate::common::{Backend, on_every_backend};
use neo_ogm::prelude::*;
use neo_ogm::{Error, ErrorKind};
use neo_test_support::Message;
use neo_test_support::proxy::{Action, Proxy, When};

on_every_backend!(
    racing_transfers_lose_nothing,
    what_has_changed_before_the_lock_is_asked_again,
    a_lock_reads_whole_nodes,
    a_unit_that_locks_is_applied_once,
    a_lock_writes,
);

#[derive(Node, Debug, Clone, PartialEq)]
#[node(label = "TransferAccount")]
struct Account {
    #[node(key)]
    number: String,
    balance: i64,
    state: String,
    #[relationship(type = "TRANSFER_OWNER")]
    owner: ZeroOrOne<Owner>,
}

#[derive(Node, Debug, Clone, PartialEq)]
#[node(label = "TransferOwner")]
struct Owner {
    #[node(key)]
    name: String,
}

async fn transfer(graph: &Graph, from: &str, to: &str, amount: i64) -> Result<(), Error> {
    graph
        .transaction(async |tx| {
            let mut from = Account::find_by_number(from).lock().get(&tx).await?;
            let mut to = Account::find_by_number(to).lock().get(&tx).await?;
            if from.balance < amount {
                return Err(Error::abort("there is not enough in it"));
            }
            from.balance -= amount;
            to.balance += amount;
            from.save(&tx).await?;
            to.save(&tx).await
        })
        .await
}

async fn balance(graph: &Graph, number: &str) -> i64 {
    let account = Account::find_by_number(number).get(graph).await.unwrap();
    account.balance
}

/// In both directions at once, so that some meet in a deadlock and are run again.
async fn racing_transfers_lose_nothing(backend: Backend) {
    let graph = backend.graph().await;
    let (a, b) = (backend.key("race-a"), backend.key("race-b"));
    let accounts = [Account::new(&a, 100, "open"), Account::new(&b, 50, "open")];
    graph.save_all(&accounts).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..16 {
        let graph = graph.clone();
        let (from, to) = if n % 4 == 0 { (&b, &a) } else { (&a, &b) };
        let (from, to) = (from.clone(), to.clone());
        tasks.spawn(async move { transfer(&graph, &from, &to, 5).await });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap().unwrap();
    }
    // 12 of 5 from a to b, 4 of 5 back.
    assert_eq!(balance(&graph, &a).await, 100 - 60 + 20);
    assert_eq!(balance(&graph, &b).await, 50 + 60 - 20);

    let error = transfer(&graph, &a, &b, 1000).await.unwrap_err();
    assert_eq!(error.to_string(), "there is not enough in it");
    assert_eq!(balance(&graph, &a).await, 60);
}

/// Workers that take what is open: nothing is taken twice.
async fn what_has_changed_before_the_lock_is_asked_again(backend: Backend) {
    let graph = backend.graph().await;
    let prefix = backend.key("job-");
    let jobs: Vec<Account> = (0..8)
        .map(|n| Account::new(format!("{prefix}{n}"), 0, "open"))
        .collect();
    graph.save_all(&jobs).await.unwrap();
    let mut workers = tokio::task::JoinSet::new();
    for worker in 0..4_i64 {
        let (graph, prefix) = (graph.clone(), prefix.clone());
        workers.spawn(async move {
            let mut taken = Vec::new();
            loop {
                let next = graph
                    .transaction(async |tx| {
                        let open = Account::find()
                            .filter(Account::NUMBER.starts_with(prefix.as_str()))
                            .filter(Account::STATE.eq("open"))
                            .order_by(Account::NUMBER.asc())
                            .limit(2);
                        let left = open.clone().exists(&tx).await?;
                        let Some(mut job) = open.lock().first(&tx).await? else {
                            // Others have taken what there was when this looked.
                            return Ok(left.then_some(None));
                        };
                        job.state = "taken".to_owned();
                        job.balance = worker;
                        job.save(&tx).await?;
                        Ok(Some(Some(job.number)))
                    })
                    .await
                    .unwrap();
                match next {
                    Some(Some(number)) => taken.push(number),
                    Some(None) => {}
                    None => return taken,
                }
            }
        });
    }
    let mut taken = Vec::new();
    while let Some(done) = workers.join_next().await {
        taken.extend(done.unwrap());
    }
    taken.sort();
    let numbers: Vec<_> = jobs.iter().map(|job| job.number.clone()).collect();
    assert_eq!(taken, numbers);
}

async fn a_lock_reads_whole_nodes(backend: Backend) {
    let graph = backend.graph().await;
    let numbers = ["whole-1", "whole-2", "whole-3"].map(|number| backend.key(number));
    let accounts = numbers
        .clone()
        .map(|number| Account::new(number, 1, "open"));
    graph.save_all(&accounts).await.unwrap();
    let owner = Owner::new(backend.key("whole"));
    graph.save(&owner).await.unwrap();
    accounts[0].owner.connect(&owner).await.unwrap();
    let owned = || Account::find().filter(Account::OWNER.has(Owner::NAME.eq(&owner.name)));

    let tx = graph.begin().await.unwrap();
    let found = owned().load(Account::OWNER).lock().get(&tx).await.unwrap();
    assert_eq!(found.owner.get().unwrap(), Some(&owner));
    let all = Account::find().filter(Account::NUMBER.in_list(&numbers));
    let page = all
        .clone()
        .order_by(Account::NUMBER.desc())
        .skip(1)
        .limit(5)
        .lock();
    let page = page.all(&tx).await.unwrap();
    let found: Vec<_> = page.iter().map(|account| &account.number).collect();
    assert_eq!(found, [&numbers[1], &numbers[0]]);
    let error = all.clone().lock().get(&tx).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NotUnique { .. }));
    let none = Account::find_by_number(backend.key("whole-4")).lock();
    assert_eq!(none.one(&tx).await.unwrap(), None);
    tx.rollback().await.unwrap();

    assert_eq!(
        all.filter(Account::STATE.eq("open"))
            .order_by(Account::NUMBER.asc())
            .limit(2)
            .lock()
            .to_cypher(),
        "MATCH (n:TransferAccount) WHERE n.number IN $p0 AND n.state = $p1 \
         WITH n ORDER BY n.number LIMIT $p2 \
         SET n._neo_ogm_lock = true REMOVE n._neo_ogm_lock \
         WITH n WHERE n.number IN $p3 AND n.state = $p4 RETURN n ORDER BY n.number"
    );
}

async fn a_unit_that_locks_is_applied_once(backend: Backend) {
    let address = backend.address().await;
    let proxy = Proxy::start(&address).expect("the proxy starts");
    let graph = backend.graph_through(&proxy.uri()).await;
    let graph = graph.expect("the way is free");
    let (a, b) = (backend.key("lost-a"), backend.key("lost-b"));
    let accounts = [Account::new(&a, 100, "open"), Account::new(&b, 0, "open")];
    graph.save_all(&accounts).await.unwrap();
    let fault = proxy.inject(Message::Commit, Action::CutAfterAnswer, When::Next(1));
    transfer(&graph, &a, &b, 10).await.unwrap();
    assert_eq!(proxy.fired(fault), 1);
    assert_eq!(balance(&graph, &a).await, 90);
    assert_eq!(balance(&graph, &b).await, 10);
}

async fn a_lock_writes(backend: Backend) {
    let graph = backend.graph().await;
    let account = Account::new(backend.key("reader"), 1, "open");
    graph.save(&account).await.unwrap();
    let found = graph
        .read_transaction(async |tx| {
            let find = Account::find_by_number(account.number.as_str());
            find.lock().get(&tx).await
        })
        .await;
    assert_eq!(
        found.unwrap_err().code(),
        Some("Neo.ClientError.Statement.AccessMode")
    );
}
