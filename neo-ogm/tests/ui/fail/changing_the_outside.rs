use neo_ogm::prelude::*;

async fn count(graph: Graph) -> Result<u32, neo_ogm::Error> {
    let mut count = 0;
    graph
        .transaction(async |tx| {
            tx.cypher("RETURN 1").execute(&tx).await?;
            count += 1;
            Ok(())
        })
        .await?;
    Ok(count)
}

fn main() {}
