//! Whether a caller has said what a relationship carries: kept in the type, so that nobody
//! forgets what must be given.

use std::fmt::Write as _;

use super::stamps;
use crate::mapping::RelationshipSchema;
use crate::query::escape;

/// Nothing has been said; where the relationship has properties that must be given, `.properties(…)`
/// comes before `.await`.
#[derive(Debug, Clone, Copy)]
pub enum PropertiesMissing {}

/// The properties were given.
#[derive(Debug, Clone, Copy)]
pub enum PropertiesGiven {}

/// When the properties of the relationship are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Set {
    /// Only on a relationship that the statement makes: nobody said anything of them.
    OnCreate,
    /// Also on one that is there.
    Always,
}

impl Set {
    /// Writes, behind a `MERGE` of `r`, the clauses that set what the relationship carries besides
    /// its keys, from the map `properties`, and its times.
    pub(super) fn write(self, text: &mut String, schema: &RelationshipSchema, properties: &str) {
        let (created, updated) = (stamps::created(schema), stamps::updated(schema));
        let always = self == Self::Always;
        let mut word = " ON CREATE SET ";
        // Writing to a string does not fail.
        let mut set = |word: &mut &str, what: std::fmt::Arguments<'_>| {
            let _ = write!(text, "{word}{what}");
            *word = ", ";
        };
        if let Some(created) = created {
            set(&mut word, format_args!("r.{} = $now", escape(created)));
        }
        if always {
            word = " SET ";
        }
        if schema.is_written() {
            set(&mut word, format_args!("r += {properties}"));
        }
        if let Some(updated) = updated {
            set(&mut word, format_args!("r.{} = $now", escape(updated)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::{PropertyRole, PropertySchema};

    const PLAIN: PropertySchema = PropertySchema {
        field: "note",
        name: "note",
        ..PropertySchema::PLAIN
    };
    const CREATED: PropertySchema = PropertySchema {
        field: "created",
        name: "madeAt",
        role: PropertyRole::CreatedAt,
        ..PropertySchema::PLAIN
    };
    const UPDATED: PropertySchema = PropertySchema {
        field: "updated",
        name: "changed at",
        role: PropertyRole::UpdatedAt,
        ..PropertySchema::PLAIN
    };

    fn text(set: Set, properties: &'static [PropertySchema]) -> String {
        let schema = RelationshipSchema {
            type_name: "Lent",
            relationship_type: "LENT",
            properties,
            rules: &[],
            identified: false,
        };
        let mut text = String::new();
        set.write(&mut text, &schema, "$p");
        text
    }

    #[test]
    fn times_are_set_once_and_each_time() {
        let all = &[PLAIN, CREATED, UPDATED];
        assert_eq!(
            text(Set::Always, all),
            " ON CREATE SET r.madeAt = $now SET r += $p, r.`changed at` = $now"
        );
        assert_eq!(
            text(Set::OnCreate, all),
            " ON CREATE SET r.madeAt = $now, r += $p, r.`changed at` = $now"
        );
    }

    #[test]
    fn what_is_not_there_is_not_set() {
        assert_eq!(text(Set::Always, &[]), "");
        assert_eq!(text(Set::OnCreate, &[PLAIN]), " ON CREATE SET r += $p");
        assert_eq!(text(Set::Always, &[PLAIN]), " SET r += $p");
        assert_eq!(
            text(Set::Always, &[CREATED]),
            " ON CREATE SET r.madeAt = $now"
        );
        assert_eq!(text(Set::Always, &[UPDATED]), " SET r.`changed at` = $now");
        assert_eq!(
            text(Set::OnCreate, &[UPDATED]),
            " ON CREATE SET r.`changed at` = $now"
        );
    }
}
