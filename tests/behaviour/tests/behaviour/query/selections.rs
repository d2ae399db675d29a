//! Tuples and structs instead of nodes.

use super::{Kind, Volume, Writer, Wrote, library, mine};
use crate::common::{Backend, on_every_backend};
use neo_ogm::query::{named, this};
use serde::Deserialize;

on_every_backend!(
    tuples_keep_what_is_optional,
    selections_reach_through_relationships,
    each_row_once,
    serde_reads_by_name,
);

async fn tuples_keep_what_is_optional(backend: Backend) {
    let (graph, prefix) = library(&backend).await;
    let select = mine(&prefix)
        .order_by(Volume::ISBN.desc())
        .limit(2)
        .select((Volume::TITLE, Volume::PAGES, Volume::KIND, Volume::TAGS));
    let rows: Vec<(String, Option<u32>, Kind, Vec<String>)> = select.all(&graph).await.unwrap();
    assert_eq!(
        rows,
        [
            ("Emma".to_owned(), None, Kind::Novel, vec![]),
            (
                "Beowulf".to_owned(),
                Some(100),
                Kind::Poem,
                vec!["old".to_owned()]
            ),
        ]
    );
    let one: Option<String> = mine(&prefix)
        .filter(Volume::PAGES.is_null())
        .select(Volume::TITLE.upper())
        .one(&graph)
        .await
        .unwrap();
    assert_eq!(one.as_deref(), Some("EMMA"));
    let computed: Option<(Option<i64>, Option<u32>, u32, i64)> = mine(&prefix)
        .order_by(Volume::ISBN.asc())
        .select((
            Volume::PUBLISHED.year(),
            Volume::SOLD - Volume::PAGES,
            Volume::PAGES.or(0),
            Volume::TITLE.len(),
        ))
        .first(&graph)
        .await
        .unwrap();
    assert_eq!(computed, Some((Some(1869), Some(775), 1225, 13)));
}

async fn selections_reach_through_relationships(backend: Backend) {
    let (graph, prefix) = library(&backend).await;
    let rows = mine(&prefix)
        .order_by(Volume::ISBN.asc())
        .select((
            this(),
            Volume::WRITERS.to(Writer::BORN).first(),
            Volume::WRITERS.to((Writer::BORN, Writer::VOLUMES.count())),
            Volume::WRITERS.to_relationship(Wrote::YEAR),
            Volume::WRITERS.to(Writer::BORN).avg(),
            Volume::WRITERS.to(Writer::BORN).sum(),
            Volume::WRITERS.to_relationship(Wrote::SHARE).sum(),
        ))
        .all(&graph)
        .await
        .unwrap();
    let (book, born, all, mut years, mean, sum, share) = rows[2].clone();
    assert_eq!(book.title, "Good Omens");
    assert!(matches!(born, Some(Some(1948 | 1960))));
    let mut all: Vec<(Option<i32>, i64)> = all;
    all.sort_unstable();
    assert_eq!(all, [(Some(1948), 1), (Some(1960), 1)]);
    years.sort_unstable();
    assert_eq!(years, [1989, 1990]);
    assert_eq!((mean, sum, share), (Some(1954.0), 3908, 0.5));
    let (book, born, all, years, mean, sum, share) = rows[4].clone();
    assert_eq!(book.title, "Emma");
    assert_eq!((born, all.len(), years.len()), (None, 0, 0));
    assert_eq!((mean, sum, share), (None, 0, 0.0));
}

async fn each_row_once(backend: Backend) {
    let (graph, prefix) = library(&backend).await;
    let kinds = mine(&prefix)
        .order_by(Volume::KIND.desc())
        .select(Volume::KIND)
        .distinct()
        .all(&graph)
        .await
        .unwrap();
    assert_eq!(kinds, [Kind::Poem, Kind::Novel]);
}

#[derive(Deserialize, Debug, PartialEq)]
struct Card {
    title: String,
    pages: Option<u32>,
    writer: Option<String>,
}

async fn serde_reads_by_name(backend: Backend) {
    let (graph, prefix) = library(&backend).await;
    let cards: Vec<Card> = mine(&prefix)
        .filter(Volume::TITLE.eq("War and Peace"))
        .select((
            Volume::PAGES,
            Volume::TITLE,
            named("writer", Volume::WRITERS.to(Writer::NAME).first()),
        ))
        .all_as(&graph)
        .await
        .unwrap();
    let writer = Some(format!("{prefix}Tolstoy"));
    let title = "War and Peace".to_owned();
    assert_eq!(
        cards,
        [Card {
            title,
            pages: Some(1225),
            writer
        }]
    );
}
