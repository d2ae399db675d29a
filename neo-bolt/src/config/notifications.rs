//! Which notifications a server sends.

use crate::error::{Error, ErrorKind};
use crate::protocol::Version;
use crate::summary::NotificationClassification;

/// How bad a notification must be to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NotificationMinimumSeverity {
    /// None is sent.
    Off,
    /// Only warnings are.
    Warning,
    /// All are.
    Information,
}

/// Which notifications a server sends (Bolt 5.2 and later); its own setting where nothing is
/// said. What is not sent costs the server nothing either.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use = "it does nothing until a driver or session is made with it"]
pub struct NotificationConfig {
    minimum_severity: Option<NotificationMinimumSeverity>,
    disabled_classifications: Option<Vec<NotificationClassification>>,
}

impl NotificationConfig {
    /// How bad a notification must be.
    pub fn minimum_severity(mut self, severity: NotificationMinimumSeverity) -> Self {
        self.minimum_severity = Some(severity);
        self
    }

    /// What no notification may be about; also called categories.
    pub fn disabled_classifications(
        mut self,
        classifications: impl IntoIterator<Item = NotificationClassification>,
    ) -> Self {
        self.disabled_classifications = Some(classifications.into_iter().collect());
        self
    }

    /// What goes into HELLO, BEGIN and RUN.
    ///
    /// # Errors
    /// The server can't leave out notifications.
    pub(crate) fn entries(
        &self,
        version: Version,
    ) -> Result<Vec<(&'static str, crate::value::Value)>, Error> {
        let mut entries = Vec::new();
        if *self == Self::default() {
            return Ok(entries);
        }
        if !version.has_notification_filters() {
            return Err(Error::new(
                ErrorKind::Configuration,
                format!(
                    "notifications can't be configured with a server of Bolt {version}; that \
                     takes Bolt 5.2 (Neo4j 5.7) or later"
                ),
            ));
        }
        if let Some(severity) = self.minimum_severity {
            let severity = match severity {
                NotificationMinimumSeverity::Off => "OFF",
                NotificationMinimumSeverity::Warning => "WARNING",
                NotificationMinimumSeverity::Information => "INFORMATION",
            };
            entries.push(("notifications_minimum_severity", severity.into()));
        }
        if let Some(disabled) = &self.disabled_classifications {
            let key = if version.says_classifications() {
                "notifications_disabled_classifications"
            } else {
                "notifications_disabled_categories"
            };
            let names: Vec<&str> = disabled
                .iter()
                .filter_map(|classification| classification.name())
                .collect();
            entries.push((key, names.into()));
        }
        Ok(entries)
    }
}
