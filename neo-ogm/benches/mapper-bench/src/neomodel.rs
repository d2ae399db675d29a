//! neomodel, in a Python process of its own that takes commands line by line.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use neo_test_support::python;

use crate::Failure;
use crate::work::Work;

const SCRIPT: &str = include_str!("neomodel.py");
const REQUIREMENTS: &[&str] = &["neomodel>=7,<8"];

/// The process; it ends when its input does.
pub(crate) struct Neomodel {
    child: Child,
    /// Closed before the process is waited for.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Neomodel {
    pub(crate) fn start(address: &str, user: &str, password: &str) -> Result<Self, Failure> {
        let python = python::environment("neomodel-7", REQUIREMENTS)?;
        let mut child = Command::new(python)
            .env_remove("PYTHONPATH")
            .args(["-c", SCRIPT, address, user, password])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take();
        let output = child.stdout.take().ok_or("the process has no output")?;
        let mut this = Self {
            child,
            input,
            output: BufReader::new(output),
        };
        match this.line()?.as_str() {
            "ready" => Ok(this),
            other => Err(format!("neomodel does not start: {other}").into()),
        }
    }

    fn line(&mut self) -> Result<String, Failure> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            return Err("the Python process ended".into());
        }
        Ok(line.trim_end().to_owned())
    }

    fn ask(
        &mut self,
        command: &str,
        what: &str,
        key: &str,
        count: usize,
    ) -> Result<String, Failure> {
        let input = self.input.as_mut().ok_or("the process has no input")?;
        writeln!(input, "{command}\t{what}\t{key}\t{count}")?;
        input.flush()?;
        let line = self.line()?;
        match line.split_once('\t') {
            Some(("ok", answer)) => Ok(answer.to_owned()),
            _ => Err(format!("neomodel, {command} {what}: {line}").into()),
        }
    }

    pub(crate) fn run(&mut self, work: Work, key: &str, count: usize) -> Result<Duration, Failure> {
        self.prepare(work, key, count)?;
        self.run_prepared(work, key, count)
    }

    pub(crate) fn prepare(&mut self, work: Work, key: &str, count: usize) -> Result<(), Failure> {
        self.ask("prepare", work.name(), key, count).map(drop)
    }

    pub(crate) fn run_prepared(
        &mut self,
        work: Work,
        key: &str,
        count: usize,
    ) -> Result<Duration, Failure> {
        // What everybody reads stands under one key.
        let key = if work == Work::Books { "read-" } else { key };
        let answer = self.ask("run", work.name(), key, count)?;
        let (seconds, done) = answer.split_once('\t').ok_or("no time in the answer")?;
        if done.parse() != Ok(count) {
            return Err(format!("{}: {done} done, not {count}", work.name()).into());
        }
        Ok(Duration::from_secs_f64(seconds.parse()?))
    }

    /// What a check came to, in words.
    pub(crate) fn check(&mut self, name: &str, key: &str, count: usize) -> Result<String, Failure> {
        self.ask("check", name, key, count)
    }
}

impl Drop for Neomodel {
    fn drop(&mut self) {
        self.input.take();
        // Its end is all that is wanted.
        let _ = self.child.wait();
    }
}
