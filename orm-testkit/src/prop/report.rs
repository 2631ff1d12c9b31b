//! What is shown of a failure.

use super::datum::Datum;
use super::model::{Answer, Data, Expected, Tree};
use super::plan::Plan;
use super::schema::TABLES;
use super::{PARTS, ROUND};
use std::fmt;
use std::sync::Arc;

/// A failure: everything that is needed to understand it and to see it again.
pub(super) struct Report<'a> {
    pub(super) seed: u64,
    pub(super) data: &'a Data,
    pub(super) plan: &'a Plan,
    pub(super) sent: &'a [Arc<str>],
    pub(super) expected: &'a Expected,
    pub(super) answer: &'a Answer,
    pub(super) writes: bool,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the backend and the model disagree (seed {})", self.seed)?;
        writeln!(f, "  rows:")?;
        write!(f, "{}", Rows(self.data))?;
        writeln!(f, "  plan:\n    {}", self.plan)?;
        writeln!(f, "  sent:")?;
        for sql in self.sent {
            writeln!(f, "    {sql}")?;
        }
        match self.expected {
            Expected::Exactly(answer) => writeln!(f, "  expected:\n{}", Shown(answer, self.data))?,
            Expected::Window { all, from, to } => {
                let rows = all[*from..*to]
                    .iter()
                    .map(|candidate| candidate.tree.clone());
                let rows = Answer::Rows(rows.collect());
                let other = all.len() - (to - from);
                write!(
                    f,
                    "  expected (of equal keys any, {other} more match):\n{}",
                    Shown(&rows, self.data)
                )?;
                writeln!(f)?;
            }
        }
        writeln!(f, "  found:\n{}", Shown(self.answer, self.data))?;
        let kind = if self.writes { "changes" } else { "queries" };
        // The first part takes the seed itself.
        let plans = PARTS * ROUND;
        write!(
            f,
            "  again: cargo test --test conformance -- prop::{kind}::part_1 --seed {} --plans {plans}",
            self.seed
        )
    }
}

struct Rows<'a>(&'a Data);

impl fmt::Display for Rows<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (table, rows) in TABLES.iter().zip(&self.0.rows) {
            for row in rows {
                let cells = table.columns.iter().zip(row);
                let cells: Vec<String> = cells
                    .map(|(column, value)| format!("{} = {value}", column.name))
                    .collect();
                writeln!(f, "    {}: {}", table.name, cells.join(", "))?;
            }
        }
        for (post, tag) in &self.0.links {
            writeln!(f, "    Post {post} has Tag {tag}")?;
        }
        Ok(())
    }
}

/// An answer; of changed tables only what differs from the rows before.
struct Shown<'a>(&'a Answer, &'a Data);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Answer::Rows(rows) => {
                write!(f, "    {} rows", rows.len())?;
                rows.iter()
                    .try_for_each(|row| write!(f, "\n    {}", Line(row)))
            }
            Answer::Count(count) => write!(f, "    {count}"),
            Answer::Exists(yes) => write!(f, "    {yes}"),
            Answer::Failed(kind) => write!(f, "    the error {kind:?}"),
            Answer::Changed(count, after) => {
                write!(f, "    {count} rows matched\n{}", difference(self.1, after))
            }
        }
    }
}

struct Line<'a>(&'a Tree);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cells: Vec<String> = self.0.row.iter().map(Datum::to_string).collect();
        write!(f, "({})", cells.join(", "))?;
        for (relation, branch) in &self.0.branches {
            let rows: Vec<String> = branch.iter().map(|row| Line(row).to_string()).collect();
            write!(f, " {relation}: [{}]", rows.join(", "))?;
        }
        Ok(())
    }
}

/// Rows that only one of both has.
pub(super) fn difference(before: &Data, after: &Data) -> String {
    let mut text = String::new();
    let sides = [("-", before, after), ("+", after, before)];
    for (sign, one, other) in sides {
        for (at, table) in TABLES.iter().enumerate() {
            for row in one.rows[at]
                .iter()
                .filter(|row| !other.rows[at].contains(row))
            {
                let cells: Vec<String> = row.iter().map(Datum::to_string).collect();
                text.push_str(&format!(
                    "    {sign} {}({})\n",
                    table.name,
                    cells.join(", ")
                ));
            }
        }
        for (post, tag) in one.links.iter().filter(|link| !other.links.contains(link)) {
            text.push_str(&format!("    {sign} Post {post} has Tag {tag}\n"));
        }
    }
    text
}
