//! Every parser against damaged input: the stored corpus (`corpus/PARSER`), mutated by chance with a fixed seed.
//!
//! A run is the same each time. `KLINKE_FUZZ=SECONDS` goes on for so long for each parser, each time with other chance, and
//! leaves what breaks one as `found-…` beside the corpus: it belongs there, and stays as a test.
//!
//! What is asked of a parser: no panic; nothing that it keeps is longer than what came; what it wrote it reads again as
//! the same. An input that comes to something new joins the others for the rest of the run.

pub(crate) mod mutate;
mod parsers;
mod sound;

use mutate::Chance;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Inputs that joined the corpus in a run, at most.
const MOST_NEW: usize = 512;

/// Feeds a parser: first the corpus as it is, then so many mutations of it. `parser` says in a number what kind of outcome
/// it was, so that inputs with other outcomes are kept.
fn fuzz(name: &str, iterations: usize, parser: impl Fn(&[u8]) -> u64) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    // the order of a folder is not the same everywhere
    files.sort();
    let mut inputs: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
    assert!(inputs.len() >= 3, "a corpus in {}", folder.display());
    let seconds: Option<u64> = std::env::var("KLINKE_FUZZ").ok().map(|value| value.parse().unwrap());
    let mut seed = [0; 8];
    if seconds.is_some() {
        getrandom::fill(&mut seed).unwrap();
    }
    let mut chance = Chance::new(u64::from_le_bytes(seed));
    let mut outcomes = HashSet::new();
    let mut run = |input: &[u8]| {
        let came = catch_unwind(AssertUnwindSafe(|| parser(input)));
        let Ok(outcome) = came else {
            if seconds.is_some() {
                let file = folder.join(format!("found-{:016x}", mutate::hash(input)));
                std::fs::write(&file, input).unwrap();
            }
            panic!("{name} is broken by {:?}", String::from_utf8_lossy(input));
        };
        outcomes.insert(outcome)
    };
    for input in &inputs {
        run(input);
    }
    let stored = inputs.len();
    #[expect(clippy::disallowed_methods, reason = "how long a run was asked to go on")]
    let end = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    #[expect(clippy::disallowed_methods, reason = "the same")]
    let goes_on = |done: usize| end.map_or(done < iterations, |end| Instant::now() < end);
    let mut done = 0;
    while goes_on(done) {
        done += 1;
        let input = chance.mutated(&inputs);
        if run(&input) && inputs.len() < stored + MOST_NEW {
            inputs.push(input);
        }
    }
    if seconds.is_some() {
        eprintln!("{name}: {done} inputs, {} outcomes", outcomes.len());
    }
}
