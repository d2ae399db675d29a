use neo_ogm::prelude::*;

struct Money(i64);

#[derive(Node)]
struct Book {
    #[node(key)]
    isbn: String,
    price: Money,
}

fn main() {}
