//! Drivers that break one rule each: every one must be found by a case of the suite.
//!
//! `docs/mutants.md` lists them with the case that finds each first, in the order of the suite.
//! With `BLESS=1` the list is written instead of compared.

mod faults;
mod pool;
mod registry;
mod rows;
mod spellings;
#[path = "../kit/sqlite.rs"]
mod sqlite;
mod statements;
mod table;
mod transactions;

use orm_testkit::{Backend, Case, Report, check_cases};
use registry::{MUTANTS, Mutant};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The first case, in the order of the suite, that finds the mutant.
struct Killed {
    case: &'static str,
    verdict: &'static str,
    message: String,
}

/// Runs the cases in order, several at a time, until one fails. Each has a mutant of its own, so
/// that what one case leaves in it changes nothing for the next.
fn first_kill(make: impl Fn() -> Arc<dyn Backend> + Sync, cases: &[Case]) -> Option<Killed> {
    let next = AtomicUsize::new(0);
    // Only cases before the first known failure can still change the answer.
    let first = AtomicUsize::new(usize::MAX);
    let killed: Mutex<Option<Killed>> = Mutex::new(None);
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::SeqCst);
                    if at >= cases.len() || at > first.load(Ordering::SeqCst) {
                        return;
                    }
                    let report = check_cases(make(), &cases[at..=at]);
                    let mut killed = killed.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Some(found) = failure(&report)
                        && first.fetch_min(at, Ordering::SeqCst) > at
                    {
                        *killed = Some(found);
                    }
                }
            });
        }
    });
    killed.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn failure(report: &Report) -> Option<Killed> {
    let record = report.failures().next()?;
    Some(Killed {
        case: record.case.id,
        verdict: record.verdict.name(),
        message: record.message.clone(),
    })
}

#[test]
fn every_mutant_is_found_by_the_case_that_the_table_names() {
    let cases = orm_testkit::suite::cases();
    let only = std::env::var("MUTANT").ok();
    let mut rows = Vec::new();
    let mut survivors = Vec::new();
    for mutant in MUTANTS {
        if only.as_deref().is_some_and(|only| only != mutant.name) {
            continue;
        }
        match first_kill(mutant.make, &cases) {
            Some(killed) => {
                println!(
                    "{}: {} {}: {}",
                    mutant.name, killed.verdict, killed.case, killed.message
                );
                rows.push((mutant, killed));
            }
            None => survivors.push(mutant.name),
        }
    }
    assert!(survivors.is_empty(), "no case finds {survivors:?}");
    if only.is_none() {
        compare(&table::markdown(&rows));
    }
}

/// What the mutants are made of breaks nothing by itself.
#[test]
fn the_parts_of_the_mutants_are_right() {
    let cases = orm_testkit::suite::cases();
    for (name, make) in registry::CONTROLS {
        if let Some(killed) = first_kill(make, &cases) {
            panic!("{name}: {}: {}", killed.case, killed.message);
        }
    }
}

#[test]
fn names_are_unique() {
    let mut names: Vec<&str> = MUTANTS.iter().map(|mutant| mutant.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), MUTANTS.len());
}

/// Compares the table with the file, or writes it.
fn compare(text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/mutants.md");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&file, text).expect("the table can be written");
        return;
    }
    let kept = fs::read_to_string(&file).expect("the table is there");
    assert_eq!(
        kept, text,
        "docs/mutants.md is out of date: run `cargo xtask conformance mutants --bless`"
    );
}
