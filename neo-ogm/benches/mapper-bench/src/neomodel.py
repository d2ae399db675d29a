"""neomodel's side of the bench: takes commands line by line, answers each with one line."""

import random
import sys
import threading
import time
import warnings
from urllib.parse import quote

warnings.simplefilter("ignore")

from neomodel import (
    BooleanProperty,
    FloatProperty,
    FulltextIndex,
    IntegerProperty,
    One,
    RelationshipTo,
    StringProperty,
    StructuredNode,
    StructuredRel,
    db,
)
from neomodel.semantic_filters import FulltextFilter


class WrittenBy(StructuredRel):
    year = IntegerProperty()


class Reads(StructuredRel):
    since = IntegerProperty(default=time.time_ns)


class BenchPerson(StructuredNode):
    name = StringProperty(unique_index=True, required=True)
    born = IntegerProperty()


class BenchBook(StructuredNode):
    isbn = StringProperty(unique_index=True, required=True)
    title = StringProperty(fulltext_index=FulltextIndex())
    pages = IntegerProperty()
    author = RelationshipTo("BenchPerson", "BENCH_WRITTEN_BY", cardinality=One, model=WrittenBy)
    # neomodel refuses to replace what is `One`.
    any_author = RelationshipTo("BenchPerson", "BENCH_WRITTEN_BY", model=WrittenBy)


class BenchItem(StructuredNode):
    code = StringProperty(unique_index=True, required=True)
    name = StringProperty(index=True)
    born = IntegerProperty()
    score = FloatProperty()
    active = BooleanProperty()
    city = StringProperty()


class BenchReader(StructuredNode):
    name = StringProperty(unique_index=True, required=True)
    reads = RelationshipTo("BenchBook", "BENCH_READS", model=Reads)


def book(key):
    return BenchBook(isbn=key, title="A title", pages=300)


def person(key):
    return BenchPerson(name=key, born=1900)


# What `prepare` made for `run`.
made = {}


def prepare(work, key, count):
    if work == "save":
        return [book(f"{key}-{i}") for i in range(count)]
    if work in ("connect", "replace", "unit"):
        people = [person(f"{key}-p{i}").save() for i in range(2)]
        books = [book(f"{key}-{i}") for i in range(count)]
        if work != "unit":
            for one in books:
                one.save()
        if work == "replace":
            for one in books:
                one.author.connect(people[0], {"year": 1})
        return books, people
    if work == "bulk connect":
        people = [person(f"{key}-p{i}").save() for i in range(20)]
        books = [book(f"{key}-{i}").save() for i in range(count)]
        return books, people
    return None


def run(work, key, count):
    if work == "save":
        for one in made[key]:
            one.save()
        return count
    if work == "connect":
        books, people = made[key]
        for one in books:
            one.author.connect(people[0], {"year": 1})
        return count
    if work == "replace":
        books, people = made[key]
        for one in books:
            one.any_author.replace(people[1], {"year": 2})
        return count
    if work == "unit":
        books, people = made[key]
        for one in books:
            with db.transaction:
                one.save()
                one.author.connect(people[0], {"year": 1})
        return count
    if work == "bulk save":
        rows = [{"isbn": f"{key}-{i}", "title": "A title", "pages": i} for i in range(count)]
        return len(BenchBook.nodes.bulk_create_or_update(*rows))
    if work == "bulk connect":
        books, people = made[key]
        for i, one in enumerate(books):
            one.author.connect(people[i % len(people)], {"year": i})
        return count
    if work == "books":
        books = (
            BenchBook.nodes.filter(isbn__startswith=key)
            .traverse("author")
            .resolve_subgraph()
        )
        return sum(1 for one in books if one._relations["author"].name)
    if work == "items":
        return len([one.code for one in BenchItem.nodes.all()])
    raise ValueError(work)


def races(key, rounds):
    violated = 0
    people = [person(f"{key}-p{i}").save() for i in range(4)]
    for number in range(rounds):
        one = book(f"{key}-{number}").save()
        barrier = threading.Barrier(4)

        def connect(author):
            mine = BenchBook.nodes.get(isbn=one.isbn)
            barrier.wait()
            try:
                mine.author.connect(author, {"year": 1})
            except Exception:
                pass

        threads = [threading.Thread(target=connect, args=(author,)) for author in people]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        rows, _ = db.cypher_query(
            "MATCH (:BenchBook {isbn: $isbn})-[r:BENCH_WRITTEN_BY]->() RETURN count(r)",
            {"isbn": one.isbn},
        )
        violated += rows[0][0] > 1
    return f"violated in {violated} of {rounds} rounds"


def twice(key, _):
    one, author = book(key).save(), person(key).save()
    one.author.connect(author, {"year": 1})
    try:
        one.author.connect(author, {"year": 1})
        return "no-op"
    except Exception as error:
        return f"an error: {type(error).__name__}"


def default(key, _):
    reader, one = BenchReader(name=key).save(), book(key).save()
    reader.reads.connect(one)
    reader.reads.connect(one)
    rows, _ = db.cypher_query(
        "MATCH (:BenchReader {name: $name})-[r:BENCH_READS]->() RETURN count(r)", {"name": key}
    )
    return f"{rows[0][0]} relationships"


def deadlocks(key, each):
    books = [book(f"{key}-{i}").save() for i in range(6)]
    surfaced = []

    def work(seed):
        chance = random.Random(seed)
        for _ in range(each):
            first, second = chance.sample(range(len(books)), 2)
            try:
                with db.transaction:
                    books[first].save()
                    books[second].save()
            except Exception as error:
                surfaced.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return f"{len(surfaced)} of {8 * each} surface"


def hits(plan):
    own = plan.get("dbHits", plan.get("args", {}).get("DbHits", 0))
    return own + sum(hits(child) for child in plan.get("children", []))


def profile(prefix, _):
    nodes = BenchItem.nodes.filter(name__startswith=prefix)
    builder = nodes.query_cls(nodes).build_ast()
    statement = "PROFILE " + builder.build_query()
    with db.driver.session() as session:
        summary = session.run(statement, builder._query_params).consume()
    return f"{hits(summary.profile)} db hits"


def quotation(_, __):
    db.cypher_query(
        "CREATE FULLTEXT INDEX fulltext_index_BenchBook_title IF NOT EXISTS"
        " FOR (n:BenchBook) ON EACH [n.title]"
    )
    db.cypher_query("CALL db.awaitIndexes(60)")
    try:
        found = BenchBook.nodes.filter(
            FulltextFilter(
                topk=3, fulltext_attribute_name="title", query_string='"A title"'
            )
        ).all()
        return f"found {len(found)}"
    except Exception as error:
        return f"an error: {type(error).__name__}"


CHECKS = {f.__name__: f for f in (races, twice, default, deadlocks, profile, quotation)}


def main():
    address, user, password = sys.argv[1:]
    db.set_connection(url=f"bolt://{quote(user)}:{quote(password)}@{address}")
    db.cypher_query("RETURN 1")
    print("ready", flush=True)
    for line in sys.stdin:
        command, work, key, count = line.rstrip("\n").split("\t")
        count = int(count)
        try:
            if command == "prepare":
                made[key] = prepare(work, key, count)
                answer = "0"
            elif command == "run":
                begun = time.perf_counter()
                done = run(work, key, count)
                answer = f"{time.perf_counter() - begun}\t{done}"
            else:
                answer = CHECKS[work](key, count)
            print(f"ok\t{answer}", flush=True)
        except Exception as error:
            text = f"{type(error).__name__}: {error}".replace("\n", " ").replace("\t", " ")
            print(f"error\t{text}", flush=True)


main()
