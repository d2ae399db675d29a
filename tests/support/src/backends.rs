//! Which databases the behaviour tests run on.

use std::env;
use std::sync::OnceLock;

use crate::neo4j::{self, Line, Server};
use crate::unavailable::{Unavailable, report};

/// A database that the behaviour tests run on.
#[derive(Debug, Clone, Copy)]
pub enum Backend {
    /// The embedded engine; the test makes it itself, this crate knows only that it is wanted.
    Embedded,
    /// A real server.
    Neo4j(&'static Server),
}

impl Backend {
    /// The name that `NEO_TEST_BACKENDS` uses: `embedded`, `5.26`, `2026.08` or `neo4j`.
    pub fn name(&self) -> &'static str {
        match self {
            Backend::Embedded => "embedded",
            Backend::Neo4j(server) => server.name(),
        }
    }
}

/// The backends of this run, the same in the whole process: the embedded engine, and either the
/// server that `NEO4J_URI` names or each line of Neo4j that can be started here. The first call
/// starts them, both lines at once, and prints one line on stderr that says which there are.
///
/// # Panics
/// When a line is broken, or `NEO_TEST_BACKENDS` demands a backend that is missing or unknown.
pub fn backends() -> &'static [Backend] {
    static BACKENDS: OnceLock<Vec<Backend>> = OnceLock::new();
    BACKENDS.get_or_init(|| match choose() {
        Ok(backends) => backends,
        Err(error) => panic!("{error}"),
    })
}

fn choose() -> Result<Vec<Backend>, Unavailable> {
    let selection = Selection::from_environment()?;
    let mut chosen = Vec::new();
    if selection.embedded() {
        chosen.push(Backend::Embedded);
    }
    let external = Server::from_environment().is_some();
    // Any line gives the external server.
    let lines = if external {
        &Line::ALL[..1]
    } else {
        &Line::ALL[..]
    };
    let servers: Vec<_> = std::thread::scope(|scope| {
        let starts: Vec<_> = lines
            .iter()
            .map(|line| scope.spawn(|| neo4j::shared(*line)))
            .collect();
        starts
            .into_iter()
            .map(|start| {
                start
                    .join()
                    .unwrap_or_else(|_| Err(Unavailable::broken("the start panicked")))
            })
            .collect()
    });
    let mut left_out = String::new();
    for (line, server) in lines.iter().zip(servers) {
        match server {
            Ok(server) => chosen.push(Backend::Neo4j(server)),
            Err(error) if error.is_fatal() => return Err(error),
            Err(error) => left_out.push_str(&format!("; not {}: {error}", line.name())),
        }
    }
    let names: Vec<_> = chosen.iter().map(Backend::name).collect();
    report(&format!("backends: {}{left_out}", names.join(", ")));
    Ok(chosen)
}

/// What `NEO_TEST_BACKENDS` says; `None` when it is not set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selection(Option<Vec<String>>);

impl Selection {
    const NAMES: [&'static str; 4] = ["embedded", "5.26", "2026.08", "neo4j"];

    pub(crate) fn from_environment() -> Result<Self, Unavailable> {
        Selection::parse(&env::var("NEO_TEST_BACKENDS").unwrap_or_default())
    }

    fn parse(text: &str) -> Result<Self, Unavailable> {
        let names: Vec<_> = text
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .collect();
        if let Some(unknown) = names.iter().find(|name| !Selection::NAMES.contains(name)) {
            return Err(Unavailable::broken(format!(
                "NEO_TEST_BACKENDS names `{unknown}`, which is none of {}",
                Selection::NAMES.join(", ")
            )));
        }
        let names = names.into_iter().map(str::to_owned).collect::<Vec<_>>();
        if names.iter().any(|name| name == "neo4j") && env::var_os("NEO4J_URI").is_none() {
            let reason = "NEO_TEST_BACKENDS demands `neo4j`, but NEO4J_URI is not set";
            return Err(Unavailable::broken(reason));
        }
        Ok(Selection((!names.is_empty()).then_some(names)))
    }

    fn has(&self, wanted: impl Fn(&str) -> bool) -> bool {
        self.0
            .as_ref()
            .is_none_or(|names| names.iter().any(|name| wanted(name)))
    }

    /// Whether the backends that are used are also demanded.
    pub(crate) fn demanded(&self) -> bool {
        self.0.is_some()
    }

    fn embedded(&self) -> bool {
        self.has(|name| name == "embedded")
    }

    pub(crate) fn line(&self, line: Line) -> bool {
        self.has(|name| name == line.name())
    }

    /// Whether the server of `NEO4J_URI` is used: it stands in for any line.
    pub(crate) fn external(&self) -> bool {
        self.has(|name| name != "embedded")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_said_means_all() {
        let all = Selection::parse("").unwrap();
        assert!(all.embedded() && all.external() && all.line(Line::V5_26) && !all.demanded());
    }

    #[test]
    fn only_what_is_named() {
        let some = Selection::parse("embedded, 2026.08").unwrap();
        assert!(some.embedded() && some.line(Line::V2026_08) && some.demanded());
        assert!(!some.line(Line::V5_26));
        assert!(!Selection::parse("embedded").unwrap().external());
    }

    #[test]
    fn unknown_names_fail() {
        let error = Selection::parse("embedded,5.25").unwrap_err();
        assert!(
            error.is_fatal() && error.reason().contains("`5.25`"),
            "{error}"
        );
    }
}
