//! The constraints and indexes that a database has.

use std::fmt;

use neo_bolt::value::{Map, Value};
use neo_bolt::{AccessMode, Record};

use super::{Entity, Rule};
use crate::error::Error;
use crate::executor::{Graph, Target};
use crate::mapping::RuleKind;
use crate::query::escape;

const CONSTRAINTS: &str =
    "SHOW CONSTRAINTS YIELD name, type, entityType, labelsOrTypes, properties, propertyType";
const INDEXES: &str = "SHOW INDEXES YIELD name, type, entityType, labelsOrTypes, properties, \
                       owningConstraint, options, state";

/// A constraint or an index in the database.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundRule {
    /// What it is called.
    pub name: String,
    /// What it does, in the database's word: `UNIQUENESS`, `RANGE` and so on.
    pub kind: String,
    /// Whether it is of nodes or of relationships.
    pub entity: Entity,
    /// The labels or relationship types.
    pub labels_or_types: Vec<String>,
    /// The properties.
    pub properties: Vec<String>,
    /// Whether it is a constraint rather than an index.
    pub is_constraint: bool,
    /// The type that a type constraint asks for.
    property_type: Option<String>,
    /// What an index was made with.
    config: Map,
    pub(super) state: Option<String>,
    /// Its name without regard to the graph's label space.
    in_database: String,
}

/// Reads both, on two connections at once: one wait.
pub(super) async fn all(graph: &Graph) -> Result<Vec<FoundRule>, Error> {
    let (constraints, indexes) = tokio::try_join!(show(graph, CONSTRAINTS), show(graph, INDEXES))?;
    let mut found = Vec::with_capacity(constraints.len() + indexes.len());
    for record in &constraints {
        found.extend(constraint(record)?);
    }
    for record in &indexes {
        found.extend(index(record)?);
    }
    found.retain_mut(|rule| rule.enter(graph));
    Ok(found)
}

/// The labels and relationship types that have constraints or indexes.
pub(crate) async fn labels_or_types(graph: &Graph) -> Result<Vec<String>, Error> {
    let found = all(graph).await?.into_iter();
    Ok(found.flat_map(|found| found.labels_or_types).collect())
}

/// Reads the indexes alone.
pub(super) async fn indexes(graph: &Graph) -> Result<Vec<FoundRule>, Error> {
    let mut found = Vec::new();
    for record in &show(graph, INDEXES).await? {
        found.extend(index(record)?);
    }
    found.retain_mut(|rule| rule.enter(graph));
    Ok(found)
}

async fn show(graph: &Graph, statement: &str) -> Result<Vec<Record>, Error> {
    let target = Target::Graph(graph.clone());
    let found = target
        .execute(AccessMode::Read, statement.into(), ())
        .await?;
    Ok(found.records)
}

/// What both tell; `None` of what is of no label, as the lookup indexes are.
fn common(record: &Record) -> Result<Option<FoundRule>, Error> {
    let of: Option<Vec<String>> = record.get("labelsOrTypes")?;
    let properties: Option<Vec<String>> = record.get("properties")?;
    let (Some(labels_or_types), Some(properties)) = (of, properties) else {
        return Ok(None);
    };
    let entity = match record.get("entityType")? {
        "RELATIONSHIP" => Entity::Relationship,
        _ => Entity::Node,
    };
    Ok(Some(FoundRule {
        name: record.get("name")?,
        in_database: record.get("name")?,
        kind: record.get("type")?,
        entity,
        labels_or_types,
        properties,
        is_constraint: false,
        property_type: None,
        config: Map::new(),
        state: None,
    }))
}

fn constraint(record: &Record) -> Result<Option<FoundRule>, Error> {
    let property_type = record.get("propertyType")?;
    Ok(common(record)?.map(|rule| FoundRule {
        is_constraint: true,
        property_type,
        ..rule
    }))
}

/// An index; that of a constraint is no rule of its own.
fn index(record: &Record) -> Result<Option<FoundRule>, Error> {
    if record.get::<Option<&str>>("owningConstraint")?.is_some() {
        return Ok(None);
    }
    let options: Option<Map> = record.get("options")?;
    let config = match options.and_then(|mut options| options.remove("indexConfig")) {
        Some(Value::Map(config)) => config,
        _ => Map::new(),
    };
    let state = record.get("state")?;
    Ok(common(record)?.map(|rule| FoundRule {
        config,
        state,
        ..rule
    }))
}

impl FoundRule {
    /// Takes the names of the graph's label space off; whether it belongs there.
    fn enter(&mut self, graph: &Graph) -> bool {
        let Some(prefix) = graph.label_prefix() else {
            return true;
        };
        let mut ours = !self.labels_or_types.is_empty();
        for of in &mut self.labels_or_types {
            match of.strip_prefix(prefix) {
                Some(rest) => *of = rest.to_owned(),
                None => ours = false,
            }
        }
        if let Some(rest) = self.name.strip_prefix(prefix) {
            self.name = rest.to_owned();
        }
        ours
    }

    /// Whether it is of the same nodes or relationships, and of the same properties.
    pub(super) fn is_on(&self, rule: &Rule) -> bool {
        self.entity == rule.entity
            && self.labels_or_types == [rule.of]
            && self.properties == rule.schema.properties
    }

    /// Whether it does what the model asks for, whatever it is called.
    pub(super) fn does(&self, rule: &Rule) -> bool {
        self.is_on(rule)
            && self.is_constraint == rule.schema.kind.is_constraint()
            && self.is_of_kind(rule.schema.kind)
    }

    fn is_of_kind(&self, kind: RuleKind) -> bool {
        let same = |key: &str, wanted: &str| match self.config.get(key) {
            Some(Value::String(found)) => found.eq_ignore_ascii_case(wanted),
            _ => false,
        };
        match kind {
            // The words differ between versions and between nodes and relationships.
            RuleKind::Unique => self.kind.ends_with("UNIQUENESS"),
            RuleKind::Key => self.kind.ends_with("KEY"),
            RuleKind::Exists => self.kind.ends_with("EXISTENCE"),
            RuleKind::Typed(wanted) => {
                self.kind.ends_with("PROPERTY_TYPE")
                    && self.property_type.as_deref() == Some(&wanted.to_string())
            }
            RuleKind::Range => self.kind == "RANGE",
            RuleKind::Text => self.kind == "TEXT",
            RuleKind::Point => self.kind == "POINT",
            RuleKind::Fulltext { analyzer } => {
                self.kind == "FULLTEXT"
                    && analyzer.is_none_or(|analyzer| same("fulltext.analyzer", analyzer))
            }
            RuleKind::Vector {
                dimensions,
                similarity,
            } => {
                let found = self.config.get("vector.dimensions");
                self.kind == "VECTOR"
                    && found == Some(&Value::Integer(dimensions.into()))
                    && same("vector.similarity_function", &similarity.to_string())
            }
        }
    }

    /// Whether it is the index of a constraint that is being made, or was left by one.
    pub(super) fn is_half_of(&self, rule: &Rule) -> bool {
        matches!(rule.schema.kind, RuleKind::Unique | RuleKind::Key)
            && self.kind == "RANGE"
            && self.name == rule.name
            && self.is_on(rule)
    }

    /// Whether it keeps the database from making the rule beside it.
    pub(super) fn stands_against(&self, rule: &Rule) -> bool {
        // Uniqueness and keys bring a range index of their own.
        let of_range =
            |kind: &str| kind == "RANGE" || kind.ends_with("UNIQUENESS") || kind.ends_with("KEY");
        let range = matches!(
            rule.schema.kind,
            RuleKind::Range | RuleKind::Unique | RuleKind::Key
        );
        let typed = matches!(rule.schema.kind, RuleKind::Typed(_));
        self.is_on(rule)
            && !self.does(rule)
            && match rule.schema.kind {
                RuleKind::Fulltext { .. } => self.kind == "FULLTEXT",
                RuleKind::Vector { .. } => self.kind == "VECTOR",
                _ => {
                    (range && of_range(&self.kind))
                        || (typed && self.kind.ends_with("PROPERTY_TYPE"))
                }
            }
    }

    /// The statement that drops it, where it is there.
    pub(super) fn drop_cypher(&self) -> String {
        let what = if self.is_constraint {
            "CONSTRAINT"
        } else {
            "INDEX"
        };
        format!("DROP {what} {} IF EXISTS", escape(&self.in_database))
    }
}

/// Writes ``RANGE index `Book_title_index` of :Book(title)``.
impl fmt::Display for FoundRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.is_constraint {
            "constraint"
        } else {
            "index"
        };
        let (of, properties) = (self.labels_or_types.join("|"), self.properties.join(", "));
        write!(f, "{} {what} `{}` of ", self.kind, self.name)?;
        match self.entity {
            Entity::Node => write!(f, ":{of}({properties})")?,
            Entity::Relationship => write!(f, "-[:{of}({properties})]-")?,
        }
        if let Some(property_type) = &self.property_type {
            write!(f, " IS :: {property_type}")?;
        }
        for key in [
            "fulltext.analyzer",
            "vector.dimensions",
            "vector.similarity_function",
        ] {
            match self.config.get(key) {
                Some(Value::String(text)) => write!(f, ", {key} {text}")?,
                Some(Value::Integer(number)) => write!(f, ", {key} {number}")?,
                _ => {}
            }
        }
        Ok(())
    }
}
