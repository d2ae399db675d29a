//! The programmes, each in a file of its own.

mod cluster;
pub(crate) mod embedded_file;
mod exactly_once;
mod faults;
mod hostile_peers;
mod hostile_users;
mod load;
mod networks;
mod races;
mod server_death;
mod unknown_commits;

use std::future::Future;
use std::pin::Pin;

use crate::context::{Context, Failure};

type Run =
    for<'a> fn(&'a mut Context) -> Pin<Box<dyn Future<Output = Result<(), Failure>> + Send + 'a>>;

/// What a programme needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// It runs on each server.
    Server,
    /// It runs once, with what it brings.
    Itself,
}

/// One of the programmes.
pub(crate) struct Programme {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) what: &'static str,
    pub(crate) scope: Scope,
    pub(crate) run: Run,
}

impl Programme {
    pub(crate) const ALL: &'static [Self] = &[
        Self {
            name: "unknown-commits",
            title: "Unknown commits",
            what: "a proxy cuts the connection before, inside and after each message of each \
                   operation, and after the server's answer; the database is compared with a model \
                   kept beside it",
            scope: Scope::Server,
            run: |context| Box::pin(unknown_commits::run(context)),
        },
        Self {
            name: "exactly-once",
            title: "Exactly once",
            what: "a proxy cuts the connection at each message of transactions that read what they \
                   write, and other clients write to the same nodes before the mapper can go on; \
                   answers and database are compared with a model kept beside it",
            scope: Scope::Server,
            run: |context| Box::pin(exactly_once::run(context)),
        },
        Self {
            name: "faults",
            title: "Faults under load",
            what: "8 writers share nodes, while messages are cut off, held back, doubled and lost",
            scope: Scope::Server,
            run: |context| Box::pin(faults::run(context)),
        },
        Self {
            name: "server-death",
            title: "Server death",
            what: "kill -9 of the server under 16 writers, and start again",
            scope: Scope::Itself,
            run: |context| Box::pin(server_death::run(context)),
        },
        Self {
            name: "races",
            title: "Races",
            what: "16 tasks want the same at the same time",
            scope: Scope::Server,
            run: |context| Box::pin(races::run(context)),
        },
        Self {
            name: "networks",
            title: "Slow and broken networks",
            what: "delays, little bandwidth, bytes one by one, half-open connections, a peer that \
                   stops reading",
            scope: Scope::Server,
            run: |context| Box::pin(networks::run(context)),
        },
        Self {
            name: "load",
            title: "Load",
            what: "1,000 tasks on a pool of 50 connections",
            scope: Scope::Server,
            run: |context| Box::pin(load::run(context)),
        },
        Self {
            name: "hostile-peers",
            title: "Hostile peers",
            what: "broken bytes for everything that reads a server's: the targets of the driver's \
                   fuzz folder, and the mapper's structs",
            scope: Scope::Itself,
            run: |context| Box::pin(hostile_peers::run(context)),
        },
        Self {
            name: "cluster",
            title: "Cluster behaviour",
            what: "scripted routers and members that change: what a user sees",
            scope: Scope::Itself,
            run: |context| Box::pin(cluster::run(context)),
        },
        Self {
            name: "hostile-users",
            title: "Hostile users",
            what: "nasty strings in every place where a string goes; secrets looked for in \
                   everything that is printed",
            scope: Scope::Server,
            run: |context| Box::pin(hostile_users::run(context)),
        },
        Self {
            name: "embedded-file",
            title: "Embedded file",
            what: "kill -9 of a process that commits to a file; files that are no graph",
            scope: Scope::Itself,
            run: |context| Box::pin(embedded_file::run(context)),
        },
    ];

    pub(crate) fn named(name: &str) -> Result<&'static Self, Failure> {
        let found = Self::ALL.iter().find(|one| one.name == name);
        Ok(found.ok_or_else(|| format!("there is no programme {name:?}"))?)
    }
}
