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
    rules_stamps_and_hooks_hold_in_bulk,
    optional_labels_and_versions,
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
    assert!(error.is_constraint_violation());
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

/// A node with everything that the mapper looks after.
#[derive(Node, Debug, Clone)]
#[node(label = "BulkKept", hooks)]
struct Kept {
    #[node(key)]
    id: String,
    #[node(validate(length(max = 3)))]
    name: String,
    #[node(element_id)]
    element: ElementId,
    #[node(created_at)]
    created: Timestamp,
    #[node(updated_at)]
    updated: Timestamp,
    #[relationship]
    liked: Many<Kept, Liked>,
}

#[relationship(type = "BULK_LIKED", hooks)]
#[derive(Debug, Clone)]
struct Liked {
    #[relationship(validate(range(max = 5)))]
    stars: i64,
}

/// What hooks were called, by key.
static CALLED: Mutex<Vec<(String, &str)>> = Mutex::new(Vec::new());

fn called(key: &str) -> Vec<&'static str> {
    let called = CALLED.lock().unwrap();
    let mine = called.iter().filter(|(of, _)| of == key);
    mine.map(|(_, what)| *what).collect()
}

impl Hooks for Kept {
    async fn before_save(&self, _: &neo_ogm::mapping::HookContext) -> Result<(), Error> {
        CALLED.lock().unwrap().push((self.id.clone(), "before"));
        match self.name.as_str() {
            "no" => Err(Error::abort("refused")),
            _ => Ok(()),
        }
    }

    async fn after_create(&self, _: &neo_ogm::mapping::HookContext) -> Result<(), Error> {
        CALLED.lock().unwrap().push((self.id.clone(), "created"));
        Ok(())
    }

    async fn after_save(&self, _: &neo_ogm::mapping::HookContext) -> Result<(), Error> {
        CALLED.lock().unwrap().push((self.id.clone(), "after"));
        Ok(())
    }
}

impl RelationshipHooks for Liked {
    async fn before_connect(&self, _: &neo_ogm::mapping::HookContext) -> Result<(), Error> {
        match self.stars {
            0 => Err(Error::abort("nobody likes that")),
            _ => Ok(()),
        }
    }
}

async fn rules_stamps_and_hooks_hold_in_bulk(backend: Backend) {
    let graph = backend.graph().await;
    let kept: Vec<_> = (0..4)
        .map(|n| Kept::new(backend.key(&format!("kept{n}")), "ok"))
        .collect();
    graph.save_all(&kept[..2]).await.unwrap();
    assert_eq!(called(&kept[0].id), ["before", "created", "after"]);
    let first = kept[0].created.get().expect("it is known");
    assert_eq!(kept[0].updated.get(), Some(first.clone()));
    assert!(kept[0].element.get().is_some());
    assert_ne!(kept[0].element.get(), kept[1].element.get());
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    graph.save_all(&kept).await.unwrap();
    assert_eq!(
        called(&kept[0].id),
        ["before", "created", "after", "before", "after"]
    );
    assert_eq!(called(&kept[3].id), ["before", "created", "after"]);
    let read = Kept::find_by_id(kept[0].id.as_str()).get(&graph).await;
    let read = read.unwrap();
    assert_eq!(read.created.get(), Some(first.clone()));
    assert_eq!(kept[0].created.get(), Some(first.clone()));
    assert_eq!(read.updated.get(), kept[0].updated.get());
    assert_ne!(read.updated.get(), Some(first));
    graph.update_all(&kept).await.unwrap();
    let more = [Kept::new(backend.key("new"), "ok")];
    graph.insert_all(&more).await.unwrap();
    assert_eq!(called(&more[0].id), ["before", "created", "after"]);
    assert!(more[0].element.get().is_some() && more[0].created.get().is_some());

    let mut broken = kept.clone();
    broken[2].name = "long".into();
    let error = graph.save_all(&broken).await.unwrap_err();
    let (index, kind) = row(&error);
    assert_eq!(index, 2);
    assert!(matches!(kind, ErrorKind::Invalid { .. }), "{error}");
    broken[2].name = "no".into();
    let error = graph.save_all(&broken).await.unwrap_err();
    assert_eq!(row(&error).0, 2, "{error}");

    for (stars, what) in [(6, "stars"), (0, "nobody")] {
        let pairs = [
            (&kept[0], &kept[1], Liked { stars: 1 }),
            (&kept[0], &kept[2], Liked { stars }),
        ];
        let error = graph.connect_all(Kept::LIKED, pairs).await.unwrap_err();
        assert_eq!(row(&error).0, 1, "{error}");
        assert!(error.to_string().contains(what), "{error}");
        let ends = [(&kept[1], Liked { stars: 1 }), (&kept[2], Liked { stars })];
        let error = kept[0].liked.connect_all(ends).await.unwrap_err();
        assert_eq!(row(&error).0, 1, "{error}");
    }
    assert_eq!(kept[0].liked.count().await.unwrap(), 0);
}

#[derive(Node, Debug, Clone)]
#[node(label = "BulkLabelled", labels("BulkThing"))]
struct Labelled {
    #[node(key)]
    id: String,
    #[node(optional_label = "BulkSold")]
    sold: bool,
}

#[derive(Node, Debug, Clone)]
#[node(label = "BulkVersioned")]
struct Versioned {
    #[node(key)]
    id: String,
    #[node(version)]
    version: Version,
}

async fn optional_labels_and_versions(backend: Backend) {
    let graph = backend.graph().await;
    let mut things: Vec<_> = (0..6)
        .map(|n| {
            let mut thing = Labelled::new(backend.key(&format!("thing{n}")));
            thing.sold = n % 2 == 0;
            thing
        })
        .collect();
    let sold = async || {
        let text = "MATCH (n:BulkThing:BulkSold) WHERE n.id STARTS WITH $key RETURN n.id";
        let found: Vec<String> = graph
            .cypher(text)
            .param("key", backend.key("thing"))
            .fetch(&graph)
            .await
            .unwrap();
        found.len()
    };
    graph.insert_all(&things).await.unwrap();
    assert_eq!(sold().await, 3);
    things[0].sold = false;
    things[2].sold = false;
    graph.save_all(&things).await.unwrap();
    assert_eq!(sold().await, 1);
    things[0].sold = true;
    graph.update_all(&things).await.unwrap();
    assert_eq!(sold().await, 2);
    let versioned = [Versioned::new(backend.key("versioned"))];
    graph.save_all(&versioned).await.unwrap();
    assert_eq!(versioned[0].version.get(), Some(1));
}
