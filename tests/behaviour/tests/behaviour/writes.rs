//! Ways of writing one node besides save, insert and update.

use crate::common::{Backend, on_every_backend};
use neo_ogm::prelude::*;
use neo_ogm::{Error, ErrorKind};

on_every_backend!(
    get_or_create_leaves_a_node_as_it_is,
    racing_get_or_creates_make_one_node,
    create_or_update_tells_which_it_was,
    only_changes_are_written,
    changes_of_a_rolled_back_unit_are_written_again,
    changes_of_versioned_nodes_are_checked,
);

#[derive(Node, Debug, Clone, PartialEq)]
#[node(label = "WrittenBook", labels("WrittenThing"))]
struct Book {
    #[node(key)]
    id: String,
    title: String,
    pages: Option<i64>,
    tags: Vec<String>,
    #[node(optional_label = "WrittenFeatured")]
    featured: bool,
    #[relationship(type = "WRITTEN_SIMILAR")]
    similar: Many<Book>,
}

async fn get_or_create_leaves_a_node_as_it_is(backend: Backend) {
    let graph = backend.graph().await;
    let mut book = Book::new(backend.key("goc"), "First");
    book.featured = true;
    let (made, created) = book.get_or_create(&graph).await.unwrap();
    assert!(created);
    assert_eq!(made, book);
    made.similar.connect(&book).await.unwrap();
    book.title = "Second".to_owned();
    let (found, created) = graph.get_or_create(&book).await.unwrap();
    assert!(!created);
    assert_eq!(found.title, "First");
    let things: Vec<i64> = graph
        .cypher("MATCH (n:WrittenThing {id: $id}) RETURN count(n)")
        .param("id", book.id.as_str())
        .fetch(&graph)
        .await
        .unwrap();
    assert_eq!(things, [1]);
}

async fn racing_get_or_creates_make_one_node(backend: Backend) {
    let graph = backend.quick_graph().await;
    graph.apply_schema::<Book>().await.unwrap();
    let id = backend.key("race");
    let tasks = (0..8).map(|number| {
        let (graph, book) = (graph.clone(), Book::new(id.clone(), number.to_string()));
        tokio::spawn(async move { book.get_or_create(&graph).await.unwrap() })
    });
    let tasks: Vec<_> = tasks.collect();
    let mut titles = Vec::new();
    let mut made = 0;
    for task in tasks {
        let (book, created) = task.await.unwrap();
        made += usize::from(created);
        titles.push(book.title);
    }
    titles.dedup();
    assert_eq!((made, titles.len()), (1, 1));
}

async fn create_or_update_tells_which_it_was(backend: Backend) {
    let graph = backend.graph().await;
    let mut book = Book::new(backend.key("cou"), "First");
    assert!(book.create_or_update(&graph).await.unwrap());
    book.title = "Second".to_owned();
    assert!(!graph.create_or_update(&book).await.unwrap());
    let found = Book::find_by_id(book.id.as_str())
        .one(&graph)
        .await
        .unwrap();
    assert_eq!(found, Some(book));
}

async fn only_changes_are_written(backend: Backend) {
    let graph = backend.graph().await;
    let book = Book::new(backend.key("changes"), "First");
    graph.save(&book).await.unwrap();
    let find = || Book::find_by_id(book.id.as_str());
    let mut mine = find().one(&graph).await.unwrap().unwrap().tracked();
    assert!(mine.changed().is_empty());
    assert!(!mine.save_changes(&graph).await.unwrap());

    // Somebody else changes another property.
    let theirs = Book {
        pages: Some(7),
        ..book.clone()
    };
    graph.save(&theirs).await.unwrap();
    mine.title = "Second".to_owned();
    mine.tags.push("new".to_owned());
    assert_eq!(mine.changed(), ["tags", "title"]);
    assert!(mine.save_changes(&graph).await.unwrap());
    assert!(!mine.save_changes(&graph).await.unwrap());
    let now = find().one(&graph).await.unwrap().unwrap();
    assert_eq!(
        (now.title.as_str(), now.pages, now.tags.len()),
        ("Second", Some(7), 1)
    );

    let mut now = now.tracked();
    now.pages = None;
    now.featured = true;
    assert_eq!(now.changed(), ["pages"]);
    now.save_changes(&graph).await.unwrap();
    now.featured = false;
    assert!(now.changed().is_empty());
    assert!(now.save_changes(&graph).await.unwrap());
    let last = find().one(&graph).await.unwrap().unwrap();
    assert_eq!((last.pages, last.featured), (None, false));

    graph.delete(&last).await.unwrap();
    now.title = "Third".to_owned();
    let error = now.save_changes(&graph).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::NodeNotFound { .. }),
        "{error}"
    );
    // They are still to be written.
    assert_eq!(now.changed(), ["title"]);
    let book = now.into_inner();
    assert_eq!(book.title, "Third");
}

async fn changes_of_a_rolled_back_unit_are_written_again(backend: Backend) {
    let graph = backend.graph().await;
    let book = Book::new(backend.key("unit"), "First");
    graph.save(&book).await.unwrap();
    let mut book = book.tracked();
    book.title = "Second".to_owned();
    let failed = graph.transaction(async |tx| {
        assert!(book.save_changes(&tx).await?);
        assert!(!book.save_changes(&tx).await?);
        Err::<(), _>(Error::abort("no"))
    });
    failed.await.unwrap_err();
    assert_eq!(book.changed(), ["title"]);
    graph
        .transaction(async |tx| book.save_changes(&tx).await)
        .await
        .unwrap();
    assert!(book.changed().is_empty());
    let found = Book::find_by_id(book.id.as_str())
        .one(&graph)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.title, "Second");
}

#[derive(Node, Debug, Clone)]
#[node(label = "WrittenVersioned")]
struct Versioned {
    #[node(key)]
    id: String,
    a: i64,
    b: i64,
    #[node(version)]
    version: Version,
    #[node(updated_at)]
    updated: Timestamp,
}

async fn changes_of_versioned_nodes_are_checked(backend: Backend) {
    let graph = backend.graph().await;
    let node = Versioned::new(backend.key("versioned"), 1, 1);
    let (got, created) = node.get_or_create(&graph).await.unwrap();
    assert_eq!((got.version.get(), created), (Some(1), true));
    let mut first = got.clone().tracked();
    let mut second = got.tracked();
    first.a = 2;
    first.save_changes(&graph).await.unwrap();
    assert_eq!(first.version.get(), Some(2));
    second.b = 2;
    let error = second.save_changes(&graph).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::VersionConflict { .. }),
        "{error}"
    );
    second.refresh(&graph).await.unwrap();
    second.b = 3;
    second.save_changes(&graph).await.unwrap();
    let found = Versioned::find_by_id(node.id.as_str())
        .one(&graph)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((found.a, found.b, found.version.get()), (2, 3, Some(3)));
    assert_eq!(found.updated.get(), second.updated.get());
}
