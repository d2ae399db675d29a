//! Raw Cypher, with parameters, into whatever its rows are.

use neo_ogm::neo_bolt::value::Path;
use neo_ogm::prelude::*;
use neo_ogm_examples::isolated;

#[derive(Node, Debug, Clone)]
struct Ship {
    #[node(key)]
    name: String,
    tons: i64,
    #[relationship(type = "SAILED_TO")]
    ports: Many<Port, SailedTo>,
}

#[derive(Node, Debug, Clone)]
struct Port {
    #[node(key)]
    name: String,
}

#[relationship(type = "SAILED_TO")]
#[derive(Debug, Clone)]
struct SailedTo {
    #[relationship(key)]
    year: i32,
    cargo: Option<String>,
}

/// What a search asks for: each field is a parameter.
#[derive(serde::Serialize)]
struct Search {
    from: i32,
    until: i32,
    ports: Vec<String>,
}

/// A row, by the names of its columns.
#[derive(serde::Deserialize, Debug, PartialEq)]
struct Voyage {
    ship: String,
    port: String,
    year: i32,
    cargo: Option<String>,
}

/// `MERGE` and `SET` leave the same result if they are repeated, so one round trip is enough.
async fn write(graph: &Graph) -> Result<(), neo_ogm::Error> {
    let ships = [Ship::new("Vasa", 1210), Ship::new("Götheborg", 833)];
    let summary = graph
        .cypher("UNWIND $ships AS row MERGE (s:Ship {name: row.name}) SET s += row")
        .nodes("ships", &ships)
        .idempotent()
        .execute(graph)
        .await?;
    println!("{} ships", summary.counters().nodes_created());
    assert_eq!(summary.counters().nodes_created(), 2);

    // Values never stand in the text, so no sign in them can change what is asked.
    let cargo = "tea, \"silk\" and '}) DETACH DELETE s //";
    for (port, year, cargo) in [("Canton", 1739, Some(cargo)), ("Cadiz", 1741, None)] {
        graph
            .cypher(
                "MATCH (s:Ship {name: $ship}) MERGE (p:Port {name: $port})
                 MERGE (s)-[r:SAILED_TO {year: $year}]->(p) SET r.cargo = $cargo",
            )
            .param("ship", "Götheborg")
            .param("port", port)
            .param("year", year)
            .param("cargo", cargo)
            .idempotent()
            .execute(graph)
            .await?;
    }
    Ok(())
}

async fn read(graph: &Graph) -> Result<(), neo_ogm::Error> {
    let voyages = graph
        .cypher("MATCH (s:Ship)-[r:SAILED_TO]->(p:Port) RETURN s, r, p ORDER BY r.year")
        .read_only();

    // Tuples of nodes, relationships and values.
    let rows: Vec<(Ship, SailedTo, Port)> = voyages.clone().fetch(graph).await?;
    for (ship, sailed, port) in &rows {
        let cargo = sailed.cargo.as_deref().unwrap_or("nothing");
        println!(
            "{} to {} in {} with {cargo}",
            ship.name, port.name, sailed.year
        );
    }
    assert_eq!((rows.len(), rows[0].1.year), (2, 1739));
    // Nodes that come from a statement can be used like any others.
    assert_eq!(rows[0].0.ports.count().await?, 2);

    // The same rows, one by one as the server sends them.
    let mut stream = voyages.stream::<(Ship, SailedTo, Port)>(graph).await?;
    let mut years = Vec::new();
    while let Some((_, sailed, _)) = stream.next().await.transpose()? {
        years.push(sailed.year);
    }
    assert_eq!(years, [1739, 1741]);

    // Missing things and lists of things.
    let ships: Vec<(Ship, Option<Port>, Vec<SailedTo>)> = graph
        .cypher(
            "MATCH (s:Ship) OPTIONAL MATCH (s)-[r:SAILED_TO]->(p:Port {name: 'Canton'})
             RETURN s, p, collect(r) ORDER BY s.name",
        )
        .fetch(graph)
        .await?;
    assert!(ships[1].1.is_none() && ships[1].2.is_empty());

    // Plain structs, in and out.
    let search = Search {
        from: 1700,
        until: 1740,
        ports: vec!["Canton".into(), "Macao".into()],
    };
    let found: Vec<Voyage> = graph
        .cypher(
            "MATCH (s:Ship)-[r:SAILED_TO]->(p:Port)
             WHERE $from <= r.year AND r.year <= $until AND p.name IN $ports
             RETURN s.name AS ship, p.name AS port, r.year AS year, r.cargo AS cargo",
        )
        .params(&search)
        .fetch_as(graph)
        .await?;
    println!("{found:?}");
    assert_eq!((found.len(), found[0].port.as_str()), (1, "Canton"));

    // One value, one row or none, paths.
    let tons: i64 = graph
        .cypher("MATCH (s:Ship) RETURN sum(s.tons)")
        .get(graph)
        .await?;
    assert_eq!(tons, 2043);
    let nobody: Option<Ship> = graph
        .cypher("MATCH (s:Ship {name: $name}) RETURN s")
        .param("name", "Titanic")
        .one(graph)
        .await?;
    assert!(nobody.is_none());
    let paths: Vec<Path> = graph
        .cypher("MATCH p = (:Ship)-[:SAILED_TO]->(:Port) RETURN p")
        .fetch(graph)
        .await?;
    assert_eq!((paths.len(), paths[0].nodes().count()), (2, 2));

    // Rows and summary at once, for tools that don't know the columns.
    let result = graph
        .cypher("MATCH (s:Ship) RETURN s.name AS name, s.tons AS tons")
        .result(graph)
        .await?;
    assert_eq!(
        (result.len(), result.columns().join(",")),
        (2, "name,tons".to_owned())
    );
    Ok(())
}

/// What goes wrong says where.
async fn mistakes(graph: &Graph) -> Result<(), neo_ogm::Error> {
    let misspelt = graph
        .cypher("MATCH (s:Ship) RETRUN s")
        .fetch::<Ship>(graph)
        .await;
    println!("\n{}", misspelt.expect_err("a misspelt word"));
    let ports = graph
        .cypher("MATCH (s:Ship) RETURN s.name")
        .fetch::<i64>(graph)
        .await;
    println!("{}", ports.expect_err("names are no numbers"));
    let columns = graph
        .cypher("MATCH (s:Ship) RETURN s, s.tons")
        .fetch::<Ship>(graph)
        .await;
    println!("{}", columns.expect_err("two columns"));
    let several = graph
        .cypher("MATCH (s:Ship) RETURN s")
        .get::<Ship>(graph)
        .await;
    println!("{}", several.expect_err("two rows"));
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), neo_ogm::Error> {
    isolated(async |graph| {
        graph.apply_schema::<(Ship, Port)>().await?;
        write(&graph).await?;
        read(&graph).await?;
        mistakes(&graph).await
    })
    .await
}
