//! What the mapper fills in relationship structs: times of writes and element ids.

use std::sync::Mutex;

use crate::common::{Backend, on_every_backend};
use neo_ogm::mapping::HookContext;
use neo_ogm::prelude::*;

on_every_backend!(
    a_connect_writes_both_times_and_another_one_only_the_last,
    a_replace_keeps_when_it_was_made,
    a_reconnect_takes_along_when_it_was_made,
    updates_write_when_they_were,
    many_pairs_tell_the_structs_that_were_lent,
    what_was_rolled_back_is_forgotten,
    an_object_graph_knows_its_times,
    times_without_fields_of_the_mapper_are_read_back,
    a_struct_of_times_alone,
    each_way_of_reading_tells_the_element_id,
    the_hook_behind_a_connect_sees_what_was_written,
);

#[derive(Node, Debug, Clone, PartialEq)]
#[node(label = "StampReader")]
struct Reader {
    #[node(key)]
    name: String,
    #[relationship(type = "STAMP_READ")]
    read: Many<Story, Read>,
    #[relationship(type = "STAMP_LENDS")]
    lends: ZeroOrOne<Story, Lends>,
    #[relationship(type = "STAMP_NOTES")]
    notes: Many<Story, Notes>,
    #[relationship(type = "STAMP_SEEN")]
    seen: Many<Story, Seen>,
    #[relationship(type = "STAMP_KNOWS")]
    knows: Many<Story>,
}

#[derive(Node, Debug, Clone, PartialEq)]
#[node(label = "StampStory")]
struct Story {
    #[node(key)]
    id: String,
}

#[relationship(type = "STAMP_READ")]
#[derive(Debug, Clone, Default, PartialEq)]
struct Read {
    stars: Option<i64>,
    #[relationship(created_at)]
    created: Timestamp,
    #[relationship(updated_at, rename = "changedAt")]
    updated: Timestamp,
    #[relationship(element_id)]
    id: ElementId,
}

#[relationship(type = "STAMP_LENDS")]
#[derive(Debug, Clone, Default, PartialEq)]
struct Lends {
    note: Option<String>,
    #[relationship(created_at)]
    created: Timestamp,
    #[relationship(updated_at)]
    updated: Timestamp,
}

#[relationship(type = "STAMP_NOTES")]
#[derive(Debug, Clone, Default, PartialEq)]
struct Notes {
    #[relationship(key)]
    page: i64,
    #[relationship(created_at)]
    created: Option<DateTime>,
    #[relationship(updated_at)]
    updated: Option<DateTime>,
}

#[relationship(type = "STAMP_SEEN")]
#[derive(Debug, Clone, Default, PartialEq)]
struct Seen {
    #[relationship(created_at)]
    first: Timestamp,
    #[relationship(updated_at)]
    last: Timestamp,
}

fn stars(stars: i64) -> Read {
    Read {
        stars: Some(stars),
        ..Read::default()
    }
}

/// A reader and two stories.
async fn library(backend: &Backend, graph: &Graph) -> (Reader, Story, Story) {
    let reader = Reader::new(backend.key("reader"));
    let stories = [
        Story::new(backend.key("one")),
        Story::new(backend.key("two")),
    ];
    graph.save(&reader).await.unwrap();
    graph.save_all(&stories).await.unwrap();
    let [one, two] = stories;
    (reader, one, two)
}

async fn read_of(reader: &Reader, story: &Story) -> Read {
    let found = reader.read.find().filter(Story::ID.eq(story.id.as_str()));
    found.get().await.unwrap().relationship
}

async fn lends_of(reader: &Reader) -> (String, Lends) {
    let found = reader.lends.find().get().await.unwrap();
    (found.node.id, found.relationship)
}

async fn a_connect_writes_both_times_and_another_one_only_the_last(backend: Backend) {
    let graph = backend.graph().await;
    let (reader, story, _) = library(&backend, &graph).await;
    let before = DateTime::now();
    let connect = reader.read.connect(&story).properties(stars(3));
    connect.await.unwrap();
    let first = read_of(&reader, &story).await;
    let created = first.created.get().unwrap();
    assert!(created.epoch_seconds() >= before.epoch_seconds());
    assert_eq!(first.updated.get().as_ref(), Some(&created));

    // Nothing is said, so nothing is written.
    reader.read.connect(&story).await.unwrap();
    assert_eq!(read_of(&reader, &story).await, first);

    let connect = reader.read.connect(&story).properties(stars(4));
    connect.await.unwrap();
    let second = read_of(&reader, &story).await;
    assert_eq!(
        (second.stars, second.created.get()),
        (Some(4), Some(created.clone()))
    );
    let later = second.updated.get().unwrap();
    assert!(
        (later.epoch_seconds(), later.nanosecond())
            > (created.epoch_seconds(), created.nanosecond())
    );

    // A connect of which nothing is said makes the times of a relationship that is new.
    let other = Story::new(backend.key("other"));
    graph.save(&other).await.unwrap();
    reader.read.connect(&other).await.unwrap();
    let other = read_of(&reader, &other).await;
    assert!(other.created.get().is_some() && other.created == other.updated);
}

async fn a_replace_keeps_when_it_was_made(backend: Backend) {
    let graph = backend.graph().await;
    let (reader, one, two) = library(&backend, &graph).await;
    reader.lends.connect(&one).await.unwrap();
    let (_, first) = lends_of(&reader).await;
    reader
        .lends
        .replace(&one)
        .properties(Lends::default())
        .await
        .unwrap();
    let (_, again) = lends_of(&reader).await;
    assert_eq!(again.created, first.created);
    assert_ne!(again.updated, first.updated);
    reader.lends.replace(&two).await.unwrap();
    let (id, other) = lends_of(&reader).await;
    assert_eq!(id, two.id);
    assert_ne!(other.created, first.created);
    assert_eq!(other.created, other.updated);
}

async fn a_reconnect_takes_along_when_it_was_made(backend: Backend) {
    let graph = backend.graph().await;
    let (reader, one, two) = library(&backend, &graph).await;
    reader.lends.connect(&one).await.unwrap();
    let (_, first) = lends_of(&reader).await;
    reader.lends.reconnect(&one, &two).await.unwrap();
    let (id, moved) = lends_of(&reader).await;
    assert_eq!((id, &moved.created), (two.id.clone(), &first.created));
    assert_ne!(moved.updated, first.updated);

    let lends = Lends {
        note: Some("back".to_owned()),
        ..Lends::default()
    };
    let back = reader.lends.reconnect(&two, &one).properties(lends);
    back.await.unwrap();
    let (id, back) = lends_of(&reader).await;
    assert_eq!((id, &back.created), (one.id.clone(), &first.created));
    assert_eq!(back.note.as_deref(), Some("back"));
    assert_ne!(back.updated, moved.updated);
    // To where it is: nothing is said, so nothing is written; else it is.
    reader.lends.reconnect(&one, &one).await.unwrap();
    assert_eq!(lends_of(&reader).await.1, back);
    let same = reader
        .lends
        .reconnect(&one, &one)
        .properties(Lends::default());
    same.await.unwrap();
    let (_, same) = lends_of(&reader).await;
    assert_eq!(same.created, back.created);
    assert_ne!(same.updated, back.updated);
}

async fn updates_write_when_they_were(backend: Backend) {
    let graph = backend.graph().await;
    let (reader, story, other) = library(&backend, &graph).await;
    reader.read.connect_all([&story, &other]).await.unwrap();
    let first = read_of(&reader, &story).await;
    let update = reader.read.update_relationship(&story);
    update.set(Read::STARS, 5).await.unwrap();
    let second = read_of(&reader, &story).await;
    assert_eq!((second.stars, &second.created), (Some(5), &first.created));
    assert_ne!(second.updated, first.updated);
    // Nothing changes, so nothing is written.
    reader.read.update_relationship(&story).await.unwrap();
    assert_eq!(read_of(&reader, &story).await, second);

    let five = reader.read.find().filter_relationship(Read::STARS.eq(5));
    assert_eq!(five.update().remove(Read::STARS).await.unwrap(), 1);
    let third = read_of(&reader, &story).await;
    assert_eq!((third.stars, &third.created), (None, &first.created));
    assert_ne!(third.updated, second.updated);
    assert_eq!(read_of(&reader, &other).await.updated, first.updated);
}

async fn many_pairs_tell_the_structs_that_were_lent(backend: Backend) {
    let graph = backend.graph().await;
    let (reader, one, two) = library(&backend, &graph).await;
    let lent = [stars(1), stars(2)];
    let pairs = [(&reader, &two, &lent[1]), (&reader, &one, &lent[0])];
    graph.connect_all(Reader::READ, pairs).await.unwrap();
    let found = [read_of(&reader, &one).await, read_of(&reader, &two).await];
    // With element ids and both times.
    assert_eq!(found, lent);
    assert!(found[0].created == found[1].created && found[0].created.get().is_some());
    assert_ne!(found[0].id, found[1].id);

    let again = [stars(3), stars(4)];
    let ends = [(&one, &again[0]), (&two, &again[1])];
    reader.read.connect_all(ends).await.unwrap();
    let found = [read_of(&reader, &one).await, read_of(&reader, &two).await];
    assert_eq!(found, again);
    assert_eq!(
        (&again[0].created, &again[0].id),
        (&lent[0].created, &lent[0].id)
    );
    assert_ne!(again[0].updated, lent[0].updated);

    // What is given away, and what is left alone.
    let only = stars(5);
    reader.read.replace_all([(&two, &only)]).await.unwrap();
    assert_eq!(reader.read.count().await.unwrap(), 1);
    assert_eq!(read_of(&reader, &two).await, only);
    assert_eq!(only.created, lent[0].created);
    let given = [(&reader, &one, stars(6))];
    graph.connect_all(Reader::READ, given).await.unwrap();
    let given = read_of(&reader, &one).await;
    assert_ne!(given.created, lent[0].created);
    graph
        .connect_all(Reader::READ, [(&reader, &one)])
        .await
        .unwrap();
    assert_eq!(read_of(&reader, &one).await, given);
}

async fn what_was_rolled_back_is_forgotten(backend: Backend) {
    let graph = backend.graph().await;
    let (reader, story, _) = library(&backend, &graph).await;
    let lent = stars(1);
    let failed = graph
        .transaction(async |tx| {
            let pairs = [(&reader, &story, &lent)];
            tx.connect_all(Reader::READ, pairs).await?;
            assert!(lent.created.get().is_some() && lent.id.get().is_some());
            Err::<(), _>(neo_ogm::Error::abort("no"))
        })
        .await;
    assert!(failed.is_err());
    assert_eq!(lent, stars(1));
}

async fn an_object_graph_knows_its_times(backend: Backend) {
    let graph = backend.graph().await;
    let (mut reader, one, two) = library(&backend, &graph).await;
    reader.read.push_with(one.clone(), stars(1));
    reader.read.push_with(two.clone(), stars(2));
    reader.lends.set(one.clone());
    graph.save_graph(&reader).await.unwrap();
    let known = reader.read.related().unwrap().to_vec();
    let lends = reader.lends.relationship().unwrap().unwrap().clone();
    assert!(lends.created.get().is_some() && lends.created == lends.updated);
    assert_eq!(known[0].relationship, read_of(&reader, &one).await);
    assert_eq!(known[1].relationship, read_of(&reader, &two).await);
    assert!(known[0].relationship.id.get().is_some());

    graph.save_graph(&reader).exactly().await.unwrap();
    let again = reader.read.related().unwrap();
    let (was, is) = (&known[0].relationship, &again[0].relationship);
    assert_eq!((&was.created, &was.id), (&is.created, &is.id));
    assert_eq!(*is, read_of(&reader, &one).await);
}

async fn times_without_fields_of_the_mapper_are_read_back(backend: Backend) {
    let graph = backend.graph().await;
    let (reader, story, _) = library(&backend, &graph).await;
    let pages = [1, 2].map(|page| Notes {
        page,
        ..Notes::default()
    });
    for page in &pages {
        let connect = reader.notes.connect(&story).properties(page.clone());
        connect.await.unwrap();
    }
    let order = || reader.notes.find().order_by_relationship(Notes::PAGE.asc());
    let first = order().all().await.unwrap();
    let created: Vec<_> = first
        .iter()
        .map(|one| one.relationship.created.clone())
        .collect();
    assert!(created[0].is_some() && created[0] != created[1]);
    let connect = reader.notes.connect(&story).properties(pages[0].clone());
    connect.await.unwrap();
    let second = order().all().await.unwrap();
    assert_eq!(second[0].relationship.created, created[0]);
    assert_ne!(second[0].relationship.updated, created[0]);
    assert_eq!(second[1], first[1]);
}

async fn a_struct_of_times_alone(backend: Backend) {
    let graph = backend.graph().await;
    let (reader, story, _) = library(&backend, &graph).await;
    let seen = Seen::default();
    reader.seen.connect_all([(&story, &seen)]).await.unwrap();
    let first = seen.first.get().unwrap();
    reader.seen.connect_all([(&story, &seen)]).await.unwrap();
    assert_eq!(seen.first.get(), Some(first.clone()));
    assert_ne!(seen.last.get(), Some(first));
    let since = Seen::FIRST.eq(seen.first.get().unwrap());
    let found = reader.seen.find().filter_relationship(since);
    assert_eq!(found.get().await.unwrap().relationship, seen);
}

async fn each_way_of_reading_tells_the_element_id(backend: Backend) {
    let graph = backend.graph().await;
    let (reader, story, _) = library(&backend, &graph).await;
    let lent = stars(1);
    reader.read.connect_all([(&story, &lent)]).await.unwrap();
    reader.lends.connect(&story).await.unwrap();
    reader.knows.connect(&story).await.unwrap();
    let id: String = graph
        .cypher("MATCH (:StampReader {name: $name})-[r:STAMP_READ]->() RETURN elementId(r)")
        .param("name", reader.name.as_str())
        .get(&graph)
        .await
        .unwrap();
    assert_eq!(lent.id.get().as_deref(), Some(id.as_str()));

    let fetched = reader.read.fetch().await.unwrap();
    let asked = reader.read.find().all().await.unwrap();
    let mut stream = reader.read.find().stream().await.unwrap();
    let streamed = stream.next().await.unwrap().unwrap();
    for read in [&fetched[0], &asked[0], &streamed] {
        assert_eq!(read.relationship.id.get().as_deref(), Some(id.as_str()));
        assert_eq!(read.relationship, lent);
    }
    let loads = || Reader::find_by_name(reader.name.as_str()).load(Reader::LENDS);
    let loaded = loads().load(Reader::READ).load(Reader::KNOWS);
    let loaded = loaded.get(&graph).await.unwrap();
    assert_eq!(
        loaded.read.related().unwrap()[0]
            .relationship
            .id
            .get()
            .as_deref(),
        Some(id.as_str())
    );
    let staged = loads()
        .load(Reader::READ.limit(1))
        .get(&graph)
        .await
        .unwrap();
    assert_eq!(
        staged.read.related().unwrap()[0]
            .relationship
            .id
            .get()
            .as_deref(),
        Some(id.as_str())
    );
    let lends = staged.lends.related().unwrap().unwrap();
    assert!(lends.relationship.created.get().is_some());
    let column: Option<Read> = graph
        .cypher("MATCH (:StampReader {name: $name})-[r:STAMP_READ]->() RETURN r")
        .param("name", reader.name.as_str())
        .one(&graph)
        .await
        .unwrap();
    assert_eq!(column, Some(lent));
}

/// What the hook has seen, by the relationship's note.
static HEARD: Mutex<Vec<(String, bool)>> = Mutex::new(Vec::new());

#[relationship(type = "STAMP_HEARD", hooks)]
#[derive(Debug, Clone, PartialEq)]
struct Heard {
    note: String,
    #[relationship(created_at)]
    created: Timestamp,
    #[relationship(updated_at)]
    updated: Timestamp,
    #[relationship(element_id)]
    id: ElementId,
}

impl RelationshipHooks for Heard {
    async fn after_connect(&self, _: &HookContext) -> Result<(), neo_ogm::Error> {
        let told = self.created.get().is_some() && self.id.get().is_some();
        let told = told && self.updated == self.created;
        HEARD.lock().unwrap().push((self.note.clone(), told));
        Ok(())
    }
}

#[derive(Node, Debug, Clone)]
#[node(label = "StampListener")]
struct Listener {
    #[node(key)]
    name: String,
    #[relationship(type = "STAMP_HEARD")]
    heard: Many<Story, Heard>,
}

async fn the_hook_behind_a_connect_sees_what_was_written(backend: Backend) {
    let graph = backend.graph().await;
    let (_, one, two) = library(&backend, &graph).await;
    let listener = Listener::new(backend.key("listener"));
    graph.save(&listener).await.unwrap();
    let heard = |note: &str| Heard {
        note: backend.key(note),
        created: Timestamp::default(),
        updated: Timestamp::default(),
        id: ElementId::default(),
    };
    let connect = listener.heard.connect(&one).properties(heard("alone"));
    connect.await.unwrap();
    let pairs = [(&listener, &two, heard("many"))];
    graph.connect_all(Listener::HEARD, pairs).await.unwrap();
    let seen = HEARD.lock().unwrap().clone();
    for note in ["alone", "many"] {
        assert!(
            seen.contains(&(backend.key(note), true)),
            "{note}: {seen:?}"
        );
    }
}
