use neo_ogm::prelude::*;

#[derive(Node)]
struct Book {
    #[node(key)]
    isbn: String,
    title: String,
    pages: Option<u32>,
    tags: Vec<String>,
}

fn main() {
    let _ = Book::find().filter(Book::PAGES.eq(None));
    let _ = Book::find().filter(Book::PAGES.gt(Some(3)));
}
