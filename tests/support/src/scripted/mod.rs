//! A Bolt server that follows a script.
//!
//! ```no_run
//! use neo_test_support::scripted::{Script, ScriptedPeer};
//! use neo_test_support::Message;
//!
//! let script = Script::new()
//!     .login(5, 4)
//!     .expect_all([Message::Run, Message::Pull])
//!     .success([("fields", vec!["n".into()])])
//!     .record([1])
//!     .success([("type", "r")]);
//! let peer = ScriptedPeer::start([script])?;
//! // … connect a driver to peer.uri() and run `RETURN 1 AS n` …
//! let received = peer.finish()?;
//! assert_eq!(received[2].fields[0].as_str(), Some("RETURN 1 AS n"));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod play;
mod script;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub use script::{Range, Script, Step};

use crate::message::Message;
use crate::packstream::Value;

/// How long a step waits for the client, and `finish` for the scripts.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// A message that the client sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// The number of the connection; the first is 1.
    pub connection: usize,
    /// What it was.
    pub message: Message,
    /// Its fields.
    pub fields: Vec<Value>,
}

/// The client did something else than the script expects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deviation {
    /// The number of the connection; the first is 1.
    pub connection: usize,
    /// The number of the step in its script; the first is 1.
    pub step: usize,
    /// What the script expects there.
    pub expected: String,
    /// What came instead.
    pub came: String,
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Deviation {
            connection,
            step,
            expected,
            came,
        } = self;
        write!(
            f,
            "connection {connection}, step {step}: expected {expected}; {came}"
        )
    }
}

impl std::error::Error for Deviation {}

/// A server on a free loopback port that plays one script per connection.
#[derive(Debug)]
pub struct ScriptedPeer {
    address: SocketAddr,
    stage: Arc<Stage>,
    thread: Option<JoinHandle<()>>,
}

/// What the players share.
#[derive(Debug)]
struct Stage {
    scripts: Vec<Script>,
    repeat: bool,
    stop: AtomicBool,
    report: Mutex<Report>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Report {
    connections: usize,
    /// Scripts played to their end.
    played: usize,
    received: Vec<Received>,
    deviation: Option<Deviation>,
}

impl Stage {
    fn report(&self) -> MutexGuard<'_, Report> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// Keeps the first deviation: later ones are its consequences.
    fn deviate(&self, deviation: Deviation) {
        self.report().deviation.get_or_insert(deviation);
        self.changed.notify_all();
    }
}

impl ScriptedPeer {
    /// Plays the first script on the first connection, and so on. A connection too many is a
    /// deviation.
    ///
    /// # Errors
    /// When no port is to be had.
    pub fn start(scripts: impl IntoIterator<Item = Script>) -> io::Result<Self> {
        ScriptedPeer::launch(|_| scripts.into_iter().collect(), false)
    }

    /// As [`start`](Self::start), for scripts that name the peer itself: `make` is given where it
    /// listens, as `HOST:PORT`.
    ///
    /// # Errors
    /// When no port is to be had.
    pub fn start_with(make: impl FnOnce(&str) -> Vec<Script>) -> io::Result<Self> {
        ScriptedPeer::launch(make, false)
    }

    /// As [`repeating`](Self::repeating), for a script that names the peer itself.
    ///
    /// # Errors
    /// When no port is to be had.
    pub fn repeating_with(make: impl FnOnce(&str) -> Script) -> io::Result<Self> {
        ScriptedPeer::launch(|address| vec![make(address)], true)
    }

    /// Plays the same script on each connection.
    ///
    /// # Errors
    /// When no port is to be had.
    pub fn repeating(script: Script) -> io::Result<Self> {
        ScriptedPeer::launch(|_| vec![script], true)
    }

    fn launch(make: impl FnOnce(&str) -> Vec<Script>, repeat: bool) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let stage = Arc::new(Stage {
            scripts: make(&address.to_string()),
            repeat,
            stop: AtomicBool::new(false),
            report: Mutex::default(),
            changed: Condvar::new(),
        });
        let shared = Arc::clone(&stage);
        let thread = thread::Builder::new()
            .name("scripted-peer".into())
            .spawn(move || accept(&listener, &shared))?;
        Ok(ScriptedPeer {
            address,
            stage,
            thread: Some(thread),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `bolt://127.0.0.1:PORT`.
    pub fn uri(&self) -> String {
        format!("bolt://{}", self.address)
    }

    /// `neo4j://127.0.0.1:PORT`.
    pub fn routing_uri(&self) -> String {
        format!("neo4j://{}", self.address)
    }

    /// What came so far, in the order of arrival.
    pub fn received(&self) -> Vec<Received> {
        self.stage.report().received.clone()
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.stage.report().connections
    }

    /// Waits until all scripts are played (a repeating one: once), closes what is open, and gives
    /// what was received. Blocks for 10 s at most.
    ///
    /// # Errors
    /// The first deviation of the client from a script, which may be that it never got to one.
    pub fn finish(mut self) -> Result<Vec<Received>, Deviation> {
        let deadline = Instant::now() + PATIENCE;
        let mut report = self.stage.report();
        while report.deviation.is_none() && report.played < self.stage.scripts.len() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            report = self
                .stage
                .changed
                .wait_timeout(report, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        drop(report);
        self.stop();
        let mut report = self.stage.report();
        if let Some(deviation) = report.deviation.take() {
            return Err(deviation);
        }
        let wanted = self.stage.scripts.len();
        if report.played < wanted {
            return Err(Deviation {
                connection: report.connections,
                step: 0,
                expected: format!("{wanted} scripts to be played"),
                came: format!(
                    "{} were, on {} connections, within {PATIENCE:?}",
                    report.played, report.connections
                ),
            });
        }
        Ok(std::mem::take(&mut report.received))
    }

    fn stop(&mut self) {
        self.stage.stop.store(true, Ordering::SeqCst);
        // Wakes the listener; when it can't be reached it is not waiting either.
        let _ = std::net::TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for ScriptedPeer {
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.stop();
        }
    }
}

fn accept(listener: &TcpListener, stage: &Stage) {
    thread::scope(|scope| {
        loop {
            let accepted = listener.accept();
            if stage.stopped() {
                return;
            }
            let Ok((stream, _)) = accepted else { continue };
            let number = {
                let mut report = stage.report();
                report.connections += 1;
                report.connections
            };
            let script = match stage.repeat {
                true => stage.scripts.first(),
                false => stage.scripts.get(number - 1),
            };
            match script {
                Some(script) => {
                    scope.spawn(move || play::play(stream, number, script, stage));
                }
                None => stage.deviate(Deviation {
                    connection: number,
                    step: 0,
                    expected: format!("{} connections", stage.scripts.len()),
                    came: "one more was opened".into(),
                }),
            }
        }
    });
}
