//! Aggregates over all, over groups and over related nodes.

use super::{Kind, Volume, Writer, library, mine};
use crate::common::{Backend, on_every_backend};
use neo_ogm::prelude::*;

on_every_backend!(
    aggregates_over_all,
    aggregates_over_nothing,
    groups_are_ordered_and_cut,
    aggregates_behind_a_limit_and_a_step,
);

async fn aggregates_over_all(backend: Backend) {
    let (graph, prefix) = library(&backend).await;
    let aggregates = mine(&prefix).aggregate((
        count(),
        Volume::PAGES.count(),
        Volume::PAGES.sum(),
        Volume::PAGES.avg(),
        Volume::PAGES.min(),
        Volume::TITLE.max(),
        Volume::PRICE.sum(),
        Volume::KIND.count_distinct(),
        Volume::PAGES.percentile(0.5),
        Volume::PAGES.std_dev(),
    ));
    let (all, with, pages, mean, least, last, price, kinds, median, deviation) =
        aggregates.get(&graph).await.unwrap();
    assert_eq!((all, with, pages, mean), (5, 4, 2489, Some(622.25)));
    assert_eq!((least, last.as_deref()), (Some(100), Some("anna Karenina")));
    assert_eq!((price, kinds, median), (622.25, 2, Some(582.0)));
    assert!((deviation - 515.86).abs() < 0.01, "{deviation}");
    let (mut titles, mut kinds) = mine(&prefix)
        .aggregate((Volume::TITLE.collect(), Volume::KIND.collect_distinct()))
        .get(&graph)
        .await
        .unwrap();
    titles.sort_unstable();
    kinds.sort_unstable();
    assert_eq!(titles[0], "Beowulf");
    assert_eq!((titles.len(), kinds), (5, vec![Kind::Novel, Kind::Poem]));
}

async fn aggregates_over_nothing(backend: Backend) {
    let (graph, prefix) = library(&backend).await;
    let nothing = mine(&prefix).filter(Volume::TITLE.eq("none"));
    let aggregates = nothing
        .aggregate((
            count(),
            Volume::PAGES.sum(),
            Volume::PRICE.sum(),
            Volume::PAGES.avg(),
            Volume::PUBLISHED.max(),
            Volume::TITLE.collect(),
            Volume::PAGES.std_dev(),
            Volume::PAGES.percentile(0.9),
        ))
        .get(&graph)
        .await
        .unwrap();
    assert_eq!(aggregates, (0, 0, 0.0, None, None, vec![], 0.0, None));
}

async fn groups_are_ordered_and_cut(backend: Backend) {
    let (graph, prefix) = library(&backend).await;
    let kinds = mine(&prefix)
        .group_by(Volume::KIND)
        .aggregate((count(), Volume::PAGES.max()))
        .order_by(count().desc())
        .all(&graph)
        .await
        .unwrap();
    assert_eq!(
        kinds,
        [(Kind::Novel, (4, Some(1225))), (Kind::Poem, (1, Some(100)))]
    );
    let groups = || {
        mine(&prefix)
            .group_by((Volume::KIND, Volume::TAGS.len()))
            .aggregate(Volume::PAGES.sum())
    };
    let small = groups()
        .having(count().le(1).and(Volume::PAGES.max().gt(500)))
        .order_by(Volume::TAGS.len().desc())
        .all(&graph)
        .await
        .unwrap();
    assert_eq!(small, [((Kind::Novel, 2), 1225), ((Kind::Novel, 1), 864)]);
    let second = groups()
        .order_by(Volume::PAGES.sum().desc())
        .skip(1)
        .first(&graph)
        .await
        .unwrap();
    assert_eq!(second, Some(((Kind::Novel, 1), 864)));
    // By what a relationship leads to.
    let by_writers = mine(&prefix)
        .group_by(Volume::WRITERS.to(Writer::BORN).count())
        .aggregate(count())
        .order_by(count().desc())
        .order_by(Volume::WRITERS.count().asc());
    let text = by_writers.to_cypher();
    assert!(text.contains("WITH x1 AS g0, count(n) AS a1"), "{text}");
}

async fn aggregates_behind_a_limit_and_a_step(backend: Backend) {
    let (graph, prefix) = library(&backend).await;
    let longest = mine(&prefix)
        .filter(Volume::PAGES.is_not_null())
        .order_by(Volume::PAGES.desc())
        .limit(2);
    let sum = longest
        .aggregate(Volume::PAGES.sum())
        .get(&graph)
        .await
        .unwrap();
    assert_eq!(sum, 1225 + 864);
    // Each writer once, though one wrote two of the books.
    let writers = mine(&prefix).follow(Volume::WRITERS);
    let (writers, born) = writers
        .aggregate((count(), Writer::BORN.min()))
        .get(&graph)
        .await
        .unwrap();
    assert_eq!((writers, born), (3, Some(1828)));
}
