//! Typed questions: tokens that name fields, what is asked of them, and its Cypher.
//!
//! | to ask | write |
//! |---|---|
//! | a property | `Book::PAGES.gt(300)`, `.between(…)`, `.in_list(…)`, `.is_null()`, `Book::SOLD.gt(Book::PAGES)` |
//! | something computed | `Book::TITLE.lower().starts_with("a")`, `Book::TAGS.len().ge(2)`, `Book::PUBLISHED.year().eq(1878)`, `(Book::PAGES * 2).lt(100)` |
//! | a list | `Book::TAGS.has("war")`, `.has_any(…)`, `.has_all(…)` |
//! | related nodes | `Book::AUTHOR.has(…)`, `.has_relationship(…)`, `.all(…)`, `.exists()`, `.is_empty()`, `.count().ge(3)` |
//! | over several relationships | `Book::SIMILAR.hops(1..=3).has(…)` |
//! | all of it | `.and(…)`, `.or(…)`, `!filter`, `find.exclude(filter)` |
//! | an order | `Book::TITLE.asc()`, `Book::TITLE.lower().desc()`, `Book::SIMILAR.count().desc()`, [`random()`] |
//! | some properties | `find.select((Book::TITLE, Book::AUTHOR.to(Person::NAME)))`, [`this()`], [`named`](named()) |
//! | aggregates | [`count()`], `Book::PAGES.sum()`, `.avg()`, `.min()`, `.max()`, `.collect()`, `.count_distinct()`, `.std_dev()`, `.percentile(0.5)`; of each node: `Person::BOOKS.to(Book::PAGES).avg()` |
//! | what to load | `Book::AUTHOR.filter(…).order_by(…).limit(3).then(Person::BOOKS)` |

mod aggregate;
mod assign;
mod expression;
mod field;
mod filter;
mod flattened;
mod hop;
mod label;
mod operators;
mod order;
mod plan;
mod raise;
mod render;
mod select;
mod token;

pub use aggregate::{Aggregate, Aggregates, GroupOrder, Having, Summary, count};
pub use expression::{Comparand, Expression};
pub use field::Field;
pub use filter::Filter;
pub use flattened::Flattened;
pub use hop::{Follow, Hops, Step};
pub use label::{Label, Variant, VariantLoad};
pub use order::{Order, Orders, random};
pub use plan::{Load, LoadPlan, Loadable};
pub use select::{Columns, First, Named, Selection, This, To, named, this};
pub use token::Relation;

pub(crate) use assign::Assignments;
pub(crate) use expression::{End, Expr};
pub(crate) use filter::{Comparison, Condition, Parameter};
pub(crate) use hop::Hop;
pub(crate) use order::{OrderStep, steps};
pub(crate) use plan::{ReadAny, read_any};
pub(crate) use raise::{raise, raise_with, raised, raised_number};
pub(crate) use render::{Cypher, Parameters, arrows, escape, write_node, write_one_of};
