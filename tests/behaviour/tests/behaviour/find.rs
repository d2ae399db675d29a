//! Typed finders, filters, orderings and eager loads.

use crate::common::on_every_backend;
use crate::common::{Author, Backend, Book, Wrote};
use neo_ogm::ErrorKind;
use neo_ogm::prelude::*;

on_every_backend!(
    filters_ask_what_they_say,
    filters_reach_through_relationships,
    order_skip_and_limit,
    one_first_count_and_exists,
    loads_come_along_nested,
    a_load_behind_a_limit_counts_nodes_not_rows,
);

/// Five books of two authors, all under one prefix.
async fn shelf(backend: &Backend) -> (Graph, String) {
    let graph = backend.graph().await;
    let prefix = backend.key("shelf");
    let authors = [("Tolstoy", 1828), ("Woolf", 1882)].map(|(name, born)| {
        let mut author = Author::new(format!("{prefix}{name}"));
        author.born = Some(born);
        author
    });
    for author in &authors {
        author.save(&graph).await.unwrap();
    }
    for (number, title, pages, author, year) in [
        (1, "War and Peace", Some(1225), Some(0), 1869),
        (2, "Anna Karenina", Some(864), Some(0), 1878),
        (3, "Mrs Dalloway", Some(194), Some(1), 1925),
        (4, "To the Lighthouse", None, Some(1), 1927),
        (5, "Beowulf", Some(300), None, 0),
    ] {
        let mut book = Book::new(format!("{prefix}{number}"), title);
        book.pages = pages;
        book.tags = if number < 3 {
            vec!["russian".to_owned()]
        } else {
            vec![]
        };
        book.save(&graph).await.unwrap();
        if let Some(author) = author {
            let wrote = Wrote { year };
            book.author
                .connect(&authors[author])
                .properties(wrote)
                .await
                .unwrap();
        }
    }
    (graph, prefix)
}

async fn titles(graph: &Graph, prefix: &str, filter: Filter<Book>) -> Vec<String> {
    let found = Book::find()
        .filter(Book::ISBN.starts_with(prefix))
        .filter(filter)
        .order_by(Book::TITLE.asc())
        .all(graph)
        .await
        .unwrap();
    found.into_iter().map(|book| book.title).collect()
}

async fn filters_ask_what_they_say(backend: Backend) {
    let (graph, prefix) = shelf(&backend).await;
    let cases: Vec<(Filter<Book>, &[&str])> = vec![
        (Book::TITLE.eq("Beowulf"), &["Beowulf"]),
        (
            Book::TITLE.ends_with("e"),
            &["To the Lighthouse", "War and Peace"],
        ),
        (Book::TITLE.contains("a K"), &["Anna Karenina"]),
        (Book::TITLE.contains_ignore_case("WAR"), &["War and Peace"]),
        (Book::TITLE.eq_ignore_case("beowulf"), &["Beowulf"]),
        (Book::TITLE.matches("M.*way"), &["Mrs Dalloway"]),
        (Book::TITLE.in_list(["Beowulf", "Emma"]), &["Beowulf"]),
        (Book::PAGES.ge(864), &["Anna Karenina", "War and Peace"]),
        (Book::PAGES.between(194, 300), &["Beowulf", "Mrs Dalloway"]),
        (Book::PAGES.is_null(), &["To the Lighthouse"]),
        (
            Book::PAGES.ne(300).and(Book::PAGES.lt(1000)),
            &["Anna Karenina", "Mrs Dalloway"],
        ),
        (
            Book::TAGS.has("russian"),
            &["Anna Karenina", "War and Peace"],
        ),
        (
            Book::PAGES
                .gt(1000)
                .or(Book::TITLE.starts_with("Beo").and(Book::PAGES.le(300))),
            &["Beowulf", "War and Peace"],
        ),
        (
            !Book::TITLE.contains("a").or(Book::PAGES.is_null()),
            &["Beowulf"],
        ),
        (Filter::any([]), &[]),
        (Filter::all([]).and(Book::TITLE.eq("Beowulf")), &["Beowulf"]),
    ];
    for (filter, expected) in cases {
        let shown = format!("{filter:?}");
        assert_eq!(titles(&graph, &prefix, filter).await, expected, "{shown}");
    }
}

async fn filters_reach_through_relationships(backend: Backend) {
    let (graph, prefix) = shelf(&backend).await;
    let cases: Vec<(Filter<Book>, &[&str])> = vec![
        (
            Book::AUTHOR.has(Author::BORN.lt(1850)),
            &["Anna Karenina", "War and Peace"],
        ),
        (Book::AUTHOR.is_empty(), &["Beowulf"]),
        (
            Book::AUTHOR
                .exists()
                .and(Book::PAGES.is_not_null().and(Book::PAGES.lt(900))),
            &["Anna Karenina", "Mrs Dalloway"],
        ),
        (
            Book::AUTHOR.has_relationship(Wrote::YEAR.gt(1925)),
            &["To the Lighthouse"],
        ),
        (
            Book::AUTHOR.has_both(Author::BORN.gt(1850), Wrote::YEAR.lt(1927)),
            &["Mrs Dalloway"],
        ),
        (
            Book::AUTHOR.has(Author::BOOKS.has(Book::TITLE.eq("War and Peace"))),
            &["Anna Karenina", "War and Peace"],
        ),
    ];
    for (filter, expected) in cases {
        let shown = format!("{filter:?}");
        assert_eq!(titles(&graph, &prefix, filter).await, expected, "{shown}");
    }
}

async fn order_skip_and_limit(backend: Backend) {
    let (graph, prefix) = shelf(&backend).await;
    let mine = || Book::find().filter(Book::ISBN.starts_with(prefix.as_str()));
    let page = mine()
        .order_by(Book::TITLE.desc())
        .skip(1)
        .limit(2)
        .all(&graph)
        .await
        .unwrap();
    let page: Vec<_> = page.iter().map(|book| book.title.as_str()).collect();
    assert_eq!(page, ["To the Lighthouse", "Mrs Dalloway"]);
    let by_pages = mine()
        .order_by(Book::PAGES.asc())
        .order_by(Book::TITLE.asc());
    let by_pages = by_pages.all(&graph).await.unwrap();
    let pages: Vec<_> = by_pages.iter().map(|book| book.pages).collect();
    assert_eq!(pages, [Some(194), Some(300), Some(864), Some(1225), None]);
}

async fn one_first_count_and_exists(backend: Backend) {
    let (graph, prefix) = shelf(&backend).await;
    let mine = || Book::find().filter(Book::ISBN.starts_with(prefix.as_str()));
    assert_eq!(mine().count(&graph).await.unwrap(), 5);
    assert_eq!(mine().limit(3).count(&graph).await.unwrap(), 3);
    assert!(mine().exists(&graph).await.unwrap());
    let none = || mine().filter(Book::TITLE.eq("Emma"));
    assert!(!none().exists(&graph).await.unwrap());
    assert_eq!(none().count(&graph).await.unwrap(), 0);
    assert!(none().one(&graph).await.unwrap().is_none());
    let error = mine().one(&graph).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::NotUnique { .. }),
        "{error}"
    );
    let first = mine()
        .order_by(Book::TITLE.asc())
        .first(&graph)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(first.title, "Anna Karenina");
}

async fn loads_come_along_nested(backend: Backend) {
    let (graph, prefix) = shelf(&backend).await;
    let books = Book::find()
        .filter(Book::ISBN.starts_with(prefix.as_str()))
        .order_by(Book::TITLE.asc())
        .load(Book::AUTHOR.then(Author::BOOKS))
        .load(Book::SIMILAR)
        .all(&graph)
        .await
        .unwrap();
    let anna = &books[0];
    let tolstoy = anna.author.get().unwrap();
    assert_eq!(tolstoy.born, Some(1828));
    assert_eq!(anna.author.relationship().unwrap().year, 1878);
    let mut others: Vec<_> = tolstoy
        .books
        .get()
        .unwrap()
        .map(|b| b.title.as_str())
        .collect();
    others.sort_unstable();
    assert_eq!(others, ["Anna Karenina", "War and Peace"]);
    assert_eq!(anna.similar.get().unwrap().len(), 0);
    let beowulf = &books[1];
    let error = beowulf.author.get().unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Cardinality { .. }),
        "{error}"
    );
    // A node that came along is bound like any other.
    let again = tolstoy.books.fetch().await.unwrap();
    assert_eq!(again.len(), 2);
}

async fn a_load_behind_a_limit_counts_nodes_not_rows(backend: Backend) {
    let (graph, prefix) = shelf(&backend).await;
    let authors = Author::find()
        .filter(Author::NAME.starts_with(prefix.as_str()))
        .order_by(Author::BORN.desc())
        .limit(1)
        .load(Author::BOOKS)
        .all(&graph)
        .await
        .unwrap();
    assert_eq!(authors.len(), 1);
    assert_eq!(authors[0].books.get().unwrap().len(), 2);
}
