//! What most programs need: `use neo_ogm::prelude::*;`.

pub use bytes::Bytes;
pub use neo_bolt::AuthToken as Auth;
pub use neo_bolt::value::{Date, DateTime, Duration, LocalDateTime, LocalTime, Point, Time};
#[doc(hidden)]
pub use neo_ogm_derive::Relationship;
pub use neo_ogm_derive::{Node, Nodes, Projection, Properties, Property, relationship};
pub use uuid::Uuid;

pub use crate::executor::{Graph, Transaction};
pub use crate::mapping::{
    ElementId, HookContext, Hooks, Node, Properties, Property, RelationshipHooks, Timestamp,
    Version,
};
pub use crate::operation::{Cursor, NodeExt};
pub use crate::query::{Filter, count, named, random, this};
pub use crate::relation::{Many, One, OneOrMore, Related, ZeroOrOne};
