//! The driver against peers in memory that do what a test says.

#![allow(clippy::unwrap_used)] // a test that meets an error is to stop there

mod cancel;
mod exactly_once;
mod faults;
mod live;
mod logins;
mod peer;
mod pool;
mod results;
mod retries;
mod routing;
mod sessions;
#[cfg(feature = "tls")]
mod tls;
mod transform;
mod versions;
