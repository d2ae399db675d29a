//! Some properties instead of whole nodes: `Book::find().select((Book::TITLE, Book::PAGES))`.

use std::fmt;
use std::marker::PhantomData;

use neo_bolt::Record;
use neo_bolt::packstream::{DecodeError, Decoder};
use serde::de::DeserializeOwned;

use super::question::{Question, Returned, name_of};
use super::{Find, Found};
use crate::error::{Error, ErrorKind};
use crate::executor::{Executor, Graph, Target};
use crate::mapping::Entity;
use crate::query::{Columns, Expr, Parameters, Selection};

pub(super) type Read<T> = fn(&mut Decoder<'_>, &Graph) -> Result<T, DecodeError>;

/// A question for rows of the type `T`, made by [`Find::select`].
#[must_use = "a selection does nothing until `all`, `one`, `first` or `stream`"]
pub struct Select<T> {
    pub(super) question: Question,
    columns: Vec<(Expr, String)>,
    distinct: bool,
    read: Read<T>,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Select<T> {
    fn clone(&self) -> Self {
        Self {
            question: self.question.clone(),
            columns: self.columns.clone(),
            ..*self
        }
    }
}

impl<T> fmt::Debug for Select<T> {
    /// Shows the Cypher; values stay out of it, since they may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Select").field(&self.to_cypher()).finish()
    }
}

impl<N: Entity> Find<N> {
    /// Asks for properties and expressions instead of whole nodes: each row is a tuple of what
    /// they are, `None` where an optional one is not there. Order, skip and limit go before.
    ///
    /// ```
    /// # use neo_ogm::prelude::*;
    /// # #[derive(Node)]
    /// # struct Book {
    /// #     #[node(key)] isbn: String, title: String, pages: Option<u32>,
    /// #     #[relationship(type = "WRITTEN_BY")] author: Many<Person>,
    /// # }
    /// # #[derive(Node)]
    /// # struct Person { #[node(key)] name: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), neo_ogm::Error> {
    /// let graph = Graph::in_memory().await?;
    /// let mut book = Book::new("978-0-14-303500-8", "Anna Karenina");
    /// book.pages = Some(864);
    /// book.save(&graph).await?;
    ///
    /// let rows: Vec<(String, Option<u32>, Vec<String>)> = Book::find()
    ///     .order_by(Book::TITLE.asc())
    ///     .select((Book::TITLE, Book::PAGES, Book::AUTHOR.to(Person::NAME)))
    ///     .all(&graph)
    ///     .await?;
    /// assert_eq!(rows, [("Anna Karenina".to_owned(), Some(864), vec![])]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn select<S: Selection<N>>(self, selection: S) -> Select<S::Row> {
        let mut columns = Columns::default();
        selection.columns(&mut columns);
        let mut question = self.question;
        question.loads.clear();
        Select {
            question,
            columns: columns.columns,
            distinct: false,
            read: S::read,
            of: PhantomData,
        }
    }

    /// Asks for rows of a struct with `#[derive(Projection)]`.
    pub fn select_as<P: Projection<N>>(self) -> Select<P> {
        let mut question = self.question;
        question.loads.clear();
        let mut columns = Columns::default();
        P::columns(&mut columns);
        Select {
            question,
            columns: columns.columns,
            distinct: false,
            read: P::read,
            of: PhantomData,
        }
    }
}

/// A plain struct of some of what nodes of the struct `N` have. `#[derive(Projection)]` implements
/// it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not made of what `{N}` has",
    label = "no `#[derive(Projection)]` with `of = {N}` on this type",
    note = "put `#[derive(Projection)]` and `#[projection(of = {N})]` on the struct; with serde only, use `.select(…).all_as::<Row>(&graph)`"
)]
pub trait Projection<N>: Sized + Send + 'static {
    /// Adds the columns, in the order of the fields.
    fn columns(columns: &mut Columns);

    /// Reads the columns.
    ///
    /// # Errors
    /// A value is of another type; the error names the field.
    fn read(decoder: &mut Decoder<'_>, graph: &Graph) -> Result<Self, DecodeError>;
}

impl<T> Select<T> {
    /// Each row once, however many nodes it stands for. Order goes by what is selected then.
    pub fn distinct(mut self) -> Self {
        self.distinct = true;
        self
    }

    /// The Cypher, with parameters in the place of values.
    pub fn to_cypher(&self) -> String {
        self.render(&mut Parameters::default())
    }

    pub(super) fn render<'c>(&'c self, parameters: &mut Parameters<'c>) -> String {
        let returned = Returned::Columns(&self.columns, self.distinct);
        self.question.render(parameters, &returned)
    }

    pub(super) fn decode(&self, record: &Record, graph: &Graph) -> Result<T, Error> {
        (self.read)(&mut record.raw_fields(), graph)
            .map_err(|error| Error::decode("a row of the selection", error))
    }
}

/// How it is answered.
impl<T: Send + 'static> Select<T> {
    /// All rows: one round trip.
    ///
    /// # Errors
    /// A row is of another type than the struct says.
    pub fn all(self, on: impl Executor) -> Found<Self, Vec<T>> {
        Found::new(self, on, |select, target| Box::pin(select.fetch(target)))
    }

    /// The first row, or none: one round trip.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    pub fn first(mut self, on: impl Executor) -> Found<Self, Option<T>> {
        self.question.at_most(1);
        Found::new(self, on, |select, target| {
            Box::pin(async move { Ok(select.fetch(target).await?.pop()) })
        })
    }

    /// The one row, or none: one round trip.
    ///
    /// # Errors
    /// [`ErrorKind::NotUnique`] where there are several, or as [`all`](Self::all).
    pub fn one(mut self, on: impl Executor) -> Found<Self, Option<T>> {
        self.question.at_most(2);
        Found::new(self, on, |select, target| {
            Box::pin(select.fetch_one(target))
        })
    }

    /// The one row, which must be there: one round trip.
    ///
    /// # Errors
    /// [`ErrorKind::NothingFound`] where there is none, [`ErrorKind::NotUnique`] where there are
    /// several, or as [`all`](Self::all).
    pub fn get(mut self, on: impl Executor) -> Found<Self, T> {
        self.question.at_most(2);
        Found::new(self, on, |select, target| {
            Box::pin(async move {
                let label = name_of(select.question.schema);
                let question = select.to_cypher();
                let nothing = || Error::new(ErrorKind::NothingFound { label, question });
                select.fetch_one(target).await?.ok_or_else(nothing)
            })
        })
    }

    /// All rows as structs that serde knows, by the names of the columns: a property's own name,
    /// or what [`named`](crate::query::named) gave it.
    ///
    /// # Errors
    /// A column that the struct needs is missing, or a value is of another type.
    pub fn all_as<D: DeserializeOwned + Send + 'static>(
        self,
        on: impl Executor,
    ) -> Found<Self, Vec<D>> {
        Found::new(self, on, |select, target| {
            Box::pin(async move {
                let returned = Returned::Columns(&select.columns, select.distinct);
                let found = select.question.ask(&target, &returned).await?;
                let records = found.records.iter();
                records.map(|record| Ok(record.to()?)).collect()
            })
        })
    }

    async fn fetch_one(self, target: Target) -> Result<Option<T>, Error> {
        let label = name_of(self.question.schema);
        let mut rows = self.fetch(target).await?;
        if rows.len() > 1 {
            return Err(Error::new(ErrorKind::NotUnique { label }));
        }
        Ok(rows.pop())
    }

    async fn fetch(self, target: Target) -> Result<Vec<T>, Error> {
        let returned = Returned::Columns(&self.columns, self.distinct);
        let found = self.question.ask(&target, &returned).await?;
        let graph = target.graph();
        let records = found.records.iter();
        records.map(|record| self.decode(record, graph)).collect()
    }
}
