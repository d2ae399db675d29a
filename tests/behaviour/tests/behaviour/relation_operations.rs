//! What a relationship field can do besides connecting: moving, asking, several at once, and
//! fields that look both ways.

use crate::common::{Backend, on_every_backend};
use neo_ogm::prelude::*;
use neo_ogm::{Error, ErrorKind};

on_every_backend!(
    reconnect_moves_what_is_carried,
    reconnect_says_what_is_missing,
    reconnect_keeps_bounds_at_the_other_end,
    parallel_relationships_are_taken_and_moved_by_key,
    some_properties_are_changed_and_others_stay,
    questions_about_one_field,
    several_at_once_and_exactly_these,
    several_at_once_name_what_stands_in_the_way,
    a_field_that_looks_both_ways_is_one_relationship,
    a_node_may_lead_to_itself,
    the_right_inverse_is_picked,
    the_other_end_keeps_its_last,
);

/// A person of every kind of relationship.
#[derive(Node, Debug, Clone)]
#[node(label = "RelPerson")]
struct Person {
    #[node(key)]
    name: String,
    #[relationship(type = "REL_KNOWS", direction = "both")]
    friends: Many<Person>,
    #[relationship(type = "REL_MARRIED", direction = "both")]
    spouse: ZeroOrOne<Person>,
    #[relationship(type = "REL_OWNS")]
    owns: Many<Item, Owns>,
    #[relationship(type = "REL_LENT")]
    lends: Many<Item, Lent>,
    #[relationship(type = "REL_IN")]
    club: ZeroOrOne<Club>,
}

/// A thing that one owns and many borrow.
#[derive(Node, Debug, Clone)]
#[node(label = "RelItem")]
struct Item {
    #[node(key)]
    code: String,
    /// Sees the same relationships as the next one, and bounds nothing.
    #[relationship(type = "REL_OWNS", direction = "in")]
    owners: Many<Person, Owns>,
    #[relationship(type = "REL_OWNS", direction = "in")]
    owner: ZeroOrOne<Person, Owns>,
    #[relationship(type = "REL_LENT", direction = "in")]
    borrowers: Many<Person, Lent>,
}

/// What has at least one member.
#[derive(Node, Debug, Clone)]
#[node(label = "RelClub")]
struct Club {
    #[node(key)]
    name: String,
    #[relationship(type = "REL_IN", direction = "in")]
    members: OneOrMore<Person>,
}

#[relationship(type = "REL_OWNS")]
#[derive(Debug, Clone, PartialEq)]
struct Owns {
    since: Option<i64>,
    note: Option<String>,
}

#[relationship(type = "REL_LENT")]
#[derive(Debug, Clone, PartialEq)]
struct Lent {
    #[relationship(key)]
    day: i64,
    note: Option<String>,
}

fn lent(day: i64, note: &str) -> Lent {
    Lent {
        day,
        note: Some(note.to_owned()),
    }
}

async fn people(backend: &Backend, graph: &Graph, count: usize) -> Vec<Person> {
    let people: Vec<_> = (0..count)
        .map(|n| Person::new(backend.key(&format!("person{n}"))))
        .collect();
    graph.save_all(&people).await.unwrap();
    people
}

async fn items(backend: &Backend, graph: &Graph, count: usize) -> Vec<Item> {
    let items: Vec<_> = (0..count)
        .map(|n| Item::new(backend.key(&format!("item{n}"))))
        .collect();
    graph.save_all(&items).await.unwrap();
    items
}

fn is_violation(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Cardinality { .. })
}

fn codes(found: &[Related<Item, Lent>]) -> Vec<(String, i64, Option<String>)> {
    let mut codes: Vec<_> = found
        .iter()
        .map(|related| {
            let Lent { day, note } = related.relationship.clone();
            (related.node.code.clone(), day, note)
        })
        .collect();
    codes.sort();
    codes
}

async fn reconnect_moves_what_is_carried(backend: Backend) {
    let graph = backend.graph().await;
    let (people, items) = (
        people(&backend, &graph, 1).await,
        items(&backend, &graph, 3).await,
    );
    let owns = &people[0].owns;
    let owned = |since| Owns {
        since: Some(since),
        note: Some("bought".into()),
    };
    owns.connect(&items[0]).properties(owned(1)).await.unwrap();
    for _ in 0..2 {
        owns.reconnect(&items[0], &items[1]).await.unwrap();
        let found = owns.fetch().await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].node.code, items[1].code);
        assert_eq!(found[0].relationship, owned(1));
    }
    let sold = Owns {
        since: Some(7),
        note: None,
    };
    owns.reconnect(&items[1], &items[2])
        .properties(sold.clone())
        .await
        .unwrap();
    let found = owns.fetch().await.unwrap();
    assert_eq!(found[0].node.code, items[2].code);
    assert_eq!(found[0].relationship, sold);
    // To itself: what it carries may change.
    owns.reconnect(&items[2], &items[2]).await.unwrap();
    owns.reconnect(&items[2], &items[2])
        .properties(owned(9))
        .await
        .unwrap();
    let found = owns.fetch().await.unwrap();
    assert_eq!((found.len(), &found[0].relationship), (1, &owned(9)));
    // Within a transaction that is rolled back.
    let failed: Result<(), Error> = graph
        .transaction(async |tx| {
            owns.reconnect(&items[2], &items[0]).on(&tx).await?;
            Err(Error::abort("no"))
        })
        .await;
    failed.unwrap_err();
    assert!(owns.is_connected(&items[2]).await.unwrap());
}

async fn reconnect_says_what_is_missing(backend: Backend) {
    let graph = backend.graph().await;
    let (people, items) = (
        people(&backend, &graph, 1).await,
        items(&backend, &graph, 2).await,
    );
    let owns = &people[0].owns;
    let error = owns.reconnect(&items[0], &items[1]).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::NotConnected { field: "owns", .. }),
        "{error}"
    );
    assert!(error.to_string().contains(&items[0].code), "{error}");
    owns.connect(&items[0]).await.unwrap();
    let ghost = Item::new(backend.key("ghost"));
    let error = owns.reconnect(&items[0], &ghost).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::NodeNotFound { .. }),
        "{error}"
    );
    let error = owns.reconnect(&ghost, &items[1]).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::NodeNotFound { .. }),
        "{error}"
    );
    assert!(owns.is_connected(&items[0]).await.unwrap());
    let unsaved = Person::new("x");
    let error = unsaved.owns.reconnect(&items[0], &items[1]).await;
    assert!(matches!(
        error.unwrap_err().kind(),
        ErrorKind::NotSaved { .. }
    ));
}

async fn reconnect_keeps_bounds_at_the_other_end(backend: Backend) {
    let graph = backend.graph().await;
    let (people, items) = (
        people(&backend, &graph, 2).await,
        items(&backend, &graph, 2).await,
    );
    people[0].owns.connect(&items[0]).await.unwrap();
    people[1].owns.connect(&items[1]).await.unwrap();
    let error = people[0]
        .owns
        .reconnect(&items[0], &items[1])
        .await
        .unwrap_err();
    assert!(is_violation(&error), "{error}");
    assert!(error.to_string().contains(&items[1].code), "{error}");
    assert!(people[0].owns.is_connected(&items[0]).await.unwrap());
    // Led over from the bounded end, it is the owner who changes.
    items[0]
        .owner
        .reconnect(&people[0], &people[1])
        .await
        .unwrap();
    assert_eq!(people[1].owns.count().await.unwrap(), 2);
}

async fn parallel_relationships_are_taken_and_moved_by_key(backend: Backend) {
    let graph = backend.graph().await;
    let (people, items) = (
        people(&backend, &graph, 1).await,
        items(&backend, &graph, 2).await,
    );
    let lends = &people[0].lends;
    for day in 1..=3 {
        let carried = lent(day, "a");
        lends.connect(&items[0]).properties(carried).await.unwrap();
    }
    let second = lent(2, "whatever else");
    assert!(lends.is_connected(&items[0]).keyed(&second).await.unwrap());
    lends.disconnect(&items[0]).keyed(&second).await.unwrap();
    assert!(!lends.is_connected(&items[0]).keyed(&second).await.unwrap());
    assert_eq!(lends.count().await.unwrap(), 2);
    lends
        .reconnect(&items[0], &items[1])
        .keyed(&lent(1, ""))
        .await
        .unwrap();
    let (zero, one) = (items[0].code.clone(), items[1].code.clone());
    let note = |text: &str| Some(text.to_owned());
    assert_eq!(
        codes(&lends.fetch().await.unwrap()),
        [(zero.clone(), 3, note("a")), (one.clone(), 1, note("a"))]
    );
    // With another key.
    lends
        .reconnect(&items[0], &items[1])
        .keyed(&lent(3, ""))
        .properties(lent(4, "b"))
        .await
        .unwrap();
    assert_eq!(
        codes(&lends.fetch().await.unwrap()),
        [(one.clone(), 1, note("a")), (one.clone(), 4, note("b"))]
    );
    // All of them at once, each with its own.
    lends.reconnect(&items[1], &items[0]).await.unwrap();
    assert_eq!(
        codes(&lends.fetch().await.unwrap()),
        [(zero.clone(), 1, note("a")), (zero, 4, note("b"))]
    );
}

async fn some_properties_are_changed_and_others_stay(backend: Backend) {
    let graph = backend.graph().await;
    let (people, items) = (
        people(&backend, &graph, 1).await,
        items(&backend, &graph, 2).await,
    );
    let (owns, lends) = (&people[0].owns, &people[0].lends);
    let first = Owns {
        since: Some(1),
        note: Some("a".into()),
    };
    owns.connect(&items[0]).properties(first).await.unwrap();
    owns.update_relationship(&items[0])
        .set(Owns::SINCE, 2)
        .await
        .unwrap();
    let carried = owns.fetch().await.unwrap()[0].relationship.clone();
    assert_eq!(
        (carried.since, carried.note.as_deref()),
        (Some(2), Some("a"))
    );
    owns.update_relationship(&items[0])
        .remove(Owns::NOTE)
        .await
        .unwrap();
    assert_eq!(owns.fetch().await.unwrap()[0].relationship.note, None);
    let error = owns
        .update_relationship(&items[1])
        .set(Owns::SINCE, 3)
        .await
        .unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::NotConnected { .. }),
        "{error}"
    );
    for day in 1..=2 {
        let carried = lent(day, "a");
        lends.connect(&items[0]).properties(carried).await.unwrap();
    }
    lends
        .update_relationship(&items[0])
        .keyed(&lent(2, ""))
        .set(Lent::NOTE, "b")
        .await
        .unwrap();
    let code = items[0].code.clone();
    assert_eq!(
        codes(&lends.fetch().await.unwrap()),
        [
            (code.clone(), 1, Some("a".into())),
            (code, 2, Some("b".into()))
        ]
    );
    let error = lends
        .update_relationship(&items[0])
        .set(Lent::DAY, 5)
        .await
        .unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::KeyAssigned { field: "day" }),
        "{error}"
    );
}

async fn questions_about_one_field(backend: Backend) {
    let graph = backend.graph().await;
    let (people, items) = (
        people(&backend, &graph, 2).await,
        items(&backend, &graph, 2).await,
    );
    let owns = &people[0].owns;
    assert_eq!(owns.count().await.unwrap(), 0);
    owns.connect(&items[0]).await.unwrap();
    assert_eq!(owns.count().await.unwrap(), 1);
    assert!(owns.is_connected(&items[0]).await.unwrap());
    assert!(!owns.is_connected(&items[1]).await.unwrap());
    assert!(items[0].owner.is_connected(&people[0]).await.unwrap());
    assert!(!items[0].owner.is_connected(&people[1]).await.unwrap());
    let ghost = Item::new(backend.key("ghost"));
    assert!(!owns.is_connected(&ghost).await.unwrap());
    graph
        .transaction(async |tx| {
            owns.connect(&items[1]).on(&tx).await?;
            assert!(owns.is_connected(&items[1]).on(&tx).await?);
            assert_eq!(owns.count().on(&tx).await?, 2);
            Ok(())
        })
        .await
        .unwrap();
    people[0].delete(&graph).await.unwrap();
    let error = owns.count().await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::NodeNotFound { .. }),
        "{error}"
    );
}

async fn several_at_once_and_exactly_these(backend: Backend) {
    let graph = backend.graph().await;
    let (people, items) = (
        people(&backend, &graph, 1).await,
        items(&backend, &graph, 4).await,
    );
    let lends = &people[0].lends;
    lends
        .connect_all([(&items[0], lent(1, "a")), (&items[1], lent(1, "b"))])
        .await
        .unwrap();
    let again = lent(1, "c");
    lends.connect_all([(&items[0], &again)]).await.unwrap();
    let code = |n: usize| items[n].code.clone();
    let note = |text: &str| Some(text.to_owned());
    assert_eq!(
        codes(&lends.fetch().await.unwrap()),
        [(code(0), 1, note("c")), (code(1), 1, note("b"))]
    );
    lends
        .replace_all([
            (&items[1], lent(1, "b")),
            (&items[1], lent(2, "d")),
            (&items[2], lent(1, "e")),
        ])
        .await
        .unwrap();
    assert_eq!(
        codes(&lends.fetch().await.unwrap()),
        [
            (code(1), 1, note("b")),
            (code(1), 2, note("d")),
            (code(2), 1, note("e"))
        ]
    );
    lends
        .replace_all(Vec::<(&Item, Lent)>::new())
        .await
        .unwrap();
    assert_eq!(lends.count().await.unwrap(), 0);
    // Nodes alone, where nothing must be said; what was said before stays.
    let owns = &people[0].owns;
    owns.connect_all(&items[..2]).await.unwrap();
    owns.update_relationship(&items[0])
        .set(Owns::SINCE, 5)
        .await
        .unwrap();
    owns.replace_all(&items[..1]).await.unwrap();
    let found = owns.fetch().await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].relationship.since, Some(5));
    owns.connect_all(Vec::<&Item>::new()).await.unwrap();
}

async fn several_at_once_name_what_stands_in_the_way(backend: Backend) {
    let graph = backend.graph().await;
    let (people, items) = (
        people(&backend, &graph, 2).await,
        items(&backend, &graph, 3).await,
    );
    let ghost = Item::new(backend.key("ghost"));
    let owns = &people[0].owns;
    people[1].owns.connect(&items[2]).await.unwrap();
    let refused = |error: &Error, at: usize, what: &str| {
        let ErrorKind::Row {
            index,
            error: inner,
        } = error.kind()
        else {
            panic!("{error}")
        };
        assert_eq!(*index, at, "{error}");
        assert!(inner.to_string().contains(what), "{error}");
    };
    let targets = [&items[0], &items[1], &ghost];
    refused(
        &owns.connect_all(targets).await.unwrap_err(),
        2,
        &ghost.code,
    );
    refused(
        &owns.replace_all(targets).await.unwrap_err(),
        2,
        &ghost.code,
    );
    let error = owns.connect_all(&items).await.unwrap_err();
    refused(&error, 2, "ZeroOrOne");
    assert!(error.to_string().contains(&items[2].code), "{error}");
    refused(&owns.replace_all(&items).await.unwrap_err(), 2, "owner");
    assert_eq!(owns.count().await.unwrap(), 0, "none of them was written");
    people[0].delete(&graph).await.unwrap();
    for error in [
        owns.connect_all(&items[..1]).await.unwrap_err(),
        owns.replace_all(&items[..1]).await.unwrap_err(),
    ] {
        assert!(
            matches!(error.kind(), ErrorKind::NodeNotFound { .. }),
            "{error}"
        );
        assert!(error.to_string().contains(&people[0].name), "{error}");
    }
}

async fn a_field_that_looks_both_ways_is_one_relationship(backend: Backend) {
    let graph = backend.graph().await;
    let people = people(&backend, &graph, 3).await;
    let (ann, bob, eve) = (&people[0], &people[1], &people[2]);
    ann.friends.connect(bob).await.unwrap();
    bob.friends.connect(ann).await.unwrap();
    graph
        .connect_all(Person::FRIENDS, [(bob, ann), (ann, bob)])
        .await
        .unwrap();
    assert_eq!(ann.friends.count().await.unwrap(), 1);
    assert_eq!(bob.friends.count().await.unwrap(), 1);
    assert!(bob.friends.is_connected(ann).await.unwrap());
    bob.friends.reconnect(ann, eve).await.unwrap();
    assert_eq!(ann.friends.count().await.unwrap(), 0);
    assert!(eve.friends.is_connected(bob).await.unwrap());
    eve.friends.disconnect(bob).await.unwrap();
    assert_eq!(bob.friends.count().await.unwrap(), 0);
    // A bound holds from whichever side it is looked at.
    ann.spouse.connect(bob).await.unwrap();
    bob.spouse.connect(ann).await.unwrap();
    let error = eve.spouse.connect(bob).await.unwrap_err();
    assert!(is_violation(&error), "{error}");
    let error = ann.spouse.connect(eve).await.unwrap_err();
    assert!(is_violation(&error), "{error}");
    ann.spouse.disconnect(bob).await.unwrap();
    eve.spouse.connect(bob).await.unwrap();
    assert_eq!(bob.spouse.fetch().await.unwrap().unwrap().name, eve.name);
}

async fn a_node_may_lead_to_itself(backend: Backend) {
    let graph = backend.graph().await;
    let people = people(&backend, &graph, 2).await;
    let ann = &people[0];
    ann.friends.connect(ann).await.unwrap();
    ann.friends.connect(ann).await.unwrap();
    assert_eq!(ann.friends.count().await.unwrap(), 1);
    assert!(ann.friends.is_connected(ann).await.unwrap());
    ann.spouse.connect(ann).await.unwrap();
    let error = ann.spouse.connect(&people[1]).await.unwrap_err();
    assert!(is_violation(&error), "{error}");
    ann.friends.reconnect(ann, &people[1]).await.unwrap();
    ann.friends.disconnect(&people[1]).await.unwrap();
    assert_eq!(ann.friends.count().await.unwrap(), 0);
}

async fn the_right_inverse_is_picked(backend: Backend) {
    let graph = backend.graph().await;
    let (people, items) = (
        people(&backend, &graph, 2).await,
        items(&backend, &graph, 1).await,
    );
    // `owners` stands before `owner`, and only the latter is bounded.
    people[0].owns.connect(&items[0]).await.unwrap();
    let error = people[1].owns.connect(&items[0]).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Cardinality { field: "owner", .. }),
        "{error}"
    );
    // Another type between the same nodes is another matter.
    people[1]
        .lends
        .connect(&items[0])
        .properties(lent(1, ""))
        .await
        .unwrap();
}

async fn the_other_end_keeps_its_last(backend: Backend) {
    let graph = backend.graph().await;
    let people = people(&backend, &graph, 2).await;
    let clubs = [
        Club::new(backend.key("club0")),
        Club::new(backend.key("club1")),
    ];
    graph.save_all(&clubs).await.unwrap();
    let (ann, bob) = (&people[0], &people[1]);
    ann.club.connect(&clubs[0]).await.unwrap();
    for error in [
        ann.club.disconnect(&clubs[0]).await.unwrap_err(),
        ann.club.disconnect_all().await.unwrap_err(),
        ann.club.replace(&clubs[1]).await.unwrap_err(),
        ann.club.reconnect(&clubs[0], &clubs[1]).await.unwrap_err(),
        ann.club.find().disconnect().await.unwrap_err(),
        clubs[0].members.disconnect(ann).await.unwrap_err(),
        clubs[0].members.find().disconnect().await.unwrap_err(),
    ] {
        assert!(is_violation(&error), "{error}");
    }
    assert_eq!(clubs[0].members.count().await.unwrap(), 1);
    clubs[0].members.connect(bob).await.unwrap();
    ann.club.replace(&clubs[1]).await.unwrap();
    assert_eq!(clubs[0].members.count().await.unwrap(), 1);
    let error = clubs[0].members.replace_all(Vec::<&Person>::new()).await;
    assert!(is_violation(&error.unwrap_err()));
    // One and all of several, but never the last.
    clubs[1].members.reconnect(ann, ann).await.unwrap();
    let error = bob.club.replace(&clubs[1]).await.unwrap_err();
    assert!(is_violation(&error), "{error}");
}
