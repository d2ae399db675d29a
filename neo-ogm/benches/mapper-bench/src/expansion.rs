//! What the derive macros cost a compiler: a crate of fifty node types of ten fields.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Failure, median};

const TYPES: usize = 50;

pub(crate) fn report(rounds: usize) -> Result<(), Failure> {
    let manifest_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let workspace = manifest_dir.join("../../..").canonicalize()?;
    let dir = workspace
        .join("target")
        .join("mapper-bench")
        .join("expansion");
    fs::create_dir_all(dir.join("src"))?;
    let dependency = workspace.join("neo-ogm");
    fs::write(dir.join("Cargo.toml"), manifest(&dependency))?;
    // The versions that the workspace has, so that nothing is fetched.
    fs::copy(workspace.join("Cargo.lock"), dir.join("Cargo.lock"))?;
    let source = dir.join("src").join("lib.rs");
    fs::write(&source, "")?;
    check(&dir)?;
    let empty = {
        fs::write(&source, "//! Nothing.\n")?;
        check(&dir)?
    };
    let mut times = Vec::new();
    for round in 0..rounds.max(1) {
        fs::write(&source, model(round))?;
        times.push(check(&dir)?);
    }
    println!(
        "`cargo check` of a crate with {TYPES} node types of ten fields, from warm dependencies: {:.1} s, of \
         which an empty crate takes {:.1} s (to reach: 15 s).",
        median(&mut times).as_secs_f64(),
        empty.as_secs_f64(),
    );
    println!();
    Ok(())
}

fn manifest(dependency: &Path) -> String {
    format!(
        "[package]\nname = \"expansion\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [dependencies]\nneo-ogm = {{ path = {dependency:?}, default-features = false }}\n\n\
         [workspace]\n"
    )
}

fn check(dir: &PathBuf) -> Result<Duration, Failure> {
    let begun = Instant::now();
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["check", "--quiet", "--offline", "--target-dir"])
        .arg(dir.join("target"))
        .current_dir(dir)
        // What an earlier round has left would be most of it.
        .env("CARGO_INCREMENTAL", "0")
        .stdin(Stdio::null())
        .output()?;
    match output.status.success() {
        true => Ok(begun.elapsed()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned().into()),
    }
}

fn model(round: usize) -> String {
    let mut text = format!("//! Round {round}.\n#![allow(dead_code)]\nuse neo_ogm::prelude::*;\n");
    for number in 0..TYPES {
        let next = (number + 1) % TYPES;
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "
#[derive(Node, Debug, Clone)]
pub struct Node{number} {{
    #[node(key)]
    pub id: String,
    #[node(index)]
    pub name: String,
    pub born: Option<i64>,
    pub score: f64,
    pub active: bool,
    pub tags: Vec<String>,
    pub since: Option<Date>,
    pub count: i32,
    #[relationship(type = \"NEXT_{number}\")]
    pub next: Many<Node{next}>,
    #[relationship(type = \"BEST_{number}\")]
    pub best: ZeroOrOne<Node{next}>,
}}

pub async fn use_{number}(graph: &Graph) -> Result<usize, neo_ogm::Error> {{
    let found = Node{number}::find()
        .filter(Node{number}::NAME.starts_with(\"a\").and(Node{number}::COUNT.gt(3)))
        .load(Node{number}::NEXT)
        .all(graph)
        .await?;
    Ok(found.len())
}}
"
        );
    }
    text
}
