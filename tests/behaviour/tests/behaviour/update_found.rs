//! Updates by filter that compute values, of nodes with versions and times of updates, and under
//! races and lost commits.

use std::future::IntoFuture as _;
use std::time::Duration;

use crate::common::{Backend, on_every_backend};
use neo_ogm::prelude::*;
use neo_ogm::{Error, ErrorKind};
use neo_test_support::Message;
use neo_test_support::proxy::{Action, Proxy, When};

on_every_backend!(
    statements_lock_before_they_ask_again,
    values_are_computed,
    what_a_field_can_not_hold_is_refused,
    racing_sales_sell_what_is_there,
    racing_claims_claim_once,
    versions_and_times_go_on,
    what_the_mapper_writes_is_not_set,
    an_update_with_a_lost_commit_counts_once,
    a_unit_that_counts_is_applied_once,
    a_lost_commit_is_one_version_and_undoes_nobody,
);

#[derive(Node, Debug, Clone, PartialEq)]
#[node(label = "UpfItem")]
struct Item {
    #[node(key)]
    id: String,
    name: String,
    state: String,
    stock: u32,
    sold: Option<i64>,
    price: f64,
    #[relationship(type = "UPF_PART")]
    parts: Many<Item>,
}

#[derive(Node, Debug, Clone)]
#[node(label = "UpfPage")]
struct Page {
    #[node(key)]
    id: String,
    title: String,
    views: i64,
    #[node(version)]
    version: Version,
    #[node(updated_at)]
    updated: Timestamp,
}

fn item(backend: &Backend, id: &str, stock: u32) -> Item {
    Item::new(backend.key(id), "a", "open", stock, 2.5)
}

fn mine(backend: &Backend) -> neo_ogm::operation::Find<Item> {
    Item::find().filter(Item::ID.starts_with(backend.key("")))
}

async fn get(graph: &Graph, item: &Item) -> Item {
    Item::find_by_id(item.id.as_str()).get(graph).await.unwrap()
}

async fn proxied(backend: &Backend) -> (Proxy, Graph) {
    let address = backend.address().await;
    let proxy = Proxy::start(&address).expect("the proxy starts");
    let graph = backend.graph_through(&proxy.uri()).await;
    (proxy, graph.expect("the way is free"))
}

fn cut(proxy: &Proxy) {
    proxy.inject(Message::Commit, Action::CutAfterAnswer, When::Next(1));
}

async fn values_are_computed(backend: Backend) {
    let graph = backend.graph().await;
    let items = [item(&backend, "1", 3), item(&backend, "2", 4)];
    graph.save_all(&items).await.unwrap();
    let [first, second] = &items;
    first.parts.connect(second).await.unwrap();
    let changed = mine(&backend)
        .filter(Item::STOCK.ge(3))
        .update(&graph)
        .set(Item::STOCK, (Item::STOCK + 1) * 2)
        .set(Item::SOLD, Item::SOLD.or(0) - 1)
        .set(Item::PRICE, Item::PRICE * 2.0)
        .set(
            Item::NAME,
            Item::NAME.concat("-").concat(Item::STATE).upper(),
        )
        .set(Item::STATE, "done");
    assert_eq!(changed.await.unwrap(), 2);
    let found = get(&graph, first).await;
    assert_eq!(
        (
            found.stock,
            found.sold,
            found.price,
            &*found.name,
            &*found.state
        ),
        (8, Some(-1), 5.0, "A-OPEN", "done")
    );
    // What is not there stays so, later values see earlier ones, and relationships can be counted.
    let changed = Item::find_by_id(first.id.as_str())
        .update(&graph)
        .remove(Item::SOLD)
        .set(Item::STOCK, 1)
        .set(Item::PRICE, Item::PRICE + 1.0)
        .set(Item::NAME, Item::STATE);
    assert_eq!(changed.await.unwrap(), 1);
    let counted = mine(&backend)
        .update(&graph)
        .set(Item::SOLD, Item::PARTS.count() + 10);
    assert_eq!(counted.await.unwrap(), 2);
    let found = get(&graph, first).await;
    assert_eq!(
        (found.stock, found.sold, found.price, &*found.name),
        (1, Some(11), 6.0, "done")
    );
    assert_eq!(get(&graph, second).await.sold, Some(10));
}

async fn what_a_field_can_not_hold_is_refused(backend: Backend) {
    let graph = backend.graph().await;
    let items = [item(&backend, "1", 1), item(&backend, "2", 5)];
    graph.save_all(&items).await.unwrap();
    let take = |count: u32| {
        mine(&backend)
            .update(&graph)
            .set(Item::NAME, "taken")
            .set(Item::STOCK, Item::STOCK - count)
    };
    let error = take(2).await.unwrap_err();
    match error.kind() {
        ErrorKind::Invalid { node, violations } => {
            assert_eq!(node, "Item");
            assert_eq!(violations[0].field, "stock");
        }
        _ => panic!("{error}"),
    }
    assert!(error.to_string().contains("would be -1"), "{error}");
    let all = mine(&backend).order_by(Item::ID.asc()).all(&graph).await;
    assert_eq!(all.unwrap(), items, "nothing has changed");
    assert_eq!(take(1).await.unwrap(), 2);
    assert_eq!(get(&graph, &items[0]).await.stock, 0);
    let failed: Result<(), Error> = graph
        .transaction(async |tx| {
            tx.save(&item(&backend, "3", 9)).await?;
            let fails = mine(&backend).update(&tx);
            fails.set(Item::STOCK, Item::STOCK - 1).await.map(drop)
        })
        .await;
    assert!(matches!(
        failed.unwrap_err().kind(),
        ErrorKind::Invalid { .. }
    ));
    assert_eq!(mine(&backend).count(&graph).await.unwrap(), 2);
}

async fn racing_sales_sell_what_is_there(backend: Backend) {
    let graph = backend.graph().await;
    let one = item(&backend, "1", 10);
    graph.save(&one).await.unwrap();
    let buyers: Vec<_> = (0..4)
        .map(|_| {
            let (graph, id) = (graph.clone(), one.id.clone());
            tokio::spawn(async move {
                let mut bought = 0;
                for _ in 0..5 {
                    bought += Item::find_by_id(id.as_str())
                        .filter(Item::STOCK.ge(1))
                        .update(&graph)
                        .set(Item::STOCK, Item::STOCK - 1)
                        .set(Item::SOLD, Item::SOLD.or(0) + 1)
                        .await
                        .unwrap();
                }
                bought
            })
        })
        .collect();
    let mut bought = 0;
    for buyer in buyers {
        bought += buyer.await.unwrap();
    }
    let left = get(&graph, &one).await;
    assert_eq!((bought, left.stock, left.sold), (10, 0, Some(10)));
}

async fn racing_claims_claim_once(backend: Backend) {
    let graph = backend.graph().await;
    let items: Vec<_> = (0..12)
        .map(|n| item(&backend, &format!("{n:02}"), 1))
        .collect();
    graph.save_all(&items).await.unwrap();
    let workers: Vec<_> = (0..4)
        .map(|n| {
            let (graph, open) = (graph.clone(), mine(&backend));
            tokio::spawn(async move {
                let open = open.filter(Item::STATE.eq("open"));
                let claimed = open.update(&graph).set(Item::STATE, format!("w{n}"));
                claimed.await.unwrap()
            })
        })
        .collect();
    let mut claimed = 0;
    for worker in workers {
        claimed += worker.await.unwrap();
    }
    assert_eq!(claimed, 12);
}

async fn versions_and_times_go_on(backend: Backend) {
    let graph = backend.graph().await;
    let mut page = Page::new(backend.key("1"), "a", 0);
    graph.save(&page).await.unwrap();
    let stamped = page.updated.get().unwrap();
    let find = || Page::find_by_id(page.id.as_str());
    let changed = find().update(&graph).set(Page::TITLE, "b");
    assert_eq!(changed.await.unwrap(), 1);
    let counted = find().update(&graph).set(Page::VIEWS, Page::VIEWS + 1);
    assert_eq!(counted.await.unwrap(), 1);
    let found = find().get(&graph).await.unwrap();
    assert_eq!(
        (&*found.title, found.views, found.version.get()),
        ("b", 1, Some(3))
    );
    assert_ne!(found.updated.get().unwrap(), stamped);
    page.title = "c".to_owned();
    let error = page.save(&graph).await.unwrap_err();
    assert!(
        matches!(
            error.kind(),
            ErrorKind::VersionConflict {
                expected: Some(1),
                found: Some(3),
                ..
            }
        ),
        "{error}"
    );
    found.save(&graph).await.unwrap();
    // A node that was there before its struct had a version.
    let raw = graph.cypher("MATCH (n:UpfPage {id: $id}) REMOVE n.version, n.updated");
    raw.param("id", page.id.as_str())
        .execute(&graph)
        .await
        .unwrap();
    let taken_in = find().filter(Page::VIEWS.eq(1)).update(&graph);
    assert_eq!(taken_in.set(Page::TITLE, "d").await.unwrap(), 1);
    let found = find().get(&graph).await.unwrap();
    assert_eq!((found.version.get(), &*found.title), (Some(1), "d"));
    assert!(found.updated.get().is_some());
}

async fn what_the_mapper_writes_is_not_set(backend: Backend) {
    let graph = backend.graph().await;
    let pages = || Page::find_by_id(backend.key("1")).update(&graph);
    for refused in [
        pages().set(Page::VERSION, 7),
        pages().set(Page::UPDATED, DateTime::now()),
    ] {
        let error = refused.await.unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::NotSupported { .. }),
            "{error}"
        );
    }
}

async fn an_update_with_a_lost_commit_counts_once(backend: Backend) {
    let (proxy, graph) = proxied(&backend).await;
    let one = item(&backend, "1", 1);
    graph.save(&one).await.unwrap();
    cut(&proxy);
    let counted = mine(&backend)
        .update(&graph)
        .set(Item::STOCK, Item::STOCK + 1);
    assert_eq!(counted.await.unwrap(), 1);
    assert_eq!(get(&graph, &one).await.stock, 2);
    cut(&proxy);
    let copied = mine(&backend)
        .update(&graph)
        .set(Item::NAME, Item::STATE.upper());
    assert_eq!(copied.await.unwrap(), 1);
    cut(&proxy);
    let page = Page::new(backend.key("p"), "a", 0);
    page.save(&graph).await.unwrap();
    cut(&proxy);
    let find = || Page::find_by_id(page.id.as_str());
    let counted = find().update(&graph);
    let counted = counted.set(Page::VIEWS, Page::VIEWS + 1);
    assert_eq!(counted.await.unwrap(), 1);
    assert_eq!(find().get(&graph).await.unwrap().views, 1);
}

async fn a_unit_that_counts_is_applied_once(backend: Backend) {
    let (proxy, graph) = proxied(&backend).await;
    let one = item(&backend, "1", 1);
    graph.save(&one).await.unwrap();
    cut(&proxy);
    let counted = graph.transaction(async |tx| {
        let counted = mine(&backend).update(&tx);
        counted.set(Item::STOCK, Item::STOCK + 1).await
    });
    assert_eq!(counted.await.unwrap(), 1);
    assert_eq!(get(&graph, &one).await.stock, 2);
    let write = "MATCH (n:UpfItem {id: $id}) SET n.stock = n.stock + 1";
    let write = graph.cypher(write).param("id", one.id.as_str());
    cut(&proxy);
    let counted = graph.transaction(async |tx| write.clone().execute(&tx).await.map(drop));
    counted.await.unwrap();
    assert_eq!(get(&graph, &one).await.stock, 3);
    cut(&proxy);
    let streamed = graph.transaction(async |tx| {
        let mut rows = write.clone().stream::<i64>(&tx).await?;
        while rows.next().await.transpose()?.is_some() {}
        Ok(())
    });
    streamed.await.unwrap();
    assert_eq!(get(&graph, &one).await.stock, 4);
    cut(&proxy);
    let set = "MATCH (n:UpfItem {id: $id}) SET n.stock = 9";
    let set = graph.cypher(set).param("id", one.id.as_str()).idempotent();
    let done = graph.transaction(async |tx| {
        let read = tx.cypher("RETURN 1").get::<i64>(&tx).await?;
        set.clone().execute(&tx).await?;
        let named = mine(&backend).update(&tx).set(Item::NAME, "b").await?;
        Ok((read, named, tx.attempt()))
    });
    assert_eq!(done.await.unwrap(), (1, 1, 1));
    assert_eq!(get(&graph, &one).await.stock, 9);
}

async fn a_lost_commit_is_one_version_and_undoes_nobody(backend: Backend) {
    let (proxy, graph) = proxied(&backend).await;
    let direct = backend.graph().await;
    let pages = [
        Page::new(backend.key("1"), "a", 0),
        Page::new(backend.key("2"), "a", 0),
    ];
    graph.save_all(&pages).await.unwrap();
    cut(&proxy);
    let all = || Page::find().filter(Page::ID.starts_with(backend.key("")));
    let first = || Page::find_by_id(pages[0].id.as_str());
    let update = tokio::spawn(all().update(&graph).set(Page::TITLE, "b").into_future());
    // The first attempt is done, the second waits for its turn.
    let mut page = loop {
        let page = first().get(&direct).await.unwrap();
        if page.title == "b" {
            break page;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    page.title = "of somebody else".to_owned();
    page.save(&direct).await.unwrap();
    assert_eq!(update.await.unwrap().unwrap(), 2);
    let found = all().order_by(Page::ID.asc()).all(&direct).await.unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|page| (&*page.title, page.version.get().unwrap()))
        .collect();
    assert_eq!(found, [("of somebody else", 3), ("b", 2)]);
}

#[derive(Node)]
#[node(label = "UpfLedger")]
struct Ledger {
    #[node(key)]
    id: String,
    views: i64,
    stock: Option<u32>,
    #[node(version)]
    version: Version,
    #[node(updated_at)]
    updated: Timestamp,
}

async fn statements_lock_before_they_ask_again(backend: Backend) {
    let graph = backend.graph().await;
    let found = || Ledger::find().filter(Ledger::VIEWS.gt(7));
    let start = "MATCH (n:UpfLedger) WHERE n.views > $p0 \
                 SET n._neo_ogm_lock = true REMOVE n._neo_ogm_lock WITH n";
    assert_eq!(
        found().delete(&graph).to_cypher(),
        format!("{start} WHERE n.views > $p0 DETACH DELETE n RETURN count(*) AS deleted")
    );
    let counted = found().update(&graph).set(Ledger::VIEWS, Ledger::VIEWS + 1);
    assert_eq!(
        counted.set(Ledger::STOCK, Ledger::STOCK - 1).to_cypher(),
        format!(
            "{start} WHERE n.views > $p0 SET n.views = n.views + $p1, n.stock = n.stock - $p2 \
             SET n.version = coalesce(n.version, 0) + 1, n.updated = $p3 \
             WITH n WHERE CASE WHEN n.stock < 0 OR n.stock > 4294967295 \
             THEN '' =~ ('(neo_ogm:' + toString(1) + ':o' + toString(n.stock)) ELSE true END \
             RETURN count(n) AS updated"
        )
    );
    let set = found().update(&graph).set(Ledger::VIEWS, 1);
    assert_eq!(
        set.remove(Ledger::STOCK).to_cypher(),
        format!(
            "{start} WHERE n.views > $p0 SET n.views = $p1 REMOVE n.stock \
             SET n.version = coalesce(n.version, 0) + 1, n.updated = $p2 \
             RETURN count(n) AS updated"
        )
    );
}
