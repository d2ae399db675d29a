use neo_ogm::prelude::*;

#[derive(Node)]
#[node(fulltext(title, analyser = "english"), relationship_key, index(title))]
struct Book {
    #[node(key, unique)]
    isbn: String,
    #[node(index = "tree")]
    title: String,
    #[node(index = "fulltext")]
    text: String,
    #[node(vector)]
    meaning: Vec<f32>,
    #[node(vector(dimensions = 0, similarity = "dot"))]
    colours: Vec<f32>,
    #[node(required)]
    pages: Option<i64>,
    #[node(unique, index)]
    code: String,
}

#[relationship(type = "WROTE", relationship_key)]
struct Wrote {
    #[relationship(indexed)]
    year: i64,
}

fn main() {}
