//! Bytes that no sane server sends, against the driver's and the mapper's readers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use neo_ogm::mapping::FromColumn;
use neo_ogm::neo_bolt::fuzzing;
use neo_ogm::neo_bolt::packstream::Decoder;
use neo_ogm::prelude::*;

use super::networks::resident;
use crate::context::{Context, Failure};
use crate::model::{Book, WrittenBy};
use crate::random::Random;

type Reader = dyn Fn(&[u8]) + Send + Sync;

/// What an input of so many bytes may make a reader allocate at a time. A byte may stand for much: in
/// the programs of `client` for a whole request, of each of two connections.
fn bound(bytes: usize) -> u64 {
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
    (64 * 1024_u64).saturating_add(bytes.saturating_mul(1024))
}

/// One of the readers, with what its inputs are made of.
struct Target {
    name: &'static str,
    /// How many millions of inputs it is given in a full run: the slow ones fewer.
    millions: u64,
    run: Arc<Reader>,
    seeds: Vec<Vec<u8>>,
}

pub(super) async fn run(context: &mut Context) -> Result<(), Failure> {
    // A handle to bind nodes to; nothing is asked of it.
    let graph = Graph::in_memory().await?;
    let million: u64 = context.size(1_000_000, 1_000);
    let targets = targets(&graph);
    let millions: u64 = targets.iter().map(|target| target.millions).sum();
    let mut progress = context.progress(millions * million);
    // What panics says so by itself; a million times would be too much.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    for target in targets {
        let (name, random) = (target.name, context.random());
        let of = target.millions * million;
        let begun = Instant::now();
        let before = resident();
        let done = Arc::new(AtomicU64::new(0));
        let target = Arc::new(target);
        let mut threads = Vec::new();
        let count = std::thread::available_parallelism()?.get();
        let findings = Arc::new(Mutex::new(Vec::new()));
        let largest = Arc::new(AtomicU64::new(0));
        for number in 0..u64::try_from(count)? {
            let (target, done) = (Arc::clone(&target), Arc::clone(&done));
            let (findings, random) = (Arc::clone(&findings), random.fork(number));
            let largest = Arc::clone(&largest);
            threads.push(tokio::task::spawn_blocking(move || {
                attack(&target, random, (&done, of), &largest, &findings);
            }));
        }
        let mut shown = 0;
        while threads.iter().any(|thread| !thread.is_finished()) {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let now = done.load(Ordering::Relaxed).min(of);
            progress.step(now - shown);
            shown = now;
        }
        let findings = findings.lock().unwrap_or_else(PoisonError::into_inner);
        let grown = resident().saturating_sub(before) / 1024;
        let slowest = findings.iter().map(|finding: &Finding| finding.took).max();
        let largest = largest.load(Ordering::Relaxed);
        context.check(
            format!("broken bytes for `{name}`"),
            findings.is_empty() && grown < 64 * 1024,
            format!(
                "{} executions in {:.0} s, {} panics, hangs or too large allocations; one allocated {} KiB at most, and \
                 all left {grown} KiB{}{}",
                done.load(Ordering::Relaxed),
                begun.elapsed().as_secs_f64(),
                findings.len(),
                largest / 1024,
                findings
                    .first()
                    .map_or(String::new(), |finding| format!("; {}", finding.text)),
                slowest.map_or(String::new(), |time| format!("; slowest {time:?}")),
            ),
        );
    }
    std::panic::set_hook(hook);
    Ok(())
}

struct Finding {
    text: String,
    took: Duration,
}

fn targets(graph: &Graph) -> Vec<Target> {
    let mut seeds = fuzzing::seeds();
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../neo-bolt/fuzz/corpus");
    let mut targets = Vec::new();
    for (name, run) in fuzzing::TARGETS {
        let mut own: Vec<Vec<u8>> = seeds
            .iter()
            .filter(|(target, _)| *target == name)
            .map(|(_, seed)| seed.clone())
            .collect();
        // The corpus comes with the repository only.
        let kept = std::fs::read_dir(corpus.join(name)).into_iter().flatten();
        own.extend(kept.filter_map(|file| std::fs::read(file.ok()?.path()).ok()));
        targets.push(Target {
            name,
            millions: match name {
                "values" => 30,
                "client" => 5,
                "server" => 10,
                _ => 20,
            },
            run: Arc::new(run),
            seeds: own,
        });
    }
    let values = seeds.extract_if(.., |(target, _)| *target == "values");
    let mut values: Vec<_> = values.map(|(_, seed)| seed).collect();
    values.push(book());
    let graph = graph.clone();
    targets.push(Target {
        name: "the mapper's structs",
        millions: 25,
        run: Arc::new(move |bytes| {
            let read = |what: &mut dyn FnMut(&mut Decoder<'_>)| what(&mut Decoder::new(bytes));
            read(&mut |bytes| drop(Book::from_column(bytes, &graph)));
            read(&mut |bytes| drop(WrittenBy::from_column(bytes, &graph)));
            read(&mut |bytes| drop(Vec::<Option<Book>>::from_column(bytes, &graph)));
            read(&mut |bytes| {
                if let Err(error) = Book::from_column(bytes, &graph) {
                    drop(error.to_string());
                }
            });
        }),
        seeds: values,
    });
    targets
}

/// A node of the label that is asked for, as Bolt 5 has it.
fn book() -> Vec<u8> {
    let mut bytes = vec![0xB4, 0x4E, 0x01, 0x91, 0x89];
    bytes.extend(b"ProofBook");
    bytes.extend([0xA3, 0x84]);
    bytes.extend(b"isbn\x81x\x85title\x81y\x85pages\x07");
    bytes.extend(b"\x834:x");
    bytes
}

/// Runs a target on what becomes of its seeds, and keeps what went wrong.
fn attack(
    target: &Target,
    mut random: Random,
    (done, of): (&AtomicU64, u64),
    largest: &AtomicU64,
    findings: &Mutex<Vec<Finding>>,
) {
    const ROUND: u64 = 256;
    while done.fetch_add(ROUND, Ordering::Relaxed) < of {
        for _ in 0..ROUND {
            let input = mutated(&mut random, &target.seeds);
            let begun = Instant::now();
            let mut ended = Ok(());
            let allocated = allocation_counter::measure(|| {
                ended = catch_unwind(AssertUnwindSafe(|| (target.run)(&input)));
            });
            let took = begun.elapsed();
            largest.fetch_max(allocated.bytes_max, Ordering::Relaxed);
            let large = allocated.bytes_max > bound(input.len());
            if ended.is_err() || large || took > Duration::from_secs(5) {
                let mut findings = findings.lock().unwrap_or_else(PoisonError::into_inner);
                let what = match (&ended, large) {
                    (Err(_), _) => "panics",
                    (Ok(()), true) => "allocates much",
                    (Ok(()), false) => "hangs",
                };
                if findings.len() < 20 {
                    findings.push(Finding {
                        text: format!("{what} at {:02x?}", &input[..input.len().min(400)]),
                        took,
                    });
                }
            }
        }
    }
}

/// One of the seeds, or parts of two, with some of its bytes changed.
fn mutated(random: &mut Random, seeds: &[Vec<u8>]) -> Vec<u8> {
    const INTERESTING: &[u8] = &[
        0x00, 0x01, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xAF, 0xB0, 0xB4, 0xC0, 0xC1, 0xC8, 0xC9,
        0xCA, 0xCB, 0xCC, 0xCE, 0xD0, 0xD1, 0xD2, 0xD4, 0xD6, 0xD8, 0xDA, 0xFF, 0x4E, 0x52, 0x50,
    ];
    let mut input = match seeds.len() {
        0 => Vec::new(),
        count => seeds[random.below(count)].clone(),
    };
    for _ in 0..=random.below(6) {
        let at = random.below(input.len() + 1);
        match random.below(7) {
            0 if at < input.len() => input[at] ^= 1 << random.below(8),
            1 if at < input.len() => input[at] = random.of(INTERESTING),
            2 => input.insert(at, random.of(INTERESTING)),
            3 if at < input.len() => {
                input.remove(at);
            }
            4 => input.truncate(at),
            5 => {
                let other = &seeds[random.below(seeds.len())];
                let from = random.below(other.len() + 1);
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            _ => {
                let end = (at + 1 + random.below(8)).min(input.len());
                let piece = input[at.min(end)..end].to_vec();
                input.splice(at..at, piece);
            }
        }
    }
    input
}
