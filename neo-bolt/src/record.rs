//! One row of a result, read on demand.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;

use crate::error::{Error, ErrorKind};
use crate::packstream::{DecodeError, Decoder, FromBolt, RecordDeserializer};
use crate::protocol::{Block, Records};
use crate::value::{Map, Value};

/// A record: the bytes as they came, with the names of their columns. Cheap to clone.
///
/// It keeps alive what was received together with it, 128 KiB at most or one message. To keep few
/// records of many for long, keep what they were decoded to.
#[derive(Clone)]
pub struct Record {
    source: Arc<Source>,
    /// Where its values stand, without the list's header.
    start: usize,
    end: usize,
}

/// What records have in common that were received together.
struct Source {
    keys: Arc<[String]>,
    bytes: Bytes,
}

impl Record {
    /// Takes the list of values that a RECORD message has.
    #[inline]
    fn new(source: &Arc<Source>, list: Range<usize>) -> Result<Self, Error> {
        let end = list.end;
        let list = source.bytes.get(list).unwrap_or_default();
        let mut decoder = Decoder::new(list);
        let len = decoder.list()?;
        if len != source.keys.len() {
            return Err(other_length(len, source.keys.len()));
        }
        Ok(Self {
            source: Arc::clone(source),
            start: end - decoder.remaining().len(),
            end,
        })
    }

    /// The names of the columns.
    pub fn keys(&self) -> &[String] {
        &self.source.keys
    }

    /// How many columns there are.
    pub fn len(&self) -> usize {
        self.keys().len()
    }

    /// Whether there are no columns.
    pub fn is_empty(&self) -> bool {
        self.keys().is_empty()
    }

    /// The values one after another, for a reader of one's own.
    pub fn raw_fields(&self) -> Decoder<'_> {
        let fields = self.source.bytes.get(self.start..self.end);
        Decoder::new(fields.unwrap_or_default())
    }

    /// The value of a column, by its name or its position from 0.
    ///
    /// # Errors
    /// There is no such column, or its value is of another type.
    pub fn get<'a, T: FromBolt<'a>>(&'a self, column: impl Column) -> Result<T, Error> {
        let index = column.position(self.keys())?;
        self.get_at(index)
    }

    /// The value of the column at `index`, from 0.
    ///
    /// # Errors
    /// There is no such column, or its value is of another type.
    pub fn get_at<'a, T: FromBolt<'a>>(&'a self, index: usize) -> Result<T, Error> {
        let none = || none_at(index, self.len());
        let key = self.keys().get(index).ok_or_else(none)?;
        let mut decoder = self.raw_fields();
        for _ in 0..index {
            decoder.skip()?;
        }
        Ok(T::from_bolt(&mut decoder).map_err(|error| error.within(key.as_str()))?)
    }

    /// The columns in their order, as a tuple.
    ///
    /// # Errors
    /// There are more or fewer columns, or a value is of another type.
    pub fn decode<'a, T: Row<'a>>(&'a self) -> Result<T, Error> {
        if T::COLUMNS != self.len() {
            return Err(Error::new(
                ErrorKind::Decode,
                format!(
                    "a tuple of {} can't take {} columns",
                    T::COLUMNS,
                    self.len()
                ),
            ));
        }
        Ok(T::read(self.keys(), &mut self.raw_fields())?)
    }

    /// The columns by their names, as a struct that serde knows.
    ///
    /// # Errors
    /// A column that the struct needs is missing, or a value is of another type.
    pub fn to<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Error> {
        Ok(T::deserialize(RecordDeserializer::new(
            self.keys(),
            self.raw_fields(),
        ))?)
    }

    /// The position of the column `key`, from 0.
    pub fn index(&self, key: &str) -> Option<usize> {
        self.keys().iter().position(|known| known == key)
    }

    /// The values of all columns, with their names.
    ///
    /// # Errors
    /// The bytes are broken.
    pub fn items(&self) -> Result<Vec<(&str, Value)>, Error> {
        let keys = self.keys().iter().map(String::as_str);
        Ok(keys.zip(self.values()?).collect())
    }

    /// The values of all columns.
    ///
    /// # Errors
    /// The bytes are broken.
    pub fn values(&self) -> Result<Vec<Value>, Error> {
        let mut decoder = self.raw_fields();
        self.keys()
            .iter()
            .map(|_| Ok(Value::from_bolt(&mut decoder)?))
            .collect()
    }

    /// The values by the names of their columns.
    ///
    /// # Errors
    /// The bytes are broken.
    pub fn data(&self) -> Result<Map, Error> {
        Ok(self.keys().iter().cloned().zip(self.values()?).collect())
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.data() {
            Ok(data) => f.debug_tuple("Record").field(&data).finish(),
            Err(error) => f.debug_tuple("Record").field(&error).finish(),
        }
    }
}

/// Names a column of a result: by its name, or by its position from 0.
pub trait Column: sealed::Sealed {
    /// Its position among the result's columns.
    ///
    /// # Errors
    /// There is no such column.
    fn position(&self, keys: &[String]) -> Result<usize, Error>;
}

impl Column for usize {
    fn position(&self, keys: &[String]) -> Result<usize, Error> {
        if *self < keys.len() {
            Ok(*self)
        } else {
            Err(none_at(*self, keys.len()))
        }
    }
}

impl Column for &str {
    fn position(&self, keys: &[String]) -> Result<usize, Error> {
        let position = keys.iter().position(|known| known == self);
        position.ok_or_else(|| {
            let columns = keys.join(", ");
            Error::new(
                ErrorKind::Decode,
                format!("the result has no column {self:?}; it has {columns}"),
            )
        })
    }
}

impl Column for &String {
    fn position(&self, keys: &[String]) -> Result<usize, Error> {
        self.as_str().position(keys)
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for usize {}
    impl Sealed for &str {}
    impl Sealed for &String {}
}

#[cold]
fn none_at(index: usize, columns: usize) -> Error {
    Error::new(
        ErrorKind::Decode,
        format!("the result has {columns} columns, none at {index}"),
    )
}

#[cold]
fn other_length(len: usize, columns: usize) -> Error {
    Error::new(
        ErrorKind::Protocol,
        format!("the server sent a record of {len} values for {columns} columns"),
    )
}

/// Makes records of what was received.
pub(crate) struct Reader {
    keys: Arc<[String]>,
    /// The piece that is being read.
    current: Option<(Arc<Source>, Block)>,
    waiting: Records,
}

impl Reader {
    pub(crate) fn new(keys: Arc<[String]>, records: Records) -> Self {
        Self {
            keys,
            current: None,
            waiting: records,
        }
    }

    pub(crate) fn keys(&self) -> &Arc<[String]> {
        &self.keys
    }

    /// How many records are left.
    pub(crate) fn len(&self) -> usize {
        self.current.as_ref().map_or(0, |(_, block)| block.left()) + self.waiting.len()
    }

    /// Goes on with these; there were no others left.
    pub(crate) fn refill(&mut self, records: Records) {
        self.current = None;
        self.waiting = records;
    }

    pub(crate) fn clear(&mut self) {
        self.refill(Records::EMPTY);
    }
}

impl Iterator for Reader {
    type Item = Result<Record, Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((source, block)) = &mut self.current {
                if let Some(list) = block.next() {
                    return Some(Record::new(source, list));
                }
                // Let go of before more is received, whose room it may be.
                self.current = None;
            }
            let block = self.waiting.pop_block()?;
            let source = Source {
                keys: Arc::clone(&self.keys),
                bytes: block.bytes().clone(),
            };
            self.current = Some((Arc::new(source), block));
        }
    }
}

/// A tuple that takes the columns of a record in their order.
pub trait Row<'a>: Sized {
    /// How many columns it takes.
    const COLUMNS: usize;

    /// Reads as many values.
    ///
    /// # Errors
    /// A value is of another type.
    fn read(keys: &[String], decoder: &mut Decoder<'a>) -> Result<Self, DecodeError>;
}

macro_rules! rows {
    ($count:literal: $($name:ident),+) => {
        impl<'a, $($name: FromBolt<'a>),+> Row<'a> for ($($name,)+) {
            const COLUMNS: usize = $count;

            fn read(keys: &[String], decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
                let mut keys = keys.iter();
                Ok(($({
                    let key = keys.next().map_or("", String::as_str);
                    $name::from_bolt(decoder).map_err(|error| error.within(key))?
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
rows!(9: A, B, C, D, E, F, G, H, I);
rows!(10: A, B, C, D, E, F, G, H, I, J);
rows!(11: A, B, C, D, E, F, G, H, I, J, K);
rows!(12: A, B, C, D, E, F, G, H, I, J, K, L);
