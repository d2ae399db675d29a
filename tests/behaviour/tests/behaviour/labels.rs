//! Further labels, optional labels, and enums of nodes.

use crate::common::{Backend, on_every_backend};
use neo_ogm::ErrorKind;
use neo_ogm::prelude::*;

on_every_backend!(
    further_labels_are_set_by_each_write,
    an_optional_label_follows_its_field,
    an_enum_finds_nodes_of_each_variant,
    the_most_specific_variant_is_chosen,
    a_relationship_leads_to_an_enum,
    an_unexpected_label_is_an_error,
);

#[derive(Node, Debug, Clone, PartialEq)]
#[node(label = "LabelBook", labels("LabelProduct", "Label Thing"))]
struct Item {
    #[node(key)]
    id: String,
    title: Option<String>,
    #[node(optional_label = "LabelFeatured")]
    featured: bool,
    #[node(optional_label = "Label Sold")]
    sold: bool,
}

async fn labels_of(graph: &Graph, id: &str) -> Vec<String> {
    let found: Vec<Vec<String>> = graph
        .cypher("MATCH (n:LabelBook {id: $id}) RETURN labels(n)")
        .param("id", id)
        .fetch(graph)
        .await
        .unwrap();
    let [labels] = &found[..] else {
        panic!("{found:?}")
    };
    let mut labels = labels.clone();
    labels.sort();
    labels
}

async fn further_labels_are_set_by_each_write(backend: Backend) {
    let graph = backend.graph().await;
    let all = ["Label Thing", "LabelBook", "LabelProduct"];
    let saved = Item::new(backend.key("saved"));
    graph.save(&saved).await.unwrap();
    assert_eq!(labels_of(&graph, &saved.id).await, all);
    graph.save(&saved).await.unwrap();
    assert_eq!(labels_of(&graph, &saved.id).await, all);

    let inserted = Item::new(backend.key("inserted"));
    graph.insert(&inserted).await.unwrap();
    assert_eq!(labels_of(&graph, &inserted.id).await, all);

    // Made before the struct had further labels.
    let old = Item::new(backend.key("old"));
    let make = graph.cypher("CREATE (:LabelBook {id: $id})");
    make.param("id", old.id.as_str())
        .execute(&graph)
        .await
        .unwrap();
    graph.update(&old).await.unwrap();
    assert_eq!(labels_of(&graph, &old.id).await, all);
}

async fn an_optional_label_follows_its_field(backend: Backend) {
    let graph = backend.graph().await;
    let mut item = Item::new(backend.key("optional"));
    item.featured = true;
    graph.insert(&item).await.unwrap();
    let find = || Item::find().filter(Item::ID.eq(item.id.as_str()));
    assert_eq!(find().one(&graph).await.unwrap(), Some(item.clone()));
    let featured = find().filter(Item::FEATURED.is_set());
    assert!(featured.exists(&graph).await.unwrap());
    let neither = find().filter(Item::FEATURED.is_not_set().or(Item::SOLD.is_set()));
    assert!(!neither.exists(&graph).await.unwrap());

    let sold = Item {
        featured: false,
        sold: true,
        ..item.clone()
    };
    graph.save(&sold).await.unwrap();
    assert_eq!(
        labels_of(&graph, &item.id).await,
        ["Label Sold", "Label Thing", "LabelBook", "LabelProduct"]
    );
    let mut read = item.clone();
    read.refresh(&graph).await.unwrap();
    assert_eq!(read, sold);
}

#[derive(Node, Debug, Clone, PartialEq)]
#[node(label = "PolyPerson")]
struct Person {
    #[node(key)]
    name: String,
    born: Option<i32>,
    #[relationship(type = "POLY_KNOWS")]
    knows: Many<Person>,
}

#[derive(Node, Debug, Clone, PartialEq)]
#[node(label = "PolyManager", labels("PolyPerson"))]
struct Manager {
    #[node(key)]
    name: String,
    rank: i32,
}

#[derive(Node, Debug, Clone, PartialEq)]
#[node(label = "Poly Company")]
struct Company {
    #[node(key)]
    vat: String,
    #[relationship(type = "POLY_PAID_BY", direction = "in")]
    paid: ZeroOrOne<Bill>,
}

#[derive(Nodes, Debug, Clone, PartialEq)]
enum Party {
    Person(Person),
    Manager(Manager),
    Company(Company),
}

#[derive(Node, Debug, Clone, PartialEq)]
#[node(label = "PolyBill")]
struct Bill {
    #[node(key)]
    number: String,
    #[relationship(type = "POLY_PAID_BY")]
    payer: ZeroOrOne<Party>,
}

async fn an_enum_finds_nodes_of_each_variant(backend: Backend) {
    let graph = backend.graph().await;
    let person = Person {
        born: Some(1828),
        ..Person::new(backend.key("enum"))
    };
    let company = Company::new(backend.key("enum"));
    graph.save(&person).await.unwrap();
    graph.save(&company).await.unwrap();
    let friend = Person::new(backend.key("friend"));
    graph.save(&friend).await.unwrap();
    person.knows.connect(&friend).await.unwrap();

    let mine = Party::PERSON
        .field(Person::NAME)
        .eq(person.name.as_str())
        .or(Party::COMPANY.has(Company::VAT.eq(company.vat.as_str())));
    let mut found = Party::find()
        .filter(mine)
        .load(Party::PERSON.load(Person::KNOWS))
        .all(&graph)
        .await
        .unwrap();
    found.sort_by_key(|party| matches!(party, Party::Company(_)));
    let [Party::Person(first), Party::Company(second)] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!((&first.name, first.born), (&person.name, Some(1828)));
    let known: Vec<_> = first.knows.get().unwrap().collect();
    assert_eq!(known, [&friend]);
    assert_eq!(second.vat, company.vat);

    let persons = Party::find().filter(Party::PERSON.is()).filter(
        Party::PERSON
            .field(Person::BORN)
            .eq(1828)
            .and(Party::PERSON.has(Person::NAME.eq(person.name.as_str()))),
    );
    assert_eq!(persons.count(&graph).await.unwrap(), 1);

    let columns: Vec<(Party, String)> = graph
        .cypher("MATCH (n:`Poly Company` {vat: $vat}) RETURN n, n.vat")
        .param("vat", company.vat.as_str())
        .fetch(&graph)
        .await
        .unwrap();
    assert!(matches!(&columns[..], [(Party::Company(_), _)]));
}

async fn the_most_specific_variant_is_chosen(backend: Backend) {
    let graph = backend.graph().await;
    let manager = Manager::new(backend.key("manager"), 3);
    graph.save(&manager).await.unwrap();
    let named = Party::PERSON.field(Person::NAME).eq(manager.name.as_str());
    let found = Party::find().filter(named).one(&graph).await.unwrap();
    assert_eq!(found, Some(Party::Manager(manager.clone())));
    // And as what it is, too.
    let person = Person::find_by_name(manager.name.as_str())
        .one(&graph)
        .await
        .unwrap();
    assert_eq!(person.unwrap().name, manager.name);
}

async fn a_relationship_leads_to_an_enum(backend: Backend) {
    let graph = backend.graph().await;
    let bill = Bill::new(backend.key("bill"));
    let (person, company) = (
        Person::new(backend.key("payer")),
        Company::new(backend.key("payer")),
    );
    graph.save(&bill).await.unwrap();
    graph.save(&person).await.unwrap();
    graph.save(&company).await.unwrap();

    let (person, company) = (Party::from(person), Party::from(company));
    bill.payer.connect(&person).await.unwrap();
    bill.payer.connect(&person).await.unwrap();
    assert_eq!(bill.payer.fetch().await.unwrap(), Some(person.clone()));
    // The bound counts nodes of any variant.
    let refused = bill.payer.connect(&company).await.unwrap_err();
    assert!(
        matches!(refused.kind(), ErrorKind::Cardinality { .. }),
        "{refused}"
    );
    bill.payer.replace(&company).await.unwrap();

    let find = || Bill::find_by_number(bill.number.as_str());
    let found = find().load(Bill::PAYER).one(&graph).await.unwrap().unwrap();
    assert_eq!(found.payer.get().unwrap(), Some(&company));
    let by_company = find().filter(Bill::PAYER.has(Party::COMPANY.is()));
    assert!(by_company.exists(&graph).await.unwrap());
    let by_person = find().filter(Bill::PAYER.has(Party::PERSON.is()));
    assert!(!by_person.exists(&graph).await.unwrap());

    // The inverse, seen from one of the variants, is bounded as well.
    let other = Bill::new(backend.key("other"));
    graph.save(&other).await.unwrap();
    let refused = other.payer.connect(&company).await.unwrap_err();
    assert!(
        refused.to_string().contains("`paid` is ZeroOrOne"),
        "{refused}"
    );
    let Party::Company(company) = company else {
        unreachable!()
    };
    let company = Company::find_by_vat(company.vat)
        .load(Company::PAID)
        .one(&graph)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        company.paid.get().unwrap().map(|bill| &bill.number),
        Some(&bill.number)
    );

    bill.payer.disconnect_all().await.unwrap();
    assert!(
        !find()
            .filter(Bill::PAYER.exists())
            .exists(&graph)
            .await
            .unwrap()
    );
}

async fn an_unexpected_label_is_an_error(backend: Backend) {
    let graph = backend.graph().await;
    let bill = Bill::new(backend.key("unexpected"));
    graph.save(&bill).await.unwrap();
    let query = || {
        graph
            .cypher("MATCH (n:PolyBill {number: $n}) RETURN n")
            .param("n", bill.number.as_str())
    };
    let error = query().fetch::<Party>(&graph).await.unwrap_err();
    let ErrorKind::UnexpectedLabels {
        expected, found, ..
    } = error.kind()
    else {
        panic!("{error}")
    };
    assert_eq!(expected, &["PolyPerson", "PolyManager", "Poly Company"]);
    assert_eq!(found, &["PolyBill"]);
    assert_eq!(
        error.to_string(),
        "a row of the result: n: expected a node with the label :PolyPerson or :PolyManager or \
         :Poly Company, found one with :PolyBill"
    );
    let error = query().fetch::<Person>(&graph).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::UnexpectedLabels { .. }),
        "{error}"
    );
}
