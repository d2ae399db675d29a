//! People one may know, and what they read.

use crate::common::{Backend, on_every_backend};
use neo_ogm::prelude::*;

on_every_backend!(friends_of_friends_are_found, what_friends_like_is_ranked,);

#[derive(Node, Debug, Clone, PartialEq)]
#[node(label = "RecoReader")]
struct Reader {
    #[node(key)]
    name: String,
    #[relationship(type = "RECO_KNOWS", direction = "both")]
    knows: Many<Reader>,
    #[relationship(type = "RECO_LIKES")]
    likes: Many<Title, Likes>,
}

#[derive(Node, Debug, Clone, PartialEq)]
#[node(label = "RecoTitle")]
struct Title {
    #[node(key)]
    name: String,
    #[relationship(type = "RECO_LIKES", direction = "in")]
    liked_by: Many<Reader, Likes>,
}

#[relationship(type = "RECO_LIKES")]
#[derive(Debug, Clone, PartialEq)]
struct Likes {
    stars: i64,
}

const PEOPLE: [&str; 5] = ["ann", "bob", "cid", "dan", "eve"];

/// ann - bob - dan, ann - cid - dan, dan - eve, and what they like.
async fn readers(backend: &Backend, test: &str) -> (Graph, Vec<Reader>) {
    let graph = backend.graph().await;
    let people: Vec<_> = PEOPLE
        .map(|name| Reader::new(backend.key(&format!("{test}-{name}"))))
        .into();
    graph.save_all(&people).await.unwrap();
    let known = [(0, 1), (1, 3), (2, 0), (3, 2), (3, 4)];
    let pairs = known.map(|(one, other)| (&people[one], &people[other]));
    graph.connect_all(Reader::KNOWS, pairs).await.unwrap();
    let titles: Vec<_> = ["war", "peace", "night"]
        .map(|name| Title::new(backend.key(&format!("{test}-{name}"))))
        .into();
    graph.save_all(&titles).await.unwrap();
    let liked = [(1, 0, 5), (2, 0, 3), (2, 1, 4), (3, 2, 5), (0, 1, 2)];
    let likes = liked.map(|(one, title, stars)| (&people[one], &titles[title], Likes { stars }));
    graph.connect_all(Reader::LIKES, likes).await.unwrap();
    (graph, people)
}

fn ends<'n>(names: impl IntoIterator<Item = &'n str>) -> Vec<&'n str> {
    let ends = names.into_iter().map(|name| name.rsplit('-').next());
    ends.flatten().collect()
}

async fn friends_of_friends_are_found(backend: Backend) {
    let (graph, people) = readers(&backend, "friends").await;
    let ann = people[0].name.as_str();
    let may_know = Reader::find_by_name(ann)
        .follow(Reader::KNOWS)
        .follow(Reader::KNOWS)
        .exclude(Reader::NAME.eq(ann) | Reader::KNOWS.has(Reader::NAME.eq(ann)))
        .order_by(Reader::NAME.asc());
    let found = may_know.all(&graph).await.unwrap();
    assert_eq!(ends(found.iter().map(|one| one.name.as_str())), ["dan"]);

    let within_three = Reader::find_by_name(ann)
        .follow(Reader::KNOWS.hops(1..=3))
        .filter(Reader::NAME.ne(ann))
        .order_by(Reader::NAME.asc())
        .all(&graph)
        .await
        .unwrap();
    let names = within_three.iter().map(|one| one.name.as_str());
    assert_eq!(ends(names), ["bob", "cid", "dan", "eve"]);

    let path = graph
        .shortest_path(&people[0], &people[4], Reader::KNOWS)
        .max_hops(6)
        .await
        .unwrap()
        .expect("they are connected");
    assert_eq!(path.steps.len(), 3);
}

async fn what_friends_like_is_ranked(backend: Backend) {
    let (graph, people) = readers(&backend, "likes").await;
    let ann = people[0].name.as_str();
    // What friends like and ann has not read, what most of them like first.
    let by_friends = Reader::KNOWS.has(Reader::NAME.eq(ann));
    let titles = Title::find()
        .filter(Title::LIKED_BY.has(by_friends.clone()))
        .exclude(Title::LIKED_BY.has(Reader::NAME.eq(ann)))
        .order_by((
            Title::LIKED_BY.count_of(by_friends).desc(),
            Title::NAME.asc(),
        ))
        .load(Title::LIKED_BY.order_by_relationship(Likes::STARS.desc()))
        .all(&graph)
        .await
        .unwrap();
    assert_eq!(ends(titles.iter().map(|one| one.name.as_str())), ["war"]);
    let readers: Vec<_> = titles[0].liked_by.related().unwrap().iter().collect();
    // What leads there is the node, as far as one asks for its fields.
    assert_eq!(
        ends(readers.iter().map(|one| one.name.as_str())),
        ["bob", "cid"]
    );
    assert_eq!(
        (readers[0].relationship.stars, readers[1].relationship.stars),
        (5, 3)
    );
}
