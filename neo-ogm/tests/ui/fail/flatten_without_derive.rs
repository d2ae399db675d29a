use neo_ogm::prelude::*;

struct Address {
    city: String,
}

#[derive(Node)]
struct Customer {
    #[node(key)]
    number: u32,
    #[node(flatten)]
    home: Address,
}

fn main() {}
