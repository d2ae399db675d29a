//! Notifications: what a server wants the author of a statement to know.

use crate::value::{Map, Value};

/// What a server wants the author of a statement to know, such as that an index is missing.
#[derive(Debug, Clone, PartialEq)]
pub struct Notification {
    code: String,
    title: String,
    description: String,
    raw_severity: Option<String>,
    raw_category: Option<String>,
    position: Option<InputPosition>,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NotificationSeverity {
    /// Something to mend.
    Warning,
    /// Something to know.
    Information,
    /// The server did not say, or said something that this version of the driver does not know.
    Unknown,
}

/// What it is about; also called its category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NotificationClassification {
    /// A hint that could not be followed.
    Hint,
    /// A label, type or property that is not in the database.
    Unrecognized,
    /// Something that is not supported.
    Unsupported,
    /// Something that may be slow.
    Performance,
    /// Something that will be removed.
    Deprecation,
    /// Something to do with the rights of users.
    Security,
    /// The layout of a cluster.
    Topology,
    /// The schema.
    Schema,
    /// Whatever else.
    Generic,
    /// The server did not say, or said something that this version of the driver does not know.
    Unknown,
}

/// A place in a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct InputPosition {
    /// How many characters stand before it.
    pub offset: i64,
    /// Its line, from 1.
    pub line: i64,
    /// Its column, from 1.
    pub column: i64,
}

impl InputPosition {
    pub(super) fn from_value(value: Option<&Value>) -> Option<Self> {
        let Some(Value::Map(position)) = value else {
            return None;
        };
        let number = |key: &str| match position.get(key) {
            Some(Value::Integer(number)) => Some(*number),
            _ => None,
        };
        Some(Self {
            offset: number("offset")?,
            line: number("line")?,
            column: number("column")?,
        })
    }
}

impl NotificationSeverity {
    pub(super) fn parse(raw: Option<&str>) -> Self {
        match raw {
            Some("WARNING") => Self::Warning,
            Some("INFORMATION") => Self::Information,
            _ => Self::Unknown,
        }
    }
}

impl NotificationClassification {
    /// What it is called on the wire; nothing where it is not known.
    pub(crate) fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::Hint => "HINT",
            Self::Unrecognized => "UNRECOGNIZED",
            Self::Unsupported => "UNSUPPORTED",
            Self::Performance => "PERFORMANCE",
            Self::Deprecation => "DEPRECATION",
            Self::Security => "SECURITY",
            Self::Topology => "TOPOLOGY",
            Self::Schema => "SCHEMA",
            Self::Generic => "GENERIC",
            Self::Unknown => return None,
        })
    }

    pub(super) fn parse(raw: Option<&str>) -> Self {
        match raw {
            Some("HINT") => Self::Hint,
            Some("UNRECOGNIZED") => Self::Unrecognized,
            Some("UNSUPPORTED") => Self::Unsupported,
            Some("PERFORMANCE") => Self::Performance,
            Some("DEPRECATION") => Self::Deprecation,
            Some("SECURITY") => Self::Security,
            Some("TOPOLOGY") => Self::Topology,
            Some("SCHEMA") => Self::Schema,
            Some("GENERIC") => Self::Generic,
            _ => Self::Unknown,
        }
    }
}

/// The text under `key`, taken out.
pub(super) fn take_text(map: &mut Map, key: &str) -> Option<String> {
    match map.remove(key) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

impl Notification {
    /// Reads what servers before Bolt 5.5 send.
    pub(super) fn from_value(value: Value) -> Option<Self> {
        let Value::Map(mut map) = value else {
            return None;
        };
        Some(Self {
            code: take_text(&mut map, "code").unwrap_or_default(),
            title: take_text(&mut map, "title").unwrap_or_default(),
            description: take_text(&mut map, "description").unwrap_or_default(),
            raw_severity: take_text(&mut map, "severity"),
            raw_category: take_text(&mut map, "category"),
            position: InputPosition::from_value(map.get("position")),
        })
    }

    /// The notification that a status object stands for; not all of them do.
    pub(super) fn from_status(value: Value) -> Option<Self> {
        let Value::Map(mut status) = value else {
            return None;
        };
        let code = status.remove("neo4j_code")?;
        let mut record = match status.remove("diagnostic_record") {
            Some(Value::Map(record)) => record,
            _ => Map::new(),
        };
        Some(Self {
            code: match code {
                Value::String(code) => code,
                _ => String::new(),
            },
            title: take_text(&mut status, "title").unwrap_or_default(),
            description: take_text(&mut status, "description").unwrap_or_default(),
            raw_severity: take_text(&mut record, "_severity"),
            raw_category: take_text(&mut record, "_classification"),
            position: InputPosition::from_value(record.get("_position")),
        })
    }

    /// The code, such as `Neo.ClientNotification.Statement.UnknownLabelWarning`.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// A few words on what it is.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// All of what it is.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// How bad it is.
    pub fn severity(&self) -> NotificationSeverity {
        NotificationSeverity::parse(self.raw_severity())
    }

    /// How bad it is, as the server wrote it.
    pub fn raw_severity(&self) -> Option<&str> {
        self.raw_severity.as_deref()
    }

    /// What it is about.
    pub fn category(&self) -> NotificationClassification {
        NotificationClassification::parse(self.raw_category())
    }

    /// What it is about, as the server wrote it.
    pub fn raw_category(&self) -> Option<&str> {
        self.raw_category.as_deref()
    }

    /// Where in the statement, if it is about a place in it.
    pub fn position(&self) -> Option<InputPosition> {
        self.position
    }
}
