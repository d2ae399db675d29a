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
/// | `validate(with = path)` | a function `fn(&Book) -> Result<(), impl Display>` must agree before a write |
/// | `hooks` | there is an `impl Hooks for Book` |
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
/// | `json` | anything that serde knows, stored as JSON text |
/// | `flatten`, `flatten, prefix = "…"` | the fields of a struct with `#[derive(Properties)]` are properties of the node |
/// | `read_only` | read, and never written |
/// | `unmapped` | on a `neo_bolt::value::Map`: keeps the properties that no field takes |
/// | `element_id` | on an `ElementId`: filled when the node is saved or found |
/// | `version` | on a `Version`: optimistic locking |
/// | `created_at`, `updated_at` | on a `Timestamp`, or an `Option` of a date-time type: when the node was made and last written |
/// | `validate(…)` | see below |
/// | `optional_label = "…"` | on a `bool`: not a property, but whether the node has this label |
///
/// and `#[relationship(type = "…", direction = "out")]` makes it a relationship field of the
/// type `One`, `ZeroOrOne`, `OneOrMore` or `Many`; `direction` is `out`, `in` or `both`.
///
/// What constraints and indexes come of this, and on which databases they are to be had, is told in
/// the module `schema`.
///
/// `validate` takes rules, all of which are checked before a node is written, so that nothing is sent
/// where one is broken:
///
/// | rule | holds where |
/// |---|---|
/// | `length(min = 1, max = 50)` | text has so many characters, a list or set so many items |
/// | `range(min = 0, max = 100)` | a number, date or time lies between |
/// | `regex = "…"` | the whole text matches |
/// | `email` | the text has the form of an e-mail address |
/// | `with = path::to::function` | `fn(&T) -> Result<(), impl Display>` says `Ok` |
///
/// What is `None` breaks no rule but `with`, whose function sees the `Option`.
///
/// It generates `new`, a token for each field (`Book::TITLE`), `find`, and a finder for each key,
/// indexed or unique field (`Book::find_by_isbn`). Where the key has several fields, `find_by_key`
/// takes all of them, in their order: `Seat::find_by_key("A", 12)`.
///
/// `new` takes the properties that must be given, in the order of the fields, and behind them the
/// flattened structs. It leaves out what is an `Option`, a `Vec` or a set, has a `default`, is
/// `generated`, `read_only`, `skip` or `unmapped`, or is filled by the mapper, optional labels, and
/// relationships. A `String` is taken as anything that turns into one.
#[proc_macro_derive(Node, attributes(node, relationship))]
pub fn derive_node(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    match model::node(&input) {
        Ok(model) => expand::node(&model),
        Err(broken) => expand::broken_node(&input, &broken),
    }
    .into()
}

/// Makes a struct whose fields become properties of the node that it is flattened into.
///
/// ```
/// use neo_ogm::prelude::*;
///
/// #[derive(Properties, Debug, Clone, PartialEq)]
/// struct Address {
///     street: String,
///     #[property(rename = "zip", validate(length(min = 5)))]
///     postcode: String,
///     city: Option<String>,
/// }
///
/// /// What many nodes have: under its own names, without a prefix.
/// #[derive(Properties, Debug, Clone, PartialEq, Default)]
/// struct Source {
///     imported_from: Option<String>,
/// }
///
/// #[derive(Node, Debug)]
/// struct Customer {
///     #[node(key)]
///     number: u32,
///     #[node(flatten)]
///     home: Address,
///     #[node(flatten)]
///     work: Option<Address>,
///     #[node(flatten, prefix = "")]
///     source: Source,
/// }
///
/// // Properties `home.street`, `home.zip`, `home.city`, `work.street` and so on, `imported_from`.
/// let in_uppsala = Customer::find().filter(Customer::HOME.then(Address::CITY).eq("Uppsala"));
/// assert_eq!(
///     in_uppsala.to_cypher(),
///     "MATCH (n:Customer) WHERE n.`home.city` = $p0 RETURN n"
/// );
/// ```
///
/// Names are put together of the field, a dot and the name in the flattened struct, unless `prefix`
/// says otherwise. An `Option` is `None` where none of the properties is there. Relationship
/// structs and flattened structs can have flattened fields, too.
/// The outer struct's `rename_all` changes the field's part of the name, not those of the flattened
/// struct, which may have a `rename_all` of its own.
///
/// On the struct, `#[property(…)]` takes `rename_all` and `validate(with = …)`; on a field `rename`,
/// `default`, `skip`, `json`, `flatten`, `prefix`, `read_only` and `validate`, as with
/// [`Node`](macro@Node), and `unique`, `index`, `required`, `typed`, `fulltext` and `vector`, which
/// make a constraint or an index of each node that it is flattened into: over `home.street` and
/// over `work.street`, each called after its property. No finder comes of them.
#[proc_macro_derive(Properties, attributes(property))]
pub fn derive_properties(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    match model::properties(&input) {
        Ok(model) => expand::properties(&model),
        Err(error) => expand::broken_properties(&input, &error),
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
/// // A field with room for several, such as `payers: Many<Party>`, takes them all at once:
/// // `invoice.payers.connect_all(&parties)`, with one statement for each struct.
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
/// `skip`, `json`, `flatten`, `read_only`, `element_id`, `created_at`, `updated_at`, `validate`,
/// `unique`, `index`, `fulltext`, `vector`, `required` and `typed` work as for nodes, and on the
/// struct `validate(with = …)` and `hooks`, for which there is an `impl RelationshipHooks`.
#[proc_macro_attribute]
pub fn relationship(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let input = parse_macro_input!(item as DeriveInput);
    match model::relationship(arguments.into(), &input) {
        Ok(model) => expand::relationship(&model, &input),
        Err(error) => expand::broken_relationship(&input, &error),
    }
    .into()
}

/// There is none; it says so, where somebody expects it beside `#[derive(Node)]`.
#[doc(hidden)]
#[proc_macro_derive(Relationship)]
pub fn derive_relationship(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let message = format!(
        "what a relationship carries is said by an attribute in place of the derive: \
         `#[relationship(type = \"…\")] struct {}`",
        input.ident
    );
    syn::Error::new(proc_macro2::Span::call_site(), message)
        .to_compile_error()
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

/// Makes a struct what rows of a question turn into: some of what a node has.
///
/// ```
/// use neo_ogm::prelude::*;
///
/// #[derive(Node)]
/// struct Book {
///     #[node(key)]
///     isbn: String,
///     title: String,
///     pages: Option<u32>,
///     #[relationship(type = "WRITTEN_BY")]
///     author: One<Person>,
/// }
///
/// #[derive(Node)]
/// struct Person {
///     #[node(key)]
///     name: String,
/// }
///
/// #[derive(Projection, Debug, PartialEq)]
/// #[projection(of = Book)]
/// struct Card {
///     title: String,
///     pages: Option<u32>,
///     #[projection(from = Book::AUTHOR.to(Person::NAME).first())]
///     author: Option<String>,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), neo_ogm::Error> {
/// # let graph = Graph::in_memory().await?;
/// # Book::new("978-0-14-303500-8", "Anna Karenina").save(&graph).await?;
/// let cards = Book::find().order_by(Book::TITLE.asc()).select_as::<Card>().all(&graph).await?;
/// assert_eq!(cards[0].title, "Anna Karenina");
/// # Ok(())
/// # }
/// ```
///
/// A field is the property of its name, of the same type as in the node, or whatever
/// `#[projection(from = …)]` selects. What does not fit does not compile.
#[proc_macro_derive(Projection, attributes(projection))]
pub fn derive_projection(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    match model::projection(&input) {
        Ok(model) => expand::projection(&model),
        Err(broken) => expand::broken_projection(&input, &broken),
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
