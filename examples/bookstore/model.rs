//! The bookstore's nodes and relationships.
//!
//! The labels are the example's own, so that it runs on a server that has other books already.

use neo_ogm::prelude::*;

/// A book.
#[derive(Node, Debug, Clone)]
#[node(label = "BookstoreBook")]
pub(crate) struct Book {
    #[node(key)]
    pub(crate) title: String,
    #[node(index)]
    pub(crate) genre: Genre,
    pub(crate) pages: Option<u32>,
    pub(crate) shelf: Option<String>,
    #[relationship(type = "WRITTEN_BY")]
    pub(crate) author: One<Author, WrittenBy>,
    #[relationship(type = "INFLUENCED")]
    pub(crate) influenced: Many<Book>,
}

/// Who wrote it.
#[derive(Node, Debug, Clone)]
#[node(label = "BookstoreAuthor")]
pub(crate) struct Author {
    #[node(key)]
    pub(crate) name: String,
    #[node(index)]
    pub(crate) country: String,
    pub(crate) born: Option<i32>,
    #[relationship(type = "WRITTEN_BY", direction = "in")]
    pub(crate) books: Many<Book, WrittenBy>,
}

/// When it was first published.
#[relationship(type = "WRITTEN_BY")]
#[derive(Debug, Clone)]
pub(crate) struct WrittenBy {
    pub(crate) year: i32,
}

/// What kind of book it is.
#[derive(Property, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Genre {
    Novel,
    Novella,
    Epic,
    #[property(rename = "short stories")]
    ShortStories,
    Satire,
}
