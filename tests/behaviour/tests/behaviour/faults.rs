//! What crosses the wire, counted; and what happens when the wire is cut.

use crate::common::on_every_backend;
use crate::common::{Author, Backend, Book, Wrote};
use neo_ogm::neo_bolt::CommitOutcome;
use neo_ogm::prelude::*;
use neo_ogm::{Error, ErrorKind};
use neo_test_support::Message;
use neo_test_support::proxy::{Action, Proxy, When};

on_every_backend!(
    each_operation_is_one_round_trip,
    a_lost_commit_is_run_again_and_counts_once,
    a_cut_at_any_message_does_not_surface,
    an_insert_knows_its_own_earlier_attempt,
    an_error_after_a_lost_commit_has_a_known_outcome,
    an_answer_that_does_not_fit_says_that_the_write_is_committed,
    raw_cypher_takes_effect_once,
    a_unit_of_work_survives_cuts,
    a_restarted_network_is_noticed_without_losing_a_call,
);

async fn proxied(backend: &Backend) -> (Proxy, Graph) {
    let address = backend.address().await;
    let proxy = Proxy::start(&address).expect("the proxy starts");
    let graph = backend
        .graph_through(&proxy.uri())
        .await
        .expect("the way is free");
    (proxy, graph)
}

async fn each_operation_is_one_round_trip(backend: Backend) {
    let (proxy, graph) = proxied(&backend).await;
    let book = Book::new(backend.key("book"), "T");
    let (author, other) = (
        Author::new(backend.key("author")),
        Author::new(backend.key("other")),
    );
    author.save(&graph).await.unwrap();
    other.save(&graph).await.unwrap();

    macro_rules! costs {
        ($trips:literal, $what:literal, $operation:expr) => {{
            proxy.reset_counts();
            let answer = $operation.await.unwrap();
            assert_eq!(
                proxy.counts().round_trips,
                $trips,
                "{}: {:?}",
                $what,
                proxy.trace()
            );
            answer
        }};
    }
    costs!(1, "save", book.save(&graph));
    let wrote = || Wrote { year: 1 };
    costs!(
        1,
        "connect",
        book.author.connect(&author).properties(wrote())
    );
    costs!(
        1,
        "replace",
        book.author.replace(&other).properties(wrote())
    );
    costs!(1, "connect", book.similar.connect(&book));
    costs!(1, "disconnect", book.similar.disconnect(&book));
    let isbn = || Book::find_by_isbn(book.isbn.as_str());
    assert!(costs!(1, "find", isbn().one(&graph)).is_some());
    let loaded = costs!(
        1,
        "eager load",
        isbn().load(Book::AUTHOR.then(Author::BOOKS)).all(&graph)
    );
    assert_eq!(
        loaded[0].author.get().unwrap().books.get().unwrap().len(),
        1
    );
    costs!(1, "count", isbn().count(&graph));
    costs!(1, "exists", isbn().exists(&graph));
    costs!(1, "fetch", book.author.fetch());
    costs!(1, "update", book.update(&graph));
    costs!(1, "refresh", book.clone().refresh(&graph));
    costs!(1, "cypher", graph.cypher("RETURN 1").fetch::<i64>(&graph));
    let merge = || graph.cypher("MERGE (:RoundTrip)");
    costs!(2, "cypher that writes", merge().execute(&graph));
    costs!(1, "idempotent cypher", merge().idempotent().execute(&graph));
    let inserted = Book::new(backend.key("inserted"), "T");
    costs!(1, "insert", inserted.insert(&graph));
    costs!(3, "a transaction of a save and a connect", {
        graph.transaction(async |tx| {
            book.save(&tx).await?;
            book.author
                .connect(&other)
                .properties(wrote())
                .on(&tx)
                .await
        })
    });
    costs!(1, "delete", book.delete(&graph));
    assert_eq!(proxy.counts().connections, 0, "all over one connection");
}

/// 200 commits whose answer never comes, over saves, connects and deletes.
async fn a_lost_commit_is_run_again_and_counts_once(backend: Backend) {
    let (proxy, graph) = proxied(&backend).await;
    let author = Author::new(backend.key("author"));
    author.save(&graph).await.unwrap();
    let mut expected = Vec::new();
    for round in 0..67 {
        let mut book = Book::new(backend.key(&format!("book{round:03}")), "T");
        book.pages = Some(round);
        let cut = || proxy.inject(Message::Commit, Action::CutAfterAnswer, When::Next(1));
        let fault = cut();
        book.save(&graph).await.unwrap();
        assert_eq!(proxy.fired(fault), 1);
        let fault = cut();
        let year = i32::try_from(round).unwrap();
        book.author
            .connect(&author)
            .properties(Wrote { year })
            .await
            .unwrap();
        assert_eq!(proxy.fired(fault), 1);
        if round % 3 == 0 {
            let fault = cut();
            book.delete(&graph).await.unwrap();
            assert_eq!(proxy.fired(fault), 1);
        } else {
            let fault = cut();
            book.update(&graph).await.unwrap();
            assert_eq!(proxy.fired(fault), 1);
            expected.push((book.isbn.clone(), i64::from(round), vec![i64::from(year)]));
        }
    }
    let found: Vec<(String, i64, Vec<i64>)> = graph
        .cypher(
            "MATCH (b:Book) WHERE b.isbn STARTS WITH $prefix \
             OPTIONAL MATCH (b)-[r:WRITTEN_BY]->(:Author) \
             WITH b, collect(r.year) AS years RETURN b.isbn, b.pages, years ORDER BY b.isbn",
        )
        .param("prefix", backend.key("book"))
        .fetch(&graph)
        .await
        .unwrap();
    assert_eq!(found, expected);
}

async fn a_cut_at_any_message_does_not_surface(backend: Backend) {
    let (proxy, graph) = proxied(&backend).await;
    let mut number = 0;
    for message in [
        Message::Begin,
        Message::Run,
        Message::Pull,
        Message::Commit,
        Message::Success,
        Message::Hello,
        Message::Logon,
    ] {
        for action in [
            Action::CutBefore,
            Action::CutInside,
            Action::CutAfter,
            Action::CutAfterAnswer,
        ] {
            number += 1;
            if matches!(message, Message::Hello | Message::Logon) {
                // They come with a new connection only.
                proxy.cut_all();
            }
            proxy.inject(message, action, When::Next(1));
            let author = Author::new(backend.key(&format!("author{number}")));
            let saved = author.save(&graph).await;
            saved.unwrap_or_else(|error| panic!("{message:?} {action:?}: {error}"));
            proxy.clear_faults();
            let count = Author::find_by_name(author.name.as_str())
                .count(&graph)
                .await
                .unwrap();
            assert_eq!(count, 1, "{message:?} {action:?}");
        }
    }
}

async fn an_insert_knows_its_own_earlier_attempt(backend: Backend) {
    let (proxy, graph) = proxied(&backend).await;
    for round in 0..5 {
        let book = Book::new(backend.key(&format!("book{round}")), "T");
        proxy.inject(Message::Commit, Action::CutAfterAnswer, When::Next(1));
        book.insert(&graph).await.unwrap();
        assert!(
            book.insert(&graph).await.is_err(),
            "another insert is a stranger's"
        );
        let in_a_unit = Book::new(backend.key(&format!("unit{round}")), "T");
        proxy.inject(Message::Commit, Action::CutAfterAnswer, When::Next(1));
        graph
            .transaction(async |tx| in_a_unit.insert(&tx).await)
            .await
            .unwrap();
    }
}

async fn an_error_after_a_lost_commit_has_a_known_outcome(backend: Backend) {
    let (proxy, graph) = proxied(&backend).await;
    let missing = Book::new(backend.key("missing"), "T");
    let error = missing.update(&graph).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NodeNotFound { .. }));
    assert_eq!(error.commit_outcome(), CommitOutcome::NotSent, "{error}");
    proxy.inject(Message::Commit, Action::CutAfterAnswer, When::Next(1));
    let error = missing.update(&graph).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NodeNotFound { .. }));
    assert_ne!(error.commit_outcome(), CommitOutcome::Unknown, "{error}");
    assert!(!error.to_string().contains("unknown"), "{error}");
    // The first attempt took effect, so there is no second one that could give up.
    let author = Author::new(backend.key("author"));
    proxy.inject(Message::Commit, Action::CutAfterAnswer, When::Next(1));
    let unit = graph.transaction(async |tx| {
        author.save(&tx).await?;
        match tx.attempt() {
            1 => Ok(()),
            _ => Err(Error::abort("that was enough")),
        }
    });
    unit.await.unwrap();
    let found = Author::find_by_name(author.name.as_str());
    assert_eq!(found.count(&graph).await.unwrap(), 1);
}

async fn an_answer_that_does_not_fit_says_that_the_write_is_committed(backend: Backend) {
    let (_proxy, graph) = proxied(&backend).await;
    let name = backend.key("fits not");
    let query = |text: &str| graph.cypher(text).param("name", name.as_str());
    let create = query("CREATE (v:Visit {name: $name}) RETURN v.name");
    let error = create.get::<i64>(&graph).await.unwrap_err();
    assert_eq!(error.commit_outcome(), CommitOutcome::Committed, "{error}");
    let count = || query("MATCH (v:Visit {name: $name}) RETURN count(v)").read_only();
    assert_eq!(count().get::<i64>(&graph).await.unwrap(), 1);
    let error = count().get::<String>(&graph).await.unwrap_err();
    assert_eq!(error.commit_outcome(), CommitOutcome::NotSent, "{error}");
}

async fn raw_cypher_takes_effect_once(backend: Backend) {
    let (proxy, graph) = proxied(&backend).await;
    let name = backend.key("raw");
    let query = |text: &str| graph.cypher(text).param("name", name.as_str());
    let create = "CREATE (v:Visit {name: $name})";
    proxy.inject(Message::Commit, Action::CutAfterAnswer, When::Next(1));
    query(create).execute(&graph).await.unwrap();
    proxy.cut_all();
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    query(create).execute(&graph).await.unwrap();
    // An idempotent statement is simply repeated.
    proxy.reset_counts();
    proxy.inject(Message::Commit, Action::CutAfterAnswer, When::Next(1));
    let merge = "MERGE (v:Visit {name: $name + '!'}) RETURN 1";
    let one: Vec<i64> = query(merge).idempotent().fetch(&graph).await.unwrap();
    assert_eq!(one, [1]);
    assert_eq!(proxy.counts().of(Message::Commit), 2);
    let count = "MATCH (v:Visit) WHERE v.name STARTS WITH $name RETURN count(v)";
    let visits: Vec<i64> = query(count).read_only().fetch(&graph).await.unwrap();
    assert_eq!(visits, [3]);
}

async fn a_unit_of_work_survives_cuts(backend: Backend) {
    let (proxy, graph) = proxied(&backend).await;
    for (round, action) in [Action::CutBefore, Action::CutAfter, Action::CutAfterAnswer]
        .into_iter()
        .enumerate()
    {
        for message in [Message::Begin, Message::Run, Message::Commit] {
            let key = |what: &str| backend.key(&format!("{what}{round}{}", message.name()));
            let (book, author) = (Book::new(key("book"), "T"), Author::new(key("author")));
            proxy.inject(message, action, When::Next(1));
            let attempts = graph
                .transaction(async |tx| {
                    book.save(&tx).await?;
                    author.save(&tx).await?;
                    book.author
                        .connect(&author)
                        .properties(Wrote { year: 1 })
                        .on(&tx)
                        .await?;
                    Ok(tx.attempt())
                })
                .await
                .unwrap();
            let expected = match (message, action) {
                // It took effect, which is found out.
                (Message::Commit, Action::CutAfterAnswer) => 1..=1,
                // It may have.
                (Message::Commit, Action::CutAfter) => 1..=2,
                _ => 2..=2,
            };
            assert!(expected.contains(&attempts), "{message:?} {action:?}");
            assert_eq!(book.author.fetch().await.unwrap().name, author.name);
        }
    }
}

/// Idle connections that died are replaced before anything is sent on them.
async fn a_restarted_network_is_noticed_without_losing_a_call(backend: Backend) {
    let (proxy, graph) = proxied(&backend).await;
    for _ in 0..5 {
        proxy.cut_all();
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        proxy.reset_counts();
        let one: Vec<i64> = graph.cypher("RETURN 1").fetch(&graph).await.unwrap();
        assert_eq!(one, [1]);
        assert_eq!(proxy.counts().of(Message::Run), 1);
    }
}
