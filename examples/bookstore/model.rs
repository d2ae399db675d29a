//! The bookstore's nodes and relationships.

use neo_ogm::prelude::*;

/// A book.
#[derive(Node, Debug, Clone)]
pub struct Book {
    #[node(key)]
    pub title: String,
    #[node(index)]
    pub genre: Genre,
    pub pages: Option<u32>,
    pub shelf: Option<String>,
    #[relationship(type = "WRITTEN_BY")]
    pub author: One<Author, WrittenBy>,
    #[relationship(type = "INFLUENCED")]
    pub influenced: Many<Book>,
}

/// Who wrote it.
#[derive(Node, Debug, Clone)]
pub struct Author {
    #[node(key)]
    pub name: String,
    #[node(index)]
    pub country: String,
    pub born: Option<i32>,
    #[relationship(type = "WRITTEN_BY", direction = "in")]
    pub books: Many<Book, WrittenBy>,
}

/// When it was first published.
#[relationship(type = "WRITTEN_BY")]
#[derive(Debug, Clone)]
pub struct WrittenBy {
    pub year: i32,
}

/// What kind of book it is.
#[derive(Property, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Genre {
    Novel,
    Novella,
    Epic,
    #[property(rename = "short stories")]
    ShortStories,
    Satire,
}
