//! Nodes with several labels, labels that come and go, and finders and relationships that lead to
//! nodes of several structs.

use neo_ogm::ErrorKind;
use neo_ogm::prelude::*;
use neo_ogm_examples::isolated;

/// Has the labels `Person` and `Party`, and `Retired` now and then.
#[derive(Node, Debug, Clone)]
#[node(labels("Party"))]
struct Person {
    #[node(key)]
    name: String,
    #[node(optional_label = "Retired")]
    retired: bool,
}

#[derive(Node, Debug, Clone)]
#[node(labels("Party"))]
struct Company {
    #[node(key)]
    name: String,
    employees: Option<u32>,
}

/// Not one of the parties below, but of their label.
#[derive(Node, Debug, Clone)]
#[node(labels("Party"))]
struct Estate {
    #[node(key)]
    name: String,
}

/// A node of either struct.
#[derive(Nodes, Debug, Clone)]
#[nodes(label = "Party")]
enum Party {
    Person(Person),
    Company(Company),
}

impl Party {
    fn name(&self) -> &str {
        match self {
            Self::Person(person) => &person.name,
            Self::Company(company) => &company.name,
        }
    }
}

#[derive(Node, Debug, Clone)]
struct House {
    #[node(key)]
    address: String,
    #[relationship(type = "OWNED_BY")]
    owners: Many<Party>,
}

async fn run(graph: Graph) -> Result<(), neo_ogm::Error> {
    graph
        .apply_schema::<(Person, Company, Estate, House)>()
        .await?;

    let mut anna = Person::new("Anna");
    let mut firm = Company::new("Anna & Sons");
    firm.employees = Some(12);
    let house = House::new("Main Street 1");
    graph
        .transaction(async |tx| {
            anna.save(&tx).await?;
            firm.save(&tx).await?;
            house.save(&tx).await
        })
        .await?;

    // A label that comes and goes with a field.
    let retired = || Person::find().filter(Person::RETIRED.is_set());
    assert!(!retired().exists(&graph).await?);
    anna.retired = true;
    anna.save(&graph).await?;
    assert!(retired().get(&graph).await?.retired);
    let labels: Vec<String> = graph
        .cypher("MATCH (p:Person {name: $name}) RETURN labels(p)")
        .param("name", &anna.name)
        .get(&graph)
        .await?;
    println!("{} has {} labels", anna.name, labels.len());
    assert_eq!(labels.len(), 3);

    // One finder for nodes of both structs.
    let parties = Party::find()
        .order_by(Party::PERSON.field(Person::NAME).asc())
        .all(&graph)
        .await?;
    assert_eq!(parties.len(), 2);
    for party in &parties {
        match party {
            Party::Person(person) => println!("a person: {}", person.name),
            Party::Company(company) => {
                println!("a company: {}, {:?}", company.name, company.employees)
            }
        }
    }

    // One relationship field that leads to either.
    for party in &parties {
        house.owners.connect(party).await?;
    }
    let found = House::find()
        .filter(House::ADDRESS.eq(&house.address))
        .filter(House::OWNERS.has(Party::COMPANY.has(Company::EMPLOYEES.gt(10))))
        .load(House::OWNERS)
        .get(&graph)
        .await?;
    let owners: Vec<_> = found.owners.get()?.map(Party::name).collect();
    println!("{} belongs to {owners:?}", found.address);
    assert_eq!(owners.len(), 2);
    let people = house
        .owners
        .find()
        .filter(Party::PERSON.is())
        .nodes()
        .await?;
    assert_eq!(people.len(), 1);

    // A node of a label that no variant has is an error, and says so.
    let estate = Estate::new("Estate");
    estate.save(&graph).await?;
    let error = graph
        .cypher("MATCH (p:Party {name: $name}) RETURN p")
        .param("name", &estate.name)
        .one::<Party>(&graph)
        .await
        .expect_err("an estate is neither a person nor a company");
    println!("Refused: {error}");
    assert!(matches!(error.kind(), ErrorKind::UnexpectedLabels { .. }));

    println!("Done.");
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), neo_ogm::Error> {
    isolated(run).await
}
