//! Plans: how a server runs a statement.

use crate::value::{Map, Value};

/// One step of a plan, with the steps that feed it.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    operator_type: String,
    identifiers: Vec<String>,
    arguments: Map,
    children: Vec<Plan>,
}

/// One step of a plan that was run, with what it did and the steps that feed it.
#[derive(Debug, Clone, PartialEq)]
pub struct ProfiledPlan {
    operator_type: String,
    identifiers: Vec<String>,
    arguments: Map,
    db_hits: i64,
    rows: i64,
    page_cache_misses: Option<i64>,
    page_cache_hits: Option<i64>,
    page_cache_hit_ratio: Option<f64>,
    time: Option<i64>,
    children: Vec<ProfiledPlan>,
}

/// What both kinds of steps have.
struct Step {
    operator_type: String,
    identifiers: Vec<String>,
    arguments: Map,
    children: Vec<Value>,
    rest: Map,
}

impl Step {
    fn from_value(value: Value) -> Option<Self> {
        let Value::Map(mut map) = value else {
            return None;
        };
        let list = |value: Option<Value>| match value {
            Some(Value::List(list)) => list,
            _ => Vec::new(),
        };
        Some(Self {
            operator_type: match map.remove("operatorType") {
                Some(Value::String(operator)) => operator,
                _ => String::new(),
            },
            identifiers: list(map.remove("identifiers"))
                .into_iter()
                .filter_map(|identifier| match identifier {
                    Value::String(identifier) => Some(identifier),
                    _ => None,
                })
                .collect(),
            arguments: match map.remove("args") {
                Some(Value::Map(arguments)) => arguments,
                _ => Map::new(),
            },
            children: list(map.remove("children")),
            rest: map,
        })
    }
}

macro_rules! step {
    ($name:ident) => {
        impl $name {
            /// What the step does, such as `NodeIndexSeek@neo4j`.
            pub fn operator_type(&self) -> &str {
                &self.operator_type
            }

            /// The variables that it works with.
            pub fn identifiers(&self) -> &[String] {
                &self.identifiers
            }

            /// Everything else that the server says of it.
            pub fn arguments(&self) -> &Map {
                &self.arguments
            }

            /// The steps that feed it.
            pub fn children(&self) -> &[$name] {
                &self.children
            }
        }
    };
}
step!(Plan);
step!(ProfiledPlan);

impl Plan {
    /// Nested no deeper than a message may be.
    pub(super) fn from_value(value: Value) -> Option<Self> {
        let step = Step::from_value(value)?;
        Some(Self {
            operator_type: step.operator_type,
            identifiers: step.identifiers,
            arguments: step.arguments,
            children: step
                .children
                .into_iter()
                .filter_map(Self::from_value)
                .collect(),
        })
    }
}

impl ProfiledPlan {
    /// Nested no deeper than a message may be.
    pub(super) fn from_value(value: Value) -> Option<Self> {
        let step = Step::from_value(value)?;
        let count = |key: &str| match step.rest.get(key) {
            Some(Value::Integer(count)) => Some(*count),
            _ => None,
        };
        Some(Self {
            db_hits: count("dbHits").unwrap_or(0),
            rows: count("rows").unwrap_or(0),
            page_cache_misses: count("pageCacheMisses"),
            page_cache_hits: count("pageCacheHits"),
            page_cache_hit_ratio: match step.rest.get("pageCacheHitRatio") {
                Some(Value::Float(ratio)) => Some(*ratio),
                _ => None,
            },
            time: count("time"),
            operator_type: step.operator_type,
            identifiers: step.identifiers,
            arguments: step.arguments,
            children: step
                .children
                .into_iter()
                .filter_map(Self::from_value)
                .collect(),
        })
    }

    /// How often it asked the store.
    pub fn db_hits(&self) -> i64 {
        self.db_hits
    }

    /// How many rows it gave.
    pub fn rows(&self) -> i64 {
        self.rows
    }

    /// How many pages were not in the page cache; this and what follows where the server says.
    pub fn page_cache_misses(&self) -> Option<i64> {
        self.page_cache_misses
    }

    /// How many pages were in the page cache.
    pub fn page_cache_hits(&self) -> Option<i64> {
        self.page_cache_hits
    }

    /// The share of pages that were in the page cache, from 0 to 1.
    pub fn page_cache_hit_ratio(&self) -> Option<f64> {
        self.page_cache_hit_ratio
    }

    /// How long it took, in nanoseconds.
    pub fn time(&self) -> Option<i64> {
        self.time
    }
}
