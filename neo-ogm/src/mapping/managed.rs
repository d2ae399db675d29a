//! Fields that the mapper fills: element ids, versions and times of writes.

use std::fmt;
use std::sync::Arc;

use neo_bolt::packstream::{DecodeError, Decoder, EncodeError, Encoder, FromBolt, ToBolt};
use neo_bolt::value::DateTime;

use super::kept::Kept;
use super::{CypherType, Property, kind};
use crate::executor::{Attempt, Graph};

/// The fields of one node or relationship that the mapper fills, as far as the struct has them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Managed<'n> {
    /// The field with `#[node(element_id)]` or `#[relationship(element_id)]`.
    pub element_id: Option<&'n ElementId>,
    /// The field with `#[node(version)]`; relationships have none.
    pub version: Option<&'n Version>,
    /// The field with `created_at`, where it is a [`Timestamp`].
    pub created_at: Option<&'n Timestamp>,
    /// The field with `updated_at`, where it is a [`Timestamp`].
    pub updated_at: Option<&'n Timestamp>,
}

impl Managed<'_> {
    fn is_any(&self) -> bool {
        self.element_id.is_some()
            || self.version.is_some()
            || self.created_at.is_some()
            || self.updated_at.is_some()
    }

    /// Makes what was read through `graph` pending, if that belongs to a transaction whose rollback
    /// may undo it. It costs nothing for a struct without such fields.
    pub(super) fn pend(&self, graph: &Graph) {
        if self.is_any()
            && let Some(attempt) = graph.pending()
        {
            self.element_id.inspect(|field| field.0.pend(attempt));
            self.version.inspect(|field| field.0.pend(attempt));
            self.created_at.inspect(|field| field.0.pend(attempt));
            self.updated_at.inspect(|field| field.0.pend(attempt));
        }
    }

    /// Brings the values of the struct that this one replaces back if what was read is rolled back.
    pub(crate) fn falls_back_to(&self, before: &Managed<'_>) {
        if let (Some(field), Some(before)) = (self.element_id, before.element_id) {
            field.0.falls_back_to(&before.0);
        }
        if let (Some(field), Some(before)) = (self.version, before.version) {
            field.0.falls_back_to(&before.0);
        }
        for (field, before) in [
            (self.created_at, before.created_at),
            (self.updated_at, before.updated_at),
        ] {
            if let (Some(field), Some(before)) = (field, before) {
                field.0.falls_back_to(&before.0);
            }
        }
    }

    /// The transaction in which the values were read or written, while it goes on.
    pub(crate) fn attempt(&self) -> Option<Arc<Attempt>> {
        let version = self.version.and_then(|field| field.0.attempt());
        let id = || self.element_id.and_then(|field| field.0.attempt());
        let mut times = [self.updated_at, self.created_at].into_iter().flatten();
        version
            .or_else(id)
            .or_else(|| times.find_map(|field| field.0.attempt()))
    }
}

macro_rules! managed {
    ($($(#[$doc:meta])* $name:ident($inner:ty);)*) => {$(
        $(#[$doc])*
        pub struct $name(pub(crate) Kept<$inner>);

        impl Default for $name {
            fn default() -> Self {
                Self(Kept::new(None))
            }
        }

        impl Clone for $name {
            fn clone(&self) -> Self {
                Self(self.0.clone())
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.get() == other.0.get()
            }
        }

        impl Eq for $name {}

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.0.get() {
                    Some(value) => value.fmt(f),
                    None => f.write_str("not saved"),
                }
            }
        }
    )*};
}

managed! {
    /// The id by which the database itself knows a node or a relationship, in a field of the
    /// struct: `#[node(element_id)] id: ElementId`, or `#[relationship(element_id)]`.
    ///
    /// It is there once the node was saved or found. The database may give it to another node
    /// when this one is deleted, so it is not a key: keep it for as long as the node is at hand, and
    /// no longer. After the rollback of the transaction in which it was read or written, the field
    /// has its previous value.
    ///
    /// ```
    /// use neo_ogm::prelude::*;
    ///
    /// #[derive(Node)]
    /// struct Book {
    ///     #[node(key)]
    ///     isbn: String,
    ///     #[node(element_id)]
    ///     id: ElementId,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), neo_ogm::Error> {
    /// let graph = Graph::in_memory().await?;
    /// let book = Book::new("978-0-14-303500-8");
    /// assert_eq!(book.id.get(), None);
    /// book.save(&graph).await?;
    /// let id = book.id.get().expect("it is saved");
    /// let found = Book::find_by_element_id(&*id).one(&graph).await?;
    /// assert_eq!(found.unwrap().isbn, book.isbn);
    /// # Ok(())
    /// # }
    /// ```
    ElementId(Arc<str>);

    /// Counts the writes of a node, so that nobody overwrites what another has written in between:
    /// `#[node(version)] version: Version`.
    ///
    /// Each write of the node compares the version that the struct has with that of the database,
    /// and makes it one more; where they differ, nothing is written, and the error is
    /// [`VersionConflict`](crate::ErrorKind::VersionConflict). Then read the node again, change
    /// it again, and save it again. A node that was neither saved nor found must be new.
    ///
    /// Within a transaction, the struct has the new version at once. When the transaction is rolled
    /// back, or runs again, the struct has the old one again: a version that was read or written in
    /// it counts as known only after the commit. An operation that fails, such as an `insert` of a
    /// key that exists, leaves the version as it is.
    ///
    /// ```
    /// use neo_ogm::prelude::*;
    /// use neo_ogm::ErrorKind;
    ///
    /// #[derive(Node, Clone)]
    /// struct Account {
    ///     #[node(key)]
    ///     number: String,
    ///     balance: i64,
    ///     #[node(version)]
    ///     version: Version,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), neo_ogm::Error> {
    /// let graph = Graph::in_memory().await?;
    /// let mut account = Account::new("1", 100);
    /// account.save(&graph).await?;
    /// assert_eq!(account.version.get(), Some(1));
    ///
    /// let mut other = Account::find_by_number("1").one(&graph).await?.expect("it is saved");
    /// other.balance -= 30;
    /// other.save(&graph).await?;
    ///
    /// account.balance -= 30; // of the 100 that are no longer there
    /// let error = account.save(&graph).await.unwrap_err();
    /// assert!(matches!(error.kind(), ErrorKind::VersionConflict { .. }));
    /// # Ok(())
    /// # }
    /// ```
    Version(i64);

    /// When a node was made, or last written, by the clock of the program that wrote it:
    /// `#[node(created_at)] created: Timestamp`.
    ///
    /// All attempts of an operation write the same time, and so do all operations of a unit of work.
    /// After the rollback of the transaction in which a time was read or written, the field has its
    /// previous value.
    ///
    /// Relationship structs have such fields, too: `#[relationship(created_at)]` is written by
    /// the connect that makes the relationship, `#[relationship(updated_at)]` by each that writes
    /// it. A connect that says nothing of an existing relationship's contents writes neither. A
    /// reconnect takes along when the relationship was made.
    ///
    /// ```
    /// use neo_ogm::prelude::*;
    ///
    /// #[derive(Node)]
    /// struct Book {
    ///     #[node(key)]
    ///     isbn: String,
    ///     #[node(created_at)]
    ///     created: Timestamp,
    ///     #[node(updated_at)]
    ///     updated: Timestamp,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), neo_ogm::Error> {
    /// let graph = Graph::in_memory().await?;
    /// let book = Book::new("978-0-14-303500-8");
    /// book.save(&graph).await?;
    /// let created = book.created.get();
    /// book.save(&graph).await?;
    /// assert_eq!(book.created.get(), created);
    /// assert_ne!(book.updated.get(), created);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// A connect takes a relationship struct away, so the times of a relationship are read with it;
    /// what is lent to `connect_all`, or lies in the fields of what `save_graph` saves, knows them at
    /// once.
    ///
    /// ```
    /// use neo_ogm::prelude::*;
    ///
    /// #[derive(Node)]
    /// struct Reader {
    ///     #[node(key)]
    ///     name: String,
    ///     #[relationship(type = "READ")]
    ///     read: Many<Book, Read>,
    /// }
    ///
    /// #[derive(Node)]
    /// struct Book {
    ///     #[node(key)]
    ///     isbn: String,
    /// }
    ///
    /// #[relationship(type = "READ")]
    /// #[derive(Default)]
    /// struct Read {
    ///     stars: Option<u8>,
    ///     #[relationship(created_at)]
    ///     since: Timestamp,
    ///     #[relationship(updated_at)]
    ///     changed: Timestamp,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), neo_ogm::Error> {
    /// # let graph = Graph::in_memory().await?;
    /// let (reader, book) = (Reader::new("Anna"), Book::new("978-0-14-303500-8"));
    /// reader.save(&graph).await?;
    /// book.save(&graph).await?;
    /// let read = Read { stars: Some(4), ..Read::default() };
    /// reader.read.connect_all([(&book, &read)]).await?;
    /// let since = read.since.get().expect("it is written");
    ///
    /// reader.read.update_relationship(&book).set(Read::STARS, 5).await?;
    /// let found = reader.read.fetch().await?;
    /// assert_eq!(found[0].relationship.since.get(), Some(since.clone()));
    /// assert_ne!(found[0].relationship.changed.get(), Some(since));
    /// # Ok(())
    /// # }
    /// ```
    Timestamp(DateTime);
}

impl ElementId {
    /// What `#[derive(Node)]` does with the id of a node that is read.
    #[doc(hidden)]
    pub fn set(&mut self, id: &str) {
        self.0.set(id.into());
    }

    /// The id; `None` for what was neither saved nor found.
    pub fn get(&self) -> Option<Arc<str>> {
        self.0.get()
    }
}

impl Version {
    /// The version that was last read or written; `None` for a node that was neither saved nor
    /// found.
    pub fn get(&self) -> Option<i64> {
        self.0.get()
    }
}

impl Timestamp {
    /// The time; `None` for what was neither saved nor found.
    pub fn get(&self) -> Option<DateTime> {
        self.0.get()
    }
}

macro_rules! managed_properties {
    ($($name:ident($inner:ident), $kind:ident, $cypher:ident;)*) => {$(
        impl ToBolt for $name {
            fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
                self.0.get().to_bolt(encoder)
            }
        }

        impl<'a> FromBolt<'a> for $name {
            fn from_bolt(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
                $inner::from_bolt(decoder).map(|value| Self(Kept::new(Some(value))))
            }

            /// A node that was made before the struct had the field.
            fn from_missing() -> Result<Self, DecodeError> {
                Ok(Self::default())
            }
        }

        impl Property for $name {
            type Plain = $inner;
            type Kind = kind::$kind;
            const CYPHER_TYPE: CypherType = CypherType::$cypher;
            type As<U: Property> = Option<U>;

            fn absent() -> Option<Self> {
                Some(Self::default())
            }
        }
    )*};
}
managed_properties! {
    Version(i64), Integer, Integer;
    Timestamp(DateTime), Dated, ZonedDateTime;
}
