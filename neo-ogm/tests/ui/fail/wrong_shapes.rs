use neo_ogm::prelude::*;

#[derive(Node)]
enum Kind {
    A,
}

#[derive(Node)]
struct Tuple(String);

#[derive(Node)]
struct Generic<T> {
    #[node(key)]
    id: T,
}

#[derive(Property)]
enum Full {
    A(i32),
}

#[derive(Property)]
struct Two(i32, i32);

#[relationship]
enum Rel {
    A,
}

fn main() {}
