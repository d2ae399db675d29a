use neo_ogm::prelude::*;

#[derive(Node)]
struct Book {
    #[node(key)]
    isbn: String,
    #[relationship(type = "WRITTEN_BY")]
    author: Option<Person>,
    #[relationship(type = "EDITED_BY")]
    editor: Box<Person>,
    #[relationship(type = "READ_BY")]
    readers: Vec<Person>,
    #[relationship(type = "SIMILAR_TO")]
    similar: Many<Box<Book>>,
    #[relationship(type = "FOLLOWS")]
    before: One<Option<Book>>,
}

#[derive(Node)]
struct Person {
    #[node(key)]
    name: String,
}

fn main() {
    let _ = Book::new("1");
}
