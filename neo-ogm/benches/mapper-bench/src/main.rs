//! Measures neo-ogm on a real Neo4j beside neomodel and beside hand-written Cypher on neo-bolt.
//!
//! The three take turns, several rounds; medians are printed. Times differ between machines and
//! are noisy; read the ratios. Round trips are counted by a proxy, in a run of their own.
//!
//! ```text
//! cargo run --release -p mapper-bench -- [--rounds N] [--only PART] [--short]
//! ```
//!
//! It starts a Neo4j 5.26 of its own, or uses the one that `NEO4J_URI` names. Where there is no
//! Python, neomodel's column stays empty.

mod allocations;
mod bare;
mod checks;
mod decoding;
mod expansion;
mod mapper;
mod model;
mod neomodel;
mod receipts;
mod work;

use std::time::Duration;

use neo_bolt::AuthToken;
use neo_ogm::Graph;
use neo_test_support::neo4j::{self, Line, Server};
use neo_test_support::proxy::Proxy;

use neomodel::Neomodel;
use work::{Size, Work};

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What the command line says.
struct Options {
    rounds: usize,
    only: String,
    short: bool,
}

impl Options {
    fn parse() -> Result<Self, Failure> {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let value = |name: &str| {
            let at = arguments.iter().position(|argument| argument == name)?;
            arguments.get(at + 1).cloned()
        };
        let short = arguments.iter().any(|argument| argument == "--short");
        let default_rounds = if short { 1 } else { 7 };
        Ok(Self {
            rounds: value("--rounds").map_or(Ok(default_rounds), |text| text.parse())?,
            only: value("--only").unwrap_or_default(),
            short,
        })
    }

    fn wants(&self, name: &str) -> bool {
        name.contains(&self.only)
    }
}

/// The server, reached directly and through a proxy that counts, by all who are measured.
struct Place {
    direct: Graph,
    counted: Graph,
    proxy: Proxy,
    neomodel: Option<(Neomodel, Neomodel)>,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let options = Options::parse()?;
    let server = tokio::task::spawn_blocking(|| neo4j::shared(Line::V5_26)).await??;
    let mut place = Place::open(server).await?;
    let version = place.direct.driver().server_info().await?;
    println!(
        "On {}, medians of {} rounds.",
        version.agent(),
        options.rounds
    );
    println!();
    clean(&place.direct).await?;
    mapper::schema(&place.direct).await?;
    let size = Size::new(options.short);
    mapper::data(&place.direct, size).await?;

    times(&mut place, &options, size).await?;
    if options.wants("receipts") {
        receipts::report(server, options.rounds, options.short).await?;
    }
    if options.wants("decoding") {
        decoding::report(&place.direct, &options).await?;
    }
    if options.wants("checks") {
        checks::report(&mut place, options.short).await?;
    }
    if options.wants("expansion") {
        expansion::report(options.rounds.min(3))?;
    }
    clean(&place.direct).await
}

impl Place {
    async fn open(server: &'static Server) -> Result<Self, Failure> {
        let proxy = Proxy::start(server.address())?;
        let auth = || AuthToken::basic(server.user(), server.password());
        let through = proxy.address().to_string();
        let neomodel = tokio::task::spawn_blocking(move || {
            let start = |address: &str| Neomodel::start(address, server.user(), server.password());
            Ok::<_, Failure>((start(server.address())?, start(&through)?))
        });
        let neomodel = match neomodel.await? {
            Ok(both) => Some(both),
            Err(error) => {
                eprintln!("without neomodel: {error}");
                None
            }
        };
        Ok(Self {
            direct: Graph::connect(server.uri(), auth()).await?,
            counted: Graph::connect(&proxy.uri(), auth()).await?,
            proxy,
            neomodel,
        })
    }
}

async fn clean(graph: &Graph) -> Result<(), Failure> {
    for statement in model::CLEAN {
        graph.cypher(*statement).execute(graph).await?;
    }
    Ok(())
}

async fn times(place: &mut Place, options: &Options, size: Size) -> Result<(), Failure> {
    println!(
        "| operation | round trips: neomodel | neo-ogm | to reach | neomodel | by hand | neo-ogm | \
         neo-ogm beside by hand | to reach |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for work in Work::ALL {
        if options.wants(work.name()) {
            row(place, work, options.rounds, size).await?;
        }
    }
    println!();
    Ok(())
}

/// Rounds in which everybody warms up: the server plans what it has not seen, and compiles what runs
/// often.
const WARMING: usize = 5;

async fn row(place: &mut Place, work: Work, rounds: usize, size: Size) -> Result<(), Failure> {
    let count = size.of(work);
    let (mut theirs, mut bare, mut ours) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..WARMING + rounds {
        let key = |who: &str| format!("{who}-{}-{round}", work.name());
        // Nobody is always the one who comes first.
        let (mut by_hand, mut mapped) = Default::default();
        for turn in 0..2 {
            if (turn + round) % 2 == 0 {
                by_hand = bare::run(work, &place.direct, &key("bare"), count).await?;
            } else {
                mapped = mapper::run(work, &place.direct, &key("mapper"), count).await?;
            }
        }
        let asked = match &mut place.neomodel {
            Some((direct, _)) if work.is_offered_by_neomodel() => {
                Some(direct.run(work, &key("neomodel"), count)?)
            }
            _ => None,
        };
        if round >= WARMING {
            bare.push(by_hand);
            ours.push(mapped);
            theirs.extend(asked);
        }
    }
    let (our_trips, their_trips) = round_trips(place, work, size).await?;
    let bare = median(&mut bare);
    let ours = median(&mut ours);
    let per_operation = |time: Duration| match work.is_repeated() {
        true => time / u32::try_from(count).unwrap_or(1),
        false => time,
    };
    let shown = |time: Duration| format!("{:.2} ms", per_operation(time).as_secs_f64() * 1e3);
    println!(
        "| {} | {} | {our_trips} | {} | {} | {} | {} | {:.2} × | {} |",
        work.title(),
        their_trips.map_or("–".into(), |trips| trips.to_string()),
        work.trips_to_reach(),
        match theirs.is_empty() {
            true => "–".into(),
            false => shown(median(&mut theirs)),
        },
        shown(bare),
        shown(ours),
        ours.as_secs_f64() / bare.as_secs_f64(),
        work.ratio_to_reach()
            .map_or("–".into(), |ratio| format!("{ratio} ×")),
    );
    Ok(())
}

/// How many round trips one operation takes, on a connection that is open: ours, and neomodel's.
async fn round_trips(
    place: &mut Place,
    work: Work,
    size: Size,
) -> Result<(u64, Option<u64>), Failure> {
    let count = if work.is_repeated() { 1 } else { size.of(work) };
    let key = |who: &str| format!("{who}-{}-counted", work.name());
    let proxy = &place.proxy;
    mapper::run_noting(work, &place.counted, &key("mapper"), count, || {
        proxy.reset_counts();
    })
    .await?;
    let ours = proxy.counts().round_trips;
    let theirs = match &mut place.neomodel {
        Some((_, counted)) if work.is_offered_by_neomodel() => {
            counted.prepare(work, &key("neomodel"), count)?;
            proxy.reset_counts();
            counted.run_prepared(work, &key("neomodel"), count)?;
            Some(proxy.counts().round_trips)
        }
        _ => None,
    };
    Ok((ours, theirs))
}

pub(crate) fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
