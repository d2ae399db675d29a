//! One Neo4j server: started here, or somebody else's.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::process::Guarded;
use super::{Line, artifacts, config, jdk};
use crate::backends::Selection;
use crate::cache;
use crate::client::{Client, Refused};
use crate::packstream::Value;
use crate::unavailable::Unavailable;

const USER: &str = "neo4j";
const PASSWORD: &str = "of-these-tests";
const START_TIMEOUT: Duration = Duration::from_secs(90);

/// How a server is started.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StartOptions {
    /// Whether it also takes TLS connections, with a self-signed certificate for `localhost` and
    /// `127.0.0.1` ([`Server::certificate_pem`]). Plain connections work in any case.
    pub tls: bool,
}

impl StartOptions {
    /// With or without TLS.
    pub fn tls(mut self, tls: bool) -> Self {
        self.tls = tls;
        self
    }
}

impl Default for StartOptions {
    /// With TLS.
    fn default() -> Self {
        StartOptions { tls: true }
    }
}

/// A Neo4j server to test against. It ends when this is dropped, and with the process at the
/// latest; its data goes with it.
#[derive(Debug)]
pub struct Server {
    name: String,
    uri: String,
    user: String,
    password: String,
    certificate: Option<String>,
    local: Option<Local>,
}

/// What there is of a server that was started here.
#[derive(Debug)]
struct Local {
    line: Line,
    address: SocketAddr,
    home: PathBuf,
    logs: PathBuf,
    command: Vec<OsString>,
    process: Mutex<Option<Guarded>>,
}

impl Server {
    /// Starts a server of its own for the caller. Blocks about 6 s, longer when the artifacts
    /// have to be fetched first.
    ///
    /// # Errors
    /// As missing when there is no fitting JDK or no Maven, `NEO_TEST_BACKENDS` leaves the line
    /// out, or `NEO4J_URI` is set, since then none is to be started; as broken, with the end of
    /// the server's log, when it does not start.
    pub fn start(line: Line, options: StartOptions) -> Result<Server, Unavailable> {
        let selection = Selection::from_environment()?;
        if !selection.line(line) {
            return Err(Unavailable::missing("left out by NEO_TEST_BACKENDS"));
        }
        if Server::from_environment().is_some() {
            return Err(Unavailable::missing("NEO4J_URI is set, so none is started"));
        }
        Server::start_selected(line, &options).map_err(|error| match selection.demanded() {
            true => error.demanded_by("NEO_TEST_BACKENDS"),
            false => error,
        })
    }

    /// Starts a server of its own for a caller who means to [`kill`](Self::kill) it, also where
    /// `NEO4J_URI` names one that others use. Blocks as [`start`](Self::start) does.
    ///
    /// # Errors
    /// As missing when there is no fitting JDK or no Maven; as broken when it does not start.
    pub fn start_own(line: Line, options: &StartOptions) -> Result<Server, Unavailable> {
        Server::start_selected(line, options)
    }

    fn start_selected(line: Line, options: &StartOptions) -> Result<Server, Unavailable> {
        let (fits, missing) = line.java();
        let jdk = jdk::find(fits).ok_or_else(|| Unavailable::missing(missing))?;
        let jars = artifacts::jars(line, &jdk)?;
        let mut result = Server::start_with(line, options, &jdk.java, &jars);
        for _ in 0..2 {
            // Somebody was faster on that port.
            match &result {
                Err(error) if error.reason().contains("Address already in use") => {
                    result = Server::start_with(line, options, &jdk.java, &jars);
                }
                _ => break,
            }
        }
        result
    }

    fn start_with(
        line: Line,
        options: &StartOptions,
        java: &Path,
        jars: &Path,
    ) -> Result<Server, Unavailable> {
        let cant = |error: io::Error| {
            Unavailable::broken(format!("can't start Neo4j {}: {error}", line.version()))
        };
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{}-{number}", line.version(), std::process::id());
        let runs = cache::target_dir().join("neo4j").join("run");
        let home = runs.join(&name);
        let logs = cache::with_suffix(&home, ".logs");
        let address = free_address().map_err(cant)?;
        let certificate = config::write(&home, &logs, address.port(), options.tls).map_err(cant)?;
        let local = Local {
            line,
            address,
            command: command(line, java, jars, &home),
            home,
            logs,
            process: Mutex::new(None),
        };
        local.launch(&mut local.process())?;
        Ok(Server {
            name: line.name().into(),
            uri: format!("bolt://{address}"),
            user: USER.into(),
            password: PASSWORD.into(),
            certificate,
            local: Some(local),
        })
    }

    /// The server that `NEO4J_URI` names, if it is set.
    pub(crate) fn from_environment() -> Option<Server> {
        let set = |name| {
            env::var(name)
                .ok()
                .filter(|value: &String| !value.is_empty())
        };
        Some(Server {
            name: "neo4j".into(),
            uri: set("NEO4J_URI")?,
            user: set("NEO4J_USER").unwrap_or_else(|| USER.into()),
            password: set("NEO4J_PASSWORD").unwrap_or_default(),
            certificate: None,
            local: None,
        })
    }

    /// `5.26`, `2026.08`, or `neo4j` for the server that `NEO4J_URI` names.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The line that was started; `None` for the server that `NEO4J_URI` names.
    pub fn line(&self) -> Option<Line> {
        self.local.as_ref().map(|local| local.line)
    }

    /// Where to connect: `bolt://127.0.0.1:PORT`, or `NEO4J_URI` as it is.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// `HOST:PORT`, for a proxy.
    pub fn address(&self) -> &str {
        let rest = self
            .uri
            .split_once("://")
            .map_or(self.uri.as_str(), |(_, rest)| rest);
        rest.split(['/', '?']).next().unwrap_or(rest)
    }

    /// The user to log in as.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The user's password.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The self-signed certificate as PEM, when the server was started here with TLS.
    pub fn certificate_pem(&self) -> Option<&str> {
        self.certificate.as_deref()
    }

    /// kill -9. The store stays, for [`restart`](Self::restart). Nothing happens to a dead server.
    ///
    /// # Errors
    /// When the server is not one that was started here.
    pub fn kill(&self) -> io::Result<()> {
        match self.local()?.process().take() {
            Some(process) => process.kill_keeping_home(),
            None => Ok(()),
        }
    }

    /// Starts a killed server again on the same port and store; kills it first if it lives.
    /// Blocks about 5 s.
    ///
    /// # Errors
    /// When the server is not one that was started here, or does not start.
    pub fn restart(&self) -> io::Result<()> {
        self.kill()?;
        let local = self.local()?;
        local.launch(&mut local.process()).map_err(io::Error::other)
    }

    fn local(&self) -> io::Result<&Local> {
        let message = "the server behind NEO4J_URI is not ours to kill";
        self.local
            .as_ref()
            .ok_or_else(|| io::Error::new(io::ErrorKind::Unsupported, message))
    }
}

impl Local {
    fn process(&self) -> MutexGuard<'_, Option<Guarded>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the process and waits until it answers queries.
    fn launch(&self, process: &mut Option<Guarded>) -> Result<(), Unavailable> {
        let broken = |what: String| {
            let version = self.line.version();
            let log = log_tail(&self.logs);
            Unavailable::broken(format!("Neo4j {version} does not start: {what}\n{log}"))
        };
        let started = Guarded::start(&self.command, &self.logs, &self.home);
        let mut started = started.map_err(|error| broken(error.to_string()))?;
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            let last = match self.probe() {
                Ok(()) => break,
                Err(error) => error,
            };
            if matches!(&last, Refused::Server(code, _) if code.contains("ClientError.Request")) {
                return Err(broken(last.to_string()));
            }
            if let Ok(Some(status)) = started.exited() {
                return Err(broken(format!("it ended with {status}")));
            }
            if Instant::now() > deadline {
                return Err(broken(format!(
                    "not ready after {START_TIMEOUT:?} ({last})"
                )));
            }
            thread::sleep(Duration::from_millis(50));
        }
        *process = Some(started);
        Ok(())
    }

    /// One attempt to run a query as the user, after setting the password where it is still the
    /// one of a new store.
    fn probe(&self) -> Result<(), Refused> {
        let mut client = match Client::login(self.address, USER, PASSWORD) {
            Err(Refused::Server(code, _)) if code.contains("Unauthorized") => {
                Client::login(self.address, USER, "neo4j")?.run(
                    "system",
                    "ALTER CURRENT USER SET PASSWORD FROM $old TO $new",
                    Value::map([("old", "neo4j"), ("new", PASSWORD)]),
                )?;
                Client::login(self.address, USER, PASSWORD)?
            }
            other => other?,
        };
        client
            .run("neo4j", "RETURN 1", Value::Map(vec![]))
            .map(drop)
    }
}

fn command(line: Line, java: &Path, jars: &Path, home: &Path) -> Vec<OsString> {
    let argument = |name: &str, path: PathBuf| {
        let mut argument = OsString::from(name);
        argument.push(path);
        argument
    };
    vec![
        java.into(),
        "-Xmx1g".into(),
        // The compiler's last optimisations never pay in a test's life; starting is faster.
        "-XX:TieredStopAtLevel=1".into(),
        "-XX:+UseSerialGC".into(),
        "-cp".into(),
        jars.join("*").into(),
        "--add-opens=java.base/java.nio=ALL-UNNAMED".into(),
        line.main_class().into(),
        argument("--home-dir=", home.into()),
        argument("--config-dir=", home.join("conf")),
    ]
}

/// A free loopback port outside the range from which systems give ports to clients: a driver that
/// tries again and again to reach a dead server must not be given that very port to call from.
fn free_address() -> io::Result<SocketAddr> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..200 {
        let step = NEXT
            .fetch_add(1, Ordering::Relaxed)
            .wrapping_add(std::process::id() * 13);
        let port = 20_000 + u16::try_from(step % 12_000).unwrap_or_default();
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(listener) => return listener.local_addr(),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn log_tail(logs: &Path) -> String {
    let mut tails = String::new();
    for name in ["console.log", "neo4j.log"] {
        let log = logs.join(name);
        let text = fs::read(&log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines: Vec<_> = text.lines().collect();
        let tail = &lines[lines.len().saturating_sub(20)..];
        tails.push_str(&format!(
            "the end of {}:\n  {}\n",
            log.display(),
            tail.join("\n  ")
        ));
    }
    tails
}
