//! Rows lent to a sink: decoded while the driver steps, nothing boxed or awaited per row.

use crate::error::Result;
use crate::value::Cell;
use std::{any::Any, fmt};

/// The current row of a result, lent by the driver until [`RowSink::row`] returns.
pub trait RowAccess {
    /// Number of columns.
    fn len(&self) -> usize;

    /// Whether there is no column.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Name of column `index` as the database reports it. For dynamic use and messages only; the
    /// core decodes by position.
    fn name(&self, index: usize) -> &str;

    /// The cell at position `index`, from 0.
    ///
    /// # Errors
    /// [`Data`](crate::error::Error::Data) for content that cannot be represented (text that is
    /// not UTF-8). MUST be an error, never a panic, for an index out of range.
    fn cell(&self, index: usize) -> Result<Cell<'_>>;
}

/// Whether a sink wants more rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SinkFlow {
    /// Send the next row.
    More,
    /// Stop: the rest of the result is not wanted.
    Stop,
}

/// Where rows go. It is owned, so that a driver that works on another thread can take it there.
pub trait RowSink: Send + 'static {
    /// Takes one row.
    ///
    /// # Errors
    /// A row that cannot be decoded. The driver MUST stop the statement, leave the connection
    /// usable, and return this error.
    fn row(&mut self, row: &dyn RowAccess) -> Result<SinkFlow>;

    /// Forgets every row so far, because the driver is about to run the statement again from its
    /// beginning. `false` if that cannot be done: then the driver MUST NOT run it again.
    fn restart(&mut self) -> bool {
        false
    }

    /// For taking the result out at the end.
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send>;
}

/// An owned sink. [`Sink::take`] leaves a [`Discard`], so that it can be moved to another thread
/// and put back.
pub struct Sink(Box<dyn RowSink>);

impl Sink {
    /// A sink.
    pub fn new(sink: impl RowSink) -> Self {
        Sink(Box::new(sink))
    }

    /// A sink for statements without rows; ignores those that come.
    pub fn discard() -> Self {
        // A zero-sized type: this allocates nothing.
        Sink(Box::new(Discard))
    }

    /// Takes the sink out, leaving one that ignores rows.
    pub fn take(&mut self) -> Sink {
        std::mem::replace(self, Sink::discard())
    }

    /// Takes one row.
    ///
    /// # Errors
    /// A row that cannot be decoded.
    #[inline]
    pub fn row(&mut self, row: &dyn RowAccess) -> Result<SinkFlow> {
        self.0.row(row)
    }

    /// See [`RowSink::restart`].
    pub fn restart(&mut self) -> bool {
        self.0.restart()
    }

    /// The sink, if it is an `S`.
    pub fn downcast<S: RowSink>(self) -> Option<S> {
        self.0.into_any().downcast().ok().map(|sink| *sink)
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sink")
    }
}

/// Ignores all rows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Discard;

impl RowSink for Discard {
    fn row(&mut self, _: &dyn RowAccess) -> Result<SinkFlow> {
        Ok(SinkFlow::More)
    }
    fn restart(&mut self) -> bool {
        true
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

/// Decodes every row with one function and keeps the results in order.
#[derive(Debug)]
pub struct Collect<T> {
    read: fn(&dyn RowAccess) -> Result<T>,
    rows: Vec<T>,
}

impl<T: Send + 'static> Collect<T> {
    /// Decodes with `read`.
    pub fn new(read: fn(&dyn RowAccess) -> Result<T>) -> Self {
        Collect {
            read,
            rows: Vec::new(),
        }
    }

    /// The decoded rows.
    pub fn into_rows(self) -> Vec<T> {
        self.rows
    }
}

impl<T: Send + 'static> RowSink for Collect<T> {
    #[inline]
    fn row(&mut self, row: &dyn RowAccess) -> Result<SinkFlow> {
        self.rows.push((self.read)(row)?);
        Ok(SinkFlow::More)
    }
    fn restart(&mut self) -> bool {
        self.rows.clear();
        true
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}
