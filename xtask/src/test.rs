//! `./test`: runs parts, shows what went wrong, adds up.
//!
//! The last line is always `N passed, N failed, N skipped`, over all parts. A part that could not run, or that found
//! no test, counts as one failure.

use crate::counts::Counts;
use crate::parts::{PARTS, Part};
use crate::process::{Failure, Log, Workshop, children_cpu};
use crate::table::table;
use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// What a part came to.
pub struct Outcome {
    /// Its tests.
    pub counts: Counts,
    /// What to show besides the end of its log.
    pub complaints: Vec<String>,
}

impl Outcome {
    /// `of` checks, of which each complaint failed one.
    pub fn checks(of: u64, complaints: Vec<String>) -> Self {
        let failed = (complaints.len() as u64).min(of);
        Self { counts: Counts { passed: of - failed, failed, skipped: 0 }, complaints }
    }

    /// Tests that a runner counted.
    pub const fn tests(counts: Counts) -> Self {
        Self { counts, complaints: Vec::new() }
    }
}

struct Row {
    name: &'static str,
    counts: Counts,
    wall: Duration,
    cpu: Duration,
}

/// Runs `quick`, the named parts, or all.
///
/// # Errors
/// When a part is not known, or a tool is missing and can't be installed.
pub fn test(workshop: &Workshop, arguments: &[String]) -> Result<ExitCode, Failure> {
    let consent = arguments.iter().any(|argument| argument == "-y");
    let names: Vec<&str> = arguments.iter().map(String::as_str).filter(|name| *name != "-y").collect();
    let parts = chosen(&names)?;
    let mut tools: Vec<_> = parts.iter().flat_map(|part| part.tools).copied().collect();
    tools.dedup_by_key(|tool| std::ptr::from_ref(*tool));
    if let Err(failure) = crate::tools::provide(&tools, consent) {
        println!("{failure}\n\n{}", Counts { passed: 0, failed: 1, skipped: 0 });
        return Ok(ExitCode::FAILURE);
    }

    let mut rows = Vec::new();
    for part in parts {
        println!("── {}: {}", part.name, part.what);
        let row = carry_out(workshop, part);
        println!("   {} in {}\n", row.counts, seconds(row.wall));
        rows.push(row);
    }

    let mut total = Counts::default();
    rows.iter().for_each(|row| total += row.counts);
    println!("{}\n", times(&rows));
    println!("{total}");
    Ok(if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn chosen(names: &[&str]) -> Result<Vec<&'static Part>, Failure> {
    match names {
        [] => Ok(PARTS.iter().filter(|part| part.in_full).collect()),
        ["quick"] => Ok(PARTS.iter().filter(|part| part.in_quick).collect()),
        _ => names.iter().map(|name| part(name)).collect(),
    }
}

fn part(name: &str) -> Result<&'static Part, Failure> {
    PARTS.iter().find(|part| part.name == name).ok_or_else(|| {
        let mut known = format!("there is no part `{name}`; there are: quick (the inner loop) and\n");
        for part in PARTS {
            let _ = writeln!(known, "  {:<12} {}", part.name, part.what);
        }
        Failure::new(known)
    })
}

#[expect(clippy::disallowed_methods, reason = "measures how long the part takes a person")]
fn carry_out(workshop: &Workshop, part: &Part) -> Row {
    let (start, cpu_before) = (Instant::now(), children_cpu());
    let counts = match Log::new(workshop, part.name) {
        Ok(mut log) => judge((part.run)(workshop, &mut log), &log),
        Err(failure) => {
            println!("   {failure}");
            Counts { failed: 1, ..Counts::default() }
        }
    };
    Row { name: part.name, counts, wall: start.elapsed(), cpu: children_cpu().saturating_sub(cpu_before) }
}

/// The counts of an outcome; says what is wrong.
fn judge(result: Result<Outcome, Failure>, log: &Log) -> Counts {
    let (counts, complaints) = match result {
        Ok(Outcome { counts, .. }) if counts.is_empty() => {
            (Counts { failed: 1, ..counts }, vec!["found no test".to_owned()])
        }
        Ok(Outcome { counts, complaints }) => (counts, complaints),
        Err(failure) => (Counts { failed: 1, ..Counts::default() }, vec![failure.to_string()]),
    };
    if counts.failed > 0 {
        let end = log.tail(80);
        if !end.is_empty() {
            println!("{end}\n");
        }
        for complaint in &complaints {
            println!("   {complaint}");
        }
        println!("   all of it: {}", log.path().display());
    }
    counts
}

fn times(rows: &[Row]) -> String {
    let (wall, cpu) = rows.iter().fold((Duration::ZERO, Duration::ZERO), |(w, c), r| (w + r.wall, c + r.cpu));
    let line = |name: &str, counts: Option<Counts>, wall, cpu| {
        let counts = counts.map(|c| [c.passed, c.failed, c.skipped].map(|n| n.to_string()));
        let [passed, failed, skipped] = counts.unwrap_or_default();
        vec![name.to_owned(), passed, failed, skipped, seconds(wall), seconds(cpu)]
    };
    let mut cells: Vec<_> = rows.iter().map(|r| line(r.name, Some(r.counts), r.wall, r.cpu)).collect();
    cells.push(line("together", None, wall, cpu));
    table(&["part", "passed", "failed", "skipped", "wall", "CPU"], &cells)
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> (tempfile::TempDir, Log) {
        let folder = tempfile::tempdir().unwrap();
        let workshop = Workshop { root: folder.path().to_owned(), target: folder.path().join("target") };
        let log = Log::new(&workshop, "x").unwrap();
        (folder, log)
    }

    #[test]
    fn a_part_without_tests_failed() {
        let (_folder, log) = log();
        assert_eq!(judge(Ok(Outcome::tests(Counts::default())), &log).failed, 1);
        let skipped = Counts { passed: 0, failed: 0, skipped: 3 };
        assert_eq!(judge(Ok(Outcome::tests(skipped)), &log).failed, 1);
    }

    #[test]
    fn a_part_that_could_not_run_failed() {
        let (_folder, log) = log();
        assert_eq!(judge(Err(Failure::new("no compiler")), &log).failed, 1);
        assert_eq!(
            judge(Ok(Outcome::checks(3, vec!["one".into()])), &log),
            Counts { passed: 2, failed: 1, skipped: 0 }
        );
    }

    #[test]
    fn every_part_is_found_by_its_name_and_run_by_the_full_test() {
        for known in PARTS {
            assert!(std::ptr::eq(part(known.name).unwrap(), known));
            assert!(known.in_full || known.in_quick, "{} is never run", known.name);
        }
        assert!(part("nonsense").is_err());
    }
}
