//! Raw identifiers, keywords, other scripts, visibility, modules, self relations.
#![deny(missing_docs, unused)]

use neo_ogm::prelude::*;

mod model {
    //! A model in a module of its own.
    use neo_ogm::prelude::*;

    /// Doc comments are kept.
    #[derive(Node, Debug, Clone, PartialEq)]
    #[node(label = "MATCH", rename_all = "camelCase", unique(r#type, long_name), index(long_name, größe))]
    pub struct Thing {
        /// The key.
        #[node(key)]
        pub r#type: String,
        /// Renamed to `longName`.
        pub long_name: String,
        /// Not ASCII.
        pub größe: Option<i64>,
        /// Private fields have tokens too.
        #[node(unique)]
        hidden: Option<u8>,
        /// A relation to itself.
        #[relationship(type = "PART-OF")]
        pub part_of: ZeroOrOne<Self>,
    }

    impl Thing {
        /// A reader of the private field.
        pub fn hidden(&self) -> Option<u8> {
            self.hidden
        }
    }
}

/// Nothing in it.
#[relationship]
#[derive(Debug, Clone, PartialEq)]
pub struct KnowsWell;

/// One of two that name each other.
#[derive(Node)]
#[node(no_new)]
struct Left {
    #[node(key)]
    id: i64,
    #[relationship(direction = "both")]
    right: Many<Right, KnowsWell>,
}

/// The other.
#[derive(Node)]
struct Right {
    #[node(key, generated)]
    id: Uuid,
    #[node(default = "x".to_owned())]
    text: String,
    #[relationship(direction = "both")]
    left: OneOrMore<Left, KnowsWell>,
}

fn main() {
    let thing = model::Thing::new("a", "b");
    assert_eq!(thing.hidden(), None);
    let _ = model::Thing::find_by_type("a").filter(model::Thing::HIDDEN.eq(3));
    let _ = model::Thing::find().filter(model::Thing::GRÖSSE.gt(1));
    let cypher = model::Thing::find()
        .filter(model::Thing::LONG_NAME.eq("b").and(model::Thing::PART_OF.exists()))
        .to_cypher();
    assert_eq!(
        cypher,
        "MATCH (n:`MATCH`) WHERE n.longName = $p0 AND EXISTS { MATCH (n)-[r1:`PART-OF`]->(m1:`MATCH`) } RETURN n"
    );
    let left = Left { id: 1, right: Many::default() };
    let right = Right::new();
    assert_eq!((left.id, right.text.as_str()), (1, "x"));
    assert!(!left.right.is_loaded() && !right.left.is_loaded());
    assert_eq!(
        Left::find().load(Left::RIGHT.then(Right::LEFT)).to_cypher(),
        "MATCH (n:Left) RETURN n, [(n)-[:KNOWS_WELL]-(m1:Right) | [null, m1, [(m1)-[:KNOWS_WELL]-(m2:Left) | [null, m2]]]] AS c0"
    );
}
