//! Which node a relationship field belongs to.

use std::cell::RefCell;

use bytes::{Bytes, BytesMut};
use neo_bolt::packstream::{Dialect, EncodeError, Encoder};

use crate::executor::Graph;
use crate::mapping::{KeyOf, Node, NodeSchema};

/// The node that a relationship field belongs to, and the graph where it is, as small as can be:
/// each node that is read has one, and few are ever asked.
#[derive(Debug, Clone)]
pub struct Origin {
    graph: Graph,
    schema: &'static NodeSchema,
    /// The key's values as PackStream has them.
    key: Bytes,
}

/// The same with the key's values at hand.
#[derive(Debug, Clone)]
pub(crate) struct NamedOrigin {
    pub(crate) graph: Graph,
    pub(crate) key: KeyOf,
}

/// How many bytes of keys share an allocation, which stays as long as any of their nodes.
const CHUNK: usize = 4096;

thread_local! {
    /// Where the next keys are written.
    static KEYS: RefCell<BytesMut> = RefCell::new(BytesMut::new());
}

impl Origin {
    /// Where `node` is.
    ///
    /// # Errors
    /// A key value can't be sent at all, such as an integer beyond 64 signed bits.
    pub fn new<N: Node>(node: &N, graph: &Graph) -> Result<Self, EncodeError> {
        let key = KEYS.with_borrow_mut(|keys| {
            if keys.capacity() < 64 {
                *keys = BytesMut::with_capacity(CHUNK);
            }
            // What an encoding that failed has left.
            keys.clear();
            KeyOf::encode(node, &mut Encoder::new(keys, Dialect::NEWEST))?;
            Ok::<_, EncodeError>(keys.split().freeze())
        })?;
        Ok(Self {
            graph: graph.clone(),
            schema: N::SCHEMA,
            key,
        })
    }

    pub(super) fn named(&self) -> NamedOrigin {
        NamedOrigin {
            graph: self.graph.clone(),
            key: KeyOf::read(self.schema, &self.key),
        }
    }
}
