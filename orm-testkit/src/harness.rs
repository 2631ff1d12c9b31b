//! The test binary: arguments, one trial per case and backend, report, exit code.

mod options;
mod readme;
pub(crate) mod runner;

use crate::api;
use crate::backend::{Availability, Backend};
use crate::case::Case;
use crate::library::not_run;
use crate::prop;
use crate::report::{self, Column, Record, Report};
use crate::verdict::Verdict;
use libtest_mimic::{Completion, Failed, Trial};
use options::Options;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// A case failed, or a claim does not hold.
pub const CASE_FAILED: u8 = 1;
/// The arguments are wrong, or the report cannot be written.
pub const WRONG_ARGUMENTS: u8 = 2;
/// A backend cannot run, and nobody said that it may be left out.
pub const BACKEND_MISSING: u8 = 3;
/// A documented item or a capability has no case, a cell is empty, or the README is out of date.
pub const COVERAGE_GAP: u8 = 4;
/// No case ran.
pub const NOTHING_RAN: u8 = 5;

/// Runs every case of the suite on each backend, as the arguments of the process ask.
pub fn run(backends: Vec<Arc<dyn Backend>>) -> ExitCode {
    let code = match Options::parse(std::env::args()) {
        Ok(options) => run_cases(&backends, &crate::suite::cases(), &options),
        Err(message) => {
            eprintln!("{message}");
            WRONG_ARGUMENTS
        }
    };
    ExitCode::from(code)
}

fn run_cases(backends: &[Arc<dyn Backend>], cases: &[Case], options: &Options) -> u8 {
    prop::set(options.seed, options.plans);
    if options.coverage {
        return coverage(cases);
    }
    if let Some(missing) = missing_backend(backends, options) {
        eprintln!("{missing}");
        return BACKEND_MISSING;
    }
    let backends: Vec<_> = backends
        .iter()
        .filter(|backend| options.wants_backend(backend.name()))
        .cloned()
        .collect();
    let records = Arc::new(Mutex::new(Vec::new()));
    let trials = backends
        .iter()
        .flat_map(|backend| {
            let chosen = cases.iter().filter(|case| options.wants_case(case));
            chosen.map(|case| trial(backend, *case, &records))
        })
        .collect();
    let start = Instant::now();
    let conclusion = libtest_mimic::run(&options.harness, trials);
    if options.harness.list {
        return 0;
    }
    let mut records = std::mem::take(&mut *records.lock().unwrap_or_else(PoisonError::into_inner));
    let ran = records.len();
    records.extend(left_out(&backends, cases, options));
    let columns = backends.iter().map(|backend| match options.identifies() {
        true => report::identify(backend),
        false => Column::of(&**backend),
    });
    let report = Report::new(columns.collect(), cases.len(), records, start.elapsed());
    if options.is_full() || options.report.is_some() {
        println!("{}", report.to_terminal());
    }
    if let Some(folder) = &options.report
        && let Err(error) = report.write(folder)
    {
        eprintln!("cannot write the report to {}: {error}", folder.display());
        return WRONG_ARGUMENTS;
    }
    if conclusion.has_failed() {
        return CASE_FAILED;
    }
    if let Some(missing) = report.columns().iter().find(|column| {
        column.missing.is_some() && options.must_run(column.name) && selects(&report, column.name)
    }) {
        eprintln!(
            "{}: NOT RUN, {} (`--allow-not-run {}` leaves it out)",
            missing.name,
            missing.missing.as_deref().unwrap_or_default(),
            missing.name
        );
        return BACKEND_MISSING;
    }
    if ran == 0 && !options.may_select_nothing() {
        eprintln!("no case ran");
        return NOTHING_RAN;
    }
    if !options.is_full() {
        return 0;
    }
    let readme = options.readme.as_deref();
    match readme.map_or(Ok(()), |file| readme::check(file, &report, options.bless)) {
        Ok(()) => gaps(cases, &report),
        Err(message) => {
            eprintln!("{message}");
            COVERAGE_GAP
        }
    }
}

fn selects(report: &Report, backend: &str) -> bool {
    report
        .records()
        .iter()
        .any(|record| record.backend == backend)
}

/// Records of the chosen cases on backends that cannot run.
fn left_out(backends: &[Arc<dyn Backend>], cases: &[Case], options: &Options) -> Vec<Record> {
    let mut records = Vec::new();
    for backend in backends {
        let Availability::Missing(why) = backend.availability() else {
            continue;
        };
        let chosen = cases
            .iter()
            .filter(|case| options.selects(backend.name(), case));
        records.extend(chosen.map(|case| not_run(&**backend, *case, &why)));
    }
    records
}

/// Prints the gaps of the registry and of the report.
fn gaps(cases: &[Case], report: &Report) -> u8 {
    let empty = report.empty_cells();
    for cell in &empty {
        eprintln!("no case ran for {cell}");
    }
    match coverage(cases) {
        0 if !empty.is_empty() => COVERAGE_GAP,
        code => code,
    }
}

/// Prints the gaps of the registry.
fn coverage(cases: &[Case]) -> u8 {
    let gaps = api::gaps(cases);
    for gap in &gaps {
        eprintln!("{gap}");
    }
    if !gaps.is_empty() {
        return COVERAGE_GAP;
    }
    println!(
        "{} documented items are covered by {} cases",
        api::API_ITEMS.len(),
        cases.len()
    );
    0
}

/// Why a backend that `--require` or `--backend` names cannot run.
fn missing_backend(backends: &[Arc<dyn Backend>], options: &Options) -> Option<String> {
    let named = options.require.iter().chain(&options.backends);
    named.into_iter().find_map(|name| {
        match backends.iter().find(|backend| backend.name() == *name) {
            None => Some(format!("backend `{name}` is not part of this test binary")),
            Some(backend) => match backend.availability() {
                Availability::Ready => None,
                Availability::Missing(why) => Some(format!("backend `{name}`: NOT RUN, {why}")),
            },
        }
    })
}

fn trial(backend: &Arc<dyn Backend>, case: Case, records: &Arc<Mutex<Vec<Record>>>) -> Trial {
    let missing = matches!(backend.availability(), Availability::Missing(_));
    let name = format!("{}::{}", backend.name(), case.id);
    let (backend, records) = (backend.clone(), records.clone());
    let body = move || {
        let record = runner::run(&backend, case);
        let result = match record.is_failure() {
            false if record.verdict == Verdict::NotApplicable => Ok(Completion::Ignored {
                reason: Some(format!("{}: {}", record.verdict, record.message)),
            }),
            false => Ok(Completion::Completed),
            true => Err(Failed::from(format!(
                "{}: {}",
                record.verdict, record.message
            ))),
        };
        records
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(record);
        result
    };
    Trial::ignorable_test(name, body).with_ignored_flag(missing)
}

#[cfg(test)]
mod tests;
