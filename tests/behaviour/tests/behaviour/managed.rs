//! Element ids and times of writes, in fields of the struct.

use crate::common::{Backend, on_every_backend};
use neo_ogm::neo_bolt::value::Zone;
use neo_ogm::prelude::*;

on_every_backend!(
    the_element_id_is_there_after_each_way_of_coming_by_a_node,
    an_element_id_of_what_was_rolled_back_is_forgotten,
    times_are_written_once_and_each_time,
    times_without_cells_are_read_back,
    a_unit_of_work_writes_one_time,
);

#[derive(Node, Debug, Clone, PartialEq)]
#[node(label = "ManagedPage")]
struct Page {
    #[node(key)]
    id: String,
    title: Option<String>,
    #[node(element_id)]
    element: ElementId,
    #[node(created_at)]
    created: Timestamp,
    #[node(updated_at, rename = "changedAt")]
    updated: Timestamp,
}

async fn the_element_id_is_there_after_each_way_of_coming_by_a_node(backend: Backend) {
    let graph = backend.graph().await;
    let saved = Page::new(backend.key("saved"));
    assert_eq!(saved.element.get(), None);
    graph.save(&saved).await.unwrap();
    let id = saved.element.get().unwrap();
    let found = Page::find_by_id(saved.id.as_str())
        .one(&graph)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.element.get().as_ref(), Some(&id));
    let by_id = Page::find_by_element_id(&*id).one(&graph).await.unwrap();
    assert_eq!(by_id, Some(found));

    let again = Page::new(saved.id.clone());
    graph.update(&again).await.unwrap();
    assert_eq!(again.element.get().as_ref(), Some(&id));
    let inserted = Page::new(backend.key("inserted"));
    graph.insert(&inserted).await.unwrap();
    assert!(inserted.element.get().is_some_and(|other| other != id));
    let (got, created) = again.get_or_create(&graph).await.unwrap();
    assert_eq!((got.element.get(), created), (Some(id), false));
    assert!(!again.create_or_update(&graph).await.unwrap());
    let nobody = Page::find_by_element_id("no such id").one(&graph).await;
    assert!(matches!(nobody, Ok(None)), "{nobody:?}");
}

async fn an_element_id_of_what_was_rolled_back_is_forgotten(backend: Backend) {
    let graph = backend.graph().await;
    let page = Page::new(backend.key("rolled back"));
    let failed = graph
        .transaction(async |tx| {
            page.save(&tx).await?;
            assert!(page.element.get().is_some());
            Err::<(), _>(neo_ogm::Error::abort("no"))
        })
        .await;
    assert!(failed.is_err());
    assert_eq!((page.element.get(), page.created.get()), (None, None));
    let done = graph.transaction(async |tx| page.save(&tx).await).await;
    done.unwrap();
    assert!(page.element.get().is_some() && page.created.get().is_some());
}

async fn times_are_written_once_and_each_time(backend: Backend) {
    let graph = backend.graph().await;
    let page = Page::new(backend.key("times"));
    let before = DateTime::now();
    graph.save(&page).await.unwrap();
    let (created, updated) = (page.created.get().unwrap(), page.updated.get().unwrap());
    assert_eq!(created, updated);
    assert!(created.epoch_seconds() >= before.epoch_seconds());
    assert_eq!(created.zone(), &Zone::Offset(0));
    graph.save(&page).await.unwrap();
    let later = page.updated.get().unwrap();
    assert_eq!(page.created.get().as_ref(), Some(&created));
    assert!(
        (later.epoch_seconds(), later.nanosecond())
            > (updated.epoch_seconds(), updated.nanosecond())
    );

    let other = Page::new(page.id.clone());
    graph.update(&other).await.unwrap();
    assert_eq!(other.created.get().as_ref(), Some(&created));
    let found = Page::find_by_id(page.id.as_str()).filter(Page::CREATED.eq(created.clone()));
    let found = found.one(&graph).await.unwrap().unwrap();
    assert_eq!(found.updated.get(), other.updated.get());

    let inserted = Page::new(backend.key("inserted"));
    graph.insert(&inserted).await.unwrap();
    assert!(inserted.created.get().is_some());
    let mut refreshed = Page::new(inserted.id.clone());
    refreshed.refresh(&graph).await.unwrap();
    assert_eq!(refreshed, inserted);
}

#[derive(Node, Debug, Clone, PartialEq)]
#[node(label = "ManagedNote")]
struct Note {
    #[node(key)]
    id: String,
    #[node(created_at)]
    created: Option<DateTime>,
    #[node(updated_at)]
    updated: Option<DateTime>,
}

async fn times_without_cells_are_read_back(backend: Backend) {
    let graph = backend.graph().await;
    let mut note = Note::new(backend.key("note"));
    graph.save(&note).await.unwrap();
    assert_eq!(note.created, None);
    note.refresh(&graph).await.unwrap();
    let created = note.created.clone();
    assert!(created.is_some());
    graph.save(&note).await.unwrap();
    note.refresh(&graph).await.unwrap();
    assert_eq!(note.created, created);
    assert_ne!(note.updated, created);
}

async fn a_unit_of_work_writes_one_time(backend: Backend) {
    let graph = backend.graph().await;
    let (first, second) = (
        Page::new(backend.key("first")),
        Page::new(backend.key("second")),
    );
    let unit = graph.transaction(async |tx| {
        first.save(&tx).await?;
        second.save(&tx).await
    });
    unit.await.unwrap();
    assert_eq!(first.created.get(), second.created.get());
    assert!(first.created.get().is_some());
}
