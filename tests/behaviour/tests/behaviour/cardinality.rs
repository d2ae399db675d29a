//! Bounds hold, also when several write at once.

use crate::common::on_every_backend;
use crate::common::{Author, Backend, Book, Holder, Member, Passport, Team, Wrote};
use neo_ogm::prelude::*;
use neo_ogm::{Error, ErrorKind};

on_every_backend!(
    a_second_one_is_refused,
    a_bound_at_the_other_end_holds_too,
    the_last_of_one_or_more_stays,
    racing_connects_leave_exactly_one,
);

fn is_violation(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Cardinality { .. })
}

async fn a_second_one_is_refused(backend: Backend) {
    let graph = backend.graph().await;
    let book = Book::new(backend.key("book"), "T");
    let (first, second) = (Author::new(backend.key("1")), Author::new(backend.key("2")));
    book.save(&graph).await.unwrap();
    first.save(&graph).await.unwrap();
    second.save(&graph).await.unwrap();
    book.author
        .connect(&first)
        .properties(Wrote { year: 1 })
        .await
        .unwrap();
    let error = book
        .author
        .connect(&second)
        .properties(Wrote { year: 2 })
        .await
        .unwrap_err();
    assert!(is_violation(&error), "{error}");
    assert!(error.to_string().contains("replace"), "{error}");
    // From the other end, whose own field is not bounded, it is the same relationship.
    let error = second
        .books
        .connect(&book)
        .properties(Wrote { year: 2 })
        .await
        .unwrap_err();
    assert!(is_violation(&error), "{error}");
    assert_eq!(book.author.fetch().await.unwrap().name, first.name);
}

async fn a_bound_at_the_other_end_holds_too(backend: Backend) {
    let graph = backend.graph().await;
    let (ann, bob) = (
        Holder::new(backend.key("ann")),
        Holder::new(backend.key("bob")),
    );
    let (one, two) = (
        Passport::new(backend.key("1")),
        Passport::new(backend.key("2")),
    );
    ann.save(&graph).await.unwrap();
    bob.save(&graph).await.unwrap();
    one.save(&graph).await.unwrap();
    two.save(&graph).await.unwrap();
    ann.passport.connect(&one).await.unwrap();
    let error = bob.passport.connect(&one).await.unwrap_err();
    assert!(
        is_violation(&error) && error.to_string().contains(&one.number),
        "{error}"
    );
    let error = ann.passport.connect(&two).await.unwrap_err();
    assert!(
        is_violation(&error) && error.to_string().contains(&ann.name),
        "{error}"
    );
    let error = two.holder.connect(&ann).await.unwrap_err();
    assert!(is_violation(&error), "{error}");
    ann.passport.disconnect(&one).await.unwrap();
    bob.passport.connect(&one).await.unwrap();
    assert_eq!(one.holder.fetch().await.unwrap().name, bob.name);
    assert!(ann.passport.fetch().await.unwrap().is_none());
}

async fn the_last_of_one_or_more_stays(backend: Backend) {
    let graph = backend.graph().await;
    let team = Team::new(backend.key("team"));
    let (ann, bob) = (
        Member::new(backend.key("ann")),
        Member::new(backend.key("bob")),
    );
    team.save(&graph).await.unwrap();
    ann.save(&graph).await.unwrap();
    bob.save(&graph).await.unwrap();
    team.members.connect(&ann).await.unwrap();
    team.members.disconnect(&bob).await.unwrap();
    let error = team.members.disconnect(&ann).await.unwrap_err();
    assert!(is_violation(&error), "{error}");
    team.members.connect(&bob).await.unwrap();
    team.members.disconnect(&ann).await.unwrap();
    let left = team.members.fetch().await.unwrap();
    assert_eq!(
        left.iter().map(|m| &m.node.name).collect::<Vec<_>>(),
        [&bob.name]
    );
}

/// Four tasks connect one book with four authors, 100 times over.
async fn racing_connects_leave_exactly_one(backend: Backend) {
    let graph = backend.graph().await;
    let mut authors = Vec::new();
    for n in 0..4 {
        let author = Author::new(backend.key(&format!("author{n}")));
        author.save(&graph).await.unwrap();
        authors.push(author);
    }
    for round in 0..100 {
        let book = Book::new(backend.key(&format!("book{round}")), "T");
        book.save(&graph).await.unwrap();
        let tasks: Vec<_> = authors
            .iter()
            .map(|author| {
                let (book, author) = (book.clone(), author.clone());
                tokio::spawn(async move {
                    book.author
                        .connect(&author)
                        .properties(Wrote { year: round })
                        .await
                })
            })
            .collect();
        let mut won = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(()) => won += 1,
                Err(error) => assert!(is_violation(&error), "round {round}: {error}"),
            }
        }
        assert_eq!(won, 1, "round {round}");
        book.author.fetch().await.unwrap();
    }
}
