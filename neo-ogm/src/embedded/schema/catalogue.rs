//! The rules of the schema, in tables of their own in the database file.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use neo_bolt::server::Failure;
use rusqlite::{Connection, OptionalExtension, params};

use super::command::{EntityType, Rule, RuleKind};
use crate::embedded::failure::storage;

/// What separates the properties of a rule in its row; no name has it.
const SEPARATOR: char = '\u{1F}';

/// A rule and its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: i64,
    pub(crate) rule: Rule,
}

/// The rules, through an SQLite connection of their own.
#[derive(Debug)]
pub(crate) struct Catalogue {
    connection: Mutex<Connection>,
    known: Mutex<(i64, Arc<Vec<Entry>>)>,
}

impl Catalogue {
    /// Opens the catalogue of a database file, and makes it where it is not yet there.
    pub(crate) fn open(path: &Path, durable: bool) -> Result<Self, rusqlite::Error> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        let synchronous = if durable { "FULL" } else { "OFF" };
        connection.execute_batch(&format!(
            "PRAGMA synchronous = {synchronous};
             CREATE TABLE IF NOT EXISTS neo_ogm_meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
             CREATE TABLE IF NOT EXISTS neo_ogm_schema (
                 id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
                 entity TEXT NOT NULL, label TEXT NOT NULL, properties TEXT NOT NULL,
                 online INTEGER NOT NULL);
             INSERT OR IGNORE INTO neo_ogm_meta VALUES ('schema_version', 1);"
        ))?;
        // A rule whose making was cut short never held.
        connection.execute("DELETE FROM neo_ogm_schema WHERE NOT online", [])?;
        Ok(Self {
            connection: Mutex::new(connection),
            known: Mutex::new((0, Arc::default())),
        })
    }

    /// The id that the database has had since it was made.
    pub(crate) fn database_id(&self) -> Result<String, rusqlite::Error> {
        let connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        connection.execute(
            "INSERT OR IGNORE INTO neo_ogm_meta VALUES ('database_id', ?1)",
            [uuid::Uuid::new_v7(uuid::Timestamp::now(uuid::NoContext)).to_string()],
        )?;
        connection.query_row(
            "SELECT value FROM neo_ogm_meta WHERE key = 'database_id'",
            [],
            |row| row.get(0),
        )
    }

    /// All rules that hold, those included that another process has made.
    pub(crate) fn rules(&self) -> Result<Arc<Vec<Entry>>, Failure> {
        let connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let version: i64 = connection
            .prepare_cached("SELECT value FROM neo_ogm_meta WHERE key = 'schema_version'")
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
            .map_err(|error| storage(&error))?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.0 != version {
            *known = (
                version,
                Arc::new(load(&connection).map_err(|error| storage(&error))?),
            );
        }
        Ok(Arc::clone(&known.1))
    }

    /// Writes a rule down; it holds for all who begin to write from now on.
    pub(crate) fn insert(&self, rule: &Rule) -> Result<(), Failure> {
        let properties = rule.properties.join(&SEPARATOR.to_string());
        self.change(|connection| {
            connection.execute(
                "INSERT INTO neo_ogm_schema (name, kind, entity, label, properties, online)
                 VALUES (?1, ?2, ?3, ?4, ?5, 0)",
                params![
                    rule.name,
                    kind_name(rule.kind),
                    entity_name(rule.entity),
                    rule.label,
                    properties
                ],
            )
        })
    }

    /// Says that the data keeps to a rule that was inserted.
    pub(crate) fn confirm(&self, name: &str) -> Result<(), Failure> {
        self.change(|connection| {
            connection.execute(
                "UPDATE neo_ogm_schema SET online = 1 WHERE name = ?1",
                [name],
            )
        })
    }

    /// Strikes a rule out.
    pub(crate) fn remove(&self, name: &str) -> Result<(), Failure> {
        self.change(|connection| {
            connection.execute("DELETE FROM neo_ogm_schema WHERE name = ?1", [name])
        })
    }

    fn change(
        &self,
        change: impl FnOnce(&Connection) -> Result<usize, rusqlite::Error>,
    ) -> Result<(), Failure> {
        let mut connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let apply = || {
            let transaction =
                connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            change(&transaction)?;
            transaction.execute(
                "UPDATE neo_ogm_meta SET value = value + 1 WHERE key = 'schema_version'",
                [],
            )?;
            transaction.commit()
        };
        apply().map_err(|error: rusqlite::Error| storage(&error))
    }

    /// A name that another rule has.
    pub(crate) fn find(&self, name: &str) -> Result<Option<Entry>, Failure> {
        Ok(self
            .rules()?
            .iter()
            .find(|entry| entry.rule.name == name)
            .cloned())
    }

    /// Whether the file is readable at all.
    pub(crate) fn check(&self) -> Result<Option<String>, rusqlite::Error> {
        let connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        connection
            .query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))
            .optional()
            .map(|said| said.filter(|said| said != "ok"))
    }
}

fn load(connection: &Connection) -> Result<Vec<Entry>, rusqlite::Error> {
    connection
        .prepare(
            "SELECT id, name, kind, entity, label, properties FROM neo_ogm_schema ORDER BY id",
        )?
        .query_map([], |row| {
            let (kind, entity, properties): (String, String, String) =
                (row.get(2)?, row.get(3)?, row.get(5)?);
            Ok(Entry {
                id: row.get(0)?,
                rule: Rule {
                    name: row.get(1)?,
                    kind: match kind.as_str() {
                        "UNIQUENESS" => RuleKind::Unique,
                        "TEXT" => RuleKind::Text,
                        _ => RuleKind::Range,
                    },
                    entity: match entity.as_str() {
                        "RELATIONSHIP" => EntityType::Relationship,
                        _ => EntityType::Node,
                    },
                    label: row.get(4)?,
                    properties: properties.split(SEPARATOR).map(Into::into).collect(),
                },
            })
        })?
        .collect()
}

/// What `SHOW` calls a kind.
pub(crate) fn kind_name(kind: RuleKind) -> &'static str {
    match kind {
        RuleKind::Unique => "UNIQUENESS",
        RuleKind::Range => "RANGE",
        RuleKind::Text => "TEXT",
    }
}

/// What `SHOW` calls the kind of entity.
pub(crate) fn entity_name(entity: EntityType) -> &'static str {
    match entity {
        EntityType::Node => "NODE",
        EntityType::Relationship => "RELATIONSHIP",
    }
}
