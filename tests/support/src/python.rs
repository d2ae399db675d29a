//! Scripts with the official Python driver: the measure of what is usual.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::cache;
use crate::unavailable::{Unavailable, report};

/// The releases of PyPI's `neo4j` that are used.
const REQUIREMENT: &str = "neo4j>=6,<7";
const TIMEOUT: Duration = Duration::from_secs(60);

/// What a script left.
#[derive(Debug, Clone)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed.
    pub stdout: String,
    /// What it complained about.
    pub stderr: String,
}

impl Output {
    /// What it printed.
    ///
    /// # Panics
    /// When it did not end well, with all its output.
    pub fn expect_success(self) -> String {
        let Output {
            status,
            stdout,
            stderr,
        } = self;
        assert!(
            status.success(),
            "the Python script: {status}\n{stdout}\n{stderr}"
        );
        stdout
    }
}

/// Runs a script with Python and the official driver; `args` are in `sys.argv[1:]`. The first
/// call ever makes the virtual environment under the target directory, which takes some seconds
/// and the network. Blocks.
///
/// # Errors
/// As missing when there is no `python3` or the driver can't be fetched; as broken when the script
/// does not end within 60 s.
pub fn run_script(script: &str, args: &[&str]) -> Result<Output, Unavailable> {
    let python = environment("python-6", &[REQUIREMENT])?;
    let cant = |error: io::Error| Unavailable::broken(format!("can't run Python: {error}"));
    let mut child = Command::new(&python)
        // What the environment adds to the path may hide the driver.
        .env_remove("PYTHONPATH")
        .args(["-c", script])
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(cant)?;
    let stdout = child.stdout.take();
    let stderr = child.stderr.take();
    let (stdout, stderr) = (
        thread::spawn(move || drain(stdout)),
        thread::spawn(move || drain(stderr)),
    );
    let deadline = Instant::now() + TIMEOUT;
    let mut late = false;
    let status = loop {
        if let Some(status) = child.try_wait().map_err(cant)? {
            break status;
        }
        if Instant::now() > deadline && !late {
            late = true;
            child.kill().map_err(cant)?;
        }
        thread::sleep(Duration::from_millis(5));
    };
    let text = |thread: thread::JoinHandle<String>| thread.join().unwrap_or_default();
    let output = Output {
        status,
        stdout: text(stdout),
        stderr: text(stderr),
    };
    if late {
        let what = format!("{}\n{}", output.stdout, output.stderr);
        return Err(Unavailable::broken(format!(
            "the script was not done in {TIMEOUT:?}:\n{what}"
        )));
    }
    Ok(output)
}

fn drain(pipe: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        // What came before an error is still worth showing.
        let _ = pipe.read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The Python of the virtual environment `name` under the target directory, which is made with
/// the packages of `requirements` if need be. Blocks.
///
/// # Errors
/// As missing when there is no `python3` or a package can't be fetched.
pub fn environment(name: &str, requirements: &[&str]) -> Result<PathBuf, Unavailable> {
    let dir = cache::target_dir().join("neo4j").join(name);
    let ready = |dir: &Path| dir.join("complete").is_file();
    let make = |dir: &Path| make(dir, requirements);
    cache::once_for_all(&dir, ready, make).map_err(|error| error.0)?;
    Ok(program(&dir))
}

fn program(dir: &Path) -> PathBuf {
    match cfg!(windows) {
        true => dir.join("Scripts").join("python.exe"),
        false => dir.join("bin").join("python"),
    }
}

struct MakeError(Unavailable);

impl From<io::Error> for MakeError {
    fn from(error: io::Error) -> Self {
        MakeError(Unavailable::missing(format!(
            "can't keep a Python environment: {error}"
        )))
    }
}

fn make(dir: &Path, requirements: &[&str]) -> Result<(), MakeError> {
    report(&format!("installing {} (once)", requirements.join(", ")));
    let host = if cfg!(windows) { "python" } else { "python3" };
    run(Command::new(host).args(["-m", "venv"]).arg(dir))?;
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ];
    run(Command::new(program(dir)).args(pip).args(requirements))?;
    Ok(fs::write(dir.join("complete"), requirements.join("\n"))?)
}

fn run(command: &mut Command) -> Result<(), MakeError> {
    let what = format!(
        "`{} {:?}`",
        command.get_program().display(),
        command.get_args()
    );
    match command.stdin(Stdio::null()).output() {
        Err(error) => {
            let reason = format!("no python3 found ({what} does not run: {error})");
            Err(MakeError(Unavailable::missing(reason)))
        }
        Ok(output) if !output.status.success() => {
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            Err(MakeError(Unavailable::missing(format!(
                "{what} failed: {}",
                text.trim()
            ))))
        }
        Ok(_) => Ok(()),
    }
}
