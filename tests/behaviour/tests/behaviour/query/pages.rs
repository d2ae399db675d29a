//! Pages by number and by cursor.

use super::{Volume, library, mine, numbers};
use crate::common::{Backend, on_every_backend};
use neo_ogm::ErrorKind;
use neo_ogm::operation::Find;
use neo_ogm::prelude::*;
use neo_ogm::query::Order;

on_every_backend!(
    pages_by_number_know_the_total,
    cursors_go_there_and_back_in_every_order,
    a_cursor_stays_where_it_was,
    cursors_of_others_are_refused,
);

async fn pages_by_number_know_the_total(backend: Backend) {
    let (graph, prefix) = library(&backend).await;
    let books = || {
        mine(&prefix)
            .order_by(Volume::ISBN.asc())
            .load(Volume::WRITERS)
    };
    let second = books().page(2, 2, &graph).await.unwrap();
    assert_eq!(numbers(&second.nodes), "34");
    assert_eq!(
        (second.total, second.pages(), second.has_next()),
        (5, 3, true)
    );
    assert_eq!(second.nodes[0].writers.get().unwrap().len(), 2);
    let last = books().page(3, 2, &graph).await.unwrap();
    assert_eq!(
        (numbers(&last.nodes).as_str(), last.has_next()),
        ("5", false)
    );
    let beyond = books().page(9, 2, &graph).await.unwrap();
    assert_eq!((beyond.nodes.len(), beyond.total), (0, 5));
    let nothing = books().filter(Volume::TITLE.eq("none")).page(1, 2, &graph);
    let nothing = nothing.await.unwrap();
    assert_eq!(
        (nothing.nodes.len(), nothing.total, nothing.pages()),
        (0, 0, 0)
    );
    let walked = mine(&prefix)
        .follow(Volume::WRITERS)
        .follow(super::Writer::VOLUMES)
        .order_by(Volume::ISBN.asc())
        .page(1, 2, &graph)
        .await
        .unwrap();
    assert_eq!((numbers(&walked.nodes).as_str(), walked.total), ("12", 3));
}

/// All pages of `size` from the start to the end, then back again.
async fn walk(graph: &neo_ogm::Graph, find: &Find<Volume>, size: u32) -> (String, String) {
    let (mut there, mut back) = (String::new(), String::new());
    let mut page = find.clone().cursor_page(None, size, graph).await.unwrap();
    assert!(page.previous.is_none());
    there += &numbers(&page.nodes);
    while let Some(cursor) = &page.next {
        let cursor: Cursor = cursor.to_string().parse().unwrap();
        page = find
            .clone()
            .cursor_page(Some(&cursor), size, graph)
            .await
            .unwrap();
        assert!(!page.nodes.is_empty() && page.previous.is_some());
        there += &numbers(&page.nodes);
    }
    while let Some(cursor) = &page.previous {
        page = find
            .clone()
            .cursor_page(Some(cursor), size, graph)
            .await
            .unwrap();
        assert!(page.next.is_some());
        back = numbers(&page.nodes) + &back;
    }
    (there, back)
}

async fn cursors_go_there_and_back_in_every_order(backend: Backend) {
    let (graph, prefix) = library(&backend).await;
    let orders: Vec<(Vec<Order<Volume>>, &str)> = vec![
        (vec![], "12345"),
        (vec![Volume::ISBN.desc()], "54321"),
        (vec![Volume::TITLE.asc()], "45312"),
        // Ties, decided by the key; what is not there comes last, or first.
        (vec![Volume::KIND.asc()], "12354"),
        (vec![Volume::KIND.desc(), Volume::PAGES.asc()], "43215"),
        (vec![Volume::KIND.asc(), Volume::PAGES.desc()], "51234"),
        (vec![Volume::PUBLISHED.asc(), Volume::SOLD.desc()], "12345"),
        (vec![Volume::PUBLISHED.desc(), Volume::SOLD.desc()], "45321"),
        (vec![Volume::TITLE.lower().asc()], "24531"),
        (vec![Volume::WRITERS.count().desc()], "31245"),
        (vec![Volume::PRICE.desc(), Volume::ISBN.desc()], "51234"),
    ];
    for (order, expected) in orders {
        let shown = format!("{order:?}");
        let mut find = mine(&prefix);
        for step in order {
            find = find.order_by(step);
        }
        assert_eq!(numbers(&find.clone().all(&graph).await.unwrap()).len(), 5);
        for size in 1..=5 {
            let (there, back) = walk(&graph, &find, size).await;
            assert_eq!(there, expected, "{shown} by {size}");
            let last = expected.len() - (expected.len() - 1) % size as usize - 1;
            assert_eq!(back, expected[..last], "{shown} back by {size}");
        }
    }
}

async fn a_cursor_stays_where_it_was(backend: Backend) {
    let (graph, prefix) = library(&backend).await;
    let books = || mine(&prefix).order_by(Volume::PAGES.desc());
    let first = books().cursor_page(None, 2, &graph).await.unwrap();
    assert_eq!(numbers(&first.nodes), "51");
    // The node that the page ended with goes, and another comes before it.
    graph.delete(&first.nodes[1]).await.unwrap();
    let mut long = Volume::new(format!("{prefix}9"), "Long", super::Kind::Novel);
    long.pages = Some(9999);
    graph.save(&long).await.unwrap();
    let second = books()
        .cursor_page(first.next.as_ref(), 2, &graph)
        .await
        .unwrap();
    assert_eq!(numbers(&second.nodes), "23");
    let before = books()
        .cursor_page(second.previous.as_ref(), 5, &graph)
        .await
        .unwrap();
    assert_eq!(numbers(&before.nodes), "59");
}

async fn cursors_of_others_are_refused(backend: Backend) {
    let (graph, prefix) = library(&backend).await;
    let page = mine(&prefix)
        .order_by(Volume::TITLE.asc())
        .cursor_page(None, 2, &graph);
    let cursor = page.await.unwrap().next.unwrap();
    let refused = async |find: Find<Volume>, cursor: Option<&Cursor>| {
        let error = find.cursor_page(cursor, 2, &graph).await.unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::BadCursor { .. }),
            "{error}"
        );
    };
    refused(mine(&prefix), Some(&cursor)).await;
    refused(mine(&prefix).order_by(Volume::TITLE.desc()), Some(&cursor)).await;
    refused(mine(&prefix).order_by(random()), None).await;
    refused(mine(&prefix).order_by(Volume::TAGS.asc()), None).await;
    let error = super::Writer::find()
        .cursor_page(Some(&cursor), 2, &graph)
        .await
        .unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::BadCursor { .. }),
        "{error}"
    );
    let json = format!("{cursor:?}");
    assert!(json.starts_with("Cursor("), "{json}");
    for text in ["", "x", "') DETACH DELETE n //"] {
        assert!(text.parse::<Cursor>().is_err());
    }
}
