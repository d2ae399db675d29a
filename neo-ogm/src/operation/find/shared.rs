//! A result in which each node is one value, however often it was met.

use std::any::{Any, TypeId};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use neo_bolt::packstream::{DecodeError, Decoder};

use super::question::Returned;
use super::{Find, Found};
use crate::error::{Error, ErrorKind};
use crate::executor::{Executor, Graph, Target};
use crate::mapping::{Entity, Node, Relationship};
use crate::query::{LoadPlan, ReadAny, Relation, read_any};

/// Nodes that a question found and what was loaded with them, each once; made by
/// [`Find::shared`].
///
/// It owns them all, so that nodes which lead to each other need no reference counting; an
/// [`Entry`] is a node seen inside of it.
pub struct NodeSet<N> {
    pool: Pool,
    roots: Vec<usize>,
    of: PhantomData<fn() -> N>,
}

/// The nodes without types.
#[derive(Default)]
struct Pool {
    items: Vec<Item>,
    known: HashMap<(TypeId, String), usize>,
    seen: HashSet<Seen>,
}

/// A relationship that is there already: its node, field and far node, the bytes of what it carries,
/// and the how manieth of its list it is that looks so. Lists of one field that were cut
/// differently have it at the same place.
type Seen = (usize, usize, usize, Vec<u8>, usize);

struct Item {
    node: Box<dyn Any + Send + Sync>,
    /// The relationship fields that were loaded.
    loaded: Vec<usize>,
    edges: Vec<Edge>,
}

struct Edge {
    relation: usize,
    target: usize,
    carried: Box<dyn Any + Send + Sync>,
}

impl<N> fmt::Debug for NodeSet<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeSet")
            .field("nodes", &self.pool.items.len())
            .field("roots", &self.roots.len())
            .finish_non_exhaustive()
    }
}

impl<N: Entity> Find<N> {
    /// All nodes and what is loaded with them, as a set in which each node is one value, whatever
    /// ways lead to it: one round trip.
    ///
    /// ```
    /// # use neo_ogm::prelude::*;
    /// # #[derive(Node)]
    /// # struct Book {
    /// #     #[node(key)] isbn: String,
    /// #     #[relationship(type = "WRITTEN_BY")] author: One<Person>,
    /// # }
    /// # #[derive(Node)]
    /// # struct Person {
    /// #     #[node(key)] name: String,
    /// #     #[relationship(type = "WRITTEN_BY", direction = "in")] books: Many<Book>,
    /// # }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), neo_ogm::Error> {
    /// # let graph = Graph::in_memory().await?;
    /// let author = Person::new("Leo Tolstoy");
    /// author.save(&graph).await?;
    /// for isbn in ["978-0-14-303500-8", "978-0-14-044793-4"] {
    ///     let book = Book::new(isbn);
    ///     book.save(&graph).await?;
    ///     book.author.connect(&author).await?;
    /// }
    /// let set = Book::find().load(Book::AUTHOR.then(Person::BOOKS)).shared(&graph).await?;
    /// assert_eq!((set.roots().count(), set.nodes::<Person>().count(), set.len()), (2, 1, 3));
    /// for book in set.roots() {
    ///     for (author, _) in book.related(Book::AUTHOR)? {
    ///         assert_eq!((author.name.as_str(), author.related(Person::BOOKS)?.count()), ("Leo Tolstoy", 2));
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// The relationship fields of its nodes are not loaded themselves; ask [`Entry::related`].
    pub fn shared(self, on: impl Executor) -> Found<Self, NodeSet<N>> {
        Found::new(self, on, |find, target| Box::pin(find.fetch_shared(target)))
    }

    async fn fetch_shared(self, target: Target) -> Result<NodeSet<N>, Error> {
        let found = self.question.ask(&target, &Returned::Nodes).await?;
        let mut set = NodeSet {
            pool: Pool::default(),
            roots: Vec::with_capacity(found.records.len()),
            of: PhantomData,
        };
        let read = ReadAny {
            of: TypeId::of::<N>(),
            node: read_any::<N>,
        };
        for record in &found.records {
            let mut decoder = record.raw_fields();
            let root = set
                .pool
                .read(&read, &self.question.loads, &mut decoder, target.graph());
            set.roots
                .push(root.map_err(|error| Error::decode("", error))?);
        }
        set.pool.seen = HashSet::new();
        Ok(set)
    }
}

impl Pool {
    /// Reads a node and the lists behind it, and gives its place.
    fn read(
        &mut self,
        read: &ReadAny,
        plans: &[LoadPlan],
        decoder: &mut Decoder<'_>,
        graph: &Graph,
    ) -> Result<usize, DecodeError> {
        let id = (read.of, element_id(&mut decoder.clone())?);
        let place = match self.known.get(&id) {
            Some(&place) => {
                decoder.skip()?;
                place
            }
            None => {
                let node = (read.node)(decoder, graph)?;
                self.items.push(Item {
                    node,
                    loaded: Vec::new(),
                    edges: Vec::new(),
                });
                let place = self.items.len() - 1;
                self.known.insert(id, place);
                place
            }
        };
        for plan in plans {
            self.read_list(place, plan, decoder, graph)
                .map_err(|error| error.within(plan.relation.field))?;
        }
        Ok(place)
    }

    fn read_list(
        &mut self,
        place: usize,
        plan: &LoadPlan,
        decoder: &mut Decoder<'_>,
        graph: &Graph,
    ) -> Result<(), DecodeError> {
        let item = &mut self.items[place];
        if !item.loaded.contains(&plan.index) {
            item.loaded.push(plan.index);
        }
        let mut alike = HashMap::new();
        for _ in 0..decoder.list()? {
            if decoder.list()? != 2 + plan.next.len() {
                return Err(DecodeError::custom("a related node that is incomplete"));
            }
            let bytes = decoder.clone().raw()?;
            let carried = (plan.read.relationship)(decoder, graph)?;
            let target = self.read(&plan.read.node, &plan.next, decoder, graph)?;
            let number: &mut usize = alike.entry((target, bytes)).or_default();
            let seen = (place, plan.index, target, bytes.to_vec(), *number);
            *number += 1;
            if self.seen.insert(seen) {
                self.items[place].edges.push(Edge {
                    relation: plan.index,
                    target,
                    carried,
                });
            }
        }
        Ok(())
    }

    fn entry<T: 'static>(&self, place: usize) -> Option<Entry<'_, T>> {
        let item = self.items.get(place)?;
        Some(Entry {
            pool: self,
            place,
            node: item.node.downcast_ref()?,
        })
    }
}

/// The element id of the node that comes next; its number, where the server sends none.
fn element_id(decoder: &mut Decoder<'_>) -> Result<String, DecodeError> {
    let header = decoder.node_header()?;
    decoder.skip()?;
    let element_id = decoder.node_footer(&header)?;
    Ok(element_id.map_or_else(|| header.id.to_string(), str::to_owned))
}

impl<N: Entity> NodeSet<N> {
    /// The nodes that the question found, in its order.
    pub fn roots(&self) -> impl Iterator<Item = Entry<'_, N>> {
        self.roots
            .iter()
            .filter_map(|place| self.pool.entry(*place))
    }

    /// All nodes of the struct `T`, found and loaded, in the order in which they were first met.
    pub fn nodes<T: Entity>(&self) -> impl Iterator<Item = Entry<'_, T>> {
        (0..self.pool.items.len()).filter_map(|place| self.pool.entry(place))
    }

    /// How many nodes there are, of every struct.
    pub fn len(&self) -> usize {
        self.pool.items.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.pool.items.is_empty()
    }
}

/// A node in a [`NodeSet`]; it derefs to the node. Two are equal where they are the same node.
pub struct Entry<'s, N> {
    pool: &'s Pool,
    place: usize,
    node: &'s N,
}

impl<N> Clone for Entry<'_, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N> Copy for Entry<'_, N> {}

impl<N> Deref for Entry<'_, N> {
    type Target = N;

    fn deref(&self) -> &N {
        self.node
    }
}

impl<N> PartialEq for Entry<'_, N> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.pool, other.pool) && self.place == other.place
    }
}

impl<N> Eq for Entry<'_, N> {}

impl<N: fmt::Debug> fmt::Debug for Entry<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.node.fmt(f)
    }
}

impl<'s, N: Node> Entry<'s, N> {
    /// The node, for as long as the set is there.
    pub fn node(self) -> &'s N {
        self.node
    }

    /// The nodes that a relationship leads to, and what the relationships carry.
    ///
    /// # Errors
    /// [`ErrorKind::NotLoaded`] where the question did not load it with this node.
    pub fn related<T: Entity, R: Relationship>(
        self,
        relation: Relation<N, T, R>,
    ) -> Result<impl Iterator<Item = (Entry<'s, T>, &'s R)>, Error> {
        let item = &self.pool.items[self.place];
        let index = relation.index();
        if !item.loaded.contains(&index) {
            return Err(Error::new(ErrorKind::NotLoaded {
                field: relation.schema().field,
            }));
        }
        let edges = item.edges.iter().filter(move |edge| edge.relation == index);
        Ok(edges.filter_map(move |edge| {
            let carried = edge.carried.downcast_ref()?;
            Some((self.pool.entry(edge.target)?, carried))
        }))
    }
}
