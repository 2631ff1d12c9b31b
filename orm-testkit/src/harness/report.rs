//! What came of a run: the matrix on the terminal, and `report.json`.

use crate::api::API_ITEMS;
use crate::backend::{Availability, Backend};
use crate::case::Case;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};

/// Version of the layout of `report.json`.
const LAYOUT: u32 = 1;

/// What came of one case on one backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// As documented.
    Passed,
    /// Not as documented; says what was found.
    Failed(String),
    /// Failed as the backend says it does, with its reason.
    KnownIssue(String),
}

/// One case on one backend.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) backend: &'static str,
    pub(crate) case: Case,
    pub(crate) verdict: Verdict,
    pub(crate) time: Duration,
    pub(crate) statements: usize,
}

/// A whole run.
#[derive(Debug)]
pub(crate) struct Report {
    columns: Vec<Column>,
    records: Vec<Record>,
    cases: usize,
    time: Duration,
}

#[derive(Debug)]
struct Column {
    name: &'static str,
    version: String,
    missing: Option<String>,
}

impl Report {
    pub(crate) fn new(
        backends: &[Arc<dyn Backend>],
        cases: &[Case],
        mut records: Vec<Record>,
        time: Duration,
    ) -> Self {
        records.sort_by_key(|record| (record.case.id, record.backend));
        let columns = backends.iter().map(|backend| Column {
            name: backend.name(),
            version: backend.version(),
            missing: match backend.availability() {
                Availability::Ready => None,
                Availability::Missing(why) => Some(why),
            },
        });
        Report {
            columns: columns.collect(),
            records,
            cases: cases.len(),
            time,
        }
    }

    /// One row per documented item, one column per backend.
    pub(crate) fn matrix(&self) -> String {
        let mut text = format!("\n{:<34}", "documented item");
        for column in &self.columns {
            // Writing to a String cannot fail.
            let _ = write!(text, " {:<10}", column.name);
        }
        for item in API_ITEMS {
            let _ = write!(text, "\n{:<34}", item.name);
            for column in &self.columns {
                let _ = write!(text, " {:<10}", self.cell(item.name, column.name));
            }
        }
        for column in &self.columns {
            if let Some(why) = &column.missing {
                let _ = write!(text, "\n{}: NOT RUN, {why}", column.name);
            }
        }
        for record in &self.records {
            if let Verdict::KnownIssue(reason) = &record.verdict {
                let _ = write!(
                    text,
                    "\n{}: {}: known: {reason}",
                    record.backend, record.case.id
                );
            }
        }
        text
    }

    fn cell(&self, item: &str, backend: &str) -> String {
        let about =
            |record: &&Record| record.backend == backend && record.case.covers.contains(&item);
        let records: Vec<_> = self.records.iter().filter(about).collect();
        let good = records
            .iter()
            .filter(|record| record.verdict == Verdict::Passed)
            .count();
        match records.len() {
            0 => "· not run".to_owned(),
            all if all == good => format!("✓ {good}/{all}"),
            all => format!("✗ {good}/{all}"),
        }
    }

    /// Writes `report.json` into the folder, which is made if missing.
    pub(crate) fn write(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("report.json"), format!("{:#}\n", self.json()))
    }

    fn json(&self) -> Value {
        let backends: Vec<_> = self.columns.iter().map(column_json).collect();
        let cases: Vec<_> = self.records.iter().map(record_json).collect();
        json!({
            "layout": LAYOUT,
            "kit": env!("CARGO_PKG_VERSION"),
            "cases_in_suite": self.cases,
            "ms": millis(self.time),
            "backends": backends,
            "cases": cases,
        })
    }
}

fn column_json(column: &Column) -> Value {
    let version = (!column.version.is_empty()).then_some(&column.version);
    json!({ "name": column.name, "version": version, "not_run": column.missing })
}

fn record_json(record: &Record) -> Value {
    let (verdict, error) = match &record.verdict {
        Verdict::Passed => ("passed", None),
        Verdict::Failed(message) => ("failed", Some(message)),
        Verdict::KnownIssue(reason) => ("known issue", Some(reason)),
    };
    json!({
        "id": record.case.id,
        "backend": record.backend,
        "covers": record.case.covers,
        "verdict": verdict,
        "ms": millis(record.time),
        "statements": record.statements,
        "error": error,
    })
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(backend: &'static str, verdict: Verdict) -> Record {
        Record {
            backend,
            case: Case {
                id: "queryset::limit::first",
                covers: &["queryset.limit"],
                serial: false,
                run: |_| Box::pin(async { Ok(()) }),
            },
            verdict,
            time: Duration::from_millis(3),
            statements: 2,
        }
    }

    fn report(records: Vec<Record>) -> Report {
        let column = |name| Column {
            name,
            version: String::new(),
            missing: None,
        };
        Report {
            columns: vec![column("one"), column("two")],
            records,
            cases: 1,
            time: Duration::ZERO,
        }
    }

    #[test]
    fn a_cell_counts_the_cases_of_its_item_and_backend() {
        let report = report(vec![
            record("one", Verdict::Passed),
            record("one", Verdict::Failed("no".into())),
            record("one", Verdict::KnownIssue("later".into())),
        ]);
        assert_eq!(report.cell("queryset.limit", "one"), "✗ 1/3");
        assert_eq!(report.cell("queryset.limit", "two"), "· not run");
        assert_eq!(
            report
                .matrix()
                .lines()
                .filter(|line| line.contains("queryset.limit"))
                .count(),
            1
        );
    }

    #[test]
    fn the_json_has_a_line_per_case() {
        let json = report(vec![record("one", Verdict::Failed("no".into()))]).json();
        assert_eq!(json["cases"][0]["verdict"], "failed");
        assert_eq!(json["cases"][0]["statements"], 2);
        assert_eq!(json["cases"][0]["error"], "no");
    }
}
