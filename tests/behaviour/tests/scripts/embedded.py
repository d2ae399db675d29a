"""What programs do with the official driver, against the embedded engine; prints "done"."""

import sys

import neo4j
import pytz
from neo4j import GraphDatabase
from neo4j.exceptions import ClientError, ConstraintError, CypherSyntaxError
from neo4j.time import Date, DateTime, Duration, Time

def check(found, expected):
    assert found == expected, f"found {found!r}, expected {expected!r}"

def add_friends(tx, name, friend):
    result = tx.run(
        "MERGE (a:Person {name: $name}) MERGE (f:Person {name: $friend}) "
        "MERGE (a)-[:KNOWS]->(f) RETURN a.name AS a, f.name AS f",
        name=name,
        friend=friend,
    )
    return result.single(strict=True).data()

def friends(tx, name):
    return [
        record["friend.name"]
        for record in tx.run(
            "MATCH (a:Person)-[:KNOWS]->(friend) WHERE a.name = $name "
            "RETURN friend.name ORDER BY friend.name",
            name=name,
        )
    ]

def main(uri):
    with GraphDatabase.driver(uri, auth=("neo4j", "anything")) as driver:
        driver.verify_connectivity()
        assert driver.get_server_info().agent.startswith("Neo4j/")

        # Managed transactions, and bookmarks from one session to the next.
        with driver.session() as session:
            session.execute_write(add_friends, "Arthur", "Merlin")
            session.execute_write(add_friends, "Arthur", "Guinevere")
            bookmarks = session.last_bookmarks()
        assert bookmarks.raw_values
        with driver.session(bookmarks=bookmarks) as session:
            check(session.execute_read(friends, "Arthur"), ["Guinevere", "Merlin"])
            check(session.execute_read(friends, "Nobody"), [])

        # Counters, keys and the query's type.
        records, summary, keys = driver.execute_query(
            "CREATE (b:Book {isbn: $isbn}) RETURN b, b.isbn", isbn="1", database_="neo4j"
        )
        check(keys, ["b", "b.isbn"])
        check(summary.counters.nodes_created, 1)
        check(summary.counters.labels_added, 1)
        assert summary.counters.contains_updates
        check(summary.query_type, "rw")
        node = records[0]["b"]
        check(set(node.labels), {"Book"})
        check(dict(node), {"isbn": "1"})
        check(node.element_id.split(":")[0], "4")
        found = driver.execute_query(
            "MATCH (n) WHERE elementId(n) = $id RETURN n", id=node.element_id
        ).records
        check(dict(found[0]["n"]), dict(node))

        # Relationships and paths.
        record = driver.execute_query(
            "MATCH p = (a:Person {name: 'Arthur'})-[r:KNOWS]->(m {name: 'Merlin'}) RETURN p, r, m"
        ).records[0]
        check(record["r"].type, "KNOWS")
        check(record["p"].start_node["name"], "Arthur")
        check(record["p"].end_node, record["m"])
        check(record["r"].end_node.element_id, record["m"].element_id)

        # Values there and back.
        stockholm = neo4j.time.DateTime(
            2024, 10, 27, 2, 30, 0, 5, tzinfo=pytz.timezone("Europe/Stockholm")
        )
        values = {
            "null": None,
            "int": -(2**63),
            "float": 1e300,
            "text": "Größe 本 🦀",
            "list": [1, 2.5, "x", [True, None]],
            "map": {"a b": {"count": 1}},
            "date": Date(1866, 2, 28),
            "time": Time(23, 59, 59, 123456789, tzinfo=pytz.FixedOffset(-180)),
            "local": Time(1, 2, 3),
            "local_datetime": DateTime(1, 1, 1, 0, 0, 0, 1),
            "offset": DateTime(2000, 1, 1, tzinfo=pytz.FixedOffset(120)),
            "duration": Duration(months=14, days=3, seconds=5, nanoseconds=6),
        }
        for name, value in values.items():
            check(driver.execute_query("RETURN $v AS v", v=value).records[0]["v"], value)
        back = driver.execute_query("RETURN $v AS v", v=stockholm).records[0]["v"]
        check(back.tzinfo.zone, "Europe/Stockholm")
        check(back.to_native().timestamp(), stockholm.to_native().timestamp())

        # Explicit transactions: two open results, rollback, and a failure.
        with driver.session(fetch_size=2) as session:
            with session.begin_transaction() as tx:
                first = tx.run("UNWIND range(1, 7) AS x RETURN x")
                second = tx.run("UNWIND range(1, 5) AS y RETURN y")
                check([next(iter(first))["x"], next(iter(second))["y"]], [1, 1])
                check([r["x"] for r in first], [2, 3, 4, 5, 6, 7])
                check([r["y"] for r in second], [2, 3, 4, 5])
                tx.run("CREATE (:Gone)").consume()
                tx.rollback()
            check(session.run("MATCH (n:Gone) RETURN count(n) AS n").single()["n"], 0)
            try:
                session.run("MATCH (n RETURN n").consume()
                raise AssertionError("a syntax error passed")
            except CypherSyntaxError as error:
                check(error.code, "Neo.ClientError.Statement.SyntaxError")
            check(session.run("RETURN 1 AS one").single()["one"], 1)

        # The schema.
        create = "CREATE CONSTRAINT book IF NOT EXISTS FOR (b:Book) REQUIRE b.isbn IS UNIQUE"
        check(driver.execute_query(create).summary.counters.constraints_added, 1)
        check(driver.execute_query(create).summary.counters.constraints_added, 0)
        check([r["name"] for r in driver.execute_query("SHOW CONSTRAINTS").records], ["book"])
        try:
            driver.execute_query("CREATE (:Book {isbn: '1'})")
            raise AssertionError("a duplicate passed")
        except ConstraintError as error:
            assert "`Book` and property `isbn` = '1'" in error.message, error.message
        try:
            driver.execute_query("CALL { RETURN 1 AS x } RETURN x")
            raise AssertionError("CALL {} passed")
        except ClientError as error:
            assert "Neo4j server" in error.message, error.message

        # A write where only reading was announced.
        with driver.session(default_access_mode=neo4j.READ_ACCESS) as session:
            try:
                session.execute_read(lambda tx: tx.run("CREATE (:Gone)").consume())
                raise AssertionError("a write in a read transaction passed")
            except ClientError as error:
                check(error.code, "Neo.ClientError.Statement.AccessMode")
    print("done")

if __name__ == "__main__":
    main(sys.argv[1])
