//! Relationship fields: [`One`], [`ZeroOrOne`], [`OneOrMore`] and [`Many`].
//!
//! A field knows which node it belongs to once that node was saved or found; from then on
//! `book.author.connect(&author)` needs nothing else. Its contents are there when the query that
//! found the node loaded them.

mod ask;
mod change;
mod connect;
mod disconnect;
mod ends;
mod fetch;
mod field;
mod find;
pub(crate) mod groups;
mod kinds;
mod loaded;
mod origin;
pub(crate) mod pairs;
mod reconnect;
mod said;
mod several;
pub(crate) mod stamps;
mod stream;
mod update;
pub(crate) mod values;
pub(crate) mod visit;

pub use ask::{CountRelated, IsConnected};
pub use change::UpdateRelationship;
pub use connect::Connect;
pub use disconnect::Disconnect;
pub use fetch::Fetch;
pub use field::{Many, One, OneOrMore, Related, RelationField, ZeroOrOne};
pub use find::{FindRelated, FoundRelated};
pub use origin::Origin;
pub use pairs::{CarriedEnd, RelationEnd, RelationPair};
pub use reconnect::Reconnect;
pub use said::{PropertiesGiven, PropertiesMissing, Set};
pub use several::ConnectSeveral;
pub use stream::RelatedStream;
pub use update::UpdateFoundRelationships;
pub use visit::Visitor;

pub(crate) use ends::{key_parameters, keyed, keyed_by, lock, write_now};
pub(crate) use origin::NamedOrigin;
pub(crate) use pairs::{replaced_by, unwanted};
