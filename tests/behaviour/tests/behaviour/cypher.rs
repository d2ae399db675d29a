//! Raw Cypher into structs, and what does not fit.

use crate::common::on_every_backend;
use crate::common::{Author, Backend, Book, Wrote};
use neo_ogm::ErrorKind;
use neo_ogm::neo_bolt::value::Value;
use serde::Deserialize;

on_every_backend!(
    rows_become_what_is_asked_for,
    grouped_nodes_are_whole,
    what_does_not_fit_is_named,
);

async fn rows_become_what_is_asked_for(backend: Backend) {
    let graph = backend.graph().await;
    let book = Book::new(backend.key("book"), "T");
    let author = Author::new(backend.key("author"));
    graph.save(&book).await.unwrap();
    graph.save(&author).await.unwrap();
    book.author
        .connect(&author)
        .properties(Wrote { year: 1878 })
        .await
        .unwrap();
    let query = |what: &str| {
        let text = format!("MATCH (b:Book {{isbn: $isbn}})-[r:WRITTEN_BY]->(p) RETURN {what}");
        graph
            .cypher(text)
            .param("isbn", book.isbn.as_str())
            .read_only()
    };
    let rows: Vec<(Book, Wrote, Author)> = query("b, r, p").fetch(&graph).await.unwrap();
    assert_eq!(rows[0].0.isbn, book.isbn);
    assert_eq!(rows[0].1, Wrote { year: 1878 });
    assert_eq!(
        rows[0].0.author.fetch().await.unwrap().name,
        author.name,
        "it is bound"
    );
    let nodes: Vec<Author> = query("p").fetch(&graph).await.unwrap();
    assert_eq!(nodes[0].name, author.name);
    let mixed: Vec<(String, Option<i64>, Vec<Author>)> = query("b.title, b.pages, collect(p)")
        .fetch(&graph)
        .await
        .unwrap();
    assert_eq!(
        (mixed[0].0.as_str(), mixed[0].1, mixed[0].2.len()),
        ("T", None, 1)
    );
    let values: Vec<Value> = query("[1, 'a', null]").fetch(&graph).await.unwrap();
    assert_eq!(
        values[0],
        Value::List(vec![1.into(), "a".into(), Value::Null])
    );

    #[derive(Debug, Deserialize, PartialEq)]
    struct Plain {
        title: String,
        year: i32,
        pages: Option<u32>,
    }
    let plain: Vec<Plain> = query("b.title AS title, r.year AS year, b.pages AS pages")
        .fetch_as(&graph)
        .await
        .unwrap();
    assert_eq!(
        plain,
        [Plain {
            title: "T".to_owned(),
            year: 1878,
            pages: None
        }]
    );
}

/// The embedded engine reads no more of a node than a statement names, and must be told.
async fn grouped_nodes_are_whole(backend: Backend) {
    let graph = backend.graph().await;
    let mut book = Book::new(backend.key("book"), "T");
    book.pages = Some(3);
    let author = Author::new(backend.key("author"));
    graph.save(&book).await.unwrap();
    graph.save(&author).await.unwrap();
    book.author
        .connect(&author)
        .properties(Wrote { year: 1878 })
        .await
        .unwrap();
    for what in [
        "b, r, count(*)",
        "b, r, count(p) AS n ORDER BY b.title",
        "b, r, size(collect(p))",
    ] {
        let text = format!("MATCH (b:Book {{isbn: $isbn}})-[r:WRITTEN_BY]->(p) RETURN {what}");
        let query = graph.cypher(text).param("isbn", book.isbn.as_str());
        let rows: Vec<(Book, Wrote, i64)> = query.fetch(&graph).await.unwrap();
        assert_eq!(
            (rows[0].0.pages, rows[0].1.year, rows[0].2),
            (Some(3), 1878, 1),
            "{what}"
        );
    }
}

async fn what_does_not_fit_is_named(backend: Backend) {
    let graph = backend.graph().await;
    let isbn = backend.key("odd");
    graph
        .cypher("MERGE (b:Book {isbn: $isbn}) SET b.title = 5")
        .param("isbn", isbn.as_str())
        .execute(&graph)
        .await
        .unwrap();
    let error = Book::find_by_isbn(isbn.as_str())
        .one(&graph)
        .await
        .unwrap_err();
    let expected = format!("Book {{isbn: {isbn:?}}}.title: expected STRING, found INTEGER");
    assert_eq!(error.to_string(), expected);
    let query = |what: &str| {
        let text = format!("MATCH (b:Book {{isbn: $isbn}}) RETURN {what}");
        graph.cypher(text).param("isbn", isbn.as_str())
    };
    let error = query("b").fetch::<Author>(&graph).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains(":Author") && text.contains(":Book"), "{text}");
    let error = query("b.title AS t, 1 AS x")
        .fetch::<(String, i64)>(&graph)
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("t: expected STRING, found INTEGER"),
        "{error}"
    );
    let error = query("1 AS x, 2 AS y")
        .fetch::<i64>(&graph)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("2 columns (x, y)"), "{error}");
    let error = query("nonsense(1)").fetch::<i64>(&graph).await.unwrap_err();
    let code = error.code().unwrap();
    assert!(code.starts_with("Neo.ClientError.Statement."), "{error:?}");
    assert!(matches!(error.kind(), ErrorKind::Driver(_)));
    let error = graph
        .cypher("MATCH (b:Book {isbn: $isbn}) REMOVE b.title RETURN b")
        .param("isbn", isbn.as_str())
        .fetch::<Book>(&graph)
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(text.contains(".title: there is no such property"), "{text}");
    graph
        .cypher("MATCH (b:Book {isbn: $isbn}) DELETE b")
        .param("isbn", isbn.as_str())
        .execute(&graph)
        .await
        .unwrap();
}
