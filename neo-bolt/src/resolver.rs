//! Where a cluster is first looked for.

use crate::callback::{BoxError, BoxFuture};
use crate::connection::Address;

/// Says which addresses the address of a URI stands for: several members of a cluster behind one
/// name, say. It is asked whenever the driver looks for a router at its first address, or, with a
/// `bolt` URI, for the server.
///
/// A function `Fn(Address) -> impl Future<Output = Result<Vec<Address>, BoxError>>` is one, too.
pub trait Resolver: Send + Sync + 'static {
    /// The addresses to try, in this order.
    ///
    /// # Errors
    /// They could not be found out; whoever wanted a connection is told.
    fn resolve<'a>(&'a self, address: &'a Address)
    -> BoxFuture<'a, Result<Vec<Address>, BoxError>>;
}

impl<F, Fut> Resolver for F
where
    F: Fn(Address) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Vec<Address>, BoxError>> + Send + 'static,
{
    fn resolve<'a>(
        &'a self,
        address: &'a Address,
    ) -> BoxFuture<'a, Result<Vec<Address>, BoxError>> {
        Box::pin(self(address.clone()))
    }
}
