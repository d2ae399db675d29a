//! Transactions: explicit ones, and those that a session runs and retries.

mod finish;
mod link;
mod memory;

pub(crate) use link::{Link, LinkConfig};
pub(crate) use memory::Memory;

use std::marker::PhantomData;
use std::sync::Arc;

use crate::error::Error;
use crate::packstream::ToBolt;
use crate::result::{EagerResult, RecordStream};

macro_rules! statements {
    () => {
        /// Runs a statement and streams its result, `fetch_size` records at a time.
        ///
        /// Several results of one transaction may be open at once.
        ///
        /// # Errors
        /// The server refused the statement, the connection was lost, or the transaction is over.
        ///
        /// # Cancel safety
        /// Dropping the future leaves the transaction usable; the statement may have run.
        pub async fn run<P: ToBolt + Send + Sync>(
            &self,
            statement: impl Into<Arc<str>>,
            parameters: P,
        ) -> Result<RecordStream, Error> {
            let (stream, keys) = self.link.run(&statement.into(), &parameters).await?;
            Ok(RecordStream::new(Arc::clone(&self.link), stream, keys))
        }

        /// Runs a statement and takes its whole result: one round trip.
        ///
        /// # Errors
        /// As [`run`](Self::run).
        ///
        /// # Cancel safety
        /// As [`run`](Self::run).
        pub async fn execute<P: ToBolt + Send + Sync>(
            &self,
            statement: impl Into<Arc<str>>,
            parameters: P,
        ) -> Result<EagerResult, Error> {
            self.link.execute(&statement.into(), &parameters).await
        }
    };
}

/// A transaction that a session runs, commits and retries: a handle, cheap to clone.
#[derive(Debug, Clone)]
pub struct ManagedTransaction {
    pub(crate) link: Arc<Link>,
}

impl ManagedTransaction {
    statements!();

    /// Which attempt of the work this is, from 1.
    pub fn attempt(&self) -> u32 {
        self.link.attempt()
    }

    /// Whether an earlier attempt has lost the answer to its COMMIT, and so may have taken effect;
    /// never where the transaction only reads. An error that the work makes by itself can't say
    /// then that nothing was written.
    pub fn follows_lost_commit(&self) -> bool {
        self.link.follows_lost_commit()
    }
}

/// A transaction that the caller commits or rolls back. Dropping it rolls back.
///
/// It borrows its session, which can do nothing else meanwhile.
#[derive(Debug)]
pub struct Transaction<'s> {
    link: Arc<Link>,
    session: PhantomData<&'s mut ()>,
}

impl Transaction<'_> {
    statements!();

    pub(crate) fn new(link: Arc<Link>) -> Self {
        Self {
            link,
            session: PhantomData,
        }
    }

    /// A handle that runs statements in this transaction, to be given to others. It does not keep
    /// the transaction open: afterwards its statements are errors.
    pub fn handle(&self) -> ManagedTransaction {
        ManagedTransaction {
            link: Arc::clone(&self.link),
        }
    }

    /// Makes what was done permanent.
    ///
    /// # Errors
    /// The server refused, or the connection was lost; see
    /// [`Error::commit_outcome`](crate::Error::commit_outcome).
    ///
    /// # Cancel safety
    /// Dropping the future leaves open whether the commit took effect.
    pub async fn commit(self) -> Result<(), Error> {
        self.link.commit().await
    }

    /// Undoes what was done, and waits until the server has.
    ///
    /// # Errors
    /// The connection was lost; the server rolls back then too.
    pub async fn rollback(self) -> Result<(), Error> {
        self.link.rollback().await
    }

    /// Ends the transaction if it is not over: rolls it back, and waits until the server has.
    /// What would be waited for is left behind when the transaction is dropped instead.
    ///
    /// # Errors
    /// The connection was lost; the server rolls back then too.
    pub async fn close(&mut self) -> Result<(), Error> {
        self.link.rollback().await
    }

    /// Whether the transaction is over.
    pub async fn closed(&self) -> bool {
        self.link.is_closed().await
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        self.link.give_up();
    }
}
