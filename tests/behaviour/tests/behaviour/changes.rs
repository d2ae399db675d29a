//! Nodes changed and deleted by filter, without loading them; deletes that refuse or take along.

use crate::common::{Backend, on_every_backend};
use neo_ogm::prelude::*;
use neo_ogm::{Error, ErrorKind};
use neo_test_support::Message;
use neo_test_support::proxy::{Action, Proxy, When};

on_every_backend!(
    what_passes_is_changed,
    what_passes_is_deleted,
    everything_must_be_meant,
    a_lost_commit_changes_once,
    restrict_refuses_a_connected_node,
    cascade_takes_along,
);

#[derive(Node, Debug, Clone)]
#[node(label = "ChgBook")]
struct Book {
    #[node(key)]
    isbn: String,
    title: String,
    pages: Option<i64>,
    #[relationship(type = "CHG_SIMILAR")]
    similar: Many<Book>,
    #[relationship(type = "CHG_HAS")]
    chapters: Many<Chapter>,
}

#[derive(Node, Debug, Clone)]
#[node(label = "ChgChapter")]
struct Chapter {
    #[node(key)]
    id: String,
    #[relationship(type = "CHG_NOTE")]
    notes: Many<Note>,
}

#[derive(Node, Debug, Clone)]
#[node(label = "ChgNote")]
struct Note {
    #[node(key)]
    id: String,
}

async fn shelf(backend: &Backend, graph: &Graph) -> Vec<Book> {
    let books: Vec<_> = (0..6)
        .map(|n| {
            let mut book = Book::new(backend.key(&format!("{n}")), format!("T{}", n % 2));
            book.pages = Some(100 * n);
            book
        })
        .collect();
    graph.save_all(&books).await.unwrap();
    graph
        .connect_all(
            Book::SIMILAR,
            books.windows(2).map(|pair| (&pair[0], &pair[1])),
        )
        .await
        .unwrap();
    books
}

fn mine(backend: &Backend) -> neo_ogm::operation::Find<Book> {
    Book::find().filter(Book::ISBN.starts_with(backend.key("")))
}

fn is_refused(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NotSupported { .. })
}

async fn what_passes_is_changed(backend: Backend) {
    let graph = backend.graph().await;
    let books = shelf(&backend, &graph).await;
    let changed = mine(&backend)
        .filter(Book::TITLE.eq("T1"))
        .filter(Book::SIMILAR.has(Book::PAGES.ge(400)))
        .update(&graph)
        .set(Book::TITLE, "long")
        .set(Book::PAGES, 7);
    assert_eq!(changed.await.unwrap(), 1);
    let found = mine(&backend).filter(Book::TITLE.eq("long"));
    let found = found.one(&graph).await.unwrap().unwrap();
    assert_eq!((&found.isbn, found.pages), (&books[3].isbn, Some(7)));
    let removed = mine(&backend)
        .filter(Book::PAGES.lt(100))
        .update(&graph)
        .remove(Book::PAGES);
    assert_eq!(removed.await.unwrap(), 2);
    let none = mine(&backend).filter(Book::PAGES.is_null()).count(&graph);
    assert_eq!(none.await.unwrap(), 2);
    let error = mine(&backend)
        .update(&graph)
        .set(Book::ISBN, "x")
        .await
        .unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::KeyAssigned { field: "isbn" }),
        "{error}"
    );
    let failed: Result<(), Error> = graph
        .transaction(async |tx| {
            let all = mine(&backend).update(&tx).set(Book::TITLE, "all");
            assert_eq!(all.await?, 6);
            Err(Error::abort("no"))
        })
        .await;
    failed.unwrap_err();
    let all = mine(&backend).filter(Book::TITLE.eq("all")).count(&graph);
    assert_eq!(all.await.unwrap(), 0);
}

async fn what_passes_is_deleted(backend: Backend) {
    let graph = backend.graph().await;
    let books = shelf(&backend, &graph).await;
    let short = || mine(&backend).filter(Book::PAGES.lt(300));
    assert_eq!(short().delete(&graph).await.unwrap(), 3);
    assert_eq!(short().delete(&graph).await.unwrap(), 0);
    assert_eq!(mine(&backend).count(&graph).await.unwrap(), 3);
    let last = mine(&backend).filter(Book::SIMILAR.is_empty());
    assert_eq!(last.delete(&graph).await.unwrap(), 1);
    assert!(books[3].similar.is_connected(&books[4]).await.unwrap());
}

async fn everything_must_be_meant(backend: Backend) {
    let graph = backend.graph().await;
    let error = Note::find().delete(&graph).await.unwrap_err();
    assert!(
        is_refused(&error) && error.to_string().contains("all_nodes"),
        "{error}"
    );
    let error = Book::find().update(&graph).set(Book::TITLE, "x").await;
    assert!(is_refused(&error.unwrap_err()));
    let error = mine(&backend).limit(1).delete(&graph).await.unwrap_err();
    assert!(
        is_refused(&error) && error.to_string().contains("limit"),
        "{error}"
    );
    #[derive(Node)]
    #[node(label = "ChgScrap")]
    struct Scrap {
        #[node(key)]
        id: String,
    }
    // Only where nobody else has any.
    if backend.is_embedded() {
        let scraps = [Scrap::new("1"), Scrap::new("2")];
        graph.save_all(&scraps).await.unwrap();
        assert_eq!(Scrap::find().delete(&graph).all_nodes().await.unwrap(), 2);
    }
}

async fn a_lost_commit_changes_once(backend: Backend) {
    let address = backend.address().await;
    let proxy = Proxy::start(&address).expect("the proxy starts");
    let graph = backend.graph_through(&proxy.uri()).await.unwrap();
    shelf(&backend, &graph).await;
    let cut = || proxy.inject(Message::Commit, Action::CutAfterAnswer, When::Next(1));
    cut();
    let changed = mine(&backend)
        .filter(Book::TITLE.eq("T1"))
        .update(&graph)
        .set(Book::PAGES, 1);
    assert_eq!(changed.await.unwrap(), 3);
    // A second run would find other nodes.
    let similar = || mine(&backend).filter(Book::SIMILAR.has(Book::PAGES.eq(1)));
    let expected = similar().count(&graph).await.unwrap();
    cut();
    let changed = similar().update(&graph).set(Book::PAGES, 1);
    assert_eq!(changed.await.unwrap(), expected);
    let last = || mine(&backend).filter(Book::SIMILAR.is_empty());
    assert_eq!(last().count(&graph).await.unwrap(), 1);
    cut();
    assert_eq!(last().delete(&graph).await.unwrap(), 1);
    assert_eq!(mine(&backend).count(&graph).await.unwrap(), 5);
}

async fn restrict_refuses_a_connected_node(backend: Backend) {
    let graph = backend.graph().await;
    let books = shelf(&backend, &graph).await;
    // It leads nowhere itself, but another leads to it.
    let error = books[5].delete(&graph).restrict().await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::HasRelationships { .. }),
        "{error}"
    );
    assert!(error.to_string().contains(&books[5].isbn), "{error}");
    books[4].similar.disconnect(&books[5]).await.unwrap();
    for _ in 0..2 {
        books[5].delete(&graph).restrict().await.unwrap();
    }
    assert_eq!(mine(&backend).count(&graph).await.unwrap(), 5);
}

async fn cascade_takes_along(backend: Backend) {
    let graph = backend.graph().await;
    let books = shelf(&backend, &graph).await;
    let chapters: Vec<_> = (0..3)
        .map(|n| Chapter::new(backend.key(&format!("chapter{n}"))))
        .collect();
    let notes: Vec<_> = (0..3)
        .map(|n| Note::new(backend.key(&format!("note{n}"))))
        .collect();
    graph.save_all(&chapters).await.unwrap();
    graph.save_all(&notes).await.unwrap();
    books[0].chapters.connect_all(&chapters[..2]).await.unwrap();
    books[1].chapters.connect(&chapters[2]).await.unwrap();
    let pairs = chapters.iter().zip(&notes);
    graph.connect_all(Chapter::NOTES, pairs).await.unwrap();
    let deep = || Book::CHAPTERS.then(Chapter::NOTES);
    // It is similar to another book.
    let error = books[0].delete(&graph).restrict().cascade(deep()).await;
    assert!(matches!(
        error.unwrap_err().kind(),
        ErrorKind::HasRelationships { .. }
    ));
    assert_eq!(books[0].chapters.count().await.unwrap(), 2, "rolled back");
    books[0].similar.disconnect(&books[1]).await.unwrap();
    for _ in 0..2 {
        let delete = books[0].delete(&graph).restrict().cascade(deep());
        delete.await.unwrap();
    }
    let left = |n: usize| {
        let (chapter, note) = (chapters[n].id.clone(), notes[n].id.clone());
        let graph = graph.clone();
        async move {
            let chapter = Chapter::find_by_id(chapter).exists(&graph).await.unwrap();
            (
                chapter,
                Note::find_by_id(note).exists(&graph).await.unwrap(),
            )
        }
    };
    assert_eq!(left(0).await, (false, false));
    assert_eq!(left(1).await, (false, false));
    assert_eq!(left(2).await, (true, true));
    // Without `then`, what is further away stays.
    books[1]
        .delete(&graph)
        .cascade(Book::CHAPTERS)
        .await
        .unwrap();
    assert_eq!(left(2).await, (false, true));
    assert_eq!(mine(&backend).count(&graph).await.unwrap(), 4);
}
