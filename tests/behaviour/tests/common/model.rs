//! A model with one of everything.

use neo_ogm::prelude::*;

/// A book: one author, any number of similar books.
#[derive(Node, Debug, Clone)]
pub(crate) struct Book {
    /// What identifies it.
    #[node(key)]
    pub(crate) isbn: String,
    /// Indexed.
    #[node(index)]
    pub(crate) title: String,
    /// Optional.
    pub(crate) pages: Option<u32>,
    /// Renamed.
    #[node(rename = "publishedOn")]
    pub(crate) published: Option<Date>,
    /// A list.
    pub(crate) tags: Vec<String>,
    /// Who wrote it.
    #[relationship(type = "WRITTEN_BY")]
    pub(crate) author: One<Author, Wrote>,
    /// Books like it.
    #[relationship(type = "SIMILAR_TO")]
    pub(crate) similar: Many<Book>,
}

/// Who writes books.
#[derive(Node, Debug, Clone)]
pub(crate) struct Author {
    /// What identifies them.
    #[node(key)]
    pub(crate) name: String,
    /// Year of birth.
    pub(crate) born: Option<i32>,
    /// The other end.
    #[relationship(type = "WRITTEN_BY", direction = "in")]
    pub(crate) books: Many<Book, Wrote>,
}

/// When.
#[relationship(type = "WRITTEN_BY")]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wrote {
    /// The year.
    pub(crate) year: i32,
}

/// Both ends bounded.
#[derive(Node, Debug, Clone)]
pub(crate) struct Holder {
    /// What identifies them.
    #[node(key)]
    pub(crate) name: String,
    /// At most one.
    #[relationship(type = "HOLDS")]
    pub(crate) passport: ZeroOrOne<Passport>,
}

/// Both ends bounded.
#[derive(Node, Debug, Clone)]
pub(crate) struct Passport {
    /// What identifies it.
    #[node(key)]
    pub(crate) number: String,
    /// Exactly one.
    #[relationship(type = "HOLDS", direction = "in")]
    pub(crate) holder: One<Holder>,
}

/// At least one member.
#[derive(Node, Debug, Clone)]
pub(crate) struct Team {
    /// A key that is made up.
    #[node(key, generated)]
    pub(crate) id: Uuid,
    /// Its name.
    #[node(unique)]
    pub(crate) name: String,
    /// At least one.
    #[relationship(type = "HAS_MEMBER")]
    pub(crate) members: OneOrMore<Member>,
}

/// A member of a team.
#[derive(Node, Debug, Clone)]
pub(crate) struct Member {
    /// What identifies them.
    #[node(key)]
    pub(crate) name: String,
}

/// A composite key.
#[derive(Node, Debug, Clone, PartialEq)]
pub(crate) struct Edition {
    /// First part.
    #[node(key)]
    pub(crate) isbn: String,
    /// Second part.
    #[node(key)]
    pub(crate) number: i64,
    /// Something else.
    pub(crate) publisher: Option<String>,
}

/// Parallel relationships, told apart by a key.
#[derive(Node, Debug, Clone)]
pub(crate) struct Account {
    /// What identifies it.
    #[node(key)]
    pub(crate) name: String,
    /// Several to one and the same node.
    #[relationship(type = "SAMPLED")]
    pub(crate) samples: Many<Account, Sample>,
}

/// A relationship with a key, and a default.
#[relationship(type = "SAMPLED")]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    /// Tells it from others between the same nodes.
    #[relationship(key)]
    pub(crate) day: i64,
    /// A value.
    pub(crate) value: Option<f64>,
}

/// A reserved word, a space and other scripts as names.
#[derive(Node, Debug, Clone, PartialEq)]
#[node(label = "Order")]
pub(crate) struct Label {
    /// A reserved word.
    #[node(key, rename = "match")]
    pub(crate) key: String,
    /// A space and an umlaut.
    #[node(rename = "größte Länge")]
    pub(crate) length: Option<i64>,
    /// A backtick.
    #[node(rename = "tick`s")]
    pub(crate) ticks: Option<String>,
}

/// A property stored as text.
#[derive(Property, Debug, Clone, Copy, PartialEq)]
pub(crate) enum Genre {
    /// A novel.
    Novel,
    /// Renamed.
    #[property(rename = "short story")]
    ShortStory,
}

/// A newtype property.
#[derive(Property, Debug, Clone, PartialEq)]
pub(crate) struct Isbn(pub(crate) String);

/// Every kind of property that the embedded engine has too.
#[derive(Node, Debug, Clone, PartialEq)]
pub(crate) struct Everything {
    /// What identifies it.
    #[node(key)]
    pub(crate) id: String,
    /// A flag.
    pub(crate) flag: bool,
    /// The least and the largest.
    pub(crate) numbers: Vec<i64>,
    /// A small one.
    pub(crate) small: i8,
    /// Floating point.
    pub(crate) float: f64,
    /// Text.
    pub(crate) text: String,
    /// An enum.
    pub(crate) genre: Genre,
    /// A newtype.
    pub(crate) code: Isbn,
    /// A UUID that is no key.
    pub(crate) uuid: Uuid,
    /// Nothing.
    pub(crate) nothing: Option<String>,
    /// A date.
    pub(crate) date: Date,
    /// A time with an offset.
    pub(crate) time: Time,
    /// A time.
    pub(crate) local_time: LocalTime,
    /// An instant.
    pub(crate) date_time: DateTime,
    /// An instant in a named zone.
    pub(crate) zoned: DateTime,
    /// A date and time.
    pub(crate) local_date_time: LocalDateTime,
    /// A duration.
    pub(crate) duration: Duration,
    /// Given by default.
    #[node(default = 7)]
    pub(crate) luck: i32,
    /// Not in the database.
    #[node(skip)]
    pub(crate) scratch: u8,
}
