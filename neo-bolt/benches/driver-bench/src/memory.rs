//! How much memory neo-bolt takes: counted by the program's allocator, the server's part of which
//! stands still meanwhile.

use std::net::SocketAddr;

use neo_bolt::SessionConfig;

use crate::allocations::{calls, in_use, take_peak};
use crate::bare;
use crate::ours::{driver, runtime};
use crate::replay::ONE;

pub(crate) fn report(address: SocketAddr, short: bool) -> Result<(), Box<dyn std::error::Error>> {
    let runtime = runtime()?;
    let driver = driver(address)?;
    let records = if short { 100_000 } else { 10_000_000 };
    runtime.block_on(async {
        let mut session = driver.session(SessionConfig::default());
        // Once before, so that the server has its canned bytes.
        session.run("ints 2000", ()).await?.consume().await?;
        let statement = format!("ints {records}");
        let mut session = driver.session(SessionConfig::default());
        let mut result = session.run(statement, ()).await?;
        let mut sum = 0;
        // The first batches make room for those that follow.
        for _ in 0..5_000 {
            if let Some(record) = result.next().await {
                sum += record?.get_at::<i64>(0)?;
            }
        }
        let (before, began_with) = (calls(), in_use());
        take_peak();
        let mut read = 0;
        while let Some(record) = result.next().await {
            sum += record?.get_at::<i64>(0)?;
            read += 1;
        }
        let grown = take_peak().saturating_sub(began_with);
        let allocations = calls() - before;
        println!();
        println!(
            "Streaming {records} records (sum {sum}): {grown} bytes more than at the beginning at \
             most; {allocations} allocations for {read} records, of which the server makes some.",
        );
        Ok::<_, neo_bolt::Error>(())
    })?;
    runtime.block_on(async {
        // The server allocates for each request, too; how much is seen with a bare socket.
        let mut session = driver.session(SessionConfig::default());
        for _ in 0..100 {
            session.run(ONE, ()).await?.single().await?;
            driver.execute_query(ONE, ()).await?;
        }
        let before = calls();
        for _ in 0..1_000 {
            session.run(ONE, ()).await?.single().await?;
        }
        let point = (calls() - before) / 1_000;
        let before = calls();
        for _ in 0..1_000 {
            driver.execute_query(ONE, ()).await?;
        }
        let managed = (calls() - before) / 1_000;
        let server = bare::allocations_of_a_query(address).unwrap_or(0);
        println!(
            "Allocations of a point query: {point}; of `execute_query`: {managed}; the server's own \
             part of a point query: {server}.",
        );
        Ok::<_, neo_bolt::Error>(())
    })?;
    idle(address, &runtime, &driver)
}

/// What a connection costs that nothing runs on.
fn idle(
    address: SocketAddr,
    runtime: &tokio::runtime::Runtime,
    driver: &neo_bolt::Driver,
) -> Result<(), Box<dyn std::error::Error>> {
    const COUNT: usize = 50;
    let before = in_use();
    let open = bare::idle_connections(address, COUNT)?;
    let server = in_use().saturating_sub(before) / COUNT;
    drop(open);
    std::thread::sleep(std::time::Duration::from_millis(300));
    let before = in_use();
    runtime.block_on(async {
        // As many connections at once as there are transactions open.
        let mut sessions: Vec<_> = (0..COUNT)
            .map(|_| driver.session(SessionConfig::default()))
            .collect();
        let mut open = Vec::new();
        for session in &mut sessions {
            open.push(session.begin_transaction().await?);
        }
        for transaction in open {
            transaction.rollback().await?;
        }
        Ok::<_, neo_bolt::Error>(())
    })?;
    let each = (in_use().saturating_sub(before) / COUNT).saturating_sub(server);
    println!("An idle pooled connection: {each} bytes ({server} of the server's are taken off).");
    Ok(())
}
