//! How much a statement changed.

use crate::value::Value;

/// How much a statement changed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SummaryCounters {
    pub(super) stats: std::collections::BTreeMap<String, Value>,
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

            fn any(&self) -> bool {
                [$((self.$name(), $key)),*]
                    .iter()
                    .any(|(count, key)| *key != "system-updates" && *count > 0)
            }
        }
    };
}

impl SummaryCounters {
    /// Whether anything in the graph or its schema changed.
    pub fn contains_updates(&self) -> bool {
        self.flag("contains-updates").unwrap_or_else(|| self.any())
    }

    /// Whether anything in the system database changed.
    pub fn contains_system_updates(&self) -> bool {
        self.flag("contains-system-updates")
            .unwrap_or_else(|| self.system_updates() > 0)
    }

    fn flag(&self, key: &str) -> Option<bool> {
        match self.stats.get(key) {
            Some(Value::Boolean(flag)) => Some(*flag),
            _ => None,
        }
    }
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
