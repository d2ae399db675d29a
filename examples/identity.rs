//! What tells nodes apart: natural, composite and generated keys, the database's own ids, other
//! unique fields; and writes that care whether a node is there already.

use neo_ogm::ErrorKind;
use neo_ogm::prelude::*;
use neo_ogm_examples::isolated;

/// A natural key, and another unique field.
#[derive(Node, Debug, Clone)]
struct Country {
    #[node(key)]
    code: String,
    #[node(unique)]
    name: String,
    population: Option<u64>,
    currency: Option<String>,
    #[node(element_id)]
    id: ElementId,
}

/// A key of two fields.
#[derive(Node, Debug, Clone)]
struct Region {
    #[node(key)]
    country: String,
    #[node(key)]
    code: u32,
    name: String,
}

/// A key that `new` makes: a UUID v7, so that later nodes have greater keys.
#[derive(Node, Debug, Clone)]
struct Visit {
    #[node(key, generated)]
    id: Uuid,
    of: String,
}

async fn natural(graph: &Graph) -> Result<(), neo_ogm::Error> {
    let code = "SE";
    let name = "Sweden";
    let country = Country::new(code, name);
    assert_eq!(country.id.get(), None);

    // An insert makes the node, and refuses where it is there.
    country.insert(graph).await?;
    let error = country.insert(graph).await.expect_err("it is there");
    assert!(matches!(error.kind(), ErrorKind::AlreadyExists { .. }));
    println!("Refused: {error}");

    // The id that the database gave it, and the finders of the key, of the unique field and of
    // the id.
    let id = country.id.get().expect("it is saved");
    let by_key = Country::find_by_code(code).get(graph).await?;
    let by_name = Country::find_by_name(name).get(graph).await?;
    let by_id = Country::find_by_element_id(&*id).get(graph).await?;
    assert!([by_key, by_name, by_id].iter().all(|c| c.code == code));

    // Two countries of one name: the constraint of `apply_schema` refuses.
    let other = Country::new("SV", name);
    let error = other.save(graph).await.expect_err("the name is taken");
    println!("Refused: {error}");
    assert_eq!(
        error.code(),
        Some("Neo.ClientError.Schema.ConstraintValidationFailed")
    );
    Ok(())
}

async fn create_or_find(graph: &Graph) -> Result<(), neo_ogm::Error> {
    let code = "NO";
    let mut country = Country::new(code, "Norway");

    // Made where it is not there, and else left as it is.
    let (_, created) = country.get_or_create(graph).await?;
    assert!(created);
    country.population = Some(5_500_000);
    let (as_it_is, created) = country.get_or_create(graph).await?;
    assert!(!created);
    assert_eq!(as_it_is.population, None);

    // Made where it is not there, and else given the struct's properties.
    let created = country.create_or_update(graph).await?;
    assert!(!created);
    let found = Country::find_by_code(code).get(graph).await?;
    assert_eq!(found.population, Some(5_500_000));

    // An update wants it to be there.
    let nowhere = Country::new("XX", "Nowhere");
    let error = nowhere.update(graph).await.expect_err("it is not there");
    assert!(matches!(error.kind(), ErrorKind::NodeNotFound { .. }));
    println!("Refused: {error}");
    Ok(())
}

/// Two programs change different properties of one node, and neither overwrites the other's.
async fn changed_only(graph: &Graph) -> Result<(), neo_ogm::Error> {
    let code = "NO";
    let mut mine = Country::find_by_code(code).get(graph).await?.tracked();
    let mut theirs = Country::find_by_code(code).get(graph).await?.tracked();
    assert!(!mine.save_changes(graph).await?); // nothing has changed: nothing is sent

    mine.population = Some(5_600_000);
    theirs.currency = Some("NOK".to_owned());
    println!("Changed: {:?} and {:?}", mine.changed(), theirs.changed());
    assert!(mine.save_changes(graph).await?);
    assert!(theirs.save_changes(graph).await?);

    let found = Country::find_by_code(code).get(graph).await?;
    assert_eq!(found.population, Some(5_600_000));
    assert_eq!(found.currency.as_deref(), Some("NOK"));
    Ok(())
}

async fn composite_and_generated(graph: &Graph) -> Result<(), neo_ogm::Error> {
    let country = "SE";
    for (code, name) in [(1, "Stockholm"), (3, "Uppsala"), (3, "Uppland")] {
        Region::new(country, code, name).save(graph).await?;
    }
    let regions = Region::find().filter(Region::COUNTRY.eq(country));
    assert_eq!(regions.clone().count(graph).await?, 2); // 3 was saved twice
    let third = regions.filter(Region::CODE.eq(3_u32)).get(graph).await?;
    assert_eq!(third.name, "Uppland");

    let first = Visit::new(country);
    let second = Visit::new(country);
    assert!(first.id < second.id);
    graph.save(&first).await?;
    graph.save(&second).await?;
    let visits = Visit::find().filter(Visit::OF.eq(country));
    let newest = visits.order_by(Visit::ID.desc()).first(graph).await?;
    assert_eq!(newest.map(|visit| visit.id), Some(second.id));
    println!("The newest visit is {}", second.id);

    first.delete(graph).await?;
    second.delete(graph).await?;
    let regions = Region::find().filter(Region::COUNTRY.eq(country));
    assert_eq!(regions.delete(graph).await?, 2);
    Ok(())
}

async fn run(graph: Graph) -> Result<(), neo_ogm::Error> {
    graph.apply_schema::<(Country, Region, Visit)>().await?;
    natural(&graph).await?;
    create_or_find(&graph).await?;
    changed_only(&graph).await?;
    composite_and_generated(&graph).await?;

    println!("Done.");
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), neo_ogm::Error> {
    isolated(run).await
}
