//! The driver against peers in memory that do what a test says.

mod cancel;
mod faults;
mod peer;
mod pool;
mod results;
mod retries;
mod routing;
