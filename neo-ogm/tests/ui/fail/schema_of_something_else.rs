use neo_ogm::prelude::*;

#[derive(Node)]
struct Book {
    #[node(key)]
    isbn: String,
}

struct Settings {
    dark: bool,
}

fn apply(graph: Graph) {
    let _ = graph.apply_schema::<(Book, Settings)>();
    let _ = graph.schema_diff::<String>();
}

fn main() {}
