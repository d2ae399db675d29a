use neo_ogm::neo_bolt::value::Map;
use neo_ogm::prelude::*;

#[derive(Node)]
#[node(label = "Book", labels("Thing", "Book"))]
struct Book {
    #[node(key, read_only)]
    isbn: String,
    #[node(version)]
    version: i64,
    #[node(version)]
    other_version: Version,
    #[node(element_id)]
    id: String,
    #[node(created_at)]
    created: DateTime,
    #[node(updated_at, default)]
    updated: Timestamp,
    #[node(unmapped, rename = "all")]
    rest: String,
    #[node(unmapped)]
    more: Map,
    #[node(prefix = "x_")]
    prefixed: String,
    #[node(optional_label = "Featured")]
    featured: u8,
    #[node(readonly)]
    score: f64,
}

fn main() {}
