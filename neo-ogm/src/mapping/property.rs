//! Which Rust types can be properties, and what may be asked of them in a filter.

use std::borrow::Cow;

use bytes::Bytes;
use neo_bolt::packstream::{FromBoltOwned, ToBolt};
use neo_bolt::value::{
    Date, DateTime, Duration, LocalDateTime, LocalTime, Point, Time, Value, Vector,
};
use uuid::Uuid;

use super::CypherType;

/// What may be asked of a property, by its type.
pub mod kind {
    /// Text: ordered, and searched by its parts.
    #[derive(Debug)]
    pub enum Text {}
    /// Numbers, dates and times: ordered.
    #[derive(Debug)]
    pub enum Ordered {}
    /// Lists: asked for their members.
    #[derive(Debug)]
    pub enum List {}
    /// Everything else: compared for equality.
    #[derive(Debug)]
    pub enum Plain {}

    /// Kinds with `starts_with`, `ends_with`, `contains` and `matches`.
    #[diagnostic::on_unimplemented(
        message = "only text properties can be searched by their parts",
        label = "this property is not text",
        note = "use `eq`, `ne` or `in_list`, or make the field a `String`"
    )]
    pub trait IsText {}
    impl IsText for Text {}

    /// Kinds with `lt`, `le`, `gt` and `ge`.
    #[diagnostic::on_unimplemented(
        message = "this property has no order that Cypher knows",
        label = "neither text, number, date nor time",
        note = "use `eq`, `ne` or `in_list`"
    )]
    pub trait IsOrdered {}
    impl IsOrdered for Text {}
    impl IsOrdered for Ordered {}

    /// Kinds with `has`.
    #[diagnostic::on_unimplemented(
        message = "only list properties can be asked for a member",
        label = "this property is not a list",
        note = "use `eq`, `ne` or `in_list`"
    )]
    pub trait IsList {}
    impl IsList for List {}
}

/// A type that can be a property of a node or a relationship.
///
/// Enums of unit variants and newtypes get it by `#[derive(Property)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be a property",
    label = "Neo4j has no property type for this",
    note = "text, bool, integers of up to 64 signed bits, floats, `Uuid`, `Bytes`, dates and times, durations, points, vectors, lists of these and `Option` of these can be properties",
    note = "put `#[derive(neo_ogm::Property)]` on your own enums and newtypes"
)]
pub trait Property: ToBolt + FromBoltOwned + Send + Sync + 'static {
    /// The type without `Option`: what a filter compares with.
    type Plain: Property;
    /// What may be asked of it in a filter: one of [`kind`].
    type Kind;
    /// What the database calls values of it, for type constraints and indexes.
    const CYPHER_TYPE: CypherType = CypherType::Any;
}

macro_rules! properties {
    ($kind:ident, $cypher:ident: $($ty:ty),*) => {$(
        impl Property for $ty {
            type Plain = Self;
            type Kind = kind::$kind;
            const CYPHER_TYPE: CypherType = CypherType::$cypher;
        }
    )*};
}
properties!(Text, String: String);
properties!(Ordered, String: Uuid, char);
properties!(Ordered, Integer: i8, i16, i32, i64, u8, u16, u32, u64);
properties!(Ordered, Float: f32, f64);
properties!(Ordered, Date: Date);
properties!(Ordered, ZonedTime: Time);
properties!(Ordered, LocalTime: LocalTime);
properties!(Ordered, ZonedDateTime: DateTime);
properties!(Ordered, LocalDateTime: LocalDateTime);
properties!(Plain, Boolean: bool);
properties!(Plain, Duration: Duration);
properties!(Plain, Point: Point);
properties!(Plain, Vector: Vector);
properties!(Plain, Any: Bytes, Value);

impl<T: Property> Property for Option<T> {
    type Plain = T::Plain;
    type Kind = T::Kind;
    const CYPHER_TYPE: CypherType = T::CYPHER_TYPE;
}

impl<T: Property> Property for Vec<T> {
    type Plain = Self;
    type Kind = kind::List;
    const CYPHER_TYPE: CypherType = CypherType::List(&T::CYPHER_TYPE);
}

/// A value that a property of type `T` can be compared with: a `T`, or borrowed text for text.
#[diagnostic::on_unimplemented(
    message = "the property is a `{T}`, and `{Self}` is not",
    label = "expected a `{T}`",
    note = "convert the value, or compare another property"
)]
pub trait Operand<T> {
    /// The value as the property's own type.
    fn into_operand(self) -> T;
}

impl<T: Property> Operand<T> for T {
    fn into_operand(self) -> T {
        self
    }
}

macro_rules! text_operands {
    ($($ty:ty),*) => {$(
        impl Operand<String> for $ty {
            fn into_operand(self) -> String {
                self.into()
            }
        }
    )*};
}
text_operands!(&str, &String, Cow<'_, str>, Box<str>);
