//! A bookstore: books and their authors, saved, connected and found again.
//!
//! ```text
//! cargo run --example bookstore
//! NEO4J_URI=neo4j://localhost:7687 NEO4J_USER=neo4j NEO4J_PASSWORD=… cargo run --example bookstore
//! ```

mod data;
mod model;

use std::collections::BTreeMap;
use std::time::Duration;

use model::{Author, Book, Genre, WrittenBy};
use neo_ogm::prelude::*;
use neo_ogm_examples::{connect, print_table};

#[tokio::main]
async fn main() -> Result<(), neo_ogm::Error> {
    let graph = connect().await?;
    graph.apply_schema::<(Book, Author)>().await?;

    fill(&graph).await?;
    russians(&graph).await?;
    before_1900(&graph).await?;
    by_author(&graph).await?;
    influences(&graph).await?;
    one_author_only(&graph).await?;
    swap_shelves(&graph).await
}

/// Saves every author and every book, and connects them. Each call is a transaction of its own
/// in one round trip; running the program again changes nothing.
async fn fill(graph: &Graph) -> Result<(), neo_ogm::Error> {
    let mut authors = BTreeMap::new();
    for (name, born, country) in data::AUTHORS {
        let mut author = Author::new(name, country);
        author.born = Some(born);
        author.save(graph).await?;
        authors.insert(name, author);
    }
    let mut books = BTreeMap::new();
    for (title, author, year, genre, pages) in data::BOOKS {
        let mut book = Book::new(title, genre);
        book.pages = pages;
        book.save(graph).await?;
        let author = authors
            .get(author)
            .ok_or_else(|| neo_ogm::Error::abort("no such author"))?;
        book.author
            .connect(author)
            .properties(WrittenBy { year })
            .await?;
        books.insert(title, book);
    }
    for (earlier, later) in data::INFLUENCES {
        if let (Some(earlier), Some(later)) = (books.get(earlier), books.get(later)) {
            earlier.influenced.connect(later).await?;
        }
    }
    println!(
        "Saved {} authors and {} books.\n",
        authors.len(),
        books.len()
    );
    Ok(())
}

/// A filter through a relationship, and the author loaded in the same query.
async fn russians(graph: &Graph) -> Result<(), neo_ogm::Error> {
    let books = Book::find()
        .filter(Book::AUTHOR.has(Author::COUNTRY.eq("Russia")))
        .filter(Book::GENRE.eq(Genre::Novel))
        .order_by(Book::TITLE.asc())
        .load(Book::AUTHOR)
        .all(graph)
        .await?;
    print_table(
        "Russian novels",
        ["title", "author", "written"],
        &rows(&books)?,
    );
    Ok(())
}

/// A filter on what the relationship carries.
async fn before_1900(graph: &Graph) -> Result<(), neo_ogm::Error> {
    let books = Book::find()
        .filter(
            Book::AUTHOR
                .has_relationship(WrittenBy::YEAR.lt(1900))
                .and(Book::TITLE.contains("the").or(Book::PAGES.gt(800))),
        )
        .order_by(Book::TITLE.asc())
        .limit(10)
        .load(Book::AUTHOR)
        .all(graph)
        .await?;
    print_table(
        "Before 1900, with \"the\" in the title or more than 800 pages",
        ["title", "author", "written"],
        &rows(&books)?,
    );
    Ok(())
}

fn rows(books: &[Book]) -> Result<Vec<[String; 3]>, neo_ogm::Error> {
    books
        .iter()
        .map(|book| {
            let year = book.author.relationship()?.year;
            Ok([
                book.title.clone(),
                book.author.get()?.name.clone(),
                year.to_string(),
            ])
        })
        .collect()
}

/// The relationship from its other end.
async fn by_author(graph: &Graph) -> Result<(), neo_ogm::Error> {
    let authors = Author::find()
        .filter(Author::BORN.between(1800, 1870))
        .order_by(Author::BORN.asc())
        .load(Author::BOOKS)
        .all(graph)
        .await?;
    let mut rows = Vec::new();
    for author in &authors {
        let mut titles: Vec<_> = author
            .books
            .get()?
            .map(|book| book.title.as_str())
            .collect();
        titles.sort_unstable();
        let born = author.born.map(|year| year.to_string()).unwrap_or_default();
        rows.push([author.name.clone(), born, titles.join("; ")]);
    }
    print_table(
        "Born between 1800 and 1870",
        ["author", "born", "books"],
        &rows,
    );
    Ok(())
}

/// Raw Cypher, where a question goes beyond the finders; rows come back typed all the same.
async fn influences(graph: &Graph) -> Result<(), neo_ogm::Error> {
    let pairs: Vec<(Author, Author, i64)> = graph
        .cypher(
            "MATCH (a:BookstoreAuthor)<-[:WRITTEN_BY]-()-[:INFLUENCED]->()-[:WRITTEN_BY]->(b) \
             WHERE a.name <> $nobody \
             RETURN a, b, count(*) AS books ORDER BY a.name, b.name",
        )
        .param("nobody", "Anonymous")
        .read_only()
        .fetch(graph)
        .await?;
    let rows: Vec<_> = pairs
        .into_iter()
        .map(|(a, b, books)| [a.name, b.name, books.to_string()])
        .collect();
    print_table("Who influenced whom", ["earlier", "later", "books"], &rows);
    Ok(())
}

/// A book has one author: a second one is refused by the database, whoever else is writing.
async fn one_author_only(graph: &Graph) -> Result<(), neo_ogm::Error> {
    let title = "Anna Karenina";
    let Some(book) = Book::find_by_title(title).one(graph).await? else {
        return Ok(());
    };
    let Some(other) = Author::find_by_name("Jane Austen").one(graph).await? else {
        return Ok(());
    };
    if let Err(refused) = book
        .author
        .connect(&other)
        .properties(WrittenBy { year: 1813 })
        .await
    {
        println!("A second author is refused:\n  {refused}\n");
    }
    Ok(())
}

/// Two transactions take the same two books in opposite order. On a server with several writers
/// they meet in a deadlock; one of them is rolled back and tried again, and nobody notices.
async fn swap_shelves(graph: &Graph) -> Result<(), neo_ogm::Error> {
    let (first, second) = ("War and Peace", "Crime and Punishment");
    let (one, other) = tokio::join!(
        shelve(graph, [first, second], "window"),
        shelve(graph, [second, first], "counter"),
    );
    println!("Two transactions moved the same two books at once:");
    println!(
        "  to the window in {} attempt(s), to the counter in {} attempt(s)",
        one?, other?
    );
    let shelf = |book: Option<Book>| book.and_then(|book| book.shelf).unwrap_or_default();
    let ends = [
        shelf(Book::find_by_title(first).one(graph).await?),
        shelf(Book::find_by_title(second).one(graph).await?),
    ];
    println!("  both ended on one shelf: {} and {}", ends[0], ends[1]);
    Ok(())
}

async fn shelve(graph: &Graph, titles: [&str; 2], shelf: &str) -> Result<u32, neo_ogm::Error> {
    graph
        .transaction(async |tx| {
            for title in titles {
                if let Some(mut book) = Book::find_by_title(title).one(&tx).await? {
                    book.shelf = Some(shelf.to_owned());
                    book.update(&tx).await?;
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            Ok(tx.attempt())
        })
        .await
}
