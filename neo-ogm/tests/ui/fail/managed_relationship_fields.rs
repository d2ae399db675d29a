use neo_ogm::prelude::*;

#[relationship(type = "READ")]
struct Read {
    #[relationship(created_at)]
    created: DateTime,
    #[relationship(created_at)]
    made: Timestamp,
    #[relationship(updated_at, key)]
    updated: Timestamp,
    #[relationship(element_id)]
    id: String,
    #[relationship(element_id)]
    other_id: ElementId,
    #[relationship(version)]
    version: Version,
}

#[relationship(type = "SEEN")]
struct Seen {
    #[relationship(created_at)]
    first: Timestamp,
    #[relationship(created_at)]
    second: Timestamp,
}

fn main() {}
