//! Who reports to whom: one struct whose nodes lead to each other, up and down.

use crate::common::{Backend, on_every_backend};
use neo_ogm::ErrorKind;
use neo_ogm::prelude::*;

on_every_backend!(
    a_tree_is_walked_up_and_down,
    everybody_has_one_boss,
    a_circle_is_walked_once,
);

#[derive(Node, Debug, Clone)]
#[node(label = "OrgEmployee", rename_all = "camelCase")]
struct Employee {
    #[node(key)]
    company: String,
    #[node(key)]
    badge_number: u32,
    salary: i64,
    #[relationship(type = "ORG_REPORTS_TO")]
    boss: ZeroOrOne<Employee>,
    #[relationship(type = "ORG_REPORTS_TO", direction = "in")]
    reports: Many<Employee>,
}

/// Seven people of a company of their own; n reports to n / 2.
async fn hire(graph: &Graph, company: &str) -> Vec<Employee> {
    let staff: Vec<Employee> = (1..=7)
        .map(|n| Employee::new(company, n, 100 - i64::from(n)))
        .collect();
    graph.save_all(&staff).await.unwrap();
    let pairs = (2..=7).map(|n: usize| (&staff[n - 1], &staff[n / 2 - 1]));
    graph.connect_all(Employee::BOSS, pairs).await.unwrap();
    staff
}

fn badges<'e>(staff: impl IntoIterator<Item = &'e Employee>) -> Vec<u32> {
    staff.into_iter().map(|one| one.badge_number).collect()
}

async fn a_tree_is_walked_up_and_down(backend: Backend) {
    let graph = backend.graph().await;
    let company = backend.key("tree");
    hire(&graph, &company).await;
    let of = || Employee::find().filter(Employee::COMPANY.eq(company.as_str()));

    // The one without a boss, with two levels below.
    let head = of()
        .filter(Employee::BOSS.is_empty())
        .load(
            Employee::REPORTS
                .order_by(Employee::BADGE_NUMBER.asc())
                .then(Employee::REPORTS.order_by(Employee::BADGE_NUMBER.desc())),
        )
        .get(&graph)
        .await
        .unwrap();
    assert_eq!(badges(head.reports.get().unwrap()), [2, 3]);
    let below: Vec<_> = head
        .reports
        .get()
        .unwrap()
        .map(|one| badges(one.reports.get().unwrap()))
        .collect();
    assert_eq!(below, [[5, 4], [7, 6]]);

    // Below 2, at any depth, by a filter and by a walk; above 7, from the bottom.
    let two = || Employee::find_by_key(company.as_str(), 2);
    let under = of()
        .filter(Employee::BOSS.hops(1..).has(Employee::BADGE_NUMBER.eq(2)))
        .order_by(Employee::BADGE_NUMBER.asc());
    assert_eq!(badges(&under.all(&graph).await.unwrap()), [4, 5]);
    let walked = two()
        .follow(Employee::REPORTS.hops(1..))
        .order_by(Employee::BADGE_NUMBER.asc());
    assert_eq!(badges(&walked.all(&graph).await.unwrap()), [4, 5]);
    let above = Employee::find_by_key(company.as_str(), 7)
        .follow(Employee::BOSS.hops(1..=5))
        .order_by(Employee::BADGE_NUMBER.asc());
    assert_eq!(badges(&above.all(&graph).await.unwrap()), [1, 3]);

    // Bosses with what their people earn, and those who have nobody.
    let rows = of()
        .filter(Employee::REPORTS.exists())
        .order_by(Employee::BADGE_NUMBER.asc())
        .select((
            Employee::BADGE_NUMBER,
            Employee::REPORTS.count(),
            Employee::REPORTS.to(Employee::SALARY),
        ))
        .all(&graph)
        .await
        .unwrap();
    let rows: Vec<_> = rows
        .into_iter()
        .map(|(badge, count, salaries)| (badge, count, salaries.iter().sum::<i64>()))
        .collect();
    assert_eq!(rows, [(1, 2, 195), (2, 2, 191), (3, 2, 187)]);
    let leaves = of().filter(Employee::REPORTS.is_empty());
    assert_eq!(leaves.count(&graph).await.unwrap(), 4);
}

async fn everybody_has_one_boss(backend: Backend) {
    let graph = backend.graph().await;
    let company = backend.key("boss");
    let staff = hire(&graph, &company).await;
    let error = staff[6].boss.connect(&staff[1]).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Cardinality { .. }));
    // From the other end the same holds: 7 has a boss.
    let error = staff[1].reports.connect(&staff[6]).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Cardinality { .. }));
    staff[6].boss.replace(&staff[1]).await.unwrap();
    assert_eq!(staff[1].reports.count().await.unwrap(), 3);
    assert_eq!(staff[2].reports.count().await.unwrap(), 1);
    // The boss goes, and the people go to the boss above.
    graph
        .transaction(async |tx| {
            let two = Employee::find_by_key(company.as_str(), 2)
                .load(Employee::BOSS)
                .load(Employee::REPORTS)
                .get(&tx)
                .await?;
            if let Some(above) = two.boss.get()? {
                let people = two.reports.get()?;
                for person in people {
                    person.boss.replace(above).on(&tx).await?;
                }
            }
            two.delete(&tx).await
        })
        .await
        .unwrap();
    // 3, and 4, 5 and 7, who were with 2.
    assert_eq!(staff[0].reports.count().await.unwrap(), 4);
}

async fn a_circle_is_walked_once(backend: Backend) {
    let graph = backend.graph().await;
    let company = backend.key("circle");
    let staff = hire(&graph, &company).await;
    staff[0].boss.connect(&staff[6]).await.unwrap();
    let everybody = Employee::find_by_key(company.as_str(), 1)
        .follow(Employee::BOSS.hops(1..))
        .order_by(Employee::BADGE_NUMBER.asc());
    assert_eq!(badges(&everybody.all(&graph).await.unwrap()), [1, 3, 7]);
    let path = graph
        .shortest_path(&staff[0], &staff[2], Employee::BOSS)
        .max_hops(5)
        .await
        .unwrap()
        .expect("7 reports to 3");
    assert_eq!(path.steps.len(), 2);
    // Each node is one value, although the ways go round.
    let set = Employee::find()
        .filter(Employee::COMPANY.eq(company.as_str()))
        .load(Employee::BOSS.then(Employee::BOSS))
        .shared(&graph)
        .await
        .unwrap();
    assert_eq!((set.roots().count(), set.len()), (7, 7));
    // One can be one's own boss.
    staff[0].boss.replace(&staff[0]).await.unwrap();
    assert!(staff[0].boss.is_connected(&staff[0]).await.unwrap());
    assert_eq!(staff[0].reports.count().await.unwrap(), 3);
    staff[0].delete(&graph).await.unwrap();
    assert_eq!(
        staff[1]
            .boss
            .fetch()
            .await
            .unwrap()
            .map(|one| one.badge_number),
        None
    );
}
