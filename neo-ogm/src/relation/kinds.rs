//! What each type of relationship field has of its own.

use super::connect::Others;
use super::disconnect::Disconnect;
use super::ends;
use super::fetch::Fetch;
use super::field::{Many, One, OneOrMore, Related, ZeroOrOne};
use super::find::FindRelated;
use super::pairs::RelationEnd;
use super::several::ConnectSeveral;
use crate::error::Error;
use crate::mapping::{Cardinality, DefaultProperties, Entity, Relationship};

impl<T: Entity, R: Relationship> One<T, R> {
    /// The node and its relationship, loaded with this one.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn related(&self) -> Result<&Related<T, R>, Error> {
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
    /// The node and its relationship, loaded with this one, if there is one.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn related(&self) -> Result<Option<&Related<T, R>>, Error> {
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

    /// A question for the node, by its properties and by what the relationship carries; see
    /// [`FindRelated`].
    pub fn find(&self) -> FindRelated<T, R> {
        FindRelated::new(self.core.bound())
    }

    /// Takes the relationship with `target` away. Where there is none, nothing happens.
    ///
    /// # Errors
    /// The node that the field belongs to was neither saved nor found.
    pub fn disconnect<'a>(&'a self, target: &'a T) -> Disconnect<'a, T, R> {
        Disconnect::new(self.core.bound(), Some(target))
    }

    /// Takes the relationship away, whatever it leads to.
    ///
    /// # Errors
    /// The node that the field belongs to was neither saved nor found.
    pub fn disconnect_all(&self) -> Disconnect<'_, T, R> {
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
            pub fn disconnect<'a>(&'a self, target: &'a T) -> Disconnect<'a, T, R> {
                Disconnect::new(self.core.bound(), Some(target))
            }

            /// A question for some of the nodes, by their properties and by what the
            /// relationships carry; see [`FindRelated`].
            pub fn find(&self) -> FindRelated<T, R> {
                FindRelated::new(self.core.bound())
            }
        }

        impl<T: Entity, R: Relationship> $name<T, R> {
            /// Connects with each of `targets`, in one statement: nodes, or pairs of a node and
            /// what its relationship carries. Nodes of an enum take a statement for each struct
            /// among them, all in one transaction.
            ///
            /// ```
            /// # use neo_ogm::prelude::*;
            /// # #[derive(Node, Debug, Clone)]
            /// # struct Book { #[node(key)] isbn: String,
            /// #     #[relationship(type = "SIMILAR_TO")] similar: Many<Book> }
            /// # #[tokio::main] async fn main() -> Result<(), neo_ogm::Error> {
            /// # let graph = Graph::in_memory().await?;
            /// let book = Book::new("1");
            /// let others = [Book::new("2"), Book::new("3")];
            /// # book.save(&graph).await?;
            /// graph.save_all(&others).await?;
            /// book.similar.connect_all(&others).await?;
            /// assert_eq!(book.similar.count().await?, 2);
            /// # Ok(()) }
            /// ```
            ///
            /// # Errors
            /// [`ErrorKind::Row`](crate::ErrorKind::Row) names the first target that is not in
            /// the database or whose own end is taken; none is connected then.
            pub fn connect_all<'a, E: RelationEnd<'a, T, R>>(
                &'a self,
                targets: impl IntoIterator<Item = E>,
            ) -> ConnectSeveral<'a, T, R> {
                ConnectSeveral::new(self.core.bound(), targets, Others::Stay)
            }

            /// Connects with each of `targets` and with nothing else, in one statement; what is
            /// connected already stays, with what it carries unless that is said anew.
            ///
            /// # Errors
            /// As [`connect_all`](Self::connect_all). A [`OneOrMore`] can't be replaced by
            /// nothing.
            pub fn replace_all<'a, E: RelationEnd<'a, T, R>>(
                &'a self,
                targets: impl IntoIterator<Item = E>,
            ) -> ConnectSeveral<'a, T, R> {
                ConnectSeveral::new(self.core.bound(), targets, Others::Go)
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
    pub fn disconnect_all(&self) -> Disconnect<'_, T, R> {
        Disconnect::new(self.core.bound(), None)
    }
}

macro_rules! one_given {
    ($name:ident) => {
        /// In memory, to be saved by [`Graph::save_graph`](crate::Graph::save_graph).
        impl<T: Entity, R: Relationship> $name<T, R> {
            /// A field that leads to `node`, by a relationship of which nothing needs to be said.
            pub fn of(node: T) -> Self
            where
                R: DefaultProperties,
            {
                Self::with(node, R::default_properties())
            }

            /// A field that leads to `node`, by a relationship that carries `relationship`.
            pub fn with(node: T, relationship: R) -> Self {
                let mut field = Self::default();
                field.set_with(node, relationship);
                field
            }

            /// Lets the field lead to `node`.
            pub fn set(&mut self, node: T)
            where
                R: DefaultProperties,
            {
                self.set_with(node, R::default_properties());
            }

            /// Lets the field lead to `node`, by a relationship that carries `relationship`.
            pub fn set_with(&mut self, node: T, relationship: R) {
                self.core.give(vec![Related::new(node, relationship)]);
            }
        }
    };
}
one_given!(One);
one_given!(ZeroOrOne);

impl<T: Entity, R: Relationship> ZeroOrOne<T, R> {
    /// Lets the field lead to nothing; a save that is `exactly` what is in memory ends what the
    /// database has.
    pub fn clear(&mut self) {
        self.core.give(Vec::new());
    }
}

macro_rules! several_given {
    ($name:ident) => {
        /// In memory, to be saved by [`Graph::save_graph`](crate::Graph::save_graph).
        impl<T: Entity, R: Relationship> $name<T, R> {
            /// Puts these nodes into the field, and takes out what was there.
            pub fn assign(&mut self, related: impl IntoIterator<Item = Related<T, R>>) {
                self.core.give(related.into_iter().collect());
            }

            /// Adds a node, by a relationship of which nothing needs to be said. A field that was
            /// not loaded has nothing but what is added then.
            pub fn push(&mut self, node: T)
            where
                T: Clone,
                R: DefaultProperties + Clone,
            {
                self.push_with(node, R::default_properties());
            }

            /// Adds a node, by a relationship that carries `relationship`.
            pub fn push_with(&mut self, node: T, relationship: R)
            where
                T: Clone,
                R: Clone,
            {
                let mut list = self.core.take_list();
                list.push(Related::new(node, relationship));
                self.core.give(list);
            }

            /// Changes what is in the field: `book.similar.edit(|similar| similar.retain(…))`.
            pub fn edit(&mut self, change: impl FnOnce(&mut Vec<Related<T, R>>))
            where
                T: Clone,
                R: Clone,
            {
                let mut list = self.core.take_list();
                change(&mut list);
                self.core.give(list);
            }
        }
    };
}
several_given!(OneOrMore);
several_given!(Many);
