//! Many relationships at once to nodes of several structs.

use crate::common::{Backend, on_every_backend};
use neo_ogm::prelude::*;
use neo_ogm::{Error, ErrorKind};

on_every_backend!(
    ends_of_several_structs_are_connected_at_once,
    exactly_these_ends_of_several_structs,
    all_ends_or_none,
    pairs_in_bulk_lead_to_several_structs,
    a_batch_of_pairs_is_written_whole_or_not_at_all,
    structs_that_are_lent_know_their_times,
    exactly_these_ends_leave_nobody_alone,
);

#[derive(Node, Debug, Clone, PartialEq)]
#[node(label = "EndPerson")]
struct Person {
    #[node(key)]
    name: String,
    #[relationship(type = "END_OWNS", direction = "in")]
    owned: Many<Firm, Share>,
    #[relationship(type = "END_MANAGES", direction = "in")]
    managed: ZeroOrOne<Firm>,
}

#[derive(Node, Debug, Clone, PartialEq)]
#[node(label = "EndCompany")]
struct Company {
    #[node(key)]
    country: String,
    #[node(key)]
    number: i64,
}

#[derive(Nodes, Debug, Clone, PartialEq)]
enum Party {
    Person(Person),
    Company(Company),
}

#[relationship(type = "END_OWNS")]
#[derive(Debug, Clone, Default, PartialEq)]
struct Share {
    #[relationship(key)]
    class: i64,
    percent: Option<i64>,
    #[relationship(created_at)]
    since: Timestamp,
}

#[derive(Node, Debug, Clone, PartialEq)]
#[node(label = "EndFirm")]
struct Firm {
    #[node(key)]
    id: String,
    #[relationship(type = "END_OWNS")]
    owners: Many<Party, Share>,
    #[relationship(type = "END_MANAGES")]
    managers: OneOrMore<Party>,
}

fn share(class: i64, percent: i64) -> Share {
    Share {
        class,
        percent: Some(percent),
        ..Share::default()
    }
}

/// A firm, and two persons and two companies, one after the other.
async fn parties(backend: &Backend, graph: &Graph) -> (Firm, Vec<Party>) {
    let firm = Firm::new(backend.key("firm"));
    firm.save(graph).await.unwrap();
    let people = ["ann", "bob"].map(|name| Person::new(backend.key(name)));
    let companies = [1, 2].map(|number| Company::new(backend.key("SE"), number));
    graph.save_all(&people).await.unwrap();
    graph.save_all(&companies).await.unwrap();
    let parties = people.into_iter().zip(companies);
    let parties = parties.flat_map(|(person, company)| [person.into(), company.into()]);
    (firm, parties.collect())
}

/// Whom the firm belongs to: the party's name, the class and the part.
async fn owners(firm: &Firm) -> Vec<(String, i64, Option<i64>)> {
    let found = firm.owners.fetch().await.unwrap();
    let mut found: Vec<_> = found
        .iter()
        .map(|owner| {
            let share = &owner.relationship;
            (name(&owner.node), share.class, share.percent)
        })
        .collect();
    found.sort();
    found
}

fn name(party: &Party) -> String {
    match party {
        Party::Person(person) => person.name.clone(),
        Party::Company(company) => format!("{}{}", company.country, company.number),
    }
}

fn wanted(of: &[(&Party, i64, i64)]) -> Vec<(String, i64, Option<i64>)> {
    let wanted = of.iter();
    let mut wanted: Vec<_> = wanted
        .map(|(party, class, percent)| (name(party), *class, Some(*percent)))
        .collect();
    wanted.sort();
    wanted
}

/// The row that an error names, and what it says of it.
fn row(error: &Error) -> (usize, &ErrorKind) {
    match error.kind() {
        ErrorKind::Row { index, error } => (*index, error.kind()),
        other => panic!("{other:?}"),
    }
}

async fn ends_of_several_structs_are_connected_at_once(backend: Backend) {
    let graph = backend.graph().await;
    let (firm, parties) = parties(&backend, &graph).await;
    let all = parties.iter().map(|party| (party, share(1, 25)));
    firm.owners.connect_all(all).await.unwrap();
    let all: Vec<_> = parties.iter().map(|party| (party, 1, 25)).collect();
    assert_eq!(owners(&firm).await, wanted(&all));
    // Nodes alone, and of one struct only.
    firm.managers.connect_all(&parties[..3]).await.unwrap();
    firm.managers.connect_all(&parties[..1]).await.unwrap();
    assert_eq!(firm.managers.count().await.unwrap(), 3);
    // In a transaction of the caller's, which takes it back.
    let failed = graph
        .transaction(async |tx| {
            let ends = parties.iter().map(|party| (party, share(2, 1)));
            firm.owners.connect_all(ends).on(&tx).await?;
            assert_eq!(firm.owners.count().on(&tx).await?, 8);
            Err::<(), _>(Error::abort("no"))
        })
        .await;
    assert!(failed.is_err());
    assert_eq!(firm.owners.count().await.unwrap(), 4);
}

async fn exactly_these_ends_of_several_structs(backend: Backend) {
    let graph = backend.graph().await;
    let (firm, parties) = parties(&backend, &graph).await;
    let [ann, se1, bob, se2] = &parties[..] else {
        panic!("{parties:?}")
    };
    let first = [
        (ann, share(1, 50)),
        (se1, share(1, 30)),
        (se1, share(2, 20)),
    ];
    firm.owners.connect_all(first).await.unwrap();
    let second = [
        (bob, share(1, 10)),
        (se2, share(1, 20)),
        (se1, share(2, 70)),
    ];
    firm.owners.replace_all(second).await.unwrap();
    let left = wanted(&[(bob, 1, 10), (se2, 1, 20), (se1, 2, 70)]);
    assert_eq!(owners(&firm).await, left);
    // Ends of one struct: those of the other go.
    firm.owners
        .replace_all([(bob, share(1, 100))])
        .await
        .unwrap();
    assert_eq!(owners(&firm).await, wanted(&[(bob, 1, 100)]));
    let nobody = Vec::<(&Party, Share)>::new();
    firm.owners.replace_all(nobody).await.unwrap();
    assert_eq!(owners(&firm).await, []);

    firm.managers.connect_all([ann, se1]).await.unwrap();
    let nobody = firm.managers.replace_all(Vec::<&Party>::new()).await;
    assert!(matches!(
        nobody.unwrap_err().kind(),
        ErrorKind::Cardinality { .. }
    ));
    firm.managers.replace_all([se2, ann]).await.unwrap();
    let managers = firm.managers.fetch().await.unwrap();
    let mut managers: Vec<_> = managers.iter().map(|one| name(&one.node)).collect();
    managers.sort();
    let mut left = [name(ann), name(se2)];
    left.sort();
    assert_eq!(managers, left);

    // A node that is not there.
    let ghost = Firm::new(backend.key("ghost"));
    ghost.save(&graph).await.unwrap();
    ghost.delete(&graph).await.unwrap();
    for ends in [vec![], vec![(ann, share(1, 1)), (se1, share(1, 1))]] {
        let missing = ghost.owners.replace_all(ends).await.unwrap_err();
        assert!(matches!(
            missing.kind(),
            ErrorKind::NodeNotFound { key, operation: "replace_all" } if key.to_string().contains("ghost")
        ));
    }
}

async fn all_ends_or_none(backend: Backend) {
    let graph = backend.graph().await;
    let (firm, parties) = parties(&backend, &graph).await;
    let [ann, se1, bob, se2] = &parties[..] else {
        panic!("{parties:?}")
    };
    firm.owners.connect_all([(bob, share(1, 1))]).await.unwrap();
    let nowhere = Party::from(Company::new(backend.key("SE"), 99));
    for replace in [false, true] {
        let ends = [
            (ann, share(1, 5)),
            (se1, share(1, 5)),
            (&nowhere, share(1, 5)),
        ];
        let failed = match replace {
            false => firm.owners.connect_all(ends).await,
            true => firm.owners.replace_all(ends).await,
        };
        let failed = failed.unwrap_err();
        assert!(matches!(
            row(&failed),
            (2, ErrorKind::NodeNotFound { key, .. }) if key.schema().type_name == "Company"
        ));
        assert_eq!(owners(&firm).await, wanted(&[(bob, 1, 1)]), "{replace}");
    }
    // Persons have one place to manage, companies as many as they like.
    let other = Firm::new(backend.key("other"));
    other.save(&graph).await.unwrap();
    other.managers.connect_all([se1, bob]).await.unwrap();
    let failed = firm
        .managers
        .connect_all([se2, se1, ann, bob])
        .await
        .unwrap_err();
    assert!(matches!(
        row(&failed),
        (
            3,
            ErrorKind::Cardinality {
                field: "managed",
                ..
            }
        )
    ));
    assert_eq!(firm.managers.count().await.unwrap(), 0);
}

async fn pairs_in_bulk_lead_to_several_structs(backend: Backend) {
    let graph = backend.graph().await;
    let (firm, parties) = parties(&backend, &graph).await;
    let other = Firm::new(backend.key("other"));
    other.save(&graph).await.unwrap();
    let firms = [&firm, &other];
    let pairs = || {
        let all = firms
            .iter()
            .flat_map(|firm| parties.iter().map(move |party| (*firm, party)));
        all.map(|(firm, party)| (firm, party, share(3, 1)))
    };
    graph.connect_all(Firm::OWNERS, pairs()).await.unwrap();
    let all: Vec<_> = parties.iter().map(|party| (party, 3, 1)).collect();
    for firm in firms {
        assert_eq!(owners(firm).await, wanted(&all));
    }
    // Again, cut into small pieces, and within a transaction.
    let again = graph.connect_all(Firm::OWNERS, pairs()).batch_size(3);
    again.concurrency(2).await.unwrap();
    let again = graph.transaction(async |tx| {
        let pairs = parties.iter().map(|party| (&firm, party));
        tx.connect_all(Firm::MANAGERS, pairs).await
    });
    again.await.unwrap();
    assert_eq!(firm.owners.count().await.unwrap(), 4);
    assert_eq!(firm.managers.count().await.unwrap(), 4);
}

async fn a_batch_of_pairs_is_written_whole_or_not_at_all(backend: Backend) {
    let graph = backend.graph().await;
    let (firm, parties) = parties(&backend, &graph).await;
    let nowhere = Party::from(Company::new(backend.key("SE"), 99));
    let mut all: Vec<_> = parties.iter().collect();
    all.push(&nowhere);
    let pairs = || all.iter().map(|party| (&firm, *party, share(1, 1)));
    let failed = graph.connect_all(Firm::OWNERS, pairs()).await.unwrap_err();
    assert!(matches!(row(&failed), (4, ErrorKind::NodeNotFound { .. })));
    assert_eq!(owners(&firm).await, []);
    // The batch before the one that fails stays.
    let cut = graph.connect_all(Firm::OWNERS, pairs()).batch_size(2);
    assert!(matches!(row(&cut.await.unwrap_err()), (4, _)));
    assert_eq!(firm.owners.count().await.unwrap(), 4);
}

async fn structs_that_are_lent_know_their_times(backend: Backend) {
    let graph = backend.graph().await;
    let (firm, parties) = parties(&backend, &graph).await;
    let shares: Vec<_> = (0..4).map(|class| share(class, 1)).collect();
    let ends: Vec<_> = parties.iter().zip(&shares).collect();
    firm.owners.connect_all(ends.clone()).await.unwrap();
    let since = shares[0].since.get();
    assert!(since.is_some());
    assert!(shares.iter().all(|share| share.since.get() == since));
    firm.owners.replace_all(ends).await.unwrap();
    assert!(shares.iter().all(|share| share.since.get() == since));
}

#[derive(Node, Debug, Clone)]
#[node(label = "EndKeeper")]
struct Keeper {
    #[node(key)]
    name: String,
    #[relationship(type = "END_KEEPS")]
    keeps: Many<Pet>,
}

#[derive(Node, Debug, Clone)]
#[node(label = "EndPet")]
struct Pet {
    #[node(key)]
    name: String,
    #[relationship(type = "END_KEEPS", direction = "in")]
    keepers: OneOrMore<Keeper>,
}

async fn exactly_these_ends_leave_nobody_alone(backend: Backend) {
    let graph = backend.graph().await;
    let keepers = ["ann", "bob"].map(|name| Keeper::new(backend.key(name)));
    let pets = ["cat", "dog"].map(|name| Pet::new(backend.key(name)));
    graph.save_all(&keepers).await.unwrap();
    graph.save_all(&pets).await.unwrap();
    keepers[0].keeps.connect_all(&pets).await.unwrap();
    let alone = keepers[0].keeps.replace_all(&pets[..1]).await.unwrap_err();
    assert!(matches!(alone.kind(), ErrorKind::Cardinality { .. }));
    assert_eq!(keepers[0].keeps.count().await.unwrap(), 2);
    keepers[1].keeps.connect(&pets[1]).await.unwrap();
    keepers[0].keeps.replace_all(&pets[..1]).await.unwrap();
    assert_eq!(keepers[0].keeps.count().await.unwrap(), 1);
}
