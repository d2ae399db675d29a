//! What a programme is given, and what it leaves.

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use neo_ogm::Uuid;

use crate::places::Place;
use crate::random::Random;

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// One thing that was looked at.
#[derive(Debug, Clone)]
pub(crate) struct Check {
    pub(crate) name: String,
    pub(crate) passed: bool,
    pub(crate) detail: String,
}

/// What came out of a programme on one server.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) on: String,
    pub(crate) checks: Vec<Check>,
    pub(crate) notes: Vec<String>,
    pub(crate) took: Duration,
}

/// What a programme is given.
pub(crate) struct Context {
    programme: &'static str,
    place: Option<Place>,
    pub(crate) short: bool,
    pub(crate) seed: u64,
    prefix: String,
    checks: Vec<Check>,
    notes: Vec<String>,
}

impl Context {
    pub(crate) fn new(
        programme: &'static str,
        place: Option<Place>,
        seed: u64,
        short: bool,
    ) -> Self {
        let on = place.as_ref().map_or("", |place| place.version.as_str());
        eprintln!("== {programme} {on} (seed {seed})");
        Self {
            programme,
            place,
            short,
            seed,
            prefix: format!("{}-", Uuid::now_v7().simple()),
            checks: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The server.
    ///
    /// # Errors
    /// The programme is one that brings its own.
    pub(crate) fn place(&self) -> Result<&Place, Failure> {
        Ok(self.place.as_ref().ok_or("no server for this programme")?)
    }

    /// The first of two in a full run, the second in a short one.
    pub(crate) fn size<T>(&self, full: T, short: T) -> T {
        if self.short { short } else { full }
    }

    pub(crate) fn random(&self) -> Random {
        let name = self.programme.bytes();
        let name = name.fold(0, |sum: u64, byte| sum.wrapping_mul(31) + u64::from(byte));
        Random::new(self.seed.wrapping_mul(0x9E37_79B9).wrapping_add(name))
    }

    /// Begins every key that this run makes.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Writes down what was looked at, and whether it held.
    pub(crate) fn check(&mut self, name: impl Display, passed: bool, detail: impl Display) {
        let check = Check {
            name: name.to_string(),
            passed,
            detail: detail.to_string(),
        };
        let word = if passed { "ok    " } else { "FAILED" };
        println!(
            "{word} {}: {}: {}",
            self.programme, check.name, check.detail
        );
        self.checks.push(check);
    }

    /// Writes down what is neither right nor wrong.
    pub(crate) fn note(&mut self, text: impl Display) {
        println!("       {}: {text}", self.programme);
        self.notes.push(text.to_string());
    }

    pub(crate) fn progress(&self, of: u64) -> Progress {
        Progress::new(self.programme, of)
    }

    pub(crate) fn finish(self, took: Duration) -> Outcome {
        let itself = || "in the process itself".to_owned();
        Outcome {
            on: self.place.map_or_else(itself, |place| place.version),
            checks: self.checks,
            notes: self.notes,
            took,
        }
    }
}

/// How far a programme is: a bar on a terminal, a line for each tenth elsewhere.
pub(crate) struct Progress {
    name: &'static str,
    of: u64,
    done: u64,
    shown: u64,
    begun: Instant,
}

impl Progress {
    fn new(name: &'static str, of: u64) -> Self {
        Self {
            name,
            of: of.max(1),
            done: 0,
            shown: 0,
            begun: Instant::now(),
        }
    }

    pub(crate) fn step(&mut self, steps: u64) {
        self.done += steps;
        let terminal = std::io::stderr().is_terminal();
        let parts = if terminal { 100 } else { 10 };
        let part = self.done * parts / self.of;
        if part == self.shown {
            return;
        }
        self.shown = part;
        let (percent, seconds) = (self.done * 100 / self.of, self.begun.elapsed().as_secs());
        let line = format!(
            "{} {percent:>3} % ({} of {}, {seconds} s)",
            self.name, self.done, self.of
        );
        let mut out = std::io::stderr();
        // Nothing is lost with a bar that can't be shown.
        let _ = match terminal {
            true if self.done < self.of => write!(out, "\r{line}"),
            true => writeln!(out, "\r{line}"),
            false => writeln!(out, "   {line}"),
        };
    }
}
