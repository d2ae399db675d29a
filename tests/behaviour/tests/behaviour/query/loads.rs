//! Eager loads, each level with its own filter, order and limit.

use super::{Volume, Writer, Wrote, library, mine, numbers};
use crate::common::{Backend, on_every_backend};

on_every_backend!(
    a_load_is_filtered,
    a_load_is_ordered_and_cut,
    nested_levels_are_ordered_and_cut,
    a_cycle_ends_where_it_was_told_to,
);

async fn a_load_is_filtered(backend: Backend) {
    let (graph, prefix) = library(&backend).await;
    let find = mine(&prefix)
        .order_by(Volume::ISBN.asc())
        .load(Volume::WRITERS.filter(Writer::BORN.gt(1950)))
        .load(Volume::LEADS_TO.filter(Volume::WRITERS.has_relationship(Wrote::YEAR.gt(1900))));
    assert_eq!(
        find.to_cypher().matches("MATCH").count(),
        2,
        "one pattern, and one in EXISTS"
    );
    let found = find.all(&graph).await.unwrap();
    let writers: Vec<_> = found
        .iter()
        .map(|v| v.writers.get().unwrap().len())
        .collect();
    assert_eq!(writers, [0, 0, 1, 0, 0]);
    let next: Vec<_> = found
        .iter()
        .map(|v| v.leads_to.get().unwrap().len())
        .collect();
    assert_eq!(next, [0, 1, 0, 0, 0]);
}

async fn a_load_is_ordered_and_cut(backend: Backend) {
    let (graph, prefix) = library(&backend).await;
    let writers = || {
        Writer::find()
            .filter(Writer::NAME.starts_with(prefix.as_str()))
            .order_by(Writer::NAME.desc())
    };
    let found = writers()
        .load(Writer::VOLUMES.order_by(Volume::PAGES.asc()).limit(1))
        .all(&graph)
        .await
        .unwrap();
    let titles: Vec<Vec<&str>> = found
        .iter()
        .map(|w| w.volumes.get().unwrap().map(|v| v.title.as_str()).collect())
        .collect();
    assert_eq!(
        titles,
        [
            vec!["anna Karenina"],
            vec!["Good Omens"],
            vec![],
            vec!["Good Omens"]
        ]
    );
    let tolstoy = writers()
        .limit(1)
        .load(
            Writer::VOLUMES
                .order_by_relationship(Wrote::YEAR.desc())
                .skip(1)
                .filter_relationship(Wrote::YEAR.lt(1900)),
        )
        .all(&graph)
        .await
        .unwrap();
    let years: Vec<_> = tolstoy[0]
        .volumes
        .related()
        .unwrap()
        .iter()
        .map(|r| r.relationship.year)
        .collect();
    assert_eq!(years, [1869]);
}

async fn nested_levels_are_ordered_and_cut(backend: Backend) {
    let (graph, prefix) = library(&backend).await;
    let find = mine(&prefix)
        .order_by(Volume::ISBN.asc())
        .load(
            Volume::WRITERS
                .order_by(Writer::BORN.desc())
                .then(
                    Writer::VOLUMES
                        .order_by(Volume::PAGES.asc())
                        .limit(1)
                        .then(Volume::LEADS_TO),
                )
                .then(Writer::VOLUMES.filter(Volume::PAGES.gt(1000))),
        )
        .load(Volume::LEADS_TO.limit(5).then(Volume::WRITERS));
    let found = find.clone().all(&graph).await.unwrap();
    assert_eq!(numbers(&found), "12345");
    let omens = &found[2];
    let born: Vec<_> = omens.writers.get().unwrap().map(|w| w.born).collect();
    assert_eq!(born, [Some(1960), Some(1948)]);
    let writers: Vec<_> = found[0].writers.get().unwrap().collect();
    // The second load of the same field is what stays.
    let long: Vec<_> = writers[0]
        .volumes
        .get()
        .unwrap()
        .map(|v| v.title.as_str())
        .collect();
    assert_eq!(long, ["War and Peace"]);
    let next = omens.leads_to.get().unwrap().next().unwrap();
    assert_eq!(next.title, "Beowulf");
    assert_eq!(next.writers.get().unwrap().len(), 0);
    assert_eq!(found[4].writers.get().unwrap().len(), 0);
    // With a limit of its own on the nodes.
    let paged = find.skip(1).limit(2).all(&graph).await.unwrap();
    assert_eq!(numbers(&paged), "23");
    assert_eq!(paged[1].writers.get().unwrap().len(), 2);
}

async fn a_cycle_ends_where_it_was_told_to(backend: Backend) {
    let (graph, prefix) = library(&backend).await;
    let book = Volume::find_by_isbn(format!("{prefix}2"))
        .load(
            Volume::WRITERS.then(
                Writer::VOLUMES
                    .order_by(Volume::ISBN.asc())
                    .then(Volume::WRITERS),
            ),
        )
        .get(&graph)
        .await
        .unwrap();
    let writer = book.writers.get().unwrap().next().unwrap();
    let again: Vec<_> = writer.volumes.get().unwrap().collect();
    assert_eq!(again.len(), 2);
    let end = again[1].writers.get().unwrap().next().unwrap();
    assert_eq!(end.name, writer.name);
    assert!(!end.volumes.is_loaded());
}
