//! Versions of nodes that are written in bulk: each row is compared with its node, and a batch with
//! one row of another version is not written.

use std::fmt::Write as _;
use std::sync::Arc;

use neo_bolt::packstream::{EncodeError, Encoder};

use crate::executor::Attempt;
use crate::mapping::{Node, NodeSchema, PropertyRole};
use crate::operation::write::of_role;
use crate::query::{escape, raise_with};
use crate::relation::lock;
use crate::relation::pairs::GUARD;

/// The name of the version's property.
pub(super) fn property(schema: &NodeSchema) -> Option<String> {
    of_role(schema, PropertyRole::Version).map(|name| escape(name).into_owned())
}

/// Writes what refuses rows of another version, for the reason `v` with the version behind it.
pub(super) fn guard(text: &mut String, version: &str) {
    let found = format!("coalesce(n.{version}, 0)");
    lock(text, "n");
    // Writing to a string does not fail, here and below.
    let _ = write!(
        text,
        " SET n.{GUARD} = CASE WHEN {found} = row.v THEN null ELSE "
    );
    raise_with(text, "row.i", 'v', &found);
    text.push_str(" END");
}

/// Continues a `SET` on a node that may have been there.
pub(super) fn raised_by_one(text: &mut String, version: &str) {
    let _ = write!(text, ", n.{version} = row.v + 1");
}

/// Continues a `SET` on a node that is new.
pub(super) fn first(text: &mut String, version: &str) {
    let _ = write!(text, ", n.{version} = 1");
}

/// What the rows of one batch say of their versions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Versions<'r> {
    pub(super) attempt: Option<&'r Arc<Attempt>>,
}

impl Versions<'_> {
    /// How many entries a row has for them.
    pub(super) const ENTRIES: usize = 1;

    /// Writes the version that the node has.
    pub(super) fn write<N: Node>(
        self,
        node: &N,
        encoder: &mut Encoder<'_>,
    ) -> Result<(), EncodeError> {
        encoder.string("v")?;
        let version = node.managed().version;
        let seen = version.and_then(|version| version.0.seen_by(self.attempt));
        encoder.integer(seen.unwrap_or(0));
        Ok(())
    }
}
