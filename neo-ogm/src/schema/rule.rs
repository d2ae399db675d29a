//! A constraint or an index of the model, and its Cypher.

use std::fmt::{self, Write as _};

use super::{Part, SchemaSet};
use crate::mapping::{NodeSchema, RelationshipSchema, RuleKind, RuleSchema};
use crate::query::escape;

/// Nodes or relationships.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entity {
    /// Nodes of a label.
    Node,
    /// Relationships of a type.
    Relationship,
}

/// A constraint or an index that a model names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub(super) name: String,
    pub(super) entity: Entity,
    pub(super) of: &'static str,
    pub(super) schema: RuleSchema,
}

impl Rule {
    fn new(entity: Entity, of: &'static str, schema: RuleSchema) -> Self {
        Self {
            name: schema.name_of(of),
            entity,
            of,
            schema,
        }
    }

    /// What it is called in the database.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is of nodes or of relationships.
    pub fn entity(&self) -> Entity {
        self.entity
    }

    /// The label or the relationship type.
    pub fn label_or_type(&self) -> &'static str {
        self.of
    }

    /// The properties.
    pub fn properties(&self) -> &'static [&'static str] {
        self.schema.properties
    }

    /// What it does.
    pub fn kind(&self) -> RuleKind {
        self.schema.kind
    }

    /// The statement that makes it, unless it is there.
    pub fn to_cypher(&self) -> String {
        self.create("")
    }

    /// The same, with something in front of the name.
    pub(super) fn create(&self, prefix: &str) -> String {
        let name = format!("{prefix}{}", self.name);
        let mut text = String::from("CREATE ");
        // Writing to a string does not fail, here and below.
        let _ = write!(text, "{} {} IF NOT EXISTS FOR ", self.noun(), escape(&name));
        self.pattern(&mut text);
        let kind = self.schema.kind;
        let (word, (open, close)) = match kind {
            RuleKind::Fulltext { .. } => (" ON EACH ", ("[", "]")),
            kind if kind.is_constraint() && self.schema.properties.len() == 1 => {
                (" REQUIRE ", ("", ""))
            }
            kind if kind.is_constraint() => (" REQUIRE ", ("(", ")")),
            _ => (" ON ", ("(", ")")),
        };
        text.push_str(word);
        text.push_str(open);
        for (index, property) in self.schema.properties.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            let _ = write!(text, "{comma}{}.{}", self.variable(), escape(property));
        }
        text.push_str(close);
        let _ = match kind {
            RuleKind::Unique => write!(text, " IS UNIQUE"),
            RuleKind::Key if self.entity == Entity::Node => write!(text, " IS NODE KEY"),
            RuleKind::Key => write!(text, " IS RELATIONSHIP KEY"),
            RuleKind::Exists => write!(text, " IS NOT NULL"),
            RuleKind::Typed(cypher_type) => write!(text, " IS :: {cypher_type}"),
            RuleKind::Fulltext {
                analyzer: Some(analyzer),
            } => write!(
                text,
                " OPTIONS {{indexConfig: {{`fulltext.analyzer`: {}}}}}",
                quoted(analyzer)
            ),
            RuleKind::Vector {
                dimensions,
                similarity,
            } => write!(
                text,
                " OPTIONS {{indexConfig: {{`vector.dimensions`: {dimensions}, \
                 `vector.similarity_function`: '{similarity}'}}}}"
            ),
            _ => Ok(()),
        };
        text
    }

    fn variable(&self) -> &'static str {
        match self.entity {
            Entity::Node => "n",
            Entity::Relationship => "r",
        }
    }

    fn pattern(&self, text: &mut String) {
        let of = escape(self.of);
        let _ = match self.entity {
            Entity::Node => write!(text, "(n:{of})"),
            Entity::Relationship => write!(text, "()-[r:{of}]-()"),
        };
    }

    fn noun(&self) -> &'static str {
        match self.schema.kind {
            RuleKind::Range => "INDEX",
            RuleKind::Text => "TEXT INDEX",
            RuleKind::Point => "POINT INDEX",
            RuleKind::Fulltext { .. } => "FULLTEXT INDEX",
            RuleKind::Vector { .. } => "VECTOR INDEX",
            _ => "CONSTRAINT",
        }
    }
}

/// Writes ``uniqueness constraint `Book_isbn_unique` of :Book(isbn)``.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.schema.kind {
            RuleKind::Unique => "uniqueness constraint",
            RuleKind::Key => "key constraint",
            RuleKind::Exists => "existence constraint",
            RuleKind::Typed(_) => "type constraint",
            RuleKind::Range => "range index",
            RuleKind::Text => "text index",
            RuleKind::Point => "point index",
            RuleKind::Fulltext { .. } => "full-text index",
            RuleKind::Vector { .. } => "vector index",
        };
        let properties = self.schema.properties.join(", ");
        write!(f, "{what} `{}` of ", self.name)?;
        match self.entity {
            Entity::Node => write!(f, ":{}({properties})", self.of),
            Entity::Relationship => write!(f, "-[:{}({properties})]-", self.of),
        }
    }
}

/// A text in Cypher.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// All constraints and indexes that some structs name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    pub(super) rules: Vec<Rule>,
}

impl Schema {
    /// What the structs name. The relationship structs of node structs go with them.
    ///
    /// ```
    /// use neo_ogm::prelude::*;
    /// use neo_ogm::schema::Schema;
    ///
    /// #[derive(Node)]
    /// struct Article {
    ///     #[node(key)]
    ///     id: String,
    ///     #[node(fulltext(analyzer = "english"))]
    ///     text: String,
    /// }
    ///
    /// assert_eq!(
    ///     Schema::of::<Article>().to_cypher(),
    ///     [
    ///         "CREATE CONSTRAINT Article_id_unique IF NOT EXISTS FOR (n:Article) REQUIRE n.id IS UNIQUE",
    ///         "CREATE FULLTEXT INDEX Article_text_fulltext IF NOT EXISTS FOR (n:Article) ON EACH [n.text] \
    ///          OPTIONS {indexConfig: {`fulltext.analyzer`: 'english'}}",
    ///     ]
    /// );
    /// ```
    pub fn of<S: SchemaSet>() -> Self {
        let mut schema = Self { rules: Vec::new() };
        for part in S::parts() {
            match part {
                Part::Node(node) => schema.node(node),
                Part::Relationship(relationship) => {
                    schema.relationship(relationship, relationship.relationship_type);
                }
            }
        }
        schema
    }

    /// The constraints and indexes, in the order of the structs.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The statements that make them.
    pub fn to_cypher(&self) -> Vec<String> {
        self.rules.iter().map(Rule::to_cypher).collect()
    }

    fn node(&mut self, schema: &'static NodeSchema) {
        for rule in schema.rules {
            self.add(Rule::new(Entity::Node, schema.label, *rule));
        }
        for relation in schema.relations {
            self.relationship(relation.relationship, relation.relationship_type);
        }
    }

    fn relationship(&mut self, schema: &'static RelationshipSchema, of: &'static str) {
        for rule in schema.rules {
            self.add(Rule::new(Entity::Relationship, of, *rule));
        }
    }

    fn add(&mut self, rule: Rule) {
        if !self.rules.contains(&rule) {
            self.rules.push(rule);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::{CypherType, Similarity};

    fn cypher(entity: Entity, of: &'static str, kind: RuleKind, two: bool) -> String {
        let properties: &[&str] = if two {
            &["title", "sort key"]
        } else {
            &["title"]
        };
        let schema = RuleSchema {
            kind,
            properties,
            name: None,
        };
        Rule::new(entity, of, schema).to_cypher()
    }

    #[test]
    fn every_kind_has_its_statement() {
        let node = |kind, two| cypher(Entity::Node, "Order", kind, two);
        let relationship = |kind, two| cypher(Entity::Relationship, "WROTE", kind, two);
        let vector = RuleKind::Vector {
            dimensions: 3,
            similarity: Similarity::Euclidean,
        };
        for (made, expected) in [
            (
                node(RuleKind::Unique, false),
                "CONSTRAINT Order_title_unique IF NOT EXISTS FOR (n:`Order`) REQUIRE n.title IS UNIQUE",
            ),
            (
                node(RuleKind::Unique, true),
                "CONSTRAINT `Order_title_sort key_unique` IF NOT EXISTS FOR (n:`Order`) REQUIRE (n.title, n.`sort key`) IS UNIQUE",
            ),
            (
                relationship(RuleKind::Unique, true),
                "CONSTRAINT `WROTE_title_sort key_unique` IF NOT EXISTS FOR ()-[r:WROTE]-() REQUIRE (r.title, r.`sort key`) IS UNIQUE",
            ),
            (
                node(RuleKind::Key, false),
                "CONSTRAINT Order_title_key IF NOT EXISTS FOR (n:`Order`) REQUIRE n.title IS NODE KEY",
            ),
            (
                relationship(RuleKind::Key, false),
                "CONSTRAINT WROTE_title_key IF NOT EXISTS FOR ()-[r:WROTE]-() REQUIRE r.title IS RELATIONSHIP KEY",
            ),
            (
                node(RuleKind::Exists, false),
                "CONSTRAINT Order_title_exists IF NOT EXISTS FOR (n:`Order`) REQUIRE n.title IS NOT NULL",
            ),
            (
                relationship(
                    RuleKind::Typed(CypherType::List(&CypherType::LocalTime)),
                    false,
                ),
                "CONSTRAINT WROTE_title_type IF NOT EXISTS FOR ()-[r:WROTE]-() REQUIRE r.title IS :: LIST<LOCAL TIME NOT NULL>",
            ),
            (
                node(RuleKind::Range, true),
                "INDEX `Order_title_sort key_index` IF NOT EXISTS FOR (n:`Order`) ON (n.title, n.`sort key`)",
            ),
            (
                relationship(RuleKind::Text, false),
                "TEXT INDEX WROTE_title_text IF NOT EXISTS FOR ()-[r:WROTE]-() ON (r.title)",
            ),
            (
                node(RuleKind::Point, false),
                "POINT INDEX Order_title_point IF NOT EXISTS FOR (n:`Order`) ON (n.title)",
            ),
            (
                node(
                    RuleKind::Fulltext {
                        analyzer: Some("o'clock"),
                    },
                    true,
                ),
                "FULLTEXT INDEX `Order_title_sort key_fulltext` IF NOT EXISTS FOR (n:`Order`) ON EACH [n.title, n.`sort key`] OPTIONS {indexConfig: {`fulltext.analyzer`: 'o\\'clock'}}",
            ),
            (
                relationship(vector, false),
                "VECTOR INDEX WROTE_title_vector IF NOT EXISTS FOR ()-[r:WROTE]-() ON (r.title) OPTIONS {indexConfig: {`vector.dimensions`: 3, `vector.similarity_function`: 'euclidean'}}",
            ),
        ] {
            assert_eq!(made, format!("CREATE {expected}"));
        }
    }
}
