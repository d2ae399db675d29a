//! neo-ogm.

use std::time::{Duration, Instant};

use neo_ogm::prelude::*;

use crate::Failure;
use crate::model::{Book, Item, Person, Reader, WrittenBy};
use crate::work::{Size, Work};

pub(crate) async fn schema(graph: &Graph) -> Result<(), Failure> {
    graph.apply_schema::<(Book, Person, Item, Reader)>().await?;
    graph
        .cypher("CALL db.awaitIndexes(60)")
        .read_only()
        .execute(graph)
        .await?;
    Ok(())
}

/// What is read: books by twenty authors, and items.
pub(crate) async fn data(graph: &Graph, size: Size) -> Result<(), Failure> {
    let books = "UNWIND range(1, $count) AS i \
                 MERGE (p:BenchPerson {name: 'read-' + toString(i % 20)}) SET p.born = 1900 \
                 CREATE (b:BenchBook {isbn: 'read-' + toString(i), title: 'A title', pages: i}) \
                 CREATE (b)-[:BENCH_WRITTEN_BY {year: i}]->(p)";
    let items = "UNWIND range(1, $count) AS i \
                 CREATE (n:BenchItem {code: 'code-' + toString(i), \
                 name: 'name ' + right('00000' + toString(i), 5), born: i, score: i / 7.0, \
                 active: i % 2 = 0, city: 'city of the year ' + toString(i % 100)})";
    for (statement, count) in [(books, size.books), (items, size.items)] {
        let count = i64::try_from(count)?;
        graph
            .cypher(statement)
            .param("count", count)
            .execute(graph)
            .await?;
    }
    Ok(())
}

/// The time that `work` takes, without its preparation.
pub(crate) async fn run(
    work: Work,
    graph: &Graph,
    key: &str,
    count: usize,
) -> Result<Duration, Failure> {
    run_noting(work, graph, key, count, || ()).await
}

pub(crate) fn book(key: &str, number: usize) -> Book {
    Book::new(format!("{key}-{number}"), "A title", 300)
}

fn wrote(year: i64) -> WrittenBy {
    WrittenBy { year }
}

/// As [`run`]; `begins` is called when the preparation is done.
pub(crate) async fn run_noting(
    work: Work,
    graph: &Graph,
    key: &str,
    count: usize,
    begins: impl FnOnce(),
) -> Result<Duration, Failure> {
    let books: Vec<Book> = match work {
        Work::Books | Work::Items => Vec::new(),
        _ => (0..count).map(|number| book(key, number)).collect(),
    };
    let people: Vec<Person> = match work {
        Work::Connect | Work::Replace | Work::Unit | Work::BulkConnect => (0..20)
            .map(|number| Person::new(format!("{key}-p{number}"), 1900))
            .collect(),
        _ => Vec::new(),
    };
    graph.save_all(&people).await?;
    if matches!(work, Work::Connect | Work::Replace | Work::BulkConnect) {
        graph.save_all(&books).await?;
    }
    if work == Work::Replace {
        let pairs = books.iter().map(|book| (book, &people[0], wrote(1)));
        graph.connect_all(Book::AUTHOR, pairs).await?;
    }
    begins();
    let begun = Instant::now();
    match work {
        Work::Save => {
            for book in &books {
                book.save(graph).await?;
            }
        }
        Work::Connect => {
            for book in &books {
                book.author.connect(&people[0]).properties(wrote(1)).await?;
            }
        }
        Work::Replace => {
            for book in &books {
                book.author.replace(&people[1]).properties(wrote(2)).await?;
            }
        }
        Work::Unit => {
            for book in &books {
                let author = &people[0];
                graph
                    .transaction(async |tx| {
                        book.save(&tx).await?;
                        let connect = book.author.connect(author).properties(wrote(1));
                        connect.on(&tx).await
                    })
                    .await?;
            }
        }
        Work::BulkSave => {
            graph.save_all(&books).await?;
        }
        Work::BulkConnect => {
            let authors = people.iter().cycle();
            let pairs = books
                .iter()
                .zip(authors)
                .map(|(book, author)| (book, author, wrote(1)));
            graph.connect_all(Book::AUTHOR, pairs).await?;
        }
        Work::Books => {
            let found = Book::find()
                .filter(Book::ISBN.starts_with("read-"))
                .load(Book::AUTHOR)
                .all(graph)
                .await?;
            let mut read = 0;
            for book in &found {
                read += usize::from(!book.author.get()?.name.is_empty());
            }
            expect(read, count)?;
        }
        Work::Items => expect(Item::find().all(graph).await?.len(), count)?,
    }
    Ok(begun.elapsed())
}

pub(crate) fn expect(read: usize, count: usize) -> Result<(), Failure> {
    match read == count {
        true => Ok(()),
        false => Err(format!("read {read}, not {count}").into()),
    }
}
