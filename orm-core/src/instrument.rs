//! What the core tells about its work: tracing spans, a recorder for tests, counters.
//!
//! Every statement and transaction command passes one `Watch`: a span around the call of the
//! driver, and an event at its end. Without a subscriber and without a recorder that costs a few
//! loads. Bound values are never shown.

mod recorder;

pub use recorder::RecordedStatement;
pub use recorder::Recorder;
pub use recorder::record;

use std::{
    borrow::Cow,
    future::Future,
    sync::Arc,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};
use tracing::{Instrument, Span, field::Empty};

/// The target of the events: `debug` for each statement, `warn` for slow ones.
pub const TARGET: &str = "fast_django::statement";

static RENDERED: AtomicU64 = AtomicU64::new(0);
static PREPARED: AtomicU64 = AtomicU64::new(0);

/// Counts one statement text that was rendered (and not found in a cache).
pub fn count_rendered() {
    RENDERED.fetch_add(1, Ordering::Relaxed);
}

/// Statement texts rendered by this process so far.
pub fn rendered_texts() -> u64 {
    RENDERED.load(Ordering::Relaxed)
}

/// Counts one statement that a driver prepared (and did not find in its cache).
pub fn count_prepared() {
    PREPARED.fetch_add(1, Ordering::Relaxed);
}

/// Statements prepared by the drivers of this process so far.
pub fn prepared_statements() -> u64 {
    PREPARED.load(Ordering::Relaxed)
}

/// What is being run, without its values.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Text<'a> {
    /// A statement.
    Statement(&'a Arc<str>),
    /// A script.
    Script(&'a str),
    /// A transaction command.
    Command(&'static str),
    /// A command on the savepoint of this depth.
    Savepoint(&'static str, u32),
}

impl Text<'_> {
    fn text(&self) -> Cow<'_, str> {
        match self {
            Text::Statement(sql) => Cow::Borrowed(sql),
            Text::Script(sql) => Cow::Borrowed(sql),
            Text::Command(name) => Cow::Borrowed(name),
            Text::Savepoint(name, depth) => Cow::Owned(format!("{name} sp{depth}")),
        }
    }

    fn shared(&self) -> Arc<str> {
        match self {
            Text::Statement(sql) => Arc::clone(sql),
            other => other.text().into(),
        }
    }

    fn is_command(&self) -> bool {
        matches!(self, Text::Command(_) | Text::Savepoint(..))
    }
}

/// Watches one call of a driver. Dropped before [`finish`](Watch::finish): the call was cancelled.
pub(crate) struct Watch<'a> {
    system: &'static str,
    text: Text<'a>,
    slow: Duration,
    started: Option<Instant>,
    span: Span,
}

impl<'a> Watch<'a> {
    /// Starts watching; records the text if a recorder listens.
    #[inline]
    pub(crate) fn start(system: &'static str, text: Text<'a>, slow: Duration) -> Self {
        recorder::note(&text);
        // The clock is read only if someone will see the result.
        let started = tracing::enabled!(target: TARGET, tracing::Level::WARN).then(Instant::now);
        let span = match started {
            Some(_) => open_span(system, &text),
            None => Span::none(),
        };
        Watch {
            system,
            text,
            slow,
            started,
            span,
        }
    }

    /// Runs the call inside the span of the statement.
    #[inline]
    pub(crate) async fn inside<T>(&self, call: impl Future<Output = T> + Unpin) -> T {
        if self.span.is_none() {
            call.await
        } else {
            Box::pin(call.instrument(self.span.clone())).await
        }
    }

    /// The complete answer came: `rows` matched, or the call failed.
    #[inline]
    pub(crate) fn finish(mut self, rows: Option<u64>) {
        if let Some(started) = self.started.take() {
            self.tell(started, if rows.is_some() { "ok" } else { "failed" }, rows);
        }
    }

    #[cold]
    fn tell(&self, started: Instant, outcome: &'static str, rows: Option<u64>) {
        let elapsed = started.elapsed();
        self.span.record("outcome", outcome);
        if let Some(rows) = rows {
            self.span.record("rows", rows);
        }
        let _entered = self.span.enter();
        let (system, text) = (self.system, self.text.text());
        if elapsed > self.slow {
            tracing::warn!(
                target: TARGET,
                { db.system = system, db.statement = %text, ?elapsed, rows, outcome },
                "slow statement"
            );
        } else {
            tracing::debug!(
                target: TARGET,
                { db.system = system, db.statement = %text, ?elapsed, rows, outcome },
                "statement"
            );
        }
    }
}

#[cold]
fn open_span(system: &'static str, text: &Text<'_>) -> Span {
    tracing::debug_span!(
        target: TARGET,
        "statement",
        db.system = system,
        db.statement = %text.text(),
        rows = Empty,
        outcome = Empty,
    )
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if let Some(started) = self.started.take() {
            self.tell(started, "cancelled", None);
        }
    }
}
