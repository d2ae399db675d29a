//! Several operations as one.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::common::on_every_backend;
use crate::common::{Author, Backend, Book, Wrote};
use neo_ogm::prelude::*;
use neo_ogm::{Error, ErrorKind};

on_every_backend!(
    all_of_it_or_nothing,
    a_unit_of_work_runs_in_a_spawned_task,
    a_unit_reads_its_own_writes,
    deadlocks_do_not_surface,
    an_error_of_ones_own_rolls_back_and_is_not_retried,
    a_dropped_transaction_lets_go,
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
