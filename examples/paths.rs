//! Walks: over several relationships one after another, from what was found to what it leads to,
//! and the shortest way between two nodes.

use neo_ogm::prelude::*;
use neo_ogm_examples::isolated;

#[derive(Node, Debug, Clone)]
struct Station {
    #[node(key)]
    name: String,
    closed: bool,
    #[relationship(type = "LINKED_TO", direction = "both")]
    links: Many<Station, LinkedTo>,
    #[relationship(type = "NEXT")]
    next: ZeroOrOne<Station>,
    #[relationship(type = "NEAR")]
    sights: Many<Sight>,
}

#[relationship(type = "LINKED_TO")]
#[derive(Debug, Clone)]
struct LinkedTo {
    minutes: i32,
}

#[derive(Node, Debug, Clone)]
struct Sight {
    #[node(key)]
    name: String,
}

async fn fill(graph: &Graph) -> Result<[Station; 5], neo_ogm::Error> {
    let stations = ["A", "B", "C", "D", "E"].map(|name| Station::new(name, name == "C"));
    graph.save_all(&stations).await?;
    let [a, b, c, d, e] = &stations;
    // A - B - E takes long, A - C - E is closed, A - D - B goes round.
    let links = [
        (a, b, 3),
        (b, e, 20),
        (a, c, 2),
        (c, e, 2),
        (a, d, 1),
        (d, b, 1),
    ];
    let links = links.map(|(from, to, minutes)| (from, to, LinkedTo { minutes }));
    graph.connect_all(Station::LINKS, links).await?;
    graph
        .connect_all(Station::NEXT, [(a, b), (b, c), (c, d)])
        .await?;

    let sights = [Sight::new("Castle"), Sight::new("Park")];
    graph.save_all(&sights).await?;
    graph
        .connect_all(
            Station::SIGHTS,
            [(c, &sights[0]), (d, &sights[0]), (e, &sights[1])],
        )
        .await?;
    Ok(stations)
}

fn names(stations: &[Station]) -> Vec<&str> {
    stations
        .iter()
        .map(|station| station.name.as_str())
        .collect()
}

#[tokio::main]
async fn main() -> Result<(), neo_ogm::Error> {
    isolated(async |graph| {
        graph.apply_schema::<(Station, Sight)>().await?;
        let [a, b, _, _, e] = &fill(&graph).await?;

        // One to two steps from A, along the line.
        let soon = Station::find_by_name("A")
            .follow(Station::NEXT.hops(1..=2))
            .order_by(Station::NAME.asc())
            .all(&graph)
            .await?;
        println!("the next two after A: {:?}", names(&soon));
        assert_eq!(names(&soon), ["B", "C"]);

        // As a filter: stations from which D is reached, however many steps it takes.
        let before = Station::find()
            .filter(Station::NEXT.hops(..).has(Station::NAME.eq("D")))
            .order_by(Station::NAME.asc())
            .all(&graph)
            .await?;
        println!("before D: {:?}", names(&before));
        assert_eq!(names(&before), ["A", "B", "C"]);
        let last = Station::find().filter(Station::NEXT.is_empty().and(!Station::NAME.eq("E")));
        assert_eq!(last.get(&graph).await?.name, "D");

        // From stations to what is near them; each sight comes once, whatever ways lead to it.
        let sights = Station::find_by_name("A")
            .follow(Station::NEXT.hops(0..))
            .follow(Station::SIGHTS)
            .all(&graph)
            .await?;
        println!("along the line: {:?}", sights[0].name);
        assert_eq!((sights.len(), sights[0].name.as_str()), (1, "Castle"));

        // Over quick links only.
        let quick = Station::find_by_name("A")
            .follow_where(Station::LINKS, LinkedTo::MINUTES.le(2))
            .order_by(Station::NAME.asc())
            .all(&graph)
            .await?;
        assert_eq!(names(&quick), ["C", "D"]);

        // The shortest way, in steps; and all ways that are as short.
        let path = graph
            .shortest_path(a, b, Station::LINKS)
            .max_hops(5)
            .await?
            .expect("a way");
        assert_eq!(path.len(), 1);
        let ways = graph
            .shortest_path(a, e, Station::LINKS)
            .max_hops(5)
            .all_shortest()
            .await?;
        for way in &ways {
            let stations: Vec<_> = way.nodes().map(|station| station.name.as_str()).collect();
            let minutes: i32 = way.relationships().map(|link| link.minutes).sum();
            println!("from A to E: {}, {minutes} minutes", stations.join(" - "));
        }
        assert_eq!(ways.len(), 2);

        // With conditions on what lies on the way.
        let open = graph
            .shortest_path(a, e, Station::LINKS)
            .filter(Station::CLOSED.eq(false))
            .filter_relationship(LinkedTo::MINUTES.ge(1))
            .max_hops(5)
            .await?
            .expect("a way by B");
        assert_eq!(
            open.nodes()
                .map(|station| &station.name)
                .collect::<Vec<_>>(),
            ["A", "B", "E"]
        );
        let none = graph
            .shortest_path(a, e, Station::LINKS)
            .filter_relationship(LinkedTo::MINUTES.lt(2))
            .max_hops(5)
            .await?;
        assert!(none.is_none());
        println!("by quick links only: no way");

        // From a node that is not there is no way, and that is said.
        let nowhere = Station::new("Nowhere", false);
        let error = graph.shortest_path(&nowhere, e, Station::LINKS).await;
        println!("{}", error.expect_err("it was not saved"));
        Ok(())
    })
    .await
}
