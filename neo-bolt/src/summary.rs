//! What a server says of a statement when it is done.

use std::time::Duration;

use crate::connection::Address;
use crate::packstream::FromBolt;
use crate::protocol::{Metadata, Version};
use crate::value::{Map, Value};

/// The server that ran a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerInfo {
    pub(crate) address: Address,
    pub(crate) agent: String,
    pub(crate) protocol_version: Version,
}

impl ServerInfo {
    /// Where it listens.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// What it calls itself, such as `Neo4j/5.26.0`.
    pub fn agent(&self) -> &str {
        &self.agent
    }

    /// The version of Bolt that was spoken with it.
    pub fn protocol_version(&self) -> Version {
        self.protocol_version
    }
}

/// What a statement did. Read on demand: what is not asked for costs nothing.
#[derive(Debug, Clone)]
pub struct ResultSummary {
    pub(crate) run: Option<Metadata>,
    pub(crate) pull: Option<Metadata>,
    pub(crate) server: ServerInfo,
}

impl ResultSummary {
    fn end<'a, T: FromBolt<'a>>(&'a self, key: &str) -> Option<T> {
        self.pull.as_ref()?.get(key)
    }

    /// How much was changed.
    pub fn counters(&self) -> SummaryCounters {
        SummaryCounters {
            stats: self.end("stats").unwrap_or_default(),
        }
    }

    /// What kind of statement it was.
    pub fn query_type(&self) -> Option<QueryType> {
        match self.end("type")? {
            "r" => Some(QueryType::Read),
            "w" => Some(QueryType::Write),
            "rw" => Some(QueryType::ReadWrite),
            "s" => Some(QueryType::Schema),
            _ => None,
        }
    }

    /// The database where it ran.
    pub fn database(&self) -> Option<&str> {
        self.end("db")
    }

    /// How long it took until the first record was there.
    pub fn result_available_after(&self) -> Option<Duration> {
        let millis: i64 = self.run.as_ref()?.get("t_first")?;
        u64::try_from(millis).ok().map(Duration::from_millis)
    }

    /// How long it took until the last record was sent.
    pub fn result_consumed_after(&self) -> Option<Duration> {
        u64::try_from(self.end::<i64>("t_last")?)
            .ok()
            .map(Duration::from_millis)
    }

    /// The plan, after `EXPLAIN`.
    pub fn plan(&self) -> Option<Map> {
        map(self.end("plan")?)
    }

    /// The plan with what each step did, after `PROFILE`.
    pub fn profile(&self) -> Option<Map> {
        map(self.end("profile")?)
    }

    /// What the server wants the author of the statement to know: `code`, `title`,
    /// `description`, `severity`, `category` and `position` of each. From Bolt 5.5 on they are
    /// read from the status objects.
    pub fn notifications(&self) -> Vec<Map> {
        match self.end("notifications") {
            Some(list) => maps(Some(list)),
            None => self
                .gql_status_objects()
                .into_iter()
                .filter_map(notification)
                .collect(),
        }
    }

    /// The GQL status objects (Bolt 5.5 and later).
    pub fn gql_status_objects(&self) -> Vec<Map> {
        maps(self.end("statuses"))
    }

    /// The server that ran it.
    pub fn server(&self) -> &ServerInfo {
        &self.server
    }
}

fn map(value: Value) -> Option<Map> {
    match value {
        Value::Map(map) => Some(map),
        _ => None,
    }
}

/// The notification that a status object stands for; not all of them do.
fn notification(mut status: Map) -> Option<Map> {
    let mut notification = Map::new();
    notification.insert("code".to_owned(), status.remove("neo4j_code")?);
    for key in ["title", "description"] {
        notification.extend(status.remove(key).map(|value| (key.to_owned(), value)));
    }
    if let Some(Value::Map(mut record)) = status.remove("diagnostic_record") {
        for (there, here) in [
            ("_severity", "severity"),
            ("_classification", "category"),
            ("_position", "position"),
        ] {
            notification.extend(record.remove(there).map(|value| (here.to_owned(), value)));
        }
    }
    Some(notification)
}

fn maps(list: Option<Vec<Value>>) -> Vec<Map> {
    list.unwrap_or_default()
        .into_iter()
        .filter_map(map)
        .collect()
}

/// What kind of statement it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QueryType {
    /// It read.
    Read,
    /// It wrote.
    Write,
    /// It read and wrote.
    ReadWrite,
    /// It changed the schema.
    Schema,
}

/// How much a statement changed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SummaryCounters {
    stats: std::collections::BTreeMap<String, Value>,
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident => $key:literal;)*) => {
        impl SummaryCounters {
            $($(#[$doc])*
            pub fn $name(&self) -> i64 {
                match self.stats.get($key) {
                    Some(Value::Integer(count)) => *count,
                    _ => 0,
                }
            })*

            /// Whether anything in the graph or its schema changed.
            pub fn contains_updates(&self) -> bool {
                match self.stats.get("contains-updates") {
                    Some(Value::Boolean(flag)) => *flag,
                    _ => [$(self.$name()),*].iter().any(|count| *count > 0),
                }
            }
        }
    };
}
counters! {
    /// Nodes made.
    nodes_created => "nodes-created";
    /// Nodes deleted.
    nodes_deleted => "nodes-deleted";
    /// Relationships made.
    relationships_created => "relationships-created";
    /// Relationships deleted.
    relationships_deleted => "relationships-deleted";
    /// Properties set or removed.
    properties_set => "properties-set";
    /// Labels put on nodes.
    labels_added => "labels-added";
    /// Labels taken off nodes.
    labels_removed => "labels-removed";
    /// Indexes made.
    indexes_added => "indexes-added";
    /// Indexes dropped.
    indexes_removed => "indexes-removed";
    /// Constraints made.
    constraints_added => "constraints-added";
    /// Constraints dropped.
    constraints_removed => "constraints-removed";
    /// Changes of the system database.
    system_updates => "system-updates";
}
