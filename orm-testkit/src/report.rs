//! What came of a run: one record per case and backend, and what is written of it.

mod column;
mod html;
mod json;
pub(crate) mod markdown;
mod terminal;

pub use column::Column;
pub use column::Fact;
pub(crate) use column::identify;

use crate::api::API_ITEMS;
use crate::case::Case;
use crate::verdict::Verdict;
use std::path::Path;
use std::time::Duration;
use std::{fs, io};

/// One case on one backend.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Record {
    /// The backend's name.
    pub backend: &'static str,
    /// The case.
    pub case: Case,
    /// What came of it.
    pub verdict: Verdict,
    /// Above the level of the driver: shown, and no failure.
    pub advisory: bool,
    /// What is wrong, or why it did not run. Empty if nothing is.
    pub message: String,
    /// How long it took, with its database.
    pub time: Duration,
    /// How many statements it sent, transaction commands not counted.
    pub statements: usize,
    /// The last statements that it sent, transaction commands included, without values.
    pub sql: Vec<String>,
}

impl Record {
    /// Whether the run fails by it.
    pub fn is_failure(&self) -> bool {
        self.verdict.is_failure() && !self.advisory
    }
}

/// A whole run.
#[derive(Clone, Debug)]
pub struct Report {
    columns: Vec<Column>,
    records: Vec<Record>,
    cases: usize,
    time: Duration,
}

/// What the records of one cell say together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    counts: [usize; Verdict::ALL.len()],
    advisory: usize,
}

impl Cell {
    pub(crate) fn count(&self, verdict: Verdict) -> usize {
        self.counts[verdict as usize]
    }

    /// All that speak of something the backend has.
    pub(crate) fn all(&self) -> usize {
        self.counts.iter().sum::<usize>() - self.count(Verdict::NotApplicable)
    }

    pub(crate) fn ran(&self) -> usize {
        self.all() - self.count(Verdict::NotRun)
    }

    /// Supported, refused and underclaimed ones.
    pub(crate) fn good(&self) -> usize {
        self.count(Verdict::Supported)
            + self.count(Verdict::Refused)
            + self.count(Verdict::Underclaim)
    }

    /// Failures, those of cases above the level not counted.
    pub(crate) fn failures(&self) -> usize {
        let failures = Verdict::ALL
            .into_iter()
            .filter(|verdict| verdict.is_failure());
        failures.map(|verdict| self.count(verdict)).sum::<usize>() - self.advisory
    }
}

impl Report {
    pub(crate) fn new(
        columns: Vec<Column>,
        cases: usize,
        mut records: Vec<Record>,
        time: Duration,
    ) -> Self {
        records.sort_by_key(|record| (record.case.id, record.backend));
        Report {
            columns,
            records,
            cases,
            time,
        }
    }

    /// All records, by case and backend.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The backends.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The records by which the run fails.
    pub fn failures(&self) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(|record| record.is_failure())
    }

    /// The verdict of a case on the first backend that has it.
    pub fn verdict(&self, case: &str) -> Option<Verdict> {
        let record = self.records.iter().find(|record| record.case.id == case);
        record.map(|record| record.verdict)
    }

    /// Documented items that no case said anything about on a backend which ran, as
    /// `backend: item`.
    pub fn empty_cells(&self) -> Vec<String> {
        let ran = self
            .columns
            .iter()
            .filter(|column| column.missing.is_none());
        let mut empty = Vec::new();
        for column in ran {
            for item in API_ITEMS {
                if self
                    .cell(column.name, |case| case.covers.contains(&item.name))
                    .ran()
                    == 0
                {
                    empty.push(format!("{}: {}", column.name, item.name));
                }
            }
        }
        empty
    }

    /// One row per documented item, one column per backend, then what is wrong.
    pub fn to_terminal(&self) -> String {
        terminal::text(self)
    }

    /// The whole run as JSON.
    pub fn to_json(&self) -> serde_json::Value {
        json::value(self)
    }

    /// The matrix and the failures as Markdown.
    pub fn to_markdown(&self) -> String {
        markdown::text(self)
    }

    /// A page that needs nothing else.
    pub fn to_html(&self) -> String {
        html::page(self)
    }

    /// Writes `report.json`, `report.md` and `report.html` into the folder, which is made if
    /// missing.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        fs::write(
            folder.join("report.json"),
            format!("{:#}\n", self.to_json()),
        )?;
        fs::write(folder.join("report.md"), self.to_markdown())?;
        fs::write(folder.join("report.html"), self.to_html())
    }

    pub(crate) fn cell(&self, backend: &str, about: impl Fn(&Case) -> bool) -> Cell {
        let mut cell = Cell::default();
        let records = self.records.iter();
        for record in records.filter(|record| record.backend == backend && about(&record.case)) {
            cell.counts[record.verdict as usize] += 1;
            cell.advisory += usize::from(record.advisory && record.verdict.is_failure());
        }
        cell
    }

    /// The areas of the records, in their order, each once.
    pub(crate) fn areas(&self) -> Vec<&'static str> {
        let mut areas: Vec<&'static str> = Vec::new();
        for record in &self.records {
            if areas.last() != Some(&record.case.area()) {
                areas.push(record.case.area());
            }
        }
        areas
    }
}

/// The command that runs one case again. `ORM_TESTKIT_COMMAND` is how this run was started, where
/// that is not cargo alone.
pub(crate) fn rerun(record: &Record) -> String {
    let command = std::env::var("ORM_TESTKIT_COMMAND");
    let command = command.unwrap_or_else(|_| "cargo test --test conformance --".to_owned());
    format!("{command} --exact {}::{}", record.backend, record.case.id)
}

pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
