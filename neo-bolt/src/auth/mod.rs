//! Logins.

mod manager;

pub use manager::{AuthManager, AuthManagers, ExpiringAuth};

pub(crate) use manager::Logins;

use std::fmt;
use std::sync::Arc;

use crate::packstream::{EncodeError, Encoder, ToBolt};
use crate::value::{Map, Value};

/// A login, as the server's authentication scheme wants it. Secrets never show in its `Debug`.
/// Cheap to clone.
#[derive(Clone)]
pub struct AuthToken {
    entries: Arc<Map>,
}

impl PartialEq for AuthToken {
    fn eq(&self, other: &Self) -> bool {
        // Nearly always the very same, which is quickly seen.
        Arc::ptr_eq(&self.entries, &other.entries) || self.entries == other.entries
    }
}

impl AuthToken {
    fn scheme(scheme: &str) -> Self {
        Self {
            entries: Arc::new(crate::params! { "scheme" => scheme }),
        }
    }

    fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.entries).insert(key.to_owned(), value.into().into());
        self
    }

    /// No login, for servers with authentication switched off.
    pub fn none() -> Self {
        Self::scheme("none")
    }

    /// A user name and a password.
    pub fn basic(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self::scheme("basic")
            .with("principal", user)
            .with("credentials", password)
    }

    /// A user name and a password of a realm.
    pub fn basic_with_realm(
        user: impl Into<String>,
        password: impl Into<String>,
        realm: impl Into<String>,
    ) -> Self {
        Self::basic(user, password).with("realm", realm)
    }

    /// A token of a single sign-on service.
    pub fn bearer(token: impl Into<String>) -> Self {
        Self::scheme("bearer").with("credentials", token)
    }

    /// A base64 encoded Kerberos ticket.
    pub fn kerberos(ticket: impl Into<String>) -> Self {
        Self::scheme("kerberos")
            .with("principal", "")
            .with("credentials", ticket)
    }

    /// Whatever a server's own scheme wants. Credentials and realm are left out where they are
    /// empty.
    pub fn custom(
        principal: impl Into<String>,
        credentials: impl Into<String>,
        realm: impl Into<String>,
        scheme: impl Into<String>,
        parameters: Map,
    ) -> Self {
        let mut token = Self::scheme(&scheme.into()).with("principal", principal);
        for (key, value) in [("credentials", credentials.into()), ("realm", realm.into())] {
            if !value.is_empty() {
                token = token.with(key, value);
            }
        }
        if !parameters.is_empty() {
            Arc::make_mut(&mut token.entries).insert("parameters".to_owned(), parameters.into());
        }
        token
    }

    /// All that is sent to the server, secrets included.
    pub fn entries(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.entries.iter()
    }

    /// Whose login it is, where the scheme says so.
    pub fn principal(&self) -> Option<&str> {
        match self.entries.get("principal") {
            Some(Value::String(principal)) if !principal.is_empty() => Some(principal),
            _ => None,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Writes the pairs without a map's header, so that HELLO can carry them among its own.
    pub(crate) fn pairs(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        self.entries.iter().try_for_each(|(key, value)| {
            encoder.string(key)?;
            value.to_bolt(encoder)
        })
    }
}

impl fmt::Debug for AuthToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthToken")
            .field("scheme", &self.entries.get("scheme"))
            .field("principal", &self.entries.get("principal"))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_show() {
        let shown = format!("{:?}", AuthToken::basic("neo4j", "open sesame"));
        assert!(
            shown.contains("neo4j") && !shown.contains("sesame"),
            "{shown}"
        );
    }
}
