use neo_ogm::prelude::*;

#[derive(Node)]
struct Book {
    title: String,
}

fn main() {
    let _ = Book::new("a");
}
