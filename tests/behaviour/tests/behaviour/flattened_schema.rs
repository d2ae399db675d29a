//! Constraints and indexes of structs that are flattened into others.

use crate::common::{Backend, on_every_backend};
use neo_ogm::prelude::*;

on_every_backend!(
    indexes_have_the_names_of_the_outer_struct,
    a_flattened_property_is_unique,
    relationships_have_those_of_their_flattened_structs,
);

#[derive(Properties, Debug, Clone, PartialEq)]
struct Place {
    #[property(index)]
    street: String,
    #[property(unique, rename = "gateCode")]
    gate: Option<String>,
    #[property(flatten)]
    about: About,
}

#[derive(Properties, Debug, Clone, PartialEq)]
struct About {
    #[property(index = "text")]
    notes: Option<String>,
    floors: Option<i64>,
}

#[derive(Node, Debug, Clone, PartialEq)]
#[node(label = "FlatHouse", index(number, side))]
struct House {
    #[node(key)]
    id: String,
    #[node(index, rename = "houseNumber")]
    number: Option<i64>,
    side: Option<i64>,
    #[node(flatten)]
    home: Place,
    #[node(flatten, prefix = "work_")]
    work: Option<Place>,
    #[relationship(type = "FLAT_NEAR")]
    near: Many<House, Near>,
}

#[relationship(type = "FLAT_NEAR")]
#[derive(Debug, Clone, PartialEq)]
struct Near {
    #[relationship(index)]
    metres: i64,
    #[relationship(flatten)]
    how: How,
}

#[derive(Properties, Debug, Clone, PartialEq)]
struct How {
    #[property(index)]
    mode: Option<String>,
}

const NAMES: [&str; 11] = [
    "FlatHouse_id_unique",
    "FlatHouse_houseNumber_index",
    "FlatHouse_houseNumber_side_index",
    "FlatHouse_home.street_index",
    "FlatHouse_home.gateCode_unique",
    "FlatHouse_home.about.notes_text",
    "FlatHouse_work_street_index",
    "FlatHouse_work_gateCode_unique",
    "FlatHouse_work_about.notes_text",
    "FLAT_NEAR_metres_index",
    "FLAT_NEAR_how.mode_index",
];

fn house(id: String, gate: Option<&str>) -> House {
    let about = About {
        notes: None,
        floors: None,
    };
    let home = Place {
        street: "Kungsgatan".to_owned(),
        gate: gate.map(str::to_owned),
        about,
    };
    House::new(id, home)
}

async fn indexes_have_the_names_of_the_outer_struct(backend: Backend) {
    let graph = backend.graph().await;
    graph.apply_schema::<House>().await.unwrap();
    let again = graph.apply_schema::<House>().await.unwrap();
    assert_eq!(again.created().count(), 0, "{again}");
    let present: Vec<&str> = again.present().map(|rule| rule.name()).collect();
    assert_eq!(present, NAMES);
    let indexes: Vec<(String, Option<Vec<String>>)> = graph
        .cypher("SHOW INDEXES YIELD name, properties")
        .fetch(&graph)
        .await
        .unwrap();
    let of = |name: &str| {
        let index = indexes.iter().find(|(known, _)| known == name);
        index.unwrap().1.clone().unwrap()
    };
    assert_eq!(of(NAMES[3]), ["home.street"]);
    assert_eq!(of(NAMES[8]), ["work_about.notes"]);

    let house = house(backend.key("found"), None);
    house.save(&graph).await.unwrap();
    let found = House::find().filter(House::HOME.then(Place::STREET).eq("Kungsgatan"));
    let found = found.filter(House::ID.eq(house.id.as_str()));
    assert_eq!(found.get(&graph).await.unwrap(), house);
}

async fn a_flattened_property_is_unique(backend: Backend) {
    let graph = backend.graph().await;
    graph.apply_schema::<House>().await.unwrap();
    let gate = backend.key("gate");
    let first = house(backend.key("first"), Some(&gate));
    let mut second = house(backend.key("second"), Some(&gate));
    first.save(&graph).await.unwrap();
    let taken = second.save(&graph).await.unwrap_err();
    let code = "Neo.ClientError.Schema.ConstraintValidationFailed";
    assert_eq!(taken.code(), Some(code), "{taken}");
    // Nobody has none, and the other struct is another property.
    second.home.gate = None;
    second.work = Some(first.home.clone());
    second.save(&graph).await.unwrap();
}

async fn relationships_have_those_of_their_flattened_structs(backend: Backend) {
    let graph = backend.graph().await;
    graph.apply_schema::<Near>().await.unwrap();
    let again = graph.apply_schema::<Near>().await.unwrap();
    let present: Vec<&str> = again.present().map(|rule| rule.name()).collect();
    assert_eq!(present, NAMES[9..]);
}
