//! Status objects of the GQL standard.

use super::notification::{
    InputPosition, NotificationClassification, NotificationSeverity, take_text,
};
use crate::gql::{default_diagnostic_record, with_defaults};
use crate::value::{Map, Value};

/// How a statement went, or what is to be known about it, in the terms of the GQL standard.
#[derive(Debug, Clone, PartialEq)]
pub struct GqlStatusObject {
    status: String,
    description: String,
    is_notification: bool,
    diagnostic_record: Map,
}

impl GqlStatusObject {
    fn outcome(status: &str, description: &str) -> Self {
        Self {
            status: status.to_owned(),
            description: description.to_owned(),
            is_notification: false,
            diagnostic_record: default_diagnostic_record(),
        }
    }

    pub(super) fn success() -> Self {
        Self::outcome("00000", "note: successful completion")
    }

    pub(super) fn omitted_result() -> Self {
        Self::outcome("00001", "note: successful completion - omitted result")
    }

    pub(super) fn no_data() -> Self {
        Self::outcome("02000", "note: no data")
    }

    /// Reads what servers from Bolt 5.5 on send.
    pub(super) fn from_status(value: Value) -> Self {
        let mut map = match value {
            Value::Map(map) => map,
            _ => Map::new(),
        };
        Self {
            status: take_text(&mut map, "gql_status").unwrap_or_default(),
            description: take_text(&mut map, "status_description").unwrap_or_default(),
            is_notification: map.contains_key("neo4j_code"),
            diagnostic_record: match map.remove("diagnostic_record") {
                Some(Value::Map(record)) => with_defaults(record),
                _ => default_diagnostic_record(),
            },
        }
    }

    /// Puts what servers before Bolt 5.5 send into the new form.
    pub(super) fn from_notification(value: Value) -> Self {
        let mut map = match value {
            Value::Map(map) => map,
            _ => Map::new(),
        };
        let severity = map.get("severity");
        let (status, unknown) = if severity == Some(&Value::from("WARNING")) {
            ("01N42", "warn: unknown warning")
        } else {
            ("03N42", "info: unknown notification")
        };
        let description = take_text(&mut map, "description").filter(|text| !text.is_empty());
        let mut diagnostic_record = default_diagnostic_record();
        for (there, here) in [
            ("category", "_classification"),
            ("severity", "_severity"),
            ("position", "_position"),
        ] {
            diagnostic_record.extend(map.remove(there).map(|value| (here.to_owned(), value)));
        }
        Self {
            status: status.to_owned(),
            description: description.unwrap_or_else(|| unknown.to_owned()),
            is_notification: true,
            diagnostic_record,
        }
    }

    /// Where it stands among others: no data, warnings, success, information.
    pub(super) fn rank(&self) -> u8 {
        match self.status.get(..2) {
            Some("02") => 0,
            Some("01") => 1,
            Some("00") => 2,
            Some("03") => 3,
            _ => 4,
        }
    }

    fn text(&self, key: &str) -> Option<&str> {
        match self.diagnostic_record.get(key) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// The status code, five characters such as `00000`.
    pub fn gql_status(&self) -> &str {
        &self.status
    }

    /// What the status code stands for.
    pub fn status_description(&self) -> &str {
        &self.description
    }

    /// Whether it is a notification, rather than how the statement went.
    pub fn is_notification(&self) -> bool {
        self.is_notification
    }

    /// What it is about, where it is a notification.
    pub fn classification(&self) -> NotificationClassification {
        NotificationClassification::parse(self.raw_classification())
    }

    /// What it is about, as the server wrote it.
    pub fn raw_classification(&self) -> Option<&str> {
        self.text("_classification")
    }

    /// How bad it is, where it is a notification.
    pub fn severity(&self) -> NotificationSeverity {
        NotificationSeverity::parse(self.raw_severity())
    }

    /// How bad it is, as the server wrote it.
    pub fn raw_severity(&self) -> Option<&str> {
        self.text("_severity")
    }

    /// Where in the statement, if it is about a place in it.
    pub fn position(&self) -> Option<InputPosition> {
        InputPosition::from_value(self.diagnostic_record.get("_position"))
    }

    /// Everything else that the server said.
    pub fn diagnostic_record(&self) -> &Map {
        &self.diagnostic_record
    }
}
