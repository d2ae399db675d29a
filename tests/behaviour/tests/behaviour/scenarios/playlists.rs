//! A list whose order the relationships carry, and which has a thing more than once.

use crate::common::{Backend, on_every_backend};
use neo_ogm::prelude::*;

on_every_backend!(a_song_is_played_twice, a_list_is_written_anew,);

#[derive(Node, Debug, Clone, PartialEq)]
#[node(label = "PlayList")]
struct List {
    #[node(key)]
    name: String,
    #[relationship(type = "PLAY_HAS")]
    songs: Many<Song, At>,
}

#[derive(Node, Debug, Clone, PartialEq)]
#[node(label = "PlaySong")]
struct Song {
    #[node(key)]
    title: String,
    seconds: u32,
    #[relationship(type = "PLAY_HAS", direction = "in")]
    lists: Many<List, At>,
}

/// The place is the key, so that one song stands at several.
#[relationship(type = "PLAY_HAS")]
#[derive(Debug, Clone, PartialEq)]
struct At {
    #[relationship(key)]
    place: u32,
    loud: Option<bool>,
}

fn at(place: u32) -> At {
    At { place, loud: None }
}

async fn songs(backend: &Backend, test: &str) -> (Graph, List, [Song; 3]) {
    let graph = backend.graph().await;
    let list = List::new(backend.key(test));
    let songs =
        [60, 120, 180].map(|seconds| Song::new(backend.key(&format!("{test}-{seconds}")), seconds));
    graph.save(&list).await.unwrap();
    graph.save_all(&songs).await.unwrap();
    (graph, list, songs)
}

async fn played(graph: &Graph, list: &List) -> Vec<(u32, u32)> {
    let list = List::find_by_name(list.name.as_str())
        .load(List::SONGS.order_by_relationship(At::PLACE.asc()))
        .get(graph)
        .await
        .unwrap();
    let songs = list.songs.related().unwrap().iter();
    songs
        .map(|song| (song.relationship.place, song.seconds))
        .collect()
}

async fn a_song_is_played_twice(backend: Backend) {
    let (graph, list, [one, two, three]) = songs(&backend, "twice").await;
    let order = [(&two, at(1)), (&one, at(2)), (&two, at(3)), (&three, at(4))];
    list.songs.connect_all(order.clone()).await.unwrap();
    list.songs.connect_all(order).await.unwrap();
    assert_eq!(
        played(&graph, &list).await,
        [(1, 120), (2, 60), (3, 120), (4, 180)]
    );
    assert_eq!(two.lists.count().await.unwrap(), 2);
    // A page of it, by what the relationships carry.
    let second = list
        .songs
        .find()
        .order_by_relationship(At::PLACE.asc())
        .skip(2)
        .limit(2);
    let second = second.all().await.unwrap();
    assert_eq!(
        second.iter().map(|song| song.seconds).collect::<Vec<_>>(),
        [120, 180]
    );
    // One of the two goes, and what the other carries changes.
    list.songs.disconnect(&two).keyed(&at(1)).await.unwrap();
    list.songs
        .update_relationship(&two)
        .keyed(&at(3))
        .set(At::LOUD, true)
        .await
        .unwrap();
    assert_eq!(played(&graph, &list).await, [(2, 60), (3, 120), (4, 180)]);
    let loud = list.songs.find().filter_relationship(At::LOUD.eq(true));
    assert_eq!(loud.get().await.unwrap().title, two.title);
    // All places behind the second.
    let late = list.songs.find().filter_relationship(At::PLACE.gt(2));
    assert_eq!(late.disconnect().await.unwrap(), 2);
    assert_eq!(played(&graph, &list).await, [(2, 60)]);
}

async fn a_list_is_written_anew(backend: Backend) {
    let (graph, list, [one, two, three]) = songs(&backend, "anew").await;
    list.songs
        .connect_all([(&one, at(1)), (&two, at(2))])
        .await
        .unwrap();
    list.songs
        .replace_all([(&three, at(1)), (&one, at(2))])
        .await
        .unwrap();
    assert_eq!(played(&graph, &list).await, [(1, 180), (2, 60)]);
    // The same by a graph of objects.
    let mut list = List::find_by_name(list.name.as_str())
        .load(List::SONGS)
        .get(&graph)
        .await
        .unwrap();
    list.songs.edit(|songs| {
        songs.retain(|song| song.seconds > 100);
        for song in songs.iter_mut() {
            song.relationship.place += 10;
        }
    });
    list.songs.push_with(two, at(1));
    graph.save_graph(&list).exactly().await.unwrap();
    assert_eq!(played(&graph, &list).await, [(1, 120), (11, 180)]);
}
