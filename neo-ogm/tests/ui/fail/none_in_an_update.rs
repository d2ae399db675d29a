use neo_ogm::prelude::*;

#[derive(Node)]
struct Book {
    #[node(key)]
    isbn: String,
    title: String,
    pages: Option<u32>,
    tags: Vec<String>,
}

async fn forget(graph: Graph) {
    let _ = Book::find().update(&graph).set(Book::PAGES, None);
}

fn main() {}
