//! What sessions say of themselves: home databases, logins of their own, telemetry, notifications.

use std::sync::{Arc, Mutex};

use neo_bolt::value::{Map, Value};
use neo_bolt::{
    AccessMode, Address, AuthToken, BoxError, ErrorKind, NotificationConfig,
    NotificationMinimumSeverity, SessionConfig, params,
};

use crate::peer::{BEGIN, COMMIT, LOGOFF, LOGON, PULL, Peer, ROUTE, RUN, Server};

type Said = Arc<Mutex<Vec<(u8, Vec<Value>)>>>;

/// A member of a cluster that serves everything, and notes what was said to it.
async fn member(mut peer: Peer, said: Said, version: (u8, u8), hints: Map) {
    peer.log_in_with(version.1, version.0, hints).await;
    while let Some(request) = peer.receive().await {
        said.lock()
            .unwrap()
            .push((request.tag, request.fields.clone()));
        match request.tag {
            ROUTE => {
                let server = |role: &str| {
                    Value::Map(params! { "role" => role, "addresses" => vec!["peer:7687"] })
                };
                let servers = vec![server("ROUTE"), server("READ"), server("WRITE")];
                let table = params! { "ttl" => 300, "db" => "library", "servers" => servers };
                peer.success(params! { "rt" => table }).await;
            }
            BEGIN => peer.success(params! { "db" => "library" }).await,
            RUN => peer.success(params! { "fields" => vec!["n"] }).await,
            _ => peer.success(Map::new()).await,
        }
    }
}

fn cluster(version: (u8, u8), hints: Map) -> (Arc<Server>, Said) {
    let said = Said::default();
    let log = Arc::clone(&said);
    let server = Server::new(move |peer| member(peer, Arc::clone(&log), version, hints.clone()));
    (server, said)
}

fn databases(said: &Said, tag: u8) -> Vec<Option<Value>> {
    let said = said.lock().unwrap();
    said.iter()
        .filter(|(known, _)| *known == tag)
        .map(|(_, fields)| match fields.last() {
            Some(Value::Map(extra)) => extra.get("db").cloned(),
            _ => None,
        })
        .collect()
}

/// Before Bolt 5.8 the home database is asked for by each session, and named from then on.
#[tokio::test]
async fn the_home_database_is_asked_for_and_named() {
    let (server, said) = cluster((5, 4), Map::new());
    let driver = server.builder_for("neo4j://peer").build().unwrap();
    for _ in 0..2 {
        driver.execute_query("1", ()).await.unwrap();
    }
    assert_eq!(databases(&said, ROUTE), [None, None]);
    assert_eq!(
        databases(&said, BEGIN),
        [Some("library".into()), Some("library".into())]
    );
}

/// Where servers pass on what others have to do, what is remembered will do.
#[tokio::test]
async fn the_home_database_is_remembered_where_servers_route_by_themselves() {
    for version in [(5, 8), (6, 0), (6, 1)] {
        let (server, said) = cluster(version, params! { "ssr.enabled" => true });
        let driver = server.builder_for("neo4j://peer").build().unwrap();
        for _ in 0..3 {
            driver.execute_query("1", ()).await.unwrap();
        }
        assert_eq!(databases(&said, ROUTE), [None], "{version:?}");
        let named = databases(&said, BEGIN);
        assert_eq!(named, [Some("library".into()), None, None], "{version:?}");
        // A session keeps to the database that it began in.
        let mut session = driver.session(SessionConfig::default());
        for _ in 0..2 {
            let transaction = session.begin_transaction().await.unwrap();
            transaction.commit().await.unwrap();
        }
        let named = databases(&said, BEGIN);
        assert_eq!(named[3..], [None, Some("library".into())], "{version:?}");
        assert_eq!(databases(&said, ROUTE).len(), 1, "{version:?}");
    }
}

#[tokio::test]
async fn a_session_with_a_login_of_its_own_logs_in_before_what_it_asks() {
    let (server, said) = cluster((5, 4), Map::new());
    let driver = server.driver();
    driver.execute_query("1", ()).await.unwrap();
    let other = AuthToken::basic("other", "word");
    driver.execute_query("1", ()).auth(other).await.unwrap();
    driver.execute_query("1", ()).await.unwrap();
    let tags: Vec<u8> = said.lock().unwrap().iter().map(|(tag, _)| *tag).collect();
    let query = [BEGIN, RUN, PULL, COMMIT];
    let login = [LOGOFF, LOGON];
    let expected = [&query[..], &login, &query, &login, &query].concat();
    assert_eq!(tags, expected);
    assert_eq!(server.opened(), 1);
}

#[tokio::test]
async fn a_server_that_can_not_change_logins_says_so() {
    let (server, _) = cluster((5, 0), Map::new());
    let query = server.driver().execute_query("1", ());
    let error = query
        .auth(AuthToken::basic("other", "word"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("Bolt 5.1"), "{error}");
}

const TELEMETRY: u8 = 0x54;

#[tokio::test]
async fn servers_that_want_to_know_are_told_what_is_used() {
    for (disabled, expected) in [(false, vec![3, 0, 1, 2]), (true, vec![])] {
        let (server, said) = cluster((6, 0), params! { "telemetry.enabled" => true });
        let builder = server.builder().telemetry_disabled(disabled);
        let driver = builder.build().unwrap();
        driver.execute_query("1", ()).await.unwrap();
        let mut session = driver.session(SessionConfig::default());
        let worked = session
            .execute_read(async |tx| tx.execute("1", ()).await)
            .await;
        worked.unwrap();
        let transaction = session.begin_transaction().await.unwrap();
        transaction.commit().await.unwrap();
        session.run("1", ()).await.unwrap().consume().await.unwrap();
        let said = said.lock().unwrap();
        let told: Vec<i64> = said
            .iter()
            .filter(|(tag, _)| *tag == TELEMETRY)
            .map(|(_, fields)| match fields[0] {
                Value::Integer(api) => api,
                ref other => panic!("{other:?} is no number"),
            })
            .collect();
        assert_eq!(told, expected);
    }
}

#[tokio::test]
async fn notifications_are_left_out_by_the_server() {
    let filter = NotificationConfig::default().minimum_severity(NotificationMinimumSeverity::Off);
    let (server, said) = cluster((5, 5), Map::new());
    let driver = server.driver();
    let mut session = driver.session(SessionConfig::default().notifications(filter.clone()));
    session.run("1", ()).await.unwrap().consume().await.unwrap();
    let extra = said.lock().unwrap()[0].1.last().cloned();
    let Some(Value::Map(extra)) = extra else {
        panic!("no extra");
    };
    let severity = extra.get("notifications_minimum_severity");
    assert_eq!(severity, Some(&"OFF".into()));
    let (old, _) = cluster((5, 1), Map::new());
    let driver = old.builder().notifications(filter).build().unwrap();
    let error = driver.execute_query("1", ()).await.unwrap_err();
    assert!(error.to_string().contains("Bolt 5.2"), "{error}");
}

#[tokio::test]
async fn a_resolver_says_where_a_cluster_is_looked_for() {
    let (server, _) = cluster((5, 4), Map::new());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let resolver = move |address: Address| {
        log.lock().unwrap().push(address.to_string());
        async move { Ok::<_, BoxError>(vec!["peer:7687".parse()?]) }
    };
    let builder = server.builder_for("neo4j://nobody:1");
    let driver = builder.resolver(Arc::new(resolver)).build().unwrap();
    let query = driver.execute_query("1", ()).routing(AccessMode::Read);
    query.await.unwrap();
    assert_eq!(*asked.lock().unwrap(), ["nobody:1"]);
    let table = driver.routing_table(Some("library")).unwrap();
    assert_eq!(table.writers()[0].to_string(), "peer:7687");
    let metrics = driver.connection_pool_metrics();
    let of = metrics
        .iter()
        .find(|of| of.address.host() == "peer")
        .unwrap();
    assert_eq!((of.in_use, of.idle), (0, 1));
}
