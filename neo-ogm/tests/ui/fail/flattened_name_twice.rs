use neo_ogm::prelude::*;

#[derive(Properties)]
struct Source {
    name: String,
    #[property(key)]
    origin: String,
}

#[derive(Properties)]
struct Named {
    name: String,
}

#[derive(Node)]
struct Customer {
    #[node(key)]
    name: String,
    #[node(flatten, prefix = "")]
    named: Named,
    #[node(flatten, index)]
    source: Source,
}

fn main() {}
