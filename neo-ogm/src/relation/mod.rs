//! Relationship fields: [`One`], [`ZeroOrOne`], [`OneOrMore`] and [`Many`].
//!
//! A field knows which node it belongs to once that node was saved or found; from then on
//! `book.author.connect(&author)` needs nothing else. Its contents are there when the query that
//! found the node loaded them.

mod connect;
mod disconnect;
mod ends;
mod fetch;
mod field;
mod loaded;
mod origin;
mod said;

pub use connect::Connect;
pub use disconnect::Disconnect;
pub use fetch::Fetch;
pub use field::{Many, One, OneOrMore, Related, RelationField, ZeroOrOne};
pub use said::{PropertiesGiven, PropertiesMissing, Said};

pub use origin::Origin;

pub(crate) use ends::{key_parameters, keyed};
pub(crate) use origin::NamedOrigin;
