//! What is done with nodes: saving, finding, deleting; raw Cypher.

mod bulk;
mod cypher;
mod delete;
mod find;
mod graph;
mod key;
mod node;
mod refresh;
mod write;

pub use bulk::{ConnectAll, DeleteAll, InsertAll, Progress, SaveAll, UpdateAll};
pub use cypher::{CypherQuery, CypherResult, CypherStream, FromRow};
pub use delete::Delete;
pub use find::{
    Aggregation, AllShortestPaths, Cursor, DeleteFound, Entry, Find, Found, GroupBy, Groups, Index,
    LoadInto, Locked, NodeSet, NodeStream, NumberedPage, Page, Paged, Path, Projection, Ranked,
    RowStream, Scored, SearchIndex, Select, ShortestPath, UpdateFound,
};
pub use graph::SaveGraph;
pub use node::NodeExt;
pub use refresh::Refresh;
pub use write::{CreateOrUpdate, GetOrCreate, Insert, Save, SaveChanges, Tracked, Update};
