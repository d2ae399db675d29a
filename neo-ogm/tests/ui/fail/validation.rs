use neo_ogm::prelude::*;

#[derive(Node)]
struct Book {
    #[node(key, validate(length(min = 9, max = 3)))]
    isbn: String,
    #[node(validate)]
    nothing: String,
    #[node(validate(regex = "[a-z"))]
    broken: String,
    #[node(validate(range(min = 0, max = 5)), default = 6)]
    stars: i32,
    #[node(validate(lenght(max = 3)))]
    misspelt: String,
    #[node(validate(length(least = 3)))]
    least: String,
    #[node(validate(with = "function"))]
    with: String,
    #[node(read_only, validate(email))]
    mail: Option<String>,
}

fn main() {}
