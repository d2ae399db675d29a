//! Bad input, bad peers: each its own clear error, within the configured time.

use std::time::{Duration, Instant};

use crate::common::Backend;
use crate::common::on_every_backend;
use neo_ogm::Error;
use neo_ogm::neo_bolt::ErrorKind;
use neo_ogm::prelude::*;
use neo_test_support::proxy::Proxy;
use neo_test_support::scripted::{Script, ScriptedPeer, Step};

on_every_backend!(
    a_wrong_password_is_said_so,
    tls_is_what_the_uri_says,
    a_silent_way_is_bounded
);

fn kind(error: &Error) -> ErrorKind {
    error.driver_error().expect("a driver's error").kind()
}

async fn a_wrong_password_is_said_so(backend: Backend) {
    if backend.is_embedded() {
        // It has no users.
        return;
    }
    let uri = format!("bolt://{}", backend.address().await);
    let error = Graph::connect(&uri, Auth::basic("neo4j", "not the password"))
        .await
        .unwrap_err();
    assert_eq!(kind(&error), ErrorKind::Authentication);
    let text = error.to_string();
    assert!(
        text.contains("user name and password") && !text.contains("not the"),
        "{text}"
    );
}

/// The embedded engine has no TLS; the servers that the tests start have it, with a certificate
/// that nobody else trusts.
async fn tls_is_what_the_uri_says(backend: Backend) {
    let address = backend.address().await;
    let untrusted = backend
        .graph_through(&format!("bolt+s://{address}"))
        .await
        .unwrap_err();
    assert_eq!(kind(&untrusted), ErrorKind::Tls, "{untrusted:?}");
    assert!(untrusted.to_string().contains(&address), "{untrusted}");
    let any = backend
        .graph_through(&format!("neo4j+ssc://{address}"))
        .await;
    if backend.has_tls() {
        let graph = any.unwrap();
        let one: Vec<i64> = graph.cypher("RETURN 1").fetch(&graph).await.unwrap();
        assert_eq!(one, [1]);
    } else {
        let error = any.unwrap_err();
        assert_eq!(kind(&error), ErrorKind::Tls, "{error:?}");
        assert!(error.to_string().contains("has no TLS"), "{error}");
    }
}

async fn a_silent_way_is_bounded(backend: Backend) {
    let proxy = Proxy::start(&backend.address().await).expect("the proxy starts");
    proxy.set_black_hole(true);
    let started = Instant::now();
    let connected = Graph::builder(&proxy.uri())
        .driver(|driver| driver.connection_acquisition_timeout(Duration::from_millis(500)))
        .connect()
        .await;
    let error = connected.unwrap_err();
    assert_eq!(kind(&error), ErrorKind::AcquisitionTimeout);
    assert!(error.to_string().contains("500ms"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn nobody_listens() {
    // A port that was free a moment ago.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = Graph::connect(&format!("neo4j://{address}"), Auth::none())
        .await
        .unwrap_err();
    assert_eq!(kind(&error), ErrorKind::ServiceUnavailable);
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

async fn peer(script: Script) -> Error {
    let peer = ScriptedPeer::repeating(script).expect("the peer starts");
    let connected = Graph::builder(&peer.uri())
        .auth(Auth::none())
        .driver(|driver| driver.connection_acquisition_timeout(Duration::from_millis(700)))
        .connect()
        .await;
    connected.expect_err("no server answers")
}

#[tokio::test]
async fn an_http_server_is_recognised() {
    let error = peer(Script::new().step(Step::Http)).await;
    assert_eq!(kind(&error), ErrorKind::NotBolt);
    assert!(error.to_string().contains("HTTP"), "{error}");
}

#[tokio::test]
async fn a_tls_server_is_recognised() {
    let alert = vec![0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x0A];
    let error = peer(
        Script::new()
            .step(Step::ReadHandshake)
            .step(Step::Raw(alert)),
    )
    .await;
    assert_eq!(kind(&error), ErrorKind::NotBolt);
    assert!(error.to_string().contains("neo4j+s://"), "{error}");
}

#[tokio::test]
async fn an_old_server_is_recognised() {
    let error = peer(Script::new().no_version()).await;
    assert_eq!(kind(&error), ErrorKind::UnsupportedVersion);
}

#[tokio::test]
async fn garbage_is_an_error_of_the_peers() {
    let garbage = vec![0x00, 0x03, 0xB1, 0x70, 0xC4, 0x00, 0x00];
    let script = Script::new()
        .version(5, 4)
        .step(Step::Raw(garbage))
        .step(Step::Hang);
    let error = peer(script).await;
    assert!(
        matches!(kind(&error), ErrorKind::Protocol | ErrorKind::Decode),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_peer_that_hangs_in_the_login_is_left() {
    let started = Instant::now();
    let error = peer(Script::new().version(5, 4).step(Step::Hang)).await;
    assert_eq!(kind(&error), ErrorKind::AcquisitionTimeout);
    assert!(started.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn wrong_uris_are_refused_before_anything_is_sent() {
    for (uri, part) in [
        ("localhost", "no scheme"),
        ("http://localhost:7474", "HTTP port"),
        ("neo4j://localhost:x", "host and port"),
    ] {
        let error = Graph::connect(uri, Auth::none()).await.unwrap_err();
        assert_eq!(kind(&error), ErrorKind::Configuration);
        assert!(error.to_string().contains(part), "{error}");
    }
}
