//! `report.md`.

use super::{Report, rerun, terminal};
use crate::api::API_ITEMS;
use crate::verdict::Verdict;
use std::fmt::Write as _;

/// The backends, the matrix, and what is wrong.
pub(super) fn text(report: &Report) -> String {
    let mut text = String::from("# Conformance report\n\n");
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "Suite {} with {} cases.\n",
        env!("CARGO_PKG_VERSION"),
        report.cases
    );
    text.push_str("| backend | driver | server | level | result |\n|---|---|---|---|---|\n");
    for column in &report.columns {
        let result = match &column.missing {
            Some(why) => format!("NOT RUN: {why}"),
            None => terminal::sums(&report.cell(column.name, |_| true)),
        };
        let cells = [
            column.name,
            &column.driver,
            &column.server,
            column.level.name(),
            &result,
        ];
        row(&mut text, &cells);
    }
    let names: Vec<&str> = report.columns.iter().map(|column| column.name).collect();
    text.push_str("\n## Documented items\n\n");
    head(&mut text, "item", &names);
    for item in API_ITEMS {
        let mut cells = vec![format!("`{}`", item.name)];
        cells.extend(names.iter().map(|name| {
            terminal::cell(&report.cell(name, |case| case.covers.contains(&item.name)))
        }));
        row(&mut text, &cells);
    }
    text.push_str("\n## Findings\n");
    for record in &report.records {
        if matches!(record.verdict, Verdict::Supported | Verdict::NotRun) {
            continue;
        }
        let advisory = if record.advisory { " (advisory)" } else { "" };
        let _ = write!(
            text,
            "\n- **{}**{advisory} `{}::{}`",
            record.verdict, record.backend, record.case.id
        );
        if !record.message.is_empty() {
            let _ = write!(text, ": {}", escaped(&record.message));
        }
        if record.is_failure() {
            let _ = write!(text, "\n\n  `{}`\n", rerun(record));
            fenced(&mut text, &record.sql);
        }
    }
    text.push('\n');
    text
}

pub(crate) fn head(text: &mut String, first: &str, names: &[&str]) {
    let mut cells = vec![first];
    cells.extend(names);
    row(text, &cells);
    text.push('|');
    text.push_str(&"---|".repeat(cells.len()));
    text.push('\n');
}

pub(crate) fn row(text: &mut String, cells: &[impl AsRef<str>]) {
    text.push('|');
    for cell in cells {
        let _ = write!(text, " {} |", escaped(cell.as_ref()));
    }
    text.push('\n');
}

/// Text that ends no cell and starts no markup of its own.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' => out.push(' '),
            '|' | '<' | '>' | '*' | '[' | ']' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// A block whose fence is longer than any in the text.
fn fenced(text: &mut String, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let mut fence = "```".to_owned();
    while lines.iter().any(|line| line.contains(&fence)) {
        fence.push('`');
    }
    let _ = writeln!(text, "\n  {fence}sql");
    for line in lines.iter().flat_map(|line| line.lines()) {
        let _ = writeln!(text, "  {line}");
    }
    let _ = writeln!(text, "  {fence}");
}
