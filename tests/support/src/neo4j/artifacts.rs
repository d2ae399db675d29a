//! Neo4j's jars, fetched once by Maven.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Line;
use super::jdk::Jdk;
use crate::cache;
use crate::unavailable::{Unavailable, report};

/// The directory with a line's jars. About 150 MB come over the network the first time.
pub(crate) fn jars(line: Line, jdk: &Jdk) -> Result<PathBuf, Unavailable> {
    let dir = cache::target_dir().join("neo4j").join(line.version());
    let ready = |dir: &Path| dir.join("lib").is_dir();
    cache::once_for_all(&dir, ready, |dir| fetch(line, jdk, dir)).map_err(|error| error.0)?;
    Ok(dir.join("lib"))
}

struct FetchError(Unavailable);

impl From<io::Error> for FetchError {
    fn from(error: io::Error) -> Self {
        FetchError(Unavailable::missing(format!(
            "can't keep Neo4j's jars: {error}"
        )))
    }
}

/// Fetches next to `dir` and renames at the end: `dir` is there only when it is whole.
fn fetch(line: Line, jdk: &Jdk, dir: &Path) -> Result<(), FetchError> {
    report(&format!("fetching Neo4j {} (once)", line.version()));
    let part = cache::with_suffix(dir, ".part");
    if part.exists() {
        fs::remove_dir_all(&part)?;
    }
    fs::create_dir_all(&part)?;
    fs::write(part.join("pom.xml"), pom(line.version()))?;
    let mut maven = Command::new(if cfg!(windows) { "mvn.cmd" } else { "mvn" });
    maven.args([
        "-q",
        "-B",
        "dependency:copy-dependencies",
        "-DincludeScope=runtime",
    ]);
    maven.arg(format!("-DoutputDirectory={}", part.join("lib").display()));
    maven.current_dir(&part).stdin(Stdio::null());
    if let Some(home) = &jdk.home {
        maven.env("JAVA_HOME", home);
    }
    let output = maven.output().map_err(|error| {
        FetchError(Unavailable::missing(format!(
            "no Maven found (`mvn` does not run: {error})"
        )))
    })?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let text: String = text
            .lines()
            .take(6)
            .map(|line| format!("\n  {line}"))
            .collect();
        let reason = format!(
            "Maven can't fetch org.neo4j:neo4j:{}:{text}",
            line.version()
        );
        return Err(FetchError(Unavailable::missing(reason)));
    }
    Ok(fs::rename(&part, dir)?)
}

fn pom(version: &str) -> String {
    format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">\n\
         <modelVersion>4.0.0</modelVersion>\n\
         <groupId>test</groupId><artifactId>neo4j-server</artifactId><version>1</version>\n\
         <dependencies><dependency><groupId>org.neo4j</groupId><artifactId>neo4j</artifactId>\
         <version>{version}</version></dependency></dependencies>\n</project>\n"
    )
}
