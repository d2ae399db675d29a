//! Nodes belong to the transaction in which they were read or saved, and to the graph afterwards.

use std::sync::Arc;
use std::time::Duration;

use crate::common::{Author, Backend, Book, Wrote, on_every_backend};
use neo_ogm::prelude::*;
use neo_ogm::{Error, ErrorKind, ExplicitTransaction};

on_every_backend!(
    connect_joins_the_transaction_of_a_saved_node,
    fields_of_a_found_node_join,
    fields_of_eagerly_loaded_nodes_join,
    fields_of_nodes_from_raw_cypher_and_streams_join,
    load_into_and_bulk_writes_join,
    on_wins_over_the_scope,
    nodes_of_an_explicit_transaction_join_it,
    node_belongs_to_the_graph_after_a_rollback_if_it_was_read,
    binding_is_as_before_after_a_rollback,
    dropped_transaction_unbinds,
    second_attempt_binds_anew,
    other_tasks_do_not_join_a_unit,
    node_of_two_transactions_belongs_to_the_one_that_commits,
    graph_handle_fails_at_once_in_its_own_unit,
    node_from_outside_fails_at_once_without_on,
    hooks_run_in_the_unit,
    detached_handle_commits_though_the_unit_rolls_back,
    explicit_transactions_leave_the_graph_usable,
    units_of_different_graphs_nest,
    other_database_is_another_graph,
    refused_insert_leaves_the_struct_unsaved,
    refused_insert_all_leaves_the_structs_unsaved,
    hook_that_refuses_after_a_batch_leaves_what_is_written,
    get_or_create_that_was_rolled_back_can_be_saved,
    what_was_read_in_a_rolled_back_transaction_is_forgotten,
    what_a_read_transaction_has_read_is_known,
    refresh_that_was_rolled_back_keeps_the_version,
    nodes_at_every_depth_forget_what_was_rolled_back,
    relationship_properties_forget_what_was_rolled_back,
    tracked_node_knows_nothing_after_a_rollback,
    tracked_node_writes_its_changes_inside_a_unit_of_another_graph,
);

#[derive(Node, Debug, Clone)]
#[node(label = "ScopePart")]
struct Part {
    #[node(key)]
    id: String,
    weight: i64,
    #[node(version)]
    version: Version,
    #[node(element_id)]
    element: ElementId,
    #[node(created_at)]
    created: Timestamp,
    #[node(updated_at)]
    updated: Timestamp,
    #[relationship(type = "SCOPE_HAS")]
    parts: Many<Part, Has>,
}

#[relationship(type = "SCOPE_HAS")]
#[derive(Debug, Clone, Default)]
struct Has {
    count: Option<i64>,
    #[relationship(created_at)]
    since: Timestamp,
}

/// Whether nothing is known of the node in the database.
fn is_unknown(part: &Part) -> bool {
    part.version.get().is_none()
        && part.element.get().is_none()
        && part.created.get().is_none()
        && part.updated.get().is_none()
}

fn part(backend: &Backend, name: &str) -> Part {
    Part::new(backend.key(name), 1)
}

fn book(backend: &Backend, name: &str) -> Book {
    Book::new(backend.key(name), name)
}

/// Saved books.
async fn books<const N: usize>(backend: &Backend, graph: &Graph) -> [Book; N] {
    let books = std::array::from_fn(|index| book(backend, &format!("book{index}")));
    graph.save_all(&books).await.unwrap();
    books
}

async fn find(book: &Book, on: impl neo_ogm::executor::Executor) -> Book {
    Book::find_by_isbn(book.isbn.as_str())
        .get(on)
        .await
        .unwrap()
}

/// How many similar books the database has, seen from outside of any transaction.
async fn similar(book: &Book, graph: &Graph) -> u64 {
    let found = find(book, graph).await;
    found.similar.count().await.unwrap()
}

fn rolled_back<T>(result: Result<T, Error>) {
    match result {
        Err(error) if matches!(error.kind(), ErrorKind::Aborted(_)) => {}
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it was committed"),
    }
}

/// Fails if the operation waits, as for a lock that its own transaction has.
async fn at_once<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let limit = Duration::from_secs(10);
    tokio::time::timeout(limit, work)
        .await
        .expect("it does not wait")
}

async fn refused<T>(work: impl Future<Output = Result<T, Error>>) {
    match at_once(work).await {
        Err(error) if matches!(error.kind(), ErrorKind::GraphInTransaction) => {
            let text = error.to_string();
            assert!(text.contains("`&tx`") && text.contains("`graph.detached()`"));
        }
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it was not refused"),
    }
}

async fn connect_joins_the_transaction_of_a_saved_node(backend: Backend) {
    let graph = backend.graph().await;
    let (book, author) = (book(&backend, "b"), Author::new(backend.key("a")));
    let wrote = || Wrote { year: 1877 };
    let unit = graph.transaction(async |tx| {
        book.save(&tx).await?;
        author.save(&tx).await?;
        book.author.connect(&author).properties(wrote()).await?;
        assert!(book.author.is_connected(&author).await?);
        Err::<(), _>(Error::abort("no"))
    });
    rolled_back(at_once(unit).await);
    let exists = Book::find_by_isbn(book.isbn.as_str()).exists(&graph).await;
    assert!(!exists.unwrap());

    let unit = graph.transaction(async |tx| {
        book.save(&tx).await?;
        author.save(&tx).await?;
        book.author.connect(&author).properties(wrote()).await
    });
    at_once(unit).await.unwrap();
    // Now the field is the graph's.
    assert_eq!(book.author.fetch().await.unwrap().name, author.name);
    let again = Author::new(backend.key("again"));
    again.save(&graph).await.unwrap();
    let replace = book.author.replace(&again).properties(wrote());
    at_once(replace.into_future()).await.unwrap();
    assert_eq!(author.books.count().await.unwrap(), 0);
}

async fn fields_of_a_found_node_join(backend: Backend) {
    let graph = backend.graph().await;
    let [one, two, three] = books(&backend, &graph).await;
    let unit = graph.transaction(async |tx| {
        let found = find(&one, &tx).await;
        found.similar.connect(&two).await?;
        found.similar.connect_all([&three]).await?;
        assert_eq!(found.similar.count().await?, 2);
        assert_eq!(found.similar.fetch().await?.len(), 2);
        assert_eq!(found.similar.find().all().await?.len(), 2);
        let mut stream = found.similar.find().stream().await?;
        assert!(stream.next().await.transpose()?.is_some());
        drop(stream);
        found.similar.disconnect(&two).await?;
        found.similar.reconnect(&three, &two).await?;
        assert!(found.similar.is_connected(&two).await?);
        assert!(!found.similar.is_connected(&three).await?);
        Err::<(), _>(Error::abort("no"))
    });
    rolled_back(at_once(unit).await);
    assert_eq!(similar(&one, &graph).await, 0);

    let unit = graph.transaction(async |tx| {
        let found = find(&one, &tx).await;
        found.similar.connect(&two).await?;
        Ok(found)
    });
    let found = at_once(unit).await.unwrap();
    assert_eq!(found.similar.count().await.unwrap(), 1);
    found.similar.connect(&three).await.unwrap();
    assert_eq!(similar(&one, &graph).await, 2);
}

async fn fields_of_eagerly_loaded_nodes_join(backend: Backend) {
    let graph = backend.graph().await;
    let [one, two, three, four] = books(&backend, &graph).await;
    one.similar.connect(&two).await.unwrap();
    two.similar.connect(&three).await.unwrap();
    let unit = graph.transaction(async |tx| {
        let load = Book::SIMILAR.then(Book::SIMILAR);
        let found = Book::find_by_isbn(one.isbn.as_str()).load(load).get(&tx);
        let found = found.await?;
        let second = &found.similar.related()?[0];
        second.similar.connect(&four).await?;
        second.similar.related()?[0].similar.connect(&four).await?;
        Err::<(), _>(Error::abort("no"))
    });
    rolled_back(at_once(unit).await);
    assert_eq!(similar(&two, &graph).await, 1);
    assert_eq!(similar(&three, &graph).await, 0);
}

async fn fields_of_nodes_from_raw_cypher_and_streams_join(backend: Backend) {
    let graph = backend.graph().await;
    let [one, two, three] = books(&backend, &graph).await;
    let unit = graph.transaction(async |tx| {
        let query = tx
            .cypher("MATCH (b:Book {isbn: $isbn}) RETURN b")
            .param("isbn", one.isbn.as_str());
        let found: Book = query.clone().get(&tx).await?;
        found.similar.connect(&two).await?;
        let listed: Vec<(Book, i64)> = tx
            .cypher("MATCH (b:Book {isbn: $isbn}) RETURN b, 1")
            .param("isbn", one.isbn.as_str())
            .fetch(&tx)
            .await?;
        listed[0].0.similar.connect(&three).await?;
        let mut stream = query.stream::<Book>(&tx).await?;
        let streamed = stream.next().await.transpose()?.expect("it is there");
        assert_eq!(streamed.similar.count().await?, 2);
        let mut stream = Book::find_by_isbn(one.isbn.as_str()).stream(&tx).await?;
        let streamed = stream.next().await.transpose()?.expect("it is there");
        assert_eq!(streamed.similar.count().await?, 2);
        Err::<(), _>(Error::abort("no"))
    });
    rolled_back(at_once(unit).await);
    assert_eq!(similar(&one, &graph).await, 0);
}

async fn load_into_and_bulk_writes_join(backend: Backend) {
    let graph = backend.graph().await;
    let [one, two, three] = books(&backend, &graph).await;
    one.similar.connect(&two).await.unwrap();
    let mut found = [find(&one, &graph).await];
    let tx = graph.begin().await.unwrap();
    tx.load_into(&mut found, Book::SIMILAR).await.unwrap();
    let loaded = &found[0].similar.related().unwrap()[0];
    loaded.similar.connect(&three).await.unwrap();
    let fresh = [book(&backend, "fresh0"), book(&backend, "fresh1")];
    tx.save_all(&fresh).await.unwrap();
    fresh[0].similar.connect(&fresh[1]).await.unwrap();
    let mut whole = book(&backend, "whole");
    whole.similar.push(book(&backend, "piece"));
    tx.save_graph(&whole).await.unwrap();
    assert_eq!(whole.similar.count().await.unwrap(), 1);
    tx.rollback().await.unwrap();

    assert_eq!(similar(&two, &graph).await, 0);
    for unsaved in fresh.iter().chain([&whole]) {
        let error = unsaved.similar.count().await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::NotSaved { .. }));
    }
    // The loaded node was read, so it is the graph's.
    assert_eq!(loaded.similar.count().await.unwrap(), 0);
}

async fn on_wins_over_the_scope(backend: Backend) {
    let graph = backend.graph().await;
    let [one, two] = books(&backend, &graph).await;
    let (first, second) = (graph.begin().await.unwrap(), graph.begin().await.unwrap());
    let found = find(&one, &first).await;
    let connect = found.similar.connect(&two).on(&second);
    at_once(connect).await.unwrap();
    assert_eq!(found.similar.count().await.unwrap(), 0);
    assert_eq!(found.similar.count().on(&second).await.unwrap(), 1);
    second.rollback().await.unwrap();
    first.rollback().await.unwrap();
    assert_eq!(similar(&one, &graph).await, 0);
}

async fn nodes_of_an_explicit_transaction_join_it(backend: Backend) {
    let graph = backend.graph().await;
    let [one, two] = books(&backend, &graph).await;
    for commit in [false, true] {
        let tx = graph.begin().await.unwrap();
        let found = find(&one, &tx).await;
        let fresh = book(&backend, "fresh");
        fresh.save(&tx).await.unwrap();
        at_once(found.similar.connect(&two)).await.unwrap();
        at_once(fresh.similar.connect(&one)).await.unwrap();
        if commit {
            tx.commit().await.unwrap();
        } else {
            tx.rollback().await.unwrap();
        }
        assert_eq!(found.similar.count().await.unwrap(), u64::from(commit));
        match fresh.similar.count().await {
            Ok(count) => assert!(commit && count == 1),
            Err(error) => assert!(!commit && matches!(error.kind(), ErrorKind::NotSaved { .. })),
        }
    }
}

async fn node_belongs_to_the_graph_after_a_rollback_if_it_was_read(backend: Backend) {
    let graph = backend.graph().await;
    let [one, two] = books(&backend, &graph).await;
    let tx = graph.begin().await.unwrap();
    let found = find(&one, &tx).await;
    let copy = found.clone();
    // A save of what was read in the transaction leaves it as it was read.
    found.save(&tx).await.unwrap();
    tx.rollback().await.unwrap();
    for node in [&found, &copy] {
        node.similar.connect(&two).await.unwrap();
    }
    assert_eq!(similar(&one, &graph).await, 1);
}

async fn binding_is_as_before_after_a_rollback(backend: Backend) {
    let graph = backend.graph().await;
    let [one, two] = books(&backend, &graph).await;
    let fresh = book(&backend, "fresh");
    for round in 0..2 {
        let unit = graph.transaction(async |tx| {
            one.save(&tx).await?;
            one.update(&tx).await?;
            fresh.insert(&tx).await?;
            fresh.save(&tx).await?;
            fresh.similar.connect(&one).await?;
            Err::<(), _>(Error::abort("no"))
        });
        rolled_back(unit.await);
        let error = fresh.similar.connect(&two).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::NotSaved { .. }));
        one.similar.connect(&two).await.unwrap();
        assert_eq!(similar(&one, &graph).await, 1, "{round}");
    }
    // Saved in a transaction, then in another that is rolled back.
    let unit = graph.transaction(async |tx| fresh.save(&tx).await);
    unit.await.unwrap();
    let tx = graph.begin().await.unwrap();
    fresh.save(&tx).await.unwrap();
    tx.rollback().await.unwrap();
    fresh.similar.connect(&two).await.unwrap();
    assert_eq!(similar(&fresh, &graph).await, 1);
}

async fn dropped_transaction_unbinds(backend: Backend) {
    let graph = backend.graph().await;
    let fresh = book(&backend, "fresh");
    let unit = graph.transaction(async |tx| {
        fresh.save(&tx).await?;
        assert_eq!(fresh.similar.count().await?, 0);
        std::future::pending::<Result<(), Error>>().await
    });
    let limit = Duration::from_millis(500);
    tokio::time::timeout(limit, unit).await.unwrap_err();
    let error = fresh.similar.count().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NotSaved { .. }));

    let tx = graph.begin().await.unwrap();
    fresh.save(&tx).await.unwrap();
    drop(tx);
    let error = fresh.similar.count().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NotSaved { .. }));
}

/// Two units that lock each other's node: one of them runs again, and its nodes with it.
async fn second_attempt_binds_anew(backend: Backend) {
    let graph = backend.quick_graph().await;
    let names = [backend.key("one"), backend.key("two")];
    for name in &names {
        let new = Book::new(name.as_str(), "T");
        new.save(&graph).await.unwrap();
    }
    let task = |first: usize| {
        let (graph, names) = (graph.clone(), names.clone());
        tokio::spawn(async move {
            let own = Book::new(format!("{}-{first}", names[first]), "T");
            for _ in 0..5 {
                let unit = graph.transaction(async |tx| {
                    let here = Book::find_by_isbn(names[first].as_str()).get(&tx).await?;
                    here.save(&tx).await?;
                    own.save(&tx).await?;
                    own.similar.connect(&here).await?;
                    let there = Book::find_by_isbn(names[1 - first].as_str());
                    let there = there.get(&tx).await?;
                    there.save(&tx).await?;
                    own.similar.connect(&there).await
                });
                unit.await?;
            }
            own.similar.count().await
        })
    };
    let (one, two) = tokio::join!(task(0), task(1));
    assert_eq!((one.unwrap().unwrap(), two.unwrap().unwrap()), (2, 2));
}

/// Tasks share nodes by reference; those outside of the unit work on the graph.
async fn other_tasks_do_not_join_a_unit(backend: Backend) {
    let graph = backend.graph().await;
    let [one, two] = books(&backend, &graph).await;
    let one = Arc::new(one);
    let count = |book: &Arc<Book>| {
        let book = Arc::clone(book);
        tokio::spawn(async move { book.similar.count().await })
    };
    let unit = graph.transaction(async |tx| {
        one.save(&tx).await?;
        one.similar.connect(&two).await?;
        let outside = at_once(async { count(&one).await.unwrap() }).await?;
        let (shared, on) = (Arc::clone(&one), tx.clone());
        let named = tokio::spawn(async move { shared.similar.count().on(&on).await });
        Ok((one.similar.count().await?, outside, named.await.unwrap()?))
    });
    assert_eq!(at_once(unit).await.unwrap(), (1, 0, 1));
    assert_eq!(count(&one).await.unwrap().unwrap(), 1);
}

/// They can't write to the same node, so it is given another key in between.
async fn node_of_two_transactions_belongs_to_the_one_that_commits(backend: Backend) {
    if backend.is_embedded() {
        return; // one transaction writes at a time
    }
    let graph = backend.graph().await;
    for (first_commits, second_commits) in
        [(true, false), (false, true), (true, true), (false, false)]
    {
        for first_ends_first in [true, false] {
            let name = format!("{first_commits}{second_commits}{first_ends_first}");
            let mut node = book(&backend, &format!("{name}1"));
            let (first, second) = (graph.begin().await.unwrap(), graph.begin().await.unwrap());
            node.save(&first).await.unwrap();
            node.isbn = backend.key(&format!("{name}2"));
            node.save(&second).await.unwrap();
            let end = async |tx: ExplicitTransaction, commits: bool| match commits {
                true => tx.commit().await.unwrap(),
                false => tx.rollback().await.unwrap(),
            };
            if first_ends_first {
                end(first, first_commits).await;
                assert_eq!(node.similar.count().await.unwrap(), 0, "{name}");
                end(second, second_commits).await;
            } else {
                end(second, second_commits).await;
                assert_eq!(node.similar.count().await.unwrap(), 0, "{name}");
                end(first, first_commits).await;
            }
            match node.similar.count().await {
                Ok(count) => assert!(count == 0 && (first_commits || second_commits), "{name}"),
                Err(error) => assert!(
                    !first_commits
                        && !second_commits
                        && matches!(error.kind(), ErrorKind::NotSaved { .. }),
                    "{name}: {error}"
                ),
            }
        }
    }
}

async fn graph_handle_fails_at_once_in_its_own_unit(backend: Backend) {
    let graph = backend.graph().await;
    let (one, two) = (book(&backend, "one"), book(&backend, "two"));
    one.save(&graph).await.unwrap();
    let other_handle = graph.with_timeout(Duration::from_secs(30));
    let unit = graph.transaction(async |tx| {
        one.save(&tx).await?;
        let mut mine = one.clone();
        refused(one.save(&graph).into_future()).await;
        refused(one.insert(tx.graph()).into_future()).await;
        refused(one.update(&other_handle).into_future()).await;
        refused(one.delete(&graph).into_future()).await;
        refused(one.get_or_create(&graph).into_future()).await;
        refused(mine.refresh(&graph).into_future()).await;
        refused(Book::find().first(&graph).into_future()).await;
        refused(Book::find().stream(&graph).into_future()).await;
        refused(graph.cypher("RETURN 1").execute(&graph)).await;
        refused(graph.cypher("RETURN 1").read_only().fetch::<i64>(&graph)).await;
        refused(graph.cypher("RETURN 1").stream::<i64>(&graph)).await;
        refused(graph.save_all([&two]).into_future()).await;
        refused(graph.save_graph(&two).into_future()).await;
        let mut nodes = [mine];
        refused(graph.load_into(&mut nodes, Book::SIMILAR).into_future()).await;
        refused(graph.transaction(async |_| Ok(()))).await;
        refused(graph.read_transaction(async |_| Ok(()))).await;
        refused(graph.begin().into_future()).await;
        refused(graph.begin_read().into_future()).await;
        refused(graph.apply_schema::<Book>().into_future()).await;
        // What is awaited together is in the unit as well.
        let (saved, found) = tokio::join!(
            two.save(&tx).into_future(),
            refused(Book::find().count(&graph).into_future())
        );
        saved?;
        Ok(found)
    });
    at_once(unit).await.unwrap();
    let read = graph.read_transaction(async |_| {
        refused(one.save(&graph).into_future()).await;
        Ok(())
    });
    read.await.unwrap();
    // Behind the unit all is as ever.
    assert_eq!(similar(&two, &graph).await, 0);
}

async fn node_from_outside_fails_at_once_without_on(backend: Backend) {
    let graph = backend.graph().await;
    let [one, two] = books(&backend, &graph).await;
    let unit = graph.transaction(async |tx| {
        refused(one.similar.connect(&two)).await;
        refused(one.similar.fetch().into_future()).await;
        refused(one.similar.count().into_future()).await;
        refused(one.similar.find().all().into_future()).await;
        refused(one.similar.find().stream().into_future()).await;
        refused(one.similar.connect_all([&two]).into_future()).await;
        one.similar.connect(&two).on(&tx).await
    });
    at_once(unit).await.unwrap();
    assert_eq!(similar(&one, &graph).await, 1);
}

#[derive(Node, Debug, Clone)]
#[node(label = "ScopeHooked", hooks)]
struct Hooked {
    #[node(key)]
    id: String,
    #[node(version)]
    version: Version,
    refuse: bool,
}

impl Hooks for Hooked {
    async fn before_save(&self, cx: &neo_ogm::mapping::HookContext) -> Result<(), Error> {
        cx.cypher("RETURN 1").execute(cx).await.map(drop)
    }

    async fn after_save(&self, cx: &neo_ogm::mapping::HookContext) -> Result<(), Error> {
        cx.cypher("RETURN 1").execute(cx).await?;
        match self.refuse {
            true => Err(Error::abort("refused")),
            false => Ok(()),
        }
    }
}

async fn hooks_run_in_the_unit(backend: Backend) {
    let graph = backend.graph().await;
    let hooked = |name: &str| Hooked::new(backend.key(name), false);
    let (one, rows) = (hooked("one"), [hooked("two"), hooked("three")]);
    let unit = graph.transaction(async |tx| {
        one.save(&tx).await?;
        tx.save_all(&rows).await?;
        tx.save_graph(&one).await
    });
    at_once(unit).await.unwrap();
    graph.save_graph(&one).await.unwrap();
}

async fn detached_handle_commits_though_the_unit_rolls_back(backend: Backend) {
    let graph = backend.graph().await;
    let (one, log) = (book(&backend, "one"), book(&backend, "log"));
    let detached = graph.detached();
    let unit = graph.transaction(async |tx| {
        log.save(&detached).await?;
        assert_eq!(log.similar.count().await?, 0);
        assert!(
            !Book::find_by_isbn(one.isbn.as_str())
                .exists(&detached)
                .await?
        );
        let inner = detached.transaction(async |inner| {
            log.save(&inner).await?;
            refused(log.save(&graph).into_future()).await;
            Ok(())
        });
        inner.await?;
        one.save(&tx).await?;
        Err::<(), _>(Error::abort("no"))
    });
    rolled_back(at_once(unit).await);
    let there = Book::find().filter(Book::ISBN.in_list([one.isbn.as_str(), log.isbn.as_str()]));
    let there = there.all(&graph).await.unwrap();
    assert_eq!(there.len(), 1);
    assert_eq!(there[0].isbn, log.isbn);
}

async fn explicit_transactions_leave_the_graph_usable(backend: Backend) {
    let graph = backend.graph().await;
    let [one] = books(&backend, &graph).await;
    let tx = graph.begin().await.unwrap();
    assert!(
        Book::find_by_isbn(one.isbn.as_str())
            .exists(&tx)
            .await
            .unwrap()
    );
    assert_eq!(similar(&one, &graph).await, 0);
    tx.commit().await.unwrap();
}

async fn units_of_different_graphs_nest(backend: Backend) {
    let graph = backend.graph().await;
    let memory = Graph::in_memory().await.unwrap();
    let (one, two) = (book(&backend, "one"), book(&backend, "two"));
    let unit = graph.transaction(async |outer| {
        one.save(&outer).await?;
        two.save(&memory).await?;
        memory
            .transaction(async |inner| {
                two.save(&inner).await?;
                one.similar.count().await?;
                refused(one.save(&graph).into_future()).await;
                refused(two.save(&memory).into_future()).await;
                Ok(())
            })
            .await?;
        two.similar.count().await?;
        refused(one.save(&graph).into_future()).await;
        Ok(())
    });
    at_once(unit).await.unwrap();
    assert_eq!(similar(&two, &memory).await, 0);
}

async fn other_database_is_another_graph(backend: Backend) {
    if backend.is_embedded() {
        // It has one database, whatever name it is called by.
        let graph = backend.graph().await;
        let named = graph.with_database("neo4j");
        let unit = graph.transaction(async |_| {
            refused(named.cypher("RETURN 1").execute(&named)).await;
            Ok(())
        });
        unit.await.unwrap();
        return;
    }
    let graph = backend.graph().await;
    let system = graph.with_database("system");
    let unit = graph.transaction(async |tx| {
        tx.cypher("RETURN 1").execute(&tx).await?;
        let shown = system
            .cypher("SHOW DEFAULT DATABASE YIELD name")
            .read_only();
        shown.fetch::<String>(&system).await
    });
    assert_eq!(at_once(unit).await.unwrap().len(), 1);
}

async fn refused_insert_leaves_the_struct_unsaved(backend: Backend) {
    let graph = backend.graph().await;
    let strangers = part(&backend, "p");
    strangers.save(&graph).await.unwrap();
    for in_a_unit in [false, true] {
        let mut mine = Part::new(strangers.id.as_str(), 0);
        let error = match in_a_unit {
            false => mine.insert(&graph).await,
            true => graph.transaction(async |tx| mine.insert(&tx).await).await,
        };
        let error = error.unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::AlreadyExists { .. }),
            "{error}"
        );
        assert!(is_unknown(&mine), "{mine:?}");
        let error = mine.parts.count().await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::NotSaved { .. }));

        mine.weight = 0;
        let error = mine.save(&graph).await.unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::VersionConflict { .. }),
            "{error}"
        );
        assert!(is_unknown(&mine), "{mine:?}");
    }
    let found = Part::find_by_id(strangers.id.as_str()).get(&graph).await;
    let found = found.unwrap();
    assert_eq!((found.weight, found.version.get()), (1, Some(1)));
}

async fn refused_insert_all_leaves_the_structs_unsaved(backend: Backend) {
    let graph = backend.graph().await;
    let strangers = part(&backend, "p");
    strangers.save(&graph).await.unwrap();
    let rows = [part(&backend, "new"), Part::new(strangers.id.as_str(), 0)];
    let error = graph.insert_all(&rows).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Row { index: 1, .. }),
        "{error}"
    );
    assert!(rows.iter().all(is_unknown), "{rows:?}");
    let error = graph.save_all(&rows).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Row { .. }), "{error}");
    assert!(rows.iter().all(is_unknown), "{rows:?}");
    rows[0].save(&graph).await.unwrap();
}

/// The first row's hook refuses; without a unit, all of them are committed.
async fn hook_that_refuses_after_a_batch_leaves_what_is_written(backend: Backend) {
    let graph = backend.graph().await;
    let row = |name: &str, refuse| Hooked::new(backend.key(name), refuse);
    let rows = [row("one", true), row("two", false)];
    let error = graph.insert_all(&rows).await.unwrap_err();
    assert_eq!(
        error.commit_outcome(),
        neo_ogm::neo_bolt::CommitOutcome::Committed
    );
    let versions = || [rows[0].version.get(), rows[1].version.get()];
    assert_eq!(versions(), [Some(1), Some(1)]);
    rows[1].save(&graph).await.unwrap();
    assert_eq!(versions(), [Some(1), Some(2)]);

    let unit = graph.transaction(async |tx| tx.save_all(&rows).await);
    unit.await.unwrap_err();
    assert_eq!(versions(), [Some(1), Some(2)]);
}

async fn get_or_create_that_was_rolled_back_can_be_saved(backend: Backend) {
    let graph = backend.graph().await;
    let tx = graph.begin().await.unwrap();
    let (made, created) = part(&backend, "p").get_or_create(&tx).await.unwrap();
    assert!(created && made.version.get() == Some(1));
    tx.rollback().await.unwrap();
    assert!(is_unknown(&made), "{made:?}");
    made.save(&graph).await.unwrap();
    assert_eq!(made.version.get(), Some(1));

    let tx = graph.begin().await.unwrap();
    let (got, created) = part(&backend, "q").get_or_create(&tx).await.unwrap();
    tx.commit().await.unwrap();
    assert!(created && got.version.get() == Some(1));
    got.save(&graph).await.unwrap();
    assert_eq!(got.version.get(), Some(2));

    let tx = graph.begin().await.unwrap();
    assert!(part(&backend, "r").create_or_update(&tx).await.unwrap());
    drop(tx);
}

async fn what_was_read_in_a_rolled_back_transaction_is_forgotten(backend: Backend) {
    let graph = backend.graph().await;
    let saved = part(&backend, "p");
    saved.save(&graph).await.unwrap();
    let tx = graph.begin().await.unwrap();
    saved.save(&tx).await.unwrap();
    let found = Part::find_by_id(saved.id.as_str()).get(&tx).await.unwrap();
    let query = "MATCH (p:ScopePart {id: $id}) RETURN p";
    let query = tx.cypher(query).param("id", saved.id.as_str());
    let raw: Part = query.get(&tx).await.unwrap();
    for read in [&found, &raw] {
        assert_eq!(read.version.get(), Some(2));
        assert!(read.element.get().is_some() && read.updated.get().is_some());
    }
    // It counts within the transaction.
    found.save(&tx).await.unwrap();
    assert_eq!(found.version.get(), Some(3));
    tx.rollback().await.unwrap();

    assert_eq!(saved.version.get(), Some(1));
    assert!(is_unknown(&found) && is_unknown(&raw), "{found:?} {raw:?}");
    let error = raw.save(&graph).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::VersionConflict { .. }),
        "{error}"
    );
    saved.save(&graph).await.unwrap();

    let unit = graph.transaction(async |tx| Part::find_by_id(saved.id.as_str()).get(&tx).await);
    let found = unit.await.unwrap();
    assert_eq!(found.version.get(), Some(2));
    found.save(&graph).await.unwrap();
}

/// It sees only what is committed, so nothing of it can be undone.
async fn what_a_read_transaction_has_read_is_known(backend: Backend) {
    let graph = backend.graph().await;
    let saved = part(&backend, "p");
    saved.save(&graph).await.unwrap();
    let tx = graph.begin_read().await.unwrap();
    let found = Part::find_by_id(saved.id.as_str()).get(&tx).await.unwrap();
    drop(tx);
    assert_eq!(found.version.get(), Some(1));
    found.save(&graph).await.unwrap();
}

async fn refresh_that_was_rolled_back_keeps_the_version(backend: Backend) {
    let graph = backend.graph().await;
    let saved = part(&backend, "p");
    saved.save(&graph).await.unwrap();
    let mut mine = Part::find_by_id(saved.id.as_str())
        .get(&graph)
        .await
        .unwrap();
    let (id, created, updated) = (mine.element.get(), mine.created.get(), mine.updated.get());
    let tx = graph.begin().await.unwrap();
    let mut theirs = saved.clone();
    theirs.weight = 7;
    theirs.save(&tx).await.unwrap();
    mine.refresh(&tx).await.unwrap();
    assert_eq!((mine.weight, mine.version.get()), (7, Some(2)));
    assert_ne!(mine.updated.get(), updated);
    // Once more in the same transaction.
    mine.refresh(&tx).await.unwrap();
    assert_eq!(mine.version.get(), Some(2));
    tx.rollback().await.unwrap();
    assert_eq!(mine.version.get(), Some(1));
    assert_eq!(mine.element.get(), id);
    assert_eq!((mine.created.get(), mine.updated.get()), (created, updated));
    mine.save(&graph).await.unwrap();

    let unit = graph.transaction(async |tx| {
        let mut mine = mine.clone();
        mine.save(&tx).await?;
        mine.refresh(&tx).await?;
        Ok(mine)
    });
    let mut mine = unit.await.unwrap();
    assert_eq!(mine.version.get(), Some(3));
    mine.refresh(&graph).await.unwrap();
    assert_eq!(mine.version.get(), Some(3));
}

async fn nodes_at_every_depth_forget_what_was_rolled_back(backend: Backend) {
    let graph = backend.graph().await;
    let parts = ["p", "q", "r"].map(|name| part(&backend, name));
    graph.save_all(&parts).await.unwrap();
    for pair in parts.windows(2) {
        let connect = pair[0].parts.connect(&pair[1]);
        connect.properties(Has::default()).await.unwrap();
    }
    let tx = graph.begin().await.unwrap();
    let found = Part::find_by_id(parts[0].id.as_str()).load(Part::PARTS.then(Part::PARTS));
    let found = found.get(&tx).await.unwrap();
    let second = &found.parts.related().unwrap()[0];
    let third = &second.parts.related().unwrap()[0];
    let all = [&found, &second.node, &third.node];
    assert!(all.iter().all(|part| part.version.get() == Some(1)));
    assert!(third.relationship.since.get().is_some());
    tx.rollback().await.unwrap();
    assert!(all.iter().all(|part| is_unknown(part)), "{all:?}");
    assert_eq!(third.relationship.since.get(), None);
}

async fn relationship_properties_forget_what_was_rolled_back(backend: Backend) {
    let graph = backend.graph().await;
    let parts = ["p", "q"].map(|name| part(&backend, name));
    graph.save_all(&parts).await.unwrap();
    let has = Has::default();
    let tx = graph.begin().await.unwrap();
    let connect = parts[0].parts.connect_all([(&parts[1], &has)]);
    connect.on(&tx).await.unwrap();
    let fetched = parts[0].parts.fetch().on(&tx).await.unwrap();
    assert!(has.since.get().is_some());
    assert_eq!(fetched[0].relationship.since.get(), has.since.get());
    tx.rollback().await.unwrap();
    assert_eq!(
        (has.since.get(), fetched[0].relationship.since.get()),
        (None, None)
    );
}

/// What it would leave out may never have been written.
async fn tracked_node_knows_nothing_after_a_rollback(backend: Backend) {
    let graph = backend.graph().await;
    let saved = Author::new(backend.key("a"));
    saved.save(&graph).await.unwrap();
    let tracked = std::sync::Mutex::new(None);
    let unit = graph.transaction(async |tx| {
        let mut author = saved.clone();
        author.born = Some(1828);
        author.save(&tx).await?;
        let author = author.tracked();
        assert!(author.changed().is_empty());
        *tracked.lock().unwrap() = Some(author);
        Err::<(), _>(Error::abort("no"))
    });
    rolled_back(unit.await);
    let author = tracked.into_inner().unwrap().unwrap();
    assert_eq!(author.changed(), ["born"]);
    assert!(author.save_changes(&graph).await.unwrap());
    let found = Author::find_by_name(saved.name.as_str()).get(&graph).await;
    assert_eq!(found.unwrap().born, Some(1828));

    let part = part(&backend, "p");
    part.save(&graph).await.unwrap();
    let tx = graph.begin().await.unwrap();
    let mut mine = part.clone();
    mine.weight = 9;
    mine.save(&tx).await.unwrap();
    let mine = mine.tracked();
    assert!(mine.changed().is_empty());
    tx.rollback().await.unwrap();
    assert_eq!(mine.changed(), ["weight"]);
}

/// A unit of another graph has nothing to do with what is saved here.
async fn tracked_node_writes_its_changes_inside_a_unit_of_another_graph(backend: Backend) {
    let graph = backend.graph().await;
    let memory = Graph::in_memory().await.unwrap();
    let [saved] = books(&backend, &graph).await;
    let unit = memory.transaction(async |tx| {
        book(&backend, "other").save(&tx).await?;
        let mut mine = saved.clone().tracked();
        let mut theirs = saved.clone();
        theirs.title = "theirs".into();
        theirs.save(&graph).await?;
        mine.pages = Some(7);
        assert_eq!(mine.changed(), ["pages"]);
        mine.save_changes(&graph).await
    });
    assert!(unit.await.unwrap());
    let found = find(&saved, &graph).await;
    assert_eq!((found.title.as_str(), found.pages), ("theirs", Some(7)));
}
