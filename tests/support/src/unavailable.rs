//! Why something that a test would like to use can't be used here.

use std::fmt;

/// Something that a test needs is not to be had on this machine, or does not work.
///
/// A thing that is merely missing (no JDK, no `python3`) is a reason to skip; a thing that is there
/// and broken, or that `NEO_TEST_BACKENDS` demands, is a reason to fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unavailable {
    reason: String,
    fatal: bool,
}

impl Unavailable {
    /// The thing is not installed or was left out: tests are skipped.
    pub fn missing(reason: impl Into<String>) -> Self {
        Unavailable {
            reason: reason.into(),
            fatal: false,
        }
    }

    /// The thing is there and does not work: tests fail.
    pub fn broken(reason: impl Into<String>) -> Self {
        Unavailable {
            reason: reason.into(),
            fatal: true,
        }
    }

    /// The same reason, now one to fail: somebody asked for this by name.
    pub(crate) fn demanded_by(self, who: &str) -> Self {
        Unavailable {
            reason: format!("{} (demanded by {who})", self.reason),
            fatal: true,
        }
    }

    /// What is missing or broken, in one or more lines.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Whether tests must fail instead of being skipped.
    pub fn is_fatal(&self) -> bool {
        self.fatal
    }

    /// Prints one line saying that `what` is skipped, and why.
    ///
    /// # Panics
    /// When the reason is one to fail, see [`is_fatal`](Self::is_fatal).
    pub fn skip_or_fail(&self, what: &str) {
        assert!(!self.fatal, "{what} can't run: {}", self.reason);
        report(&format!("skipped: {what}: {}", self.reason));
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Unavailable {}

/// Writes a line to the real stderr: the test harness hides what `eprintln!` prints in tests that
/// pass, and a skipped test must not look like one that ran.
pub(crate) fn report(line: &str) {
    use std::io::Write;
    // Nothing useful can be done when stderr is closed.
    let _ = writeln!(std::io::stderr().lock(), "neo-test-support: {line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_is_skipped() {
        Unavailable::missing("no such thing").skip_or_fail("a test of skipping");
    }

    #[test]
    #[should_panic(expected = "no such thing (demanded by me)")]
    fn demanded_fails() {
        Unavailable::missing("no such thing")
            .demanded_by("me")
            .skip_or_fail("a test of failing");
    }
}
