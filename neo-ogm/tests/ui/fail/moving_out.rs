use neo_ogm::prelude::*;

#[derive(Node)]
struct Book {
    #[node(key)]
    isbn: String,
}

async fn save(graph: Graph, book: Book) -> Result<Book, neo_ogm::Error> {
    graph
        .transaction(async |tx| {
            book.save(&tx).await?;
            Ok(book)
        })
        .await
}

fn main() {}
