//! Which node a relationship field belongs to.

use std::cell::RefCell;

use bytes::{Bytes, BytesMut};
use neo_bolt::packstream::{Dialect, EncodeError, Encoder};

use crate::executor::Graph;
use crate::mapping::{KeyOf, Node, NodeSchema, RelationSchema};

/// What a node tells its relationship fields: which node it is, and in which graph or transaction
/// it was read or written.
#[derive(Debug, Clone)]
pub struct Origin {
    place: Place,
    /// Whether the node was written rather than read, so that a rollback undoes it.
    written: bool,
}

/// The node that a relationship field belongs to, and the graph where it is, as small as can be:
/// each node that is read has one, and few are ever asked.
#[derive(Debug, Clone)]
struct Place {
    graph: Graph,
    schema: &'static NodeSchema,
    /// The key's values as PackStream has them.
    key: Bytes,
}

/// What a relationship field knows of its node.
///
/// ```text
/// bound on a graph ─▶ settled
/// bound in a transaction ─▶ pending ─┬─ committed ──────────▶ settled, on its graph
///                                    └─ rolled back ─┬─ read ─▶ settled, on its graph
///                                                    └─ written ─▶ as before
/// ```
///
/// As with [`Kept`](crate::mapping::Kept), the transaction does not know of the field.
#[derive(Debug, Clone)]
pub(super) struct Binding {
    place: Place,
    pub(super) relation: &'static RelationSchema,
    /// What a rollback brings back, after a write in a transaction. Boxed, since few nodes have it.
    before: Option<Box<Option<Binding>>>,
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
    /// The origin of a node that was read through `graph`.
    ///
    /// # Errors
    /// A key value can't be sent at all, such as an integer beyond 64 signed bits.
    pub fn new<N: Node>(node: &N, graph: &Graph) -> Result<Self, EncodeError> {
        let place = Place::new(node, graph)?;
        Ok(Self {
            place,
            written: false,
        })
    }

    /// The origin of a node that was written through `graph`.
    pub(crate) fn written<N: Node>(node: &N, graph: &Graph) -> Result<Self, EncodeError> {
        let place = Place::new(node, graph)?;
        Ok(Self {
            place,
            written: true,
        })
    }
}

impl Place {
    fn new<N: Node>(node: &N, graph: &Graph) -> Result<Self, EncodeError> {
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
}

impl Binding {
    /// Binds a field to `origin`.
    pub(super) fn bind(
        field: &mut Option<Self>,
        origin: Origin,
        relation: &'static RelationSchema,
    ) {
        let Origin { place, written } = origin;
        let before = match place.graph.attempt() {
            Some(_) if written => Self::before(field),
            _ => None,
        };
        *field = Some(Self {
            place,
            relation,
            before,
        });
    }

    /// What a rollback of the transaction that writes now brings back of the field.
    fn before(field: &mut Option<Self>) -> Option<Box<Option<Self>>> {
        Self::settle(field);
        match field {
            // The first write of this transaction has kept it; a node that was read in it has none.
            // Of another transaction that goes on, nobody knows the end.
            Some(bound) if bound.place.graph.attempt().is_some() => bound.before.take(),
            _ => Some(Box::new(field.take())),
        }
    }

    /// Sees what has become of the transaction, if there was one.
    pub(super) fn settle(field: &mut Option<Self>) {
        let Some(bound) = field else { return };
        let Some(attempt) = bound.place.graph.attempt() else {
            return;
        };
        if attempt.is_running() {
            return;
        }
        match bound.before.take() {
            Some(before) if !attempt.is_committed() => {
                *field = *before;
                // The node may have been bound in an earlier transaction.
                Self::settle(field);
            }
            _ => {
                if let Some(graph) = bound.place.graph.afterwards().cloned() {
                    bound.place.graph = graph;
                }
            }
        }
    }

    pub(super) fn named(&self) -> NamedOrigin {
        NamedOrigin {
            graph: self.place.graph.clone(),
            key: KeyOf::read(self.place.schema, &self.place.key),
        }
    }
}
