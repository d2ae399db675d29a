//! Shows what neo-ogm and neo-bolt withstand: lost commits, dying servers, races, load, broken
//! networks, hostile peers and users.
//!
//! ```text
//! cargo run --release -p proof -- all [--short] [--seed N] [--on URI]…
//! cargo run --release -p proof -- unknown-commits races
//! ```
//!
//! Each programme runs on every server: those that `--on` names (with `NEO4J_USER` and
//! `NEO4J_PASSWORD`), the one of `NEO4J_URI`, or else both lines of Neo4j, started here. `--short`
//! is the form for every change. A full run of `all` writes `docs/reliability.md`; other runs write
//! their parts of it with `--page`. The last line is `N passed, N failed`; the exit code says the
//! same.

mod context;
mod ledger;
mod model;
mod places;
mod programmes;
mod random;
mod report;

use std::process::ExitCode;
use std::time::Instant;

use context::{Context, Failure};
use places::Place;
use programmes::{Programme, Scope};
use report::Report;

/// What the command line says.
struct Options {
    programmes: Vec<&'static Programme>,
    all: bool,
    short: bool,
    seed: u64,
    on: Vec<String>,
    page: bool,
}

impl Options {
    fn parse() -> Result<Self, Failure> {
        let mut options = Self {
            programmes: Vec::new(),
            all: false,
            short: false,
            seed: 1,
            on: Vec::new(),
            page: false,
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
            match argument.as_str() {
                "all" => options.all = true,
                "--page" => options.page = true,
                "--short" => options.short = true,
                "--seed" => options.seed = value()?.parse()?,
                "--on" => options.on.push(value()?),
                name => options.programmes.push(Programme::named(name)?),
            }
        }
        if options.all {
            options.programmes = Programme::ALL.iter().collect();
        }
        if options.programmes.is_empty() {
            let names: Vec<_> = Programme::ALL.iter().map(|one| one.name).collect();
            return Err(format!("say `all`, or which of: {}", names.join(", ")).into());
        }
        Ok(options)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, child, path, round] = arguments.as_slice()
        && child == programmes::embedded_file::CHILD
    {
        // It ends by being killed.
        return match programmes::embedded_file::child(path, round).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("proof: {error}");
                ExitCode::FAILURE
            }
        };
    }
    match run().await {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("proof: {error}");
            ExitCode::from(2)
        }
    }
}

/// Runs what was asked for, and says how many checks failed.
async fn run() -> Result<u64, Failure> {
    let options = Options::parse()?;
    let servers = options
        .programmes
        .iter()
        .any(|one| one.scope == Scope::Server);
    let places = if servers {
        places::of(&options.on).await?
    } else {
        Vec::new()
    };
    let mut report = Report::new(options.seed, options.short);
    for programme in &options.programmes {
        match programme.scope {
            Scope::Server => {
                for place in &places {
                    one(programme, Some(place), &options, &mut report).await;
                }
            }
            Scope::Itself => one(programme, None, &options, &mut report).await,
        }
        // After each, so that a run that is stopped leaves what it has found.
        if options.page || (options.all && !options.short) {
            report.write()?;
        }
    }
    println!("{} passed, {} failed", report.passed(), report.failed());
    Ok(report.failed())
}

async fn one(
    programme: &'static Programme,
    place: Option<&Place>,
    options: &Options,
    report: &mut Report,
) {
    let mut context = Context::new(programme.name, place.cloned(), options.seed, options.short);
    let begun = Instant::now();
    // What stops a programme is one of its checks that failed.
    if let Err(error) = (programme.run)(&mut context).await {
        context.check("it runs to its end", false, error);
    }
    report.add(programme, context.finish(begun.elapsed()));
}
