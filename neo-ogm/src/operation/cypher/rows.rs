//! From a row of a result to a type.

use neo_bolt::Record;
use neo_bolt::packstream::DecodeError;

use crate::error::Error;
use crate::executor::Graph;
use crate::mapping::FromColumn;

/// Reads one row.
pub(super) fn row<T: FromRow>(record: &Record, graph: &Graph) -> Result<T, Error> {
    if record.len() != T::COLUMNS {
        return Err(Error::decode(
            "the result",
            DecodeError::custom(format_args!(
                "a row has {} columns ({}) and the type takes {}",
                record.len(),
                record.keys().join(", "),
                T::COLUMNS
            )),
        ));
    }
    T::from_row(record, graph).map_err(|error| Error::decode("a row of the result", error))
}

/// A type that a row of a result turns into: anything that a column turns into, and tuples.
#[diagnostic::on_unimplemented(
    message = "a row can't turn into `{Self}`",
    label = "neither a node, a relationship struct, a value nor a tuple of these",
    note = "for plain structs with `serde::Deserialize`, use `fetch_as`"
)]
pub trait FromRow: Sized {
    /// How many columns it takes.
    const COLUMNS: usize;

    /// Reads the columns in their order.
    ///
    /// # Errors
    /// A column is of another type.
    fn from_row(record: &Record, graph: &Graph) -> Result<Self, DecodeError>;
}

impl<T: FromColumn> FromRow for T {
    const COLUMNS: usize = 1;

    fn from_row(record: &Record, graph: &Graph) -> Result<Self, DecodeError> {
        let name = record.keys().first().map_or("", String::as_str);
        T::from_column(&mut record.raw_fields(), graph).map_err(|error| error.within(name))
    }
}

macro_rules! rows {
    ($count:literal: $($name:ident),+) => {
        impl<$($name: FromColumn),+> FromRow for ($($name,)+) {
            const COLUMNS: usize = $count;

            fn from_row(record: &Record, graph: &Graph) -> Result<Self, DecodeError> {
                let mut names = record.keys().iter().map(String::as_str);
                let mut decoder = record.raw_fields();
                Ok(($({
                    let name = names.next().unwrap_or_default();
                    $name::from_column(&mut decoder, graph).map_err(|error| error.within(name))?
                },)+))
            }
        }
    };
}
rows!(1: A);
rows!(2: A, B);
rows!(3: A, B, C);
rows!(4: A, B, C, D);
rows!(5: A, B, C, D, E);
rows!(6: A, B, C, D, E, F);
rows!(7: A, B, C, D, E, F, G);
rows!(8: A, B, C, D, E, F, G, H);
