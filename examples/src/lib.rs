//! What the examples share: where to connect, and how to print a table.

use std::env;

use neo_ogm::prelude::*;

/// The graph that the environment names by `NEO4J_URI`, `NEO4J_USER` and `NEO4J_PASSWORD`;
/// without `NEO4J_URI`, an embedded one in memory that is gone when the program ends.
///
/// # Errors
/// Nobody answers at the URI, or the login is refused.
pub async fn connect() -> Result<Graph, neo_ogm::Error> {
    let graph = match env::var("NEO4J_URI") {
        Err(_) => Graph::in_memory().await?,
        Ok(uri) => {
            let auth = match (env::var("NEO4J_USER"), env::var("NEO4J_PASSWORD")) {
                (user, Ok(password)) => {
                    Auth::basic(user.unwrap_or_else(|_| "neo4j".to_owned()), password)
                }
                _ => Auth::none(),
            };
            Graph::connect(&uri, auth).await?
        }
    };
    let server = graph.driver().server_info().await?;
    println!(
        "Running on {graph}: {}, Bolt {}\n",
        server.agent(),
        server.protocol_version()
    );
    Ok(graph)
}

/// Connects as [`connect`] does, and runs `example` in a label space of its own, whose nodes,
/// constraints and indexes are deleted afterwards: it disturbs nobody on a server that others use,
/// and can run again and again.
///
/// # Errors
/// Those of [`connect`], and what `example` returns.
pub async fn isolated<F, Fut>(example: F) -> Result<(), neo_ogm::Error>
where
    F: FnOnce(Graph) -> Fut,
    Fut: Future<Output = Result<(), neo_ogm::Error>>,
{
    let graph = connect().await?;
    neo_ogm::testing::isolated(&graph, example).await?
}

/// What `result` has in it; on the embedded engine also `None`, where it says that it can't do this. The
/// program tells so and goes on.
///
/// # Errors
/// That of `result`, where it comes from a server.
pub fn or_limit<T>(
    what: &str,
    result: Result<T, neo_ogm::Error>,
) -> Result<Option<T>, neo_ogm::Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if env::var_os("NEO4J_URI").is_none() && error.code().is_some() => {
            println!("{what}: not on the embedded engine, which says: {error}");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Prints rows in columns that are as wide as their widest cell.
pub fn print_table<const N: usize>(title: &str, head: [&str; N], rows: &[[String; N]]) {
    let mut widths = head.map(|cell| cell.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: [&str; N]| {
        let cells = cells.iter().zip(widths);
        let cells: Vec<_> = cells
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        println!("  {}", cells.join("  ").trim_end());
    };
    println!("{title}");
    line(head);
    let dashes = widths.map(|width| "-".repeat(width));
    line(dashes.each_ref().map(String::as_str));
    for row in rows {
        line(row.each_ref().map(String::as_str));
    }
    println!();
}
