use neo_ogm::prelude::*;

#[derive(Node)]
struct Book {
    #[node(key)]
    isbn: String,
    pages: Option<u32>,
    sold: bool,
    #[relationship(type = "WRITTEN_BY")]
    author: One<Author, WrittenBy>,
}

#[derive(Node)]
struct Author {
    #[node(key)]
    name: String,
}

#[relationship(type = "WRITTEN_BY")]
struct WrittenBy {
    year: i32,
}

async fn connect(book: Book, other: Book) {
    let _ = book.author.connect(&other).properties(WrittenBy { year: 1878 }).await;
}

fn main() {}
