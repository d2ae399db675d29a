//! Several operations as one.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::common::on_every_backend;
use crate::common::{Author, Backend, Book, Wrote};
use neo_ogm::prelude::*;
use neo_ogm::{Bookmarks, Error, ErrorKind};

on_every_backend!(
    all_of_it_or_nothing,
    a_unit_of_work_runs_in_a_spawned_task,
    a_unit_reads_its_own_writes,
    deadlocks_do_not_surface,
    an_error_of_ones_own_rolls_back_and_is_not_retried,
    a_dropped_transaction_lets_go,
    a_transaction_is_committed_by_hand,
    a_transaction_is_rolled_back_by_hand,
    a_dropped_explicit_transaction_rolls_back,
    an_explicit_transaction_does_all_of_it,
    an_explicit_transaction_that_failed_says_so,
    an_explicit_read_does_not_write,
    an_insert_in_an_explicit_transaction_knows_strangers,
    bookmarks_go_to_another_handle,
    a_handle_carries_its_settings,
    work_runs_in_a_web_handler,
    two_graphs_in_one_process,
);

async fn all_of_it_or_nothing(backend: Backend) {
    let graph = backend.graph().await;
    let (book, author) = (
        Book::new(backend.key("b"), "T"),
        Author::new(backend.key("a")),
    );
    let ghost = Author::new(backend.key("ghost"));
    let failed = graph
        .transaction(async |tx| {
            book.save(&tx).await?;
            book.author
                .connect(&ghost)
                .properties(Wrote { year: 1 })
                .on(&tx)
                .await
        })
        .await;
    assert!(matches!(
        failed.unwrap_err().kind(),
        ErrorKind::NodeNotFound { .. }
    ));
    assert!(
        !Book::find_by_isbn(book.isbn.as_str())
            .exists(&graph)
            .await
            .unwrap()
    );
    graph
        .transaction(async |tx| {
            tx.save(&book).await?;
            tx.save(&author).await?;
            book.author
                .connect(&author)
                .properties(Wrote { year: 1 })
                .on(&tx)
                .await
        })
        .await
        .unwrap();
    assert_eq!(book.author.fetch().await.unwrap().name, author.name);
}

async fn a_unit_of_work_runs_in_a_spawned_task(backend: Backend) {
    let graph = backend.graph().await;
    let (handle, name) = (graph.clone(), backend.key("spawned"));
    let saved = tokio::spawn(async move {
        let author = Author::new(name);
        let attempts = AtomicU32::new(0);
        handle
            .transaction(async |tx| {
                attempts.fetch_add(1, Ordering::Relaxed);
                author.save(&tx).await?;
                Ok(author.name.clone())
            })
            .await
    });
    let name = saved.await.unwrap().unwrap();
    assert!(Author::find_by_name(name).exists(&graph).await.unwrap());
}

async fn a_unit_reads_its_own_writes(backend: Backend) {
    let graph = backend.graph().await;
    let name = backend.key("own");
    let seen = graph
        .transaction(async |tx| {
            Author::new(name.as_str()).save(&tx).await?;
            let inside = Author::find_by_name(name.as_str())
                .one(&tx)
                .await?
                .is_some();
            let mut stream = Author::find_by_name(name.as_str()).stream(&tx).await?;
            let streamed = stream.next().await.transpose()?.is_some();
            Ok((inside, streamed))
        })
        .await
        .unwrap();
    assert_eq!(seen, (true, true));
    let name = name.as_str();
    let read = graph
        .read_transaction(async |tx| Author::find_by_name(name).exists(&tx).await)
        .await
        .unwrap();
    assert!(read);
}

/// Eight tasks write pairs of nodes in either order.
async fn deadlocks_do_not_surface(backend: Backend) {
    let graph = backend.quick_graph().await;
    let names: Vec<String> = (0..3).map(|n| backend.key(&format!("node{n}"))).collect();
    for name in &names {
        Author::new(name.as_str()).save(&graph).await.unwrap();
    }
    let tasks: Vec<_> = (0..8_usize)
        .map(|task| {
            let (graph, names) = (graph.clone(), names.clone());
            tokio::spawn(async move {
                for round in 0..10_usize {
                    let first = (task + round) % 3;
                    let second = (first + 1 + task % 2) % 3;
                    graph
                        .transaction(async |tx| {
                            for index in [first, second] {
                                let mut author = Author::new(names[index].as_str());
                                author.born = i32::try_from(round).ok();
                                author.update(&tx).await?;
                            }
                            Ok(())
                        })
                        .await?;
                }
                Ok::<_, Error>(())
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
}

async fn an_error_of_ones_own_rolls_back_and_is_not_retried(backend: Backend) {
    let graph = backend.graph().await;
    let name = backend.key("aborted");
    let attempts = AtomicU32::new(0);
    let error = graph
        .transaction(async |tx| {
            attempts.fetch_add(1, Ordering::Relaxed);
            Author::new(name.as_str()).save(&tx).await?;
            Err::<(), _>(Error::abort("out of stock"))
        })
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "out of stock");
    assert_eq!(attempts.load(Ordering::Relaxed), 1);
    assert!(
        !Author::find_by_name(name.as_str())
            .exists(&graph)
            .await
            .unwrap()
    );
}

/// A transaction that is dropped in the middle gives its locks back at once.
async fn a_dropped_transaction_lets_go(backend: Backend) {
    let graph = backend.graph().await;
    let author = Author::new(backend.key("locked"));
    author.save(&graph).await.unwrap();
    let work = graph.transaction(async |tx| {
        author.update(&tx).await?;
        std::future::pending::<()>().await;
        Ok(())
    });
    tokio::time::timeout(Duration::from_millis(500), work)
        .await
        .unwrap_err();
    tokio::time::timeout(Duration::from_secs(10), author.update(&graph))
        .await
        .unwrap()
        .unwrap();
}

async fn a_transaction_is_committed_by_hand(backend: Backend) {
    let graph = backend.graph().await;
    let (book, author) = (
        Book::new(backend.key("b"), "T"),
        Author::new(backend.key("a")),
    );
    let tx = graph.begin().await.unwrap();
    book.save(&tx).await.unwrap();
    tx.save(&author).await.unwrap();
    book.author
        .connect(&author)
        .properties(Wrote { year: 1 })
        .on(&tx)
        .await
        .unwrap();
    let seen = |of: &Graph| Book::find_by_isbn(book.isbn.as_str()).exists(of);
    assert!(!seen(&graph).await.unwrap());
    let found = Book::find_by_isbn(book.isbn.as_str())
        .load(Book::AUTHOR)
        .one(&tx)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.author.get().unwrap().name, author.name);
    tx.commit().await.unwrap();
    assert!(seen(&graph).await.unwrap());
}

async fn a_transaction_is_rolled_back_by_hand(backend: Backend) {
    let graph = backend.graph().await;
    let author = Author::new(backend.key("undone"));
    let tx = graph.begin().await.unwrap();
    author.save(&tx).await.unwrap();
    let handle = tx.clone();
    tx.rollback().await.unwrap();
    assert!(!exists(&author, &graph).await);
    // A handle that was kept is of no use any more, and says why.
    let error = author.save(&handle).await.unwrap_err();
    assert!(error.to_string().contains("transaction"), "{error}");
    // Nothing done is nothing to commit.
    graph.begin().await.unwrap().commit().await.unwrap();
}

async fn exists(author: &Author, graph: &Graph) -> bool {
    let found = Author::find_by_name(author.name.as_str()).exists(graph);
    found.await.unwrap()
}

async fn a_dropped_explicit_transaction_rolls_back(backend: Backend) {
    let graph = backend.graph().await;
    let author = Author::new(backend.key("dropped"));
    author.save(&graph).await.unwrap();
    let tx = graph.begin().await.unwrap();
    let mut changed = author.clone();
    changed.born = Some(1828);
    changed.update(&tx).await.unwrap();
    drop(tx);
    // Its lock is gone as well.
    tokio::time::timeout(Duration::from_secs(10), author.update(&graph))
        .await
        .unwrap()
        .unwrap();
    let found = Author::find_by_name(author.name.as_str()).one(&graph).await;
    assert_eq!(found.unwrap().unwrap().born, None);
}

/// All that a graph has for nodes, an explicit transaction has, too.
async fn an_explicit_transaction_does_all_of_it(backend: Backend) {
    let graph = backend.graph().await;
    let tx = graph.begin().await.unwrap();
    let authors: Vec<_> = ["a", "b", "c"]
        .map(|name| Author::new(backend.key(name)))
        .into();
    tx.save_all(&authors).await.unwrap();
    let books = [1, 2].map(|n| Book::new(backend.key(&format!("{n}")), "t"));
    tx.save_all(&books).await.unwrap();
    let pair = [(&books[0], &books[1])];
    tx.connect_all(Book::SIMILAR, pair).await.unwrap();
    let path = tx.shortest_path(&books[0], &books[1], Book::SIMILAR).await;
    assert_eq!(path.unwrap().unwrap().len(), 1);
    let one: i64 = tx.cypher("RETURN 1").get(&tx).await.unwrap();
    assert_eq!(one, 1);
    tx.update(&authors[0]).await.unwrap();
    tx.refresh(&mut authors[0].clone()).await.unwrap();
    tx.save_graph(&authors[0]).await.unwrap();
    tx.update_all(&authors).await.unwrap();
    let mut found = Author::find()
        .filter(Author::NAME.starts_with(backend.key("")))
        .order_by(Author::NAME.asc())
        .all(&tx)
        .await
        .unwrap();
    assert_eq!(found.len(), 3);
    tx.load_into(&mut found, Author::BOOKS).await.unwrap();
    assert_eq!(found[0].books.get().unwrap().len(), 0);
    tx.delete_all(&authors).await.unwrap();
    tx.insert_all(&authors[..1]).await.unwrap();
    tx.delete(&authors[0]).await.unwrap();
    tx.insert(&authors[0]).await.unwrap();
    tx.get_or_create(&authors[1]).await.unwrap();
    tx.create_or_update(&authors[2]).await.unwrap();
    tx.delete(&authors[0]).await.unwrap();
    tx.rollback().await.unwrap();
    assert!(!exists(&authors[1], &graph).await);
}

async fn an_explicit_transaction_that_failed_says_so(backend: Backend) {
    let graph = backend.graph().await;
    let author = Author::new(backend.key("failed"));
    let tx = graph.begin().await.unwrap();
    author.save(&tx).await.unwrap();
    tx.cypher("RETURN 1 / 0").execute(&tx).await.unwrap_err();
    let error = author.save(&tx).await.unwrap_err();
    assert!(error.to_string().contains("failed before"), "{error}");
    tx.commit().await.unwrap_err();
    assert!(!exists(&author, &graph).await);
}

async fn an_explicit_read_does_not_write(backend: Backend) {
    let graph = backend.graph().await;
    let author = Author::new(backend.key("read"));
    let tx = graph.begin_read().await.unwrap();
    assert!(
        !Author::find_by_name(author.name.as_str())
            .exists(&tx)
            .await
            .unwrap()
    );
    let error = author.save(&tx).await.unwrap_err();
    assert_eq!(
        error.code(),
        Some("Neo.ClientError.Statement.AccessMode"),
        "{error}"
    );
}

async fn an_insert_in_an_explicit_transaction_knows_strangers(backend: Backend) {
    let graph = backend.graph().await;
    let author = Author::new(backend.key("insert"));
    let tx = graph.begin().await.unwrap();
    tx.insert(&author).await.unwrap();
    let error = tx.insert(&author).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::AlreadyExists { .. }),
        "{error}"
    );
    tx.commit().await.unwrap();
}

async fn bookmarks_go_to_another_handle(backend: Backend) {
    let graph = backend.graph().await;
    let author = Author::new(backend.key("bookmarked"));
    author.save(&graph).await.unwrap();
    let sent: Vec<String> = graph
        .last_bookmarks()
        .raw_values()
        .map(str::to_owned)
        .collect();
    assert_eq!(sent.len(), 1);
    let received = Bookmarks::from_raw_values(sent);
    // Another process, with a pool of its own.
    let other = backend.graph().await.with_bookmarks(received.clone());
    assert!(
        other
            .last_bookmarks()
            .raw_values()
            .any(|raw| received.raw_values().any(|r| r == raw))
    );
    assert!(exists(&author, &other).await);
    // A handle with bookmarks of its own goes its own way from then on.
    let own = graph.with_bookmarks(Bookmarks::default());
    Author::new(backend.key("own")).save(&own).await.unwrap();
    assert_ne!(own.last_bookmarks(), graph.last_bookmarks());
    assert_eq!(graph.last_bookmarks(), received);
    // Explicit transactions and units of work add to them, too.
    let tx = own.begin().await.unwrap();
    Author::new(backend.key("by hand")).save(&tx).await.unwrap();
    let before = own.last_bookmarks();
    tx.commit().await.unwrap();
    assert_ne!(own.last_bookmarks(), before);
    let none = graph.without_bookmarks();
    author.save(&none).await.unwrap();
    assert!(none.last_bookmarks().is_empty());
    assert_eq!(graph.last_bookmarks(), received);
}

/// Timeout, metadata and database of one transaction are those of a handle.
async fn a_handle_carries_its_settings(backend: Backend) {
    let graph = backend.graph().await;
    let name = backend.key("metadata");
    let marked = graph
        .with_database("neo4j")
        .with_timeout(Duration::from_secs(30))
        .with_metadata("from", name.as_str());
    let tx = marked.begin().await.unwrap();
    tx.cypher("RETURN 1").execute(&tx).await.unwrap();
    if !backend.is_embedded() {
        let shown: Vec<i64> = graph
            .cypher("SHOW TRANSACTIONS YIELD metaData WHERE metaData.from = $name RETURN count(*)")
            .param("name", name.as_str())
            .fetch(&graph)
            .await
            .unwrap();
        assert_eq!(shown, [1]);
    }
    tx.rollback().await.unwrap();
    let author = Author::new(backend.key("late"));
    author.save(&graph).await.unwrap();
    let tx = graph
        .with_timeout(Duration::from_millis(50))
        .begin()
        .await
        .unwrap();
    author.update(&tx).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let error = tx.commit().await.unwrap_err();
    assert!(
        error.code().is_some_and(|code| code.contains("TimedOut")),
        "{error}"
    );
    let wrong = graph.with_database("no-such-database");
    let error = author.save(&wrong).await.unwrap_err();
    assert_eq!(
        error.code(),
        Some("Neo.ClientError.Database.DatabaseNotFound"),
        "{error}"
    );
}

/// What web frameworks ask of a handler.
fn handler<F, Fut>(handler: F) -> F
where
    F: Fn(Graph, String) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<String, Error>> + Send + 'static,
{
    handler
}

async fn work_runs_in_a_web_handler(backend: Backend) {
    let handler = handler(|graph, name| async move {
        let author = Author::new(name);
        graph
            .transaction(async |tx| {
                author.save(&tx).await?;
                let found = Author::find_by_name(author.name.as_str()).one(&tx).await?;
                Ok(found.map_or_else(String::new, |author| author.name))
            })
            .await
    });
    let by_hand = self::handler(|graph, name| async move {
        let tx = graph.begin().await?;
        Author::new(name.as_str()).save(&tx).await?;
        tx.commit().await?;
        Ok(name)
    });
    let graph = backend.graph().await;
    let (first, second) = (backend.key("first"), backend.key("second"));
    let done = tokio::spawn(handler(graph.clone(), first.clone()));
    assert_eq!(done.await.unwrap().unwrap(), first);
    let done = tokio::spawn(by_hand(graph, second.clone()));
    assert_eq!(done.await.unwrap().unwrap(), second);
}

/// Handles are shared between tasks, and several databases and servers live side by side.
async fn two_graphs_in_one_process(backend: Backend) {
    fn shared<T: Clone + Send + Sync + 'static>() {}
    shared::<Graph>();
    shared::<Transaction>();
    let one = backend.graph().await;
    let two = match backend.other_line().await {
        Some(other) => other,
        None => Graph::in_memory().await.unwrap(),
    };
    two.apply_schema::<(Book, Author)>().await.unwrap();
    let author = Author::new(backend.key("both"));
    let (tx_one, tx_two) = (one.begin().await.unwrap(), two.begin().await.unwrap());
    author.save(&tx_one).await.unwrap();
    author.save(&tx_two).await.unwrap();
    tx_one.commit().await.unwrap();
    tx_two.rollback().await.unwrap();
    assert!(exists(&author, &one).await);
    assert!(!exists(&author, &two).await);
    // A node is bound to the graph that it was last saved on or found in.
    let book = Book::new(backend.key("book"), "T");
    for graph in [&one, &two] {
        author.save(graph).await.unwrap();
        book.save(graph).await.unwrap();
        let connect = book.author.connect(&author);
        connect.properties(Wrote { year: 1 }).await.unwrap();
        let found = Book::find_by_isbn(book.isbn.as_str()).one(graph).await;
        let found = found.unwrap().unwrap();
        assert_eq!(found.author.fetch().await.unwrap().name, author.name);
    }
    book.delete(&two).await.unwrap();
    author.delete(&two).await.unwrap();
}
