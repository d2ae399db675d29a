use neo_ogm::prelude::*;

#[derive(Node)]
struct Book {
    #[node(key)]
    isbn: String,
}

#[neo_ogm::test]
fn not_async(_graph: Graph) {}

#[neo_ogm::test]
async fn no_graph() {}

#[neo_ogm::test(shema = Book)]
async fn unknown_option(_graph: Graph) {}

#[neo_ogm::test(on = "mars")]
async fn nowhere(_graph: Graph) {}

#[neo_ogm::test(schema = "Book")]
async fn no_struct(_graph: Graph) {}

fn main() {}
