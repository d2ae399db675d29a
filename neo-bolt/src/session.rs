//! Sessions: transactions one after another, each seeing what the ones before it did.

use std::future::Future;
use std::sync::Arc;

use tokio::time::Instant;
use tracing::Instrument;

use crate::bookmark::Bookmarks;
use crate::config::{AccessMode, FetchSize, SessionConfig, TransactionConfig};
use crate::driver::Shared;
use crate::error::Error;
use crate::packstream::ToBolt;
use crate::protocol::{Api, Begin};
use crate::receipt::Delivery;
use crate::result::RecordStream;
use crate::retry::{Backoff, chance};
use crate::transaction::{Link, LinkConfig, ManagedTransaction, Memory, Transaction};

/// A chain of transactions: each sees what the ones before it did. Light: it takes a connection
/// only while something runs.
#[derive(Debug)]
pub struct Session {
    driver: Arc<Shared>,
    config: SessionConfig,
    memory: Arc<Memory>,
    /// The last auto-commit transaction, which may not be over.
    previous: Option<Arc<Link>>,
}

impl Session {
    pub(crate) fn new(driver: Arc<Shared>, config: SessionConfig) -> Self {
        let (bookmarks, manager) = (config.bookmarks.clone(), config.bookmark_manager.clone());
        let memory = Arc::new(Memory::new(bookmarks, manager));
        Self {
            driver,
            config,
            memory,
            previous: None,
        }
    }

    async fn link(
        &self,
        mode: AccessMode,
        config: &TransactionConfig,
        api: Api,
        run: Attempt,
    ) -> Result<Arc<Link>, Error> {
        let bookmarks = self.memory.bookmarks().await?;
        let database = self.config.database.clone();
        Ok(Link::new(LinkConfig {
            provider: Arc::clone(&self.driver.provider),
            memory: Arc::clone(&self.memory),
            begin: Begin {
                bookmarks,
                timeout: config.timeout,
                metadata: config.metadata.clone(),
                read: mode == AccessMode::Read,
                database: database.or_else(|| self.memory.home()),
                impersonated_user: self.config.impersonated_user.clone(),
                notifications: self.config.notifications.clone(),
            },
            fetch_size: self
                .config
                .fetch_size
                .or(self.driver.config.fetch_size)
                .unwrap_or(FetchSize::DEFAULT)
                .count(),
            auto_commit: api == Api::AutoCommit,
            attempt: run.number,
            idempotent: config.idempotent,
            auth: self.config.auth.clone(),
            api: (!run.api_told).then_some(api),
            delivery: run.delivery,
            retry_policy: self.driver.config.retry_policy,
        }))
    }

    /// How a transaction is delivered. That is known before it has a connection, because the check
    /// for the constraint takes one, too.
    async fn delivery(
        &self,
        mode: AccessMode,
        config: &TransactionConfig,
    ) -> Result<Delivery, Error> {
        let exactly_once = config.exactly_once.unwrap_or(self.config.exactly_once);
        if !exactly_once || mode == AccessMode::Read {
            return Ok(Delivery::Plain);
        }
        let begin = Begin {
            database: self.config.database.clone(),
            impersonated_user: self.config.impersonated_user.clone(),
            ..Begin::default()
        };
        self.driver
            .delivery(&begin, self.config.auth.as_ref())
            .await
    }

    /// Runs one statement in a transaction that commits by itself when its result is read. It is
    /// never retried.
    ///
    /// # Errors
    /// The server refused the statement, or could not be reached.
    ///
    /// # Cancel safety
    /// Dropping the future leaves open whether the statement took effect.
    pub async fn run<P: ToBolt + Send + Sync>(
        &mut self,
        statement: impl Into<Arc<str>>,
        parameters: P,
    ) -> Result<RecordStream, Error> {
        self.run_with(statement, parameters, TransactionConfig::default())
            .await
    }

    /// As [`run`](Self::run), with a timeout or metadata.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn run_with<P: ToBolt + Send + Sync>(
        &mut self,
        statement: impl Into<Arc<str>>,
        parameters: P,
        config: TransactionConfig,
    ) -> Result<RecordStream, Error> {
        self.finish_previous().await?;
        let mode = self.config.access_mode;
        let run = Attempt::default();
        let link = self.link(mode, &config, Api::AutoCommit, run).await?;
        let (stream, keys) = link.run(&statement.into(), &parameters).await?;
        self.previous = Some(Arc::clone(&link));
        Ok(RecordStream::new(link, stream, keys))
    }

    /// Begins a transaction that the caller commits or rolls back.
    ///
    /// # Errors
    /// No server can be reached, or it refused. With
    /// [`pipelined_begin`](SessionConfig::pipelined_begin) that shows at the first statement.
    ///
    /// # Cancel safety
    /// Dropping the future begins nothing.
    pub async fn begin_transaction(&mut self) -> Result<Transaction<'_>, Error> {
        self.begin_transaction_with(TransactionConfig::default())
            .await
    }

    /// As [`begin_transaction`](Self::begin_transaction), with a timeout or metadata.
    ///
    /// # Errors
    /// As [`begin_transaction`](Self::begin_transaction).
    pub async fn begin_transaction_with(
        &mut self,
        config: TransactionConfig,
    ) -> Result<Transaction<'_>, Error> {
        self.begin_with(&config).await
    }

    async fn begin_with<'s>(
        &mut self,
        config: &TransactionConfig,
    ) -> Result<Transaction<'s>, Error> {
        self.finish_previous().await?;
        let (mode, api) = (self.config.access_mode, Api::ExplicitTransaction);
        let run = Attempt {
            delivery: self.delivery(mode, config).await?,
            ..Attempt::default()
        };
        let link = self.link(mode, config, api, run).await?;
        // Rolls back where this future is dropped.
        let transaction = Transaction::new(Arc::clone(&link));
        if !self.config.pipelined_begin {
            link.begin_now().await?;
        }
        Ok(transaction)
    }

    /// As [`begin_transaction_with`](Self::begin_transaction_with), for a transaction that is kept
    /// longer than its session would be borrowed. The session's bookmarks end with it; those of its
    /// bookmark manager go on.
    ///
    /// # Errors
    /// As [`begin_transaction`](Self::begin_transaction).
    pub async fn into_transaction(
        mut self,
        config: TransactionConfig,
    ) -> Result<Transaction<'static>, Error> {
        self.begin_with(&config).await
    }

    /// Runs `work` as one transaction that reads, and again where another attempt may mend what
    /// failed.
    ///
    /// ```no_run
    /// # async fn example(mut session: neo_bolt::Session) -> Result<(), neo_bolt::Error> {
    /// let born = 1828;
    /// let names = session
    ///     .execute_read(async |tx| {
    ///         let parameters = neo_bolt::params! { "born" => born };
    ///         let found = tx
    ///             .execute("MATCH (p:Person {born: $born}) RETURN p.name", parameters)
    ///             .await?;
    ///         found.records.iter().map(|record| record.get_at::<String>(0)).collect()
    ///     })
    ///     .await;
    /// # let _: Result<Vec<String>, neo_bolt::Error> = names;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What `work` returned, or what the server said when it would not be tried again.
    ///
    /// # Cancel safety
    /// Dropping the future rolls back.
    pub async fn execute_read<T, E, F, Fut>(&mut self, work: F) -> Result<T, E>
    where
        F: FnMut(ManagedTransaction) -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
        E: From<Error>,
    {
        self.execute_read_with(TransactionConfig::default(), work)
            .await
    }

    /// As [`execute_read`](Self::execute_read), with a timeout or metadata.
    ///
    /// # Errors
    /// As [`execute_read`](Self::execute_read).
    pub async fn execute_read_with<T, E, F, Fut>(
        &mut self,
        config: TransactionConfig,
        work: F,
    ) -> Result<T, E>
    where
        F: FnMut(ManagedTransaction) -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
        E: From<Error>,
    {
        let api = Api::ManagedTransaction;
        self.managed(AccessMode::Read, config, api, work).await
    }

    /// Runs `work` as one transaction that writes, and again where another attempt may mend what
    /// failed; so it should change nothing outside of the database.
    ///
    /// # Errors
    /// As [`execute_read`](Self::execute_read).
    ///
    /// # Cancel safety
    /// Dropping the future rolls back, unless COMMIT had been sent; then it may have happened.
    pub async fn execute_write<T, E, F, Fut>(&mut self, work: F) -> Result<T, E>
    where
        F: FnMut(ManagedTransaction) -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
        E: From<Error>,
    {
        self.execute_write_with(TransactionConfig::default(), work)
            .await
    }

    /// As [`execute_write`](Self::execute_write), with a timeout or metadata.
    ///
    /// # Errors
    /// As [`execute_write`](Self::execute_write).
    pub async fn execute_write_with<T, E, F, Fut>(
        &mut self,
        config: TransactionConfig,
        work: F,
    ) -> Result<T, E>
    where
        F: FnMut(ManagedTransaction) -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
        E: From<Error>,
    {
        let api = Api::ManagedTransaction;
        self.managed(AccessMode::Write, config, api, work).await
    }

    /// `api` is what the server is told that is used.
    pub(crate) async fn managed<T, E, F, Fut>(
        &mut self,
        mode: AccessMode,
        config: TransactionConfig,
        api: Api,
        work: F,
    ) -> Result<T, E>
    where
        F: FnMut(ManagedTransaction) -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
        E: From<Error>,
    {
        let span = tracing::debug_span!(
            "transaction",
            database = self.config.database.as_deref(),
            read = mode == AccessMode::Read,
        );
        let attempts = self.attempts(mode, config, api, work);
        attempts.instrument(span).await
    }

    async fn attempts<T, E, F, Fut>(
        &mut self,
        mode: AccessMode,
        config: TransactionConfig,
        api: Api,
        mut work: F,
    ) -> Result<T, E>
    where
        F: FnMut(ManagedTransaction) -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
        E: From<Error>,
    {
        self.finish_previous().await?;
        let mut backoff = Backoff::new(self.driver.config.retry_policy);
        let started = Instant::now();
        let delivery = self.delivery(mode, &config).await?;
        let (mut api_told, mut lost_commit) = (false, false);
        loop {
            let run = Attempt {
                number: backoff.attempt(),
                api_told,
                delivery: delivery.clone(),
            };
            let link = self.link(mode, &config, api, run).await?;
            link.comes_after(lost_commit);
            // Dropped with this future: then it is over, whoever has kept a handle.
            let _over = GiveUp(Arc::clone(&link));
            let begun = if self.config.pipelined_begin {
                Ok(())
            } else {
                link.begin_now().await
            };
            let worked = match begun {
                Err(error) => Err(E::from(error)),
                Ok(()) => {
                    // Boxed, because only then does the compiler see that the whole is `Send`
                    // where `work` borrows from its surroundings.
                    let link = Arc::clone(&link);
                    Box::pin(work(ManagedTransaction { link })).await
                }
            };
            let error = match worked {
                Ok(value) => match link.commit().await {
                    Ok(()) => return Ok(value),
                    Err(error) => E::from(error),
                },
                Err(error) => {
                    // The work's own failure is the one to tell.
                    let _ = link.rollback().await;
                    error
                }
            };
            api_told |= link.api_was_told();
            lost_commit |= link.has_lost_commit();
            if !link.is_retryable() {
                return Err(error);
            }
            let Some(delay) = backoff.next(started.elapsed(), chance()) else {
                return Err(error);
            };
            tracing::debug!(
                attempt = backoff.attempt(),
                ?delay,
                "a transaction is tried again"
            );
            tokio::time::sleep(delay).await;
        }
    }

    /// Lets the last auto-commit transaction come to its end, so that what comes next sees it.
    ///
    /// # Cancel safety
    /// It may be called again.
    async fn finish_previous(&mut self) -> Result<(), Error> {
        self.end_previous(true).await
    }

    /// `keep` says whether what its reader has not taken yet is kept for him.
    async fn end_previous(&mut self, keep: bool) -> Result<(), Error> {
        if let Some(previous) = &self.previous {
            let finished = previous.finish(keep).await;
            self.previous = None;
            finished?;
        }
        Ok(())
    }

    /// Ends the session. An auto-commit transaction whose result nobody has read to its end comes
    /// to its end first, and takes effect; the rest of its result is not sent.
    ///
    /// # Errors
    /// That transaction failed, and nobody has been told.
    pub async fn close(mut self) -> Result<(), Error> {
        self.end_previous(false).await
    }

    /// What a transaction must have seen to see what this session did.
    pub fn last_bookmarks(&self) -> Bookmarks {
        self.memory.last_bookmarks()
    }
}

/// One attempt at a transaction.
struct Attempt {
    /// Counted from 1.
    number: u32,
    /// Whether the server knows which part of the driver is used.
    api_told: bool,
    delivery: Delivery,
}

impl Default for Attempt {
    fn default() -> Self {
        Self {
            number: 1,
            api_told: false,
            delivery: Delivery::Plain,
        }
    }
}

/// Gives a transaction up when it is dropped; nothing happens to one that is over.
struct GiveUp(Arc<Link>);

impl Drop for GiveUp {
    fn drop(&mut self) {
        self.0.give_up();
    }
}
