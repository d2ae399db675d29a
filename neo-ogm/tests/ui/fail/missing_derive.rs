use neo_ogm::prelude::*;

struct Author {
    name: String,
}

#[derive(Node)]
struct Book {
    #[node(key)]
    isbn: String,
    #[relationship(type = "WRITTEN_BY")]
    author: One<Author>,
}

fn main() {}
