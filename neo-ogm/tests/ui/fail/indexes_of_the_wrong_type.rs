use neo_ogm::prelude::*;

#[derive(Node)]
struct Place {
    #[node(key)]
    name: String,
    #[node(index = "text")]
    floors: i64,
    #[node(index = "point")]
    address: String,
    #[node(fulltext)]
    height: f64,
    #[node(vector(dimensions = 3))]
    words: Vec<String>,
    #[node(typed)]
    picture: Bytes,
}

fn main() {}
