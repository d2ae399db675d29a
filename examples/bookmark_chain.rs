//! Three sessions of the driver below the mapper: what two of them wrote, the third has seen,
//! because it begins with their bookmarks. A graph handle does this by itself.

use neo_ogm::neo_bolt::{AccessMode, Bookmarks, Driver, Error, SessionConfig, params};
use neo_ogm_examples::connect;

const EMPLOY: &str = "MERGE (p:Person {name: $person}) MERGE (c:Company {name: $company}) \
                      MERGE (p)-[:WORKS_FOR]->(c)";

async fn employ(driver: &Driver, person: &str, company: &str) -> Result<Bookmarks, Error> {
    let mut session = driver.session(SessionConfig::default());
    session
        .execute_write(async |tx| {
            let parameters = params! { "person" => person, "company" => company };
            tx.execute(EMPLOY, parameters).await.map(|_| ())
        })
        .await?;
    Ok(session.last_bookmarks())
}

async fn befriend(driver: &Driver, seen: Bookmarks) -> Result<(), Error> {
    let mut session = driver.session(SessionConfig::default().bookmarks(seen));
    session
        .execute_write(async |tx| {
            let statement = "MATCH (a:Person {name: $a}) MATCH (b:Person {name: $b}) \
                             MERGE (a)-[:KNOWS]->(b)";
            tx.execute(statement, params! { "a" => "Alice", "b" => "Bob" })
                .await
                .map(|_| ())
        })
        .await?;
    let friends: Vec<(String, String)> = session
        .execute_read(async |tx| {
            let statement = "MATCH (a:Person)-[:KNOWS]->(b:Person) \
                             WHERE a.name = $a RETURN a.name, b.name";
            let found = tx.execute(statement, params! { "a" => "Alice" }).await?;
            found
                .records
                .iter()
                .map(neo_ogm::neo_bolt::Record::decode)
                .collect()
        })
        .await?;
    for (one, other) in friends {
        println!("{one} knows {other}");
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), neo_ogm::Error> {
    let graph = connect().await?;
    let driver = graph.driver();
    let alice = employ(driver, "Alice", "Wayne Enterprises").await?;
    let bob = employ(driver, "Bob", "LexCorp").await?;
    befriend(driver, alice.union(&bob)).await?;
    let mut reader = driver.session(SessionConfig::default().default_access_mode(AccessMode::Read));
    let mut people = reader
        .run(
            "MATCH (p:Person)-[:WORKS_FOR]->(c:Company) RETURN p.name, c.name ORDER BY p.name",
            (),
        )
        .await?;
    while let Some(record) = people.next().await {
        let (person, company): (String, String) = record?.decode()?;
        println!("{person} works for {company}");
    }
    Ok(())
}
