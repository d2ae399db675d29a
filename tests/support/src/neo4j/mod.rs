//! Real Neo4j servers, started from their Maven artifacts.
//!
//! [`shared`] gives the one server per line and process that most tests use; [`Server::start`]
//! gives a test its own, to kill and restart. Everything here blocks the calling thread; async
//! tests that must go on meanwhile use `spawn_blocking`.

mod artifacts;
mod config;
mod jdk;
mod process;
mod server;

use std::sync::OnceLock;

pub use server::{Server, StartOptions};

use crate::backends::Selection;
use crate::unavailable::{Unavailable, report};

/// A line of Neo4j releases that the tests run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Line {
    /// The long-term line 5.26, newest protocol Bolt 5.8.
    V5_26,
    /// The calendar line of August 2026, newest protocol Bolt 6.1.
    V2026_08,
}

impl Line {
    /// Every line, oldest first.
    pub const ALL: [Line; 2] = [Line::V5_26, Line::V2026_08];

    /// The short name, which `NEO_TEST_BACKENDS` uses: `5.26` or `2026.08`.
    pub fn name(self) -> &'static str {
        match self {
            Line::V5_26 => "5.26",
            Line::V2026_08 => "2026.08",
        }
    }

    /// The full version of the artifact that is started.
    pub fn version(self) -> &'static str {
        match self {
            Line::V5_26 => "5.26.30",
            Line::V2026_08 => "2026.08.1",
        }
    }

    fn main_class(self) -> &'static str {
        match self {
            Line::V5_26 => "org.neo4j.server.CommunityEntryPoint",
            Line::V2026_08 => "org.neo4j.server.Neo4jCommunity",
        }
    }

    /// Which Java feature releases run this line, and how to say so.
    fn java(self) -> (fn(u32) -> bool, &'static str) {
        match self {
            Line::V5_26 => (
                |version| version == 17 || version == 21,
                "no JDK 17 or 21 found",
            ),
            Line::V2026_08 => (|version| version >= 21, "no JDK 21 or newer found"),
        }
    }

    fn shared_slot(self) -> &'static OnceLock<Result<Server, Unavailable>> {
        static SLOTS: [OnceLock<Result<Server, Unavailable>>; 2] = [const { OnceLock::new() }; 2];
        match self {
            Line::V5_26 => &SLOTS[0],
            Line::V2026_08 => &SLOTS[1],
        }
    }
}

/// The server of a line that this process shares, started on first use.
///
/// With `NEO4J_URI` set it is that server, whatever the line. It dies with the process.
/// Blocks: about 6 s when it has to start one, longer when artifacts have to be fetched.
///
/// # Errors
/// [`Unavailable`] says what is missing; [`Unavailable::skip_or_fail`] does the right thing then.
pub fn shared(line: Line) -> Result<&'static Server, Unavailable> {
    static EXTERNAL: OnceLock<Option<Server>> = OnceLock::new();
    let selection = Selection::from_environment()?;
    if !selection.line(line) && Server::from_environment().is_none() {
        return Err(Unavailable::missing("left out by NEO_TEST_BACKENDS"));
    }
    if let Some(server) = EXTERNAL.get_or_init(Server::from_environment) {
        return if selection.external() {
            Ok(server)
        } else {
            Err(Unavailable::missing("left out by NEO_TEST_BACKENDS"))
        };
    }
    let slot = line.shared_slot().get_or_init(|| {
        let started = Server::start(line, StartOptions::default());
        match &started {
            Ok(server) => report(&format!(
                "runs: Neo4j {} at {}",
                line.version(),
                server.uri()
            )),
            Err(error) => report(&format!("does not run: Neo4j {}: {error}", line.version())),
        }
        started
    });
    slot.as_ref().map_err(Clone::clone)
}

/// [`shared`], or `None` after printing why `test` is skipped.
///
/// # Panics
/// When the line is broken, or demanded by `NEO_TEST_BACKENDS` and missing.
pub fn shared_or_skip(line: Line, test: &str) -> Option<&'static Server> {
    shared(line)
        .inspect_err(|why| why.skip_or_fail(&format!("{test} on Neo4j {}", line.name())))
        .ok()
}
