//! A routing table: pure data, with the time handed in.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::config::AccessMode;
use crate::connection::Address;
use crate::error::{Error, ErrorKind};
use crate::value::{Map, Value};

/// Which members of a cluster serve a database, and until when that is known.
#[derive(Debug, Clone, PartialEq)]
pub struct RoutingTable {
    pub(super) database: Option<Arc<str>>,
    pub(super) routers: Vec<Address>,
    pub(super) readers: Vec<Address>,
    pub(super) writers: Vec<Address>,
    /// It came without anybody who writes: whoever sent it may be cut off from the rest.
    pub(super) came_without_writers: bool,
    ttl: Duration,
    expires: Instant,
}

impl RoutingTable {
    /// The database; `None` where the server is too old to name the home database.
    pub fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    /// Who tells routing tables.
    pub fn routers(&self) -> &[Address] {
        &self.routers
    }

    /// Who serves what only reads.
    pub fn readers(&self) -> &[Address] {
        &self.readers
    }

    /// Who serves what writes; nobody while a leader is being chosen.
    pub fn writers(&self) -> &[Address] {
        &self.writers
    }

    /// For how long the table was good when it came.
    pub fn ttl(&self) -> Duration {
        self.ttl
    }

    /// Reads the answer of a router that was asked for `database`.
    pub(crate) fn parse(
        table: &Map,
        database: Option<&Arc<str>>,
        now: Instant,
    ) -> Result<Self, Error> {
        let broken = |what: &str| {
            Error::new(
                ErrorKind::Protocol,
                format!("the server's routing table {what}"),
            )
        };
        let Some(Value::Integer(ttl)) = table.get("ttl") else {
            return Err(broken("has no time to live"));
        };
        let ttl = u64::try_from(*ttl).map_err(|_| broken("has a negative time to live"))?;
        // A year is as good as for ever, and can be added.
        let ttl = Duration::from_secs(ttl.min(31_536_000));
        let mut parsed = Self {
            database: match table.get("db") {
                Some(Value::String(database)) => Some(database.as_str().into()),
                _ => database.cloned(),
            },
            routers: Vec::new(),
            readers: Vec::new(),
            writers: Vec::new(),
            came_without_writers: false,
            ttl,
            expires: now + ttl,
        };
        let Some(Value::List(servers)) = table.get("servers") else {
            return Err(broken("has no servers"));
        };
        for server in servers {
            let Value::Map(server) = server else {
                return Err(broken("has a broken entry"));
            };
            let (Some(Value::String(role)), Some(Value::List(addresses))) =
                (server.get("role"), server.get("addresses"))
            else {
                return Err(broken("has an entry without role or addresses"));
            };
            let list = match role.as_str() {
                "ROUTE" => &mut parsed.routers,
                "READ" => &mut parsed.readers,
                "WRITE" => &mut parsed.writers,
                _ => continue,
            };
            for address in addresses {
                let parsed = match address {
                    Value::String(text) => Address::parse(text),
                    _ => None,
                };
                list.push(parsed.ok_or_else(|| broken("has an address that is none"))?);
            }
        }
        parsed.came_without_writers = parsed.writers.is_empty();
        if parsed.routers.is_empty() || parsed.readers.is_empty() {
            return Err(broken("names no router or no reader"));
        }
        Ok(parsed)
    }

    /// Whether it serves this purpose now: a table without a writer is good for reading.
    pub(super) fn is_fresh(&self, mode: AccessMode, now: Instant) -> bool {
        now < self.expires && !self.servers(mode).is_empty()
    }

    /// Whether it has not run out for long: its routers may be asked for the next one.
    pub(super) fn is_of_use(&self, now: Instant) -> bool {
        now < self.expires + Duration::from_secs(60)
    }

    pub(super) fn members(&self) -> impl Iterator<Item = &Address> {
        [&self.routers, &self.readers, &self.writers]
            .into_iter()
            .flatten()
    }

    pub(super) fn servers(&self, mode: AccessMode) -> &[Address] {
        match mode {
            AccessMode::Read => &self.readers,
            AccessMode::Write => &self.writers,
        }
    }

    /// The server is gone.
    pub(super) fn remove(&mut self, address: &Address) {
        for list in [&mut self.routers, &mut self.readers, &mut self.writers] {
            list.retain(|known| known != address);
        }
    }

    /// The server leads no more.
    pub(super) fn demote(&mut self, address: &Address) {
        self.writers.retain(|known| known != address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> Map {
        let server = |role: &str, address: &str| {
            Value::Map(crate::params! { "role" => role, "addresses" => vec![address] })
        };
        let servers = Value::List(vec![
            server("ROUTE", "r:1"),
            server("READ", "a:2"),
            server("WRITE", "b:3"),
        ]);
        crate::params! { "ttl" => 10, "servers" => servers }
    }

    #[test]
    fn a_table_serves_until_it_expires_or_its_writer_goes() {
        let now = Instant::now();
        let mut table = RoutingTable::parse(&answer(), None, now).unwrap();
        let later = now + Duration::from_secs(9);
        assert!(table.is_fresh(AccessMode::Write, later));
        assert!(!table.is_fresh(AccessMode::Write, later + Duration::from_secs(1)));
        assert!(table.is_of_use(now + Duration::from_secs(69)));
        assert!(!table.is_of_use(now + Duration::from_secs(70)));
        table.demote(&Address::new("b", 3));
        assert!(!table.is_fresh(AccessMode::Write, now));
        assert!(table.is_fresh(AccessMode::Read, now));
        table.remove(&Address::new("a", 2));
        assert!(!table.is_fresh(AccessMode::Read, now));
    }

    #[test]
    fn broken_tables_are_refused() {
        let now = Instant::now();
        for broken in [
            Map::new(),
            crate::params! { "ttl" => 1 },
            crate::params! { "ttl" => -1, "servers" => Value::List(vec![]) },
            crate::params! { "ttl" => 1, "servers" => Value::List(vec![]) },
        ] {
            assert_eq!(
                RoutingTable::parse(&broken, None, now).unwrap_err().kind(),
                ErrorKind::Protocol
            );
        }
    }
}
