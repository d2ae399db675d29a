//! Properties that are more than a plain field: flattened, JSON, sets, read-only, unmapped.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::common::{Backend, on_every_backend};
use neo_ogm::neo_bolt::value::{Map, Value};
use neo_ogm::prelude::*;
use neo_ogm::{ErrorKind, Relationship as _};
use serde::{Deserialize, Serialize};

on_every_backend!(
    flattened_structs_are_properties,
    an_absent_flattened_struct_is_none,
    a_wrong_type_in_a_flattened_struct_is_named,
    relationships_have_flattened_structs_too,
    json_is_text_in_the_database,
    sets_arrays_and_lists_of_ones_own_types,
    numbers_beyond_the_database_are_refused,
    what_is_read_only_is_never_written,
    unmapped_properties_are_kept,
    a_default_stands_for_what_is_missing,
);

#[derive(Properties, Debug, Clone, PartialEq)]
struct Place {
    latitude: f64,
    longitude: f64,
}

#[derive(Properties, Debug, Clone, PartialEq)]
#[property(rename_all = "camelCase")]
struct Address {
    street: String,
    #[property(rename = "zip")]
    postcode: Option<String>,
    house_numbers: Vec<i64>,
    #[property(flatten)]
    place: Option<Place>,
    #[property(skip)]
    note: u8,
}

#[derive(Properties, Debug, Clone, PartialEq, Default)]
struct Source {
    imported_from: Option<String>,
    #[property(default = 7)]
    batch: i64,
}

#[derive(Node, Debug, Clone, PartialEq)]
#[node(label = "PropCustomer")]
struct Customer {
    #[node(key)]
    number: String,
    name: Option<String>,
    #[node(flatten)]
    home: Address,
    #[node(flatten, prefix = "work_")]
    work: Option<Address>,
    #[node(flatten, prefix = "")]
    source: Source,
}

fn address(street: &str) -> Address {
    Address {
        street: street.to_owned(),
        postcode: Some("75310".to_owned()),
        house_numbers: vec![1, 2],
        place: Some(Place {
            latitude: 59.858,
            longitude: 17.645,
        }),
        note: 0,
    }
}

async fn properties(graph: &Graph, label: &str, key: &str) -> Map {
    let query = format!("MATCH (n:{label}) WHERE $key IN [n.number, n.id] RETURN n");
    let found: Vec<neo_ogm::neo_bolt::value::Node> = graph
        .cypher(query)
        .param("key", key)
        .fetch(graph)
        .await
        .unwrap();
    let [node] = &found[..] else {
        panic!("{found:?}")
    };
    node.properties.clone()
}

async fn flattened_structs_are_properties(backend: Backend) {
    let graph = backend.graph().await;
    let source = Source {
        imported_from: Some("crm".to_owned()),
        batch: 1,
    };
    let mut customer = Customer::new(backend.key("flat"), address("Main"), source);
    customer.work = Some(Address {
        place: None,
        ..address("Side")
    });
    graph.save(&customer).await.unwrap();

    let stored = properties(&graph, "PropCustomer", &customer.number).await;
    let names: Vec<_> = stored.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "batch",
            "home.houseNumbers",
            "home.place.latitude",
            "home.place.longitude",
            "home.street",
            "home.zip",
            "imported_from",
            "number",
            "work_houseNumbers",
            "work_street",
            "work_zip",
        ]
    );
    let find = || Customer::find_by_number(customer.number.as_str());
    assert_eq!(find().one(&graph).await.unwrap(), Some(customer.clone()));

    let by_parts = find()
        .filter(Customer::HOME.then(Address::STREET).starts_with("Ma"))
        .filter(Customer::HOME.then(Address::HOUSE_NUMBERS).has(2))
        .filter(
            Customer::HOME
                .then(Address::PLACE.then(Place::LATITUDE))
                .gt(59.0),
        )
        .filter(
            Customer::WORK
                .then(Address::PLACE.then(Place::LATITUDE))
                .is_null(),
        )
        .filter(Customer::WORK.then(Address::POSTCODE).eq("75310"))
        .filter(Customer::SOURCE.then(Source::IMPORTED_FROM).eq("crm"))
        .order_by(Customer::HOME.then(Address::STREET).desc());
    assert_eq!(by_parts.count(&graph).await.unwrap(), 1);
}

async fn an_absent_flattened_struct_is_none(backend: Backend) {
    let graph = backend.graph().await;
    let mut customer = Customer::new(backend.key("none"), address("Main"), Source::default());
    customer.work = Some(address("Side"));
    graph.save(&customer).await.unwrap();
    customer.work = None;
    customer.home.place = None;
    graph.save(&customer).await.unwrap();
    let stored = properties(&graph, "PropCustomer", &customer.number).await;
    assert!(
        !stored
            .keys()
            .any(|name| name.starts_with("work_") || name.contains("place"))
    );
    let found = Customer::find_by_number(customer.number.as_str());
    assert_eq!(found.one(&graph).await.unwrap(), Some(customer));
}

async fn a_wrong_type_in_a_flattened_struct_is_named(backend: Backend) {
    let graph = backend.graph().await;
    let key = backend.key("wrong");
    let make = "CREATE (:PropCustomer {number: $n, `home.street`: 'Main', `home.place.latitude`: 'north'})";
    graph
        .cypher(make)
        .param("n", key.as_str())
        .execute(&graph)
        .await
        .unwrap();
    let error = Customer::find_by_number(key.as_str())
        .one(&graph)
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("home.place.latitude: expected FLOAT, found STRING"),
        "{text}"
    );
    graph
        .cypher("MATCH (n:PropCustomer {number: $n}) SET n.`home.place.latitude` = 1.0")
        .param("n", key.as_str())
        .execute(&graph)
        .await
        .unwrap();
    let error = Customer::find_by_number(key.as_str())
        .one(&graph)
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("home.place.longitude: there is no such property"),
        "{text}"
    );
}

#[relationship(type = "PROP_SENT_TO")]
#[derive(Debug, Clone, PartialEq)]
struct SentTo {
    #[relationship(key)]
    parcel: i64,
    #[relationship(flatten)]
    place: Place,
}

#[derive(Node, Debug, Clone)]
#[node(label = "PropParcel")]
struct Shop {
    #[node(key)]
    id: String,
    #[relationship]
    sent: Many<Shop, SentTo>,
}

async fn relationships_have_flattened_structs_too(backend: Backend) {
    let graph = backend.graph().await;
    let shop = Shop::new(backend.key("shop"));
    graph.save(&shop).await.unwrap();
    let sent = SentTo {
        parcel: 1,
        place: Place {
            latitude: 1.5,
            longitude: -2.5,
        },
    };
    shop.sent
        .connect(&shop)
        .properties(sent.clone())
        .await
        .unwrap();
    let names: Vec<_> = SentTo::SCHEMA.properties.iter().map(|p| p.name).collect();
    assert_eq!(names, ["parcel", "place.latitude", "place.longitude"]);
    let south = Shop::SENT.has_relationship(SentTo::PLACE.then(Place::LONGITUDE).lt(0.0));
    let found = Shop::find_by_id(shop.id.as_str())
        .filter(south)
        .load(Shop::SENT)
        .one(&graph);
    let found = found.await.unwrap().unwrap();
    assert_eq!(found.sent.related().unwrap()[0].relationship, sent);
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Layout {
    columns: u8,
    titles: BTreeMap<String, Vec<String>>,
}

#[derive(Property, Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Colour {
    Red,
    #[property(rename = "dark green")]
    Green,
}

#[derive(Property, Debug, Clone, Copy, PartialEq, Eq)]
#[property(integer)]
enum Rank {
    Low = 1,
    High = 10,
}

#[derive(Property, Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Code(String);

#[derive(Node, Debug, Clone, PartialEq)]
#[node(label = "PropThing")]
struct Thing {
    #[node(key)]
    id: String,
    #[node(json)]
    layout: Layout,
    #[node(json)]
    maybe: Option<BTreeMap<String, i64>>,
    tags: HashSet<String>,
    codes: BTreeSet<Code>,
    colours: Vec<Colour>,
    some_colours: Option<Vec<Colour>>,
    rank: Option<Rank>,
    ranks: Vec<Rank>,
    corners: [f64; 2],
    big: u64,
    small: Option<u8>,
}

fn thing(id: String) -> Thing {
    Thing {
        id,
        layout: Layout {
            columns: 2,
            titles: BTreeMap::from([("a \"b\"".to_owned(), vec!["c".to_owned(), String::new()])]),
        },
        maybe: None,
        tags: HashSet::from(["a".to_owned(), "b".to_owned()]),
        codes: BTreeSet::from([Code("x".to_owned()), Code("y".to_owned())]),
        colours: vec![Colour::Green, Colour::Red],
        some_colours: Some(vec![Colour::Green]),
        rank: Some(Rank::High),
        ranks: vec![Rank::High, Rank::Low],
        corners: [0.5, -0.5],
        big: u64::try_from(i64::MAX).unwrap(),
        small: Some(255),
    }
}

async fn json_is_text_in_the_database(backend: Backend) {
    let graph = backend.graph().await;
    let mut saved = thing(backend.key("json"));
    graph.save(&saved).await.unwrap();
    let stored = properties(&graph, "PropThing", &saved.id).await;
    let text = r#"{"columns":2,"titles":{"a \"b\"":["c",""]}}"#;
    assert_eq!(stored["layout"], Value::String(text.to_owned()));
    assert!(!stored.contains_key("maybe"));
    saved.maybe = Some(BTreeMap::from([("n".to_owned(), 1)]));
    graph.save(&saved).await.unwrap();
    let find = || Thing::find_by_id(saved.id.as_str());
    let contains = find().filter(Thing::LAYOUT.contains("\"columns\":2"));
    assert_eq!(contains.one(&graph).await.unwrap().as_ref(), Some(&saved));

    let spoil = "MATCH (n:PropThing {id: $id}) SET n.layout = '{}'";
    graph
        .cypher(spoil)
        .param("id", saved.id.as_str())
        .execute(&graph)
        .await
        .unwrap();
    let error = find().one(&graph).await.unwrap_err().to_string();
    assert!(error.contains("layout: missing field `columns`"), "{error}");
}

async fn sets_arrays_and_lists_of_ones_own_types(backend: Backend) {
    let graph = backend.graph().await;
    let mut saved = thing(backend.key("sets"));
    graph.save(&saved).await.unwrap();
    let find = || Thing::find_by_id(saved.id.as_str());
    assert_eq!(find().one(&graph).await.unwrap(), Some(saved.clone()));
    let by_value = find()
        .filter(Thing::TAGS.has("a"))
        .filter(Thing::CODES.has(Code("y".to_owned())))
        .filter(Thing::COLOURS.has(Colour::Red))
        .filter(Thing::SOME_COLOURS.has(Colour::Green))
        .filter(Thing::SOME_COLOURS.eq(vec![Colour::Green]))
        .filter(Thing::RANK.gt(Rank::Low))
        .filter(Thing::RANKS.has(Rank::Low))
        .filter(Thing::CORNERS.has(-0.5))
        .filter(Thing::SMALL.in_list([1, 255]));
    assert_eq!(by_value.count(&graph).await.unwrap(), 1);

    saved.tags.clear();
    saved.some_colours = None;
    graph.save(&saved).await.unwrap();
    let find = || Thing::find_by_id(saved.id.as_str());
    assert_eq!(find().one(&graph).await.unwrap(), Some(saved.clone()));

    let spoil = "MATCH (n:PropThing {id: $id}) SET n.corners = [1.0, 2.0, 3.0]";
    graph
        .cypher(spoil)
        .param("id", saved.id.as_str())
        .execute(&graph)
        .await
        .unwrap();
    let error = find().one(&graph).await.unwrap_err().to_string();
    assert!(
        error.contains("corners: a LIST of 3 where 2 items are due"),
        "{error}"
    );
    let spoil =
        "MATCH (n:PropThing {id: $id}) SET n.corners = [1.0, 2.0], n.colours = ['Red', 'Blue']";
    graph
        .cypher(spoil)
        .param("id", saved.id.as_str())
        .execute(&graph)
        .await
        .unwrap();
    let error = find().one(&graph).await.unwrap_err().to_string();
    assert!(
        error.contains("colours[1]: \"Blue\" is no variant of Colour"),
        "{error}"
    );
}

async fn numbers_beyond_the_database_are_refused(backend: Backend) {
    let graph = backend.graph().await;
    let mut saved = thing(backend.key("large"));
    saved.big = u64::MAX;
    let error = graph.save(&saved).await.unwrap_err().to_string();
    assert!(
        error.contains("18446744073709551615 does not fit"),
        "{error}"
    );
    saved.big = 1;
    graph.save(&saved).await.unwrap();
    for (property, value, said) in [
        ("big", -1, "-1 does not fit u64"),
        ("small", 256, "256 does not fit u8"),
    ] {
        let spoil = format!("MATCH (n:PropThing {{id: $id}}) SET n.{property} = $value");
        let spoil = graph
            .cypher(spoil)
            .param("id", saved.id.as_str())
            .param("value", value);
        spoil.execute(&graph).await.unwrap();
        let error = Thing::find_by_id(saved.id.as_str())
            .one(&graph)
            .await
            .unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
        graph.save(&saved).await.unwrap();
    }
}

#[derive(Node, Debug, Clone, PartialEq)]
#[node(label = "PropOpen")]
struct Open {
    #[node(key)]
    id: String,
    title: Option<String>,
    #[node(read_only)]
    score: Option<f64>,
    #[node(default = "unknown")]
    language: String,
    #[node(default)]
    views: i64,
    #[node(unmapped)]
    rest: Map,
}

async fn what_is_read_only_is_never_written(backend: Backend) {
    let graph = backend.graph().await;
    let mut open = Open::new(backend.key("read-only"));
    open.score = Some(99.0);
    graph.save(&open).await.unwrap();
    assert!(
        !properties(&graph, "PropOpen", &open.id)
            .await
            .contains_key("score")
    );
    let rank = "MATCH (n:PropOpen {id: $id}) SET n.score = 0.5";
    graph
        .cypher(rank)
        .param("id", open.id.as_str())
        .execute(&graph)
        .await
        .unwrap();
    graph.save(&open).await.unwrap();
    let found = Open::find_by_id(open.id.as_str()).filter(Open::SCORE.lt(1.0));
    assert_eq!(found.one(&graph).await.unwrap().unwrap().score, Some(0.5));
}

async fn unmapped_properties_are_kept(backend: Backend) {
    let graph = backend.graph().await;
    let key = backend.key("unmapped");
    let make = "CREATE (:PropOpen {id: $id, title: 't', colour: 'red', sizes: [1, 2], _neo_ogm_insert: 'x'})";
    graph
        .cypher(make)
        .param("id", key.as_str())
        .execute(&graph)
        .await
        .unwrap();
    let find = || Open::find_by_id(key.as_str());
    let mut open = find().one(&graph).await.unwrap().unwrap();
    let sizes = Value::List(vec![Value::Integer(1), Value::Integer(2)]);
    assert_eq!(
        open.rest,
        Map::from([
            ("colour".to_owned(), "red".into()),
            ("sizes".to_owned(), sizes)
        ])
    );
    open.rest.insert("colour".to_owned(), "blue".into());
    open.rest.insert("weight".to_owned(), 2.5.into());
    open.rest.insert("sizes".to_owned(), Value::Null);
    // A property of the struct is written by its field.
    open.rest.insert("title".to_owned(), "other".into());
    graph.save(&open).await.unwrap();
    let found = find().one(&graph).await.unwrap().unwrap();
    assert_eq!(found.title.as_deref(), Some("t"));
    assert_eq!(
        found.rest,
        Map::from([
            ("colour".to_owned(), "blue".into()),
            ("weight".to_owned(), 2.5.into())
        ])
    );
}

async fn a_default_stands_for_what_is_missing(backend: Backend) {
    let graph = backend.graph().await;
    let new = Open::new(backend.key("defaults"));
    assert_eq!((new.language.as_str(), new.views), ("unknown", 0));
    let make = "CREATE (:PropOpen {id: $id})";
    graph
        .cypher(make)
        .param("id", new.id.as_str())
        .execute(&graph)
        .await
        .unwrap();
    let found = Open::find_by_id(new.id.as_str()).one(&graph).await.unwrap();
    assert_eq!(found, Some(new.clone()));
    // Missing, without a default: an error that says so.
    let make = "CREATE (:PropThing {id: $id})";
    graph
        .cypher(make)
        .param("id", new.id.as_str())
        .execute(&graph)
        .await
        .unwrap();
    let error = Thing::find_by_id(new.id.as_str())
        .one(&graph)
        .await
        .unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Decode { .. }));
    let text = error.to_string();
    assert!(text.contains("layout: there is no such property"), "{text}");
}
