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

fn main() {
    let _ = Book::find().filter(Book::PAGES.eq(Book::ISBN));
}
