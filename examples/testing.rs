//! How a program that uses neo-ogm is tested: each test gets a graph of its own.
//!
//! ```text
//! cargo test --example testing
//! NEO4J_TEST_URI=bolt://localhost:7687 NEO4J_TEST_PASSWORD=… cargo test --example testing
//! ```
//!
//! The first runs on the embedded engine, the second on a server that others may use meanwhile.

use neo_ogm::prelude::*;
use neo_ogm_examples::isolated;

#[derive(Node, Debug, Clone)]
struct Account {
    #[node(key)]
    owner: String,
    cents: i64,
}

/// What is to be tested: it takes the graph that it works on.
async fn pay(graph: &Graph, from: &str, to: &str, cents: i64) -> Result<(), neo_ogm::Error> {
    graph
        .transaction(async |tx| {
            let mut from = Account::find_by_owner(from).get(&tx).await?;
            let mut to = Account::find_by_owner(to).get(&tx).await?;
            if from.cents < cents {
                return Err(neo_ogm::Error::abort(format!(
                    "{} has only {}",
                    from.owner, from.cents
                )));
            }
            from.cents -= cents;
            to.cents += cents;
            tx.update_all(&[from, to]).await
        })
        .await
}

#[tokio::main]
async fn main() -> Result<(), neo_ogm::Error> {
    println!("The tests are the point here: cargo test --example testing\n");
    // The same for a program, or for a harness of your own.
    isolated(async |graph| {
        graph.apply_schema::<Account>().await?;
        graph
            .save_all(&[Account::new("Ann", 100), Account::new("Bob", 0)])
            .await?;
        pay(&graph, "Ann", "Bob", 30).await?;
        let bob = Account::find_by_owner("Bob").get(&graph).await?;
        println!("Bob has {}", bob.cents);
        Ok(())
    })
    .await
}

#[cfg(test)]
mod tests {
    use neo_ogm::ErrorKind;

    use super::*;

    async fn accounts(graph: &Graph) -> Result<Vec<(String, i64)>, neo_ogm::Error> {
        let accounts = Account::find().order_by(Account::OWNER.asc());
        accounts
            .select((Account::OWNER, Account::CENTS))
            .all(graph)
            .await
    }

    #[neo_ogm::test(schema = Account)]
    async fn money_moves(graph: Graph) -> Result<(), neo_ogm::Error> {
        graph
            .save_all(&[Account::new("Ann", 100), Account::new("Bob", 0)])
            .await?;
        pay(&graph, "Ann", "Bob", 30).await?;
        assert_eq!(
            accounts(&graph).await?,
            [("Ann".to_owned(), 70), ("Bob".to_owned(), 30)]
        );
        Ok(())
    }

    /// The same keys as in the other test: neither sees the other's.
    #[neo_ogm::test(schema = Account)]
    async fn nobody_pays_what_he_has_not(graph: Graph) -> Result<(), neo_ogm::Error> {
        graph
            .save_all(&[Account::new("Ann", 10), Account::new("Bob", 0)])
            .await?;
        let error = pay(&graph, "Ann", "Bob", 30).await.expect_err("she has 10");
        assert_eq!(error.to_string(), "Ann has only 10");
        assert_eq!(accounts(&graph).await?[0].1, 10);
        Ok(())
    }

    #[neo_ogm::test]
    async fn an_account_must_be_there(graph: Graph) {
        let error = pay(&graph, "Ann", "Bob", 30)
            .await
            .expect_err("there is nobody");
        assert!(
            matches!(error.kind(), ErrorKind::NothingFound { .. }),
            "{error}"
        );
    }

    /// What a server has and the embedded engine has not is tested there only; this one is about
    /// the embedded engine.
    #[neo_ogm::test(on = "embedded")]
    async fn the_embedded_engine_says_what_it_is(graph: Graph) {
        assert!(graph.is_embedded());
    }
}
