//! Eager loads, each level with its own filter, order and limit.

use super::{Volume, Writer, Wrote, library, mine, numbers};
use crate::common::{Backend, on_every_backend};
use neo_ogm::ErrorKind;

on_every_backend!(
    a_load_is_filtered,
    a_load_is_ordered_and_cut,
    nested_levels_are_ordered_and_cut,
    a_cycle_ends_where_it_was_told_to,
    found_nodes_are_loaded_in_one_query,
    a_set_has_each_node_once,
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

async fn found_nodes_are_loaded_in_one_query(backend: Backend) {
    let (graph, prefix) = library(&backend).await;
    let mut found = mine(&prefix)
        .order_by(Volume::ISBN.asc())
        .all(&graph)
        .await
        .unwrap();
    assert!(!found[0].writers.is_loaded());
    graph
        .load_into(&mut found, Volume::WRITERS.then(Writer::VOLUMES))
        .await
        .unwrap();
    let writers: Vec<_> = found
        .iter()
        .map(|v| v.writers.get().unwrap().len())
        .collect();
    assert_eq!(writers, [1, 1, 2, 0, 0]);
    let tolstoy = found[1].writers.get().unwrap().next().unwrap();
    assert_eq!(tolstoy.volumes.get().unwrap().len(), 2);
    // Ordered and cut, and in a transaction; the same node twice.
    let twice = [found[2].clone(), found[0].clone(), found[2].clone()];
    let loaded = graph
        .read_transaction(async |tx| {
            let mut twice = twice.clone();
            let youngest = Volume::WRITERS.order_by(Writer::BORN.desc()).limit(1);
            tx.load_into(&mut twice, youngest).await?;
            Ok(twice)
        })
        .await
        .unwrap();
    let born: Vec<_> = loaded
        .iter()
        .map(|v| v.writers.get().unwrap().next().unwrap().born)
        .collect();
    assert_eq!(born, [Some(1960), Some(1828), Some(1960)]);
    graph
        .load_into(&mut found[..0], Volume::WRITERS)
        .await
        .unwrap();
    graph.delete(&found[4]).await.unwrap();
    let error = graph
        .load_into(&mut found, Volume::WRITERS)
        .await
        .unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::NodeNotFound { .. }),
        "{error}"
    );
    assert!(error.to_string().contains(&found[4].isbn), "{error}");
}

async fn a_set_has_each_node_once(backend: Backend) {
    let (graph, prefix) = library(&backend).await;
    let set = mine(&prefix)
        .order_by(Volume::ISBN.asc())
        .load(
            Volume::WRITERS.then(
                Writer::VOLUMES
                    .order_by(Volume::ISBN.asc())
                    .then(Volume::LEADS_TO),
            ),
        )
        .shared(&graph)
        .await
        .unwrap();
    assert_eq!(
        (set.roots().count(), set.len(), set.is_empty()),
        (5, 8, false)
    );
    assert_eq!(
        (set.nodes::<Writer>().count(), set.nodes::<Volume>().count()),
        (3, 5)
    );
    let peace = set.roots().next().unwrap();
    let (tolstoy, wrote) = peace.related(Volume::WRITERS).unwrap().next().unwrap();
    assert_eq!(wrote.year, 1869);
    let anna = tolstoy.related(Writer::VOLUMES).unwrap().nth(1).unwrap().0;
    assert_eq!(anna, set.roots().nth(1).unwrap());
    let (again, _) = anna.related(Volume::WRITERS).unwrap().next().unwrap();
    assert!(again == tolstoy && std::ptr::eq(again.node(), tolstoy.node()));
    let (omens, leads) = anna.related(Volume::LEADS_TO).unwrap().next().unwrap();
    assert_eq!((omens.title.as_str(), leads.steps), ("Good Omens", 2));
    // What was loaded nowhere is an error, and what leads nowhere is empty.
    let emma = set.roots().nth(4).unwrap();
    assert_eq!(emma.related(Volume::WRITERS).unwrap().count(), 0);
    let error = emma.related(Volume::LEADS_TO).map(|_| ()).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::NotLoaded { field: "leads_to" }),
        "{error}"
    );
}
