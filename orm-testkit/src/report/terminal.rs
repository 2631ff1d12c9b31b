//! The report on the terminal.

use super::{Cell, Record, Report, rerun};
use crate::api::API_ITEMS;
use crate::verdict::Verdict;
use std::fmt::Write as _;

/// The matrix of documented items, what is wrong, and the sums.
pub(super) fn text(report: &Report) -> String {
    let mut text = format!("\n{:<34}", "documented item");
    for column in &report.columns {
        // Writing to a String cannot fail.
        let _ = write!(text, " {:<12}", column.name);
    }
    for item in API_ITEMS {
        let _ = write!(text, "\n{:<34}", item.name);
        for column in &report.columns {
            let about = report.cell(column.name, |case| case.covers.contains(&item.name));
            let _ = write!(text, " {:<12}", cell(&about));
        }
    }
    text.push('\n');
    for record in &report.records {
        note(&mut text, record);
    }
    for column in &report.columns {
        for fact in column.facts.iter().filter(|fact| fact.underclaimed) {
            let name = column.name;
            let _ = write!(
                text,
                "\nUNDERCLAIM {name}: the engine can `{}`; the dialect may claim it",
                fact.capability
            );
        }
    }
    for column in &report.columns {
        let name = column.name;
        match &column.missing {
            Some(why) => {
                let _ = write!(text, "\n{name}: NOT RUN, {why}");
            }
            None => {
                let sums = sums(&report.cell(name, |_| true));
                let _ = write!(text, "\n{name}: {sums} (level {})", column.level);
            }
        }
    }
    text
}

/// One cell: how many of its cases are as they should be.
pub(super) fn cell(cell: &Cell) -> String {
    let (all, good) = (cell.all(), cell.good());
    if all == 0 {
        return "·".to_owned();
    }
    if cell.ran() == 0 {
        return "· NOT RUN".to_owned();
    }
    if cell.count(Verdict::Silent) > 0 {
        return format!("! silent {good}/{all}");
    }
    if cell.failures() > 0 {
        return format!("✗ {good}/{all}");
    }
    if cell.count(Verdict::Supported) == 0 && good == all {
        return format!("⊘ refused {all}");
    }
    if good < all {
        return format!("~ {good}/{all}");
    }
    format!("✓ {good}/{all}")
}

/// `200 supported, 3 refused`.
pub(super) fn sums(cell: &Cell) -> String {
    let counted = Verdict::ALL.into_iter().filter(|v| cell.count(*v) > 0);
    let parts: Vec<String> = counted
        .map(|verdict| format!("{} {verdict}", cell.count(verdict)))
        .collect();
    if parts.is_empty() {
        "no case".to_owned()
    } else {
        parts.join(", ")
    }
}

fn note(text: &mut String, record: &Record) {
    let (verdict, id) = (record.verdict, record.case.id);
    match verdict {
        Verdict::Supported | Verdict::NotRun => {}
        Verdict::Refused => {
            let _ = write!(text, "\n{verdict} {}::{id}", record.backend);
        }
        _ => {
            let advisory = match record.advisory {
                true => " (advisory)",
                false => "",
            };
            let _ = write!(
                text,
                "\n{verdict}{advisory} {}::{id}: {}",
                record.backend, record.message
            );
        }
    }
    if record.is_failure() {
        for sql in record.sql.iter().rev().take(5).rev() {
            let _ = write!(text, "\n    {sql}");
        }
        let _ = write!(text, "\n    again: {}", rerun(record));
    }
}
