//! Loading related nodes: along with the question, later for many, later for one, and as a set in
//! which each node is one value.

use neo_ogm::prelude::*;
use neo_ogm_examples::isolated;

#[derive(Node, Debug, Clone)]
struct Label {
    #[node(key)]
    name: String,
    #[relationship(type = "SIGNED")]
    bands: Many<Band>,
}

#[derive(Node, Debug, Clone)]
struct Band {
    #[node(key)]
    name: String,
    active: bool,
    #[relationship(type = "SIGNED", direction = "in")]
    label: ZeroOrOne<Label>,
    #[relationship(type = "RELEASED")]
    albums: Many<Album, Released>,
}

#[derive(Node, Debug, Clone)]
struct Album {
    #[node(key)]
    title: String,
    #[relationship(type = "RELEASED", direction = "in")]
    band: One<Band, Released>,
}

#[relationship(type = "RELEASED")]
#[derive(Debug, Clone)]
struct Released {
    year: i32,
}

async fn fill(graph: &Graph) -> Result<(), neo_ogm::Error> {
    let label = Label::new("Factory");
    let bands = [
        Band::new("New Order", true),
        Band::new("Joy Division", false),
    ];
    let albums = [
        (1, "Unknown Pleasures", 1979),
        (1, "Closer", 1980),
        (0, "Movement", 1981),
        (0, "Low-Life", 1985),
        (0, "Technique", 1989),
    ];
    graph
        .transaction(async |tx| {
            label.save(&tx).await?;
            tx.save_all(&bands).await?;
            label.bands.connect_all(&bands).await?;
            for (band, title, year) in albums {
                let album = Album::new(title);
                album.save(&tx).await?;
                album
                    .band
                    .connect(&bands[band])
                    .properties(Released { year })
                    .await?;
            }
            Ok(())
        })
        .await
}

/// Two levels, each with its own filter, order and limit: one query.
async fn eager(graph: &Graph) -> Result<(), neo_ogm::Error> {
    let latest = Band::ALBUMS
        .filter_relationship(Released::YEAR.gt(1979))
        .order_by_relationship(Released::YEAR.desc())
        .limit(2);
    let label = Label::find_by_name("Factory")
        .load(Label::BANDS.order_by(Band::NAME.asc()).then(latest))
        .get(graph)
        .await?;
    let mut found = Vec::new();
    for band in label.bands.get()? {
        println!(
            "{} ({})",
            band.name,
            if band.active { "active" } else { "gone" }
        );
        for album in band.albums.related()? {
            println!("    {} {}", album.relationship.year, album.node.title);
            found.push(album.node.title.clone());
        }
    }
    assert_eq!(found, ["Closer", "Technique", "Low-Life"]);
    Ok(())
}

/// What was not loaded is an error that says what to do; then it can be had later.
async fn later(graph: &Graph) -> Result<(), neo_ogm::Error> {
    let band = Band::find_by_name("Joy Division").get(graph).await?;
    assert!(!band.albums.is_loaded());
    let unloaded = band.albums.get().err();
    println!("\nnot loaded: {}", unloaded.expect("nobody loaded it"));

    // For one node.
    let label = band.label.fetch().await?;
    assert_eq!(label.map(|label| label.name).as_deref(), Some("Factory"));
    assert_eq!(band.albums.fetch().await?.len(), 2);
    assert!(!band.albums.is_loaded()); // the fetch gave them away, and kept nothing

    // Some of what the field leads to.
    let early = band
        .albums
        .find()
        .filter_relationship(Released::YEAR.lt(1980))
        .nodes()
        .await?;
    assert_eq!(early[0].title, "Unknown Pleasures");

    // For many nodes that are there already: one query for all of them.
    let mut albums = Album::find()
        .order_by(Album::TITLE.asc())
        .all(graph)
        .await?;
    graph
        .load_into(&mut albums, Album::BAND.then(Band::LABEL))
        .await?;
    for album in &albums {
        let band = album.band.get()?;
        let label = band.label.get()?.map_or("nobody", |label| &label.name);
        println!(
            "{} by {}, {} ({label})",
            album.title,
            band.name,
            album.band.relationship()?.year
        );
    }
    assert_eq!(albums[0].band.get()?.name, "Joy Division");
    Ok(())
}

/// Five albums lead to two bands, and these to one label: eight nodes, each one value.
async fn shared(graph: &Graph) -> Result<(), neo_ogm::Error> {
    let load = Album::BAND.then(Band::LABEL).then(Band::ALBUMS);
    let set = Album::find().load(load).shared(graph).await?;
    println!(
        "\n{} nodes, {} of them bands",
        set.len(),
        set.nodes::<Band>().count()
    );
    assert_eq!((set.roots().count(), set.len()), (5, 8));
    for band in set.nodes::<Band>() {
        for (album, released) in band.related(Band::ALBUMS)? {
            // The album that the band leads to is the one that the question found.
            assert!(set.roots().any(|root| root == album));
            assert!(released.year > 1970);
        }
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), neo_ogm::Error> {
    isolated(async |graph| {
        graph.apply_schema::<(Label, Band, Album)>().await?;
        fill(&graph).await?;
        eager(&graph).await?;
        later(&graph).await?;
        shared(&graph).await
    })
    .await
}
