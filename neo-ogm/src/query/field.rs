//! Tokens that name a property in a filter or an ordering.

use std::fmt;
use std::marker::PhantomData;

use super::filter::{Comparison, Condition, Filter};
use crate::mapping::{Operand, Property, kind};

/// Names the property `T` of the node or relationship struct `O`.
///
/// The derive macros make one per field: `Book::TITLE`.
pub struct Field<O, T> {
    name: &'static str,
    of: PhantomData<fn() -> (O, T)>,
}

impl<O, T> Clone for Field<O, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<O, T> Copy for Field<O, T> {}

impl<O, T> fmt::Debug for Field<O, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Field").field(&self.name).finish()
    }
}

impl<O, T> Field<O, T> {
    /// The token of the property called `name` in the database.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            of: PhantomData,
        }
    }

    /// The property's name in the database.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The property is not there.
    pub fn is_null(self) -> Filter<O> {
        Filter::new(Condition::IsNull(self.name))
    }

    /// The property is there.
    pub fn is_not_null(self) -> Filter<O> {
        !self.is_null()
    }

    /// Smallest first; nodes without the property last.
    pub fn asc(self) -> Order<O> {
        Order {
            name: self.name,
            descending: false,
            of: PhantomData,
        }
    }

    /// Largest first; nodes without the property first.
    pub fn desc(self) -> Order<O> {
        Order {
            name: self.name,
            descending: true,
            of: PhantomData,
        }
    }
}

impl<O, T: Property> Field<O, T> {
    fn compare(self, comparison: Comparison, value: impl Operand<T>) -> Filter<O> {
        let value = Box::new(value.into_operand());
        Filter::new(Condition::Compare {
            property: self.name,
            comparison,
            value,
        })
    }

    /// The property equals `value`.
    pub fn eq(self, value: impl Operand<T>) -> Filter<O> {
        self.compare(Comparison::Equal, value)
    }

    /// The property is there and differs from `value`.
    pub fn ne(self, value: impl Operand<T>) -> Filter<O> {
        self.compare(Comparison::NotEqual, value)
    }

    /// The property equals one of `values`.
    pub fn in_list<V: Operand<T>>(self, values: impl IntoIterator<Item = V>) -> Filter<O> {
        let values: Vec<T> = values.into_iter().map(Operand::into_operand).collect();
        let value = Box::new(values);
        Filter::new(Condition::Compare {
            property: self.name,
            comparison: Comparison::In,
            value,
        })
    }
}

impl<O, T: Property> Field<O, T> {
    /// The property is less than `value`.
    pub fn lt(self, value: impl Operand<T>) -> Filter<O>
    where
        T::Kind: kind::IsOrdered,
    {
        self.compare(Comparison::Less, value)
    }

    /// The property is at most `value`.
    pub fn le(self, value: impl Operand<T>) -> Filter<O>
    where
        T::Kind: kind::IsOrdered,
    {
        self.compare(Comparison::LessOrEqual, value)
    }

    /// The property is greater than `value`.
    pub fn gt(self, value: impl Operand<T>) -> Filter<O>
    where
        T::Kind: kind::IsOrdered,
    {
        self.compare(Comparison::Greater, value)
    }

    /// The property is at least `value`.
    pub fn ge(self, value: impl Operand<T>) -> Filter<O>
    where
        T::Kind: kind::IsOrdered,
    {
        self.compare(Comparison::GreaterOrEqual, value)
    }

    /// The property is at least `low` and at most `high`.
    pub fn between(self, low: impl Operand<T>, high: impl Operand<T>) -> Filter<O>
    where
        T::Kind: kind::IsOrdered,
    {
        self.ge(low).and(self.le(high))
    }
}

impl<O, T: Property> Field<O, T> {
    fn text(self, comparison: Comparison, text: impl Into<String>) -> Filter<O> {
        let value = Box::new(text.into());
        Filter::new(Condition::Compare {
            property: self.name,
            comparison,
            value,
        })
    }

    /// The text begins with `prefix`; served by a range or text index.
    pub fn starts_with(self, prefix: impl Into<String>) -> Filter<O>
    where
        T::Kind: kind::IsText,
    {
        self.text(Comparison::StartsWith, prefix)
    }

    /// The text ends with `suffix`.
    pub fn ends_with(self, suffix: impl Into<String>) -> Filter<O>
    where
        T::Kind: kind::IsText,
    {
        self.text(Comparison::EndsWith, suffix)
    }

    /// The text has `part` in it.
    pub fn contains(self, part: impl Into<String>) -> Filter<O>
    where
        T::Kind: kind::IsText,
    {
        self.text(Comparison::Contains, part)
    }

    /// The whole text matches a regular expression of Java's kind; no index serves it.
    pub fn matches(self, pattern: impl Into<String>) -> Filter<O>
    where
        T::Kind: kind::IsText,
    {
        self.text(Comparison::Matches, pattern)
    }

    /// The text equals `text` when both are put in lower case; no index serves it.
    pub fn eq_ignore_case(self, text: impl Into<String>) -> Filter<O>
    where
        T::Kind: kind::IsText,
    {
        self.text(Comparison::EqualIgnoreCase, text)
    }

    /// The text has `part` in it when both are put in lower case; no index serves it.
    pub fn contains_ignore_case(self, part: impl Into<String>) -> Filter<O>
    where
        T::Kind: kind::IsText,
    {
        self.text(Comparison::ContainsIgnoreCase, part)
    }
}

impl<O, T> Field<O, Vec<T>>
where
    T: Property,
{
    /// The list has `member` in it.
    pub fn has(self, member: impl Operand<T>) -> Filter<O> {
        let value = Box::new(member.into_operand());
        Filter::new(Condition::Compare {
            property: self.name,
            comparison: Comparison::Has,
            value,
        })
    }
}

/// One step of an ordering, made by [`Field::asc`] and [`Field::desc`].
pub struct Order<O> {
    pub(crate) name: &'static str,
    pub(crate) descending: bool,
    of: PhantomData<fn() -> O>,
}

impl<O> fmt::Debug for Order<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = if self.descending { "desc" } else { "asc" };
        write!(f, "{}.{way}()", self.name)
    }
}
