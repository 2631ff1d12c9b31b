//! `report.json`.

use super::{Column, Record, Report, millis, rerun};
use serde_json::{Value, json};

/// Version of the layout.
const LAYOUT: u32 = 2;

/// The whole run.
pub(super) fn value(report: &Report) -> Value {
    let backends: Vec<_> = report.columns.iter().map(column).collect();
    let cases: Vec<_> = report.records.iter().map(record).collect();
    json!({
        "layout": LAYOUT,
        "suite": env!("CARGO_PKG_VERSION"),
        "cases_in_suite": report.cases,
        "ms": millis(report.time),
        "backends": backends,
        "cases": cases,
    })
}

fn column(column: &Column) -> Value {
    let known = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let facts: serde_json::Map<_, _> = column
        .facts
        .iter()
        .map(|fact| {
            let value = json!({ "claim": fact.text(), "underclaimed": fact.underclaimed });
            (fact.capability.name().to_owned(), value)
        })
        .collect();
    json!({
        "name": column.name,
        "level": column.level.name(),
        "driver": known(&column.driver),
        "server": known(&column.server),
        "not_run": column.missing,
        "capabilities": facts,
    })
}

fn record(record: &Record) -> Value {
    let needs: Vec<_> = record.case.needs.iter().map(|need| need.name()).collect();
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    json!({
        "id": record.case.id,
        "backend": record.backend,
        "area": record.case.area(),
        "covers": record.case.covers,
        "needs": needs,
        "level": record.case.level.name(),
        "advisory": record.advisory,
        "verdict": record.verdict.name(),
        "message": text(&record.message),
        "ms": millis(record.time),
        "statements": record.statements,
        "sql": if record.verdict.is_failure() { record.sql.clone() } else { Vec::new() },
        "rerun": rerun(record),
    })
}
