//! Nodes as rows of a statement, straight from the structs.

use neo_bolt::packstream::{EncodeError, Encoder, ToBolt};
use neo_bolt::value::DateTime;

use super::version::Versions;
use crate::mapping::Node;
use crate::relation::pairs::{Failed, row_key, row_number};

/// The parameters of a statement about many nodes: `rows`, a map for each with `k0`… for its
/// key, `i` for its number, `v` for its version and `p` for its properties where they are asked for;
/// and `now`.
pub(super) struct NodeRows<'r, 'a, N> {
    pub(super) nodes: &'r [&'a N],
    /// Which of the nodes, in the order in which they are written.
    pub(super) order: &'r [usize],
    pub(super) numbered: bool,
    pub(super) properties: bool,
    pub(super) versions: Option<Versions<'r>>,
    pub(super) now: Option<&'r DateTime>,
    pub(super) failed: &'r Failed,
}

impl<N: Node> ToBolt for NodeRows<'_, '_, N> {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        let keys = N::SCHEMA.keys().count();
        let versions = self.versions.map_or(0, |_| Versions::ENTRIES);
        let flags = usize::from(self.numbered) + usize::from(self.properties);
        let entries = keys + versions + flags;
        encoder.map(1 + usize::from(self.now.is_some()))?;
        if let Some(now) = self.now {
            encoder.string("now")?;
            now.to_bolt(encoder)?;
        }
        encoder.string("rows")?;
        encoder.list(self.order.len())?;
        for index in self.order {
            let Some(node) = self.nodes.get(*index) else {
                continue;
            };
            let mut write = || {
                encoder.map(entries)?;
                if self.numbered {
                    row_number(encoder, *index)?;
                }
                for key in 0..keys {
                    row_key(encoder, b'k', key)?;
                    node.encode_key(key, encoder)?;
                }
                if let Some(versions) = self.versions {
                    versions.write(*node, encoder)?;
                }
                if self.properties {
                    encoder.string("p")?;
                    node.encode_properties(encoder)?;
                }
                Ok(())
            };
            self.failed.watch(*index, write())?;
        }
        Ok(())
    }
}
