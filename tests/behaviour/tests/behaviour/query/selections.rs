//! Tuples and structs instead of nodes.

use super::{Kind, Volume, Writer, Wrote, library, mine};
use crate::common::{Backend, on_every_backend};
use neo_ogm::prelude::*;
use serde::Deserialize;

on_every_backend!(
    tuples_keep_what_is_optional,
    selections_reach_through_relationships,
    each_row_once,
    serde_reads_by_name,
    projections_are_structs,
    rows_are_streamed,
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
    let titles = |pages: u32| {
        let found = mine(&prefix).filter(Volume::PAGES.eq(pages));
        found.select(Volume::TITLE).get(&graph)
    };
    assert_eq!(titles(100).await.unwrap(), "Beowulf");
    let error = titles(7).await.unwrap_err();
    assert!(
        matches!(error.kind(), neo_ogm::ErrorKind::NothingFound { .. }),
        "{error}"
    );
    let error = mine(&prefix).select(Volume::TITLE).get(&graph).await;
    let error = error.unwrap_err();
    assert!(
        matches!(error.kind(), neo_ogm::ErrorKind::NotUnique { .. }),
        "{error}"
    );
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

#[derive(Projection, Debug, PartialEq)]
#[projection(of = Volume)]
struct Shown {
    title: String,
    pages: Option<u32>,
    kind: Kind,
    #[projection(from = Volume::WRITERS.to((Writer::NAME, Writer::BORN)))]
    writers: Vec<(String, Option<i32>)>,
    #[projection(from = Volume::WRITERS.to(Writer::BORN).min())]
    oldest: Option<i32>,
}

async fn projections_are_structs(backend: Backend) {
    let (graph, prefix) = library(&backend).await;
    let shown = mine(&prefix)
        .order_by(Volume::ISBN.asc())
        .skip(1)
        .select_as::<Shown>();
    assert!(shown.to_cypher().contains("n.title AS title"), "{shown:?}");
    let shown = shown.first(&graph).await.unwrap().unwrap();
    let tolstoy = (format!("{prefix}Tolstoy"), Some(1828));
    let expected = Shown {
        title: "anna Karenina".to_owned(),
        pages: Some(864),
        kind: Kind::Novel,
        writers: vec![tolstoy],
        oldest: Some(1828),
    };
    assert_eq!(shown, expected);
    // What does not fit names the field.
    let broken = graph.cypher("MATCH (n:QueryBook {isbn: $isbn}) SET n.pages = 'many'");
    broken
        .param("isbn", format!("{prefix}2"))
        .execute(&graph)
        .await
        .unwrap();
    let error = mine(&prefix)
        .select_as::<Shown>()
        .all(&graph)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("pages"), "{error}");
}

async fn rows_are_streamed(backend: Backend) {
    let (graph, prefix) = library(&backend).await;
    let titles = mine(&prefix)
        .order_by(Volume::TITLE.asc())
        .select(Volume::TITLE);
    let mut rows = titles.stream(&graph).await.unwrap();
    let mut found = Vec::new();
    while let Some(title) = rows.next().await {
        found.push(title.unwrap());
    }
    assert_eq!(found.len(), 5);
    assert_eq!(found[0], "Beowulf");
}
