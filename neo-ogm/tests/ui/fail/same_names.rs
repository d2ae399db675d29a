use neo_ogm::prelude::*;

#[derive(Node)]
struct Book {
    #[node(key)]
    isbn: String,
    #[node(rename = "isbn")]
    other: String,
    title: String,
    #[allow(non_snake_case)]
    Title: String,
}

#[derive(Property)]
enum Genre {
    #[property(rename = "x")]
    A,
    #[property(rename = "x")]
    B,
}

fn main() {}
