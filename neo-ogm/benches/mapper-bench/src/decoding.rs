//! What mapping costs by itself: the same records, decoded again and again.

use std::hint::black_box;
use std::time::Instant;

use neo_bolt::{AccessMode, Record};
use neo_ogm::Graph;
use neo_ogm::operation::FromRow;

use crate::allocations::calls;
use crate::{Failure, Options, bare, median, model};

pub(crate) async fn report(graph: &Graph, options: &Options) -> Result<(), Failure> {
    println!(
        "| decoding alone, per node | neo-bolt with serde | neo-ogm | beside neo-bolt | to reach | \
         allocations: neo-bolt with serde | neo-ogm | of its own fields |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let items = records(graph, "MATCH (n:BenchItem) RETURN n").await?;
    row::<(bare::Item,), model::Item>("a node of six properties", &items, graph, options, 3)?;
    let books = records(
        graph,
        "MATCH (n:BenchBook) WHERE n.isbn STARTS WITH 'read-' RETURN n",
    )
    .await?;
    row::<(bare::Book,), model::Book>(
        "a node with a relationship field",
        &books,
        graph,
        options,
        2,
    )?;
    println!();
    Ok(())
}

async fn records(graph: &Graph, statement: &'static str) -> Result<Vec<Record>, Failure> {
    let query = graph.driver().execute_query(statement, ());
    Ok(query.routing(AccessMode::Read).await?.records)
}

fn row<B, N>(
    title: &str,
    records: &[Record],
    graph: &Graph,
    options: &Options,
    own: usize,
) -> Result<(), Failure>
where
    B: for<'a> serde::Deserialize<'a>,
    N: FromRow,
{
    let by_hand = || -> Result<Vec<B>, Failure> {
        Ok(records.iter().map(Record::to).collect::<Result<_, _>>()?)
    };
    let mapped = || -> Result<Vec<N>, Failure> {
        let nodes = records.iter().map(|record| N::from_row(record, graph));
        Ok(nodes.collect::<Result<_, _>>()?)
    };
    let (mut bare, mut ours) = (Vec::new(), Vec::new());
    let (mut bare_calls, mut our_calls) = (0, 0);
    for round in 0..=options.rounds * 5 {
        let (before, begun) = (calls(), Instant::now());
        let nodes = by_hand()?;
        let time = begun.elapsed();
        bare_calls = calls() - before;
        drop(black_box(nodes));
        if round > 0 {
            bare.push(time);
        }
        let (before, begun) = (calls(), Instant::now());
        let nodes = mapped()?;
        let time = begun.elapsed();
        our_calls = calls() - before;
        drop(black_box(nodes));
        if round > 0 {
            ours.push(time);
        }
    }
    let count = records.len() as f64;
    let (bare, ours) = (
        median(&mut bare).as_secs_f64(),
        median(&mut ours).as_secs_f64(),
    );
    println!(
        "| {title} | {:.0} ns | {:.0} ns | {:.2} × | 1.1 × | {:.2} | {:.2} | {own} |",
        bare * 1e9 / count,
        ours * 1e9 / count,
        ours / bare,
        bare_calls as f64 / count,
        our_calls as f64 / count,
    );
    Ok(())
}
