//! Tokens that lead into a flattened struct: `Customer::ADDRESS.then(Address::CITY)`.

use std::fmt;
use std::marker::PhantomData;

use super::field::Field;
use crate::mapping::{Properties, PropertySchema};

/// Names the field of `O` into which the properties of the struct `P` are flattened.
///
/// The derive macros make one for each field with `flatten`.
pub struct Flattened<O, P> {
    /// The properties by their names in `O`, in the order of `P`'s own.
    names: &'static [PropertySchema],
    of: PhantomData<fn() -> (O, P)>,
}

impl<O, P> Clone for Flattened<O, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<O, P> Copy for Flattened<O, P> {}

impl<O, P> fmt::Debug for Flattened<O, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.names.iter().map(|property| property.name);
        f.debug_list().entries(names).finish()
    }
}

impl<O, P> Flattened<O, P> {
    /// The token of a field whose properties have these names in `O`.
    pub const fn new(names: &'static [PropertySchema]) -> Self {
        Self {
            names,
            of: PhantomData,
        }
    }
}

impl<O, P: Properties> Flattened<O, P> {
    /// The property of the outer struct that a field of the flattened one is:
    /// `Customer::ADDRESS.then(Address::CITY)`, and deeper
    /// `Customer::ADDRESS.then(Address::PLACE.then(Place::LATITUDE))`.
    pub fn then<T>(self, field: Field<P, T>) -> Field<O, T> {
        let own = P::PROPERTIES.iter();
        let at = own
            .map(|property| property.name)
            .position(|name| name == field.name());
        let outer = at.and_then(|at| self.names.get(at));
        Field::new(outer.map_or(field.name(), |property| property.name))
    }
}
