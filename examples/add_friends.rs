//! Friends are added by MERGE, and printed in order; adding one twice changes nothing.

use neo_ogm::prelude::*;
use neo_ogm_examples::connect;

#[derive(Node, Debug)]
struct Person {
    #[node(key)]
    name: String,
    #[relationship(type = "KNOWS")]
    knows: Many<Person>,
}

async fn add_friend(graph: &Graph, name: &str, friend: &str) -> Result<(), neo_ogm::Error> {
    let (person, friend) = (Person::new(name), Person::new(friend));
    graph
        .transaction(async |tx| {
            person.save(&tx).await?;
            friend.save(&tx).await?;
            person.knows.connect(&friend).await
        })
        .await
}

async fn print_friends(graph: &Graph, name: &str) -> Result<(), neo_ogm::Error> {
    let Some(person) = Person::find_by_name(name)
        .load(Person::KNOWS)
        .one(graph)
        .await?
    else {
        println!("nobody is called {name}");
        return Ok(());
    };
    let mut friends: Vec<_> = person
        .knows
        .get()?
        .map(|friend| friend.name.as_str())
        .collect();
    friends.sort_unstable();
    for friend in friends {
        println!("{friend}");
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), neo_ogm::Error> {
    let graph = connect().await?;
    for friend in ["Guinevere", "Lancelot", "Merlin", "Lancelot"] {
        add_friend(&graph, "Arthur", friend).await?;
    }
    print_friends(&graph, "Arthur").await
}
