//! Aggregates: over all nodes of a question, over groups of them, and over related nodes.

use neo_ogm::prelude::*;
use neo_ogm_examples::{isolated, print_table};

#[derive(Node, Debug, Clone)]
struct Sale {
    #[node(key)]
    number: u32,
    shop: String,
    amount: f64,
    pieces: Option<u32>,
    #[relationship(type = "SOLD_BY")]
    clerk: One<Clerk>,
}

#[derive(Node, Debug, Clone)]
struct Clerk {
    #[node(key)]
    name: String,
    #[relationship(type = "SOLD_BY", direction = "in")]
    sales: Many<Sale>,
}

async fn fill(graph: &Graph) -> Result<(), neo_ogm::Error> {
    let clerks = ["Ann", "Bob", "Cid"].map(Clerk::new);
    graph.save_all(&clerks).await?;
    let sales = [
        ("Lund", 10.0, Some(1)),
        ("Lund", 20.0, Some(4)),
        ("Lund", 30.0, None),
        ("Umeå", 5.0, Some(1)),
        ("Umeå", 7.0, Some(1)),
        ("Kiruna", 100.0, Some(9)),
    ];
    let sales: Vec<Sale> = (1..)
        .zip(sales)
        .map(|(number, (shop, amount, pieces))| {
            let mut sale = Sale::new(number, shop, amount);
            sale.pieces = pieces;
            sale
        })
        .collect();
    graph.save_all(&sales).await?;
    // Ann sold the odd ones, Bob the even ones, and Cid none.
    let pairs = sales.iter().zip(clerks[..2].iter().cycle());
    graph.connect_all(Sale::CLERK, pairs).await
}

#[tokio::main]
async fn main() -> Result<(), neo_ogm::Error> {
    isolated(async |graph| {
        graph.apply_schema::<(Sale, Clerk)>().await?;
        fill(&graph).await?;

        // Over all nodes: a row of what was asked for, typed.
        let (sales, with_pieces, pieces, mean): (u64, u64, i64, Option<f64>) = Sale::find()
            .aggregate((
                count(),
                Sale::PIECES.count(),
                Sale::PIECES.sum(),
                Sale::PIECES.avg(),
            ))
            .get(&graph)
            .await?;
        println!("{sales} sales, {with_pieces} of them with {pieces} pieces, {mean:?} on average");
        assert_eq!((sales, with_pieces, pieces, mean), (6, 5, 16, Some(3.2)));

        let (least, most, shops) = Sale::find()
            .filter(Sale::AMOUNT.lt(50.0))
            .aggregate((
                Sale::AMOUNT.min(),
                Sale::AMOUNT.max(),
                Sale::SHOP.collect_distinct(),
            ))
            .get(&graph)
            .await?;
        println!("below 50: from {least:?} to {most:?}, in {shops:?}");
        assert_eq!((least, most, shops.len()), (Some(5.0), Some(30.0), 2));

        let (spread, median) = Sale::find()
            .aggregate((Sale::AMOUNT.std_dev(), Sale::AMOUNT.percentile(0.5)))
            .get(&graph)
            .await?;
        println!("the median is {median:?}, the standard deviation {spread:.2}");
        assert_eq!(median, Some(15.0));

        // Over nothing there is no smallest value, and the sum is 0.
        let nothing = Sale::find().filter(Sale::SHOP.eq("Visby"));
        let (least, sum) = nothing
            .aggregate((Sale::AMOUNT.min(), Sale::AMOUNT.sum()))
            .get(&graph)
            .await?;
        assert_eq!((least, sum), (None, 0.0));

        // In groups, of which some stay, in an order.
        let shops: Vec<(String, (u64, f64))> = Sale::find()
            .group_by(Sale::SHOP)
            .aggregate((count(), Sale::AMOUNT.sum()))
            .having(count().ge(2))
            .order_by(Sale::AMOUNT.sum().desc())
            .all(&graph)
            .await?;
        let rows: Vec<_> = shops
            .iter()
            .map(|(shop, (sales, sum))| [shop.clone(), sales.to_string(), sum.to_string()])
            .collect();
        print_table(
            "\nShops with two sales or more",
            ["shop", "sales", "sum"],
            &rows,
        );
        assert_eq!(
            shops,
            [
                ("Lund".to_owned(), (3, 60.0)),
                ("Umeå".to_owned(), (2, 12.0))
            ]
        );

        // By several things, and by computed ones.
        let groups = Sale::find()
            .group_by((Sale::SHOP, Sale::NUMBER % 2))
            .aggregate(Sale::NUMBER.count_distinct())
            .order_by(Sale::SHOP.asc())
            .all(&graph)
            .await?;
        assert_eq!(groups.len(), 5);

        // Over what a relationship leads to: in a selection, and as an order.
        let clerks: Vec<(String, u64, f64, Option<u32>)> = Clerk::find()
            .order_by(Clerk::SALES.to(Sale::AMOUNT).sum().desc())
            .select((
                Clerk::NAME,
                Clerk::SALES.to(Sale::NUMBER).count(),
                Clerk::SALES.to(Sale::AMOUNT).sum(),
                Clerk::SALES.to(Sale::PIECES).max(),
            ))
            .all(&graph)
            .await?;
        let rows: Vec<_> = clerks
            .iter()
            .map(|(name, sales, sum, most)| {
                let most = most.map_or("-".to_owned(), |most| most.to_string());
                [name.clone(), sales.to_string(), sum.to_string(), most]
            })
            .collect();
        print_table("Clerks", ["clerk", "sales", "sum", "most pieces"], &rows);
        assert_eq!(clerks[0], ("Bob".to_owned(), 3, 125.0, Some(9)));
        assert_eq!(clerks[2], ("Cid".to_owned(), 0, 0.0, None));
        Ok(())
    })
    .await
}
