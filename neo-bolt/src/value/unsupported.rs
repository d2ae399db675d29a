//! Values that the connection's version of Bolt can't carry.

use std::fmt;

/// What a server of Bolt 6 sends for a value whose type is newer than the version of Bolt that
/// driver and server have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Unsupported {
    /// The type's name.
    pub name: String,
    /// The first version of Bolt that carries it: major and minor.
    pub minimum_version: (i64, i64),
    /// What the server says about it, where it says something.
    pub message: Option<String>,
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor) = self.minimum_version;
        write!(
            f,
            "a value of type {}, which needs Bolt {major}.{minor} or later",
            self.name
        )?;
        match &self.message {
            Some(message) => write!(f, ": {message}"),
            None => Ok(()),
        }
    }
}
