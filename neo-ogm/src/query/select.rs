//! Selections: some properties instead of whole nodes, as typed tuples and structs.

use std::fmt;
use std::marker::PhantomData;

use neo_bolt::packstream::{DecodeError, Decoder, FromBolt};

use super::aggregate::Aggregates;
use super::expression::{End, Expr, Expression, Gathered, RelatedExpr};
use super::field::Field;
use super::hop::Hop;
use super::token::Relation;
use crate::executor::Graph;
use crate::mapping::{Entity, FromColumn, Node, Property, Relationship};

/// The columns of a selection, as it writes them.
#[derive(Default)]
pub struct Columns {
    pub(crate) columns: Vec<(Expr, String)>,
}

impl fmt::Debug for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.columns.iter().map(|(_, name)| name);
        f.debug_list().entries(names).finish()
    }
}

impl Columns {
    pub(super) fn push(&mut self, expr: Expr, name: Option<&str>) {
        // `n` is the node itself, in the order that stands behind the columns.
        let taken = |name: &str| name == "n" || self.columns.iter().any(|(_, known)| known == name);
        let name = match name {
            Some(name) if !taken(name) => name.to_owned(),
            _ => format!("c{}", self.columns.len()),
        };
        self.columns.push((expr, name));
    }

    fn into_items(self, end: End) -> Vec<(End, Expr)> {
        self.columns
            .into_iter()
            .map(|(expr, _)| (end, expr))
            .collect()
    }
}

/// What can be selected of the nodes or relationships of the struct `O`: properties, expressions,
/// what relationships lead to ([`Relation::to`]), whole nodes ([`this`]), and tuples of these.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be selected of `{O}`",
    label = "no property or expression of `{O}`",
    note = "select tokens of the struct that is found, `Book::TITLE`, a tuple of up to 12 of them, or, through a relationship, `Book::AUTHOR.to(Person::NAME)`",
    note = "aggregates such as `sum` go into `.aggregate(…)`"
)]
pub trait Selection<O> {
    /// What each row turns into.
    type Row: Send + 'static;

    /// How many columns it has.
    const COLUMNS: usize;

    /// Adds its columns.
    fn columns(self, columns: &mut Columns);

    /// Reads its columns.
    ///
    /// # Errors
    /// A value is of another type.
    fn read(decoder: &mut Decoder<'_>, graph: &Graph) -> Result<Self::Row, DecodeError>;
}

/// Reads a property, or what stands for it where it is not there.
pub(super) fn read_property<T: Property>(decoder: &mut Decoder<'_>) -> Result<T, DecodeError> {
    if let Some(absent) = T::absent()
        && decoder.null()
    {
        return Ok(absent);
    }
    <T as FromBolt<'_>>::from_bolt(decoder)
}

impl<O, T: Property> Selection<O> for Field<O, T> {
    type Row = T;
    const COLUMNS: usize = 1;

    fn columns(self, columns: &mut Columns) {
        columns.push(Expr::Property(self.name()), Some(self.name()));
    }

    fn read(decoder: &mut Decoder<'_>, _: &Graph) -> Result<T, DecodeError> {
        read_property(decoder)
    }
}

impl<O, T: Property> Selection<O> for Expression<O, T> {
    type Row = T;
    const COLUMNS: usize = 1;

    fn columns(self, columns: &mut Columns) {
        columns.push(self.expr, None);
    }

    fn read(decoder: &mut Decoder<'_>, _: &Graph) -> Result<T, DecodeError> {
        read_property(decoder)
    }
}

/// The whole node or relationship, made by [`this`].
pub struct This<O>(PhantomData<fn() -> O>);

impl<O> fmt::Debug for This<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("This")
    }
}

/// The whole node beside something computed: `.select((this(), Book::SIMILAR.count()))`.
pub fn this<O>() -> This<O> {
    This(PhantomData)
}

impl<O: FromColumn + Send + 'static> Selection<O> for This<O> {
    type Row = O;
    const COLUMNS: usize = 1;

    fn columns(self, columns: &mut Columns) {
        columns.push(Expr::This, None);
    }

    fn read(decoder: &mut Decoder<'_>, graph: &Graph) -> Result<O, DecodeError> {
        O::from_column(decoder, graph)
    }
}

/// A selection under a name of its own, made by [`named`].
#[derive(Debug)]
pub struct Named<S> {
    name: &'static str,
    selection: S,
}

/// Gives the column of an expression a name, for [`all_as`](crate::operation::Select::all_as):
/// `named("title", Book::TITLE.lower())`.
pub fn named<S>(name: &'static str, selection: S) -> Named<S> {
    Named { name, selection }
}

impl<O, S: Selection<O>> Selection<O> for Named<S> {
    type Row = S::Row;
    const COLUMNS: usize = S::COLUMNS;

    fn columns(self, columns: &mut Columns) {
        let first = columns.columns.len();
        self.selection.columns(columns);
        if let Some((_, name)) = columns.columns.get_mut(first) {
            self.name.clone_into(name);
        }
    }

    fn read(decoder: &mut Decoder<'_>, graph: &Graph) -> Result<S::Row, DecodeError> {
        S::read(decoder, graph)
    }
}

/// What a relationship leads to, made by [`Relation::to`].
#[must_use = "a selection does nothing until a query takes it"]
pub struct To<N, O, S> {
    hop: Hop,
    end: End,
    selection: S,
    of: PhantomData<fn() -> (N, O)>,
}

/// The first of what a relationship leads to, made by [`To::first`].
#[must_use = "a selection does nothing until a query takes it"]
pub struct First<N, O, S>(To<N, O, S>);

impl<N, O, S> fmt::Debug for To<N, O, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("To").field(&self.hop.relation.field).finish()
    }
}

impl<N, O, S> fmt::Debug for First<N, O, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Selections through the relationship.
impl<N: Node, T: Entity, R: Relationship> Relation<N, T, R> {
    /// What the nodes at the other end have, as a list; or one of it, or something made of all.
    ///
    /// ```
    /// # use neo_ogm::prelude::*;
    /// # #[derive(Node)]
    /// # struct Book {
    /// #     #[node(key)] isbn: String, title: String, pages: Option<u32>,
    /// #     #[relationship(type = "WRITTEN_BY")] author: One<Person>,
    /// # }
    /// # #[derive(Node)]
    /// # struct Person {
    /// #     #[node(key)] name: String,
    /// #     #[relationship(type = "WRITTEN_BY", direction = "in")] books: Many<Book>,
    /// # }
    /// # async fn example(graph: Graph) -> Result<(), neo_ogm::Error> {
    /// let rows: Vec<(String, Option<String>)> =
    ///     Book::find().select((Book::TITLE, Book::AUTHOR.to(Person::NAME).first())).all(&graph).await?;
    /// let rows: Vec<(String, Vec<String>, Option<f64>)> = Person::find()
    ///     .select((Person::NAME, Person::BOOKS.to(Book::TITLE), Person::BOOKS.to(Book::PAGES).avg()))
    ///     .all(&graph)
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn to<S: Selection<T>>(self, selection: S) -> To<N, T, S> {
        To {
            hop: self.hop(),
            end: End::Node,
            selection,
            of: PhantomData,
        }
    }

    /// What the relationships carry; as [`to`](Self::to).
    pub fn to_relationship<S: Selection<R>>(self, selection: S) -> To<N, R, S> {
        To {
            hop: self.hop(),
            end: End::Relationship,
            selection,
            of: PhantomData,
        }
    }
}

impl<N, O, S: Selection<O>> To<N, O, S> {
    /// One of them, or none; which one, where there are several, the database says.
    pub fn first(self) -> First<N, O, S> {
        First(self)
    }

    fn gather(self, gathered: fn(Vec<(End, Expr)>) -> Gathered) -> Expr {
        let mut columns = Columns::default();
        self.selection.columns(&mut columns);
        Expr::Related(Box::new(RelatedExpr {
            hop: self.hop,
            gathered: gathered(columns.into_items(self.end)),
        }))
    }

    /// The step, and the one expression at its end.
    pub(super) fn into_parts(self) -> (Hop, End, Expr) {
        let mut columns = Columns::default();
        self.selection.columns(&mut columns);
        let expr = columns.columns.pop().map_or(Expr::This, |(expr, _)| expr);
        (self.hop, self.end, expr)
    }
}

/// Reads one entry of a list: a value, or a list of them where there are several columns.
fn read_entry<O, S: Selection<O>>(
    decoder: &mut Decoder<'_>,
    graph: &Graph,
) -> Result<S::Row, DecodeError> {
    if S::COLUMNS != 1 {
        decoder.list()?;
    }
    S::read(decoder, graph)
}

impl<N, O, S: Selection<O>> Selection<N> for To<N, O, S> {
    type Row = Vec<S::Row>;
    const COLUMNS: usize = 1;

    fn columns(self, columns: &mut Columns) {
        columns.push(self.gather(Gathered::List), None);
    }

    fn read(decoder: &mut Decoder<'_>, graph: &Graph) -> Result<Self::Row, DecodeError> {
        let len = decoder.list()?;
        let mut rows = Vec::with_capacity(len.min(1024));
        for index in 0..len {
            let row = read_entry::<O, S>(decoder, graph);
            rows.push(row.map_err(|error| error.within(format!("[{index}]")))?);
        }
        Ok(rows)
    }
}

impl<N, O, S: Selection<O>> Selection<N> for First<N, O, S> {
    type Row = Option<S::Row>;
    const COLUMNS: usize = 1;

    fn columns(self, columns: &mut Columns) {
        columns.push(self.0.gather(Gathered::First), None);
    }

    fn read(decoder: &mut Decoder<'_>, graph: &Graph) -> Result<Self::Row, DecodeError> {
        if decoder.null() {
            return Ok(None);
        }
        read_entry::<O, S>(decoder, graph).map(Some)
    }
}

macro_rules! selections {
    ($($name:ident $index:tt),+) => {
        impl<O, $($name: Selection<O>),+> Selection<O> for ($($name,)+) {
            type Row = ($($name::Row,)+);
            const COLUMNS: usize = 0 $(+ $name::COLUMNS)+;

            fn columns(self, columns: &mut Columns) {
                $(self.$index.columns(columns);)+
            }

            fn read(decoder: &mut Decoder<'_>, graph: &Graph) -> Result<Self::Row, DecodeError> {
                Ok(($($name::read(decoder, graph)?,)+))
            }
        }

        impl<O, $($name: Aggregates<O>),+> Aggregates<O> for ($($name,)+) {
            type Row = ($($name::Row,)+);

            fn columns(self, columns: &mut Columns) {
                $(self.$index.columns(columns);)+
            }

            fn read(decoder: &mut Decoder<'_>) -> Result<Self::Row, DecodeError> {
                Ok(($($name::read(decoder)?,)+))
            }
        }
    };
}
selections!(A 0);
selections!(A 0, B 1);
selections!(A 0, B 1, C 2);
selections!(A 0, B 1, C 2, D 3);
selections!(A 0, B 1, C 2, D 3, E 4);
selections!(A 0, B 1, C 2, D 3, E 4, F 5);
selections!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
selections!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
selections!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
selections!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
selections!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
selections!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);
