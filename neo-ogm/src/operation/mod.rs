//! What is done with nodes: saving, finding, deleting; raw Cypher; the schema.

mod cypher;
mod delete;
mod find;
mod key;
mod node;
mod refresh;
mod save;
mod schema;
mod stream;

pub use cypher::{CypherQuery, FromRow};
pub use delete::Delete;
pub use find::{Find, Found};
pub use node::NodeExt;
pub use refresh::Refresh;
pub use save::{Insert, Save, Update};
pub use schema::{ApplySchema, SchemaSet};
pub use stream::NodeStream;
