//! Derive macros of [neo-ogm](https://docs.rs/neo-ogm), which re-exports and documents them.
//!
//! Each macro takes three steps, a folder each: `parse` reads the syntax, `model` checks it and
//! collects every mistake, `expand` writes code and can't fail.

mod expand;
mod model;
mod parse;
mod test;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes a struct a node of the graph.
///
/// ```
/// use neo_ogm::prelude::*;
///
/// #[derive(Node, Debug, Clone)]
/// #[node(label = "Book", unique(title, edition))]
/// struct Book {
///     #[node(key)]
///     isbn: String,
///     #[node(index)]
///     title: String,
///     edition: Option<u32>,
///     #[relationship(type = "WRITTEN_BY")]
///     author: One<Person>,
/// }
///
/// #[derive(Node, Debug, Clone)]
/// struct Person {
///     #[node(key, generated)]
///     id: Uuid,
///     name: String,
/// }
///
/// let book = Book::new("978-0-14-303500-8", "Anna Karenina");
/// assert_eq!(book.edition, None);
/// assert_eq!(
///     Book::find().filter(Book::TITLE.starts_with("Anna")).to_cypher(),
///     "MATCH (n:Book) WHERE n.title STARTS WITH $p0 RETURN n"
/// );
/// ```
///
/// On the struct, `#[node(…)]` takes
///
/// | option | meaning |
/// |---|---|
/// | `label = "…"` | the node's label; the struct's name unless told |
/// | `labels("…", "…")` | further labels, which each save sets |
/// | `rename_all = "camelCase"` | how fields turn into property names; also `snake_case`, `PascalCase`, `SCREAMING_SNAKE_CASE`, `kebab-case` |
/// | `unique(a, b)` | no two nodes share the values of these fields |
/// | `index(a, b)` | a range index over these fields |
/// | `fulltext(a, b, analyzer = "…")` | a full-text index over these fields |
/// | `node_key`, `node_key(a, b)` | a node key constraint over the key, or over these fields |
/// | `no_new` | do not generate `new` |
///
/// On a field,
///
/// | option | meaning |
/// |---|---|
/// | `key` | identifies the node; on several fields, all together |
/// | `generated` | with `key` on a `Uuid`: `new` makes a UUID v7 |
/// | `unique` | no two nodes share a value; makes a finder |
/// | `index` | has a range index; makes a finder |
/// | `index = "text"`, `index = "point"` | has an index of this kind |
/// | `fulltext`, `fulltext(analyzer = "…")` | has a full-text index |
/// | `vector(dimensions = 384, similarity = "cosine")` | has a vector index |
/// | `required` | must be there: an existence constraint |
/// | `typed` | must be of the field's type: a type constraint |
/// | `rename = "…"` | the property's name |
/// | `default`, `default = …` | what `new` and a missing property give |
/// | `skip` | not in the database |
/// | `optional_label = "…"` | on a `bool`: not a property, but whether the node has this label |
///
/// and `#[relationship(type = "…", direction = "out")]` makes it a relationship field of the
/// type `One`, `ZeroOrOne`, `OneOrMore` or `Many`; `direction` is `out`, `in` or `both`.
///
/// What constraints and indexes come of this, and on which databases they are to be had, is told in
/// the module `schema`.
///
/// It generates `new`, a token for each field (`Book::TITLE`), `find`, and a finder for the key
/// and each indexed or unique field (`Book::find_by_isbn`).
#[proc_macro_derive(Node, attributes(node, relationship))]
pub fn derive_node(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    match model::node(&input) {
        Ok(model) => expand::node(&model),
        Err(broken) => expand::broken_node(&input, &broken),
    }
    .into()
}

/// Makes an enum of node structs one type that finders, relationship fields and columns take.
///
/// ```
/// use neo_ogm::prelude::*;
///
/// #[derive(Node, Debug)]
/// struct Person {
///     #[node(key)]
///     name: String,
/// }
///
/// #[derive(Node, Debug)]
/// struct Company {
///     #[node(key)]
///     vat: String,
/// }
///
/// #[derive(Nodes, Debug)]
/// enum Party {
///     Person(Person),
///     Company(Company),
/// }
///
/// #[derive(Node, Debug)]
/// struct Invoice {
///     #[node(key)]
///     number: u32,
///     #[relationship(type = "PAID_BY")]
///     payer: One<Party>,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), neo_ogm::Error> {
/// let graph = Graph::in_memory().await?;
/// graph.save(&Person::new("Anna")).await?;
/// graph.save(&Company::new("SE-17")).await?;
/// let invoice = Invoice::new(1);
/// invoice.save(&graph).await?;
/// invoice.payer.connect(&Company::new("SE-17").into()).await?;
///
/// for party in Party::find().all(&graph).await? {
///     match party {
///         Party::Person(person) => println!("{}", person.name),
///         Party::Company(company) => println!("{}", company.vat),
///     }
/// }
/// let anna = Party::find().filter(Party::PERSON.has(Person::NAME.eq("Anna")));
/// assert!(matches!(anna.one(&graph).await?, Some(Party::Person(_))));
/// # Ok(())
/// # }
/// ```
///
/// A node turns into the variant whose label it has; where several fit, as with a `Manager` that
/// is a `Person`, too, into the one with the most labels. A node of none of the labels is an
/// error. Without more, a finder asks for the nodes of any of the labels; where the structs share
/// a label (`#[node(labels("Party"))]` on each), `#[nodes(label = "Party")]` on the enum asks for
/// that one, which is quicker.
#[proc_macro_derive(Nodes, attributes(nodes))]
pub fn derive_nodes(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    match model::nodes(&input) {
        Ok(model) => expand::nodes(&model),
        Err(error) => expand::broken_nodes(&input, &error),
    }
    .into()
}

/// Makes a struct what a relationship carries.
///
/// ```
/// use neo_ogm::prelude::*;
///
/// #[relationship(type = "WRITTEN_BY")]
/// #[derive(Debug, Clone)]
/// struct WrittenBy {
///     #[relationship(key)]
///     volume: i32,
///     year: i32,
/// }
/// ```
///
/// `type` is the struct's name in `SCREAMING_SNAKE_CASE` unless told, `rename_all`, `unique(a, b)`,
/// `index(a, b)` and `fulltext(a, b)` work as for nodes, and `relationship_key` as `node_key`. On a
/// field, `key` tells parallel relationships between the same two nodes apart; `rename`, `default`,
/// `skip`, `unique`, `index`, `fulltext`, `vector`, `required` and `typed` work as for nodes.
#[proc_macro_attribute]
pub fn relationship(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let input = parse_macro_input!(item as DeriveInput);
    match model::relationship(arguments.into(), &input) {
        Ok(model) => expand::relationship(&model, &input),
        Err(error) => expand::broken_relationship(&input, &error),
    }
    .into()
}

/// Makes an enum or a newtype a property.
///
/// ```
/// use neo_ogm::prelude::*;
///
/// #[derive(Property, Debug, Clone, PartialEq)]
/// enum Genre {
///     Novel,
///     #[property(rename = "short story")]
///     ShortStory,
/// }
///
/// #[derive(Property, Debug, Clone, PartialEq)]
/// struct Isbn(String);
/// ```
///
/// Variants are stored as text; `#[property(integer)]` on the enum stores their numbers, and
/// `#[property(rename_all = "…")]` renames them. A newtype is stored as what it wraps.
#[proc_macro_derive(Property, attributes(property))]
pub fn derive_property(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    match model::property(&input) {
        Ok(model) => expand::property(&model),
        Err(error) => expand::broken_property(&input, &error),
    }
    .into()
}

/// Makes an async function a test with a graph of its own.
///
/// ```
/// use neo_ogm::prelude::*;
///
/// #[derive(Node)]
/// struct Book {
///     #[node(key)]
///     isbn: String,
/// }
///
/// #[neo_ogm::test(schema = Book)]
/// async fn a_book_is_saved(graph: Graph) {
///     Book::new("978-0-14-303500-8").save(&graph).await.unwrap();
///     assert_eq!(Book::find().count(&graph).await.unwrap(), 1);
/// }
/// # fn main() {}
/// ```
///
/// The graph is the embedded engine, or a label space of its own on the server that
/// `NEO4J_TEST_URI` names; see the module `testing` for both. The function may return a `Result`.
///
/// | option | meaning |
/// |---|---|
/// | `schema = Book`, `schema = (Book, Person)` | applies the schema first |
/// | `on = "embedded"`, `on = "server"` | runs there only |
#[proc_macro_attribute]
pub fn test(arguments: TokenStream, item: TokenStream) -> TokenStream {
    test::expand(arguments.into(), item.into()).into()
}
