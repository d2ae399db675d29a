//! Which node a relationship field belongs to.

use std::cell::RefCell;
use std::sync::Arc;

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
/// bound in a transaction ─▶ pending ─┬─ committed ───▶ settled, on its graph
///                                    └─ rolled back ─▶ as settled before
/// ```
///
/// As with [`Kept`](crate::mapping::Kept), the transaction does not know of the field. Several
/// transactions may go on that have written the node, since tasks share it by reference: each
/// operation joins the one that its own task runs.
#[derive(Debug, Clone)]
pub(super) struct Binding {
    /// Where the node was read or written last; in a transaction, that goes on as far as is known.
    place: Place,
    pub(super) relation: &'static RelationSchema,
    /// Boxed, since few nodes have it: those that were written while a transaction went on.
    pending: Option<Box<Pending>>,
}

/// What else is known of a node while a transaction goes on. Without it, the node was read in the
/// transaction, and belongs to the graph in any case.
#[derive(Debug, Clone)]
struct Pending {
    /// What was settled before, if anything.
    before: Option<Place>,
    /// Other transactions that go on, the oldest first.
    elsewhere: Vec<Place>,
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
    fn is_same_transaction(&self, other: &Self) -> bool {
        match (self.graph.attempt(), other.graph.attempt()) {
            (Some(one), Some(two)) => Arc::ptr_eq(one, two),
            _ => false,
        }
    }

    /// The node in the graph, when the transaction has ended.
    fn settled(mut self) -> Self {
        if let Some(graph) = self.graph.afterwards().cloned() {
            self.graph = graph;
        }
        self
    }

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
        let pending = match field.take() {
            // Most often by far: a node that is read, or written on a graph.
            None if !written || place.graph.attempt().is_none() => None,
            None => Some(Pending {
                before: None,
                elsewhere: Vec::new(),
            }),
            Some(bound) => {
                let mut pending = bound.apart();
                let elsewhere = &mut pending.elsewhere;
                elsewhere.retain(|other| !other.is_same_transaction(&place));
                Some(pending)
            }
        };
        *field = Some(Self {
            place,
            relation,
            pending: pending.map(Box::new),
        });
        Self::settle(field);
    }

    /// What is settled, and the transactions in which the node was written.
    fn apart(self) -> Pending {
        let pending = self.pending.map(|pending| *pending);
        let mut pending = pending.unwrap_or_else(|| Pending {
            before: Some(self.place.clone().settled()),
            elsewhere: Vec::new(),
        });
        pending.elsewhere.push(self.place);
        pending
    }

    /// Sees what has become of the transactions, if there were any.
    pub(super) fn settle(field: &mut Option<Self>) {
        let is_settled = |bound: &mut Self| match bound.place.graph.attempt() {
            None => bound.pending.is_none(),
            Some(attempt) => attempt.is_running(),
        };
        let Some(bound) = field.take_if(|bound| !is_settled(bound)) else {
            return;
        };
        let relation = bound.relation;
        let Pending {
            mut before,
            elsewhere,
        } = bound.apart();
        let mut running = Vec::new();
        for place in elsewhere {
            match place.graph.attempt() {
                Some(attempt) if attempt.is_running() => running.push(place),
                Some(attempt) if !attempt.is_committed() => {}
                _ => before = Some(place.settled()),
            }
        }
        *field = match running.pop() {
            Some(place) => Some(Self {
                place,
                relation,
                pending: Some(Box::new(Pending {
                    before,
                    elsewhere: running,
                })),
            }),
            None => before.map(|place| Self {
                place,
                relation,
                pending: None,
            }),
        };
    }

    /// The node, where an operation of this task finds it.
    pub(super) fn named(&self) -> NamedOrigin {
        let pending = self.pending.iter();
        let elsewhere = pending.flat_map(|pending| &pending.elsewhere);
        let mut places = std::iter::once(&self.place).chain(elsewhere);
        let place = places.find(|place| place.graph.is_joined());
        let place = place.unwrap_or(&self.place);
        NamedOrigin {
            graph: place.graph.clone(),
            key: KeyOf::read(place.schema, &place.key),
        }
    }
}
