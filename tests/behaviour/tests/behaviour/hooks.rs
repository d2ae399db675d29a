//! What is done before and after nodes and relationships are written.

use std::sync::Mutex;

use crate::common::{Backend, on_every_backend};
use neo_ogm::Error;
use neo_ogm::mapping::{HookContext, Operation};
use neo_ogm::neo_bolt::CommitOutcome;
use neo_ogm::prelude::*;

on_every_backend!(
    hooks_are_called_in_their_order,
    a_hook_that_refuses_sends_nothing,
    a_hook_that_comes_too_late_says_that_the_write_stands,
    a_hook_runs_in_the_transaction_of_its_operation,
    nodes_that_are_read_are_told,
    relationships_have_hooks_too,
);

static CALLS: Mutex<Vec<(String, &'static str)>> = Mutex::new(Vec::new());

fn call(id: &str, what: &'static str) {
    CALLS.lock().unwrap().push((id.to_owned(), what));
}

fn calls(id: &str) -> Vec<&'static str> {
    let mut calls = CALLS.lock().unwrap();
    let (mine, others) = calls.drain(..).partition(|(of, _)| of == id);
    *calls = others;
    mine.into_iter().map(|(_, what)| what).collect()
}

#[derive(Node, Debug, Clone)]
#[node(label = "HookedBook", hooks)]
struct Book {
    #[node(key)]
    id: String,
    title: String,
    #[node(skip)]
    shout: String,
    #[relationship]
    liked: Many<Book, Liked>,
}

impl Hooks for Book {
    async fn before_save(&self, cx: &HookContext) -> Result<(), Error> {
        call(&self.id, "before_save");
        if self.title.is_empty() {
            return Err(Error::abort("a book has a title"));
        }
        if cx.operation() == Operation::Update && self.title == "fixed" {
            return Err(Error::abort("fixed"));
        }
        Ok(())
    }

    async fn after_save(&self, cx: &HookContext) -> Result<(), Error> {
        call(&self.id, "after_save");
        if self.title == "logged" {
            let log = cx
                .cypher("MERGE (:HookedLog {id: $id})")
                .param("id", self.id.as_str());
            log.execute(cx).await?;
        }
        match self.title.as_str() {
            "regretted" => Err(Error::abort("too late")),
            _ => Ok(()),
        }
    }

    async fn before_create(&self, _: &HookContext) -> Result<(), Error> {
        call(&self.id, "before_create");
        Ok(())
    }

    async fn after_create(&self, _: &HookContext) -> Result<(), Error> {
        call(&self.id, "after_create");
        Ok(())
    }

    async fn before_delete(&self, _: &HookContext) -> Result<(), Error> {
        call(&self.id, "before_delete");
        if self.title == "kept" {
            return Err(Error::abort("kept"));
        }
        Ok(())
    }

    async fn after_delete(&self, _: &HookContext) -> Result<(), Error> {
        call(&self.id, "after_delete");
        Ok(())
    }

    fn after_load(&mut self) -> Result<(), Error> {
        if self.title == "unreadable" {
            return Err(Error::abort("it can't be read"));
        }
        self.shout = self.title.to_uppercase();
        Ok(())
    }
}

async fn hooks_are_called_in_their_order(backend: Backend) {
    let graph = backend.graph().await;
    let book = Book::new(backend.key("order"), "t");
    graph.save(&book).await.unwrap();
    assert_eq!(
        calls(&book.id),
        ["before_save", "after_create", "after_save"]
    );
    graph.save(&book).await.unwrap();
    assert_eq!(calls(&book.id), ["before_save", "after_save"]);
    graph.update(&book).await.unwrap();
    assert_eq!(calls(&book.id), ["before_save", "after_save"]);
    let _ = book.get_or_create(&graph).await.unwrap();
    assert_eq!(calls(&book.id), ["before_save"]);
    let tracked = Book {
        title: "u".to_owned(),
        ..book.clone()
    };
    let mut tracked = tracked.tracked();
    assert!(!tracked.save_changes(&graph).await.unwrap());
    assert!(calls(&book.id).is_empty());
    tracked.title = "v".to_owned();
    assert!(tracked.save_changes(&graph).await.unwrap());
    assert_eq!(calls(&book.id), ["before_save", "after_save"]);
    graph.delete(&book).await.unwrap();
    assert_eq!(calls(&book.id), ["before_delete", "after_delete"]);
    graph.insert(&book).await.unwrap();
    assert_eq!(
        calls(&book.id),
        ["before_save", "before_create", "after_create", "after_save"]
    );
}

async fn a_hook_that_comes_too_late_says_that_the_write_stands(backend: Backend) {
    let graph = backend.graph().await;
    let book = Book::new(backend.key("late"), "regretted");
    let error = graph.save(&book).await.unwrap_err();
    assert_eq!(error.commit_outcome(), CommitOutcome::Committed);
    let told = "too late; what was written before is committed";
    assert_eq!(error.to_string(), told);
    let find = || Book::find_by_id(book.id.as_str());
    assert!(find().exists(&graph).await.unwrap());
    graph.delete(&book).await.unwrap();
    let unit = graph.transaction(async |tx| book.save(&tx).await);
    let error = unit.await.unwrap_err();
    assert_eq!(error.commit_outcome(), CommitOutcome::NotSent);
    assert!(!find().exists(&graph).await.unwrap());
}

async fn a_hook_that_refuses_sends_nothing(backend: Backend) {
    let graph = backend.graph().await;
    let mut book = Book::new(backend.key("refused"), "");
    let error = graph.save(&book).await.unwrap_err();
    assert_eq!(error.to_string(), "a book has a title");
    let find = || Book::find_by_id(book.id.as_str());
    assert!(!find().exists(&graph).await.unwrap());
    book.title = "kept".to_owned();
    graph.save(&book).await.unwrap();
    assert_eq!(graph.delete(&book).await.unwrap_err().to_string(), "kept");
    let fixed = Book {
        title: "fixed".to_owned(),
        ..book.clone()
    };
    assert_eq!(graph.update(&fixed).await.unwrap_err().to_string(), "fixed");
    let found = Book::find_by_id(book.id.as_str())
        .one(&graph)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.title, "kept");
    calls(&book.id);
}

async fn a_hook_runs_in_the_transaction_of_its_operation(backend: Backend) {
    let graph = backend.graph().await;
    let book = Book::new(backend.key("logged"), "logged");
    let logged = async || {
        let query = graph.cypher("MATCH (n:HookedLog {id: $id}) RETURN count(n)");
        query
            .param("id", book.id.as_str())
            .fetch::<i64>(&graph)
            .await
            .unwrap()
    };
    let failed = graph.transaction(async |tx| {
        book.save(&tx).await?;
        Err::<(), _>(Error::abort("no"))
    });
    failed.await.unwrap_err();
    assert_eq!(logged().await, [0]);
    graph
        .transaction(async |tx| book.save(&tx).await)
        .await
        .unwrap();
    assert_eq!(logged().await, [1]);
    graph.save(&book).await.unwrap();
    calls(&book.id);
}

async fn nodes_that_are_read_are_told(backend: Backend) {
    let graph = backend.graph().await;
    let book = Book::new(backend.key("read"), "quiet");
    graph.save(&book).await.unwrap();
    let liked = Liked {
        stars: 5,
        shown: String::new(),
    };
    book.liked.connect(&book).properties(liked).await.unwrap();
    let found = Book::find_by_id(book.id.as_str())
        .load(Book::LIKED)
        .one(&graph);
    let found = found.await.unwrap().unwrap();
    assert_eq!(found.shout, "QUIET");
    let related = &found.liked.related().unwrap()[0];
    assert_eq!(
        (
            related.node.shout.as_str(),
            related.relationship.shown.as_str()
        ),
        ("QUIET", "*****")
    );

    let unreadable = Book {
        title: "unreadable".to_owned(),
        ..book.clone()
    };
    graph.save(&unreadable).await.unwrap();
    let error = Book::find_by_id(book.id.as_str())
        .one(&graph)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("it can't be read"), "{error}");
    calls(&book.id);
}

#[relationship(type = "HOOKED_LIKED", hooks)]
#[derive(Debug, Clone)]
struct Liked {
    stars: u8,
    #[relationship(skip)]
    shown: String,
}

impl RelationshipHooks for Liked {
    async fn before_connect(&self, cx: &HookContext) -> Result<(), Error> {
        if self.stars > 5 {
            return Err(Error::abort(format!(
                "{:?} of {} stars",
                cx.operation(),
                self.stars
            )));
        }
        Ok(())
    }

    fn after_load(&mut self) -> Result<(), Error> {
        self.shown = "*".repeat(self.stars.into());
        Ok(())
    }
}

async fn relationships_have_hooks_too(backend: Backend) {
    let graph = backend.graph().await;
    let book = Book::new(backend.key("stars"), "t");
    graph.save(&book).await.unwrap();
    let six = || Liked {
        stars: 6,
        shown: String::new(),
    };
    let error = book
        .liked
        .connect(&book)
        .properties(six())
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "Connect of 6 stars");
    let error = book
        .liked
        .replace(&book)
        .properties(six())
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "Replace of 6 stars");
    assert!(book.liked.fetch().await.unwrap().is_empty());
    calls(&book.id);
}
