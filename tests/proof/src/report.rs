//! `docs/reliability.md`: what was tried, how often, and what came out.

use std::fmt::Write as _;
use std::path::Path;

use crate::context::{Failure, Outcome};
use crate::programmes::Programme;

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

    /// Writes the page.
    pub(crate) fn write(&self) -> Result<(), Failure> {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
        let page = workspace.ok_or("no workspace")?.join("docs/reliability.md");
        std::fs::write(page, self.page())?;
        Ok(())
    }

    fn page(&self) -> String {
        let mut text = String::from(
            "# What was tried to break it\n\n\
             This page is written by `cargo run --release -p proof -- all`, which anybody can repeat: it starts\n\
             the servers it needs. `-- NAME` runs one programme, `--seed N` chooses other faults, `--short` is the\n\
             form that every change must pass.\n\n",
        );
        let form = if self.short { "short" } else { "full" };
        // Writing to a string does not fail, here and below.
        let _ = writeln!(
            text,
            "Last run: {form}, seed {}, {} checks passed, {} failed.\n",
            self.seed,
            self.passed(),
            self.failed()
        );
        let mut last = "";
        for (programme, outcome) in &self.outcomes {
            if programme.name != last {
                last = programme.name;
                let _ = writeln!(
                    text,
                    "## {}\n\n`{}`: {}\n",
                    programme.title, last, programme.what
                );
            }
            let _ = writeln!(
                text,
                "### {} ({:.0} s)\n\n| looked at | held | what came out |\n|---|---|---|",
                outcome.on,
                outcome.took.as_secs_f64()
            );
            for check in &outcome.checks {
                let held = if check.passed { "yes" } else { "**no**" };
                let detail = check.detail.replace('|', "\\|").replace('\n', " ");
                let _ = writeln!(text, "| {} | {held} | {detail} |", check.name);
            }
            text.push('\n');
            for note in &outcome.notes {
                let _ = writeln!(text, "* {note}");
            }
            if !outcome.notes.is_empty() {
                text.push('\n');
            }
        }
        text
    }
}
