//! The engine as a backend of the Bolt server: one session for each connection.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use neo_bolt::server::{Backend, Failure, Query, Results, Session, Summary, TransactionOptions};
use neo_bolt::value::{Map, Value};

use super::engine::{Engine, Handle};
use super::execute::{Outcome, execute};
use super::pool::{Lease, Pool};
use super::schema;
use super::schema::catalogue::Catalogue;
use super::statement::{Prepared, prepare};

/// The version of Neo4j whose dialect is spoken, as drivers expect it.
const AGENT: &str = "Neo4j/5.26.0 (neo-ogm embedded engine)";
/// The one database.
const DATABASE: &str = "neo4j";
/// How long a transaction waits for its turn to write, unless its own timeout is shorter.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many statements are kept ready.
const MAX_PREPARED: usize = 1000;

/// What the sessions of one database share.
pub(super) struct Shared<E: Engine> {
    pub(super) pool: Arc<Pool<E>>,
    pub(super) catalogue: Catalogue,
    pub(super) database_id: Arc<str>,
    prepared: Mutex<HashMap<String, Arc<Prepared>>>,
    commits: AtomicU64,
}

impl<E: Engine> Shared<E> {
    pub(super) fn new(
        engine: E,
        catalogue: Catalogue,
        database_id: Arc<str>,
    ) -> Result<Self, Failure> {
        Ok(Self {
            pool: Arc::new(Pool::new(engine)?),
            catalogue,
            database_id,
            prepared: Mutex::default(),
            commits: AtomicU64::new(0),
        })
    }

    fn prepared(&self, text: &str) -> Result<Arc<Prepared>, Failure> {
        let known = self
            .prepared
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(text)
            .cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let prepared = Arc::new(prepare(text, &self.database_id)?);
        let mut all = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MAX_PREPARED {
            all.clear();
        }
        all.insert(text.to_owned(), Arc::clone(&prepared));
        Ok(prepared)
    }

    /// Whatever was committed is seen by all that begins later, so a bookmark is only a name.
    fn bookmark(&self) -> String {
        let number = self.commits.fetch_add(1, Ordering::Relaxed);
        format!("embedded:{}:{number}", self.database_id)
    }
}

/// Opens sessions; clones share everything.
pub(super) struct EmbeddedBackend<E: Engine>(pub(super) Arc<Shared<E>>);

impl<E: Engine> Backend for EmbeddedBackend<E> {
    type Session = EmbeddedSession<E>;

    fn agent(&self) -> String {
        AGENT.into()
    }

    /// Anyone may come in: the engine has no users, and listens nowhere unless told to.
    async fn authenticate(&self, _auth: &Map) -> Result<(), Failure> {
        Ok(())
    }

    fn session(&self) -> EmbeddedSession<E> {
        EmbeddedSession {
            shared: Arc::clone(&self.0),
            options: TransactionOptions::default(),
            deadline: None,
            lease: None,
        }
    }
}

/// One connection's work.
pub(super) struct EmbeddedSession<E: Engine> {
    shared: Arc<Shared<E>>,
    options: TransactionOptions,
    deadline: Option<Instant>,
    /// The open transaction's handle, from its first write on. Reads before it see what is
    /// committed at the time, as they do on Neo4j.
    lease: Option<Lease<E>>,
}

/// Runs blocking work on a thread made for it. When the future is dropped the work goes on to
/// its end, and what it holds is rolled back there.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(Failure::new(
            "Neo.DatabaseError.General.UnknownError",
            format_args!("the embedded engine failed: {error}"),
        )),
    }
}

impl<E: Engine> EmbeddedSession<E> {
    fn open(&mut self, options: TransactionOptions) -> Result<(), Failure> {
        if let Some(name) = &options.database
            && !name.eq_ignore_ascii_case(DATABASE)
        {
            return Err(Failure::new(
                "Neo.ClientError.Database.DatabaseNotFound",
                format_args!(
                    "there is no database `{name}`: the embedded engine has one, `{DATABASE}`"
                ),
            ));
        }
        if let Some(user) = &options.impersonated_user {
            return Err(Failure::new(
                "Neo.ClientError.Security.Forbidden",
                format_args!(
                    "`{user}` can't be impersonated: the embedded engine has no users; a Neo4j \
                     server has them"
                ),
            ));
        }
        self.deadline = options
            .timeout
            .and_then(|timeout| Instant::now().checked_add(timeout));
        self.options = options;
        Ok(())
    }

    fn in_time(&self) -> Result<(), Failure> {
        match self.deadline {
            Some(deadline) if Instant::now() > deadline => Err(Failure::new(
                "Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration",
                "the transaction took longer than its timeout and was rolled back",
            )),
            _ => Ok(()),
        }
    }

    /// A handle that writes: the open transaction's, or one that waits for its turn.
    async fn writer(&mut self) -> Result<Option<Lease<E>>, Failure> {
        if self.lease.is_some() {
            return Ok(self.lease.take());
        }
        let patience = self.deadline.map_or(PATIENCE, |deadline| {
            deadline
                .saturating_duration_since(Instant::now())
                .min(PATIENCE)
        });
        let turn = self.shared.pool.turn(patience).await?;
        let pool = Arc::clone(&self.shared.pool);
        blocking(move || {
            let mut lease = pool.lease(Some(turn))?;
            lease.handle()?.begin_write()?;
            Ok(Some(lease))
        })
        .await
    }

    async fn data(
        &mut self,
        prepared: Arc<Prepared>,
        parameters: Map,
        writes: bool,
    ) -> Result<(Outcome, Option<Lease<E>>), Failure> {
        if writes && self.options.read_only {
            return Err(Failure::new(
                "Neo.ClientError.Statement.AccessMode",
                "Writing in read access mode not allowed.",
            ));
        }
        let lease = if writes {
            self.writer().await?
        } else {
            self.lease.take()
        };
        let shared = Arc::clone(&self.shared);
        blocking(move || {
            let Prepared::Data(statement) = prepared.as_ref() else {
                return Err(Failure::invalid_request(
                    "the statement is about the schema",
                ));
            };
            let mut lease = match lease {
                Some(lease) => lease,
                None => shared.pool.lease(None)?,
            };
            let rules = if writes {
                shared.catalogue.rules()?
            } else {
                Arc::default()
            };
            let alone = !lease.writes();
            if alone && statement.batch.is_some() {
                // Several reads are to see the same state.
                lease.handle()?.begin_read()?;
            }
            let outcome = execute(lease.handle()?, statement, &parameters, &rules)?;
            Ok((outcome, lease.writes().then_some(lease)))
        })
        .await
    }

    async fn schema(&mut self, prepared: Arc<Prepared>) -> Result<Outcome, Failure> {
        let Prepared::Schema(command) = prepared.as_ref() else {
            return Ok(Outcome::default());
        };
        if !schema::run::writes(command) {
            return schema::run::show(&self.shared.catalogue, command);
        }
        if self.options.read_only {
            return Err(Failure::new(
                "Neo.ClientError.Statement.AccessMode",
                "Schema operations are not allowed in read access mode.",
            ));
        }
        if self.lease.is_some() {
            return Err(Failure::new(
                "Neo.ClientError.Transaction.ForbiddenDueToTransactionType",
                "a transaction that has written data can't change the schema; use another \
                 transaction",
            ));
        }
        let lease = self.writer().await?;
        let shared = Arc::clone(&self.shared);
        let outcome = blocking(move || {
            let Prepared::Schema(command) = prepared.as_ref() else {
                return Ok(Outcome::default());
            };
            let Some(mut lease) = lease else {
                return Ok(Outcome::default());
            };
            schema::run::apply(&shared.catalogue, lease.handle()?, command)
        })
        .await?;
        Ok(outcome)
    }
}

impl<E: Engine> Session for EmbeddedSession<E> {
    type Results = EmbeddedResults<E>;

    async fn begin(&mut self, options: TransactionOptions) -> Result<(), Failure> {
        self.open(options)
    }

    async fn run(
        &mut self,
        query: Query,
        auto_commit: Option<TransactionOptions>,
    ) -> Result<EmbeddedResults<E>, Failure> {
        let alone = auto_commit.is_some();
        if let Some(options) = auto_commit {
            self.open(options)?;
        }
        self.in_time()?;
        let prepared = self.shared.prepared(&query.text)?;
        let (outcome, lease) = match prepared.as_ref() {
            Prepared::Schema(_) => (self.schema(prepared).await?, None),
            Prepared::Data(data) => {
                let writes = data.writes.is_some();
                self.data(prepared, query.parameters, writes).await?
            }
        };
        self.in_time()?;
        let lease = if alone {
            lease
        } else {
            self.lease = lease;
            None
        };
        Ok(EmbeddedResults {
            columns: outcome.columns,
            records: outcome.records.into_iter(),
            counters: outcome.counters,
            query_type: outcome.query_type,
            alone,
            lease,
            shared: Arc::clone(&self.shared),
        })
    }

    async fn commit(&mut self) -> Result<Option<String>, Failure> {
        let lease = self.lease.take();
        self.in_time()?;
        commit(&self.shared, lease).await.map(Some)
    }

    async fn rollback(&mut self) -> Result<(), Failure> {
        self.reset().await
    }

    async fn reset(&mut self) -> Result<(), Failure> {
        self.deadline = None;
        match self.lease.take() {
            Some(lease) => {
                blocking(move || {
                    drop(lease);
                    Ok(())
                })
                .await
            }
            None => Ok(()),
        }
    }
}

async fn commit<E: Engine>(shared: &Shared<E>, lease: Option<Lease<E>>) -> Result<String, Failure> {
    if let Some(mut lease) = lease {
        blocking(move || lease.handle()?.commit()).await?;
    }
    Ok(shared.bookmark())
}

/// The records of a statement, and the transaction that ends with them.
pub(super) struct EmbeddedResults<E: Engine> {
    columns: Vec<String>,
    records: std::vec::IntoIter<Vec<Value>>,
    counters: Map,
    query_type: &'static str,
    alone: bool,
    lease: Option<Lease<E>>,
    shared: Arc<Shared<E>>,
}

impl<E: Engine> Results for EmbeddedResults<E> {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    async fn next(&mut self) -> Result<Option<Vec<Value>>, Failure> {
        Ok(self.records.next())
    }

    async fn finish(&mut self) -> Result<Summary, Failure> {
        let bookmark = if self.alone {
            Some(commit(&self.shared, self.lease.take()).await?)
        } else {
            None
        };
        Ok(Summary {
            query_type: self.query_type.into(),
            counters: std::mem::take(&mut self.counters),
            database: Some(DATABASE.into()),
            bookmark,
            extra: Map::new(),
        })
    }
}
