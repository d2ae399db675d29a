//! Filters and orders by what is computed.

use super::{Leads, Volume, Writer, Wrote, library, mine, numbers};
use crate::common::{Backend, on_every_backend};
use neo_ogm::ErrorKind;
use neo_ogm::prelude::*;

on_every_backend!(
    filters_compute,
    exclude_keeps_what_is_unknown,
    orders_compute,
    get_says_what_it_looked_for,
    relations_are_counted_and_all_asked,
    hops_reach_far,
);

async fn filters_compute(backend: Backend) {
    let (graph, prefix) = library(&backend).await;
    let cases: Vec<(Filter<Volume>, &str)> = vec![
        (Volume::SOLD.gt(Volume::PAGES), "12"),
        (Volume::SOLD.ne(Volume::PAGES), "123"),
        (Volume::SOLD.gt(Volume::PAGES * 1_u32 + 700_u32), "1"),
        ((Volume::PAGES / 3).eq(408), "1"),
        ((Volume::PAGES % 2).eq(1), "1"),
        (Volume::PAGES.or(0).lt(200), "45"),
        (Volume::TITLE.len().le(4), "5"),
        (Volume::TAGS.len().gt(1), "1"),
        (Volume::TAGS.has_any(["old", "war"]), "14"),
        (Volume::TAGS.has_all(["russian", "war"]), "1"),
        (Volume::TITLE.lower().starts_with("a"), "2"),
        (Volume::TITLE.starts_with_ignore_case("A"), "2"),
        (Volume::TITLE.ends_with_ignore_case("PEACE"), "1"),
        (Volume::TITLE.upper().eq("EMMA"), "5"),
        (Volume::PUBLISHED.year().eq(1878), "2"),
        (
            Volume::PUBLISHED
                .month()
                .ge(4)
                .and(Volume::PUBLISHED.day().lt(5)),
            "2",
        ),
        (Volume::PRICE.between(20.0, 80.0), "34"),
    ];
    for (filter, expected) in cases {
        let shown = format!("{filter:?}");
        let found = mine(&prefix).filter(filter).order_by(Volume::ISBN.asc());
        let found = found.all(&graph).await.unwrap();
        assert_eq!(numbers(&found), expected, "{shown}");
    }
}

async fn exclude_keeps_what_is_unknown(backend: Backend) {
    let (graph, prefix) = library(&backend).await;
    let ordered = || mine(&prefix).order_by(Volume::ISBN.asc());
    let excluded = ordered()
        .exclude(Volume::PAGES.gt(200))
        .all(&graph)
        .await
        .unwrap();
    assert_eq!(numbers(&excluded), "45");
    let negated = ordered()
        .filter(!Volume::PAGES.gt(200))
        .all(&graph)
        .await
        .unwrap();
    assert_eq!(numbers(&negated), "4");
}

async fn orders_compute(backend: Backend) {
    let (graph, prefix) = library(&backend).await;
    let by = async |order: Vec<neo_ogm::query::Order<Volume>>| {
        let mut find = mine(&prefix);
        for step in order {
            find = find.order_by(step);
        }
        numbers(&find.all(&graph).await.unwrap())
    };
    assert_eq!(by(vec![Volume::TITLE.asc()]).await, "45312");
    assert_eq!(by(vec![Volume::TITLE.lower().asc()]).await, "24531");
    assert_eq!(
        by(vec![Volume::TITLE.len().desc(), Volume::ISBN.asc()]).await,
        "12345"
    );
    assert_eq!(
        by(vec![Volume::WRITERS.count().desc(), Volume::ISBN.desc()]).await,
        "32154"
    );
    let newest = Volume::WRITERS.to(Writer::BORN).max();
    assert_eq!(by(vec![newest.desc(), Volume::ISBN.asc()]).await, "45312");
    let first = Volume::WRITERS.to_relationship(Wrote::YEAR).min();
    assert_eq!(by(vec![first.asc(), Volume::ISBN.asc()]).await, "12345");
    let mut shuffled: Vec<char> = by(vec![random()]).await.chars().collect();
    shuffled.sort_unstable();
    assert_eq!(shuffled, ['1', '2', '3', '4', '5']);
    // A limit cuts by the summary, and loads come along behind it.
    let most = mine(&prefix)
        .order_by(Volume::WRITERS.to(Writer::NAME).count().desc())
        .limit(1)
        .load(Volume::WRITERS)
        .all(&graph)
        .await
        .unwrap();
    assert_eq!(numbers(&most), "3");
    assert_eq!(most[0].writers.get().unwrap().len(), 2);
}

async fn get_says_what_it_looked_for(backend: Backend) {
    let (graph, prefix) = library(&backend).await;
    let emma = mine(&prefix).filter(Volume::TITLE.eq("Emma"));
    assert_eq!(emma.clone().get(&graph).await.unwrap().title, "Emma");
    assert!(emma.clone().exists(&graph).await.unwrap());
    let nothing = emma.filter(Volume::TITLE.eq("secret"));
    assert!(nothing.clone().get_or_none(&graph).await.unwrap().is_none());
    let error = nothing.get(&graph).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::NothingFound { .. }),
        "{error}"
    );
    let text = error.to_string();
    assert!(
        text.contains("n.title = $p1") && !text.contains("secret"),
        "{text}"
    );
    let error = mine(&prefix).get(&graph).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::NotUnique { .. }),
        "{error}"
    );
}

async fn relations_are_counted_and_all_asked(backend: Backend) {
    let (graph, prefix) = library(&backend).await;
    let cases: Vec<(Filter<Volume>, &str)> = vec![
        (Volume::WRITERS.count().ge(2), "3"),
        (Volume::WRITERS.count().eq(0), "45"),
        (Volume::WRITERS.count_of(Writer::BORN.gt(1950)).eq(1), "3"),
        (Volume::WRITERS.all(Writer::BORN.lt(1950)), "1245"),
        (
            Volume::WRITERS
                .exists()
                .and(Volume::WRITERS.all(Writer::BORN.lt(1950))),
            "12",
        ),
        (Volume::WRITERS.has(Writer::VOLUMES.count().gt(1)), "12"),
        (
            Volume::WRITERS.has(Writer::VOLUMES.all(Volume::PAGES.gt(800))),
            "12",
        ),
    ];
    for (filter, expected) in cases {
        let shown = format!("{filter:?}");
        let found = mine(&prefix).filter(filter).order_by(Volume::ISBN.asc());
        let found = found.all(&graph).await.unwrap();
        assert_eq!(numbers(&found), expected, "{shown}");
    }
}

async fn hops_reach_far(backend: Backend) {
    let (graph, prefix) = library(&backend).await;
    let poem = || Volume::TITLE.eq("Beowulf");
    let cases: Vec<(Filter<Volume>, &str)> = vec![
        (Volume::LEADS_TO.hops(1..=1).has(poem()), "3"),
        (Volume::LEADS_TO.hops(1..3).has(poem()), "23"),
        (Volume::LEADS_TO.hops(..).has(poem()), "123"),
        (Volume::LEADS_TO.hops(0..).has(poem()), "1234"),
        (Volume::LEADS_TO.hops(2..).exists(), "12"),
        (Volume::LEADS_TO.hops(2..).is_empty(), "345"),
        (Volume::LEADS_TO.hops(..).count().eq(3), "1"),
        (Volume::LEADS_TO.hops(..).all(Volume::PAGES.lt(500)), "2345"),
        (
            Volume::LEADS_TO
                .hops(..)
                .filter_relationship(Leads::STEPS.ge(2))
                .has(poem()),
            "23",
        ),
    ];
    for (filter, expected) in cases {
        let shown = format!("{filter:?}");
        let found = mine(&prefix).filter(filter).order_by(Volume::ISBN.asc());
        let found = found.all(&graph).await.unwrap();
        assert_eq!(numbers(&found), expected, "{shown}");
    }
}
