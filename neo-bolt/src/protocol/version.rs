//! Which versions of Bolt there are, and what each of them can do: one table.

use std::fmt;

use crate::packstream::Dialect;

/// A version of the Bolt protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// The major version.
    pub major: u8,
    /// The minor version.
    pub minor: u8,
}

impl Version {
    /// A version of its two numbers.
    pub const fn new(major: u8, minor: u8) -> Self {
        Self { major, minor }
    }

    /// What this driver speaks, newest first: first and last minor version of each major one.
    pub(crate) const SUPPORTED: [(Self, u8); 4] = [
        (Self::new(6, 1), 0),
        (Self::new(5, 8), 0),
        (Self::new(4, 4), 1),
        (Self::new(3, 0), 0),
    ];

    pub(crate) fn is_supported(self) -> bool {
        Self::SUPPORTED.iter().any(|(newest, oldest)| {
            self.major == newest.major && (*oldest..=newest.minor).contains(&self.minor)
        })
    }

    /// The login is a message of its own, behind HELLO.
    pub(crate) fn has_logon(self) -> bool {
        self >= Self::new(5, 1)
    }

    /// HELLO says what the driver is made of.
    pub(crate) fn has_bolt_agent(self) -> bool {
        self >= Self::new(5, 3)
    }

    /// Instants in UTC must be asked for.
    pub(crate) fn needs_utc_patch(self) -> bool {
        (Self::new(4, 3)..Self::new(5, 0)).contains(&self)
    }

    /// There are several databases, results are pulled in batches and several of them may be open.
    pub(crate) fn has_databases(self) -> bool {
        self >= Self::new(4, 0)
    }

    /// HELLO says what the server's own routing is to know.
    pub(crate) fn has_routing_context(self) -> bool {
        self >= Self::new(4, 1)
    }

    /// Routing tables are asked for by a message of their own.
    pub(crate) fn has_route(self) -> bool {
        self >= Self::new(4, 3)
    }

    /// Users may act for others, and have home databases that routers tell.
    pub(crate) fn has_impersonation(self) -> bool {
        self >= Self::new(4, 4)
    }

    /// The server leaves out the notifications that are not wanted.
    pub(crate) fn has_notification_filters(self) -> bool {
        self >= Self::new(5, 2)
    }

    /// Categories of notifications are called classifications.
    pub(crate) fn says_classifications(self) -> bool {
        self >= Self::new(5, 5)
    }

    /// The server may want to know which parts of the driver are used.
    pub(crate) fn has_telemetry(self) -> bool {
        self >= Self::new(5, 4)
    }

    /// What values may be sent, before a server of 4.4 has agreed to the UTC patch.
    pub(crate) fn dialect(self) -> Dialect {
        Dialect {
            utc_datetimes: self >= Self::new(5, 0),
            vectors: self >= Self::new(6, 0),
            element_ids: self >= Self::new(5, 0),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}
