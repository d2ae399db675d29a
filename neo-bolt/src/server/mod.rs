//! The server end of Bolt, over any byte stream: for in-process servers and scripted peers.
//!
//! [`serve_stream`] speaks the protocol on one connection and asks a [`Backend`] for everything
//! that has to do with data. Top to bottom:
//!
//! | layer | modules |
//! |---|---|
//! | who answers | `backend` (the traits), `failure` |
//! | one connection | `connection` (loop and states), `results` (those that are open), `inbox` (what has arrived) |
//! | messages | `request`, `response` |
//! | bytes | `handshake`; chunks as the client has them |

mod backend;
mod connection;
mod failure;
mod handshake;
mod inbox;
mod request;
mod response;
mod results;

#[cfg(test)]
mod tests;

pub use backend::{Backend, Query, Results, Session, Summary, TransactionOptions};
pub use connection::{ServeError, ServerConfig, serve_stream};
pub use failure::Failure;
