//! An async [Bolt](https://neo4j.com/docs/bolt/current/) driver for Neo4j.
//!
//! Layers, top to bottom; each uses only what stands below it:
//!
//! | layer | modules |
//! |---|---|
//! | public API | [`driver`], [`session`], [`transaction`], [`result`], [`record`], [`summary`] |
//! | which member | `routing` |
//! | which connection | `pool` |
//! | socket and machine | [`connection`] |
//! | protocol, without I/O | [`protocol`] |
//! | bytes and values | [`packstream`] |
//! | plain data | [`value`] |

pub mod packstream;
pub mod value;
