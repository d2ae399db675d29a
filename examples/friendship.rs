//! Two people become friends, with where they met; then one of them is looked up. Errors are
//! logged with what happened.

use neo_ogm::prelude::*;
use neo_ogm_examples::connect;

#[derive(Node, Debug)]
struct Person {
    #[node(key)]
    name: String,
    #[relationship(type = "KNOWS")]
    knows: Many<Person, Knows>,
}

#[relationship(type = "KNOWS")]
#[derive(Debug)]
struct Knows {
    /// Where they met; other programs may have left it out.
    from: Option<String>,
}

async fn create_friendship(
    graph: &Graph,
    [one, other]: [&str; 2],
    met: &str,
) -> Result<(), neo_ogm::Error> {
    let (one, other) = (Person::new(one), Person::new(other));
    graph
        .transaction(async |tx| {
            one.save(&tx).await?;
            other.save(&tx).await?;
            let knows = Knows {
                from: Some(met.to_owned()),
            };
            one.knows.connect(&other).properties(knows).await
        })
        .await?;
    println!(
        "Created a friendship between {} and {} from {met}",
        one.name, other.name
    );
    Ok(())
}

async fn find_person(graph: &Graph, name: &str) -> Result<(), neo_ogm::Error> {
    let person = Person::find_by_name(name)
        .load(Person::KNOWS)
        .one(graph)
        .await?;
    match person {
        None => println!("Found nobody called {name}"),
        Some(person) => {
            for friend in person.knows.related()? {
                let from = friend.relationship.from.as_deref().unwrap_or("somewhere");
                println!(
                    "Found {}, who knows {} from {from}",
                    person.name, friend.node.name
                );
            }
        }
    }
    Ok(())
}

#[tokio::main]
async fn main() {
    let run = async {
        let graph = connect().await?;
        create_friendship(&graph, ["Alice", "David"], "School").await?;
        find_person(&graph, "Alice").await?;
        find_person(&graph, "Nobody").await
    };
    if let Err(error) = run.await {
        eprintln!("the database raised an error: {error}");
        if let Some(code) = error.code() {
            eprintln!("its code is {code}, after {} attempt(s)", error.attempts());
        }
        std::process::exit(1);
    }
}
