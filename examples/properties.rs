//! Everything that a property can be, and what can be said of one: defaults, other names, fields
//! that are not stored or not written, structs within structs, validation.

use std::collections::{BTreeMap, BTreeSet};

use neo_ogm::ErrorKind;
use neo_ogm::neo_bolt::value::{Map, Value};
use neo_ogm::prelude::*;
use neo_ogm_examples::{isolated, or_limit};

/// Stored as text: `grand piano`, `UPRIGHT`.
#[derive(Property, Debug, Clone, PartialEq)]
#[property(rename_all = "SCREAMING_SNAKE_CASE")]
enum Kind {
    #[property(rename = "grand piano")]
    Grand,
    Upright,
}

/// Stored as an integer.
#[derive(Property, Debug, Clone, PartialEq)]
#[property(integer)]
enum Grade {
    Student = 1,
    Concert = 5,
}

/// Stored as the text that it wraps.
#[derive(Property, Debug, Clone, PartialEq)]
struct Maker(String);

/// Becomes the properties `stands.hall` and `stands.seats`.
#[derive(Properties, Debug, Clone, PartialEq)]
struct Hall {
    hall: String,
    seats: Option<u32>,
}

/// What nodes of many structs have, under its own names.
#[derive(Properties, Debug, Clone, PartialEq, Default)]
struct Source {
    imported_from: Option<String>,
}

#[derive(Node, Debug, Clone, PartialEq)]
#[node(rename_all = "camelCase")]
struct Piano {
    #[node(key)]
    serial: String,
    #[node(validate(length(min = 2, max = 80)))]
    name: String,
    #[node(validate(range(min = 60, max = 108)))]
    keys: u8,
    kind: Kind,
    grade: Grade,
    maker: Maker,
    playable: bool,
    weight_in_kg: f64,
    identity: Uuid,
    #[node(default = 440.0)]
    pitch: f32,
    #[node(default)]
    repairs: i64,
    #[node(rename = "builtOn")]
    built: Option<Date>,
    opens: Option<LocalTime>,
    rehearsal: Option<Time>,
    last_concert: Option<LocalDateTime>,
    last_tuned: Option<DateTime>,
    tuning_takes: Option<Duration>,
    #[node(validate(email))]
    contact: Option<String>,
    pedals: Vec<String>,
    tags: BTreeSet<String>,
    #[node(json, default)]
    strings_by_note: BTreeMap<String, u32>,
    picture: Option<Bytes>,
    place: Option<Point>,
    #[node(skip)]
    seen_today: bool,
    #[node(read_only)]
    rating: Option<i64>,
    #[node(flatten)]
    stands: Option<Hall>,
    #[node(flatten, prefix = "")]
    source: Source,
    #[node(unmapped)]
    others: Map,
}

fn piano(serial: &str) -> Result<Piano, neo_ogm::Error> {
    let date = Date::from_ymd(1898, 5, 17).map_err(neo_ogm::Error::abort)?;
    let noon = LocalTime::from_hms_nano(12, 0, 0, 5).map_err(neo_ogm::Error::abort)?;
    let mut piano = Piano::new(
        serial,
        "The old Bechstein",
        88,
        Kind::Grand,
        Grade::Concert,
        Maker("C. Bechstein".to_owned()),
        true,
        480.5,
        Uuid::now_v7(),
        Source::default(),
    );
    piano.built = Some(date);
    piano.opens = Some(noon);
    piano.rehearsal = Some(Time::new(noon, 3600).map_err(neo_ogm::Error::abort)?);
    piano.last_concert = Some(LocalDateTime::new(date, noon));
    piano.last_tuned = Some(DateTime::now());
    piano.tuning_takes = Some(Duration::new(0, 0, 2 * 3600, 0));
    piano.contact = Some("tuner@example.org".to_owned());
    piano.pedals = vec!["una corda".to_owned(), "sustain".to_owned()];
    piano.tags = BTreeSet::from(["black".to_owned(), "rosewood".to_owned()]);
    piano.strings_by_note = BTreeMap::from([("A0".to_owned(), 1), ("A4".to_owned(), 3)]);
    piano.stands = Some(Hall {
        hall: "Small hall".to_owned(),
        seats: Some(120),
    });
    piano.source.imported_from = Some("inventory.csv".to_owned());
    piano
        .others
        .insert("colour".to_owned(), Value::from("black"));
    Ok(piano)
}

async fn run(graph: Graph) -> Result<(), neo_ogm::Error> {
    let serial = "7712";

    let mut piano = piano(serial)?;
    assert_eq!((piano.pitch, piano.repairs), (440.0, 0)); // the defaults
    piano.seen_today = true; // skipped: stays here
    piano.rating = Some(1); // read-only: stays here, too
    piano.save(&graph).await?;

    // The rating is another program's to write, and we read it.
    graph
        .cypher("MATCH (p:Piano {serial: $serial}) SET p.rating = 5")
        .param("serial", serial)
        .execute(&graph)
        .await?;
    let found = Piano::find_by_serial(serial).get(&graph).await?;
    let mut expected = piano.clone();
    expected.rating = Some(5);
    expected.seen_today = false;
    assert_eq!(found, expected);
    println!(
        "{} by {}: {:?}, tuned in {:?} at {:?}",
        found.name, found.maker.0, found.kind, found.tuning_takes, found.last_tuned
    );

    // What the database has: other names, and text, numbers and maps in the form that was told.
    let stored: Map = graph
        .cypher("MATCH (p:Piano {serial: $serial}) RETURN properties(p)")
        .param("serial", serial)
        .get(&graph)
        .await?;
    for name in [
        "kind",
        "grade",
        "weightInKg",
        "builtOn",
        "stands.hall",
        "imported_from",
        "colour",
        "stringsByNote",
    ] {
        println!("  {name} is {:?}", stored.get(name));
        assert!(stored.contains_key(name), "{name} is stored");
    }
    assert!(!stored.contains_key("seenToday"));

    // Filters reach into flattened structs and lists.
    let in_a_hall = Piano::find_by_serial(serial)
        .filter(Piano::STANDS.then(Hall::SEATS).ge(100))
        .filter(Piano::TAGS.has("rosewood"))
        .filter(
            Piano::KIND
                .eq(Kind::Grand)
                .and(Piano::BUILT.year().lt(1900)),
        );
    assert!(in_a_hall.exists(&graph).await?);

    // Rules are checked before anything is sent, all of them.
    let mut broken = found.clone();
    broken.keys = 20;
    broken.contact = Some("nobody".to_owned());
    let error = broken.save(&graph).await.expect_err("it breaks two rules");
    println!("Refused: {error}");
    let ErrorKind::Invalid { violations, .. } = error.kind() else {
        return Err(error);
    };
    assert_eq!(violations.len(), 2);

    // A place and bytes, which the embedded engine has not.
    let mut piano = found.clone();
    piano.place = Some(Point::wgs_84(13.4, 52.5));
    if or_limit("A point", piano.save(&graph).await)?.is_some() {
        let found = Piano::find_by_serial(serial).get(&graph).await?;
        assert_eq!(found.place, piano.place);
    }
    piano.place = None;
    piano.picture = Some(Bytes::from_static(b"\x89PNG"));
    if or_limit("Bytes", piano.save(&graph).await)?.is_some() {
        let found = Piano::find_by_serial(serial).get(&graph).await?;
        assert_eq!(found.picture, piano.picture);
    }

    piano.delete(&graph).await?;
    println!("Done.");
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), neo_ogm::Error> {
    isolated(run).await
}
