//! Connecting, replacing, disconnecting; what relationships carry.

use crate::common::on_every_backend;
use crate::common::{Account, Author, Backend, Book, Sample, Wrote};
use neo_ogm::ErrorKind;
use neo_ogm::prelude::*;

on_every_backend!(
    a_connect_carries_properties_and_repeats_safely,
    a_connect_needs_both_nodes,
    an_unsaved_node_has_nowhere_to_connect,
    keys_tell_parallel_relationships_apart,
    replace_leaves_only_the_new_one,
    disconnect_takes_away_and_repeats_safely,
    fetch_asks_for_what_was_not_loaded,
    both_directions_are_one_relationship,
);

async fn pair(backend: &Backend, graph: &Graph) -> (Book, Author) {
    let book = Book::new(backend.key("book"), "Anna Karenina");
    let author = Author::new(backend.key("author"));
    book.save(graph).await.unwrap();
    author.save(graph).await.unwrap();
    (book, author)
}

async fn connected(graph: &Graph, book: &Book) -> Vec<(String, i64)> {
    graph
        .cypher(
            "MATCH (:Book {isbn: $isbn})-[r:WRITTEN_BY]->(a) RETURN a.name, r.year ORDER BY r.year",
        )
        .param("isbn", book.isbn.as_str())
        .fetch(graph)
        .await
        .unwrap()
}

async fn a_connect_carries_properties_and_repeats_safely(backend: Backend) {
    let graph = backend.graph().await;
    let (book, author) = pair(&backend, &graph).await;
    book.author
        .connect(&author)
        .properties(Wrote { year: 1877 })
        .await
        .unwrap();
    book.author
        .connect(&author)
        .properties(Wrote { year: 1878 })
        .await
        .unwrap();
    assert_eq!(
        connected(&graph, &book).await,
        [(author.name.clone(), 1878)]
    );
}

async fn a_connect_needs_both_nodes(backend: Backend) {
    let graph = backend.graph().await;
    let (book, author) = pair(&backend, &graph).await;
    let ghost = Author::new(backend.key("ghost"));
    let error = book
        .author
        .connect(&ghost)
        .properties(Wrote { year: 1 })
        .await
        .unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::NodeNotFound { .. }),
        "{error}"
    );
    assert!(error.to_string().contains(&ghost.name), "{error}");
    book.delete(&graph).await.unwrap();
    let error = book
        .author
        .connect(&author)
        .properties(Wrote { year: 1 })
        .await
        .unwrap_err();
    assert!(error.to_string().contains(&book.isbn), "{error}");
    let error = book.similar.connect(&book).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::NodeNotFound { .. }),
        "{error}"
    );
}

async fn an_unsaved_node_has_nowhere_to_connect(backend: Backend) {
    let graph = backend.graph().await;
    let (_, author) = pair(&backend, &graph).await;
    let unsaved = Book::new(backend.key("unsaved"), "T");
    let error = unsaved
        .author
        .connect(&author)
        .properties(Wrote { year: 1 })
        .await
        .unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::NotSaved { .. }),
        "{error}"
    );
}

async fn keys_tell_parallel_relationships_apart(backend: Backend) {
    let graph = backend.graph().await;
    let (one, other) = (
        Account::new(backend.key("one")),
        Account::new(backend.key("other")),
    );
    one.save(&graph).await.unwrap();
    other.save(&graph).await.unwrap();
    for (day, value) in [(1, Some(0.5)), (2, None), (1, Some(1.5))] {
        one.samples
            .connect(&other)
            .properties(Sample { day, value })
            .await
            .unwrap();
    }
    let loaded = Account::find_by_name(one.name.as_str())
        .load(Account::SAMPLES)
        .one(&graph)
        .await;
    let loaded = loaded.unwrap().unwrap();
    let mut samples: Vec<_> = loaded
        .samples
        .related()
        .unwrap()
        .iter()
        .map(|r| r.relationship.clone())
        .collect();
    samples.sort_by_key(|sample| sample.day);
    let expected = [
        Sample {
            day: 1,
            value: Some(1.5),
        },
        Sample {
            day: 2,
            value: None,
        },
    ];
    assert_eq!(samples, expected);
}

async fn replace_leaves_only_the_new_one(backend: Backend) {
    let graph = backend.graph().await;
    let (book, first) = pair(&backend, &graph).await;
    let second = Author::new(backend.key("second"));
    second.save(&graph).await.unwrap();
    book.author
        .connect(&first)
        .properties(Wrote { year: 1 })
        .await
        .unwrap();
    for _ in 0..2 {
        book.author
            .replace(&second)
            .properties(Wrote { year: 2 })
            .await
            .unwrap();
        assert_eq!(connected(&graph, &book).await, [(second.name.clone(), 2)]);
    }
    let ghost = Author::new(backend.key("ghost"));
    book.author
        .replace(&ghost)
        .properties(Wrote { year: 3 })
        .await
        .unwrap_err();
    assert_eq!(connected(&graph, &book).await, [(second.name.clone(), 2)]);
}

async fn disconnect_takes_away_and_repeats_safely(backend: Backend) {
    let graph = backend.graph().await;
    let (book, _) = pair(&backend, &graph).await;
    let others: Vec<_> = (0..3)
        .map(|n| Book::new(backend.key(&format!("other{n}")), "T"))
        .collect();
    for other in &others {
        other.save(&graph).await.unwrap();
        book.similar.connect(other).await.unwrap();
    }
    for _ in 0..2 {
        book.similar.disconnect(&others[0]).await.unwrap();
        assert_eq!(book.similar.fetch().await.unwrap().len(), 2);
    }
    book.similar.disconnect_all().await.unwrap();
    assert!(book.similar.fetch().await.unwrap().is_empty());
}

async fn fetch_asks_for_what_was_not_loaded(backend: Backend) {
    let graph = backend.graph().await;
    let (book, author) = pair(&backend, &graph).await;
    let error = book.author.fetch().await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Cardinality { .. }),
        "{error}"
    );
    book.author
        .connect(&author)
        .properties(Wrote { year: 1 })
        .await
        .unwrap();
    assert_eq!(book.author.fetch().await.unwrap().name, author.name);
    let error = book.author.get().unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::NotLoaded { field: "author" }),
        "{error}"
    );
}

async fn both_directions_are_one_relationship(backend: Backend) {
    let graph = backend.graph().await;
    let (book, author) = pair(&backend, &graph).await;
    author
        .books
        .connect(&book)
        .properties(Wrote { year: 5 })
        .await
        .unwrap();
    assert_eq!(connected(&graph, &book).await, [(author.name.clone(), 5)]);
    assert_eq!(author.books.fetch().await.unwrap()[0].node.isbn, book.isbn);
}
