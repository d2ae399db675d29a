//! The helper for users' tests: label spaces on a shared database, and `#[neo_ogm::test]`.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use crate::common::Backend;
use crate::common::on_every_backend;
use neo_ogm::neo_bolt::AccessMode;
use neo_ogm::prelude::*;
use neo_ogm::testing::{Space, isolated, sweep};

on_every_backend!(
    the_same_keys_do_not_meet,
    all_that_the_mapper_does_stays_inside,
    so_does_what_is_done_with_many,
    a_schema_is_of_its_space,
    searches_stay_inside,
    nothing_stays_behind,
    not_even_behind_a_panic,
    what_was_killed_is_swept,
    the_attribute_runs_on_a_server,
);

#[derive(Node, Debug, Clone)]
#[node(label = "Order", index(title, pages))]
struct Novel {
    #[node(key)]
    isbn: String,
    #[node(unique)]
    title: String,
    pages: Option<i64>,
    #[relationship]
    author: One<Writer, ByWriter>,
    #[relationship(type = "größer als")]
    sequels: Many<Novel>,
}

#[derive(Node, Debug, Clone)]
struct Writer {
    #[node(key)]
    name: String,
    #[relationship(direction = "in")]
    novels: Many<Novel, ByWriter>,
}

#[relationship(type = "TEST_WRITTEN_BY")]
#[derive(Debug, Clone, PartialEq)]
struct ByWriter {
    #[relationship(index)]
    year: i64,
}

async fn the_same_keys_do_not_meet(backend: Backend) {
    let graph = backend.graph().await;
    let tests: Vec<_> = (0..4_i64)
        .map(|number| {
            let graph = graph.clone();
            tokio::spawn(async move {
                isolated(&graph, async |graph| {
                    graph.apply_schema::<Novel>().await.unwrap();
                    let mut novel = Novel::new("1", "Anna Karenina");
                    // Each would find the other's node here.
                    novel.insert(&graph).await.unwrap();
                    novel.pages = Some(number);
                    novel.save(&graph).await.unwrap();
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    let found = Novel::find().all(&graph).await.unwrap();
                    assert_eq!((found.len(), found[0].pages), (1, Some(number)));
                })
                .await
            })
        })
        .collect();
    for test in tests {
        test.await.unwrap().unwrap();
    }
    assert!(!Novel::find_by_isbn("1").exists(&graph).await.unwrap());
}

async fn all_that_the_mapper_does_stays_inside(backend: Backend) {
    let server = backend.graph().await;
    let space = Space::new(&server);
    let graph = space.graph();
    let (novel, writer) = (Novel::new("1", "T"), Writer::new("W"));
    graph
        .transaction(async |tx| {
            novel.save(&tx).await?;
            writer.save(&tx).await?;
            let carried = ByWriter { year: 1878 };
            novel
                .author
                .connect(&writer)
                .properties(carried)
                .on(&tx)
                .await
        })
        .await
        .unwrap();
    // A bounded relationship refuses another.
    let other = Writer::new("X");
    other.save(graph).await.unwrap();
    let connect = novel
        .author
        .connect(&other)
        .properties(ByWriter { year: 1 });
    assert!(
        connect
            .await
            .unwrap_err()
            .to_string()
            .contains("`author` is One")
    );
    let sequel = Novel::new("2", "U");
    sequel.save(graph).await.unwrap();
    novel.sequels.connect(&sequel).await.unwrap();
    // Found, loaded, filtered, streamed.
    let found = Novel::find()
        .filter(Novel::AUTHOR.has(Writer::NAME.eq("W")))
        .load(Novel::AUTHOR)
        .load(Novel::SEQUELS)
        .one(graph)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.author.get().unwrap().name, "W");
    assert_eq!(found.sequels.get().unwrap().len(), 1);
    assert_eq!(writer.novels.fetch().await.unwrap().len(), 1);
    let mut stream = Novel::find().stream(graph).await.unwrap();
    let mut count = 0;
    while let Some(novel) = stream.next().await {
        novel.unwrap();
        count += 1;
    }
    assert_eq!(count, 2);
    // Cypher of one's own, as far as the names stand in it.
    let text = "MATCH (n:`Order` {isbn: $isbn})-[r:TEST_WRITTEN_BY]->(w:Writer) RETURN n, r, w";
    let query = graph.cypher(text).param("isbn", "1");
    let rows: Vec<(Novel, ByWriter, Writer)> = query.fetch(graph).await.unwrap();
    assert_eq!((rows.len(), rows[0].1.year), (1, 1878));
    let query = server.cypher(text).param("isbn", "1");
    assert!(
        query
            .fetch::<(Novel, ByWriter, Writer)>(&server)
            .await
            .unwrap()
            .is_empty()
    );
    // A node that is none of ours is called by its own name.
    let error = graph
        .cypher("MATCH (w:Writer) RETURN w")
        .fetch::<Novel>(graph)
        .await;
    let text = error.unwrap_err().to_string();
    assert!(
        text.contains(":Writer") && !text.contains(space.prefix()),
        "{text}"
    );
    let tx = graph.begin().await.unwrap();
    novel.delete(&tx).await.unwrap();
    assert_eq!(Novel::find().count(&tx).await.unwrap(), 1);
    tx.rollback().await.unwrap();
    assert_eq!(Novel::find().count(graph).await.unwrap(), 2);
    space.close().await.unwrap();
}

async fn so_does_what_is_done_with_many(backend: Backend) {
    let server = backend.graph().await;
    // The same nodes in two spaces, and what changes one of them leaves the other.
    let (one, two) = (Space::new(&server), Space::new(&server));
    let writer = Writer::new("W");
    let novels: Vec<_> = (0..6)
        .map(|n| Novel::new(n.to_string(), format!("T{n}")))
        .collect();
    for space in [&two, &one] {
        let graph = space.graph();
        graph.save_all(&novels).await.unwrap();
        writer.save(graph).await.unwrap();
        let pairs = novels.iter().map(|n| (n, &writer, ByWriter { year: 1 }));
        graph.connect_all(Novel::AUTHOR, pairs).await.unwrap();
        let pairs = novels.windows(2).map(|pair| (&pair[0], &pair[1]));
        graph.connect_all(Novel::SEQUELS, pairs).await.unwrap();
    }
    let graph = one.graph();
    let changed = Novel::find().filter(Novel::TITLE.eq("T1")).update(graph);
    assert_eq!(changed.set(Novel::PAGES, 7).await.unwrap(), 1);
    let far = Novel::find()
        .filter(Novel::ISBN.eq("0"))
        .follow(Novel::SEQUELS.hops(1..=3));
    assert_eq!(far.all(graph).await.unwrap().len(), 3);
    novels[0]
        .sequels
        .reconnect(&novels[1], &novels[5])
        .await
        .unwrap();
    assert!(novels[0].sequels.is_connected(&novels[5]).await.unwrap());
    let other = Writer::new("X");
    other.save(graph).await.unwrap();
    let replaced = novels[0]
        .author
        .replace(&other)
        .properties(ByWriter { year: 2 });
    replaced.await.unwrap();
    assert_eq!(writer.novels.count().await.unwrap(), 5);
    let gone = Novel::find()
        .filter(Novel::ISBN.in_list(["2", "3"]))
        .delete(graph);
    assert_eq!(gone.await.unwrap(), 2);
    graph.delete_all(&novels[4..]).await.unwrap();
    assert_eq!(Novel::find().count(graph).await.unwrap(), 2);
    let graph = two.graph();
    let untouched = Novel::find()
        .filter(Novel::PAGES.is_null())
        .load(Novel::AUTHOR);
    let untouched = untouched.all(graph).await.unwrap();
    assert_eq!(untouched.len(), 6);
    assert!(
        untouched
            .iter()
            .all(|novel| novel.author.get().unwrap().name == "W")
    );
    one.close().await.unwrap();
    two.close().await.unwrap();
}

async fn a_schema_is_of_its_space(backend: Backend) {
    let server = backend.graph().await;
    let (one, two) = (Space::new(&server), Space::new(&server));
    let applied = one.graph().apply_schema::<(Novel, Writer)>().await.unwrap();
    assert_eq!(applied.created().count(), 5);
    let diff = one.graph().schema_diff::<(Novel, Writer)>().await.unwrap();
    assert!(diff.is_empty(), "{diff}");
    let diff = two.graph().schema_diff::<(Novel, Writer)>().await.unwrap();
    assert_eq!((diff.missing.len(), diff.extra.len()), (5, 0), "{diff}");
    Novel::new("1", "T").save(one.graph()).await.unwrap();
    let error = Novel::new("2", "T").save(one.graph()).await.unwrap_err();
    assert!(error.is_constraint_violation(), "{error}");
    Novel::new("2", "T").save(two.graph()).await.unwrap();
    assert_eq!(one.graph().drop_schema::<Novel>().await.unwrap().len(), 4);
    Novel::new("2", "T").save(one.graph()).await.unwrap();
    one.close().await.unwrap();
    two.close().await.unwrap();
}

#[derive(Node, Debug)]
struct Searched {
    #[node(key)]
    id: i64,
    #[node(fulltext)]
    text: String,
    #[node(vector(dimensions = 2))]
    meaning: Vec<f32>,
}

async fn searches_stay_inside(backend: Backend) {
    if backend.is_embedded() {
        return;
    }
    let server = backend.graph().await;
    let (one, two) = (Space::new(&server), Space::new(&server));
    for (space, id) in [(&one, 1), (&two, 2)] {
        let graph = space.graph();
        let apply = graph.apply_schema::<Searched>();
        apply.await_online(Duration::from_secs(60)).await.unwrap();
        let mut node = Searched::new(id, "war and peace");
        node.meaning = vec![1.0, 0.0];
        node.save(graph).await.unwrap();
        graph
            .cypher("CALL db.index.fulltext.awaitEventuallyConsistentIndexRefresh()")
            .execute(graph)
            .await
            .unwrap();
        let found = Searched::find()
            .search(Searched::TEXT, "peace")
            .all(graph)
            .await
            .unwrap();
        assert_eq!(
            found.iter().map(|hit| hit.node.id).collect::<Vec<_>>(),
            [id]
        );
        let near = Searched::find().nearest(Searched::MEANING, &[1.0, 0.1], 5);
        let near = near.nodes(graph).await.unwrap();
        assert_eq!(near.iter().map(|node| node.id).collect::<Vec<_>>(), [id]);
    }
    one.close().await.unwrap();
    two.close().await.unwrap();
}

/// How many nodes and schema rules there are of a space.
async fn left(server: &Graph, prefix: &str) -> (i64, usize) {
    let nodes: Vec<i64> = server
        .cypher(format!("MATCH (n:{prefix}Order) RETURN count(n)"))
        .fetch(server)
        .await
        .unwrap();
    let rules: Vec<String> = server
        .cypher("SHOW INDEXES YIELD name")
        .fetch(server)
        .await
        .unwrap();
    let rules = rules.iter().filter(|name| name.starts_with(prefix));
    (nodes[0], rules.count())
}

async fn nothing_stays_behind(backend: Backend) {
    let server = backend.graph().await;
    let space = Space::new(&server);
    let prefix = space.prefix().to_owned();
    space.graph().apply_schema::<Novel>().await.unwrap();
    Novel::new("1", "T").save(space.graph()).await.unwrap();
    assert_eq!(left(&server, &prefix).await, (1, 4));
    space.close().await.unwrap();
    assert_eq!(left(&server, &prefix).await, (0, 0));
}

async fn not_even_behind_a_panic(backend: Backend) {
    let server = backend.graph().await;
    let prefix = std::sync::Mutex::new(String::new());
    let test = isolated(&server, async |graph| {
        graph.apply_schema::<Novel>().await.unwrap();
        Novel::new("1", "T").save(&graph).await.unwrap();
        let labels: Vec<Vec<String>> = graph
            .cypher("MATCH (n:`Order`) RETURN labels(n)")
            .fetch(&graph)
            .await
            .unwrap();
        let label = labels[0][0].strip_suffix("Order").unwrap();
        label.clone_into(&mut prefix.lock().unwrap());
        panic!("as a test does that fails");
    });
    let mut test = Box::pin(test);
    let panicked = std::future::poll_fn(|cx| {
        let polled = std::panic::catch_unwind(AssertUnwindSafe(|| test.as_mut().poll(cx)));
        match polled {
            Ok(polled) => polled.map(|_: Result<(), _>| false),
            Err(_) => std::task::Poll::Ready(true),
        }
    });
    assert!(panicked.await);
    let prefix = prefix.lock().unwrap().clone();
    assert!(prefix.starts_with("NeoOgmTest_"), "{prefix}");
    assert_eq!(left(&server, &prefix).await, (0, 0));
}

async fn what_was_killed_is_swept(backend: Backend) {
    let server = backend.graph().await;
    let space = Space::new(&server);
    let prefix = space.prefix().to_owned();
    Novel::new("1", "T").save(space.graph()).await.unwrap();
    drop(space);
    assert_eq!(left(&server, &prefix).await.0, 1);
    // Those of tests that run right now are younger.
    sweep(&server, Duration::from_secs(3600)).await.unwrap();
    assert_eq!(left(&server, &prefix).await.0, 1);
    if backend.is_embedded() {
        assert_eq!(sweep(&server, Duration::ZERO).await.unwrap(), 1);
        assert_eq!(left(&server, &prefix).await.0, 0);
        assert_eq!(sweep(&server, Duration::ZERO).await.unwrap(), 0);
    } else {
        let text = format!("MATCH (n:{prefix}Order) DELETE n");
        server.cypher(text).execute(&server).await.unwrap();
    }
}

/// Run by themselves on the embedded engine, and on a server by the test below.
mod by_attribute {
    use super::*;

    #[neo_ogm::test(schema = (Novel, Writer))]
    async fn has_an_empty_graph(graph: Graph) {
        assert_eq!(Novel::find().count(&graph).await.unwrap(), 0);
        Novel::new("1", "T").insert(&graph).await.unwrap();
        assert!(Novel::new("2", "T").save(&graph).await.is_err());
    }

    #[neo_ogm::test(schema = Novel)]
    async fn has_an_empty_graph_too(graph: Graph) -> Result<(), neo_ogm::Error> {
        Novel::new("1", "T").insert(&graph).await?;
        let novels = tokio::spawn(async move { Novel::find().count(&graph).await });
        assert_eq!(novels.await.unwrap()?, 1);
        Ok(())
    }

    #[neo_ogm::test]
    #[should_panic(expected = "as it should")]
    async fn may_have_to_panic(graph: Graph) {
        Novel::new("1", "T").insert(&graph).await.unwrap();
        panic!("as it should");
    }

    #[neo_ogm::test(on = "embedded")]
    async fn is_embedded(graph: Graph) {
        let info = graph.driver().server_info().await.unwrap();
        assert!(info.agent().contains("neo-ogm"), "{}", info.agent());
    }

    /// Fails where there is no server, and is asked for below only.
    #[neo_ogm::test(on = "server")]
    #[ignore = "needs NEO4J_TEST_URI"]
    async fn is_on_a_server(graph: Graph) {
        let read = graph
            .driver()
            .execute_query("RETURN 1", ())
            .routing(AccessMode::Read);
        read.await.unwrap();
        Novel::new("1", "T").insert(&graph).await.unwrap();
        let labels: Vec<Vec<String>> = graph
            .cypher("MATCH (n:`Order`) RETURN labels(n)")
            .fetch(&graph)
            .await
            .unwrap();
        assert!(labels[0][0].starts_with("NeoOgmTest_"), "{labels:?}");
    }
}

async fn the_attribute_runs_on_a_server(backend: Backend) {
    let Some((uri, user, password)) = backend.login() else {
        return;
    };
    let run = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["testing::by_attribute::", "--include-ignored"])
        .env("NEO4J_TEST_URI", uri)
        .env("NEO4J_TEST_USER", user)
        .env("NEO4J_TEST_PASSWORD", password)
        .output()
        .await
        .unwrap();
    let text = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{text}");
    assert!(text.contains("5 passed"), "{text}");
}
