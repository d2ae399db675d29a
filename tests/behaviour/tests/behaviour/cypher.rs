//! Raw Cypher into structs, and what does not fit.

use crate::common::on_every_backend;
use std::collections::{BTreeMap, HashMap};

use crate::common::{Author, Backend, Book, Genre, Wrote};
use neo_ogm::ErrorKind;
use neo_ogm::neo_bolt::value::Value;
use neo_ogm::prelude::*;
use serde::{Deserialize, Serialize};

on_every_backend!(
    rows_become_what_is_asked_for,
    grouped_nodes_are_whole,
    what_does_not_fit_is_named,
    rows_may_be_one_or_none,
    rows_come_as_a_stream,
    parameters_come_from_structs_and_nodes,
    maps_lists_and_paths_are_read,
    rows_and_summary_come_together,
    plans_are_shown,
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

#[derive(Debug, Deserialize, PartialEq)]
struct Row {
    n: i64,
}

async fn rows_may_be_one_or_none(backend: Backend) {
    let graph = backend.graph().await;
    let query = |rows: i64| {
        let query = graph.cypher("UNWIND range(1, $rows) AS n RETURN n");
        query.param("rows", rows)
    };
    assert_eq!(query(0).one::<i64>(&graph).await.unwrap(), None);
    assert_eq!(query(1).one::<i64>(&graph).await.unwrap(), Some(1));
    let error = query(2).one::<i64>(&graph).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Rows { found: 2, .. }),
        "{error}"
    );
    assert_eq!(query(0).first::<i64>(&graph).await.unwrap(), None);
    assert_eq!(query(3).first::<i64>(&graph).await.unwrap(), Some(1));
    assert_eq!(query(1).get::<i64>(&graph).await.unwrap(), 1);
    let error = query(0).get::<i64>(&graph).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected exactly one row, and the statement gave 0"
    );
    assert_eq!(
        query(2).fetch_as::<Row>(&graph).await.unwrap()[1],
        Row { n: 2 }
    );
    let nothing: Option<String> = graph.cypher("RETURN null").get(&graph).await.unwrap();
    assert_eq!(nothing, None);
}

async fn rows_come_as_a_stream(backend: Backend) {
    let graph = backend.graph().await;
    let query = graph.cypher("UNWIND range(1, 5000) AS n RETURN n, toString(n)");
    let mut rows = query.clone().stream::<(i64, String)>(&graph).await.unwrap();
    let mut count = 0;
    while let Some(row) = rows.next().await {
        let (n, text) = row.unwrap();
        count += 1;
        assert_eq!((n, text), (count, count.to_string()));
    }
    assert_eq!(count, 5000);
    // Within a transaction, and beside another statement of it.
    let text = graph
        .transaction(async |tx| {
            let mut rows = query.clone().stream::<(i64, String)>(&tx).await?;
            let first = rows.next().await.transpose()?;
            let two: i64 = tx.cypher("RETURN 2").get(&tx).await?;
            Ok((first, two, rows.next().await.transpose()?))
        })
        .await
        .unwrap();
    assert_eq!(
        text,
        (Some((1, "1".to_owned())), 2, Some((2, "2".to_owned())))
    );
    // A row that does not fit is an error of its own.
    let query = graph.cypher("UNWIND [1, 'two', 3] AS n RETURN n");
    let mut rows = query.stream::<i64>(&graph).await.unwrap();
    let mut seen = Vec::new();
    while let Some(row) = rows.next().await {
        seen.push(row.ok());
    }
    assert_eq!(seen, [Some(1), None, Some(3)]);
}

#[derive(Serialize)]
struct Search<'a> {
    isbn: &'a str,
    pages: Option<u32>,
    tags: Vec<String>,
}

async fn parameters_come_from_structs_and_nodes(backend: Backend) {
    let graph = backend.graph().await;
    let mut books = [
        Book::new(backend.key("one"), "T"),
        Book::new(backend.key("two"), "U"),
    ];
    books[0].published = Some(Date::from_ymd(1878, 4, 1).unwrap());
    books[1].tags = vec!["x".to_owned()];
    let summary = graph
        .cypher("UNWIND $books AS row MERGE (b:Book {isbn: row.isbn}) SET b += row")
        .nodes("books", &books)
        .idempotent()
        .execute(&graph)
        .await
        .unwrap();
    assert_eq!(summary.counters().nodes_created(), 2);
    let found = Book::find_by_isbn(books[0].isbn.as_str()).one(&graph).await;
    assert_eq!(found.unwrap().unwrap().published, books[0].published);
    let search = Search {
        isbn: &books[1].isbn,
        pages: None,
        tags: vec!["x".to_owned()],
    };
    let title: String = graph
        .cypher(
            "MATCH (b:Book {isbn: $isbn}) WHERE $pages IS NULL AND b.tags = $tags RETURN b.title",
        )
        .params(&search)
        .get(&graph)
        .await
        .unwrap();
    assert_eq!(title, "U");
    // Every kind of property is a parameter.
    let id = Uuid::now_v7();
    let query = graph.cypher("RETURN $id, $genre, $date, $none, $map.a, $book.title");
    let row: (Uuid, Genre, Date, Option<i64>, i64, String) = query
        .param("id", id)
        .param("genre", Genre::Novel)
        .param("date", Date::from_ymd(2026, 11, 24).unwrap())
        .param("none", None::<i64>)
        .param("map", HashMap::from([("a", 1)]))
        .node("book", &books[0])
        .get(&graph)
        .await
        .unwrap();
    assert_eq!(
        (row.0, row.1, row.4, row.5.as_str()),
        (id, Genre::Novel, 1, "T")
    );
    // What can't be sent is told when it would be.
    let query = graph.cypher("RETURN $n").param("n", u64::MAX);
    let error = query.execute(&graph).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Encode(_)), "{error}");
}

async fn maps_lists_and_paths_are_read(backend: Backend) {
    let graph = backend.graph().await;
    let book = Book::new(backend.key("book"), "T");
    let author = Author::new(backend.key("author"));
    graph.save(&book).await.unwrap();
    graph.save(&author).await.unwrap();
    let connect = book.author.connect(&author);
    connect.properties(Wrote { year: 1878 }).await.unwrap();
    let query = |what: &str| {
        let text = format!("MATCH p = (b:Book {{isbn: $isbn}})-[r:WRITTEN_BY]->(a) RETURN {what}");
        graph.cypher(text).param("isbn", book.isbn.as_str())
    };
    let map: HashMap<String, Vec<Author>> =
        query("{authors: collect(a)}").get(&graph).await.unwrap();
    assert_eq!(map["authors"][0].name, author.name);
    let map: BTreeMap<String, i64> = query("{year: r.year}").get(&graph).await.unwrap();
    assert_eq!(map["year"], 1878);
    let path: neo_ogm::neo_bolt::value::Path = query("p").get(&graph).await.unwrap();
    assert_eq!(path.segments.len(), 1);
    let (carried, authors): (Vec<Wrote>, Vec<Author>) =
        query("relationships(p), [n IN nodes(p) WHERE n.isbn IS NULL]")
            .get(&graph)
            .await
            .unwrap();
    assert_eq!(
        (carried[0].year, authors[0].name.as_str()),
        (1878, author.name.as_str())
    );
    let missing: (Option<Author>, Option<Wrote>) = graph
        .cypher("OPTIONAL MATCH (:Book {isbn: 'none'})-[r:WRITTEN_BY]->(a) RETURN a, r")
        .get(&graph)
        .await
        .unwrap();
    assert!(missing.0.is_none() && missing.1.is_none());
    let error = query("{year: 'x'}")
        .get::<HashMap<String, i64>>(&graph)
        .await;
    let text = error.unwrap_err().to_string();
    assert!(text.contains("\"year\": expected INTEGER"), "{text}");
}

async fn rows_and_summary_come_together(backend: Backend) {
    let graph = backend.graph().await;
    let query = graph.cypher("MERGE (a:Author {name: $name}) RETURN a, 1 AS one");
    let result = query
        .param("name", backend.key("both"))
        .result(&graph)
        .await
        .unwrap();
    assert_eq!(
        (result.len(), result.columns()),
        (1, &["a".to_owned(), "one".to_owned()][..])
    );
    let rows: Vec<(Author, i64)> = result.rows().unwrap();
    assert_eq!(rows[0].1, 1);
    assert_eq!(result.summary().counters().nodes_created(), 1);
    // What the server has to say to a statement.
    let summary = graph
        .cypher("MATCH (n:NoSuchLabelAnywhere) RETURN n")
        .execute(&graph)
        .await
        .unwrap();
    assert_eq!(summary.notifications().is_empty(), backend.is_embedded());
}

async fn plans_are_shown(backend: Backend) {
    let graph = backend.graph().await;
    let query = || {
        let query = graph.cypher("MATCH (b:Book {isbn: $isbn}) RETURN b.title");
        query.param("isbn", backend.key("plan")).read_only()
    };
    let (plan, profile) = (query().explain(&graph).await, query().profile(&graph).await);
    if backend.is_embedded() {
        for error in [plan.unwrap_err(), profile.unwrap_err()] {
            assert!(error.to_string().contains("does not have"), "{error}");
        }
        return;
    }
    assert!(plan.unwrap().operator_type().starts_with("ProduceResults"));
    let profile = profile.unwrap();
    assert!(profile.operator_type().starts_with("ProduceResults") && profile.rows() == 0);
}
