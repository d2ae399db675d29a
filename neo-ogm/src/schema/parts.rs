//! Which structs a schema is made of.

use crate::mapping::{NodeSchema, RelationshipSchema};

/// A node struct or a relationship struct, as it says of itself.
#[derive(Debug, Clone, Copy)]
pub enum Part {
    /// A struct with `#[derive(Node)]`; what its relationships carry goes with it.
    Node(&'static NodeSchema),
    /// A struct with `#[relationship]`.
    Relationship(&'static RelationshipSchema),
}

/// A struct that a schema can be made of. `#[derive(Node)]` and `#[relationship]` implement it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no schema: it is neither a node nor a relationship struct",
    label = "neither `#[derive(Node)]` nor `#[relationship]` on this type",
    note = "name node structs: `graph.apply_schema::<(Book, Person)>()`"
)]
pub trait SchemaPart: Send + Sync + 'static {
    /// What the struct says of itself.
    const PART: Part;
}

/// Several structs at once: a tuple of them, or of tuples of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no set of node structs",
    label = "expected a node struct or a tuple of them; something here is neither a node nor a relationship struct",
    note = "write `graph.apply_schema::<(Book, Person)>()`; more than 16 go in tuples of tuples"
)]
pub trait SchemaSet {
    /// The structs.
    fn parts() -> Vec<Part>;
}

impl<T: SchemaPart> SchemaSet for T {
    fn parts() -> Vec<Part> {
        vec![T::PART]
    }
}

macro_rules! schema_sets {
    ($first:ident $(, $name:ident)*) => {
        impl<$first: SchemaSet $(, $name: SchemaSet)*> SchemaSet for ($first, $($name,)*) {
            fn parts() -> Vec<Part> {
                [$first::parts(), $($name::parts()),*].concat()
            }
        }
        schema_sets!($($name),*);
    };
    () => {};
}
schema_sets!(A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P);
