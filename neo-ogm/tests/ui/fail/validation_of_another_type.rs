use neo_ogm::prelude::*;

#[derive(Node)]
struct Book {
    #[node(key)]
    isbn: String,
    #[node(validate(length(max = 3)))]
    pages: u32,
    #[node(validate(range(min = 1)))]
    title: String,
    #[node(validate(email))]
    year: i32,
    #[node(validate(range(min = -1)))]
    copies: u8,
    #[node(validate(with = is_short))]
    name: String,
}

fn is_short(number: &i32) -> Result<(), String> {
    if *number < 3 { Ok(()) } else { Err("is long".to_owned()) }
}

fn main() {}
