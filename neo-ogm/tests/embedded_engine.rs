//! The embedded engine through the driver: what a client of any language meets.

#![allow(clippy::unwrap_used)] // a test that unwraps is a test that fails

use std::sync::Arc;

use neo_bolt::value::{Map, Value};
use neo_bolt::{AuthToken, Driver, EagerResult, Error, params};
use neo_ogm::embedded::EmbeddedServer;

fn driver(server: &EmbeddedServer) -> Driver {
    Driver::builder("bolt://embedded:7687")
        .auth(AuthToken::none())
        .connector(Arc::new(server.clone()))
        .build()
        .unwrap()
}

fn memory() -> Driver {
    driver(&EmbeddedServer::in_memory().unwrap())
}

async fn run(driver: &Driver, text: &str, parameters: Map) -> Result<EagerResult, Error> {
    driver.execute_query(text, parameters).await
}

async fn ok(driver: &Driver, text: &str, parameters: Map) -> Vec<Vec<Value>> {
    let result = run(driver, text, parameters)
        .await
        .unwrap_or_else(|e| panic!("{text}: {e}"));
    result
        .records
        .iter()
        .map(|record| {
            (0..record.len())
                .map(|at| record.get_at(at).unwrap())
                .collect()
        })
        .collect()
}

async fn failed(driver: &Driver, text: &str, parameters: Map) -> String {
    match run(driver, text, parameters).await {
        Ok(_) => panic!("{text} succeeded"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn names_of_any_kind() {
    let driver = memory();
    let text = "CREATE (`n n`:`Großes Buch`:`Order` {`sort key`: 1, größe: $größe, count: 2}) \
                SET `n n` += $p RETURN `n n`, `n n`.`sort key` AS `sort key`, `n n`.count";
    let parameters = params! {
        "größe" => "neo_q_", "p" => params! { "日本" => "x", "order" => 3, "plain" => "`a`" },
    };
    let rows = ok(&driver, text, parameters).await;
    let Value::Node(node) = &rows[0][0] else {
        panic!("{rows:?}")
    };
    let mut labels = node.labels.clone();
    labels.sort();
    assert_eq!(labels, ["Großes Buch", "Order"]);
    assert_eq!(
        node.properties,
        params! {
            "sort key" => 1, "größe" => "neo_q_", "count" => 2, "日本" => "x", "order" => 3,
            "plain" => "`a`",
        }
    );
    let found = run(
        &driver,
        "MATCH (n:`Großes Buch` {order: 3}) WHERE n.日本 = 'x' RETURN n.`sort key`, {`a b`: n.count} AS `c d`",
        params! {},
    )
    .await
    .unwrap();
    assert_eq!(found.keys[..], ["n.`sort key`", "c d"]);
    assert_eq!(
        found.records[0].get_at::<Map>(1).unwrap(),
        params! { "a b" => 2 }
    );
    let rows = ok(
        &driver,
        "MATCH (n) WITH n.count AS count RETURN count, count(*) AS sum",
        params! {},
    )
    .await;
    assert_eq!(rows, [[Value::Integer(2), Value::Integer(1)]]);
}

#[tokio::test]
async fn element_ids_compare() {
    let driver = memory();
    ok(
        &driver,
        "CREATE (:A {x: 1})-[:T {y: 2}]->(:A {x: 2})",
        params! {},
    )
    .await;
    let rows = ok(
        &driver,
        "MATCH (n:A {x: 2}) RETURN elementId(n) AS id, n",
        params! {},
    )
    .await;
    let Value::Node(node) = &rows[0][1] else {
        panic!("{rows:?}")
    };
    assert_eq!(rows[0][0], Value::from(node.element_id.as_str()));
    let found = ok(
        &driver,
        "MATCH (n) WHERE elementId(n) = $id RETURN n.x",
        params! { "id" => node.element_id.as_str() },
    )
    .await;
    assert_eq!(found, [[Value::Integer(2)]]);
    let rows = ok(
        &driver,
        "MATCH (:A)-[r:T]->(m) RETURN r, elementId(r), id(r) AS n, m",
        params! {},
    )
    .await;
    let Value::Relationship(relationship) = &rows[0][0] else {
        panic!("{rows:?}")
    };
    assert_eq!(rows[0][1], Value::from(relationship.element_id.as_str()));
    assert_eq!(rows[0][2], Value::Integer(relationship.id));
    assert_eq!(relationship.end_node_element_id, node.element_id);
    assert!(
        failed(
            &driver,
            "MATCH ()-[r]->() WHERE elementId(r) = 'x' RETURN 1",
            params! {}
        )
        .await
        .contains("Neo4j server")
    );
}

#[tokio::test]
async fn columns_without_records() {
    let driver = memory();
    let none = run(
        &driver,
        "MATCH (n:None) RETURN n.name, n AS node, 1 + 1",
        params! {},
    )
    .await
    .unwrap();
    assert_eq!(none.keys[..], ["n.name", "node", "1 + 1"]);
    assert!(none.records.is_empty());
    let none = run(&driver, "MATCH (b:None)-[r]->(a) RETURN *", params! {})
        .await
        .unwrap();
    assert_eq!(none.keys[..], ["a", "b", "r"]);
    ok(&driver, "CREATE (:B {v: 1})-[:T]->(:A {v: 2})", params! {}).await;
    let rows = ok(
        &driver,
        "MATCH (b:B)-[:T]->(a) WITH b.v AS z, a.v AS y RETURN *",
        params! {},
    )
    .await;
    assert_eq!(rows, [[Value::Integer(2), Value::Integer(1)]]);
}

#[tokio::test]
async fn uniqueness_holds() {
    let driver = memory();
    let create =
        "CREATE CONSTRAINT Book_isbn_unique IF NOT EXISTS FOR (n:Book) REQUIRE n.isbn IS UNIQUE";
    for added in [1, 0] {
        let done = run(&driver, create, params! {}).await.unwrap();
        assert_eq!(done.summary.counters().constraints_added(), added);
    }
    ok(
        &driver,
        "CREATE (:Book {isbn: 'a', title: 'x'}), (:Other {isbn: 'a'})",
        params! {},
    )
    .await;
    for (text, parameters) in [
        ("CREATE (:Book {isbn: 'a'})", params! {}),
        (
            "CREATE (n:Book {isbn: $p.isbn})",
            params! { "p" => params! { "isbn" => "a" } },
        ),
        (
            "CREATE (n:Book) SET n += $p",
            params! { "p" => params! { "isbn" => "a" } },
        ),
        ("CREATE (n:Book) SET n.isbn = toLower('A')", params! {}),
        ("MATCH (n:Other) SET n:Book", params! {}),
        (
            "UNWIND $rows AS row CREATE (:Book {isbn: row.k})",
            params! { "rows" => vec![params! { "k" => "b" }, params! { "k" => "b" }] },
        ),
    ] {
        let said = failed(&driver, text, parameters).await;
        assert!(
            said.contains("ConstraintValidationFailed"),
            "{text}: {said}"
        );
        assert!(
            said.contains("`Book` and property `isbn` = '"),
            "{text}: {said}"
        );
    }
    assert_eq!(
        ok(&driver, "MATCH (n:Book) RETURN n.isbn, n.title", params! {}).await,
        [[Value::from("a"), Value::from("x")]]
    );
    ok(
        &driver,
        "MERGE (n:Book {isbn: $k}) SET n += $p",
        params! { "k" => "a", "p" => params! { "isbn" => "c" } },
    )
    .await;
    ok(&driver, "CREATE (:Book {isbn: 'a'})", params! {}).await;
}

#[tokio::test]
async fn composite_uniqueness() {
    let driver = memory();
    ok(
        &driver,
        "CREATE CONSTRAINT FOR (n:E) REQUIRE (n.isbn, n.nr) IS UNIQUE",
        params! {},
    )
    .await;
    ok(&driver, "CREATE (:E {isbn: 'a', nr: 1}), (:E {isbn: 'a', nr: 2}), (:E {isbn: 'a'}), (:E {isbn: 'a'})", params! {}).await;
    let said = failed(&driver, "CREATE (:E {isbn: 'a', nr: 2})", params! {}).await;
    assert!(said.contains("properties `isbn`, `nr` = 'a', 2"), "{said}");
    let said = failed(&driver, "MATCH (n:E {nr: 1}) SET n.nr = 2", params! {}).await;
    assert!(said.contains("ConstraintValidationFailed"), "{said}");
    ok(&driver, "MATCH (n:E {nr: 1}) SET n.nr = 3", params! {}).await;
}

#[tokio::test]
async fn schema_statements() {
    let driver = memory();
    ok(&driver, "CREATE (:P {a: 1}), (:P {a: 1})", params! {}).await;
    let said = failed(
        &driver,
        "CREATE CONSTRAINT p FOR (n:P) REQUIRE n.a IS UNIQUE",
        params! {},
    )
    .await;
    assert!(
        said.contains("ConstraintCreationFailed") && said.contains("`a` = 1"),
        "{said}"
    );
    assert!(ok(&driver, "SHOW CONSTRAINTS", params! {}).await.is_empty());
    ok(&driver, "CREATE INDEX p_a FOR (n:P) ON (n.a)", params! {}).await;
    ok(
        &driver,
        "CREATE INDEX k FOR ()-[r:KNOWS]-() ON (r.since)",
        params! {},
    )
    .await;
    ok(
        &driver,
        "CREATE CONSTRAINT q FOR (n:`Q q`) REQUIRE n.`b c` IS UNIQUE",
        params! {},
    )
    .await;
    let said = failed(&driver, "CREATE INDEX p_a FOR (n:P) ON (n.a)", params! {}).await;
    assert!(said.contains("EquivalentSchemaRuleAlreadyExists"), "{said}");
    let shown = ok(&driver, "SHOW INDEXES YIELD name, type, entityType, labelsOrTypes, properties, owningConstraint AS o", params! {}).await;
    let row = |name: &str, entity: &str, label: &str, property: &str, owner: Value| {
        vec![
            name.into(),
            "RANGE".into(),
            entity.into(),
            vec![label].into(),
            vec![property].into(),
            owner,
        ]
    };
    assert_eq!(
        shown,
        [
            row("p_a", "NODE", "P", "a", Value::Null),
            row("k", "RELATIONSHIP", "KNOWS", "since", Value::Null),
            row("q", "NODE", "Q q", "b c", "q".into()),
        ]
    );
    ok(&driver, "DROP INDEX p_a", params! {}).await;
    ok(&driver, "DROP CONSTRAINT q", params! {}).await;
    ok(&driver, "DROP CONSTRAINT q IF EXISTS", params! {}).await;
    assert!(
        failed(&driver, "DROP INDEX p_a", params! {})
            .await
            .contains("IndexDropFailed")
    );
    assert_eq!(ok(&driver, "SHOW INDEXES", params! {}).await.len(), 1);
}

#[tokio::test]
async fn counters_are_right_or_absent() {
    let driver = memory();
    let counters = async |text: &str| {
        let done = run(&driver, text, params! {})
            .await
            .unwrap_or_else(|e| panic!("{text}: {e}"));
        let c = done.summary.counters();
        (
            c.nodes_created(),
            c.nodes_deleted(),
            c.relationships_created(),
            c.relationships_deleted(),
            c.labels_added(),
        )
    };
    assert_eq!(
        counters("CREATE (:A {k: 1})-[:T]->(:A {k: 2})").await,
        (2, 0, 1, 0, 2)
    );
    assert_eq!(counters("CREATE (:A:B)").await, (1, 0, 0, 0, 2));
    assert_eq!(counters("CREATE (), (:C)").await, (2, 0, 0, 0, 1));
    assert_eq!(
        counters("MERGE (a:A {k: 1}) SET a.x = 1").await,
        (0, 0, 0, 0, 0)
    );
    assert_eq!(
        counters("MATCH (a:A {k: 1}) SET a:D").await,
        (0, 0, 0, 0, 1)
    );
    assert_eq!(
        counters("MATCH (a:A {k: 1})-[r:T]->() DELETE r").await,
        (0, 0, 0, 1, 0)
    );
    assert_eq!(
        counters("MATCH (a:A {k: 2}) DETACH DELETE a").await,
        (0, 1, 0, 0, 0)
    );
    assert_eq!(counters("MATCH (n) DETACH DELETE n").await, (0, 4, 0, 0, 0));
}

#[tokio::test]
async fn errors_have_neo4js_codes() {
    let driver = memory();
    for (text, code) in [
        ("MATCH (n RETURN n", "Neo.ClientError.Statement.SyntaxError"),
        (
            "RETURN $missing",
            "Neo.ClientError.Statement.ParameterMissing",
        ),
        ("RETURN 1 / 0", "Neo.ClientError.Statement.ArithmeticError"),
        ("RETURN m", "Neo.ClientError.Statement.SyntaxError"),
        (
            "CALL { RETURN 1 AS x } RETURN x",
            "Neo.ClientError.Statement.SyntaxError",
        ),
        (
            "CALL db.labels()",
            "Neo.ClientError.Procedure.ProcedureNotFound",
        ),
        ("", "Neo.ClientError.Statement.SyntaxError"),
    ] {
        let said = failed(&driver, text, params! {}).await;
        assert!(said.contains(code), "{text}: {said}");
    }
    ok(&driver, "CREATE (:A)-[:T]->(:B)", params! {}).await;
    let said = failed(&driver, "MATCH (a:A) DELETE a", params! {}).await;
    assert!(
        said.contains("Neo.ClientError.Schema.ConstraintValidationFailed"),
        "{said}"
    );
}

#[tokio::test]
async fn batches_do_what_the_whole_statement_does() {
    let driver = memory();
    ok(
        &driver,
        "CREATE CONSTRAINT FOR (n:P) REQUIRE n.k IS UNIQUE",
        params! {},
    )
    .await;
    let rows = |keys: &[i64]| {
        let rows: Vec<Map> = keys
            .iter()
            .map(|k| params! { "k" => *k, "p" => params! { "v" => k * 10 } })
            .collect();
        params! { "rows" => rows }
    };
    let merge = "UNWIND $rows AS row MERGE (n:P {k: row.k}) SET n += row.p";
    let done = run(&driver, merge, rows(&[1, 2, 2, 3])).await.unwrap();
    assert_eq!(done.summary.counters().nodes_created(), 3);
    let found = run(
        &driver,
        "UNWIND $rows AS row MATCH (n:P {k: row.k}) RETURN row.k, n.v AS v",
        rows(&[3, 9, 1]),
    )
    .await
    .unwrap();
    assert_eq!(found.keys[..], ["row.k", "v"]);
    let values: Vec<(i64, i64)> = found.records.iter().map(|r| r.decode().unwrap()).collect();
    assert_eq!(values, [(3, 30), (1, 10)]);
    assert!(
        ok(&driver, merge, params! { "rows" => Vec::<i64>::new() })
            .await
            .is_empty()
    );
    // One row that fails takes the others with it.
    let said = failed(
        &driver,
        "UNWIND $rows AS row MERGE (n:Q {k: 1 / row.k})",
        rows(&[1, 0]),
    )
    .await;
    assert!(said.contains("ArithmeticError"), "{said}");
    assert!(
        ok(&driver, "MATCH (n:Q) RETURN n", params! {})
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn nodes_are_whole_wherever_a_return_groups() {
    let driver = memory();
    ok(
        &driver,
        "CREATE (:A {x: 1, y: 2})-[:T]->(:B {z: 3})",
        params! {},
    )
    .await;
    for text in [
        "MATCH (n:A) RETURN n, count(*) AS c",
        "MATCH (n:A) WITH n, n.x AS k RETURN n, count(k) AS c",
        "MATCH (b:B) WITH b.z AS z MATCH (n:A)-->() RETURN n, count(z) AS c",
        "OPTIONAL MATCH (o:None) WITH o MATCH (n:A) RETURN n, count(o) + 1 AS c",
        "MATCH (n:A) WITH n, count(*) AS c RETURN n, c UNION MATCH (n:A) RETURN n, count(*) AS c",
    ] {
        let rows = ok(&driver, text, params! {}).await;
        let [row] = &rows[..] else {
            panic!("{text}: {rows:?}")
        };
        let Value::Node(node) = &row[0] else {
            panic!("{text}: {rows:?}")
        };
        assert_eq!(node.properties, params! { "x" => 1, "y" => 2 }, "{text}");
        assert_eq!(row[1], Value::Integer(1), "{text}");
    }
}

#[tokio::test]
async fn what_is_unwound_keeps_its_keys_where_a_pattern_follows() {
    let driver = memory();
    let create = "CREATE (:A {x: 1, k: 7})-[:T {y: 5}]->(:B {x: 2})";
    ok(&driver, create, params! {}).await;
    let rows = || params! { "rows" => vec![Value::from(params! { "i" => 7 })] };
    for (text, expected) in [
        ("UNWIND [{i: 7}] AS row MATCH (a:A) RETURN row.i", 7),
        (
            "UNWIND [{i: 7}] AS row MATCH (a:A) WHERE a.k = row.i RETURN a.x",
            1,
        ),
        (
            "UNWIND $rows AS row MATCH (a:A) RETURN DISTINCT row.i + a.x",
            8,
        ),
        (
            "UNWIND [date('2020-01-02')] AS d MATCH (a:A) RETURN d.year",
            2020,
        ),
        (
            "UNWIND [{i: 7}] AS row UNWIND [{j: 3}] AS two MATCH (a:A) RETURN row.i * two.j",
            21,
        ),
        (
            "UNWIND [{i: 7}] AS row MERGE (c:C {x: row.i}) RETURN row.i + c.x",
            14,
        ),
        (
            "UNWIND [{i: 7}] AS row OPTIONAL MATCH (a:Z) RETURN row.i",
            7,
        ),
        (
            "MATCH (a:A)-[r:T]->() UNWIND [{i: 7}] AS row MATCH (c:B) RETURN row.i + r.y + a.x + c.x",
            15,
        ),
    ] {
        let found = ok(&driver, text, rows()).await;
        assert_eq!(found, [[Value::Integer(expected)]], "{text}");
    }
}
