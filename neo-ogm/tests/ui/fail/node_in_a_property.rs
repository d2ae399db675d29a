use neo_ogm::prelude::*;

#[derive(Node)]
struct Book {
    #[node(key)]
    isbn: String,
    author: Person,
}

#[derive(Node)]
struct Person {
    #[node(key)]
    name: String,
}

fn main() {}
