//! Streams: every record, bounded memory, and a pool that stays sound.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use crate::common::on_every_backend;
use crate::common::{Author, Backend};
use neo_ogm::neo_bolt::{SessionConfig, params};
use neo_ogm::prelude::*;

on_every_backend!(
    a_stream_gives_every_node_in_order,
    a_stream_may_be_dropped_midway,
    a_future_may_be_dropped_at_any_await,
    several_results_of_one_transaction_are_read_side_by_side,
    a_dropped_write_is_done_all_the_same,
);

async fn people(graph: &Graph, prefix: &str, count: i64) {
    graph
        .cypher(
            "UNWIND range(1, $count) AS n MERGE (a:Author {name: $prefix + toString(100000 + n)})",
        )
        .param("count", count)
        .param("prefix", prefix)
        .execute(graph)
        .await
        .unwrap();
}

async fn a_stream_gives_every_node_in_order(backend: Backend) {
    let graph = backend.graph().await;
    let prefix = backend.key("stream");
    people(&graph, &prefix, 2500).await;
    let find = Author::find()
        .filter(Author::NAME.starts_with(prefix.as_str()))
        .order_by(Author::NAME.asc());
    let mut stream = find.stream(&graph).await.unwrap();
    let mut number = 100_000;
    while let Some(author) = stream.next().await {
        number += 1;
        assert_eq!(author.unwrap().name, format!("{prefix}{number}"));
    }
    assert_eq!(number, 102_500);
    assert!(stream.next().await.is_none());
}

async fn a_stream_may_be_dropped_midway(backend: Backend) {
    let graph = backend.graph().await;
    let prefix = backend.key("dropped");
    people(&graph, &prefix, 2500).await;
    for taken in [0, 1, 1000, 1001] {
        let find = Author::find().filter(Author::NAME.starts_with(prefix.as_str()));
        let mut stream = find.stream(&graph).await.unwrap();
        for _ in 0..taken {
            stream.next().await.unwrap().unwrap();
        }
        drop(stream);
        let count = Author::find().filter(Author::NAME.starts_with(prefix.as_str()));
        assert_eq!(count.count(&graph).await.unwrap(), 2500, "after {taken}");
    }
}

/// Polls a save 0, 1, 2… times and drops it, until one is ready; the pool must stay usable.
async fn a_future_may_be_dropped_at_any_await(backend: Backend) {
    let graph = backend.graph().await;
    for polls in 0..200 {
        let author = Author::new(backend.key(&format!("polled{polls}")));
        let ready = {
            let mut save = pin!(author.save(&graph).into_future());
            let mut cx = Context::from_waker(Waker::noop());
            let mut ready = false;
            for _ in 0..polls {
                if let Poll::Ready(saved) = save.as_mut().poll(&mut cx) {
                    saved.unwrap();
                    ready = true;
                    break;
                }
                tokio::task::yield_now().await;
            }
            ready
        };
        let one: Vec<i64> = graph.cypher("RETURN 1").fetch(&graph).await.unwrap();
        assert_eq!(one, [1], "after {polls} polls");
        if ready && polls > 20 {
            return;
        }
    }
}

async fn several_results_of_one_transaction_are_read_side_by_side(backend: Backend) {
    let graph = backend.graph().await;
    let mut session = graph
        .driver()
        .session(SessionConfig::default().fetch_size(10));
    let sums: (i64, i64) = session
        .execute_read(async |tx| {
            let parameters = || params! { "n" => 95 };
            let mut one = tx
                .run("UNWIND range(1, $n) AS x RETURN x", parameters())
                .await?;
            let mut other = tx
                .run("UNWIND range(1, $n) AS x RETURN -x", parameters())
                .await?;
            let mut sums = (0, 0);
            while let Some(record) = one.next().await {
                sums.0 += record?.get_at::<i64>(0)?;
                if let Some(record) = other.next().await {
                    sums.1 += record?.get_at::<i64>(0)?;
                }
            }
            Ok::<_, neo_ogm::neo_bolt::Error>(sums)
        })
        .await
        .unwrap();
    assert_eq!(sums, (4560, -4560));
}

async fn a_dropped_write_is_done_all_the_same(backend: Backend) {
    let graph = backend.graph().await;
    let name = backend.key("unread");
    {
        let mut session = graph.driver().session(SessionConfig::default());
        let text = "UNWIND range(1, 3000) AS n MERGE (a:Author {name: $name}) RETURN n";
        drop(
            session
                .run(text, params! { "name" => name.as_str() })
                .await
                .unwrap(),
        );
    }
    for _ in 0..100 {
        if Author::find_by_name(name.as_str())
            .exists(&graph)
            .await
            .unwrap()
        {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the write was undone");
}
