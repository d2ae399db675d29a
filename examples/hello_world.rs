//! A greeting is saved, and its message comes back with the id of its node.

use neo_ogm::prelude::*;
use neo_ogm_examples::connect;

#[derive(Node, Debug)]
struct Greeting {
    #[node(key)]
    message: String,
}

#[tokio::main]
async fn main() -> Result<(), neo_ogm::Error> {
    let graph = connect().await?;
    let greeting = Greeting::new("hello, world");
    let line = graph
        .transaction(async |tx| {
            greeting.save(&tx).await?;
            let lines: Vec<String> = tx
                .cypher(
                    "MATCH (g:Greeting {message: $message}) \
                     RETURN g.message + ', from node ' + elementId(g) AS line",
                )
                .param("message", greeting.message.as_str())
                .fetch(&tx)
                .await?;
            Ok(lines.concat())
        })
        .await?;
    println!("{line}");
    Ok(())
}
