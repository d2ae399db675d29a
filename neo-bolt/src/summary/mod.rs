//! What a server says of a statement when it is done.

mod counters;
mod notification;
mod plan;
mod status;

pub use counters::SummaryCounters;
pub use notification::{
    InputPosition, Notification, NotificationClassification, NotificationSeverity,
};
pub use plan::{Plan, ProfiledPlan};
pub use status::GqlStatusObject;

use std::sync::Arc;
use std::time::Duration;

use crate::connection::Address;
use crate::error::{Error, ErrorKind};
use crate::packstream::FromBolt;
use crate::protocol::{Completed, Metadata, Version};
use crate::value::Value;

/// The server that ran a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerInfo {
    pub(crate) address: Address,
    pub(crate) agent: Arc<str>,
    pub(crate) protocol_version: Version,
}

impl ServerInfo {
    /// Where it listens.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// What it calls itself, such as `Neo4j/5.26.0`.
    pub fn agent(&self) -> &str {
        &self.agent
    }

    /// The version of Bolt that was spoken with it.
    pub fn protocol_version(&self) -> Version {
        self.protocol_version
    }
}

/// What a statement did. Read on demand: what is not asked for costs nothing.
#[derive(Debug, Clone)]
pub struct ResultSummary {
    run: Option<Metadata>,
    pull: Option<Metadata>,
    server: ServerInfo,
    query: Arc<str>,
    /// The result has columns, whether it has records or not.
    has_columns: bool,
    had_records: bool,
}

impl ResultSummary {
    /// # Errors
    /// The server named a kind of statement that there is not.
    pub(crate) fn new(completed: Completed, server: ServerInfo) -> Result<Self, Error> {
        let kind: Option<&str> = completed.pull.as_ref().and_then(|pull| pull.get("type"));
        if let Some(kind) = kind.filter(|kind| QueryType::parse(kind).is_none()) {
            return Err(Error::new(
                ErrorKind::Protocol,
                format!("the server says that the statement was of the type {kind:?}"),
            ));
        }
        Ok(Self {
            run: completed.run,
            pull: completed.pull,
            server,
            query: completed.query,
            has_columns: completed.has_columns,
            had_records: completed.had_records,
        })
    }

    fn end<'a, T: FromBolt<'a>>(&'a self, key: &str) -> Option<T> {
        self.pull.as_ref()?.get(key)
    }

    /// How much was changed.
    pub fn counters(&self) -> SummaryCounters {
        SummaryCounters {
            stats: self.end("stats").unwrap_or_default(),
        }
    }

    /// What kind of statement it was.
    pub fn query_type(&self) -> Option<QueryType> {
        QueryType::parse(self.end("type")?)
    }

    /// The database where it ran.
    pub fn database(&self) -> Option<&str> {
        self.end("db")
    }

    /// How long it took until the first record was there.
    pub fn result_available_after(&self) -> Option<Duration> {
        let millis: i64 = self.run.as_ref()?.get("t_first")?;
        u64::try_from(millis).ok().map(Duration::from_millis)
    }

    /// How long it took until the last record was sent.
    pub fn result_consumed_after(&self) -> Option<Duration> {
        u64::try_from(self.end::<i64>("t_last")?)
            .ok()
            .map(Duration::from_millis)
    }

    /// The plan, after `EXPLAIN` or `PROFILE`.
    pub fn plan(&self) -> Option<Plan> {
        Plan::from_value(self.end("plan").or_else(|| self.end("profile"))?)
    }

    /// The plan with what each of its steps did, after `PROFILE`.
    pub fn profile(&self) -> Option<ProfiledPlan> {
        ProfiledPlan::from_value(self.end("profile")?)
    }

    /// Whether the server sent a list of notifications, though it may be empty.
    pub fn has_notifications(&self) -> bool {
        self.end::<Vec<Value>>("notifications").is_some()
            || self.end::<Vec<Value>>("statuses").is_some()
    }

    /// What the server wants the author of the statement to know. From Bolt 5.5 on it is read
    /// from the [status objects](Self::gql_status_objects).
    pub fn notifications(&self) -> Vec<Notification> {
        if let Some(list) = self.end::<Vec<Value>>("notifications") {
            return list
                .into_iter()
                .filter_map(Notification::from_value)
                .collect();
        }
        let statuses: Vec<Value> = self.end("statuses").unwrap_or_default();
        statuses
            .into_iter()
            .filter_map(Notification::from_status)
            .collect()
    }

    /// How the statement went, and what is to be known about it, in the terms of the GQL
    /// standard; at least one, the most important first. Servers before Bolt 5.5 send
    /// notifications only, which are put in this form, and the rest is told from the result.
    pub fn gql_status_objects(&self) -> Vec<GqlStatusObject> {
        if let Some(statuses) = self.end::<Vec<Value>>("statuses") {
            return statuses
                .into_iter()
                .map(GqlStatusObject::from_status)
                .collect();
        }
        let notifications: Vec<Value> = self.end("notifications").unwrap_or_default();
        let outcome = if self.had_records {
            GqlStatusObject::success()
        } else if self.has_columns {
            GqlStatusObject::no_data()
        } else {
            GqlStatusObject::omitted_result()
        };
        let mut statuses: Vec<_> = notifications
            .into_iter()
            .map(GqlStatusObject::from_notification)
            .chain([outcome])
            .collect();
        statuses.sort_by_key(GqlStatusObject::rank);
        statuses
    }

    /// The statement.
    pub fn query(&self) -> &Arc<str> {
        &self.query
    }

    /// The server that ran it.
    pub fn server(&self) -> &ServerInfo {
        &self.server
    }
}

/// What kind of statement it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QueryType {
    /// It read.
    Read,
    /// It wrote.
    Write,
    /// It read and wrote.
    ReadWrite,
    /// It changed the schema.
    Schema,
}

impl QueryType {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "r" => Some(Self::Read),
            "w" => Some(Self::Write),
            "rw" => Some(Self::ReadWrite),
            "s" => Some(Self::Schema),
            _ => None,
        }
    }
}
