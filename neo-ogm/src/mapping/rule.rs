//! Constraints and indexes of a model, and what they are called.

use std::fmt;

/// A constraint or an index, of a label or of a relationship type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleSchema {
    /// What it does.
    pub kind: RuleKind,
    /// The properties' names in the database.
    pub properties: &'static [&'static str],
    /// What it is called in the database, unless it is called after what it is of.
    pub name: Option<&'static str>,
}

impl RuleSchema {
    /// What it is called in the database, given the label or relationship type that it is of:
    /// `Book_isbn_unique`. The same each time; not escaped.
    pub fn name_of(&self, of: &str) -> String {
        match self.name {
            Some(name) => name.to_owned(),
            None => format!("{of}_{}_{}", self.properties.join("_"), self.kind.suffix()),
        }
    }
}

/// What a constraint or an index does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleKind {
    /// No two have the same values.
    Unique,
    /// All values are there, and no two have the same. Neo4j Enterprise only.
    Key,
    /// The value is there. Neo4j Enterprise only.
    Exists,
    /// The value is of one type. Neo4j Enterprise only.
    Typed(CypherType),
    /// A range index: equality, ranges, prefixes, order.
    Range,
    /// A text index: `CONTAINS` and `ENDS WITH` as well.
    Text,
    /// A point index: distances and bounding boxes.
    Point,
    /// A full-text index: words, ranked.
    Fulltext {
        /// How text is cut into words; the database's own choice unless told.
        analyzer: Option<&'static str>,
    },
    /// A vector index: nearest neighbours.
    Vector {
        /// How long the vectors are.
        dimensions: u32,
        /// How near they are.
        similarity: Similarity,
    },
}

impl RuleKind {
    /// Whether it is a constraint rather than an index.
    pub const fn is_constraint(self) -> bool {
        matches!(
            self,
            Self::Unique | Self::Key | Self::Exists | Self::Typed(_)
        )
    }

    /// How names of this kind end.
    const fn suffix(self) -> &'static str {
        match self {
            Self::Unique => "unique",
            Self::Key => "key",
            Self::Exists => "exists",
            Self::Typed(_) => "type",
            Self::Range => "index",
            Self::Text => "text",
            Self::Point => "point",
            Self::Fulltext { .. } => "fulltext",
            Self::Vector { .. } => "vector",
        }
    }
}

/// How a vector index measures nearness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Similarity {
    /// By the angle between two vectors.
    Cosine,
    /// By the distance between their ends.
    Euclidean,
}

impl fmt::Display for Similarity {
    /// Writes the name that Cypher has for it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cosine => "cosine",
            Self::Euclidean => "euclidean",
        })
    }
}

/// What the database calls the values of a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the names are Cypher's
#[non_exhaustive]
pub enum CypherType {
    /// Of any type, or of one that has no name in a constraint, as byte arrays.
    Any,
    Boolean,
    String,
    Integer,
    Float,
    Date,
    LocalTime,
    ZonedTime,
    LocalDateTime,
    ZonedDateTime,
    Duration,
    Point,
    Vector,
    List(&'static CypherType),
}

impl CypherType {
    /// Whether a type constraint can be made of it.
    pub const fn has_constraint(self) -> bool {
        match self {
            Self::Any | Self::Vector => false,
            Self::List(item) => item.has_constraint() && !matches!(item, Self::List(_)),
            _ => true,
        }
    }

    /// Whether it is text.
    pub const fn is_text(self) -> bool {
        matches!(self, Self::String)
    }

    /// Whether it is a point.
    pub const fn is_point(self) -> bool {
        matches!(self, Self::Point)
    }

    /// Whether a full-text index finds words in it.
    pub const fn is_words(self) -> bool {
        matches!(self, Self::String | Self::List(Self::String))
    }

    /// Whether a vector index takes it.
    pub const fn is_vector(self) -> bool {
        matches!(self, Self::Vector | Self::List(Self::Float))
    }
}

impl fmt::Display for CypherType {
    /// Writes the name as a constraint has it: `LIST<STRING NOT NULL>`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "ANY",
            Self::Boolean => "BOOLEAN",
            Self::String => "STRING",
            Self::Integer => "INTEGER",
            Self::Float => "FLOAT",
            Self::Date => "DATE",
            Self::LocalTime => "LOCAL TIME",
            Self::ZonedTime => "ZONED TIME",
            Self::LocalDateTime => "LOCAL DATETIME",
            Self::ZonedDateTime => "ZONED DATETIME",
            Self::Duration => "DURATION",
            Self::Point => "POINT",
            Self::Vector => "VECTOR",
            Self::List(item) => return write!(f, "LIST<{item} NOT NULL>"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_of_what_it_is_of() {
        let rule = |kind, name| RuleSchema {
            kind,
            properties: &["title", "sort key"],
            name,
        };
        assert_eq!(
            rule(RuleKind::Range, None).name_of("Book"),
            "Book_title_sort key_index"
        );
        let analyzer = Some("english");
        let fulltext = rule(RuleKind::Fulltext { analyzer }, Some("bookSearch"));
        assert_eq!(fulltext.name_of("Book"), "bookSearch");
    }

    #[test]
    fn types_as_constraints_name_them() {
        assert_eq!(
            CypherType::List(&CypherType::ZonedDateTime).to_string(),
            "LIST<ZONED DATETIME NOT NULL>"
        );
        assert!(!CypherType::List(&CypherType::Any).has_constraint());
    }
}
