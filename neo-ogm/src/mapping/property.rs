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
    /// Whole numbers: ordered, and summed up exactly.
    #[derive(Debug)]
    pub enum Integer {}
    /// Floating point numbers: ordered, and summed up.
    #[derive(Debug)]
    pub enum Float {}
    /// Dates, and times with a date: ordered, and asked for their year, month and day.
    #[derive(Debug)]
    pub enum Dated {}
    /// Times of a day, and what else is ordered.
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
        note = "use `eq`, `ne` or `in_list`, or make the field a `String`",
        note = "a list is asked for its members by `.has(…)`, `.has_any(…)` and `.has_all(…)`"
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
    impl IsOrdered for Integer {}
    impl IsOrdered for Float {}
    impl IsOrdered for Dated {}
    impl IsOrdered for Ordered {}

    /// Kinds with `sum`, `avg` and arithmetic.
    #[diagnostic::on_unimplemented(
        message = "only numbers can be added up",
        label = "this property is not a number",
        note = "use `count`, `min`, `max` or `collect`, or make the field a number"
    )]
    pub trait IsNumber {
        /// What a sum is: `i64` for whole numbers, else `f64`.
        type Sum: super::Property;
        /// What makes a sum of this kind where there was nothing to add up, and the database
        /// gives the whole number 0.
        #[doc(hidden)]
        const SUM: Option<&'static str>;
    }
    impl IsNumber for Integer {
        type Sum = i64;
        const SUM: Option<&'static str> = None;
    }
    impl IsNumber for Float {
        type Sum = f64;
        const SUM: Option<&'static str> = Some("toFloat");
    }

    /// Kinds with `year`, `month` and `day`.
    #[diagnostic::on_unimplemented(
        message = "only dates have a year, a month and a day",
        label = "this property has no date in it",
        note = "make the field a `Date`, a `DateTime` or a `LocalDateTime`"
    )]
    pub trait IsDated {}
    impl IsDated for Dated {}

    /// Kinds with `len`.
    #[diagnostic::on_unimplemented(
        message = "only text and lists have a length",
        label = "this property is neither text nor a list",
        note = "compare the property itself"
    )]
    pub trait HasLength {}
    impl HasLength for Text {}
    impl HasLength for List {}
}

/// A type that can be a property of a node or a relationship.
///
/// | in Rust | in the database |
/// |---|---|
/// | `bool` | BOOLEAN |
/// | `i8` to `i64`, `u8` to `u64`, `isize`, `usize`, `NonZero…` | INTEGER; what is beyond 64 signed bits is refused |
/// | `f32`, `f64` | FLOAT |
/// | `String`, `Box<str>`, `Arc<str>`, `char`, `Uuid`, IP addresses | STRING |
/// | `Bytes` | a byte array; not on the embedded engine |
/// | `Date`, `LocalTime`, `Time`, `LocalDateTime`, `DateTime`, `SystemTime` | DATE, LOCAL TIME, ZONED TIME, LOCAL DATETIME, ZONED DATETIME |
/// | `Duration` of the prelude, and of the standard library | DURATION |
/// | `Point` | POINT; not on the embedded engine |
/// | `Vec`, `VecDeque`, `HashSet`, `BTreeSet`, arrays of these | LIST, of one type |
/// | `neo_bolt::value::Vector` | VECTOR, over Bolt 6, which Neo4j 5 does not speak, and stored by Enterprise's `block` format only; a `Vec<f32>` has vector indexes anywhere |
/// | `Option` of these | no property where it is `None` |
///
/// Besides, the types of `chrono`, `time` and `jiff`, with the features of these names. Enums of unit
/// variants and newtypes get it by `#[derive(Property)]`; maps and all else that serde knows are
/// stored as text by `#[node(json)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be a property",
    label = "Neo4j has no property type for this",
    note = "text, bool, integers of up to 64 signed bits, floats, `Uuid`, `Bytes`, dates and times, durations, points, vectors, lists of these and `Option` of these can be properties",
    note = "put `#[derive(neo_ogm::Property)]` on your own enums and newtypes",
    note = "a map, or any struct that serde knows, is stored as text by `#[node(json)]` on the field; the fields of a struct with `#[derive(Properties)]` by `#[node(flatten)]`",
    note = "another node is at the end of a relationship: `#[relationship(type = \"…\")]` on a field of the type `One`, `ZeroOrOne`, `OneOrMore` or `Many`"
)]
pub trait Property: ToBolt + FromBoltOwned + Send + Sync + 'static {
    /// The type without `Option`: what a filter compares with.
    type Plain: Property;
    /// What may be asked of it in a filter: one of [`kind`].
    type Kind;
    /// What the database calls values of it, for type constraints and indexes.
    const CYPHER_TYPE: CypherType = CypherType::Any;
    /// `U`, as optional as this type is: the length of an optional text is optional.
    type As<U: Property>: Property;

    /// The least and the largest whole number that the type can hold, where the database knows
    /// more of them.
    #[doc(hidden)]
    const RANGE: Option<(i64, i64)> = None;

    /// What stands for a value that is not there, where the type has that: `None`, or an empty
    /// list.
    fn absent() -> Option<Self> {
        None
    }
}

/// A list that is a property, perhaps an optional one.
#[diagnostic::on_unimplemented(
    message = "only list properties can be asked for a member",
    label = "`{Self}` is not a list",
    note = "use `eq`, `ne` or `in_list`"
)]
pub trait ListProperty: Property {
    /// What the list has in it.
    type Member: Property;
}

impl<T: Property> ListProperty for Vec<T> {
    type Member = T;
}

macro_rules! properties {
    ($kind:ident, $cypher:ident: $($ty:ty),*) => {$(
        impl Property for $ty {
            type Plain = Self;
            type Kind = kind::$kind;
            const CYPHER_TYPE: CypherType = CypherType::$cypher;
            type As<U: Property> = U;
        }
    )*};
}
properties!(Text, String: String);
properties!(Ordered, String: Uuid, char);
properties!(Float, Float: f32, f64);
properties!(Dated, Date: Date);
properties!(Ordered, ZonedTime: Time);
properties!(Ordered, LocalTime: LocalTime);
properties!(Dated, ZonedDateTime: DateTime);
properties!(Dated, LocalDateTime: LocalDateTime);
properties!(Plain, Boolean: bool);
properties!(Plain, Duration: Duration);
properties!(Plain, Point: Point);
properties!(Plain, Vector: Vector);
properties!(Plain, Any: Bytes, Value);

/// The lower bound is 0 or a type's own; the upper one is a type's own or that of the database.
macro_rules! integers {
    ($($ty:ty: $range:expr;)*) => {$(
        impl Property for $ty {
            type Plain = Self;
            type Kind = kind::Integer;
            const CYPHER_TYPE: CypherType = CypherType::Integer;
            type As<U: Property> = U;
            const RANGE: Option<(i64, i64)> = $range;
        }
    )*};
}
integers! {
    i8: Some((i8::MIN as i64, i8::MAX as i64));
    i16: Some((i16::MIN as i64, i16::MAX as i64));
    i32: Some((i32::MIN as i64, i32::MAX as i64));
    i64: None;
    isize: None;
    u8: Some((0, u8::MAX as i64));
    u16: Some((0, u16::MAX as i64));
    u32: Some((0, u32::MAX as i64));
    u64: Some((0, i64::MAX));
    usize: Some((0, i64::MAX));
}

impl<T: Property> Property for Option<T> {
    type Plain = T::Plain;
    type Kind = T::Kind;
    const CYPHER_TYPE: CypherType = T::CYPHER_TYPE;
    type As<U: Property> = Option<U>;

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Property> Property for Vec<T> {
    type Plain = Self;
    type Kind = kind::List;
    const CYPHER_TYPE: CypherType = CypherType::List(&T::CYPHER_TYPE);
    type As<U: Property> = U;

    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

/// A value that a property of type `T` can be compared with: a `T`, or borrowed text for text.
#[diagnostic::on_unimplemented(
    message = "the property is a `{T}`, and `{Self}` is not",
    label = "expected a `{T}`",
    note = "convert the value, or name another property",
    note = "give what is in an `Option`; `.remove(…)` takes an optional property away, and `.is_null()` asks for what is not there"
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
