use neo_ogm::prelude::*;

#[derive(Node)]
#[node(name = "Book")]
struct Book {
    #[node(primary_key)]
    isbn: String,
    #[node(nullable)]
    title: String,
    #[node(column = "n")]
    pages: u32,
    #[node(max_length = 5)]
    code: String,
    #[node(ignore)]
    cache: u32,
    #[node(relation = "WRITTEN_BY")]
    author: One<Person>,
}

#[derive(Node)]
struct Person {
    #[node(key)]
    name: String,
    #[relationship("KNOWS")]
    knows: Many<Person>,
}

#[derive(Relationship, Debug)]
struct Knows {
    since: i32,
}

fn main() {}
