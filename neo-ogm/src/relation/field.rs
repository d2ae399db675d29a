//! The types of relationship fields.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use neo_bolt::packstream::{DecodeError, Decoder};

use super::connect::{Connect, Others};
use super::disconnect::Disconnect;
use super::ends::Bound;
use super::fetch::Fetch;
use super::loaded::Loaded;
use super::said::PropertiesMissing;
use super::{Origin, ends};
use crate::error::{Error, ErrorKind};
use crate::executor::Graph;
use crate::mapping::{Cardinality, Entity, RelationSchema, Relationship};
use crate::query::LoadPlan;

/// A node at the other end of a relationship, with what the relationship carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related<T, R = ()> {
    /// The node.
    pub node: T,
    /// What the relationship carries.
    pub relationship: R,
}

/// What the derive macro and the loader need of a relationship field.
pub trait RelationField {
    /// Remembers which node the field belongs to.
    fn bind(&self, origin: &Origin, relation: &'static RelationSchema);

    /// Reads the list that a query made for `plan`.
    ///
    /// # Errors
    /// A related node does not decode.
    fn load(
        &mut self,
        plan: &LoadPlan,
        decoder: &mut Decoder<'_>,
        graph: &Graph,
    ) -> Result<(), DecodeError>;
}

/// What the four field types share.
struct Core<T, R> {
    /// Behind a lock, so that saving a node needs only a shared reference to it: a unit of work
    /// whose future is `Send` can't lend exclusive ones.
    bound: Mutex<Option<(Origin, &'static RelationSchema)>>,
    loaded: Option<Loaded<T, R>>,
}

impl<T, R> Core<T, R> {
    fn lock(&self) -> MutexGuard<'_, Option<(Origin, &'static RelationSchema)>> {
        self.bound.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bound(&self) -> Option<Bound> {
        self.lock().as_ref().map(|(origin, relation)| Bound {
            origin: origin.named(),
            relation,
        })
    }

    fn field(&self) -> &'static str {
        self.lock()
            .as_ref()
            .map_or("the relationship", |(_, relation)| relation.field)
    }

    fn loaded(&self) -> Result<&[Related<T, R>], Error> {
        self.loaded.as_ref().map(Loaded::get).ok_or_else(|| {
            Error::new(ErrorKind::NotLoaded {
                field: self.field(),
            })
        })
    }

    fn bind(&self, origin: &Origin, relation: &'static RelationSchema) {
        *self.lock() = Some((origin.clone(), relation));
    }

    fn load(
        &mut self,
        plan: &LoadPlan,
        decoder: &mut Decoder<'_>,
        graph: &Graph,
    ) -> Result<(), DecodeError>
    where
        T: Entity,
        R: Relationship,
    {
        let len = decoder.list()?;
        let related = Loaded::read(len, |index| {
            read_related(plan, decoder, graph).map_err(|error| {
                error
                    .within(format!("[{index}]"))
                    .within(plan.relation.field)
            })
        })?;
        self.loaded = Some(related);
        Ok(())
    }
}

/// Reads `[relationship, node, list…]`.
pub(super) fn read_related<T: Entity, R: Relationship>(
    plan: &LoadPlan,
    decoder: &mut Decoder<'_>,
    graph: &Graph,
) -> Result<Related<T, R>, DecodeError> {
    let parts = decoder.list()?;
    if parts != 2 + plan.next.len() {
        return Err(DecodeError::custom(format_args!(
            "expected a list of {} parts, found {parts}",
            2 + plan.next.len()
        )));
    }
    let relationship = ends::read_relationship::<R>(decoder, graph)?;
    let mut node = T::decode(decoder, graph)?;
    for next in &plan.next {
        node.load_related(next, decoder, graph)?;
    }
    Ok(Related { node, relationship })
}

impl<T: Clone, R: Clone> Clone for Core<T, R> {
    fn clone(&self) -> Self {
        Self {
            bound: Mutex::new(self.lock().clone()),
            loaded: self.loaded.clone(),
        }
    }
}

impl<T, R> Default for Core<T, R> {
    fn default() -> Self {
        Self {
            bound: Mutex::new(None),
            loaded: None,
        }
    }
}

macro_rules! relation_fields {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        pub struct $name<T, R = ()> {
            core: Core<T, R>,
        }

        impl<T, R> $name<T, R> {
            /// Whether the related nodes were loaded with this one.
            pub fn is_loaded(&self) -> bool {
                self.core.loaded.is_some()
            }
        }

        impl<T: Entity, R: Relationship> $name<T, R> {
            /// Connects the node that this field belongs to with `target`.
            ///
            /// Awaiting it is one round trip, in a retried transaction. Connecting what is
            /// connected changes nothing but what the relationship carries; see
            /// [`Connect::properties`].
            ///
            /// # Errors
            /// One of the two nodes is not in the database, or the connection would break the
            /// cardinality at either end.
            pub fn connect<'a>(&'a self, target: &'a T) -> Connect<'a, T, R, PropertiesMissing> {
                Connect::new(self.core.bound(), target, Others::Stay)
            }

            /// Connects with `target` and with nothing else: whatever else the field leads to is
            /// disconnected in the same statement.
            ///
            /// # Errors
            /// As [`connect`](Self::connect).
            pub fn replace<'a>(&'a self, target: &'a T) -> Connect<'a, T, R, PropertiesMissing> {
                Connect::new(self.core.bound(), target, Others::Go)
            }
        }

        impl<T, R> RelationField for $name<T, R>
        where
            T: Entity,
            R: Relationship,
        {
            fn bind(&self, origin: &Origin, relation: &'static RelationSchema) {
                self.core.bind(origin, relation);
            }

            fn load(
                &mut self,
                plan: &LoadPlan,
                decoder: &mut Decoder<'_>,
                graph: &Graph,
            ) -> Result<(), DecodeError> {
                self.core.load(plan, decoder, graph)
            }
        }

        impl<T: Clone, R: Clone> Clone for $name<T, R> {
            fn clone(&self) -> Self {
                Self { core: self.core.clone() }
            }
        }

        impl<T, R> Default for $name<T, R> {
            fn default() -> Self {
                Self { core: Core::default() }
            }
        }

        /// Compares what is loaded.
        impl<T: PartialEq, R: PartialEq> PartialEq for $name<T, R> {
            fn eq(&self, other: &Self) -> bool {
                self.core.loaded == other.core.loaded
            }
        }

        impl<T: Eq, R: Eq> Eq for $name<T, R> {}

        impl<T: fmt::Debug, R: fmt::Debug> fmt::Debug for $name<T, R> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match &self.core.loaded {
                    None => f.write_str("not loaded"),
                    Some(related) => f.debug_list().entries(related.get()).finish(),
                }
            }
        }
    )*};
}

relation_fields! {
    /// A relationship to exactly one node, once it is connected. A second is refused; a change
    /// goes through [`replace`](Self::replace).
    One;
    /// A relationship to one node, or to none.
    ZeroOrOne;
    /// Relationships to one node or more, once one is connected; the last can't be disconnected.
    OneOrMore;
    /// Relationships to any number of nodes.
    Many;
}

impl<T: Entity, R: Relationship> One<T, R> {
    fn related(&self) -> Result<&Related<T, R>, Error> {
        match self.core.loaded()? {
            [only] => Ok(only),
            others => Err(ends::violation(
                self.core.bound().as_ref(),
                Cardinality::One,
                if others.is_empty() {
                    "the database has none; connect one"
                } else {
                    "the database has several; use `replace` to keep one"
                },
            )),
        }
    }

    /// The node, loaded with this one.
    ///
    /// # Errors
    /// It was not loaded, or the database has none or several.
    pub fn get(&self) -> Result<&T, Error> {
        self.related().map(|related| &related.node)
    }

    /// What the relationship carries, loaded with the node.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn relationship(&self) -> Result<&R, Error> {
        self.related().map(|related| &related.relationship)
    }

    /// Asks the database for the node: one round trip.
    ///
    /// # Errors
    /// The database has none or several.
    pub fn fetch(&self) -> Fetch<T, R, T> {
        Fetch::new(self.core.bound(), |bound, mut found| {
            let last = found.pop();
            match (last, found.is_empty()) {
                (Some(only), true) => Ok(only.node),
                (None, _) => Err(ends::violation(
                    Some(bound),
                    Cardinality::One,
                    "the database has none; connect one",
                )),
                _ => Err(ends::violation(
                    Some(bound),
                    Cardinality::One,
                    "the database has several; use `replace` to keep one",
                )),
            }
        })
    }
}

impl<T: Entity, R: Relationship> ZeroOrOne<T, R> {
    fn related(&self) -> Result<Option<&Related<T, R>>, Error> {
        match self.core.loaded()? {
            [] => Ok(None),
            [only] => Ok(Some(only)),
            _ => Err(ends::violation(
                self.core.bound().as_ref(),
                Cardinality::ZeroOrOne,
                "the database has several; use `replace` to keep one",
            )),
        }
    }

    /// The node, loaded with this one, if there is one.
    ///
    /// # Errors
    /// It was not loaded, or the database has several.
    pub fn get(&self) -> Result<Option<&T>, Error> {
        Ok(self.related()?.map(|related| &related.node))
    }

    /// What the relationship carries, loaded with the node, if there is one.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn relationship(&self) -> Result<Option<&R>, Error> {
        Ok(self.related()?.map(|related| &related.relationship))
    }

    /// Asks the database for the node: one round trip.
    ///
    /// # Errors
    /// The database has several.
    pub fn fetch(&self) -> Fetch<T, R, Option<T>> {
        Fetch::new(self.core.bound(), |bound, mut found| {
            let last = found.pop();
            if found.is_empty() {
                return Ok(last.map(|related| related.node));
            }
            Err(ends::violation(
                Some(bound),
                Cardinality::ZeroOrOne,
                "the database has several; use `replace` to keep one",
            ))
        })
    }

    /// Takes the relationship with `target` away. Where there is none, nothing happens.
    ///
    /// # Errors
    /// The node that the field belongs to was neither saved nor found.
    pub fn disconnect<'a>(&'a self, target: &'a T) -> Disconnect<'a, T> {
        Disconnect::new(self.core.bound(), Some(target))
    }

    /// Takes the relationship away, whatever it leads to.
    ///
    /// # Errors
    /// The node that the field belongs to was neither saved nor found.
    pub fn disconnect_all(&self) -> Disconnect<'_, T> {
        Disconnect::new(self.core.bound(), None)
    }
}

macro_rules! several {
    ($name:ident) => {
        impl<T: Entity, R: Relationship> $name<T, R> {
            /// The nodes, loaded with this one.
            ///
            /// # Errors
            /// They were not loaded.
            pub fn get(&self) -> Result<impl ExactSizeIterator<Item = &T>, Error> {
                Ok(self.core.loaded()?.iter().map(|related| &related.node))
            }

            /// The nodes and what their relationships carry, loaded with this one.
            ///
            /// # Errors
            /// They were not loaded.
            pub fn related(&self) -> Result<&[Related<T, R>], Error> {
                self.core.loaded()
            }

            /// Asks the database for the nodes: one round trip.
            ///
            /// # Errors
            /// The node that the field belongs to was neither saved nor found.
            pub fn fetch(&self) -> Fetch<T, R, Vec<Related<T, R>>> {
                Fetch::new(self.core.bound(), |_, found| Ok(found))
            }

            /// Takes the relationship with `target` away. Where there is none, nothing happens.
            ///
            /// # Errors
            /// It is the last of a [`OneOrMore`], or the node that the field belongs to was
            /// neither saved nor found.
            pub fn disconnect<'a>(&'a self, target: &'a T) -> Disconnect<'a, T> {
                Disconnect::new(self.core.bound(), Some(target))
            }
        }
    };
}
several!(OneOrMore);
several!(Many);

impl<T: Entity, R: Relationship> Many<T, R> {
    /// Takes all relationships of the field away.
    ///
    /// # Errors
    /// The node that the field belongs to was neither saved nor found.
    pub fn disconnect_all(&self) -> Disconnect<'_, T> {
        Disconnect::new(self.core.bound(), None)
    }
}
