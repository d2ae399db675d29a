//! Entry points for fuzzers, and for the test that replays what they kept. No part of the API:
//! it is there only with the feature `fuzzing`, and may change at any time.
//!
//! Each takes any bytes and panics where the driver breaks a promise: that bad bytes are an
//! error, that cuts of the input make no difference, that what was read can be written again.
//! The targets that call them are in `neo-bolt/fuzz`; how they are run stands in
//! `docs/fuzzing.md`.

mod chunks;
mod client;
mod hello;
mod input;
mod seeds;
mod server;
mod typed;
mod values;

pub use chunks::chunks;
pub use client::client;
pub use hello::hello;
pub use seeds::seeds;
pub use server::server;
pub use values::values;

/// A target's name, and its entry point.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 5] = [
    ("values", values),
    ("chunks", chunks),
    ("hello", hello),
    ("client", client),
    ("server", server),
];

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn seeds_pass() {
        for (target, seed) in seeds() {
            let (_, run) = TARGETS
                .into_iter()
                .find(|(name, _)| *name == target)
                .unwrap();
            run(&seed);
        }
    }

    /// Everything that the fuzzers have kept, through the same entry points.
    #[test]
    fn the_kept_corpus_passes() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
        if !fuzz.exists() {
            // Packages for the registry come without it.
            return;
        }
        for (name, run) in TARGETS {
            let corpus = fuzz.join("corpus").join(name);
            let mut count = 0;
            for file in fs::read_dir(&corpus).unwrap() {
                let bytes = fs::read(file.unwrap().path()).unwrap();
                run(&bytes);
                count += 1;
            }
            assert!(count > 10, "{count} inputs in {}", corpus.display());
        }
    }
}
