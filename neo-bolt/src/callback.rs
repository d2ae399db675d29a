//! Functions of the caller's that the driver calls.

use std::future::Future;
use std::pin::Pin;

use crate::error::{Error, ErrorKind};

/// A future on the heap, as the functions of traits return that a caller may implement.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Whatever went wrong in a function of the caller's.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What `what` ended in, as an error of the driver's.
pub(crate) fn failed(what: &str, error: BoxError) -> Error {
    Error::new(ErrorKind::Callback, format!("{what} failed: {error}")).with_source(error)
}
