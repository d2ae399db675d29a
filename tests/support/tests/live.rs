//! Real servers, started by this crate, and the official Python driver against them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use neo_test_support::neo4j::{Line, Server, StartOptions, shared_or_skip};
use neo_test_support::proxy::{Action, Proxy, When};
use neo_test_support::{Backend, Message, backends, python};

/// The first four bytes that a server answers to a classic proposal of Bolt 5.4.
fn handshake(address: &str) -> std::io::Result<[u8; 4]> {
    let mut stream = TcpStream::connect(address)?;
    let mut hello = vec![0x60, 0x60, 0xB0, 0x17, 0, 0, 4, 5];
    hello.extend_from_slice(&[0; 12]);
    stream.write_all(&hello)?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

/// Runs a script with the driver's address and login before its own arguments, or says why not.
fn run(test: &str, script: &str, uri: &str, server: &Server, more: &[&str]) -> Option<String> {
    let args = [&[uri, server.user(), server.password()], more].concat();
    let output = python::run_script(script, &args);
    let output = output.inspect_err(|why| why.skip_or_fail(test)).ok()?;
    Some(output.expect_success())
}

#[test]
fn the_backends_answer() {
    let begun = Instant::now();
    let backends = backends();
    println!("after {:?}", begun.elapsed());
    for backend in backends {
        if let Backend::Neo4j(server) = backend {
            assert_eq!(handshake(server.address()).unwrap(), [0, 0, 4, 5]);
        }
    }
    assert_eq!(
        backends.as_ptr(),
        neo_test_support::backends().as_ptr(),
        "chosen once"
    );
}

#[test]
fn a_kill_loses_nothing() {
    let test = "a_kill_loses_nothing";
    let server = match Server::start(Line::V5_26, StartOptions::default().tls(false)) {
        Ok(server) => server,
        Err(why) => return why.skip_or_fail(test),
    };
    assert_eq!(server.certificate_pem(), None);
    let uri = server.uri().to_owned();
    let query = r#"
import sys, neo4j
uri, user, password, statement = sys.argv[1:]
with neo4j.GraphDatabase.driver(uri, auth=(user, password)) as driver:
    print(driver.execute_query(statement).records)
"#;
    let written = run(test, query, &uri, &server, &["CREATE (:Kept)"]);
    server.kill().unwrap();
    handshake(server.address()).unwrap_err();
    server.kill().unwrap();
    server.restart().unwrap();
    assert_eq!(server.uri(), uri);
    assert_eq!(handshake(server.address()).unwrap(), [0, 0, 4, 5]);
    if written.is_some() {
        let count = run(
            test,
            query,
            &uri,
            &server,
            &["MATCH (n:Kept) RETURN count(n) AS n"],
        );
        assert_eq!(count.as_deref(), Some("[<Record n=1>]\n"));
    }
}

/// Runs one query in one of the driver's ways and fails when the answer is not 1.
const ONE_QUERY: &str = r#"
import sys, neo4j
uri, user, password, way = sys.argv[1:]
with neo4j.GraphDatabase.driver(uri, auth=(user, password)) as driver:
    if way == "execute_query":
        records = driver.execute_query("RETURN 1 AS one", database_="neo4j").records
    else:
        with driver.session(database="neo4j") as session:
            if way == "run":
                records = list(session.run("RETURN 1 AS one"))
            else:
                records = session.execute_write(lambda tx: list(tx.run("RETURN 1 AS one")))
    assert [record["one"] for record in records] == [1], records
    print(driver.get_server_info().agent)
"#;

#[test]
fn round_trips_of_the_official_driver() {
    let test = "round_trips_of_the_official_driver";
    let Some(server) = shared_or_skip(Line::V5_26, test) else {
        return;
    };
    // What the driver is known to send in one burst: `execute_query` begins together with the
    // statement, `execute_write` does not; neither commits together with it.
    for (way, expected) in [
        ("execute_query", &["BEGIN RUN PULL", "COMMIT"][..]),
        ("execute_write", &["BEGIN", "RUN PULL", "COMMIT"]),
        ("run", &["RUN PULL"]),
    ] {
        let proxy = Proxy::start(server.uri()).unwrap();
        let Some(agent) = run(test, ONE_QUERY, &proxy.uri(), server, &[way]) else {
            return;
        };
        assert!(agent.starts_with("Neo4j/"), "{agent}");

        let counts = proxy.counts();
        assert_eq!((counts.connections, counts.handshakes), (1, 1), "{way}");
        let bursts = bursts(&proxy);
        assert_eq!(bursts[0], "HELLO LOGON", "{way}: {bursts:?}");
        let work: Vec<_> = bursts[1..]
            .iter()
            .filter(|burst| !["RESET", "GOODBYE"].contains(&&***burst))
            .collect();
        assert_eq!(work, expected, "{way}: {bursts:?}");
        let answered = bursts.iter().filter(|burst| *burst != "GOODBYE").count();
        assert_eq!(
            counts.round_trips,
            u64::try_from(answered).unwrap(),
            "{way}: {bursts:?}"
        );
        assert_eq!(
            (counts.of(Message::Record), counts.of(Message::Failure)),
            (1, 0)
        );
    }
}

/// The requests, grouped by what lies between the server's answers.
fn bursts(proxy: &Proxy) -> Vec<String> {
    let mut bursts: Vec<String> = Vec::new();
    let mut in_burst = false;
    for message in proxy.trace().into_iter().map(|seen| seen.message) {
        let request = message.direction() == neo_test_support::Direction::ToServer;
        match bursts.last_mut() {
            Some(burst) if request && in_burst => burst.push_str(&format!(" {message}")),
            _ if request => bursts.push(message.to_string()),
            _ => {}
        }
        in_burst = request;
    }
    bursts
}

#[test]
fn tls_on_both_lines() {
    let script = r#"
import os, sys, tempfile, neo4j
uri, user, password, pem = sys.argv[1:]
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "trusted.pem")
    with open(path, "w") as file:
        file.write(pem)
    any_certificate = dict(uri=uri.replace("bolt://", "bolt+ssc://"))
    this_certificate = dict(
        uri=uri, encrypted=True, trusted_certificates=neo4j.TrustCustomCAs(path))
    by_name = dict(this_certificate, uri=uri.replace("127.0.0.1", "localhost"))
    for how in [any_certificate, this_certificate, by_name]:
        with neo4j.GraphDatabase.driver(auth=(user, password), **how) as driver:
            print(driver.execute_query("RETURN 1 AS n").records[0]["n"], driver.encrypted)
"#;
    for line in Line::ALL {
        let test = "tls_on_both_lines";
        let Some(server) = shared_or_skip(line, test) else {
            continue;
        };
        let Some(pem) = server.certificate_pem() else {
            continue;
        };
        // The proxy lets pass what it can't read.
        let proxy = Proxy::start(server.uri()).unwrap();
        let Some(printed) = run(test, script, &proxy.uri(), server, &[pem]) else {
            return;
        };
        assert_eq!(printed, "1 True\n1 True\n1 True\n", "{}", server.name());
        assert!(proxy.counts().connections >= 3 && proxy.counts().handshakes == 0);
    }
}

#[test]
fn routing_and_the_manifest_pass_on_both_lines() {
    for line in Line::ALL {
        let test = "routing_and_the_manifest_pass_on_both_lines";
        let Some(server) = shared_or_skip(line, test) else {
            continue;
        };
        let proxy = Proxy::start(server.uri()).unwrap();
        let uri = proxy.routing_uri();
        let Some(agent) = run(test, ONE_QUERY, &uri, server, &["execute_query"]) else {
            return;
        };
        assert!(agent.starts_with("Neo4j/"), "{agent}");
        let counts = proxy.counts();
        assert!(counts.of(Message::Route) >= 1, "{counts:?}");
        // A single server names the address that the client came by, so all goes the same way.
        assert_eq!(
            (counts.connections, counts.of(Message::Run)),
            (1, 1),
            "{counts:?}"
        );
    }
}

/// The answer to COMMIT is lost: the driver can't know, the database has the node.
#[test]
fn a_lost_answer_to_commit() {
    let test = "a_lost_answer_to_commit";
    let Some(server) = shared_or_skip(Line::V2026_08, test) else {
        return;
    };
    let script = r#"
import sys, neo4j
uri, user, password, direct, label = sys.argv[1:]
def count():
    with neo4j.GraphDatabase.driver(direct, auth=(user, password)) as driver:
        return driver.execute_query(f"MATCH (n:{label}) RETURN count(n) AS n").records[0]["n"]
with neo4j.GraphDatabase.driver(uri, auth=(user, password)) as driver:
    with driver.session() as session:
        try:
            session.execute_write(lambda tx: tx.run(f"CREATE (:{label})").consume())
            print("committed", count())
        except Exception as error:
            print(type(error).__name__, count())
"#;
    let proxy = Proxy::start(server.uri()).unwrap();
    let fault = proxy.inject(Message::Commit, Action::CutAfterAnswer, When::Nth(1));
    let more = [server.uri(), "Answered"];
    let Some(printed) = run(test, script, &proxy.uri(), server, &more) else {
        return;
    };
    assert_eq!(proxy.fired(fault), 1);
    assert_eq!(printed, "IncompleteCommit 1\n");
    // Before it is sent, nothing is committed: how the driver goes on is its own affair.
    let proxy = Proxy::start(server.uri()).unwrap();
    let fault = proxy.inject(Message::Commit, Action::CutBefore, When::Every(1));
    let more = [server.uri(), "NotSent"];
    let Some(printed) = run(test, script, &proxy.uri(), server, &more) else {
        return;
    };
    assert!(proxy.fired(fault) >= 1);
    assert!(printed.ends_with(" 0\n"), "{printed}");
}
