use neo_ogm::prelude::*;

#[derive(Node)]
struct Book {
    #[node(key)]
    isbn: String,
    #[relationship(type = "WRITTEN_BY")]
    author: One<Author, WrittenBy>,
    #[relationship(type = "SIMILAR_TO")]
    similar: Many<Book>,
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

fn connect(graph: Graph, book: Book, author: Author) {
    // The wrong way round, and without what the relationship carries.
    let _ = graph.connect_all(Book::AUTHOR, [(&author, &book, WrittenBy { year: 1878 })]);
    let _ = graph.connect_all(Book::AUTHOR, [(&book, &author)]);
    let _ = book.similar.connect_all([&author]);
}

fn main() {}
