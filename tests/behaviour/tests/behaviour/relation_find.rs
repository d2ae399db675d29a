//! `book.similar.find()`: questions about what one field leads to.

use crate::common::{Backend, on_every_backend};
use neo_ogm::prelude::*;
use neo_ogm::{Error, ErrorKind};

on_every_backend!(
    filters_orders_and_pages,
    loads_further_relationships,
    takes_away_what_passes,
    changes_what_is_carried,
    streams_with_back_pressure,
    sees_its_own_transaction,
);

#[derive(Node, Debug, Clone)]
#[node(label = "MgrBook")]
struct Book {
    #[node(key)]
    isbn: String,
    pages: Option<i64>,
    #[relationship(type = "MGR_SIMILAR")]
    similar: Many<Book, Similar>,
    #[relationship(type = "MGR_BY")]
    authors: OneOrMore<Author>,
}

#[derive(Node, Debug, Clone)]
#[node(label = "MgrAuthor")]
struct Author {
    #[node(key)]
    name: String,
    #[relationship(type = "MGR_BY", direction = "in")]
    books: Many<Book>,
}

#[relationship(type = "MGR_SIMILAR")]
#[derive(Debug, Clone, PartialEq)]
struct Similar {
    score: i64,
    note: Option<String>,
}

/// A book that leads to nine others: `n` of 1 to 9 has `10 n` pages, and the score `n % 3`.
async fn shelf(backend: &Backend, graph: &Graph) -> (Book, Vec<Book>) {
    let book = Book::new(backend.key("book"));
    book.save(graph).await.unwrap();
    let others: Vec<_> = (1..=9)
        .map(|n| {
            let mut other = Book::new(backend.key(&format!("other{n}")));
            other.pages = (n != 5).then_some(10 * n);
            other
        })
        .collect();
    graph.save_all(&others).await.unwrap();
    let ends = (1..).zip(&others).map(|(n, other)| {
        let similar = Similar {
            score: n % 3,
            note: None,
        };
        (other, similar)
    });
    book.similar.connect_all(ends).await.unwrap();
    (book, others)
}

fn pages(found: &[Related<Book, Similar>]) -> Vec<i64> {
    found
        .iter()
        .map(|related| related.node.pages.unwrap_or(0))
        .collect()
}

async fn filters_orders_and_pages(backend: Backend) {
    let graph = backend.graph().await;
    let (book, _) = shelf(&backend, &graph).await;
    let find = || book.similar.find();
    assert_eq!(find().all().await.unwrap().len(), 9);
    let ordered = find()
        .filter(Book::PAGES.gt(20))
        .filter_relationship(Similar::SCORE.ge(1))
        .order_by_relationship(Similar::SCORE.desc())
        .order_by(Book::PAGES.asc());
    assert_eq!(
        ordered.to_cypher(),
        "MATCH (a:MgrBook {isbn: $p0}) MATCH (a)-[r:MGR_SIMILAR]->(n:MgrBook) WHERE r.score >= $p1 \
         AND n.pages > $p2 RETURN properties(r) AS carried, n ORDER BY r.score DESC, n.pages"
    );
    assert_eq!(pages(&ordered.all().await.unwrap()), [80, 40, 70]);
    let excluded = find()
        .exclude(Book::PAGES.gt(20))
        .order_by(Book::PAGES.asc());
    // The one without pages is not long.
    assert_eq!(pages(&excluded.all().await.unwrap()), [10, 20, 0]);
    let page = find().order_by(Book::PAGES.desc()).skip(1).limit(2);
    assert_eq!(pages(&page.all().await.unwrap()), [90, 80]);
    let first = find().order_by(Book::PAGES.asc()).first().await.unwrap();
    assert_eq!(first.unwrap().node.pages, Some(10));
    let one = find().filter(Book::PAGES.eq(40)).one().await.unwrap();
    assert_eq!(one.unwrap().relationship.score, 1);
    let got = find().filter(Book::PAGES.eq(40)).get().await.unwrap();
    assert_eq!(got.node.pages, Some(40));
    let error = find().filter(Book::PAGES.eq(41)).get().await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::NothingFound { .. }),
        "{error}"
    );
    assert!(
        find()
            .filter(Book::PAGES.eq(41))
            .one()
            .await
            .unwrap()
            .is_none()
    );
    let error = find().one().await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::NotUnique { .. }),
        "{error}"
    );
    let scored = || find().filter_relationship(Similar::SCORE.eq(2));
    assert_eq!(scored().count().await.unwrap(), 3);
    assert!(scored().exists().await.unwrap());
    assert!(!find().filter(Book::PAGES.lt(1)).exists().await.unwrap());
    assert_eq!(scored().nodes().await.unwrap().len(), 3);
    let unsaved = Book::new("x");
    let error = unsaved.similar.find().all().await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::NotSaved { .. }),
        "{error}"
    );
}

async fn loads_further_relationships(backend: Backend) {
    let graph = backend.graph().await;
    let (book, others) = shelf(&backend, &graph).await;
    let author = Author::new(backend.key("author"));
    author.save(&graph).await.unwrap();
    graph
        .connect_all(Book::AUTHORS, others.iter().map(|other| (other, &author)))
        .await
        .unwrap();
    let found = book
        .similar
        .find()
        .order_by(Book::PAGES.asc())
        .limit(2)
        .load(Book::AUTHORS.then(Author::BOOKS))
        .all()
        .await
        .unwrap();
    assert_eq!(pages(&found), [10, 20]);
    let loaded = found[0].node.authors.get().unwrap().next().unwrap();
    assert_eq!(loaded.name, author.name);
    assert_eq!(loaded.books.get().unwrap().len(), 9);
    // A field whose relationships carry nothing.
    let written = author
        .books
        .find()
        .filter(Book::PAGES.le(20))
        .order_by(Book::PAGES.desc());
    let written = written.nodes().await.unwrap();
    assert_eq!(
        written.iter().map(|b| b.pages).collect::<Vec<_>>(),
        [Some(20), Some(10)]
    );
}

async fn takes_away_what_passes(backend: Backend) {
    let graph = backend.graph().await;
    let (book, others) = shelf(&backend, &graph).await;
    let taken = book
        .similar
        .find()
        .filter_relationship(Similar::SCORE.eq(1))
        .filter(Book::PAGES.gt(10));
    assert_eq!(taken.disconnect().await.unwrap(), 2);
    assert_eq!(book.similar.count().await.unwrap(), 7);
    let error = book.similar.find().limit(1).disconnect().await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::NotSupported { .. }),
        "{error}"
    );
    // The last of `OneOrMore` stays.
    let authors = [
        Author::new(backend.key("author0")),
        Author::new(backend.key("author1")),
    ];
    graph.save_all(&authors).await.unwrap();
    others[0].authors.connect_all(&authors).await.unwrap();
    let error = others[0].authors.find().disconnect().await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Cardinality { .. }),
        "{error}"
    );
    let name = Author::NAME.eq(authors[0].name.as_str());
    let one = others[0].authors.find().filter(name);
    assert_eq!(one.disconnect().await.unwrap(), 1);
    let none = others[0]
        .authors
        .find()
        .filter(Author::NAME.eq("nobody"))
        .disconnect();
    assert_eq!(none.await.unwrap(), 0);
    assert_eq!(others[0].authors.count().await.unwrap(), 1);
}

async fn changes_what_is_carried(backend: Backend) {
    let graph = backend.graph().await;
    let (book, _) = shelf(&backend, &graph).await;
    let changed = book
        .similar
        .find()
        .filter(Book::PAGES.ge(70))
        .update()
        .set(Similar::SCORE, 9)
        .set(Similar::NOTE, "long");
    assert_eq!(changed.await.unwrap(), 3);
    let nines = || {
        book.similar
            .find()
            .filter_relationship(Similar::SCORE.eq(9))
    };
    assert_eq!(nines().count().await.unwrap(), 3);
    assert_eq!(
        nines().update().remove(Similar::NOTE).await.unwrap(),
        3,
        "removed"
    );
    let found = nines().all().await.unwrap();
    assert!(
        found
            .iter()
            .all(|related| related.relationship.note.is_none())
    );
}

async fn streams_with_back_pressure(backend: Backend) {
    let graph = backend.graph().await;
    let (book, _) = shelf(&backend, &graph).await;
    let ordered = book.similar.find().order_by(Book::PAGES.asc());
    let mut stream = ordered.stream().await.unwrap();
    let mut found = Vec::new();
    while let Some(related) = stream.next().await {
        found.push(related.unwrap());
    }
    assert_eq!(pages(&found), [10, 20, 30, 40, 60, 70, 80, 90, 0]);
}

async fn sees_its_own_transaction(backend: Backend) {
    let graph = backend.graph().await;
    let (book, others) = shelf(&backend, &graph).await;
    let failed: Result<(), Error> = graph
        .transaction(async |tx| {
            book.similar.disconnect(&others[0]).on(&tx).await?;
            assert_eq!(book.similar.find().on(&tx).count().await?, 8);
            let all = book.similar.find().on(&tx).update().set(Similar::SCORE, 5);
            assert_eq!(all.await?, 8);
            Err(Error::abort("no"))
        })
        .await;
    failed.unwrap_err();
    let fives = book
        .similar
        .find()
        .filter_relationship(Similar::SCORE.eq(5));
    assert_eq!(fives.count().await.unwrap(), 0);
    assert_eq!(book.similar.count().await.unwrap(), 9);
}
