//! One PostgreSQL connection: statements, what is known of its transaction, and its recovery.

use crate::bulk;
use crate::cache::Cache;
use crate::cancel::Canceller;
use crate::config::{Config, StatementMode};
use crate::connect::Farewell;
use crate::dialect::PostgresDialect;
use crate::error::{self, Fault};
use crate::pipeline;
use crate::row::CurrentRow;
use crate::script;
use crate::value::Param;
use async_trait::async_trait;
use futures_util::TryStreamExt;
use lru::LruCache;
use orm_core::backend::{
    BulkRows, Dialect, Done, Health, Intent, RowAccess, Session, Sink, SinkFlow, Statement,
    StatementText, Step, TransactionManager, TransactionOptions,
};
use orm_core::error::{Error, Result};
use std::num::NonZeroUsize;
use std::pin::pin;
use std::{any::Any, fmt, sync::Arc};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, RowStream};

/// COPY commands that are kept prepared.
const COPIES: NonZeroUsize = NonZeroUsize::new(16).expect("16 is not zero");

/// What is known of the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Idle,
    Open,
    /// Open, but a statement failed: only its end, or that of a savepoint, is possible.
    Failed,
}

/// One connection of a PostgreSQL database.
pub struct PostgresSession {
    pub(crate) client: Client,
    farewell: Farewell,
    canceller: Canceller,
    config: Arc<Config>,
    cache: Cache,
    /// COPY commands, by their text.
    pub(crate) copies: LruCache<String, tokio_postgres::Statement>,
    pub(crate) state: State,
    /// Something was done to the native connection, whose answers were not seen here.
    pub(crate) unseen: bool,
    /// A call has begun and its answer was not read to the end.
    pub(crate) in_flight: bool,
    broken: bool,
}

/// How far a statement got.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Progress {
    /// It may have been sent.
    pub(crate) sent: bool,
    /// Rows were given to the sink.
    rows: bool,
    /// The server said that it is complete.
    complete: bool,
    /// It may end a transaction, and what was done in it takes effect.
    may_commit: bool,
}

/// Why a statement ended early.
pub(crate) enum Stop {
    Driver(tokio_postgres::Error),
    /// Found here, or by the sink; the answer was read to its end.
    Own(Error),
}

impl From<tokio_postgres::Error> for Stop {
    fn from(error: tokio_postgres::Error) -> Self {
        Stop::Driver(error)
    }
}

impl PostgresSession {
    pub(crate) fn new(
        client: Client,
        farewell: Farewell,
        canceller: Canceller,
        config: Arc<Config>,
    ) -> Self {
        PostgresSession {
            client,
            farewell,
            canceller,
            cache: Cache::new(config.statement_cache),
            copies: LruCache::new(COPIES),
            config,
            state: State::Idle,
            unseen: false,
            in_flight: false,
            broken: false,
        }
    }

    /// Number of statements that this connection keeps prepared.
    pub fn kept_statements(&self) -> usize {
        self.cache.len()
    }

    /// Prepared statements are prepared again.
    pub(crate) fn forget(&mut self) {
        self.cache.clear();
        self.copies.clear();
    }

    /// The connection must not be used any more.
    pub(crate) fn give_up(&mut self) {
        self.broken = true;
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.broken || self.in_flight || self.client.is_closed()
    }

    /// Why the connection is gone.
    pub(crate) fn gone(&self, sql: Option<&Arc<str>>, outcome_unknown: bool) -> Error {
        let why = match self.farewell.get() {
            Some(why) => format!("the connection was closed: {why}"),
            None => "the connection was closed".to_owned(),
        };
        error::lost(&why, sql, outcome_unknown)
    }

    async fn run_once(
        &mut self,
        statement: &Statement,
        sink: &mut Sink,
        progress: &mut Progress,
    ) -> Result<Done, Stop> {
        let sql = statement.text.sql();
        let values = statement.values.iter().map(Param);
        let stream = if statement.cached && self.config.statement_mode == StatementMode::Named {
            let prepared = self.prepared(&statement.text).await?;
            let wanted = prepared.params().len();
            if wanted != values.len() {
                return Err(Stop::Own(other_count(wanted, values.len(), sql)));
            }
            progress.sent = true;
            self.client.query_raw(&prepared, values).await?
        } else {
            progress.sent = true;
            let typed = values.map(|value| (value, Type::UNKNOWN));
            self.client.query_typed_raw(sql, typed).await?
        };
        read(stream, sink, progress, counts(statement)).await
    }

    pub(crate) async fn prepared(
        &mut self,
        text: &StatementText,
    ) -> Result<tokio_postgres::Statement, tokio_postgres::Error> {
        if let Some(known) = self.cache.get(text.id()) {
            return Ok(known);
        }
        let prepared = self.client.prepare(text.sql()).await?;
        self.cache.put(text.id(), prepared.clone());
        Ok(prepared)
    }

    /// Whether a statement that the server does not know any more can be prepared and run again.
    pub(crate) fn may_repeat(
        &self,
        stop: &Stop,
        statement: &Statement,
        progress: Progress,
    ) -> bool {
        let stale = matches!(stop, Stop::Driver(error) if error::is_stale(error));
        stale && statement.cached && !progress.rows && self.state == State::Idle
    }

    /// Draws the conclusions of a failure.
    pub(crate) fn conclude(
        &mut self,
        stop: Stop,
        sql: Option<&Arc<str>>,
        writes: bool,
        progress: Progress,
    ) -> Error {
        let error = match stop {
            Stop::Own(error) => return error,
            Stop::Driver(error) => error,
        };
        if error::is_stale(&error) {
            self.forget();
        }
        let autocommit = self.state == State::Idle;
        let takes_effect = autocommit || progress.may_commit;
        if let Some(report) = error.as_db_error() {
            if error::is_fatal(report) {
                self.broken = true;
                // A commit may lie between the end of the statement and that of the connection.
                if takes_effect && writes && progress.complete {
                    return error::lost(report.message(), sql, true);
                }
            } else if !autocommit {
                self.state = State::Failed;
            }
            return error::from_server(report, sql);
        }
        match error::fault(&error, sql) {
            Fault::Value(error) | Fault::TooLarge(error) => error,
            Fault::Lost => {
                self.broken = true;
                let unknown = takes_effect && writes && progress.sent;
                if error.is_closed() {
                    return self.gone(sql, unknown);
                }
                error::lost(&error::words(&error), sql, unknown)
            }
        }
    }

    /// Runs text without values, any number of statements in one transaction of the server.
    pub(crate) async fn command(&mut self, sql: &str) -> Result<()> {
        if self.is_broken() {
            return Err(self.gone(None, false));
        }
        self.in_flight = true;
        let result = self.client.batch_execute(sql).await;
        self.in_flight = false;
        let progress = Progress {
            sent: true,
            may_commit: script::may_change_transaction(sql),
            ..Progress::default()
        };
        result.map_err(|error| self.conclude(Stop::Driver(error), None, true, progress))
    }

    /// Asks the server whether a transaction is open, after text that may have changed that.
    async fn ask_state(&mut self) -> Result<()> {
        if self.is_broken() {
            return Ok(());
        }
        self.in_flight = true;
        let probe = "SAVEPOINT fd_probe; RELEASE SAVEPOINT fd_probe";
        let answer = self.client.batch_execute(probe).await;
        self.in_flight = false;
        match answer {
            Ok(()) => self.state = State::Open,
            Err(error) => match error.code().map(|code| code.code().to_owned()).as_deref() {
                Some(error::NO_ACTIVE_TRANSACTION) => self.state = State::Idle,
                Some(error::IN_FAILED_TRANSACTION) => self.state = State::Failed,
                _ => {
                    let stop = Stop::Driver(error);
                    return Err(self.conclude(stop, None, false, Progress::default()));
                }
            },
        }
        Ok(())
    }
}

/// Whether the number that the server reports is that of changed rows, and not of read ones.
pub(crate) fn counts(statement: &Statement) -> bool {
    statement.intent == Intent::Write
}

pub(crate) fn other_count(wanted: usize, given: usize, sql: &Arc<str>) -> Error {
    let message = format!("the statement has {wanted} placeholders, but {given} values were given");
    let report = orm_core::error::DatabaseError::new(message).with_sql(Arc::clone(sql));
    Error::Statement(Box::new(report))
}

/// Gives the rows to the sink, and reads the answer to its end in any case: what the server says
/// last may be an error.
pub(crate) async fn read(
    stream: RowStream,
    sink: &mut Sink,
    progress: &mut Progress,
    counts: bool,
) -> Result<Done, Stop> {
    let mut stream = pin!(stream);
    let mut wanted = true;
    let mut refused = None;
    loop {
        let row = match stream.try_next().await {
            Ok(Some(row)) => row,
            Ok(None) => break,
            Err(error) => {
                progress.complete = stream.rows_affected().is_some();
                return Err(error.into());
            }
        };
        if !wanted {
            continue;
        }
        progress.rows = true;
        match sink.row(&CurrentRow::new(row) as &dyn RowAccess) {
            Ok(SinkFlow::More) => {}
            Ok(SinkFlow::Stop) => wanted = false,
            Err(error) => {
                refused = Some(error);
                wanted = false;
            }
        }
    }
    match refused {
        Some(error) => Err(Stop::Own(error)),
        None if counts => Ok(Done::rows(stream.rows_affected().unwrap_or(0))),
        None => Ok(Done::default()),
    }
}

#[async_trait]
impl Session for PostgresSession {
    fn dialect(&self) -> &'static dyn Dialect {
        &PostgresDialect
    }

    async fn run(&mut self, statement: &Statement, sink: &mut Sink) -> Result<Done> {
        let sql = statement.text.sql();
        error::check_count(statement.values.len(), sql)?;
        if self.is_broken() {
            return Err(self.gone(Some(sql), false));
        }
        let mut progress = Progress {
            may_commit: !statement.cached
                && script::may_change_transaction(script::first_word(sql)),
            ..Progress::default()
        };
        self.in_flight = true;
        let mut result = self.run_once(statement, sink, &mut progress).await;
        if let Err(stop) = &result
            && self.may_repeat(stop, statement, progress)
        {
            self.forget();
            result = self.run_once(statement, sink, &mut progress).await;
        }
        self.in_flight = false;
        let writes = statement.intent == Intent::Write;
        let result = result.map_err(|stop| self.conclude(stop, Some(sql), writes, progress));
        if !statement.cached && writes && script::may_change_transaction(script::first_word(sql)) {
            self.ask_state().await?;
        }
        result
    }

    async fn run_many(&mut self, steps: &mut [Step<'_>]) -> Result<()> {
        // Outside a transaction a write would take effect although one before it failed.
        let reads = |step: &Step<'_>| step.statement.intent == Intent::Read;
        let safe = self.state != State::Idle || steps.iter().all(reads);
        let cached = steps.iter().all(|step| step.statement.cached);
        if !safe || !cached || self.config.statement_mode == StatementMode::Unnamed {
            for step in steps {
                step.done = Some(self.run(step.statement, step.sink).await?);
            }
            return Ok(());
        }
        for window in steps.chunks_mut(pipeline::TOGETHER) {
            self.run_window(window).await?;
        }
        Ok(())
    }

    fn bulk_threshold(&self) -> Option<usize> {
        let named = self.config.statement_mode == StatementMode::Named;
        named.then_some(bulk::THRESHOLD)
    }

    async fn bulk_insert(&mut self, rows: &BulkRows<'_>) -> Result<Done> {
        if self.is_broken() {
            return Err(self.gone(None, false));
        }
        // What the server finds when it commits comes after the answer to COPY, where nobody would
        // see it: so the commit is one of our own.
        let own = self.state == State::Idle;
        if own {
            self.begin(&TransactionOptions::new()).await?;
        }
        self.in_flight = true;
        let result = self.copy(rows).await;
        self.in_flight = false;
        match result {
            Ok(done) if own => match self.commit().await {
                Ok(()) => Ok(done),
                Err(Error::ConnectionLost(lost)) => {
                    let lost = lost.with_outcome_unknown();
                    Err(Error::ConnectionLost(Box::new(lost)))
                }
                Err(refused) => Err(refused),
            },
            Err(error) if own && !self.is_broken() => {
                self.rollback().await?;
                Err(error)
            }
            other => other,
        }
    }

    async fn run_script(&mut self, sql: &str) -> Result<()> {
        let mut result = Ok(());
        for statement in script::statements(sql) {
            result = self.command(statement).await;
            if result.is_err() {
                break;
            }
        }
        if script::may_change_transaction(sql) {
            self.ask_state().await?;
        }
        result
    }

    fn health(&self) -> Health {
        match self.state {
            _ if self.is_broken() => Health::Broken,
            State::Idle => Health::Clean,
            State::Open | State::Failed => Health::InTransaction,
        }
    }

    async fn ping(&mut self) -> Result<()> {
        self.command("").await
    }

    async fn recover(&mut self) -> Result<()> {
        if self.broken || self.client.is_closed() {
            return Err(self.gone(None, false));
        }
        if self.in_flight {
            let cancelled = self.canceller.cancel().await;
            cancelled.map_err(|error| error::lost(&error.to_string(), None, false))?;
            // Answered after all that was sent before. What the dropped call did is not known.
            self.in_flight = false;
            self.command("ROLLBACK").await?;
            self.state = State::Idle;
        }
        Ok(())
    }

    async fn reset(&mut self) -> Result<()> {
        self.command("ROLLBACK").await?;
        self.state = State::Idle;
        self.unseen = false;
        if self.config.statement_mode == StatementMode::Unnamed {
            // Behind a pooler the session is not ours: it undoes such things itself.
            return Ok(());
        }
        // All of DISCARD ALL but the prepared statements, which are worth keeping.
        self.command(
            "CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *; \
             SELECT pg_advisory_unlock_all(); DISCARD PLANS; DISCARD SEQUENCES; DISCARD TEMP",
        )
        .await
    }

    /// The native connection is a `tokio_postgres::Client`.
    fn native(&mut self) -> &mut dyn Any {
        self.unseen = true;
        &mut self.client
    }
}

impl fmt::Debug for PostgresSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresSession")
            .field("config", &self.config)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
