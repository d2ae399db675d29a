//! Many nodes and many relationships at once.

use std::sync::Mutex;

use crate::common::{Backend, on_every_backend};
use neo_ogm::prelude::*;
use neo_ogm::{Error, ErrorKind};
use neo_test_support::Message;
use neo_test_support::proxy::{Action, Proxy, When};

on_every_backend!(
    saves_make_and_update,
    each_batch_is_one_round_trip,
    inserts_refuse_what_is_there,
    updates_want_what_is_there,
    deletes_take_relationships_along,
    pairs_of_any_nodes_are_connected,
    a_missing_end_names_its_pair,
    bounds_hold_within_a_batch_too,
    a_constraint_names_its_row,
    a_value_that_can_not_be_sent_names_its_row,
    earlier_batches_stay_and_progress_is_told,
    a_transaction_takes_all_or_nothing,
    batches_beside_each_other,
    a_lost_commit_counts_once,
);

#[derive(Node, Debug, Clone)]
#[node(label = "BulkBook")]
struct Book {
    #[node(key)]
    isbn: String,
    #[node(unique)]
    shelf: Option<String>,
    pages: Option<i64>,
    #[relationship(type = "BULK_BY")]
    author: One<Author, Wrote>,
    #[relationship(type = "BULK_SIMILAR")]
    similar: Many<Book>,
}

#[derive(Node, Debug, Clone)]
#[node(label = "BulkAuthor")]
struct Author {
    #[node(key)]
    name: String,
    #[node(key)]
    born: i64,
    #[relationship(type = "BULK_BY", direction = "in")]
    books: Many<Book, Wrote>,
    #[relationship(type = "BULK_DESK")]
    desk: ZeroOrOne<Desk>,
}

#[derive(Node, Debug, Clone)]
#[node(label = "BulkDesk")]
struct Desk {
    #[node(key)]
    number: String,
    #[relationship(type = "BULK_DESK", direction = "in")]
    author: ZeroOrOne<Author>,
}

/// A number that may not fit.
#[derive(Node, Debug, Clone)]
#[node(label = "BulkWide")]
struct Wide {
    #[node(key)]
    id: String,
    number: u64,
}

#[relationship(type = "BULK_BY")]
#[derive(Debug, Clone, PartialEq)]
struct Wrote {
    year: i64,
}

async fn prepared(backend: &Backend) -> Graph {
    // One after the other: who looks while a constraint is being made sees half of it.
    static APPLYING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let graph = backend.quick_graph().await;
    let _one = APPLYING.lock().await;
    graph
        .apply_schema::<(Book, Author, Desk, Wide)>()
        .await
        .unwrap();
    graph
}

fn books(backend: &Backend, count: usize) -> Vec<Book> {
    (0..count)
        .map(|n| {
            let mut book = Book::new(backend.key(&format!("book{n:05}")));
            book.pages = i64::try_from(n).ok();
            book
        })
        .collect()
}

fn mine(backend: &Backend) -> neo_ogm::query::Filter<Book> {
    Book::ISBN.starts_with(backend.key("book"))
}

fn row(error: &Error) -> (usize, &ErrorKind) {
    match error.kind() {
        ErrorKind::Row { index, error } => (*index, error.kind()),
        _ => panic!("{error}"),
    }
}

async fn saves_make_and_update(backend: Backend) {
    let graph = prepared(&backend).await;
    let mut books = books(&backend, 250);
    graph.save_all(&books[..100]).await.unwrap();
    for book in &mut books {
        book.pages = book.pages.map(|pages| pages * 2);
    }
    graph.save_all(&books).batch_size(60).await.unwrap();
    let found = Book::find()
        .filter(mine(&backend))
        .order_by(Book::ISBN.asc())
        .all(&graph)
        .await
        .unwrap();
    assert_eq!(found.len(), 250);
    assert!(found.iter().zip(0..).all(|(b, n)| b.pages == Some(2 * n)));
    // Each knows its database from then on.
    books[249].similar.connect(&books[0]).await.unwrap();
    // The later of two wins, and nothing is nothing.
    let mut twin = books[3].clone();
    twin.pages = None;
    graph.save_all([&books[3], &twin]).await.unwrap();
    let one = Book::find_by_isbn(twin.isbn.as_str());
    assert_eq!(one.one(&graph).await.unwrap().unwrap().pages, None);
    graph.save_all(Vec::<&Book>::new()).await.unwrap();
}

async fn proxied(backend: &Backend) -> (Proxy, Graph) {
    let address = backend.address().await;
    let proxy = Proxy::start(&address).expect("the proxy starts");
    let graph = backend.graph_through(&proxy.uri()).await;
    (proxy, graph.expect("the way is free"))
}

async fn each_batch_is_one_round_trip(backend: Backend) {
    prepared(&backend).await;
    let (proxy, graph) = proxied(&backend).await;
    let books = books(&backend, 90);
    let author = Author::new(backend.key("author"), 1828);
    author.save(&graph).await.unwrap();
    macro_rules! costs {
        ($trips:literal, $operation:expr) => {{
            proxy.reset_counts();
            $operation.await.unwrap();
            let counted = proxy.counts();
            assert_eq!(counted.round_trips, $trips, "{:?}", proxy.trace());
            assert_eq!(counted.of(Message::Run), $trips);
        }};
    }
    costs!(1, graph.save_all(&books));
    costs!(3, graph.save_all(&books).batch_size(30));
    costs!(1, graph.update_all(&books));
    let pairs = books.iter().map(|book| (book, &author, Wrote { year: 1 }));
    costs!(1, graph.connect_all(Book::AUTHOR, pairs));
    costs!(1, books[0].similar.connect_all(&books));
    costs!(1, books[0].similar.replace_all(&books[1..]));
    costs!(1, graph.delete_all(&books));
    costs!(1, graph.insert_all(&books));
}

async fn inserts_refuse_what_is_there(backend: Backend) {
    let graph = prepared(&backend).await;
    let books = books(&backend, 30);
    graph.insert_all(&books[..10]).await.unwrap();
    let error = graph.insert_all(&books[9..]).await.unwrap_err();
    let (index, kind) = row(&error);
    assert_eq!(index, 0);
    assert!(matches!(kind, ErrorKind::AlreadyExists { .. }), "{error}");
    assert!(error.to_string().contains(&books[9].isbn), "{error}");
    let mut twice: Vec<_> = books[10..20].iter().collect();
    twice.push(&books[12]);
    let error = graph.insert_all(twice).await.unwrap_err();
    assert_eq!(row(&error).0, 10, "{error}");
    let count = Book::find().filter(mine(&backend)).count(&graph);
    assert_eq!(count.await.unwrap(), 10, "both batches left nothing");
    graph.insert_all(&books[10..]).await.unwrap();
}

async fn updates_want_what_is_there(backend: Backend) {
    let graph = prepared(&backend).await;
    let mut books = books(&backend, 20);
    graph.save_all(&books[..19]).await.unwrap();
    for book in &mut books {
        book.pages = Some(1000);
    }
    let error = graph.update_all(&books).await.unwrap_err();
    let (index, kind) = row(&error);
    assert_eq!(index, 19);
    assert!(matches!(kind, ErrorKind::NodeNotFound { .. }), "{error}");
    let long = || {
        Book::find()
            .filter(mine(&backend).and(Book::PAGES.eq(1000)))
            .count(&graph)
    };
    assert_eq!(long().await.unwrap(), 0);
    graph.update_all(&books[..19]).await.unwrap();
    assert_eq!(long().await.unwrap(), 19);
}

async fn deletes_take_relationships_along(backend: Backend) {
    let graph = prepared(&backend).await;
    let books = books(&backend, 20);
    graph.save_all(&books).await.unwrap();
    books[19].similar.connect_all(&books[..19]).await.unwrap();
    graph.delete_all(&books[..10]).await.unwrap();
    graph.delete_all(&books[..10]).await.unwrap();
    assert_eq!(books[19].similar.count().await.unwrap(), 9);
    let count = Book::find().filter(mine(&backend)).count(&graph);
    assert_eq!(count.await.unwrap(), 10);
}

async fn pairs_of_any_nodes_are_connected(backend: Backend) {
    let graph = prepared(&backend).await;
    let books = books(&backend, 40);
    let authors: Vec<_> = (0..4)
        .map(|n| Author::new(backend.key("author"), 1800 + n))
        .collect();
    graph.save_all(&books).await.unwrap();
    graph.save_all(&authors).await.unwrap();
    for year in [1, 2] {
        let wrote = Wrote { year };
        let pairs = books
            .iter()
            .zip(authors.iter().cycle())
            .map(|(book, author)| (book, author, &wrote));
        graph.connect_all(Book::AUTHOR, pairs).await.unwrap();
    }
    let found = authors[3].books.fetch().await.unwrap();
    assert_eq!(found.len(), 10);
    assert!(found.iter().all(|r| r.relationship == Wrote { year: 2 }));
    // From the other end it is the same relationship.
    let pairs = [(&authors[3], &books[3], Wrote { year: 3 })];
    graph.connect_all(Author::BOOKS, pairs).await.unwrap();
    assert_eq!(authors[3].books.count().await.unwrap(), 10);
    // Nothing needs to be said where nothing is carried.
    let pairs = books.windows(2).map(|pair| (&pair[0], &pair[1]));
    graph.connect_all(Book::SIMILAR, pairs).await.unwrap();
    assert!(books[7].similar.is_connected(&books[8]).await.unwrap());
}

async fn a_missing_end_names_its_pair(backend: Backend) {
    let graph = prepared(&backend).await;
    let books = books(&backend, 4);
    graph.save_all(&books[..3]).await.unwrap();
    for (pairs, at) in [
        ([(&books[0], &books[1]), (&books[1], &books[3])], 1),
        ([(&books[3], &books[1]), (&books[1], &books[2])], 0),
    ] {
        let error = graph.connect_all(Book::SIMILAR, pairs).await.unwrap_err();
        let (index, kind) = row(&error);
        assert_eq!(index, at);
        assert!(matches!(kind, ErrorKind::NodeNotFound { .. }), "{error}");
        assert!(error.to_string().contains(&books[3].isbn), "{error}");
    }
    assert_eq!(books[0].similar.count().await.unwrap(), 0);
}

async fn bounds_hold_within_a_batch_too(backend: Backend) {
    let graph = prepared(&backend).await;
    let authors: Vec<_> = (0..3)
        .map(|n| Author::new(backend.key("author"), n))
        .collect();
    let desks: Vec<_> = (0..3)
        .map(|n| Desk::new(backend.key(&format!("desk{n}"))))
        .collect();
    graph.save_all(&authors).await.unwrap();
    graph.save_all(&desks).await.unwrap();
    let violation = async |pairs: &[(&Author, &Desk)], at: &[usize], node: &str| {
        let pairs = pairs.iter().copied();
        let error = graph.connect_all(Author::DESK, pairs).await.unwrap_err();
        let (index, kind) = row(&error);
        assert!(at.contains(&index), "{error}");
        assert!(matches!(kind, ErrorKind::Cardinality { .. }), "{error}");
        assert!(error.to_string().contains(node), "{error}");
    };
    // Two of one author, then two at one desk: either of the two may be named.
    let pairs = [
        (&authors[0], &desks[0]),
        (&authors[1], &desks[1]),
        (&authors[0], &desks[2]),
    ];
    violation(&pairs, &[0, 2], &authors[0].name).await;
    let pairs = [(&authors[0], &desks[0]), (&authors[1], &desks[0])];
    violation(&pairs, &[0, 1], &desks[0].number).await;
    assert_eq!(authors[0].desk.count().await.unwrap(), 0);
    // One more than the database has.
    authors[0].desk.connect(&desks[0]).await.unwrap();
    let pairs = [(&authors[1], &desks[1]), (&authors[0], &desks[2])];
    violation(&pairs, &[1], &authors[0].name).await;
    let pairs = [(&authors[1], &desks[1]), (&authors[2], &desks[0])];
    violation(&pairs, &[1], &desks[0].number).await;
    // What is there already may be said again.
    let pairs = [(&authors[0], &desks[0]), (&authors[1], &desks[1])];
    for _ in 0..2 {
        graph.connect_all(Author::DESK, pairs).await.unwrap();
    }
    assert_eq!(desks[1].author.count().await.unwrap(), 1);
}

async fn a_constraint_names_its_row(backend: Backend) {
    let graph = prepared(&backend).await;
    let mut books = books(&backend, 40);
    books[3].shelf = Some(backend.key("A1"));
    graph.save_all(&books[..10]).await.unwrap();
    books[27].shelf = books[3].shelf.clone();
    let error = graph.save_all(&books[10..]).await.unwrap_err();
    assert_eq!(row(&error).0, 17, "{error}");
    assert_eq!(
        error.code(),
        Some("Neo.ClientError.Schema.ConstraintValidationFailed")
    );
    let count = Book::find().filter(mine(&backend)).count(&graph);
    assert_eq!(count.await.unwrap(), 10);
    // Two rows that stand against each other: the second is named.
    books[27].shelf = Some(backend.key("B1"));
    books[30].shelf = books[27].shelf.clone();
    let error = graph.insert_all(&books[10..]).await.unwrap_err();
    assert_eq!(row(&error).0, 20, "{error}");
}

async fn a_value_that_can_not_be_sent_names_its_row(backend: Backend) {
    let graph = prepared(&backend).await;
    let wide: Vec<_> = [1, u64::MAX, 2]
        .into_iter()
        .enumerate()
        .map(|(n, number)| Wide::new(backend.key(&format!("wide{n}")), number))
        .collect();
    let error = graph.save_all(&wide).await.unwrap_err();
    assert_eq!(row(&error).0, 1, "{error}");
    let found = Wide::find_by_id(wide[0].id.as_str()).one(&graph).await;
    assert!(found.unwrap().is_none());
}

async fn earlier_batches_stay_and_progress_is_told(backend: Backend) {
    let graph = prepared(&backend).await;
    let books = books(&backend, 50);
    graph.save_all(&books[34..35]).await.unwrap();
    let told = Mutex::new(Vec::new());
    let error = graph
        .insert_all(&books)
        .batch_size(10)
        .on_progress(|progress| {
            let told = &mut *told.lock().unwrap();
            told.push((progress.done, progress.total, progress.batches));
        })
        .await
        .unwrap_err();
    assert_eq!(row(&error).0, 34, "{error}");
    assert_eq!(
        *told.lock().unwrap(),
        [(10, 50, 1), (20, 50, 2), (30, 50, 3)]
    );
    let count = Book::find().filter(mine(&backend)).count(&graph);
    assert_eq!(count.await.unwrap(), 31);
}

async fn a_transaction_takes_all_or_nothing(backend: Backend) {
    let graph = prepared(&backend).await;
    let books = books(&backend, 30);
    let work = async |last: usize| {
        let (books, first) = (&books, &books[..20]);
        graph
            .transaction(async |tx| {
                tx.save_all(first).batch_size(7).await?;
                let pairs = books[..last].windows(2).map(|pair| (&pair[0], &pair[1]));
                tx.connect_all(Book::SIMILAR, pairs).await
            })
            .await
    };
    let error = work(22).await.unwrap_err();
    assert_eq!(row(&error).0, 19, "{error}");
    let count = || Book::find().filter(mine(&backend)).count(&graph);
    assert_eq!(count().await.unwrap(), 0);
    work(20).await.unwrap();
    assert_eq!(count().await.unwrap(), 20);
    assert!(books[18].similar.is_connected(&books[19]).await.unwrap());
}

async fn batches_beside_each_other(backend: Backend) {
    let graph = prepared(&backend).await;
    let books = books(&backend, 400);
    graph
        .save_all(&books)
        .batch_size(25)
        .concurrency(8)
        .await
        .unwrap();
    let hub = &books[0];
    // Every batch writes to one node, in eight transactions at once.
    let pairs = books.iter().flat_map(|book| [(book, hub), (hub, book)]);
    graph
        .connect_all(Book::SIMILAR, pairs)
        .batch_size(50)
        .concurrency(8)
        .await
        .unwrap();
    assert_eq!(hub.similar.count().await.unwrap(), 400);
}

async fn a_lost_commit_counts_once(backend: Backend) {
    prepared(&backend).await;
    let (proxy, graph) = proxied(&backend).await;
    let books = books(&backend, 20);
    let cut = || proxy.inject(Message::Commit, Action::CutAfterAnswer, When::Next(1));
    let fault = cut();
    graph.insert_all(&books).await.unwrap();
    assert_eq!(proxy.fired(fault), 1);
    let fault = cut();
    books[0].similar.connect_all(&books[1..]).await.unwrap();
    assert_eq!(proxy.fired(fault), 1);
    let fault = cut();
    books[0]
        .similar
        .reconnect(&books[1], &books[0])
        .await
        .unwrap();
    assert_eq!(proxy.fired(fault), 1);
    let fault = cut();
    books[1].similar.replace_all(&books[..5]).await.unwrap();
    assert_eq!(proxy.fired(fault), 1);
    assert_eq!(books[0].similar.count().await.unwrap(), 19);
    assert_eq!(books[1].similar.count().await.unwrap(), 5);
    let fault = cut();
    graph.delete_all(&books).await.unwrap();
    assert_eq!(proxy.fired(fault), 1);
    let count = Book::find().filter(mine(&backend)).count(&graph);
    assert_eq!(count.await.unwrap(), 0);
}
