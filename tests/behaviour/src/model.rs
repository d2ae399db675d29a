//! A model with one of everything.

use neo_ogm::prelude::*;

/// A book: one author, any number of similar books.
#[derive(Node, Debug, Clone)]
pub struct Book {
    /// What identifies it.
    #[node(key)]
    pub isbn: String,
    /// Indexed.
    #[node(index)]
    pub title: String,
    /// Optional.
    pub pages: Option<u32>,
    /// Renamed.
    #[node(rename = "publishedOn")]
    pub published: Option<Date>,
    /// A list.
    pub tags: Vec<String>,
    /// Who wrote it.
    #[relationship(type = "WRITTEN_BY")]
    pub author: One<Author, Wrote>,
    /// Books like it.
    #[relationship(type = "SIMILAR_TO")]
    pub similar: Many<Book>,
}

/// Who writes books.
#[derive(Node, Debug, Clone)]
pub struct Author {
    /// What identifies them.
    #[node(key)]
    pub name: String,
    /// Year of birth.
    pub born: Option<i32>,
    /// The other end.
    #[relationship(type = "WRITTEN_BY", direction = "in")]
    pub books: Many<Book, Wrote>,
}

/// When.
#[relationship(type = "WRITTEN_BY")]
#[derive(Debug, Clone, PartialEq)]
pub struct Wrote {
    /// The year.
    pub year: i32,
}

/// Both ends bounded.
#[derive(Node, Debug, Clone)]
pub struct Holder {
    /// What identifies them.
    #[node(key)]
    pub name: String,
    /// At most one.
    #[relationship(type = "HOLDS")]
    pub passport: ZeroOrOne<Passport>,
}

/// Both ends bounded.
#[derive(Node, Debug, Clone)]
pub struct Passport {
    /// What identifies it.
    #[node(key)]
    pub number: String,
    /// Exactly one.
    #[relationship(type = "HOLDS", direction = "in")]
    pub holder: One<Holder>,
}

/// At least one member.
#[derive(Node, Debug, Clone)]
pub struct Team {
    /// A key that is made up.
    #[node(key, generated)]
    pub id: Uuid,
    /// Its name.
    #[node(unique)]
    pub name: String,
    /// At least one.
    #[relationship(type = "HAS_MEMBER")]
    pub members: OneOrMore<Member>,
}

/// A member of a team.
#[derive(Node, Debug, Clone)]
pub struct Member {
    /// What identifies them.
    #[node(key)]
    pub name: String,
}

/// A composite key.
#[derive(Node, Debug, Clone, PartialEq)]
pub struct Edition {
    /// First part.
    #[node(key)]
    pub isbn: String,
    /// Second part.
    #[node(key)]
    pub number: i64,
    /// Something else.
    pub publisher: Option<String>,
}

/// Parallel relationships, told apart by a key.
#[derive(Node, Debug, Clone)]
pub struct Account {
    /// What identifies it.
    #[node(key)]
    pub name: String,
    /// Several to one and the same node.
    #[relationship(type = "SAMPLED")]
    pub samples: Many<Account, Sample>,
}

/// A relationship with a key, and a default.
#[relationship(type = "SAMPLED")]
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Tells it from others between the same nodes.
    #[relationship(key)]
    pub day: i64,
    /// A value.
    pub value: Option<f64>,
}

/// A reserved word, a space and other scripts as names.
#[derive(Node, Debug, Clone, PartialEq)]
#[node(label = "Order")]
pub struct Label {
    /// A reserved word.
    #[node(key, rename = "match")]
    pub key: String,
    /// A space and an umlaut.
    #[node(rename = "größte Länge")]
    pub length: Option<i64>,
    /// A backtick.
    #[node(rename = "tick`s")]
    pub ticks: Option<String>,
}

/// A property stored as text.
#[derive(Property, Debug, Clone, Copy, PartialEq)]
pub enum Genre {
    /// A novel.
    Novel,
    /// Renamed.
    #[property(rename = "short story")]
    ShortStory,
}

/// A newtype property.
#[derive(Property, Debug, Clone, PartialEq)]
pub struct Isbn(pub String);

/// Every kind of property that the embedded engine has too.
#[derive(Node, Debug, Clone, PartialEq)]
pub struct Everything {
    /// What identifies it.
    #[node(key)]
    pub id: String,
    /// A flag.
    pub flag: bool,
    /// The least and the largest.
    pub numbers: Vec<i64>,
    /// A small one.
    pub small: i8,
    /// Floating point.
    pub float: f64,
    /// Text.
    pub text: String,
    /// An enum.
    pub genre: Genre,
    /// A newtype.
    pub code: Isbn,
    /// A UUID that is no key.
    pub uuid: Uuid,
    /// Nothing.
    pub nothing: Option<String>,
    /// A date.
    pub date: Date,
    /// A time with an offset.
    pub time: Time,
    /// A time.
    pub local_time: LocalTime,
    /// An instant.
    pub date_time: DateTime,
    /// An instant in a named zone.
    pub zoned: DateTime,
    /// A date and time.
    pub local_date_time: LocalDateTime,
    /// A duration.
    pub duration: Duration,
    /// Given by default.
    #[node(default = 7)]
    pub luck: i32,
    /// Not in the database.
    #[node(skip)]
    pub scratch: u8,
}
