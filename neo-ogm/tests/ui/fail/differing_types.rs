use neo_ogm::prelude::*;

#[relationship(type = "WRITTEN_BY")]
struct WrittenBy {
    year: i32,
}

#[derive(Node)]
struct Book {
    #[node(key)]
    isbn: String,
    #[relationship(type = "WROTE")]
    author: Many<Book, WrittenBy>,
}

fn main() {}
