//! Where a server listens.

use std::fmt;
use std::sync::Arc;

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    host: Arc<str>,
    port: u16,
}

impl Address {
    /// The port where Bolt servers listen unless told otherwise.
    pub const DEFAULT_PORT: u16 = 7687;

    /// An address of a host name or an IP address (without brackets) and a port.
    pub fn new(host: &str, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
        }
    }

    /// Reads `host`, `host:port`, `[ipv6]` or `[ipv6]:port`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest.split_once(']')?;
                host.parse::<std::net::Ipv6Addr>().ok()?;
                match rest {
                    "" => (host, None),
                    rest => (host, Some(rest.strip_prefix(':')?)),
                }
            }
            None => match text.split_once(':') {
                Some((_, port)) if port.contains(':') => return None,
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c == '@') {
            return None;
        }
        let port = match port {
            None => Self::DEFAULT_PORT,
            Some(port) => port.parse().ok().filter(|port| *port != 0)?,
        };
        Some(Self::new(host, port))
    }

    /// The host's name or IP address.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// A text that is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no address; expected something like \"localhost:7687\" or \"[::1]:7687\"")]
pub struct ParseAddressError {
    text: String,
}

impl std::str::FromStr for Address {
    type Err = ParseAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text).ok_or_else(|| ParseAddressError {
            text: text.to_owned(),
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, shown) in [
            ("localhost", "localhost:7687"),
            ("db.example:7688", "db.example:7688"),
            ("[::1]", "[::1]:7687"),
            ("[::1]:9", "[::1]:9"),
        ] {
            assert_eq!(Address::parse(text).unwrap().to_string(), shown);
        }
        for text in [
            "", ":7687", "a:b", "a:70000", "a:0", "::1", "[x]:1", "[::1]7", "u@h", "a b",
        ] {
            assert_eq!(Address::parse(text), None, "{text}");
        }
    }
}
