//! Shortest paths.

use super::{Leads, Volume, library};
use crate::common::{Backend, on_every_backend};
use neo_ogm::ErrorKind;
use neo_ogm::prelude::*;

on_every_backend!(
    a_shortest_path_is_found,
    there_may_be_several_or_none,
    missing_ends_are_told,
);

async fn volume(graph: &Graph, prefix: &str, number: u8) -> Volume {
    let found = Volume::find_by_isbn(format!("{prefix}{number}"));
    found.get(graph).await.unwrap()
}

async fn a_shortest_path_is_found(backend: Backend) {
    let (graph, prefix) = library(&backend).await;
    let first = volume(&graph, &prefix, 1).await;
    let last = volume(&graph, &prefix, 4).await;
    let search = || graph.shortest_path(&first, &last, Volume::LEADS_TO);
    let path = search().max_hops(5).await.unwrap().unwrap();
    let numbers: String = path.nodes().filter_map(|v| v.isbn.chars().last()).collect();
    assert_eq!(
        (numbers.as_str(), path.len(), path.is_empty()),
        ("1234", 3, false)
    );
    assert_eq!(path.end().title, "Beowulf");
    let steps: Vec<i64> = path.relationships().map(|leads| leads.steps).collect();
    assert_eq!(steps, [1, 2, 3]);
    // Without a bound; within a transaction, from a node that it found.
    let found = graph
        .read_transaction(async |tx| tx.shortest_path(&first, &last, Volume::LEADS_TO).await)
        .await
        .unwrap();
    assert_eq!(found.unwrap().len(), 3);
    assert!(search().max_hops(2).await.unwrap().is_none());
    let filtered = search().filter_relationship(Leads::STEPS.ne(2));
    assert!(filtered.await.unwrap().is_none());
    let filtered = search().filter(Volume::PAGES.gt(50).and(Volume::TITLE.ne("Good Omens")));
    assert!(filtered.await.unwrap().is_none());
    // Not against the direction, and from a node to itself without a step.
    let back = graph.shortest_path(&last, &first, Volume::LEADS_TO);
    assert!(back.await.unwrap().is_none());
    let here = graph
        .shortest_path(&first, &first, Volume::LEADS_TO)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (here.len(), here.end().title.as_str()),
        (0, "War and Peace")
    );
}

async fn there_may_be_several_or_none(backend: Backend) {
    let (graph, prefix) = library(&backend).await;
    let first = volume(&graph, &prefix, 1).await;
    let omens = volume(&graph, &prefix, 3).await;
    let emma = volume(&graph, &prefix, 5).await;
    let none = graph
        .shortest_path(&first, &emma, Volume::LEADS_TO)
        .all_shortest();
    assert!(none.await.unwrap().is_empty());
    let leads = |steps| Leads { steps };
    first
        .leads_to
        .connect(&emma)
        .properties(leads(8))
        .await
        .unwrap();
    emma.leads_to
        .connect(&omens)
        .properties(leads(9))
        .await
        .unwrap();
    let all = graph
        .shortest_path(&first, &omens, Volume::LEADS_TO)
        .max_hops(4)
        .all_shortest()
        .await
        .unwrap();
    let mut between: Vec<_> = all
        .iter()
        .map(|path| path.steps[0].node.title.as_str())
        .collect();
    between.sort_unstable();
    assert_eq!(between, ["Emma", "anna Karenina"]);
    assert!(all.iter().all(|path| path.len() == 2));
    // A condition does not only refuse the shortest: it finds the shortest of those that pass.
    first
        .leads_to
        .connect(&omens)
        .properties(leads(1))
        .await
        .unwrap();
    let search = || graph.shortest_path(&first, &omens, Volume::LEADS_TO);
    assert_eq!(search().await.unwrap().unwrap().len(), 1);
    let by_emma = search()
        .filter_relationship(Leads::STEPS.ge(8))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (by_emma.len(), by_emma.steps[0].node.title.as_str()),
        (2, "Emma")
    );
}

async fn missing_ends_are_told(backend: Backend) {
    let (graph, prefix) = library(&backend).await;
    let first = volume(&graph, &prefix, 1).await;
    let lost = Volume::new(format!("{prefix}lost"), "Lost", super::Kind::Novel);
    for search in [
        graph.shortest_path(&first, &lost, Volume::LEADS_TO),
        graph.shortest_path(&lost, &first, Volume::LEADS_TO),
        graph.shortest_path(&lost, &lost, Volume::LEADS_TO),
    ] {
        let error = search.await.unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::NodeNotFound { .. }),
            "{error}"
        );
        assert!(error.to_string().contains("lost"), "{error}");
    }
}
