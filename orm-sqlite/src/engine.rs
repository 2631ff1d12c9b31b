//! The blocking half of a session: one connection, its prepared statements, and how they run.

use crate::error::{classify, is_busy, is_fatal, refused};
use crate::ffi::{DONE, Failure, Handle, Prepared, ROW, Raw, TICK};
use crate::row::CurrentRow;
use crate::value::{Refused, bind_all, check_count, datetime_texts};
use lru::LruCache;
use orm_core::backend::{Cost, Done, Health, KeySequence, Sink, SinkFlow, StatementText};
use orm_core::error::{Error, ErrorKind, Result};
use orm_core::value::Value;
use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::{Duration, Instant},
};

/// Ticks that a read may use on the calling thread: about 20 000 VM instructions, 0.3 ms.
const INLINE_TICKS: i64 = 20_000 / TICK as i64;
/// A statement that used less than this on the blocking thread is fast again.
const FAST_TICKS: i64 = INLINE_TICKS / 2;
const NO_LIMIT: i64 = i64::MAX;

/// Where a statement is about to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// On the calling thread, which must not be held up.
    Inline {
        /// Reads may be stopped and run again.
        restartable: bool,
        /// Writes with a small cost may run.
        point_writes: bool,
    },
    /// On a thread that may block.
    Blocking,
}

/// Why a statement has no result.
pub(crate) enum Stop {
    /// It needs a thread that may block. Nothing has run, or it was undone; `rows` have reached
    /// the sink.
    Elsewhere { rows: bool },
    /// Another connection holds the lock.
    Busy { rows: bool, error: Error },
    /// It failed.
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Stop::Failed(error)
    }
}

/// One connection and its prepared statements.
pub(crate) struct Engine {
    // Dropped before the connection.
    kept: LruCache<u64, Kept>,
    raw: Raw,
    broken: bool,
    state: Arc<State>,
}

/// The health of a connection after its last call, to be read without waiting for the engine.
#[derive(Default)]
pub(crate) struct State(AtomicU8);

const CLEAN: u8 = 0;
const IN_TRANSACTION: u8 = 1;
const BROKEN: u8 = 2;

impl State {
    pub(crate) fn health(&self) -> Health {
        match self.0.load(Ordering::Acquire) {
            CLEAN => Health::Clean,
            IN_TRANSACTION => Health::InTransaction,
            _ => Health::Broken,
        }
    }
}

struct Kept {
    prepared: Prepared,
    inserts: bool,
    slow: bool,
}

/// What a run needs besides the connection.
pub(crate) struct Order<'a> {
    pub(crate) text: &'a StatementText,
    pub(crate) values: &'a [Value],
    pub(crate) cost: Cost,
    pub(crate) cached: bool,
}

impl Engine {
    /// Takes a connection that is set up.
    pub(crate) fn new(raw: Raw, statement_cache: usize) -> Self {
        let size = NonZeroUsize::new(statement_cache).unwrap_or(NonZeroUsize::MIN);
        Engine {
            kept: LruCache::new(size),
            raw,
            broken: false,
            state: Arc::default(),
        }
    }

    pub(crate) fn state(&self) -> &Arc<State> {
        &self.state
    }

    /// Looks at the connection again.
    pub(crate) fn note_state(&self) {
        let state = match (self.broken, self.raw.is_autocommit()) {
            (true, _) => BROKEN,
            (false, true) => CLEAN,
            (false, false) => IN_TRANSACTION,
        };
        self.state.0.store(state, Ordering::Release);
    }

    pub(crate) fn raw(&self) -> &Raw {
        &self.raw
    }

    #[cfg(test)]
    pub(crate) fn kept_statements(&self) -> usize {
        self.kept.len()
    }

    /// Runs a statement once.
    pub(crate) fn run(
        &mut self,
        order: &Order<'_>,
        sink: &mut Sink,
        place: Place,
    ) -> Result<Done, Stop> {
        let result = self.run_kept(order, sink, place);
        self.note_state();
        result
    }

    fn run_kept(&mut self, order: &Order<'_>, sink: &mut Sink, place: Place) -> Result<Done, Stop> {
        let sql = order.text.sql();
        let Engine {
            kept, raw, broken, ..
        } = self;
        // Preparing counts too, and must not be charged to what the last statement left.
        raw.handle().arm(NO_LIMIT);
        let mut once;
        let statement = if !order.cached {
            once = Kept::prepare(raw, sql, false).map_err(|stop| stop.note(broken))?;
            &mut once
        } else if let Some(known) = kept.get_mut(&order.text.id()) {
            known
        } else {
            let new = Kept::prepare(raw, sql, true).map_err(|stop| stop.note(broken))?;
            kept.get_or_insert_mut(order.text.id(), || new)
        };
        let result = statement.run(raw, order, sink, place);
        result.map_err(|stop| stop.note(broken))
    }

    /// Runs text with any number of statements, waiting up to `patience` for each lock.
    pub(crate) fn run_script(&mut self, sql: &str, patience: Duration) -> Result<()> {
        let result = self.run_each(sql, patience);
        self.note_state();
        result
    }

    fn run_each(&mut self, sql: &str, patience: Duration) -> Result<()> {
        let whole: Arc<str> = Arc::from(sql);
        let mut rest = sql;
        self.raw.handle().arm(NO_LIMIT);
        while !rest.is_empty() {
            let deadline = Instant::now() + patience;
            let used = loop {
                let in_transaction = !self.raw.is_autocommit();
                match self.script_step(rest) {
                    Ok(used) => break used,
                    Err(failure)
                        if is_busy(failure.code)
                            && !in_transaction
                            && Instant::now() < deadline =>
                    {
                        std::thread::sleep(Duration::from_millis(5));
                    }
                    Err(failure) => {
                        self.broken |= is_fatal(failure.code);
                        return Err(classify(failure, Some(&whole), in_transaction));
                    }
                }
            };
            rest = rest.get(used..).unwrap_or("");
            if used == 0 {
                break;
            }
        }
        Ok(())
    }

    fn script_step(&mut self, sql: &str) -> Result<usize, Failure> {
        if self.raw.handle().is_cancelled() {
            return Err(interrupted());
        }
        let (prepared, used) = self.raw.prepare(sql, false)?;
        if let Some(mut prepared) = prepared {
            let mut run = prepared.start();
            loop {
                match run.step() {
                    ROW => {}
                    DONE => break,
                    code => return Err(self.raw.failure(code)),
                }
            }
        }
        Ok(used)
    }
}

impl Stop {
    /// Remembers that a connection whose file is damaged must not be used again.
    fn note(self, broken: &mut bool) -> Stop {
        if let Stop::Failed(error) = &self
            && let Some(code) = error.as_database().and_then(|report| report.code())
            && code.parse().is_ok_and(is_fatal)
        {
            *broken = true;
        }
        self
    }

    fn new(failure: Failure, sql: &Arc<str>, in_transaction: bool, rows: bool) -> Stop {
        let busy = is_busy(failure.code) && !in_transaction;
        let error = classify(failure, Some(sql), in_transaction);
        if busy {
            Stop::Busy { rows, error }
        } else {
            Stop::Failed(error)
        }
    }
}

impl Kept {
    fn prepare(raw: &Raw, sql: &Arc<str>, keep: bool) -> Result<Kept, Stop> {
        let in_transaction = || !raw.is_autocommit();
        let (prepared, used) = raw
            .prepare(sql, keep)
            .map_err(|failure| Stop::new(failure, sql, in_transaction(), false))?;
        let Some(prepared) = prepared else {
            return Err(refused(ErrorKind::Statement, "the statement is empty", sql).into());
        };
        if !is_blank(sql.get(used..).unwrap_or("")) {
            let message = "the text has several statements; use `execute_script` for that";
            return Err(refused(ErrorKind::Statement, message, sql).into());
        }
        let start = sql.trim_start();
        let starts_with = |word: &str| {
            let start = start.get(..word.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(word))
        };
        Ok(Kept {
            prepared,
            inserts: ["insert", "replace", "with"].into_iter().any(starts_with),
            slow: false,
        })
    }

    fn run(
        &mut self,
        raw: &Raw,
        order: &Order<'_>,
        sink: &mut Sink,
        place: Place,
    ) -> Result<Done, Stop> {
        let reads = self.prepared.is_read_only();
        let ticks = self.ticks(order.cost, place, reads)?;
        check_count(&self.prepared, order.values, order.text.sql())?;
        let handle = raw.handle();
        if handle.is_cancelled() {
            return Err(classify(interrupted(), Some(order.text.sql()), false).into());
        }
        let before = if reads { 0 } else { raw.total_changes() };
        handle.arm(ticks);
        let result = self.step_all(raw, order, sink, handle);
        if reads {
            match place {
                Place::Inline { .. } => self.slow = handle.ticks_left() <= 0,
                Place::Blocking => self.slow &= ticks - handle.ticks_left() >= FAST_TICKS,
            }
        }
        result?;
        if reads || raw.total_changes() == before {
            return Ok(Done::default());
        }
        let done = Done::rows(raw.changes());
        if !self.inserts {
            return Ok(done);
        }
        let last = raw.last_insert_rowid();
        let rows = i64::try_from(done.rows_affected).unwrap_or(i64::MAX);
        let first = last.saturating_sub(rows.saturating_sub(1));
        Ok(done
            .with_last_insert_id(last)
            .with_keys(KeySequence { first, step: 1 }))
    }

    /// The ticks it may use in this place, or that it must not run there.
    fn ticks(&self, cost: Cost, place: Place, reads: bool) -> Result<i64, Stop> {
        let Place::Inline {
            restartable,
            point_writes,
        } = place
        else {
            return Ok(NO_LIMIT);
        };
        match (reads, cost) {
            (true, _) if restartable && !self.slow => Ok(INLINE_TICKS),
            // Rows cannot be taken back, but there are few.
            (true, Cost::Point) if !restartable => Ok(NO_LIMIT),
            (false, Cost::Point) if point_writes => Ok(NO_LIMIT),
            _ => Err(Stop::Elsewhere { rows: false }),
        }
    }

    fn step_all(
        &mut self,
        raw: &Raw,
        order: &Order<'_>,
        sink: &mut Sink,
        handle: &Handle,
    ) -> Result<(), Stop> {
        let sql = order.text.sql();
        let in_transaction = !raw.is_autocommit();
        let datetimes = datetime_texts(order.values)?;
        let reads = self.prepared.is_read_only();
        let mut run = self.prepared.start();
        bind_all(&mut run, order.values, &datetimes).map_err(|error| match error {
            Refused::Value(error) => Stop::Failed(error),
            Refused::Database(code) => Stop::new(raw.failure(code), sql, in_transaction, false),
        })?;
        let (mut rows, mut stopped) = (false, false);
        loop {
            match run.step() {
                // A write is done by its first step; the rest of its rows is only skipped.
                ROW if stopped => {}
                ROW => {
                    rows = true;
                    stopped = sink.row(&CurrentRow(&run))? == SinkFlow::Stop;
                    if stopped && reads {
                        return Ok(());
                    }
                }
                DONE => return Ok(()),
                _ if handle.ticks_left() <= 0 && !handle.is_cancelled() => {
                    return Err(Stop::Elsewhere { rows });
                }
                code => return Err(Stop::new(raw.failure(code), sql, in_transaction, rows)),
            }
        }
    }
}

fn interrupted() -> Failure {
    Failure {
        code: 9,
        message: "interrupted: the caller no longer waits for it".to_owned(),
    }
}

/// Whether there is nothing but blanks, semicolons and comments.
fn is_blank(mut sql: &str) -> bool {
    loop {
        sql = sql.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ';');
        if let Some(comment) = sql.strip_prefix("--") {
            sql = comment.split_once('\n').map_or("", |(_, rest)| rest);
        } else if let Some(comment) = sql.strip_prefix("/*") {
            sql = comment.split_once("*/").map_or("", |(_, rest)| rest);
        } else {
            return sql.is_empty();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_tails_are_told_from_statements() {
        for blank in ["", " ;\n; ", "-- note", "-- note\n;", "/* a */ ; /* open"] {
            assert!(is_blank(blank), "{blank:?}");
        }
        for more in ["SELECT 1", "-- note\nx", "/* a */ x", "; \0"] {
            assert!(!is_blank(more), "{more:?}");
        }
    }
}
