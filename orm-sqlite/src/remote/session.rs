//! One connection to a libSQL server. Outside of a transaction the server holds nothing of it that
//! matters; inside of one it holds a stream, and when that is lost, so is the transaction.

use super::bind::{ReceivedRow, to_send};
use super::config::Config;
use super::dialect::LibsqlDialect;
use super::error::{Failed, Report, locked};
use super::scan::{Shape, is_blank, scan};
use super::wait::{Fault, wait};
use async_trait::async_trait;
use libsql::{Connection, Database, params::Params};
use lru::LruCache;
use orm_core::backend::{
    Dialect, Done, Health, Intent, KeySequence, Session, Sink, SinkFlow, Statement,
};
use orm_core::error::{DatabaseError, Error, ErrorKind, Result};
use std::{
    any::Any,
    fmt,
    num::NonZeroUsize,
    sync::Arc,
    time::{Duration, Instant},
};

/// The server forgets a stream after 10 s without a request; half of that leaves room for slow
/// networks.
const STREAM_AGE: Duration = Duration::from_secs(5);
/// Idle time after which the network may have forgotten the connection.
const IDLE: Duration = Duration::from_secs(60);

/// One connection to a libSQL server.
///
/// A statement is one HTTP request; the first time that a text which may give rows is run, one more
/// describes it. A call that is dropped cannot be stopped, so the connection is closed, and the
/// server rolls its transaction back. [`native`](Session::native) gives the `libsql::Connection`.
pub struct RemoteSession {
    database: Arc<Database>,
    connection: Connection,
    config: Arc<Config>,
    described: LruCache<u64, libsql::Statement>,
    /// A call has begun and not ended.
    in_flight: bool,
    broken: bool,
    last_request: Instant,
}

/// Why an attempt at a statement failed.
enum Stopped {
    /// For this reason, and whether rows had been handed out.
    Fault(Fault, bool),
    /// A row could not be decoded.
    Sink(Error),
}

impl RemoteSession {
    pub(super) fn open(database: Arc<Database>, config: Arc<Config>) -> Result<Self> {
        let connection = connect(&database, &config)?;
        let kept = NonZeroUsize::new(config.statement_cache).unwrap_or(NonZeroUsize::MIN);
        Ok(RemoteSession {
            database,
            connection,
            config,
            described: LruCache::new(kept),
            in_flight: false,
            broken: false,
            last_request: Instant::now(),
        })
    }

    fn in_transaction(&self) -> bool {
        !self.connection.is_autocommit()
    }

    /// Leaves what the server still has of this connection to it, and begins anew.
    fn renew(&mut self) -> Result<()> {
        self.described.clear();
        self.connection = connect(&self.database, &self.config)?;
        Ok(())
    }

    fn failed<'a>(&'a self, statement: &'a Statement, in_transaction: bool) -> Failed<'a> {
        Failed {
            config: &self.config,
            sql: Some(statement.text.sql()),
            intent: statement.intent,
            in_transaction,
        }
    }

    /// Notes that a call begins.
    async fn enter(&mut self) -> Result<()> {
        if self.in_flight || self.broken {
            return Err(self.gone());
        }
        self.in_flight = true;
        if !self.in_transaction() && self.last_request.elapsed() > STREAM_AGE {
            self.connection.reset().await;
        }
        Ok(())
    }

    fn leave(&mut self) {
        self.in_flight = false;
        self.last_request = Instant::now();
    }

    fn gone(&self) -> Error {
        let message = format!("the connection to {} is closed", self.config.target);
        Error::database(ErrorKind::ConnectionLost, DatabaseError::new(message))
    }

    /// Runs a statement, again where that is safe.
    async fn run_patiently(
        &mut self,
        statement: &Statement,
        shape: &Shape<'_>,
        sink: &mut Sink,
    ) -> Result<Done> {
        let values = to_send(&statement.values)?;
        let started = Instant::now();
        let (mut renewed, mut pause) = (false, Duration::from_millis(5));
        loop {
            let in_transaction = self.in_transaction();
            let params = Params::Positional(values.clone());
            self.enter().await?;
            let result = match shape.has_rows() {
                true => self.query(statement, shape, params, sink).await,
                false => self.execute(statement, shape, params).await,
            };
            self.leave();
            let (fault, rows) = match result {
                Ok(done) => return Ok(done),
                Err(Stopped::Sink(error)) => return Err(error),
                Err(Stopped::Fault(fault, rows)) => (fault, rows),
            };
            let report = Report::of(&fault);
            self.settle(&report, shape, in_transaction).await?;
            let again = !in_transaction && (!rows || sink.restart());
            if again && report == Report::Expired && !renewed {
                renewed = true;
                continue;
            }
            if again && report.is_busy() {
                if started.elapsed() >= self.config.busy_timeout {
                    return Err(locked(&self.failed(statement, in_transaction)));
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_millis(100));
                continue;
            }
            return Err(report.into_error(&self.failed(statement, in_transaction)));
        }
    }

    /// Finds out what a failure left of the connection.
    async fn settle(&mut self, report: &Report, shape: &Shape<'_>, open: bool) -> Result<()> {
        match report {
            // The client closes the stream with its last statement, whatever came of that.
            report if report.keeps_stream() && shape.ends_transaction() => self.renew()?,
            // Some errors end the transaction, and this way of asking does not tell.
            Report::Statement { .. } if open && shape.has_rows() => self.ask_state().await,
            report if report.keeps_stream() => {}
            Report::Expired if !open => self.renew()?,
            _ => self.broken = true,
        }
        Ok(())
    }

    async fn ask_state(&mut self) {
        self.in_flight = true;
        let call = self.connection.execute("SELECT 1", Params::None);
        self.broken |= wait(self.config.request_timeout, call).await.is_err();
        self.leave();
    }

    async fn execute(
        &mut self,
        statement: &Statement,
        shape: &Shape<'_>,
        params: Params,
    ) -> Result<Done, Stopped> {
        let call = self.connection.execute(statement.sql(), params);
        let rows = wait(self.config.request_timeout, call).await;
        let rows = rows.map_err(|fault| Stopped::Fault(fault, false))?;
        if !shape.changes_rows() {
            return Ok(Done::default());
        }
        let done = Done::rows(rows);
        if !shape.inserts() || rows == 0 {
            return Ok(done);
        }
        let last = self.connection.last_insert_rowid();
        let others = i64::try_from(rows).unwrap_or(i64::MAX).saturating_sub(1);
        let keys = KeySequence {
            first: last.saturating_sub(others),
            step: 1,
        };
        Ok(done.with_last_insert_id(last).with_keys(keys))
    }

    async fn query(
        &mut self,
        statement: &Statement,
        shape: &Shape<'_>,
        params: Params,
        sink: &mut Sink,
    ) -> Result<Done, Stopped> {
        let limit = self.config.request_timeout;
        let early = |fault| Stopped::Fault(fault, false);
        let once;
        let described = match self.described.get(&statement.text.id()) {
            Some(known) => known,
            None => {
                let call = self.connection.prepare(statement.sql());
                let new = wait(limit, call).await.map_err(early)?;
                if statement.cached {
                    self.described.get_or_insert(statement.text.id(), || new)
                } else {
                    once = new;
                    &once
                }
            }
        };
        let mut rows = wait(limit, described.query(params)).await.map_err(early)?;
        let (mut seen, mut stopped, mut refused) = (false, false, None);
        loop {
            let next = wait(limit, rows.next()).await;
            let Some(row) = next.map_err(|fault| Stopped::Fault(fault, seen))? else {
                break;
            };
            // A write is finished only when its rows have been taken, and so is the stream's turn.
            if stopped {
                continue;
            }
            seen = true;
            let row = wait(limit, async { ReceivedRow::new(row) }).await;
            let row = row.map_err(|fault| Stopped::Fault(fault, seen))?;
            match sink.row(&row) {
                Ok(SinkFlow::More) => {}
                Ok(SinkFlow::Stop) => stopped = true,
                Err(error) => {
                    stopped = true;
                    refused = Some(error);
                }
            }
            if stopped && statement.intent == Intent::Read && self.connection.is_autocommit() {
                drop(rows);
                self.connection.reset().await;
                return refused.map_or(Ok(Done::default()), |error| Err(Stopped::Sink(error)));
            }
        }
        match refused {
            Some(error) => Err(Stopped::Sink(error)),
            None if shape.changes_rows() => Ok(Done::rows(self.connection.changes())),
            None => Ok(Done::default()),
        }
    }

    /// Runs a command that has no values.
    pub(super) async fn command(&mut self, sql: &str) -> Result<()> {
        let text = orm_core::backend::StatementText::new(sql);
        let statement = Statement::new(text, Vec::new()).uncached();
        self.run(&statement, &mut Sink::discard()).await.map(drop)
    }

    /// One request, to find out whether the server takes us.
    pub(super) async fn greet(&mut self) -> Result<()> {
        let text = orm_core::backend::StatementText::new("SELECT 1");
        let statement = Statement::new(text, Vec::new()).with_intent(Intent::Read);
        self.enter().await?;
        let call = self.connection.execute("SELECT 1", Params::None);
        let result = wait(self.config.request_timeout, call).await;
        self.leave();
        result.map(drop).map_err(|fault| {
            self.broken = true;
            Report::of(&fault).into_error(&Failed {
                sql: None,
                ..self.failed(&statement, false)
            })
        })
    }
}

fn connect(database: &Database, config: &Config) -> Result<Connection> {
    // No I/O yet.
    database
        .connect()
        .map_err(|_| Error::configuration(format!("{} cannot be used as a host", config.target)))
}

#[async_trait]
impl Session for RemoteSession {
    fn dialect(&self) -> &'static dyn Dialect {
        &LibsqlDialect
    }

    async fn run(&mut self, statement: &Statement, sink: &mut Sink) -> Result<Done> {
        let wrong = |message: String| {
            let report = DatabaseError::new(message).with_sql(Arc::clone(statement.text.sql()));
            Error::database(ErrorKind::Statement, report)
        };
        let shape = scan(statement.sql()).map_err(|message| wrong(message.to_owned()))?;
        let (wanted, given) = (shape.placeholders, statement.values.len());
        if wanted != given {
            return Err(wrong(format!(
                "the statement has {wanted} placeholders, but {given} values were given"
            )));
        }
        self.run_patiently(statement, &shape, sink).await
    }

    async fn run_script(&mut self, sql: &str) -> Result<()> {
        if is_blank(sql) {
            return Ok(());
        }
        let open = self.in_transaction();
        self.enter().await?;
        let call = self.connection.execute_batch(sql);
        let result = wait(self.config.request_timeout, call).await;
        self.leave();
        let Err(fault) = result else {
            return Ok(());
        };
        let report = Report::of(&fault);
        if !report.keeps_stream() {
            self.broken = true;
        } else if !open {
            self.renew()?;
        }
        Err(report.into_error(&Failed {
            config: &self.config,
            sql: None,
            intent: Intent::Write,
            in_transaction: open,
        }))
    }

    fn health(&self) -> Health {
        match self.in_flight || self.broken {
            true => Health::Broken,
            false if self.in_transaction() => Health::InTransaction,
            false => Health::Clean,
        }
    }

    async fn ping(&mut self) -> Result<()> {
        self.greet().await
    }

    async fn reset(&mut self) -> Result<()> {
        if self.in_flight || self.broken {
            return Err(self.gone());
        }
        if self.in_transaction() {
            self.command("ROLLBACK").await?;
        }
        // The next stream is a new connection on the server.
        self.renew()
    }

    fn wants_ping(&self, idle: Duration) -> bool {
        idle > IDLE
    }

    fn native(&mut self) -> &mut dyn Any {
        &mut self.connection
    }
}

impl fmt::Debug for RemoteSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteSession")
            .field("server", &self.config.target)
            .finish_non_exhaustive()
    }
}
