//! A graph database inside the process, behind the same Bolt wire as a server.
//!
//! It is for a first run, for tests and for small local tools; production is Neo4j. What it
//! can't do is refused by name; `docs/embedded.md` lists that, and the few differences that are left.
//!
//! Top to bottom; each uses only what stands below it:
//!
//! | layer | modules |
//! |---|---|
//! | the way in | `graph`, [`EmbeddedServer`], `serve` |
//! | Bolt's view | `session` |
//! | one statement | `execute`, `batch`, `counters`, `schema` |
//! | its text | `statement`, `facts`, `cypher`, `names` |
//! | handles and turns | `pool` |
//! | the engine | `engine` (the trait), `graphdblite`, `values`, `temporal`, `failure` |
//! | the file | `storage` |

mod batch;
mod counters;
mod cypher;
mod engine;
mod execute;
mod facts;
mod failure;
mod graph;
mod graphdblite;
mod names;
mod pool;
mod schema;
mod serve;
mod server;
mod session;
mod statement;
mod storage;
mod temporal;
mod values;

pub use serve::Serving;
pub use server::{EmbeddedError, EmbeddedServer};
