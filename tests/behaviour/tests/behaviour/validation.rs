//! Rules of validation, checked before anything is sent.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::common::{Backend, on_every_backend};
use neo_ogm::ErrorKind;
use neo_ogm::mapping::Violation;
use neo_ogm::prelude::*;

on_every_backend!(
    all_broken_rules_are_told_and_nothing_is_sent,
    what_keeps_the_rules_is_saved,
    relationships_have_rules_too,
);

#[derive(Properties, Debug, Clone)]
#[property(validate(with = has_a_way_in))]
struct Address {
    #[property(validate(length(min = 1)))]
    street: String,
    door: Option<u8>,
}

fn has_a_way_in(address: &Address) -> Result<(), &'static str> {
    if address.door == Some(0) {
        Err("has no way in")
    } else {
        Ok(())
    }
}

#[derive(Node, Debug, Clone)]
#[node(label = "ValidUser", validate(with = is_consistent))]
struct User {
    #[node(key)]
    id: String,
    #[node(validate(length(min = 2, max = 8), regex = "[a-zå-ö]+"))]
    name: String,
    #[node(validate(email))]
    mail: Option<String>,
    #[node(validate(range(min = 0, max = 150)))]
    age: Option<i32>,
    #[node(validate(range(max = 1.0)))]
    share: f64,
    #[node(validate(length(max = 2), with = no_repeats))]
    tags: Vec<String>,
    #[node(flatten)]
    home: Address,
}

fn no_repeats(tags: &[String]) -> Result<(), String> {
    match tags
        .iter()
        .enumerate()
        .find(|(index, tag)| tags[..*index].contains(tag))
    {
        Some((_, tag)) => Err(format!("has {tag:?} twice")),
        None => Ok(()),
    }
}

static ASKED: AtomicU32 = AtomicU32::new(0);

fn is_consistent(user: &User) -> Result<(), String> {
    ASKED.fetch_add(1, Ordering::Relaxed);
    if user.age.is_some_and(|age| age < 18) && user.mail.is_some() {
        return Err("a child has no mail".to_owned());
    }
    Ok(())
}

fn user(id: String) -> User {
    let mut user = User::new(
        id,
        "anna",
        0.5,
        Address {
            street: "Main".to_owned(),
            door: None,
        },
    );
    user.mail = Some("anna@example.org".to_owned());
    user
}

async fn all_broken_rules_are_told_and_nothing_is_sent(backend: Backend) {
    let graph = backend.graph().await;
    let mut wrong = user(backend.key("wrong"));
    wrong.name = "Å".to_owned();
    wrong.mail = Some("nobody".to_owned());
    wrong.age = Some(-1);
    wrong.share = f64::NAN;
    wrong.tags = vec!["a".to_owned(), "b".to_owned(), "a".to_owned()];
    wrong.home = Address {
        street: String::new(),
        door: Some(0),
    };

    let error = graph.save(&wrong).await.unwrap_err();
    let ErrorKind::Invalid { node, violations } = error.kind() else {
        panic!("{error}")
    };
    assert_eq!(node, &format!("ValidUser {{id: {:?}}}", wrong.id));
    let found: Vec<_> = violations
        .iter()
        .map(|v| (v.field.as_str(), v.rule))
        .collect();
    assert_eq!(
        found,
        [
            ("name", "length"),
            ("name", "regex"),
            ("mail", "email"),
            ("age", "range"),
            ("share", "range"),
            ("tags", "length"),
            ("tags", "no_repeats"),
            ("home.street", "length"),
            ("home", "has_a_way_in"),
            ("", "is_consistent"),
        ]
    );
    let text = error.to_string();
    for part in [
        "is not valid: `name` is 1 long, and must be 2 at least; `name` is \"Å\", and must match",
        "`age` is -1, and must be 0 at least",
        "`tags` has \"a\" twice; `home.street` is 0 long",
        "; a child has no mail",
    ] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    for error in [
        graph.insert(&wrong).await.unwrap_err(),
        graph.update(&wrong).await.unwrap_err(),
        graph.create_or_update(&wrong).await.unwrap_err(),
        wrong.get_or_create(&graph).await.map(|_| ()).unwrap_err(),
        wrong.validate().unwrap_err(),
    ] {
        assert!(matches!(error.kind(), ErrorKind::Invalid { .. }), "{error}");
    }
    let count = User::find_by_id(wrong.id.as_str())
        .count(&graph)
        .await
        .unwrap();
    assert_eq!(count, 0);
}

async fn what_keeps_the_rules_is_saved(backend: Backend) {
    let graph = backend.graph().await;
    let mut right = user(backend.key("right"));
    right.tags = vec!["a".to_owned(), "b".to_owned()];
    right.age = Some(150);
    let asked = ASKED.load(Ordering::Relaxed);
    graph.save(&right).await.unwrap();
    assert!(ASKED.load(Ordering::Relaxed) > asked);
    right.mail = None;
    right.age = None;
    graph.save(&right).await.unwrap();
    right.validate().unwrap();
}

#[relationship(type = "VALID_KNOWS", validate(with = not_before))]
#[derive(Debug, Clone, Default)]
struct Knows {
    #[relationship(validate(range(min = 1900)))]
    since: i32,
    until: Option<i32>,
}

fn not_before(knows: &Knows) -> Result<(), &'static str> {
    match knows.until {
        Some(until) if until < knows.since => Err("it ends before it begins"),
        _ => Ok(()),
    }
}

#[derive(Node, Debug, Clone)]
#[node(label = "ValidFriend")]
struct Friend {
    #[node(key)]
    id: String,
    #[relationship]
    knows: Many<Friend, Knows>,
}

async fn relationships_have_rules_too(backend: Backend) {
    let graph = backend.graph().await;
    let friend = Friend::new(backend.key("friend"));
    graph.save(&friend).await.unwrap();
    let wrong = Knows {
        since: 1800,
        until: Some(1700),
    };
    let error = friend
        .knows
        .connect(&friend)
        .properties(wrong)
        .await
        .unwrap_err();
    let ErrorKind::Invalid { node, violations } = error.kind() else {
        panic!("{error}")
    };
    assert_eq!(node, "Knows");
    let rules: Vec<_> = violations.iter().map(|v: &Violation| v.rule).collect();
    assert_eq!(rules, ["range", "not_before"]);
    assert!(friend.knows.fetch().await.unwrap().is_empty());
    let right = Knows {
        since: 1900,
        until: None,
    };
    friend
        .knows
        .connect(&friend)
        .properties(right)
        .await
        .unwrap();
}
