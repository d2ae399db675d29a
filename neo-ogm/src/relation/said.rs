//! Whether a caller has said what a relationship carries: kept in the type, so that nobody
//! forgets what must be given.

use crate::mapping::{DefaultProperties, Relationship};

/// Nothing has been said; where the relationship has properties that must be given, `.properties(…)`
/// comes before `.await`.
#[derive(Debug, Clone, Copy)]
pub enum PropertiesMissing {}

/// The properties were given.
#[derive(Debug, Clone, Copy)]
pub enum PropertiesGiven {}

/// What a connect may be awaited with: properties that were given, or that need not be.
pub trait Said<R: Relationship> {
    #[doc(hidden)]
    const SET: Set;

    #[doc(hidden)]
    fn resolve(given: Option<R>) -> Option<R>;
}

impl<R: DefaultProperties> Said<R> for PropertiesMissing {
    const SET: Set = Set::OnCreate;

    fn resolve(_: Option<R>) -> Option<R> {
        Some(R::default_properties())
    }
}

impl<R: Relationship> Said<R> for PropertiesGiven {
    const SET: Set = Set::Always;

    fn resolve(given: Option<R>) -> Option<R> {
        given
    }
}

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
