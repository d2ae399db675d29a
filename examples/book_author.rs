//! The first lines that anybody writes with an object graph mapper: a book and its author.

use neo_ogm::prelude::*;
use neo_ogm_examples::connect;

#[derive(Node, Debug)]
struct Book {
    #[node(key)]
    title: String,
    #[relationship(type = "AUTHOR")]
    author: One<Author>,
}

#[derive(Node, Debug)]
struct Author {
    #[node(key)]
    name: String,
    #[relationship(type = "AUTHOR", direction = "in")]
    books: Many<Book>,
}

#[tokio::main]
async fn main() -> Result<(), neo_ogm::Error> {
    let graph = connect().await?;
    let book = Book::new("Harry Potter and the Philosopher's Stone");
    let author = Author::new("J. K. Rowling");
    book.save(&graph).await?;
    author.save(&graph).await?;
    book.author.connect(&author).await?;

    let author = Author::find_by_name("J. K. Rowling")
        .load(Author::BOOKS)
        .one(&graph)
        .await?;
    if let Some(author) = author {
        for book in author.books.get()? {
            println!("{} wrote {}", author.name, book.title);
        }
    }
    Ok(())
}
