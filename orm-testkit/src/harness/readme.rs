//! The table of backends in a README: made from a report, compared or written between markers.
//!
//! It holds what is the same on every machine: claims, and how many cases of each area hold. The
//! columns of backends that did not run stay as they are.

use crate::report::{Column, Report, markdown};
use crate::verdict::Verdict;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const BEGIN: &str = "<!-- backends:begin -->";
const END: &str = "<!-- backends:end -->";

/// Compares the table in the file with the report, or writes it.
pub(crate) fn check(file: &Path, report: &Report, bless: bool) -> Result<(), String> {
    let shown = file.display();
    let text = fs::read_to_string(file).map_err(|error| format!("{shown}: {error}"))?;
    let fresh = replaced(&text, report).map_err(|message| format!("{shown}: {message}"))?;
    if fresh == text {
        return Ok(());
    }
    if !bless {
        return Err(format!(
            "{shown}: the table of backends is out of date; the same run with `--bless` writes it"
        ));
    }
    fs::write(file, fresh).map_err(|error| format!("{shown}: {error}"))
}

/// The text with a table made from the report.
fn replaced(text: &str, report: &Report) -> Result<String, String> {
    let missing = || format!("no `{BEGIN}` followed by `{END}`");
    let start = text.find(BEGIN).ok_or_else(missing)? + BEGIN.len();
    let end = start + text[start..].find(END).ok_or_else(missing)?;
    let table = table(report, &Table::parse(&text[start..end]));
    Ok(format!("{}\n\n{table}\n{}", &text[..start], &text[end..]))
}

/// Cells by column and row.
#[derive(Debug, Default)]
struct Table {
    columns: Vec<String>,
    cells: BTreeMap<(String, String), String>,
}

impl Table {
    /// Reads a table of Markdown as [`table`] writes it.
    fn parse(text: &str) -> Table {
        let mut table = Table::default();
        let rows = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix('|'));
        for (at, line) in rows.enumerate() {
            let line = line.strip_suffix('|').unwrap_or(line);
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            match at {
                0 => table.columns = cells[1..].iter().map(|cell| (*cell).to_owned()).collect(),
                1 => {}
                _ => {
                    for (column, cell) in table.columns.iter().zip(&cells[1..]) {
                        let key = (column.clone(), cells[0].to_owned());
                        table.cells.insert(key, (*cell).to_owned());
                    }
                }
            }
        }
        table
    }

    fn cell(&self, column: &str, row: &str) -> String {
        let key = (column.to_owned(), row.to_owned());
        self.cells
            .get(&key)
            .cloned()
            .unwrap_or_else(|| "·".to_owned())
    }
}

fn table(report: &Report, old: &Table) -> String {
    let ran = |name: &str| {
        let columns = report.columns().iter();
        columns
            .into_iter()
            .find(|column| column.name == name && column.missing.is_none())
    };
    let mut names: Vec<&str> = old.columns.iter().map(String::as_str).collect();
    for column in report.columns() {
        if !names.contains(&column.name) && column.missing.is_none() {
            names.push(column.name);
        }
    }
    let mut rows: Vec<(String, Vec<String>)> = Vec::new();
    let mut push = |label: String, cell: &dyn Fn(&Column) -> String| {
        let cells = names.iter().map(|name| match ran(name) {
            Some(column) => cell(column),
            None => old.cell(name, &label),
        });
        let cells = cells.collect();
        rows.push((label, cells));
    };
    for area in report.areas() {
        push(format!("cases: {area}"), &|column| {
            let cell = report.cell(column.name, |case| case.area() == area);
            let refused = cell.count(Verdict::Refused) + cell.count(Verdict::Underclaim);
            match (cell.count(Verdict::Supported), refused) {
                (0, 0) if cell.count(Verdict::NotApplicable) > 0 => "not applicable".to_owned(),
                (supported, 0) => format!("{supported}"),
                (supported, refused) => format!("{supported}, {refused} refused"),
            }
        });
    }
    let facts = report
        .columns()
        .iter()
        .find(|column| !column.facts.is_empty());
    for (at, fact) in facts
        .map_or(&[][..], |column| &column.facts)
        .iter()
        .enumerate()
    {
        push(format!("`{}`", fact.capability), &|column| {
            column
                .facts
                .get(at)
                .map_or_else(|| "·".to_owned(), |fact| fact.text())
        });
    }
    let mut text = String::new();
    markdown::head(&mut text, "", &names);
    for (label, cells) in rows {
        let row: Vec<String> = std::iter::once(label).chain(cells).collect();
        markdown::row(&mut text, &row);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::{Availability, Backend, Sandbox};
    use crate::case::Case;
    use crate::report::Record;
    use async_trait::async_trait;
    use orm_core::error::{Error, Result as DbResult};
    use std::sync::Arc;
    use std::time::Duration;

    #[derive(Debug)]
    struct Named(&'static str, bool);

    #[async_trait]
    impl Backend for Named {
        fn name(&self) -> &'static str {
            self.0
        }
        fn driver(&self) -> Arc<dyn orm_core::backend::Backend> {
            unreachable!("no case runs")
        }
        async fn provision(&self, _: &str) -> DbResult<Sandbox> {
            Err(Error::configuration("no case runs"))
        }
        fn availability(&self) -> Availability {
            match self.1 {
                true => Availability::Ready,
                false => Availability::Missing("away".to_owned()),
            }
        }
    }

    fn report(supported: usize, refused: usize) -> Report {
        let columns = vec![
            Column::of(&Named("here", true)),
            Column::of(&Named("away", false)),
        ];
        let verdicts = std::iter::repeat_n(Verdict::Supported, supported)
            .chain(std::iter::repeat_n(Verdict::Refused, refused));
        let records = verdicts.map(|verdict| Record {
            backend: "here",
            case: Case {
                id: "area::b::c",
                covers: &[],
                needs: &[],
                level: crate::Level::Core,
                serial: false,
                network: false,
                run: |_| Box::pin(async { Ok(()) }),
            },
            verdict,
            advisory: false,
            message: String::new(),
            time: Duration::ZERO,
            statements: 0,
            sql: Vec::new(),
        });
        Report::new(
            columns,
            1,
            records.collect(),
            Duration::from_secs(supported as u64),
        )
    }

    #[test]
    fn a_table_is_written_once_and_then_up_to_date() {
        let text = format!("# a\n{BEGIN}\n{END}\nrest\n");
        let written = replaced(&text, &report(2, 1)).expect("the markers are there");
        assert!(
            written.contains("| cases: area | 2, 1 refused |"),
            "{written}"
        );
        assert!(written.starts_with("# a\n") && written.ends_with("rest\n"));
        assert_eq!(replaced(&written, &report(2, 1)), Ok(written.clone()));
        assert_ne!(replaced(&written, &report(3, 0)), Ok(written));
    }

    #[test]
    fn columns_of_backends_that_did_not_run_stay() {
        let old = "|  | away | here |\n|---|---|---|\n| cases: area | 9 | 1 |\n";
        let text = format!("{BEGIN}\n\n{old}\n{END}");
        let written = replaced(&text, &report(2, 0)).expect("the markers are there");
        assert!(written.contains("| cases: area | 9 | 2 |"), "{written}");
        assert!(replaced("no markers", &report(1, 0)).is_err());
    }

    #[test]
    fn a_stale_file_is_an_error_until_it_is_written() {
        let name = format!("orm-testkit-readme-{}.md", std::process::id());
        let file = std::env::temp_dir().join(name);
        fs::write(&file, format!("{BEGIN}\n{END}\n")).expect("the folder is writable");
        assert!(check(&file, &report(1, 0), false).is_err());
        assert!(check(&file, &report(1, 0), true).is_ok());
        assert!(check(&file, &report(1, 0), false).is_ok());
        assert!(check(&file, &report(2, 0), false).is_err());
        fs::remove_file(&file).expect("it was written");
        assert!(check(&file, &report(1, 0), true).is_err());
    }
}
