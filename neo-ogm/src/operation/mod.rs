//! What is done with nodes: saving, finding, deleting; raw Cypher.

mod cypher;
mod delete;
mod find;
mod key;
mod node;
mod refresh;
mod save;
mod stream;

pub use cypher::{CypherQuery, CypherResult, CypherStream, FromRow};
pub use delete::Delete;
pub use find::{Find, Found};
pub use node::NodeExt;
pub use refresh::Refresh;
pub use save::{Insert, Save, Update};
pub use stream::NodeStream;
