use neo_ogm::prelude::*;

#[derive(Node)]
#[node(hooks)]
struct Book {
    #[node(key)]
    isbn: String,
}

fn main() {}
