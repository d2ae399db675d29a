use neo_ogm::prelude::*;

#[derive(Node)]
struct Book {
    #[node(key)]
    isbn: String,
    pages: Option<u32>,
    sold: bool,
    #[relationship(type = "WRITTEN_BY")]
    author: One<Author, WrittenBy>,
}

#[derive(Node)]
struct Author {
    #[node(key)]
    name: String,
}

#[relationship(type = "WRITTEN_BY")]
struct WrittenBy {
    year: i32,
}

#[derive(Projection)]
struct Nothing {
    isbn: String,
}

#[derive(Projection)]
#[projection(of = Book, from = Author)]
struct Mistaken {
    #[projection(form = Book::ISBN)]
    isbn: String,
}

#[derive(Projection)]
#[projection(of = Book)]
struct WrongType {
    pages: u32,
}

fn main() {}
