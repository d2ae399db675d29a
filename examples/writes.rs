//! Many nodes and relationships at once: in batches, with progress, and with the bad row named;
//! changes and deletes by filter, and nodes that write only what changed.

use std::sync::atomic::{AtomicU64, Ordering};

use neo_ogm::ErrorKind;
use neo_ogm::prelude::*;
use neo_ogm_examples::isolated;

#[derive(Node, Debug, Clone)]
struct Product {
    #[node(key)]
    number: u32,
    #[node(validate(length(min = 1, max = 20)))]
    name: String,
    price: f64,
    stock: i64,
    #[relationship(type = "STORED_IN")]
    depot: ZeroOrOne<Depot, StoredIn>,
}

#[derive(Node, Debug, Clone)]
struct Depot {
    #[node(key)]
    city: String,
    #[relationship(type = "STORED_IN", direction = "in")]
    products: Many<Product, StoredIn>,
}

#[relationship(type = "STORED_IN")]
#[derive(Debug, Clone)]
struct StoredIn {
    shelf: u32,
}

fn products(numbers: std::ops::RangeInclusive<u32>) -> Vec<Product> {
    numbers
        .map(|number| Product::new(number, format!("Product {number}"), 10.0, i64::from(number)))
        .collect()
}

async fn in_batches(graph: &Graph) -> Result<(), neo_ogm::Error> {
    let told = AtomicU64::new(0);
    let all = products(1..=1000);
    graph
        .save_all(&all)
        .batch_size(300)
        .concurrency(2)
        .on_progress(|progress| {
            told.fetch_add(1, Ordering::Relaxed);
            println!("{} of {} products saved", progress.done, progress.total);
        })
        .await?;
    assert_eq!(told.into_inner(), 4);
    assert_eq!(Product::find().count(graph).await?, 1000);

    let depots = ["Oslo", "Rome"].map(Depot::new);
    graph.save_all(&depots).await?;
    let pairs = all
        .iter()
        .zip(depots.iter().cycle())
        .map(|(product, depot)| {
            (
                product,
                depot,
                StoredIn {
                    shelf: product.number / 100,
                },
            )
        });
    graph
        .connect_all(Product::DEPOT, pairs)
        .batch_size(500)
        .await?;
    assert_eq!(depots[0].products.count().await?, 500);
    println!("{} products in Rome", depots[1].products.count().await?);
    Ok(())
}

/// A row in the way is named by its place, and nothing of its batch is written.
async fn bad_rows(graph: &Graph) -> Result<(), neo_ogm::Error> {
    // There already.
    let more = products(999..=1003);
    let error = graph.insert_all(&more[2..]).await;
    assert!(error.is_ok());
    let error = graph
        .insert_all(&more)
        .await
        .expect_err("the first two are there");
    println!("\n{error}");
    assert!(matches!(error.kind(), ErrorKind::Row { index: 0, .. }));

    // Not there.
    let mut changed = products(1002..=1005);
    changed[0].price = 12.5;
    let error = graph
        .update_all(&changed)
        .await
        .expect_err("1004 is not there");
    println!("{error}");
    assert!(matches!(error.kind(), ErrorKind::Row { index: 2, .. }));
    assert_eq!(Product::find_by_number(1002).get(graph).await?.price, 10.0); // the batch is undone

    // Against a rule of its own: nothing is sent.
    changed[1].name = String::new();
    let error = graph
        .save_all(&changed)
        .await
        .expect_err("a product without a name");
    println!("{error}");

    // A node that was never saved, or that has a place already.
    let product = Product::find_by_number(1001).get(graph).await?;
    let nowhere = Depot::new("Atlantis");
    let error = graph
        .connect_all(
            Product::DEPOT,
            [(&product, &nowhere, StoredIn { shelf: 1 })],
        )
        .await;
    println!("{}", error.expect_err("it is not there"));
    let (placed, rome) = (&products(1..=1)[0], Depot::new("Rome"));
    let error = graph
        .connect_all(Product::DEPOT, [(placed, &rome, StoredIn { shelf: 1 })])
        .await;
    println!("{}", error.expect_err("it is in Oslo"));
    Ok(())
}

/// What passes a filter is changed and deleted without being loaded.
async fn by_filter(graph: &Graph) -> Result<(), neo_ogm::Error> {
    let in_rome = Product::find().filter(Product::DEPOT.has(Depot::CITY.eq("Rome")));
    let changed = in_rome
        .clone()
        .filter(Product::STOCK.le(100))
        .update(graph)
        .set(Product::PRICE, 8.0)
        .await?;
    println!("\n{changed} prices are lower");
    assert_eq!(changed, 50);
    assert_eq!(
        Product::find()
            .filter(Product::PRICE.lt(9.0))
            .count(graph)
            .await?,
        50
    );

    let deleted = in_rome.filter(Product::STOCK.gt(900)).delete(graph).await?;
    println!("{deleted} products are gone");
    assert_eq!(deleted, 50);

    // Of many that are at hand, whether they are there or not.
    graph.delete_all(&products(990..=1100)).await?;
    assert!(
        !Product::find()
            .filter(Product::NUMBER.ge(990))
            .exists(graph)
            .await?
    );
    Ok(())
}

async fn one_by_one(graph: &Graph) -> Result<(), neo_ogm::Error> {
    let mut product = Product::find_by_number(1).get(graph).await?.tracked();
    product.price = 11.0;
    assert_eq!(product.changed(), ["price"]);
    product.save_changes(graph).await?;

    let (same, created) = Product::new(1, "Another", 1.0, 1)
        .get_or_create(graph)
        .await?;
    println!("\nnumber 1 is {} for {}", same.name, same.price);
    assert!(!created);
    let created = Product::new(2000, "Newest", 1.0, 1)
        .create_or_update(graph)
        .await?;
    assert!(created);

    // Several writes as one: all or nothing.
    let undone: Result<(), _> = graph
        .transaction(async |tx| {
            tx.delete_all(&products(1..=50)).await?;
            Err(neo_ogm::Error::abort("somebody has changed their mind"))
        })
        .await;
    println!("{}", undone.expect_err("it is undone"));
    assert!(Product::find_by_number(1).exists(graph).await?);
    Ok(())
}

/// A node with all that its relationship fields hold, in one transaction.
async fn as_a_graph(graph: &Graph) -> Result<(), neo_ogm::Error> {
    let mut depot = Depot::new("Lima");
    for number in 3001..=3003 {
        let product = Product::new(number, "From Peru", 5.0, 10);
        depot.products.push_with(product, StoredIn { shelf: 7 });
    }
    graph.save_graph(&depot).await?;
    let in_lima = Product::find().filter(Product::DEPOT.has(Depot::CITY.eq("Lima")));
    assert_eq!(in_lima.count(graph).await?, 3);
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), neo_ogm::Error> {
    isolated(async |graph| {
        graph.apply_schema::<(Product, Depot)>().await?;
        in_batches(&graph).await?;
        bad_rows(&graph).await?;
        by_filter(&graph).await?;
        one_by_one(&graph).await?;
        as_a_graph(&graph).await
    })
    .await
}
