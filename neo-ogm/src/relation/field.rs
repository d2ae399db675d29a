//! The types of relationship fields.

use std::fmt;
use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError};

use neo_bolt::packstream::{DecodeError, Decoder};

use super::ask::{CountRelated, IsConnected};
use super::change::UpdateRelationship;
use super::connect::{Connect, Others};
use super::ends::Bound;
use super::loaded::Loaded;
use super::origin::Binding;
use super::reconnect::Reconnect;
use super::said::PropertiesMissing;
use super::{Origin, Visitor};
use crate::error::{Error, ErrorKind};
use crate::executor::Graph;
use crate::mapping::{Entity, Node, RelationSchema, Relationship, decode_carried};
use crate::query::LoadPlan;

/// A node at the other end of a relationship, with what the relationship carries. It derefs to the
/// node: `related.title` is `related.node.title`.
///
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related<T, R = ()> {
    /// The node.
    pub node: T,
    /// What the relationship carries.
    pub relationship: R,
}

impl<T, R> Related<T, R> {
    /// A node with what the relationship to it is to carry.
    pub fn new(node: T, relationship: R) -> Self {
        Self { node, relationship }
    }
}

/// It is the node, as far as its fields and methods are asked for.
impl<T, R> Deref for Related<T, R> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.node
    }
}

/// What the derive macro and the loader need of a relationship field.
pub trait RelationField {
    /// Remembers which node the field belongs to.
    fn bind(&self, origin: Origin, relation: &'static RelationSchema);

    /// Shows what is in the field of `source` to somebody who saves it.
    fn visit<'v, N: Node>(
        &'v self,
        source: &'v N,
        relation: &'static RelationSchema,
        visitor: &mut Visitor<'v>,
    );

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
pub(super) struct Core<T, R> {
    /// Behind a lock, so that saving a node needs only a shared reference to it: a unit of work
    /// whose future is `Send` can't lend exclusive ones.
    bound: Mutex<Option<Binding>>,
    pub(super) loaded: Option<Loaded<T, R>>,
}

impl<T, R> Core<T, R> {
    fn lock(&self) -> MutexGuard<'_, Option<Binding>> {
        let mut bound = self.bound.lock().unwrap_or_else(PoisonError::into_inner);
        Binding::settle(&mut bound);
        bound
    }

    pub(super) fn bound(&self) -> Option<Bound> {
        self.lock().as_ref().map(|binding| Bound {
            origin: binding.named(),
            relation: binding.relation,
        })
    }

    pub(super) fn field(&self) -> &'static str {
        self.lock()
            .as_ref()
            .map_or("the relationship", |binding| binding.relation.field)
    }

    pub(super) fn loaded(&self) -> Result<&[Related<T, R>], Error> {
        self.loaded.as_ref().map(Loaded::get).ok_or_else(|| {
            Error::new(ErrorKind::NotLoaded {
                field: self.field(),
            })
        })
    }

    fn bind(&self, origin: Origin, relation: &'static RelationSchema) {
        Binding::bind(&mut self.lock(), origin, relation);
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

impl<T, R> Core<T, R>
where
    T: Send + Sync + 'static,
    R: Send + Sync + 'static,
{
    /// Puts a list of the program's own into the field.
    pub(super) fn give(&mut self, list: Vec<Related<T, R>>) {
        self.loaded = Some(Loaded::given(list));
    }

    /// What is in the field, taken out to be changed; nothing where it was not loaded.
    pub(super) fn take_list(&mut self) -> Vec<Related<T, R>>
    where
        T: Clone,
        R: Clone,
    {
        let loaded = self.loaded.take();
        loaded.map_or_else(Vec::new, Loaded::into_list)
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
    let relationship = decode_carried(decoder, graph)?;
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
            pub(super) core: Core<T, R>,
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

            /// Leads the relationship with `old` to `new`, in one statement: what it carries comes
            /// along, unless [`Reconnect::properties`] says otherwise. Where `new` is connected
            /// already, the two become one.
            ///
            /// It may run twice: where `old` is not connected any more and `new` is, nothing
            /// happens.
            ///
            /// ```
            /// # use neo_ogm::prelude::*;
            /// # #[derive(Node, Debug, Clone)]
            /// # struct Book { #[node(key)] isbn: String,
            /// #     #[relationship(type = "WRITTEN_BY")] author: One<Person, WrittenBy> }
            /// # #[derive(Node, Debug, Clone)] struct Person { #[node(key)] name: String }
            /// # #[relationship(type = "WRITTEN_BY")] #[derive(Debug, Clone)] struct WrittenBy { year: i32 }
            /// # #[tokio::main] async fn main() -> Result<(), neo_ogm::Error> {
            /// # let graph = Graph::in_memory().await?;
            /// # let book = Book::new("1");
            /// # let (pseudonym, author) = (Person::new("Currer Bell"), Person::new("Charlotte Brontë"));
            /// # book.save(&graph).await?; pseudonym.save(&graph).await?; author.save(&graph).await?;
            /// # book.author.connect(&pseudonym).properties(WrittenBy { year: 1847 }).await?;
            /// book.author.reconnect(&pseudonym, &author).await?;
            /// # let found = Book::find().load(Book::AUTHOR).one(&graph).await?.unwrap();
            /// # assert_eq!(found.author.get()?.name, "Charlotte Brontë");
            /// # assert_eq!(found.author.relationship()?.year, 1847);
            /// # Ok(()) }
            /// ```
            ///
            /// # Errors
            /// [`ErrorKind::NotConnected`] where neither is connected, or as
            /// [`connect`](Self::connect).
            pub fn reconnect<'a>(&'a self, old: &'a T, new: &'a T) -> Reconnect<'a, T, R> {
                Reconnect::new(self.core.bound(), old, new)
            }

            /// Changes some of what the relationship with `target` carries; the rest stays.
            ///
            /// ```
            /// # use neo_ogm::prelude::*;
            /// # #[derive(Node, Debug, Clone)]
            /// # struct Book { #[node(key)] isbn: String,
            /// #     #[relationship(type = "WRITTEN_BY")] author: One<Person, WrittenBy> }
            /// # #[derive(Node, Debug, Clone)] struct Person { #[node(key)] name: String }
            /// # #[relationship(type = "WRITTEN_BY")] #[derive(Debug, Clone)]
            /// # struct WrittenBy { year: i32, place: Option<String> }
            /// # #[tokio::main] async fn main() -> Result<(), neo_ogm::Error> {
            /// # let graph = Graph::in_memory().await?;
            /// # let (book, author) = (Book::new("1"), Person::new("Leo Tolstoy"));
            /// # book.save(&graph).await?; author.save(&graph).await?;
            /// # let wrote = WrittenBy { year: 1877, place: None };
            /// # book.author.connect(&author).properties(wrote).await?;
            /// book.author
            ///     .update_relationship(&author)
            ///     .set(WrittenBy::PLACE, "Yasnaya Polyana")
            ///     .await?;
            /// # let found = Book::find().load(Book::AUTHOR).one(&graph).await?.unwrap();
            /// # assert_eq!(found.author.relationship()?.year, 1877);
            /// # assert_eq!(found.author.relationship()?.place.as_deref(), Some("Yasnaya Polyana"));
            /// # Ok(()) }
            /// ```
            ///
            /// # Errors
            /// [`ErrorKind::NotConnected`] where there is no such relationship.
            pub fn update_relationship<'a>(
                &'a self,
                target: &'a T,
            ) -> UpdateRelationship<'a, T, R> {
                UpdateRelationship::new(self.core.bound(), target)
            }

            /// Whether the field leads to `target`: one round trip. Where one of the two nodes is
            /// not in the database, it does not.
            ///
            /// # Errors
            /// The node that the field belongs to was neither saved nor found.
            pub fn is_connected<'a>(&'a self, target: &'a T) -> IsConnected<'a, T, R> {
                IsConnected::new(self.core.bound(), target)
            }

            /// How many relationships the field has: one round trip.
            ///
            /// # Errors
            /// The node that the field belongs to was neither saved nor found, or is not in the
            /// database.
            pub fn count(&self) -> CountRelated<T> {
                CountRelated::new(self.core.bound())
            }
        }

        impl<T, R> RelationField for $name<T, R>
        where
            T: Entity,
            R: Relationship,
        {
            fn bind(&self, origin: Origin, relation: &'static RelationSchema) {
                self.core.bind(origin, relation);
            }

            fn visit<'v, N: Node>(
                &'v self,
                source: &'v N,
                relation: &'static RelationSchema,
                visitor: &mut Visitor<'v>,
            ) {
                if let Some(loaded) = &self.core.loaded {
                    visitor.field(source, relation, loaded.get());
                }
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
