//! Whether a caller has said what a relationship carries: kept in the type, so that nobody
//! forgets what must be given.

use crate::mapping::Relationship;

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
    /// Writes the clause that sets what `R` carries besides its keys.
    pub(super) fn write<R: Relationship>(self, text: &mut String) {
        if R::SCHEMA.properties.iter().all(|property| property.key) {
            return;
        }
        text.push_str(match self {
            Self::OnCreate => " ON CREATE SET r += $p",
            Self::Always => " SET r += $p",
        });
    }
}
