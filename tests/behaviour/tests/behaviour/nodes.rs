//! Saving, inserting, updating, deleting and reading single nodes.

use crate::common::on_every_backend;
use crate::common::{Backend, Book, Edition, Everything, Genre, Isbn, Label, Team};
use neo_ogm::ErrorKind;
use neo_ogm::neo_bolt::value::Zone;
use neo_ogm::prelude::*;

on_every_backend!(
    every_kind_of_property_comes_back,
    saving_twice_is_saving_once,
    nothing_removes_a_property,
    an_insert_refuses_a_node_that_is_there,
    an_update_wants_a_node_that_is_there,
    refresh_reads_what_others_wrote,
    a_deleted_node_is_gone_and_deleting_it_again_is_fine,
    generated_and_composite_keys,
    any_name_can_be_a_label_or_a_property,
    what_the_struct_does_not_name_stays,
);

fn everything(id: String) -> Everything {
    let local_time = LocalTime::from_hms_nano(23, 59, 59, 123_456_789).unwrap();
    let date = Date::from_ymd(1878, 4, 1).unwrap();
    let local = LocalDateTime::new(date, local_time);
    Everything {
        id,
        flag: true,
        numbers: vec![i64::MIN, -1, 0, i64::MAX],
        small: -128,
        float: 0.1,
        text: "Žluťoučký \"kůň\" \\ `'\n🐎".to_owned(),
        genre: Genre::ShortStory,
        code: Isbn("978-0".to_owned()),
        uuid: Uuid::now_v7(),
        nothing: None,
        date,
        time: Time::new(local_time, -3600).unwrap(),
        local_time,
        date_time: DateTime::from_local(local, 7200).unwrap(),
        zoned: DateTime::from_epoch(86_400, 5, Zone::Id("Europe/Stockholm".to_owned())).unwrap(),
        local_date_time: local,
        duration: Duration::new(14, -3, 61, 5),
        luck: 8,
        scratch: 0,
    }
}

async fn every_kind_of_property_comes_back(backend: Backend) {
    let graph = backend.graph().await;
    let saved = everything(backend.key("everything"));
    graph.save(&saved).await.unwrap();
    let found = Everything::find_by_id(saved.id.as_str())
        .one(&graph)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found, saved);
    let by_value = Everything::find()
        .filter(Everything::ID.eq(saved.id.as_str()))
        .filter(Everything::GENRE.eq(Genre::ShortStory))
        .filter(Everything::CODE.starts_with("978"))
        .filter(Everything::UUID.eq(saved.uuid))
        .filter(Everything::DATE_TIME.le(saved.date_time.clone()))
        .filter(Everything::NUMBERS.has(-1))
        .filter(Everything::NOTHING.is_null())
        .filter(!Everything::FLAG.eq(false));
    assert_eq!(by_value.count(&graph).await.unwrap(), 1);
}

async fn saving_twice_is_saving_once(backend: Backend) {
    let graph = backend.graph().await;
    let mut book = Book::new(backend.key("twice"), "First");
    book.save(&graph).await.unwrap();
    book.title = "Second".to_owned();
    book.pages = Some(10);
    // By a mutable reference too, as one would write it first.
    graph.save(&book).await.unwrap();
    let all = Book::find_by_isbn(book.isbn.as_str())
        .all(&graph)
        .await
        .unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].title.as_str(), all[0].pages), ("Second", Some(10)));
}

async fn nothing_removes_a_property(backend: Backend) {
    let graph = backend.graph().await;
    let mut book = Book::new(backend.key("none"), "T");
    book.pages = Some(1);
    book.published = Some(Date::from_ymd(2000, 2, 29).unwrap());
    book.save(&graph).await.unwrap();
    book.pages = None;
    book.save(&graph).await.unwrap();
    let keys: Vec<Vec<String>> = graph
        .cypher(
            "MATCH (b:Book {isbn: $isbn}) UNWIND keys(b) AS k WITH k ORDER BY k RETURN collect(k)",
        )
        .param("isbn", book.isbn.as_str())
        .fetch(&graph)
        .await
        .unwrap();
    assert_eq!(keys, [["isbn", "publishedOn", "tags", "title"]]);
}

async fn an_insert_refuses_a_node_that_is_there(backend: Backend) {
    let graph = backend.graph().await;
    let book = Book::new(backend.key("insert"), "T");
    book.insert(&graph).await.unwrap();
    let mut other = Book::new(book.isbn.clone(), "Other");
    other.pages = Some(5);
    let error = other.insert(&graph).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::AlreadyExists { .. }),
        "{error}"
    );
    assert!(error.to_string().contains(&book.isbn), "{error}");
    let found = Book::find_by_isbn(book.isbn.as_str())
        .one(&graph)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((found.title.as_str(), found.pages), ("T", None));
}

async fn an_update_wants_a_node_that_is_there(backend: Backend) {
    let graph = backend.graph().await;
    let mut book = Book::new(backend.key("update"), "T");
    let error = book.update(&graph).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::NodeNotFound { .. }),
        "{error}"
    );
    book.save(&graph).await.unwrap();
    book.title = "U".to_owned();
    book.update(&graph).await.unwrap();
    let found = Book::find_by_isbn(book.isbn.as_str())
        .one(&graph)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.title, "U");
}

async fn refresh_reads_what_others_wrote(backend: Backend) {
    let graph = backend.graph().await;
    let mut book = Book::new(backend.key("refresh"), "T");
    book.save(&graph).await.unwrap();
    let mut other = book.clone();
    other.title = "U".to_owned();
    other.save(&graph).await.unwrap();
    book.refresh(&graph).await.unwrap();
    assert_eq!(book.title, "U");
    other.delete(&graph).await.unwrap();
    let error = book.refresh(&graph).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::NodeNotFound { .. }),
        "{error}"
    );
    assert_eq!(book.title, "U", "a failed refresh changes nothing");
}

async fn a_deleted_node_is_gone_and_deleting_it_again_is_fine(backend: Backend) {
    let graph = backend.graph().await;
    let (one, other) = (
        Book::new(backend.key("a"), "A"),
        Book::new(backend.key("b"), "B"),
    );
    one.save(&graph).await.unwrap();
    other.save(&graph).await.unwrap();
    one.similar.connect(&other).await.unwrap();
    one.delete(&graph).await.unwrap();
    one.delete(&graph).await.unwrap();
    assert!(
        !Book::find_by_isbn(one.isbn.as_str())
            .exists(&graph)
            .await
            .unwrap()
    );
    assert!(
        Book::find_by_isbn(other.isbn.as_str())
            .exists(&graph)
            .await
            .unwrap()
    );
}

async fn generated_and_composite_keys(backend: Backend) {
    let graph = backend.graph().await;
    let (one, other) = (
        Team::new(backend.key("one")),
        Team::new(backend.key("other")),
    );
    assert_ne!(one.id, other.id);
    one.save(&graph).await.unwrap();
    other.save(&graph).await.unwrap();
    let found = Team::find_by_id(one.id).one(&graph).await.unwrap().unwrap();
    assert_eq!(found.name, one.name);
    let by_name = Team::find_by_name(other.name.as_str())
        .one(&graph)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(by_name.id, other.id);

    let isbn = backend.key("edition");
    for number in [1, 2, 1] {
        let mut edition = Edition::new(isbn.as_str(), number);
        edition.publisher = Some(format!("P{number}"));
        edition.save(&graph).await.unwrap();
    }
    let all = Edition::find()
        .filter(Edition::ISBN.eq(isbn.as_str()))
        .count(&graph)
        .await
        .unwrap();
    assert_eq!(all, 2);
    let second = Edition::find_by_key(isbn.as_str(), 2)
        .one(&graph)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(second.publisher.as_deref(), Some("P2"));
}

async fn any_name_can_be_a_label_or_a_property(backend: Backend) {
    let graph = backend.graph().await;
    let mut label = Label::new(backend.key("label"));
    label.length = Some(3);
    label.ticks = Some("`".to_owned());
    label.save(&graph).await.unwrap();
    let found = Label::find_by_key(label.key.as_str())
        .filter(Label::LENGTH.gt(2))
        .filter(Label::TICKS.eq("`"))
        .one(&graph)
        .await
        .unwrap();
    assert_eq!(found.as_ref(), Some(&label));
    let names: Vec<(Vec<String>, Vec<String>)> = graph
        .cypher("MATCH (n:`Order` {`match`: $key}) RETURN labels(n), keys(n)")
        .param("key", label.key.as_str())
        .fetch(&graph)
        .await
        .unwrap();
    let (labels, mut keys) = names[0].clone();
    keys.sort();
    assert_eq!(labels, ["Order"]);
    assert_eq!(keys, ["größte Länge", "match", "tick`s"]);
}

async fn what_the_struct_does_not_name_stays(backend: Backend) {
    let graph = backend.graph().await;
    let book = Book::new(backend.key("extra"), "T");
    book.save(&graph).await.unwrap();
    graph
        .cypher("MATCH (b:Book {isbn: $isbn}) SET b.shelf = 'A3'")
        .param("isbn", book.isbn.as_str())
        .execute(&graph)
        .await
        .unwrap();
    book.save(&graph).await.unwrap();
    let shelf: Vec<String> = graph
        .cypher("MATCH (b:Book {isbn: $isbn}) RETURN b.shelf")
        .param("isbn", book.isbn.as_str())
        .fetch(&graph)
        .await
        .unwrap();
    assert_eq!(shelf, ["A3"]);
}
