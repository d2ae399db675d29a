//! Rules, hooks, versions, times and element ids of nodes that are written in bulk.

use std::sync::Mutex;

use crate::common::{Backend, on_every_backend};
use neo_ogm::mapping::HookContext;
use neo_ogm::prelude::*;
use neo_ogm::{Error, ErrorKind};
use neo_test_support::Message;
use neo_test_support::proxy::{Action, Proxy, When};

on_every_backend!(
    cells_are_filled_in_bulk,
    a_row_of_another_version_is_named,
    a_lost_commit_of_a_batch_counts_once,
    a_broken_rule_is_named_before_anything_is_sent,
    hooks_are_called_for_each_row,
    relationships_in_bulk_keep_their_rules,
);

#[derive(Node, Debug, Clone, PartialEq)]
#[node(label = "BulkManaged", labels("BulkThing"))]
struct Item {
    #[node(key)]
    id: String,
    #[node(validate(range(min = 0)))]
    count: i64,
    #[node(version)]
    version: Version,
    #[node(element_id)]
    element: ElementId,
    #[node(created_at)]
    created: Timestamp,
    #[node(updated_at)]
    updated: Timestamp,
}

fn items(backend: &Backend, name: &str, count: i64) -> Vec<Item> {
    let item = |n| Item::new(backend.key(&format!("{name}{n:03}")), n);
    (0..count).map(item).collect()
}

async fn found(graph: &Graph, items: &[Item]) -> Vec<Item> {
    let ids = items.iter().map(|item| item.id.clone());
    let find = Item::find()
        .filter(Item::ID.in_list(ids))
        .order_by(Item::ID.asc());
    find.all(graph).await.unwrap()
}

async fn cells_are_filled_in_bulk(backend: Backend) {
    let graph = backend.graph().await;
    let mut items = items(&backend, "cells", 7);
    graph.save_all(&items).batch_size(3).await.unwrap();
    for item in &items {
        assert_eq!(item.version.get(), Some(1));
        assert!(item.element.get().is_some() && item.created.get().is_some());
    }
    assert_eq!(found(&graph, &items).await, items);
    let created = items[0].created.get();
    for item in &mut items {
        item.count += 1;
    }
    graph.save_all(&items).await.unwrap();
    graph.update_all(&items).await.unwrap();
    assert_eq!(items[6].version.get(), Some(3));
    assert_eq!(items[0].created.get(), created);
    assert_ne!(items[0].updated.get(), created);
    assert_eq!(found(&graph, &items).await, items);

    let new = self::items(&backend, "new", 3);
    let unit = graph.transaction(async |tx| {
        tx.insert_all(&new).await?;
        tx.update_all(&new).await?;
        assert_eq!(new[1].version.get(), Some(2));
        Err::<(), _>(Error::abort("no"))
    });
    unit.await.unwrap_err();
    assert_eq!((new[1].version.get(), new[1].element.get()), (None, None));
    graph.insert_all(&new).await.unwrap();
    assert_eq!(found(&graph, &new).await, new);
    graph.delete_all(&new).await.unwrap();
    graph.delete_all(&new).await.unwrap();
    assert!(found(&graph, &new).await.is_empty());
}

async fn a_row_of_another_version_is_named(backend: Backend) {
    let graph = backend.graph().await;
    let items = items(&backend, "stale", 4);
    graph.save_all(&items).await.unwrap();
    let stale = items.clone();
    graph.save(&items[2]).await.unwrap();
    let check = |error: &Error| {
        let ErrorKind::Row { index, error } = error.kind() else {
            panic!("{error}")
        };
        let ErrorKind::VersionConflict {
            expected, found, ..
        } = error.kind()
        else {
            panic!("{error}")
        };
        assert_eq!((*index, *expected, *found), (2, Some(1), Some(2)));
    };
    check(&graph.save_all(&stale).await.unwrap_err());
    check(&graph.update_all(&stale).await.unwrap_err());
    check(&graph.delete_all(&stale).await.unwrap_err());
    assert_eq!(stale[1].version.get(), Some(1));
    assert_eq!(found(&graph, &items).await, items);

    graph.delete(&items[1]).await.unwrap();
    let error = graph.save_all(&items).await.unwrap_err();
    let ErrorKind::Row { index, error } = error.kind() else {
        panic!("{error}")
    };
    assert!(
        matches!(error.kind(), ErrorKind::VersionConflict { found: None, .. }),
        "{error}"
    );
    assert_eq!((*index, found(&graph, &items).await.len()), (1, 3));
}

async fn a_lost_commit_of_a_batch_counts_once(backend: Backend) {
    let address = backend.address().await;
    let proxy = Proxy::start(&address).expect("the proxy starts");
    let graph = backend.graph_through(&proxy.uri()).await.unwrap();
    let items = items(&backend, "lost", 5);
    for version in 1..=4 {
        let fault = proxy.inject(Message::Commit, Action::CutAfterAnswer, When::Next(1));
        match version {
            1 => graph.insert_all(&items).await.unwrap(),
            2 => graph.update_all(&items).await.unwrap(),
            _ => graph.save_all(&items).await.unwrap(),
        }
        assert_eq!(proxy.fired(fault), 1);
        assert_eq!(items[3].version.get(), Some(version));
        assert!(items[3].element.get().is_some());
        assert_eq!(found(&graph, &items).await, items);
    }
}

async fn a_broken_rule_is_named_before_anything_is_sent(backend: Backend) {
    let graph = backend.graph().await;
    let mut items = items(&backend, "rule", 4);
    items[3].count = -1;
    for error in [
        graph.save_all(&items).batch_size(1).await.unwrap_err(),
        graph.insert_all(&items).await.unwrap_err(),
        graph.update_all(&items).await.unwrap_err(),
    ] {
        let ErrorKind::Row { index, error } = error.kind() else {
            panic!("{error}")
        };
        assert!(matches!(error.kind(), ErrorKind::Invalid { .. }), "{error}");
        assert_eq!(*index, 3);
    }
    assert!(found(&graph, &items).await.is_empty());
}

static CALLS: Mutex<Vec<(String, &'static str)>> = Mutex::new(Vec::new());

fn calls(prefix: &str) -> Vec<(char, &'static str)> {
    let mut calls = CALLS.lock().unwrap();
    let (mine, others) = calls.drain(..).partition(|(id, _)| id.starts_with(prefix));
    *calls = others;
    let short = |(id, what): (String, &'static str)| (id.chars().last().unwrap(), what);
    mine.into_iter().map(short).collect()
}

#[derive(Node, Debug, Clone)]
#[node(label = "BulkHooked", hooks)]
struct Hooked {
    #[node(key)]
    id: String,
    fine: bool,
    #[relationship]
    rated: Many<Hooked, Rated>,
}

impl Hooks for Hooked {
    async fn before_save(&self, _: &HookContext) -> Result<(), Error> {
        if self.fine {
            Ok(())
        } else {
            Err(Error::abort("not fine"))
        }
    }

    async fn after_save(&self, _: &HookContext) -> Result<(), Error> {
        CALLS.lock().unwrap().push((self.id.clone(), "saved"));
        Ok(())
    }

    async fn after_create(&self, _: &HookContext) -> Result<(), Error> {
        CALLS.lock().unwrap().push((self.id.clone(), "created"));
        Ok(())
    }

    async fn after_delete(&self, _: &HookContext) -> Result<(), Error> {
        CALLS.lock().unwrap().push((self.id.clone(), "deleted"));
        Ok(())
    }
}

async fn hooks_are_called_for_each_row(backend: Backend) {
    let graph = backend.graph().await;
    let prefix = backend.key("hooked");
    let hooked = |n: i32| Hooked::new(format!("{prefix}{n}"), true);
    let mut nodes = vec![hooked(0), hooked(1)];
    graph.save_all(&nodes[..1]).await.unwrap();
    assert_eq!(calls(&prefix), [('0', "created"), ('0', "saved")]);
    graph.save_all(&nodes).await.unwrap();
    assert_eq!(
        calls(&prefix),
        [('0', "saved"), ('1', "created"), ('1', "saved")]
    );
    graph.update_all(&nodes).await.unwrap();
    assert_eq!(calls(&prefix), [('0', "saved"), ('1', "saved")]);
    nodes[1].fine = false;
    let error = graph.save_all(&nodes).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Row { index: 1, .. }),
        "{error}"
    );
    assert!(calls(&prefix).is_empty());
    graph.delete_all(&nodes).await.unwrap();
    assert_eq!(calls(&prefix), [('0', "deleted"), ('1', "deleted")]);
    nodes[1].fine = true;
    graph.insert_all(&nodes).await.unwrap();
    assert_eq!(calls(&prefix).len(), 4);
}

#[relationship(type = "BULK_RATED", hooks)]
#[derive(Debug, Clone)]
struct Rated {
    #[relationship(validate(range(max = 5)))]
    stars: u8,
}

impl RelationshipHooks for Rated {
    async fn before_connect(&self, _: &HookContext) -> Result<(), Error> {
        if self.stars == 0 {
            Err(Error::abort("no stars"))
        } else {
            Ok(())
        }
    }

    async fn before_disconnect(cx: &HookContext) -> Result<(), Error> {
        if cx.in_transaction() {
            Err(Error::abort("not here"))
        } else {
            Ok(())
        }
    }
}

async fn relationships_in_bulk_keep_their_rules(backend: Backend) {
    let graph = backend.graph().await;
    let prefix = backend.key("rated");
    let nodes: Vec<_> = (0..2)
        .map(|n| Hooked::new(format!("{prefix}{n}"), true))
        .collect();
    graph.save_all(&nodes).await.unwrap();
    let (a, b) = (&nodes[0], &nodes[1]);
    let stars = |stars| Rated { stars };
    let row = |error: Error| match error.kind() {
        ErrorKind::Row { index, error } => (*index, error.to_string()),
        _ => panic!("{error}"),
    };
    let pairs = [(a, b, stars(1)), (b, a, stars(6))];
    let (index, text) = row(graph.connect_all(Hooked::RATED, pairs).await.unwrap_err());
    assert_eq!(index, 1);
    assert!(text.contains("`stars` is 6"), "{text}");
    let (index, text) = row(a
        .rated
        .connect_all([(b, stars(1)), (a, stars(0))])
        .await
        .unwrap_err());
    assert_eq!((index, text.as_str()), (1, "no stars"));
    assert!(a.rated.fetch().await.unwrap().is_empty());
    graph
        .connect_all(Hooked::RATED, [(a, b, stars(1)), (b, a, stars(5))])
        .await
        .unwrap();
    let error = a
        .rated
        .reconnect(b, a)
        .properties(stars(7))
        .await
        .unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Invalid { .. }), "{error}");
    let refused = graph
        .transaction(async |tx| a.rated.disconnect(b).on(&tx).await)
        .await;
    assert_eq!(refused.unwrap_err().to_string(), "not here");
    assert_eq!(a.rated.fetch().await.unwrap().len(), 1);
    a.rated.disconnect(b).await.unwrap();
    assert!(a.rated.fetch().await.unwrap().is_empty());
    calls(&prefix);
}
