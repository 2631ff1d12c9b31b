//! The suite as a library: runs cases on a backend in this process and gives the report.

use crate::backend::{Availability, Backend};
use crate::case::Case;
use crate::harness::runner;
use crate::report::{Column, Record, Report};
use crate::verdict::Verdict;
use orm_core::backend::Capability;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Which cases to run. Every condition that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    area: Option<String>,
    item: Option<String>,
    needs: Option<Capability>,
    ids: Vec<String>,
}

impl Filter {
    /// Every case.
    pub fn all() -> Self {
        Filter::default()
    }

    /// Cases of this area, the first part of their ids.
    #[must_use]
    pub fn area(mut self, area: impl Into<String>) -> Self {
        self.area = Some(area.into());
        self
    }

    /// Cases that cover this documented item.
    #[must_use]
    pub fn item(mut self, item: impl Into<String>) -> Self {
        self.item = Some(item.into());
        self
    }

    /// Cases that need this capability.
    #[must_use]
    pub fn needs(mut self, capability: Capability) -> Self {
        self.needs = Some(capability);
        self
    }

    /// Cases whose id contains this text, or that of another call.
    #[must_use]
    pub fn id(mut self, part: impl Into<String>) -> Self {
        self.ids.push(part.into());
        self
    }

    /// Whether a case is among them.
    pub fn admits(&self, case: &Case) -> bool {
        self.area.as_deref().is_none_or(|area| case.area() == area)
            && self
                .item
                .as_deref()
                .is_none_or(|item| case.covers.contains(&item))
            && self.needs.is_none_or(|need| case.needs.contains(&need))
            && (self.ids.is_empty() || self.ids.iter().any(|part| case.id.contains(part.as_str())))
    }
}

/// Runs the suite's cases that the filter admits on a backend, several at a time, and gives what
/// came of them. Prints nothing.
///
/// It blocks until the last case has ended; inside an async runtime call it with
/// `spawn_blocking`. A backend may wrap another one (see [`layer`](crate::layer)) to check that
/// the suite notices what the wrapper does wrong.
pub fn check(backend: Arc<dyn Backend>, filter: &Filter) -> Report {
    let cases = crate::suite::cases();
    let chosen: Vec<Case> = cases
        .into_iter()
        .filter(|case| filter.admits(case))
        .collect();
    check_cases(backend, &chosen)
}

/// As [`check`], with cases of one's own.
pub fn check_cases(backend: Arc<dyn Backend>, cases: &[Case]) -> Report {
    let start = Instant::now();
    let column = Column::of(&*backend);
    let records = match backend.availability() {
        Availability::Missing(why) => cases
            .iter()
            .map(|case| not_run(&*backend, *case, &why))
            .collect(),
        Availability::Ready => in_parallel(&backend, cases),
    };
    Report::new(vec![column], cases.len(), records, start.elapsed())
}

fn in_parallel(backend: &Arc<dyn Backend>, cases: &[Case]) -> Vec<Record> {
    let records = Mutex::new(Vec::with_capacity(cases.len()));
    let next = AtomicUsize::new(0);
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers.min(cases.len()) {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let record = runner::run(backend, *case);
                    records
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(record);
                }
            });
        }
    });
    records.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// The record of a case on a backend that cannot run.
pub(crate) fn not_run(backend: &dyn Backend, case: Case, why: &str) -> Record {
    Record {
        backend: backend.name(),
        case,
        verdict: Verdict::NotRun,
        advisory: case.level > backend.level(),
        message: why.to_owned(),
        time: Duration::ZERO,
        statements: 0,
        sql: Vec::new(),
    }
}
