//! A file of the embedded engine whose process is killed in the middle of commits; and files that
//! are something else.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use neo_ogm::prelude::*;

use crate::context::{Context, Failure};
use crate::model::{Book, count};

/// What makes this program the process that is killed.
pub(crate) const CHILD: &str = "--child-of-embedded-file";

/// The process that is killed: commits pairs of nodes and says so, one line a commit.
pub(crate) async fn child(path: &str, round: &str) -> Result<(), Failure> {
    let graph = Graph::embedded(path).await?;
    for number in 0_u64.. {
        let pair = ["a", "b"].map(|half| format!("{round}-{number}-{half}"));
        graph
            .transaction(async |tx| {
                for isbn in &pair {
                    Book::new(isbn.as_str(), "A title", 0).save(&tx).await?;
                }
                Ok(())
            })
            .await?;
        println!("{number}");
    }
    Ok(())
}

pub(super) async fn run(context: &mut Context) -> Result<(), Failure> {
    let dir = std::env::temp_dir().join(format!("neo-ogm-proof-{}", std::process::id()));
    fs::create_dir_all(&dir)?;
    let ended = match kills(context, &dir).await {
        Ok(()) => foreign(context, &dir).await,
        error => error,
    };
    fs::remove_dir_all(&dir)?;
    ended
}

async fn kills(context: &mut Context, dir: &Path) -> Result<(), Failure> {
    let rounds: u64 = context.size(200, 8);
    let path = dir.join("library.db");
    let mut random = context.random();
    let mut progress = context.progress(rounds);
    let (mut acknowledged, mut lost, mut halves) = (0, 0, 0);
    // How many pairs there are by rights, from all rounds; one more each where a commit was on
    // its way.
    let mut beyond = 0;
    for round in 0..rounds {
        let patience = Duration::from_millis(20 + random.next() % 120);
        let (at, name) = (path.clone(), round.to_string());
        let last = tokio::task::spawn_blocking(move || killed(&at, &name, patience)).await??;
        let graph = Graph::embedded(&path).await?;
        let done = last.map_or(0, |last| last + 1);
        acknowledged += done;
        let prefix = format!("{round}-");
        let books = "MATCH (b:ProofBook) WHERE b.isbn STARTS WITH $key RETURN count(b)";
        let books = u64::try_from(count(&graph, books, &prefix).await?)?;
        halves += books % 2;
        lost += done.saturating_sub(books / 2);
        beyond += u64::from(books / 2 > done + 1);
        graph.close().await;
        progress.step(1);
    }
    context.check(
        "kill -9 in the middle of commits",
        lost == 0 && halves == 0 && beyond == 0,
        format!(
            "{rounds} kills, opened again each time; {acknowledged} commits acknowledged, {lost} \
             of them lost, {halves} transactions half there, {beyond} that nobody made"
        ),
    );
    Ok(())
}

/// Starts the process, kills it after `patience`, and says which commit it acknowledged last.
fn killed(path: &Path, round: &str, patience: Duration) -> Result<Option<u64>, Failure> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg(CHILD)
        .arg(path)
        .arg(round)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let output = child.stdout.take().ok_or("the process has no output")?;
    let reader = std::thread::spawn(move || {
        let lines = BufReader::new(output).lines();
        // A line that was cut short was not said.
        lines
            .map_while(Result::ok)
            .filter_map(|line| line.parse().ok())
            .last()
    });
    std::thread::sleep(patience);
    child.kill()?;
    child.wait()?;
    reader.join().map_err(|_| "the reader panicked".into())
}

/// Files that are no graph, and one that is cut short: refused with an error that says so, and
/// left as they are.
async fn foreign(context: &mut Context, dir: &Path) -> Result<(), Failure> {
    let whole = dir.join("whole.db");
    let graph = Graph::embedded(&whole).await?;
    for number in 0..50 {
        let book = Book::new(format!("{number}"), "A title", number);
        book.save(&graph).await?;
    }
    graph.close().await;
    drop(graph);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let bytes = fs::read(&whole)?;
    let half = bytes[..bytes.len() / 2].to_vec();
    let mut header = bytes.clone();
    header[..64].fill(0xFF);
    let cases: [(&str, Vec<u8>); 5] = [
        (
            "a text file",
            b"Dear diary, this is no database.\n".repeat(100),
        ),
        ("a file of zeros", vec![0; 8192]),
        (
            "an image's beginning",
            b"\x89PNG\r\n\x1a\n and so on".repeat(300),
        ),
        ("a file cut in half", half),
        ("a file with another header", header),
    ];
    for (name, bytes) in cases {
        let path = dir.join("foreign.db");
        remove(&path);
        fs::write(&path, &bytes)?;
        let error = match Graph::embedded(&path).await {
            Err(error) => error.to_string(),
            // A file that is cut short may be seen only when it is read.
            Ok(graph) => {
                let counted = count(&graph, "MATCH (b:ProofBook) RETURN count(b)", "").await;
                graph.close().await;
                match counted {
                    Err(error) => error.to_string(),
                    Ok(number) => format!("opened, with {number} nodes"),
                }
            }
        };
        let refused = !error.starts_with("opened");
        // Where the file was is of no interest.
        let error = error.replace(&format!("{}/", dir.display()), "");
        let kept = fs::read(&path)? == bytes;
        context.check(
            name,
            refused && kept,
            format!(
                "{error}{}",
                if kept {
                    ""
                } else {
                    "; the file was written to"
                }
            ),
        );
    }
    Ok(())
}

fn remove(path: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        // Most of them are not there.
        let _ = fs::remove_file(PathBuf::from(name));
    }
}
