//! What the tests of this workspace share.
//!
//! * [`neo4j`] starts real Neo4j servers out of their Maven artifacts, one per line and process.
//! * [`proxy`] stands between a driver and a server, counts round trips and breaks connections.
//! * [`scripted`] is a Bolt server that follows a script, for peers that no real server plays.
//! * [`python`] runs scripts with the official Python driver.
//! * [`backends()`] says which databases the behaviour tests run on.
//!
//! The crate depends on neither the driver nor the mapper, so that the tests of both can use it.
//! What it needs of Bolt it speaks itself, in [`packstream`] and [`message`].
//!
//! # Environment
//! | variable | meaning |
//! |---|---|
//! | `NEO4J_URI`, `NEO4J_USER`, `NEO4J_PASSWORD` | use this server and start none |
//! | `NEO_TEST_BACKENDS` | comma list of `embedded`, `5.26`, `2026.08`, `neo4j`: only these are used, and one that is missing fails the tests |
//! | `JAVA_HOME` | the first place where Java is looked for |

pub mod backends;
mod cache;
mod client;
mod framing;
pub mod message;
pub mod neo4j;
pub mod packstream;
pub mod proxy;
pub mod python;
pub mod scripted;
mod unavailable;

pub use backends::{Backend, backends};
pub use message::{Direction, Message};
pub use packstream::Value;
pub use unavailable::Unavailable;
