//! How much memory neo-bolt takes: counted by the program's allocator, the server's part of which
//! stands still meanwhile.

use std::net::SocketAddr;

use neo_bolt::SessionConfig;

use crate::allocations::{calls, in_use, take_peak};
use crate::ours::{driver, runtime};

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
        // As many connections at once as there are transactions open.
        let mut sessions: Vec<_> = (0..50)
            .map(|_| driver.session(SessionConfig::default()))
            .collect();
        let mut open = Vec::new();
        for session in &mut sessions {
            open.push(session.begin_transaction().await?);
        }
        for transaction in open {
            transaction.rollback().await?;
        }
        let (idle, before) = (50, in_use());
        driver.close().await;
        // The server's threads let go of theirs.
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let each = before.saturating_sub(in_use()) / idle;
        println!(
            "An idle pooled connection: {each} bytes, the replaying server's own part included."
        );
        Ok::<_, neo_bolt::Error>(())
    })?;
    Ok(())
}
