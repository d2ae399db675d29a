//! The statements that write one node, and their parameters.

use std::fmt::Write as _;

use bytes::BytesMut;
use neo_bolt::packstream::{Decoder, Dialect, EncodeError, Encoder, FromBolt, ToBolt};
use neo_bolt::value::{DateTime, Map, Value};

use crate::executor::WriteStatement;
use crate::mapping::{self, Managed, Node, NodeSchema, PropertyRole};
use crate::query::escape;
use crate::relation::{keyed, lock};

/// The property that a node has, until the end of the statement, if the statement created it.
const NEW: &str = "_neo_ogm_new";

/// Which way a node is written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way<'a> {
    /// Made, or its properties set.
    Save,
    /// Made; it must be new.
    Insert,
    /// Made, or left as it is, and read.
    GetOrCreate,
    /// Its properties set; it must be there.
    Update,
    /// Some of its properties set; it must be there.
    Change(&'a Map),
}

impl Way<'_> {
    pub(super) fn must_exist(self) -> bool {
        matches!(self, Self::Update | Self::Change(_))
    }

    /// What is written is written on a node that is new, and on no other.
    pub(super) fn creates_only(self) -> bool {
        matches!(self, Self::Insert | Self::GetOrCreate)
    }
}

/// One write of one node: what the statement and its parameters are made of.
pub(super) struct Write<'a, N> {
    pub(super) node: &'a N,
    pub(super) way: Way<'a>,
    /// The struct's version, where it has one and it counts.
    pub(super) expected: Option<i64>,
    /// Whether the caller wants to know if the node is new.
    pub(super) wants_created: bool,
    pub(super) now: DateTime,
    pub(super) managed: Managed<'a>,
}

/// The name of the property of a role.
pub(in crate::operation) fn of_role(
    schema: &NodeSchema,
    role: PropertyRole,
) -> Option<&'static str> {
    mapping::of_role(schema.properties, role)
}

impl<N: Node> Write<'_, N> {
    pub(super) fn version(&self) -> Option<&'static str> {
        of_role(N::SCHEMA, PropertyRole::Version)
    }

    /// Whether the node's version must be the expected one.
    pub(super) fn is_checked(&self) -> bool {
        self.version().is_some() && !self.way.creates_only()
    }

    /// Whether the statement makes the node where it is not there.
    fn merges(&self) -> bool {
        // A node that has a version was there; where it is gone it must not come back.
        !self.way.must_exist() && (self.expected.is_none() || self.way.creates_only())
    }

    fn uses_now(&self) -> bool {
        let has = |role| of_role(N::SCHEMA, role).is_some();
        has(PropertyRole::UpdatedAt) || (self.merges() && has(PropertyRole::CreatedAt))
    }

    /// Whether the statement returns a row.
    pub(super) fn returns(&self) -> bool {
        self.returns_created()
            || self.returns_something()
            || self.way.must_exist()
            || self.is_checked()
    }

    pub(super) fn returns_created(&self) -> bool {
        self.merges() && (self.wants_created || self.way.creates_only())
    }

    fn returns_something(&self) -> bool {
        self.managed.element_id.is_some() || self.managed.created_at.is_some()
    }

    /// The statement.
    pub(super) fn statement(&self) -> WriteStatement {
        let mut text = String::with_capacity(192);
        text.push_str(if self.merges() { "MERGE " } else { "MATCH " });
        keyed(&mut text, "n", "k", N::SCHEMA);
        if self.way.creates_only() {
            text.push_str(" ON CREATE SET n += $p");
            self.version_and_times(&mut text, true);
            let _ = write!(text, ", n.{NEW} = true");
            // A node that is new has no label to remove.
            created_labels(&mut text, self.node);
        } else {
            self.on_create(&mut text);
            self.guard(&mut text);
            text.push_str(" SET n += $p");
            self.version_and_times(&mut text, false);
            labels(&mut text, self.node);
        }
        if self.returns_created() {
            let _ = write!(
                text,
                " WITH n, coalesce(n.{NEW}, false) AS created REMOVE n.{NEW}"
            );
        }
        let mut statement = WriteStatement::new(text);
        if matches!(self.way, Way::GetOrCreate) {
            statement.column("created", "created");
            statement.column("id", "elementId(n)");
            statement.transient_column("n", "n");
        } else {
            self.columns(&mut statement);
        }
        statement
    }

    /// What a save writes on a node that is new, besides what it always writes.
    fn on_create(&self, text: &mut String) {
        if !self.merges() {
            return;
        }
        let mut word = " ON CREATE SET ";
        if let Some(created) = of_role(N::SCHEMA, PropertyRole::CreatedAt) {
            let _ = write!(text, "{word}n.{} = $now", escape(created));
            word = ", ";
        }
        if self.returns_created() {
            let _ = write!(text, "{word}n.{NEW} = true");
        }
    }

    /// Continues only if the node has the expected version. The lock comes first, so that no other
    /// client writes in between.
    fn guard(&self, text: &mut String) {
        if let Some(version) = self.version() {
            lock(text, "n");
            let _ = write!(
                text,
                " WITH n WHERE coalesce(n.{}, 0) = $v",
                escape(version)
            );
        }
    }

    /// What the mapper writes by itself, behind `SET n += $p`.
    fn version_and_times(&self, text: &mut String, is_new: bool) {
        if let Some(version) = self.version() {
            let version = escape(version);
            let _ = match is_new {
                true => write!(text, ", n.{version} = 1"),
                false => write!(text, ", n.{version} = $v + 1"),
            };
        }
        let created = of_role(N::SCHEMA, PropertyRole::CreatedAt).filter(|_| is_new);
        let updated = of_role(N::SCHEMA, PropertyRole::UpdatedAt);
        for time in created.into_iter().chain(updated) {
            let _ = write!(text, ", n.{} = $now", escape(time));
        }
    }

    /// What comes back.
    fn columns(&self, statement: &mut WriteStatement) {
        if self.returns_created() {
            statement.column("created", "created");
        }
        if self.managed.element_id.is_some() {
            statement.column("id", "elementId(n)");
        }
        if self.managed.created_at.is_some()
            && let Some(created) = of_role(N::SCHEMA, PropertyRole::CreatedAt)
        {
            statement.column("created_at", format_args!("n.{}", escape(created)));
        }
        if self.returns() && !self.returns_created() && !self.returns_something() {
            statement.column("written", "1");
        }
    }

    pub(super) fn parameters(&self) -> Parameters<'_, Self> {
        Parameters { write: self }
    }

    /// The node that the statement created, as a server would send it.
    pub(super) fn created_node(&self, element_id: &str) -> Result<BytesMut, EncodeError> {
        let schema = N::SCHEMA;
        let mut written = BytesMut::new();
        self.parameters()
            .to_bolt(&mut Encoder::new(&mut written, Dialect::NEWEST))?;
        let mut parameters = Map::from_bolt(&mut Decoder::new(&written)).unwrap_or_default();
        let mut properties = match parameters.remove("p") {
            Some(Value::Map(properties)) => properties,
            _ => Map::new(),
        };
        for (index, key) in schema.keys().enumerate() {
            let value = parameters.remove(&format!("k{index}")).unwrap_or_default();
            properties.insert(key.name.to_owned(), value);
        }
        if let Some(version) = self.version() {
            properties.insert(version.to_owned(), 1.into());
        }
        for role in [PropertyRole::CreatedAt, PropertyRole::UpdatedAt] {
            if let Some(time) = of_role(schema, role) {
                properties.insert(time.to_owned(), self.now.clone().into());
            }
        }
        properties.retain(|_, value| *value != Value::Null);
        let set = self.node.optional_labels();
        let optional = schema.optional_labels.iter().enumerate();
        let optional = optional.filter(|(bit, _)| set >> bit & 1 == 1);
        let labels: Vec<&str> = [schema.label]
            .into_iter()
            .chain(schema.labels.iter().copied())
            .chain(optional.map(|(_, of)| of.label))
            .collect();
        let mut node = BytesMut::new();
        let mut encoder = Encoder::new(&mut node, Dialect::NEWEST);
        encoder.structure(b'N', 4);
        encoder.integer(0);
        labels.to_bolt(&mut encoder)?;
        properties.to_bolt(&mut encoder)?;
        encoder.string(element_id)?;
        Ok(node)
    }
}

/// Straight from the struct: `k0`…, `p`, and what the mapper itself writes.
pub(super) struct Parameters<'a, W> {
    write: &'a W,
}

impl<N: Node> ToBolt for Parameters<'_, Write<'_, N>> {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        let Self { write } = self;
        let keys = N::SCHEMA.keys().count();
        let (now, v) = (write.uses_now(), write.is_checked());
        encoder.map(keys + 1 + usize::from(now) + usize::from(v))?;
        for index in 0..keys {
            key_name(encoder, index)?;
            write.node.encode_key(index, encoder)?;
        }
        if now {
            encoder.string("now")?;
            write.now.to_bolt(encoder)?;
        }
        if v {
            encoder.string("v")?;
            encoder.integer(write.expected.unwrap_or(0));
        }
        encoder.string("p")?;
        match write.way {
            Way::Change(changes) => changes.to_bolt(encoder),
            _ => write.node.encode_properties(encoder),
        }
    }
}

fn key_name(encoder: &mut Encoder<'_>, index: usize) -> Result<(), EncodeError> {
    const NAMES: [&str; 4] = ["k0", "k1", "k2", "k3"];
    match NAMES.get(index) {
        Some(name) => encoder.string(name),
        None => encoder.string(&format!("k{index}")),
    }
}

/// Writes the labels besides the one of the pattern: `, n:Product` goes on with a `SET`, and
/// ` REMOVE n:Featured` ends it. There are as many texts as there are combinations of optional
/// labels.
pub(in crate::operation) fn labels<N: Node>(text: &mut String, node: &N) {
    created_labels(text, node);
    let set = node.optional_labels();
    let mut word = " REMOVE ";
    for (bit, of) in N::SCHEMA.optional_labels.iter().enumerate() {
        if set >> bit & 1 == 0 {
            let _ = write!(text, "{word}n:{}", escape(of.label));
            word = ", ";
        }
    }
}

/// The labels that a node has from its start.
pub(in crate::operation) fn created_labels<N: Node>(text: &mut String, node: &N) {
    for label in N::SCHEMA.labels {
        let _ = write!(text, ", n:{}", escape(label));
    }
    let set = node.optional_labels();
    for (bit, of) in N::SCHEMA.optional_labels.iter().enumerate() {
        if set >> bit & 1 == 1 {
            let _ = write!(text, ", n:{}", escape(of.label));
        }
    }
}

/// The question for the version of a node.
pub(in crate::operation) fn version_of(schema: &NodeSchema) -> String {
    let version = of_role(schema, PropertyRole::Version).unwrap_or_default();
    let mut text = String::from("MATCH ");
    keyed(&mut text, "n", "k", schema);
    let _ = write!(
        text,
        " RETURN coalesce(n.{}, 0) AS version",
        escape(version)
    );
    text
}
