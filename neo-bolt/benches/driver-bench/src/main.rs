//! Measures neo-bolt beside the other Rust drivers of Neo4j, on a server that replays canned
//! bytes, so that the client is what is measured. Prints ratios of medians over several rounds:
//! machines differ, and are noisy.
//!
//! ```text
//! cargo run --release -p driver-bench -- [--rounds N] [--only PART] [--short]
//! ```

mod allocations;
mod bare;
mod memory;
mod neo4j_rs;
mod neo4rs_rs;
mod ours;
mod replay;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

/// What is measured; each returns a number that must come out the same for all clients.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Work {
    Ints,
    Five,
    Nodes,
    PointQueries,
    ParallelQueries,
    ManagedTransactions,
    ParameterList,
}

impl Work {
    const ALL: [Self; 7] = [
        Self::Ints,
        Self::Five,
        Self::Nodes,
        Self::PointQueries,
        Self::ParallelQueries,
        Self::ManagedTransactions,
        Self::ParameterList,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Ints => "1,000,000 records of one integer",
            Self::Five => "300,000 records of five values",
            Self::Nodes => "100,000 nodes of six properties",
            Self::PointQueries => "point queries, one after another",
            Self::ParallelQueries => "point queries, 16 at once",
            Self::ManagedTransactions => "one-statement managed transactions",
            Self::ParameterList => "a parameter list of 100,000 maps",
        }
    }

    /// What to reach: so many times as fast as the better peer.
    fn target(self) -> f64 {
        match self {
            Self::Ints | Self::Five | Self::Nodes => 4.0,
            Self::PointQueries => 1.0,
            Self::ParallelQueries => 1.5,
            Self::ManagedTransactions | Self::ParameterList => 2.0,
        }
    }
}

/// How much of each work is done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) points: usize,
    pub(crate) parallel: usize,
    pub(crate) transactions: usize,
    pub(crate) parameters: usize,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).cloned()
    };
    let short = arguments.iter().any(|argument| argument == "--short");
    let default_rounds = if short { 1 } else { 7 };
    let rounds: usize = value("--rounds").map_or(Ok(default_rounds), |text| text.parse())?;
    let only = value("--only").unwrap_or_default();
    let size = Size {
        points: if short { 1_000 } else { 10_000 },
        parallel: if short { 2_000 } else { 20_000 },
        transactions: if short { 500 } else { 5_000 },
        parameters: 100_000,
    };
    let address = replay::start()?;
    println!(
        "| work | neo-bolt | neo4rs | neo4j | bare socket | beside the better peer | to reach |"
    );
    println!("|---|---|---|---|---|---|---|");
    for work in Work::ALL {
        if work.name().contains(&only) {
            row(work, address, size, rounds)?;
        }
    }
    if only.is_empty() {
        memory::report(address, short)?;
    }
    Ok(())
}

type Client = fn(Work, SocketAddr, Size) -> Result<(Duration, u64), Box<dyn std::error::Error>>;

fn row(
    work: Work,
    address: SocketAddr,
    size: Size,
    rounds: usize,
) -> Result<(), Box<dyn std::error::Error>> {
    let clients: [Client; 4] = [ours::run, neo4rs_rs::run, neo4j_rs::run, bare::run];
    let mut times = [const { Vec::new() }; 4];
    let mut expected = None;
    for _ in 0..rounds {
        for (client, times) in clients.iter().zip(&mut times) {
            let (time, answer) = client(work, address, size)?;
            times.push(time);
            // A bare socket decodes nothing.
            if answer != 0 && *expected.get_or_insert(answer) != answer {
                return Err(format!("{}: {answer}, not {expected:?}", work.name()).into());
            }
        }
    }
    let medians = times.map(|mut times| {
        times.sort();
        times
            .get(times.len() / 2)
            .map_or(0.0, Duration::as_secs_f64)
    });
    let [ours, neo4rs, neo4j, bare] = medians;
    let ratio = neo4rs.min(neo4j) / ours;
    let reached = match work {
        Work::PointQueries => format!("{:.2} × the bare socket (1.15)", ours / bare),
        _ => format!("{:.1} ×", work.target()),
    };
    println!(
        "| {} | {:.3} s | {:.3} s | {:.3} s | {:.3} s | {ratio:.2} × as fast | {reached} |",
        work.name(),
        ours,
        neo4rs,
        neo4j,
        bare,
    );
    Ok(())
}

/// Runs `work` and says how long it took.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let started = Instant::now();
    let result = work();
    (started.elapsed(), result)
}
