//! `docs/reliability.md`: what was tried, how often, and what came out.
//!
//! The page has a section for each programme, and in it one for each place where it ran. A run
//! replaces the sections of what it ran and leaves the others, so that the long programmes can be
//! run one by one.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::context::{Failure, Outcome};
use crate::programmes::Programme;

const HEAD: &str = "\
# What was tried to break it

This page is written by `cargo run --release -p proof -- all`, which anybody can repeat: it starts
the servers it needs. `-- NAME --page` runs one programme and writes its part again, `--seed N` chooses
other faults, `--short` is the form that every change must pass.
";

/// Everything that came out of a run.
pub(crate) struct Report {
    seed: u64,
    short: bool,
    outcomes: Vec<(&'static Programme, Outcome)>,
}

impl Report {
    pub(crate) fn new(seed: u64, short: bool) -> Self {
        Self {
            seed,
            short,
            outcomes: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, programme: &'static Programme, outcome: Outcome) {
        self.outcomes.push((programme, outcome));
    }

    fn count(&self, passed: bool) -> u64 {
        let checks = self.outcomes.iter().flat_map(|(_, one)| &one.checks);
        checks.fold(0, |sum, check| sum + u64::from(check.passed == passed))
    }

    pub(crate) fn passed(&self) -> u64 {
        self.count(true)
    }

    pub(crate) fn failed(&self) -> u64 {
        self.count(false)
    }

    /// Writes the page: what this run has found, and what stood there of other programmes.
    pub(crate) fn write(&self) -> Result<(), Failure> {
        let path = page()?;
        let old = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error.into()),
        };
        let mut sections = sections(&old);
        for (programme, outcome) in &self.outcomes {
            let key = (programme.title.to_owned(), outcome.on.clone());
            sections.insert(key, self.section(outcome));
        }
        std::fs::write(path, whole(&sections))?;
        Ok(())
    }

    fn section(&self, outcome: &Outcome) -> String {
        let form = if self.short { "short" } else { "full" };
        // Writing to a string does not fail, here and below.
        let mut text = format!(
            "A {form} run with seed {}, {:.0} s.\n\n| looked at | held | what came out |\n|---|---|---|\n",
            self.seed,
            outcome.took.as_secs_f64()
        );
        for check in &outcome.checks {
            let held = if check.passed { HELD } else { HELD_NOT };
            let detail = check.detail.replace('|', "\\|").replace('\n', " ");
            let _ = writeln!(text, "| {} {held} {detail} |", check.name);
        }
        if !outcome.notes.is_empty() {
            text.push('\n');
        }
        for note in &outcome.notes {
            let _ = writeln!(text, "* {note}");
        }
        text
    }
}

const HELD: &str = "| yes |";
const HELD_NOT: &str = "| **no** |";

/// The page is in the workspace that this was built from.
fn page() -> Result<PathBuf, Failure> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    Ok(workspace.ok_or("no workspace")?.join("docs/reliability.md"))
}

/// What stands under each programme's title and place.
type Sections = BTreeMap<(String, String), String>;

fn sections(page: &str) -> Sections {
    let mut sections = Sections::new();
    let mut at: Option<(String, String)> = None;
    let mut title = String::new();
    for line in page.lines() {
        if let Some(name) = line.strip_prefix("## ") {
            name.clone_into(&mut title);
            at = None;
        } else if let Some(place) = line.strip_prefix("### ") {
            at = Some((title.clone(), place.to_owned()));
        } else if let Some(key) = &at {
            let text = sections.entry(key.clone()).or_default();
            text.push_str(line);
            text.push('\n');
        }
    }
    sections
}

/// The page of all sections, in the order of the programmes.
fn whole(sections: &Sections) -> String {
    let mut body = String::new();
    for programme in Programme::ALL {
        let of_it = sections
            .iter()
            .filter(|((title, _), _)| title == programme.title);
        for (number, ((_, place), text)) in of_it.enumerate() {
            if number == 0 {
                let _ = writeln!(
                    body,
                    "\n## {}\n\n`{}`: {}",
                    programme.title, programme.name, programme.what
                );
            }
            let _ = writeln!(body, "\n### {place}\n\n{}", text.trim());
        }
    }
    let (held, not) = (body.matches(HELD).count(), body.matches(HELD_NOT).count());
    format!("{HEAD}\n{held} of the checks below passed, {not} failed.\n{body}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_as_it_was_written() {
        let mut all = Sections::new();
        let mut put = |programme: &Programme, place: &str, text: &str| {
            all.insert(
                (programme.title.to_owned(), place.to_owned()),
                text.to_owned(),
            );
        };
        let [first, second, ..] = Programme::ALL else {
            panic!("too few programmes");
        };
        put(
            second,
            "Neo4j/5.26",
            "| a | yes | 1 |\n| b | **no** | 2 |\n",
        );
        put(first, "Neo4j/5.26", "| c | yes | 3 |\n\n* a note\n");
        put(first, "Neo4j/2026.08", "| d | yes | 4 |\n");
        let page = whole(&all);
        assert!(page.contains("3 of the checks below passed, 1 failed"));
        assert_eq!(page.matches(&format!("## {}\n", first.title)).count(), 1);
        let trimmed = |sections: Sections| -> Vec<_> {
            let texts = sections.into_iter();
            texts
                .map(|(key, text)| (key, text.trim().to_owned()))
                .collect()
        };
        assert_eq!(trimmed(sections(&page)), trimmed(all.clone()));
        assert_eq!(whole(&sections(&page)), page);
    }
}
