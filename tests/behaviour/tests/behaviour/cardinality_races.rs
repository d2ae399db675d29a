//! Bounds hold however many write at once, and no deadlock surfaces: sixteen writers each time.

use std::sync::Arc;

use crate::common::{Backend, on_every_backend};
use neo_ogm::prelude::*;
use neo_ogm::{Error, ErrorKind};
use tokio::sync::Barrier;

on_every_backend!(
    bounds_on_both_ends_hold,
    the_last_of_one_or_more_stays_in_every_race,
    replaces_race_connects,
    reconnects_race_each_other,
    several_at_once_race_each_other,
    bulk_connects_race_each_other,
    self_relations_race_from_both_ends,
);

const WRITERS: usize = 16;

#[derive(Node, Debug, Clone)]
#[node(label = "RaceHolder")]
struct Holder {
    #[node(key)]
    name: String,
    #[relationship(type = "RACE_HOLDS")]
    passport: ZeroOrOne<Passport>,
    #[relationship(type = "RACE_MARRIED", direction = "both")]
    spouse: ZeroOrOne<Holder>,
    #[relationship(type = "RACE_IN", direction = "in")]
    team: Many<Team>,
}

#[derive(Node, Debug, Clone)]
#[node(label = "RacePassport")]
struct Passport {
    #[node(key)]
    number: String,
    #[relationship(type = "RACE_HOLDS", direction = "in")]
    holder: ZeroOrOne<Holder>,
}

#[derive(Node, Debug, Clone)]
#[node(label = "RaceTeam")]
struct Team {
    #[node(key)]
    name: String,
    #[relationship(type = "RACE_IN")]
    members: OneOrMore<Holder>,
}

async fn prepared(backend: &Backend) -> Graph {
    static APPLYING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let graph = backend.quick_graph().await;
    let _one = APPLYING.lock().await;
    graph
        .apply_schema::<(Holder, Passport, Team)>()
        .await
        .unwrap();
    graph
}

async fn holders(backend: &Backend, graph: &Graph, round: usize, count: usize) -> Vec<Holder> {
    let holders: Vec<_> = (0..count)
        .map(|n| Holder::new(backend.key(&format!("{round}/holder{n}"))))
        .collect();
    graph.save_all(&holders).await.unwrap();
    holders
}

async fn passports(backend: &Backend, graph: &Graph, round: usize, count: usize) -> Vec<Passport> {
    let passports: Vec<_> = (0..count)
        .map(|n| Passport::new(backend.key(&format!("{round}/passport{n}"))))
        .collect();
    graph.save_all(&passports).await.unwrap();
    passports
}

/// Lets writers go at once, and gives how many succeeded; each other one must have met a bound.
async fn race<F, Fut>(writer: F) -> usize
where
    F: Fn(usize) -> Fut,
    Fut: Future<Output = Result<(), Error>> + Send + 'static,
{
    let start = Arc::new(Barrier::new(WRITERS));
    let tasks: Vec<_> = (0..WRITERS)
        .map(|n| {
            let (start, work) = (Arc::clone(&start), writer(n));
            tokio::spawn(async move {
                start.wait().await;
                work.await
            })
        })
        .collect();
    let mut won = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(()) => won += 1,
            Err(error) => assert!(is_bound(&error), "{error}"),
        }
    }
    won
}

fn is_bound(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Row { error, .. } => is_bound(error),
        kind => matches!(
            kind,
            ErrorKind::Cardinality { .. } | ErrorKind::NotConnected { .. }
        ),
    }
}

/// How many relationships each passport of the round has, and each holder; none more than one.
async fn held(graph: &Graph, holders: &[Holder], passports: &[Passport]) -> u64 {
    let mut all = 0;
    for holder in holders {
        let count = holder.passport.count().on(graph).await.unwrap();
        assert!(count <= 1, "{} holds {count}", holder.name);
        all += count;
    }
    for passport in passports {
        let count = passport.holder.count().on(graph).await.unwrap();
        assert!(count <= 1, "{} is held by {count}", passport.number);
    }
    all
}

async fn bounds_on_both_ends_hold(backend: Backend) {
    let graph = prepared(&backend).await;
    for round in 0..8 {
        let holders = holders(&backend, &graph, round, 4).await;
        let passports = passports(&backend, &graph, round, 4).await;
        // Each pair once, half of them from the other end.
        let won = race(|n| {
            let (holder, passport) = (holders[n % 4].clone(), passports[n / 4].clone());
            async move {
                if n % 2 == 0 {
                    holder.passport.connect(&passport).await
                } else {
                    passport.holder.connect(&holder).await
                }
            }
        })
        .await;
        let all = held(&graph, &holders, &passports).await;
        assert_eq!(all, u64::try_from(won).unwrap(), "round {round}");
        assert!(won >= 2, "round {round}: {won}");
    }
}

async fn the_last_of_one_or_more_stays_in_every_race(backend: Backend) {
    let graph = prepared(&backend).await;
    for round in 0..8 {
        let holders = holders(&backend, &graph, round, WRITERS).await;
        let team = Team::new(backend.key(&format!("{round}/team")));
        team.save(&graph).await.unwrap();
        team.members.connect_all(&holders).await.unwrap();
        let won = race(|n| {
            let (team, holder) = (team.clone(), holders[n].clone());
            async move {
                match n % 3 {
                    0 => team.members.disconnect(&holder).await,
                    1 => holder.team.disconnect(&team).await,
                    _ => holder.team.find().disconnect().await.map(|_| ()),
                }
            }
        })
        .await;
        assert_eq!(won, WRITERS - 1, "round {round}");
        assert_eq!(team.members.count().await.unwrap(), 1, "round {round}");
    }
}

async fn replaces_race_connects(backend: Backend) {
    let graph = prepared(&backend).await;
    for round in 0..8 {
        let holders = holders(&backend, &graph, round, 4).await;
        let passports = passports(&backend, &graph, round, 8).await;
        race(|n| {
            let (holder, passport) = (holders[n % 4].clone(), passports[n % 8].clone());
            async move {
                match n % 2 {
                    0 => holder.passport.replace(&passport).await,
                    _ => holder.passport.connect(&passport).await,
                }
            }
        })
        .await;
        let all = held(&graph, &holders, &passports).await;
        assert!(all >= 2, "round {round}: {all}");
    }
}

async fn reconnects_race_each_other(backend: Backend) {
    let graph = prepared(&backend).await;
    for round in 0..8 {
        let holders = holders(&backend, &graph, round, 2).await;
        let passports = passports(&backend, &graph, round, WRITERS + 1).await;
        holders[0].passport.connect(&passports[0]).await.unwrap();
        // Everybody moves the only one: one of them finds it.
        let won = race(|n| {
            let (holder, passports) = (holders[0].clone(), passports.clone());
            async move {
                let (old, new) = (&passports[0], &passports[n + 1]);
                holder.passport.reconnect(old, new).await
            }
        })
        .await;
        assert_eq!(won, 1, "round {round}");
        assert_eq!(held(&graph, &holders, &passports).await, 1);
    }
}

async fn several_at_once_race_each_other(backend: Backend) {
    let graph = prepared(&backend).await;
    for round in 0..4 {
        let holders = holders(&backend, &graph, round, 8).await;
        let team = Team::new(backend.key(&format!("{round}/team")));
        team.save(&graph).await.unwrap();
        let won = race(|n| {
            let (team, mut holders) = (team.clone(), holders.clone());
            async move {
                if n % 2 == 0 {
                    holders.reverse();
                    team.members.connect_all(&holders).await
                } else {
                    team.members.replace_all(&holders[..4]).await
                }
            }
        })
        .await;
        assert_eq!(won, WRITERS, "round {round}");
        let count = team.members.count().await.unwrap();
        assert!(count == 4 || count == 8, "round {round}: {count}");
    }
}

async fn bulk_connects_race_each_other(backend: Backend) {
    let graph = prepared(&backend).await;
    for round in 0..4 {
        let holders = holders(&backend, &graph, round, 8).await;
        let passports = passports(&backend, &graph, round, 8).await;
        // Each writer has another way to pair them all.
        let won = race(|n| {
            let (graph, holders, passports) = (graph.clone(), holders.clone(), passports.clone());
            async move {
                let pairs = holders
                    .iter()
                    .enumerate()
                    .map(|(at, holder)| (holder, &passports[(at + n) % 8]));
                graph.connect_all(Holder::PASSPORT, pairs).await
            }
        })
        .await;
        // Two of sixteen go the same way.
        assert!(won == 1 || won == 2, "round {round}: {won}");
        assert_eq!(held(&graph, &holders, &passports).await, 8);
    }
}

async fn self_relations_race_from_both_ends(backend: Backend) {
    let graph = prepared(&backend).await;
    for round in 0..8 {
        let holders = holders(&backend, &graph, round, 4).await;
        race(|n| {
            let (one, other) = (holders[n % 4].clone(), holders[(n + 1 + n / 4) % 4].clone());
            async move { one.spouse.connect(&other).await }
        })
        .await;
        for holder in &holders {
            let count = holder.spouse.count().await.unwrap();
            assert!(count <= 1, "round {round}: {count}");
        }
    }
}
