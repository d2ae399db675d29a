//! A node saved with all that its relationship fields hold.

use crate::common::{Backend, on_every_backend};
use neo_ogm::prelude::*;
use neo_ogm::{Error, ErrorKind};
use neo_test_support::Message;
use neo_test_support::proxy::{Action, Proxy, When};

on_every_backend!(
    all_of_it_in_a_few_round_trips,
    what_was_loaded_is_changed_and_saved_back,
    shared_nodes_and_cycles_are_saved_once,
    different_values_of_one_node_are_refused,
    depth_and_exactness,
    ends_of_several_kinds,
    all_or_nothing,
    a_lost_commit_saves_once,
);

#[derive(Node, Debug, Clone)]
#[node(label = "GsBook")]
struct Book {
    #[node(key)]
    isbn: String,
    title: Option<String>,
    #[relationship(type = "GS_BY")]
    author: One<Person, Wrote>,
    #[relationship(type = "GS_SIMILAR")]
    similar: Many<Book>,
    #[relationship(type = "GS_OWNED_BY")]
    owners: Many<Party>,
}

#[derive(Node, Debug, Clone)]
#[node(label = "GsPerson")]
struct Person {
    #[node(key)]
    name: String,
    born: Option<i64>,
    #[relationship(type = "GS_BY", direction = "in")]
    books: Many<Book, Wrote>,
    #[relationship(type = "GS_DESK")]
    desk: ZeroOrOne<Desk>,
}

#[derive(Node, Debug, Clone)]
#[node(label = "GsDesk")]
struct Desk {
    #[node(key)]
    number: String,
    #[relationship(type = "GS_DESK", direction = "in")]
    person: ZeroOrOne<Person>,
}

#[derive(Node, Debug, Clone)]
#[node(label = "GsCompany")]
struct Company {
    #[node(key)]
    vat: String,
}

#[allow(clippy::large_enum_variant)] // the variants are the nodes themselves
#[derive(Nodes, Debug, Clone)]
enum Party {
    Person(Person),
    Company(Company),
}

#[relationship(type = "GS_BY")]
#[derive(Debug, Clone, PartialEq)]
struct Wrote {
    year: i64,
}

fn book(backend: &Backend, name: &str) -> Book {
    Book::new(backend.key(name))
}

fn person(backend: &Backend, name: &str) -> Person {
    Person::new(backend.key(name))
}

async fn read(graph: &Graph, book: &Book) -> Book {
    Book::find_by_isbn(book.isbn.as_str())
        .load(Book::AUTHOR.then(Person::BOOKS))
        .load(Book::SIMILAR)
        .load(Book::OWNERS)
        .get(graph)
        .await
        .unwrap()
}

async fn all_of_it_in_a_few_round_trips(backend: Backend) {
    let address = backend.address().await;
    let proxy = Proxy::start(&address).expect("the proxy starts");
    let graph = backend.graph_through(&proxy.uri()).await.unwrap();
    let mut tolstoy = person(&backend, "tolstoy");
    tolstoy.desk.set(Desk::new(backend.key("desk")));
    let mut root = book(&backend, "root");
    root.author.set_with(tolstoy, Wrote { year: 1877 });
    for n in 0..20 {
        root.similar.push(book(&backend, &format!("similar{n}")));
    }
    proxy.reset_counts();
    graph.save_graph(&root).await.unwrap();
    // Three structs, three relationship fields, and the commit.
    assert_eq!(proxy.counts().round_trips, 7, "{:?}", proxy.trace());
    // The last one stores the receipt.
    assert_eq!(proxy.counts().of(Message::Run), 7);
    let found = read(&graph, &root).await;
    assert_eq!(found.similar.get().unwrap().len(), 20);
    assert_eq!(found.author.relationship().unwrap().year, 1877);
    let author = found.author.get().unwrap();
    assert_eq!(
        author.desk.fetch().await.unwrap().unwrap().number,
        backend.key("desk")
    );
    // Every node knows where it is from then on.
    let similar = root.similar.get().unwrap().next().unwrap();
    assert_eq!(similar.similar.count().await.unwrap(), 0);
}

async fn what_was_loaded_is_changed_and_saved_back(backend: Backend) {
    let graph = backend.graph().await;
    let mut root = book(&backend, "root");
    root.author
        .set_with(person(&backend, "first"), Wrote { year: 1 });
    root.similar.assign([
        Related::new(book(&backend, "a"), ()),
        Related::new(book(&backend, "b"), ()),
    ]);
    graph.save_graph(&root).await.unwrap();
    let find = Book::find_by_isbn(root.isbn.as_str());
    let find = find.load(Book::AUTHOR).load(Book::SIMILAR);
    let mut loaded = find.get(&graph).await.unwrap();
    loaded.title = Some("new".into());
    let shared = loaded.clone();
    loaded.similar.edit(|similar| {
        similar.retain(|related| related.node.isbn != backend.key("a"));
        similar[0].node.title = Some("b".into());
    });
    loaded.similar.push(book(&backend, "c"));
    loaded
        .author
        .set_with(person(&backend, "second"), Wrote { year: 2 });
    graph.save_graph(&loaded).await.unwrap();
    let found = read(&graph, &root).await;
    assert_eq!(found.title.as_deref(), Some("new"));
    // What was taken out in memory stays in the database; a `One` has changed.
    assert_eq!(found.similar.get().unwrap().len(), 3);
    assert_eq!(found.author.get().unwrap().name, backend.key("second"));
    assert_eq!(
        shared.similar.get().unwrap().len(),
        2,
        "a clone stays as it was"
    );
    graph.save_graph(&loaded).exactly().await.unwrap();
    let found = read(&graph, &root).await;
    let mut left: Vec<_> = found.similar.get().unwrap().collect();
    left.sort_by(|a, b| a.isbn.cmp(&b.isbn));
    assert_eq!(left.len(), 2);
    assert_eq!(left[0].title.as_deref(), Some("b"));
    let a = book(&backend, "a");
    let a = Book::find_by_isbn(a.isbn).exists(&graph);
    assert!(a.await.unwrap(), "the node itself stays");
}

async fn shared_nodes_and_cycles_are_saved_once(backend: Backend) {
    let graph = backend.graph().await;
    let mut root = book(&backend, "root");
    let mut author = person(&backend, "author");
    // The author leads back to the book, and another book to both.
    let mut other = book(&backend, "other");
    other.similar.push(root.clone());
    other.author.set_with(author.clone(), Wrote { year: 2 });
    author.books.push_with(root.clone(), Wrote { year: 1 });
    author.books.push_with(other, Wrote { year: 2 });
    root.author.set_with(author, Wrote { year: 1 });
    for _ in 0..2 {
        graph.save_graph(&root).await.unwrap();
        let found = read(&graph, &root).await;
        assert_eq!(found.author.get().unwrap().books.get().unwrap().len(), 2);
        let people = Person::find_by_name(backend.key("author")).count(&graph);
        assert_eq!(people.await.unwrap(), 1);
    }
    // Loaded with its own copy in it, and saved as it was found.
    let found = read(&graph, &root).await;
    graph.save_graph(&found).exactly().await.unwrap();
}

async fn different_values_of_one_node_are_refused(backend: Backend) {
    let graph = backend.graph().await;
    let mut root = book(&backend, "root");
    let mut other = root.clone();
    other.title = Some("far".into());
    root.title = Some("near".into());
    root.similar.push(other);
    let error = graph.save_graph(&root).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Conflicting { .. }),
        "{error}"
    );
    assert!(error.to_string().contains(&root.isbn), "{error}");
    graph.save_graph(&root).nearest_wins().await.unwrap();
    assert_eq!(read(&graph, &root).await.title.as_deref(), Some("near"));
    // So it is with relationships.
    let mut author = person(&backend, "author");
    let mut root = book(&backend, "second");
    author.books.push_with(root.clone(), Wrote { year: 2 });
    root.author.set_with(author, Wrote { year: 1 });
    let error = graph.save_graph(&root).await.unwrap_err();
    assert!(error.to_string().contains("relationship"), "{error}");
    graph.save_graph(&root).nearest_wins().await.unwrap();
    let found = read(&graph, &root).await;
    assert_eq!(found.author.relationship().unwrap().year, 1);
}

async fn depth_and_exactness(backend: Backend) {
    let graph = backend.graph().await;
    let mut far = book(&backend, "far");
    far.similar.push(book(&backend, "farther"));
    let mut root = book(&backend, "root");
    root.similar.push(far.clone());
    let exists = async |name: &str| {
        let found = Book::find_by_isbn(backend.key(name)).exists(&graph).await;
        found.unwrap()
    };
    graph.save_graph(&root).depth(0).await.unwrap();
    assert!(exists("root").await && !exists("far").await);
    graph.save_graph(&root).depth(1).await.unwrap();
    assert!(exists("far").await && !exists("farther").await);
    assert!(root.similar.is_connected(&far).await.unwrap());
    graph.save_graph(&root).await.unwrap();
    assert!(exists("farther").await);
    // Exactly nothing.
    root.similar.edit(Vec::clear);
    graph.save_graph(&root).exactly().await.unwrap();
    assert_eq!(root.similar.count().await.unwrap(), 0);
    let mut ann = person(&backend, "ann");
    ann.desk.set(Desk::new(backend.key("desk")));
    graph.save_graph(&ann).await.unwrap();
    ann.desk.clear();
    graph.save_graph(&ann).await.unwrap();
    assert_eq!(ann.desk.count().await.unwrap(), 1);
    graph.save_graph(&ann).exactly().await.unwrap();
    assert_eq!(ann.desk.count().await.unwrap(), 0);
}

async fn ends_of_several_kinds(backend: Backend) {
    let graph = backend.graph().await;
    let mut root = book(&backend, "root");
    let mut owner = person(&backend, "owner");
    owner.born = Some(1900);
    root.owners.push(owner.into());
    root.owners
        .push(Company::new(backend.key("company")).into());
    graph.save_graph(&root).await.unwrap();
    let found = read(&graph, &root).await;
    let mut kinds: Vec<_> = found
        .owners
        .get()
        .unwrap()
        .map(|owner| match owner {
            Party::Person(person) => person.born.unwrap_or(0),
            Party::Company(_) => -1,
        })
        .collect();
    kinds.sort_unstable();
    assert_eq!(kinds, [-1, 1900]);
    let company = Party::from(Company::new(backend.key("company")));
    let mut without = found.clone();
    without
        .owners
        .edit(|owners| owners.retain(|owner| matches!(owner.node, Party::Company(_))));
    graph.save_graph(&without).exactly().await.unwrap();
    assert_eq!(root.owners.count().await.unwrap(), 1);
    assert!(root.owners.is_connected(&company).await.unwrap());
    graph.save_graph(&root).await.unwrap();
    // The operations of one field, on ends of several kinds.
    assert_eq!(root.owners.count().await.unwrap(), 2);
    let other = Company::new(backend.key("other"));
    other.save(&graph).await.unwrap();
    let other = Party::from(other);
    root.owners.reconnect(&company, &other).await.unwrap();
    assert!(!root.owners.is_connected(&company).await.unwrap());
    assert_eq!(root.owners.find().all().await.unwrap().len(), 2);
    root.owners.disconnect(&other).await.unwrap();
    assert_eq!(root.owners.find().count().await.unwrap(), 1);
    assert_eq!(root.owners.find().disconnect().await.unwrap(), 1);
}

async fn all_or_nothing(backend: Backend) {
    let graph = backend.graph().await;
    let desk = Desk::new(backend.key("desk"));
    let mut ann = person(&backend, "ann");
    ann.desk.set(desk.clone());
    graph.save_graph(&ann).await.unwrap();
    let mut bob = person(&backend, "bob");
    bob.desk.set(desk.clone());
    let error = graph.save_graph(&bob).await.unwrap_err();
    assert!(
        matches!(
            error.kind(),
            ErrorKind::Cardinality {
                field: "person",
                ..
            }
        ),
        "{error}"
    );
    assert!(error.to_string().contains(&desk.number), "{error}");
    let bob_is_there = Person::find_by_name(bob.name.as_str()).exists(&graph);
    assert!(!bob_is_there.await.unwrap(), "rolled back");
    // As part of a unit of work.
    let failed: Result<(), Error> = graph
        .transaction(async |tx| {
            let mut eve = person(&backend, "eve");
            eve.desk.set(Desk::new(backend.key("another")));
            tx.save_graph(&eve).await?;
            Err(Error::abort("no"))
        })
        .await;
    failed.unwrap_err();
    let eve = Person::find_by_name(backend.key("eve")).exists(&graph);
    assert!(!eve.await.unwrap());
}

async fn a_lost_commit_saves_once(backend: Backend) {
    let address = backend.address().await;
    let proxy = Proxy::start(&address).expect("the proxy starts");
    let graph = backend.graph_through(&proxy.uri()).await.unwrap();
    let mut root = book(&backend, "root");
    root.author
        .set_with(person(&backend, "author"), Wrote { year: 1 });
    root.similar.push(book(&backend, "similar"));
    let fault = proxy.inject(Message::Commit, Action::CutAfterAnswer, When::Next(1));
    graph.save_graph(&root).await.unwrap();
    assert_eq!(proxy.fired(fault), 1);
    let found = read(&graph, &root).await;
    assert_eq!(found.similar.get().unwrap().len(), 1);
    assert_eq!(found.author.relationship().unwrap().year, 1);
}
