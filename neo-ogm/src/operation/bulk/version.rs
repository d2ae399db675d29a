//! Versions of nodes that are written in bulk: each row is compared with its node, and a batch with
//! one row of another version is not written.

use std::fmt::Write as _;
use std::sync::Arc;

use neo_bolt::packstream::{EncodeError, Encoder};

use crate::executor::Attempt;
use crate::mapping::{Node, NodeSchema, PropertyRole};
use crate::operation::write::{KEPT_WRITES, WRITES, of_role, write_token};
use crate::query::{escape, raise_with};
use crate::relation::lock;
use crate::relation::pairs::GUARD;

/// The name of the version's property.
pub(super) fn property(schema: &NodeSchema) -> Option<String> {
    of_role(schema, PropertyRole::Version).map(|name| escape(name).into_owned())
}

/// Writes what refuses rows of another version, for the reason `v` with the version behind it. Where
/// `skips`, rows that an earlier attempt has written are left out; a batch is written whole, so
/// that is all of them or none.
pub(super) fn guard(text: &mut String, version: &str, skips: bool) {
    let found = format!("coalesce(n.{version}, 0)");
    lock(text, "n");
    // Writing to a string does not fail, here and below.
    let _ = write!(
        text,
        " SET n.{GUARD} = CASE WHEN {found} = row.v OR row.w IN coalesce(n.{WRITES}, []) \
         THEN null ELSE "
    );
    raise_with(text, "row.i", 'v', &found);
    text.push_str(" END");
    if skips {
        let _ = write!(
            text,
            " WITH row, n WHERE NOT row.w IN coalesce(n.{WRITES}, [])"
        );
    }
}

/// Continues a `SET` on a node that may have been there.
pub(super) fn raised_by_one(text: &mut String, version: &str) {
    let _ = write!(
        text,
        ", n.{version} = row.v + 1, \
         n.{WRITES} = ([row.w] + coalesce(n.{WRITES}, []))[0..{KEPT_WRITES}]"
    );
}

/// Continues a `SET` on a node that is new.
pub(super) fn first(text: &mut String, version: &str) {
    let _ = write!(text, ", n.{version} = 1, n.{WRITES} = [row.w]");
}

/// What the rows of one batch say of their versions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Versions<'r> {
    /// The same in each attempt of the batch, and in no other.
    pub(super) token: &'r str,
    pub(super) attempt: Option<&'r Arc<Attempt>>,
}

impl Versions<'_> {
    /// How many entries a row has for them.
    pub(super) const ENTRIES: usize = 2;

    /// Writes the version that the node has, and the token of its write.
    pub(super) fn write<N: Node>(
        self,
        node: &N,
        index: usize,
        encoder: &mut Encoder<'_>,
    ) -> Result<(), EncodeError> {
        encoder.string("v")?;
        let version = node.managed().version;
        let seen = version.and_then(|version| version.0.seen_by(self.attempt));
        encoder.integer(seen.unwrap_or(0));
        encoder.string("w")?;
        // An odd factor, so that no two rows have the same token.
        let row = u64::try_from(index).unwrap_or(0);
        let row = row.wrapping_mul(0x9e37_79b9_7f4a_7c15).cast_signed();
        encoder.integer(write_token(self.token).wrapping_add(row));
        Ok(())
    }
}
