use neo_ogm::prelude::*;

#[derive(Properties)]
struct Address {
    #[property(fulltext(name = "streets"))]
    street: String,
    #[property(required)]
    city: Option<String>,
    #[property(key)]
    code: String,
}

#[derive(Properties)]
struct Flat {
    #[property(index = "text")]
    floor: i64,
}

#[derive(Properties)]
struct Source {
    #[property(required)]
    system: String,
}

#[derive(Node)]
struct Customer {
    #[node(key)]
    number: u32,
    #[node(flatten)]
    source: Option<Source>,
}

fn main() {}
