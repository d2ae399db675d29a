use neo_ogm::prelude::*;

#[derive(Node)]
#[node(lable = "Book", unique(title, titel))]
struct Book {
    #[node(key, index)]
    isbn: String,
    #[node(renmae = "t")]
    title: String,
    #[node(key)]
    maybe: Option<String>,
    #[node(generated)]
    id: Uuid,
    #[relationship(type = "WRITTEN_BY", direction = "left")]
    author: One<Book>,
    #[relationship(type = "SIMILAR_TO")]
    similar: Vec<Book>,
    #[relationship]
    other: Many<Book>,
    plain: Many<Book>,
}

fn main() {}
