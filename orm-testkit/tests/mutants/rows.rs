//! Rows that are changed on their way to the sink, and sinks that are not heard.

use async_trait::async_trait;
use orm_core::backend::{Done, RowAccess, RowSink, Sink, SinkFlow, Statement, TransactionManager};
use orm_core::error::{DataError, Error, Result};
use orm_core::value::{Cell, Value, format_datetime, parse_datetime};
use orm_testkit::layer::Layer;
use std::any::Any;
use std::fmt;

/// A row taken out of the driver's hands.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    names: Vec<String>,
    cells: Vec<Value>,
    /// What the driver said instead of a cell, by position.
    errors: Vec<(usize, Error)>,
}

impl Row {
    fn of(row: &dyn RowAccess) -> Row {
        let mut own = Row {
            names: (0..row.len()).map(|at| row.name(at).to_owned()).collect(),
            cells: Vec::with_capacity(row.len()),
            errors: Vec::new(),
        };
        for at in 0..row.len() {
            own.cells.push(match row.cell(at) {
                Ok(cell) => cell.to_value(),
                Err(error) => {
                    own.errors.push((at, error));
                    Value::Null
                }
            });
        }
        own
    }
}

impl RowAccess for Row {
    fn len(&self) -> usize {
        self.cells.len()
    }
    fn name(&self, index: usize) -> &str {
        self.names.get(index).map_or("", String::as_str)
    }
    fn cell(&self, index: usize) -> Result<Cell<'_>> {
        if let Some((_, error)) = self.errors.iter().find(|(at, _)| *at == index) {
            return Err(error.clone());
        }
        match self.cells.get(index) {
            Some(value) => Ok(value.as_cell()),
            None => Err(DataError::new("no such column").into()),
        }
    }
}

/// What is wrong with the rows of every statement.
#[derive(Clone, Copy)]
pub(crate) enum Rows {
    /// Each row is changed.
    Changed(fn(&mut Row)),
    /// The sink's `Stop` is ignored.
    NeverStop,
    /// The sink's errors are ignored.
    NoErrors,
    /// The last row of a result does not arrive.
    LastIsLost,
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rows")
    }
}

#[async_trait]
impl Layer for Rows {
    async fn run(
        &self,
        session: &mut dyn TransactionManager,
        statement: &Statement,
        sink: &mut Sink,
    ) -> Result<Done> {
        let mut between = Sink::new(Between {
            inner: sink.take(),
            rows: *self,
            kept: None,
        });
        let result = session.run(statement, &mut between).await;
        if let Some(between) = between.downcast::<Between>() {
            *sink = between.inner;
        }
        result
    }
}

/// Stands between the driver and the sink.
struct Between {
    inner: Sink,
    rows: Rows,
    /// The row that waits for the next one.
    kept: Option<Row>,
}

impl RowSink for Between {
    fn row(&mut self, row: &dyn RowAccess) -> Result<SinkFlow> {
        let mut own = Row::of(row);
        match self.rows {
            Rows::Changed(change) => {
                change(&mut own);
                self.inner.row(&own)
            }
            Rows::NeverStop => self.inner.row(&own).map(|_| SinkFlow::More),
            Rows::NoErrors => Ok(self.inner.row(&own).unwrap_or(SinkFlow::More)),
            Rows::LastIsLost => match self.kept.replace(own) {
                Some(before) => self.inner.row(&before),
                None => Ok(SinkFlow::More),
            },
        }
    }

    fn restart(&mut self) -> bool {
        self.kept = None;
        self.inner.restart()
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

fn each_text(row: &mut Row, change: impl Fn(&mut String)) {
    for cell in &mut row.cells {
        if let Value::Text(text) = cell {
            change(text);
        }
    }
}

/// As a C string.
pub(crate) fn cut_at_nul(row: &mut Row) {
    each_text(row, |text| {
        if let Some(at) = text.find('\0') {
            text.truncate(at);
        }
    });
}

/// As a CHAR column of old.
pub(crate) fn trim_blanks(row: &mut Row) {
    each_text(row, |text| text.truncate(text.trim_end_matches(' ').len()));
}

/// Through a double.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "the loss is the fault"
)]
pub(crate) fn integers_as_doubles(row: &mut Row) {
    for cell in &mut row.cells {
        if let Value::I64(number) = cell {
            *number = *number as f64 as i64;
        }
    }
}

/// To milliseconds.
pub(crate) fn cut_microseconds(row: &mut Row) {
    each_text(row, |text| {
        if parse_datetime(text).is_some() && text.len() == 32 {
            text.replace_range(23..26, "000");
        }
    });
}

/// As if the server were two hours east of Greenwich.
pub(crate) fn local_time(row: &mut Row) {
    each_text(row, |text| {
        let shifted = parse_datetime(text).filter(|_| text.len() == 32);
        let shifted = shifted.and_then(|at| format_datetime(at + chrono::Duration::hours(2)));
        if let Some(shifted) = shifted {
            *text = shifted;
        }
    });
}

/// NULL as the empty text.
pub(crate) fn null_as_empty(row: &mut Row) {
    for cell in &mut row.cells {
        if cell.is_null() {
            *cell = Value::Text(String::new());
        }
    }
}

/// The empty text as NULL.
pub(crate) fn empty_as_null(row: &mut Row) {
    for cell in &mut row.cells {
        if *cell == Value::Text(String::new()) {
            *cell = Value::Null;
        }
    }
}

/// Cells found by name: of two columns with one name, always the first.
pub(crate) fn first_of_a_name(row: &mut Row) {
    let first = |name: &String| row.names.iter().position(|other| other == name);
    let from: Vec<Option<usize>> = row.names.iter().map(first).collect();
    let before = row.cells.clone();
    for (cell, from) in row.cells.iter_mut().zip(from) {
        if let Some(from) = from {
            *cell = before[from].clone();
        }
    }
}

/// Names in lower case.
pub(crate) fn lower_names(row: &mut Row) {
    for name in &mut row.names {
        *name = name.to_lowercase();
    }
}
