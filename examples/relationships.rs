//! Relationships out, in and both ways, with what they carry; the four cardinalities; and what can
//! be done and asked by way of a field.

use neo_ogm::ErrorKind;
use neo_ogm::prelude::*;
use neo_ogm_examples::isolated;

#[derive(Node, Debug, Clone)]
struct Employee {
    #[node(key)]
    name: String,
    #[node(default)]
    age: u32,
    /// Exactly one, once there is one.
    #[relationship(type = "WORKS_FOR")]
    employer: One<Firm, Contract>,
    /// None or one.
    #[relationship(type = "SITS_AT")]
    desk: ZeroOrOne<Desk>,
    /// Employees lead to employees: one up, many down.
    #[relationship(type = "REPORTS_TO")]
    boss: ZeroOrOne<Employee>,
    #[relationship(type = "REPORTS_TO", direction = "in")]
    reports: Many<Employee>,
    /// Whoever began it.
    #[relationship(type = "FRIEND_OF", direction = "both")]
    friends: Many<Employee>,
    /// Any number, also to the same firm: one a day.
    #[relationship(type = "HAD_SHIFT")]
    shifts: Many<Firm, Shift>,
}

#[derive(Node, Debug, Clone)]
struct Firm {
    #[node(key)]
    name: String,
    /// One or more: the last can't go. It is the other end of `employer`.
    #[relationship(type = "WORKS_FOR", direction = "in")]
    staff: OneOrMore<Employee, Contract>,
}

#[derive(Node, Debug, Clone)]
struct Desk {
    #[node(key)]
    number: String,
}

#[relationship(type = "WORKS_FOR")]
#[derive(Debug, Clone)]
struct Contract {
    since: i32,
    salary: Option<i64>,
}

#[relationship(type = "HAD_SHIFT")]
#[derive(Debug, Clone)]
struct Shift {
    #[relationship(key)]
    day: u32,
    hours: f64,
}

fn contract(since: i32) -> Contract {
    Contract {
        since,
        salary: None,
    }
}

/// One, and its other end, OneOrMore.
async fn employers(people: &[Employee], firms: [&Firm; 2]) -> Result<(), neo_ogm::Error> {
    let [acme, globex] = firms;
    for (person, since) in people.iter().zip([2001, 2005, 2010]) {
        person
            .employer
            .connect(acme)
            .properties(contract(since))
            .await?;
    }
    // Connecting again changes what the relationship carries; a second employer is refused.
    let anna = &people[0];
    anna.employer
        .connect(acme)
        .properties(contract(2000))
        .await?;
    let second = anna.employer.connect(globex).properties(contract(2020));
    let error = second.await.expect_err("one has one employer");
    println!("Refused: {error}");
    assert!(matches!(error.kind(), ErrorKind::Cardinality { .. }));
    assert_eq!(anna.employer.fetch().await?.name, acme.name);

    // Some of what it carries, changed.
    let raise = anna.employer.update_relationship(acme);
    raise.set(Contract::SALARY, 5000).await?;

    // Asked from the firm: filters, order and pages over people and over contracts.
    let staff = || {
        acme.staff
            .find()
            .order_by_relationship(Contract::SINCE.asc())
    };
    let veterans = staff()
        .filter_relationship(Contract::SINCE.lt(2008))
        .all()
        .await?;
    assert_eq!(veterans.len(), 2);
    assert_eq!(veterans[0].relationship.salary, Some(5000));
    for related in &veterans {
        println!("{} since {}", related.node.name, related.relationship.since);
    }
    let second_page = staff().skip(2).limit(2).nodes().await?;
    assert_eq!(second_page.len(), 1);
    let oldest = acme
        .staff
        .find()
        .order_by(Employee::AGE.desc())
        .first()
        .await?;
    assert_eq!(oldest.map(|related| related.node.age), Some(50));
    assert!(
        !acme
            .staff
            .find()
            .filter(Employee::AGE.gt(65))
            .exists()
            .await?
    );

    // To another employer: with a new contract, or with the old one taken along.
    anna.employer
        .replace(globex)
        .properties(contract(2024))
        .await?;
    people[1].employer.reconnect(acme, globex).await?;
    assert_eq!(
        (acme.staff.count().await?, globex.staff.count().await?),
        (1, 2)
    );
    let kept = globex
        .staff
        .find()
        .filter(Employee::NAME.eq(&people[1].name))
        .get()
        .await?;
    assert_eq!(kept.relationship.since, 2005);

    // The firm keeps its last employee.
    let error = acme
        .staff
        .disconnect(&people[2])
        .await
        .expect_err("it is the last");
    println!("Refused: {error}");
    assert!(matches!(error.kind(), ErrorKind::Cardinality { .. }));
    Ok(())
}

/// ZeroOrOne, Many, relationships both ways and to nodes of the same struct.
async fn colleagues(graph: &Graph, people: &[Employee], desk: &Desk) -> Result<(), neo_ogm::Error> {
    let [anna, bo, cleo] = people else {
        unreachable!("there are three");
    };
    assert!(anna.desk.fetch().await?.is_none());
    anna.desk.connect(desk).await?;
    assert!(anna.desk.is_connected(desk).await?);
    anna.desk.disconnect(desk).await?;
    anna.desk.disconnect(desk).await?; // there is none: nothing happens
    assert!(!anna.desk.is_connected(desk).await?);

    bo.boss.connect(anna).await?;
    anna.reports.connect(cleo).await?; // the same relationship from its other end
    assert!(cleo.boss.is_connected(anna).await?);
    let found = Employee::find_by_name(&anna.name)
        .load(Employee::REPORTS.order_by(Employee::NAME.asc()))
        .get(graph)
        .await?;
    let names: Vec<_> = found.reports.get()?.map(|e| e.name.as_str()).collect();
    assert_eq!(names, [&bo.name, &cleo.name]);
    // What was not loaded is an error, never empty.
    let error = found.friends.get().err().expect("friends were not loaded");
    println!("Refused: {error}");

    anna.friends
        .connect_all(&[bo.clone(), cleo.clone()])
        .await?;
    assert!(bo.friends.is_connected(anna).await?); // seen from both sides
    anna.friends.replace_all(std::slice::from_ref(cleo)).await?;
    assert_eq!(
        (anna.friends.count().await?, bo.friends.count().await?),
        (1, 0)
    );
    Ok(())
}

/// Parallel relationships, told apart by a key field.
async fn shifts(anna: &Employee, firm: &Firm) -> Result<(), neo_ogm::Error> {
    for (day, hours) in [(1, 8.0), (2, 4.0), (2, 6.0), (3, 7.5)] {
        anna.shifts
            .connect(firm)
            .properties(Shift { day, hours })
            .await?;
    }
    assert_eq!(anna.shifts.count().await?, 3); // day 2 was written twice
    let second = Shift { day: 2, hours: 0.0 };
    assert!(anna.shifts.is_connected(firm).keyed(&second).await?);
    anna.shifts.disconnect(firm).keyed(&second).await?;
    let long = anna
        .shifts
        .find()
        .filter_relationship(Shift::HOURS.ge(7.0))
        .order_by_relationship(Shift::DAY.asc())
        .all()
        .await?;
    println!(
        "Long shifts: {:?}",
        long.iter().map(|s| s.relationship.day).collect::<Vec<_>>()
    );
    assert_eq!(anna.shifts.find().disconnect().await?, 2);
    Ok(())
}

async fn run(graph: Graph) -> Result<(), neo_ogm::Error> {
    graph.apply_schema::<(Employee, Firm, Desk)>().await?;

    let mut people = ["Anna", "Bo", "Cleo"].map(Employee::new);
    for (person, age) in people.iter_mut().zip([50, 40, 30]) {
        person.age = age;
    }
    let firms = ["Acme", "Globex"].map(Firm::new);
    let desk = Desk::new("1");
    graph.save_all(&people).await?;
    graph.save_all(&firms).await?;
    desk.save(&graph).await?;

    employers(&people, firms.each_ref()).await?;
    colleagues(&graph, &people, &desk).await?;
    shifts(&people[0], &firms[0]).await?;

    println!("Done.");
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), neo_ogm::Error> {
    isolated(run).await
}
