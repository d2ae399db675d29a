//! What each version of the protocol changes: the handshake, the login, what may be sent.

use std::sync::{Arc, Mutex};

use neo_bolt::value::{DateTime, Map, Value, Vector, Zone};
use neo_bolt::{ErrorKind, Version, params};

use crate::peer::{BEGIN, COMMIT, HELLO, LOGON, PULL, RUN, Server};

/// Everything that a client says from its login to the end of one query, and what it was told
/// about the values.
async fn spoken(minor: u8, major: u8, hello: Map, parameters: Map) -> Vec<(u8, Vec<Value>)> {
    let said = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&said);
    let server = Server::new(move |mut peer| {
        let (log, hello) = (Arc::clone(&log), hello.clone());
        async move {
            peer.read(20).await;
            peer.write(&[0, 0, minor, major]).await;
            while let Some(request) = peer.receive().await {
                log.lock()
                    .unwrap()
                    .push((request.tag, request.fields.clone()));
                let answer = match request.tag {
                    HELLO => hello.clone(),
                    RUN => params! { "fields" => vec!["n"] },
                    _ => params! {},
                };
                peer.success(answer).await;
            }
        }
    });
    let driver = server.driver();
    let found = driver.execute_query("RETURN 1", parameters).await.unwrap();
    let version = found.summary.server().protocol_version();
    assert_eq!(version, Version::new(major, minor));
    said.lock().unwrap().clone()
}

fn map(value: &Value) -> &Map {
    match value {
        Value::Map(map) => map,
        other => panic!("{other:?} is no map"),
    }
}

#[tokio::test]
async fn the_login_is_in_hello_before_5_1_and_in_logon_from_then_on() {
    for (minor, major) in [
        (4, 4),
        (0, 5),
        (1, 5),
        (2, 5),
        (3, 5),
        (4, 5),
        (7, 5),
        (8, 5),
    ] {
        let said = spoken(minor, major, params! { "server" => "Neo4j/5" }, params! {}).await;
        let tags: Vec<u8> = said.iter().map(|(tag, _)| *tag).collect();
        let split = (major, minor) >= (5, 1);
        let login = if split { &[HELLO, LOGON][..] } else { &[HELLO] };
        assert_eq!(
            tags,
            [login, &[BEGIN, RUN, PULL, COMMIT]].concat(),
            "{major}.{minor}"
        );
        let hello = map(&said[0].1[0]);
        assert_eq!(hello.contains_key("credentials"), !split, "{major}.{minor}");
        assert_eq!(hello.contains_key("bolt_agent"), (major, minor) >= (5, 3));
        assert_eq!(hello.contains_key("patch_bolt"), major == 4);
        let login = map(&said[usize::from(split)].1[0]);
        assert_eq!(login.get("credentials"), Some(&"secret".into()));
        assert_eq!(login.get("principal"), Some(&"neo4j".into()));
        assert_eq!(login.get("scheme"), Some(&"basic".into()));
    }
}

#[tokio::test]
async fn instants_are_sent_as_the_server_reads_them() {
    let noon = DateTime::from_epoch(1_700_000_000, 5, Zone::Offset(3600)).unwrap();
    // What comes out says which form went in: both are read, only one was agreed upon.
    for (minor, major, patched) in [(4, 4, false), (4, 4, true), (0, 5, false)] {
        let mut hello = params! { "server" => "Neo4j/4.4" };
        if patched {
            hello.insert("patch_bolt".to_owned(), Value::from(vec!["utc"]));
        }
        let said = spoken(minor, major, hello, params! { "at" => noon.clone() }).await;
        let run = said.iter().find(|(tag, _)| *tag == RUN).unwrap();
        let parameters = map(&run.1[1]);
        assert_eq!(
            parameters.get("at"),
            Some(&Value::from(noon.clone())),
            "{major}.{minor}"
        );
    }
}

#[tokio::test]
async fn vectors_are_refused_before_they_reach_a_server_that_has_none() {
    let server = Server::sound();
    let vector = Value::Vector(Vector::Int8(vec![1, 2]));
    let query = server
        .driver()
        .execute_query("RETURN $v", params! { "v" => vector });
    let error = query.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Encode, "{error}");
    assert!(!server.requests(0).contains(&RUN));
}

#[tokio::test]
async fn the_manifest_leads_to_the_newest_version_that_both_speak() {
    let server = Server::new(|mut peer| async move {
        let proposal = peer.read(20).await.unwrap();
        assert_eq!(proposal[..8], [0x60, 0x60, 0xB0, 0x17, 0, 0, 1, 0xFF]);
        // 5.8 to 5.0, 6.1 to 6.0, and 7.3, of which this driver knows nothing.
        peer.write(&[0, 0, 1, 0xFF, 3, 0, 8, 8, 5, 0, 1, 1, 6, 0, 0, 3, 7, 0])
            .await;
        assert_eq!(peer.read(5).await.unwrap(), [0, 0, 1, 6, 0]);
        for _ in [HELLO, LOGON] {
            peer.receive().await;
            peer.success(params! { "server" => "Neo4j/2026.08.1" })
                .await;
        }
        peer.serve().await;
    });
    let driver = server.driver();
    let vector = Value::Vector(Vector::Float64(vec![1.0, 2.5]));
    let found = driver
        .execute_query("1", params! { "v" => vector })
        .await
        .unwrap();
    assert_eq!(
        found.summary.server().protocol_version(),
        Version::new(6, 1)
    );
    assert_eq!(found.summary.server().agent(), "Neo4j/2026.08.1");
}

#[tokio::test]
async fn a_server_without_a_common_version_is_said_at_once() {
    for answer in [
        &[0, 0, 0, 0][..],
        &[0, 0, 0, 4],
        &[0, 0, 1, 0xFF, 1, 0, 0, 0, 9, 0],
    ] {
        let server = Server::new(move |mut peer| async move {
            peer.read(20).await;
            peer.write(answer).await;
            peer.read(1).await;
        });
        let error = server.driver().execute_query("1", ()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnsupportedVersion, "{error}");
        assert!(error.to_string().contains("peer:7687"), "{error}");
        assert_eq!(server.opened(), 1);
    }
}

/// From Bolt 5.7 on a failure has its code under another name, and a GQL status.
#[tokio::test]
async fn failures_of_both_shapes_are_read() {
    for (minor, code_key) in [(6, "code"), (7, "neo4j_code")] {
        let server = Server::new(move |mut peer| async move {
            peer.log_in_as(minor, 5).await;
            peer.receive().await;
            let mut failure = params! {
                "message" => "no such variable",
                "gql_status" => "42N62",
                "description" => "error: variable not defined"
            };
            failure.insert(
                code_key.to_owned(),
                "Neo.ClientError.Statement.SyntaxError".into(),
            );
            peer.send(0x7F, &[failure.into()]).await;
            peer.receive().await;
        });
        let error = server.driver().execute_query("1", ()).await.unwrap_err();
        assert_eq!(error.code(), Some("Neo.ClientError.Statement.SyntaxError"));
        assert_eq!(error.gql_status(), Some("42N62"));
        assert_eq!(error.message(), "no such variable");
    }
}

#[tokio::test]
async fn what_a_transaction_is_to_be_like_is_said_in_begin() {
    let said = Arc::new(Mutex::new(Map::new()));
    let log = Arc::clone(&said);
    let server = Server::new(move |mut peer| {
        let log = Arc::clone(&log);
        async move {
            peer.log_in().await;
            let begin = peer.expect(BEGIN).await.unwrap();
            *log.lock().unwrap() = begin.extra().clone();
            for _ in 0..3 {
                peer.receive().await;
            }
            for _ in 0..4 {
                peer.success(params! {}).await;
            }
        }
    });
    server
        .driver()
        .execute_query("1", ())
        .routing(neo_bolt::AccessMode::Read)
        .database("films")
        .timeout(std::time::Duration::from_micros(1500))
        .metadata(params! { "app" => "test" })
        .impersonated_user("ann")
        .await
        .unwrap();
    let expected = params! {
        "mode" => "r",
        "db" => "films",
        "tx_timeout" => 2,
        "tx_metadata" => params! { "app" => "test" },
        "imp_user" => "ann",
    };
    assert_eq!(*said.lock().unwrap(), expected);
}
