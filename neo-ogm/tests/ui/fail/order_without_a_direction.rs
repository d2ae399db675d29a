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
    let _ = Book::find().order_by(Book::TITLE);
}
