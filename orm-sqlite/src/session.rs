//! One SQLite connection: quick statements run on the calling thread, everything else on a
//! blocking one, and both can be stopped.

use crate::config::Config;
use crate::dialect::SqliteDialect;
use crate::engine::{Engine, Order, Place, State, Stop};
use crate::ffi::Handle;
use crate::pool::{Checkpointer, Role, restore};
use async_trait::async_trait;
use orm_core::backend::{
    Cost, Dialect, Done, Health, Intent, Session, Sink, Statement, StatementText,
};
use orm_core::error::{DatabaseError, Error, ErrorKind, Result};
use std::{
    any::Any,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::task::JoinHandle;

/// One connection of a SQLite database.
///
/// A statement that only reads runs on the calling thread with a budget of about 0.3 ms; when that
/// is used up it is undone, and run again on a blocking thread, where statements of that text then
/// go at once. Dropping a future stops the statement.
pub struct SqliteSession {
    engine: Arc<Mutex<Engine>>,
    handle: Arc<Handle>,
    state: Arc<State>,
    pub(crate) config: Arc<Config>,
    role: Role,
    checkpointer: Option<Arc<Checkpointer>>,
    job: Option<JoinHandle<Answer>>,
    /// A read-only transaction has turned writes off.
    pub(crate) refuses_writes: bool,
}

/// What a job on a blocking thread brings back.
struct Answer {
    sink: Sink,
    result: Result<Done, Stop>,
}

/// Stops the statement when the future that waits for it is dropped.
struct CancelOnDrop<'a>(Option<&'a Handle>);

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(handle) = self.0 {
            handle.cancel();
        }
    }
}

impl SqliteSession {
    pub(crate) fn new(
        engine: Engine,
        config: Arc<Config>,
        role: Role,
        checkpointer: Option<Arc<Checkpointer>>,
    ) -> Self {
        let handle = Arc::clone(engine.raw().handle());
        let state = Arc::clone(engine.state());
        SqliteSession {
            engine: Arc::new(Mutex::new(engine)),
            handle,
            state,
            config,
            role,
            checkpointer,
            job: None,
            refuses_writes: false,
        }
    }

    pub(crate) fn engine(&self) -> MutexGuard<'_, Engine> {
        // A sink that panicked left the statement reset; the connection is fine.
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a statement where it can run, again while another connection holds the lock it needs.
    /// `first` is how an attempt on this thread ended.
    pub(crate) async fn run_patiently(
        &mut self,
        statement: &Statement,
        sink: &mut Sink,
        mut first: Option<Result<Done, Stop>>,
    ) -> Result<Done> {
        if self.job.is_some() {
            self.recover().await?;
        }
        let mut started = None;
        let mut attempt = 0;
        loop {
            let result = match first.take().or_else(|| self.run_inline(statement, sink)) {
                Some(Err(Stop::Elsewhere { rows })) if rows && !sink.restart() => {
                    return Err(unrepeatable(Arc::clone(statement.text.sql())));
                }
                None | Some(Err(Stop::Elsewhere { .. })) => {
                    self.run_elsewhere(statement, sink).await
                }
                Some(result) => result,
            };
            let (rows, error) = match result {
                Ok(done) => {
                    if self.wal_is_due(statement) {
                        self.look_after_wal().await;
                    }
                    return Ok(done);
                }
                Err(Stop::Failed(error)) => return Err(error),
                Err(Stop::Elsewhere { .. }) => {
                    return Err(unrepeatable(Arc::clone(statement.text.sql())));
                }
                Err(Stop::Busy { rows, error }) => (rows, error),
            };
            let started = *started.get_or_insert_with(Instant::now);
            if started.elapsed() >= self.config.busy_timeout {
                return Err(locked(&self.config, error));
            }
            if rows && !sink.restart() {
                return Err(error);
            }
            pause(backoff(attempt)).await;
            attempt += 1;
        }
    }

    /// Runs what is quick on this thread; `None` = nothing was tried.
    #[inline]
    fn run_inline(&self, statement: &Statement, sink: &mut Sink) -> Option<Result<Done, Stop>> {
        let reads = statement.intent == Intent::Read;
        let quick_write = statement.cost == Cost::Point && self.config.commits_are_quick();
        if self.job.is_some() || !(reads || quick_write) {
            return None;
        }
        let place = Place::Inline {
            // Nothing was sent to the sink yet, so this only asks whether it can restart.
            restartable: reads && sink.restart(),
            point_writes: quick_write,
        };
        Some(self.engine().run(&order(statement), sink, place))
    }

    async fn run_elsewhere(
        &mut self,
        statement: &Statement,
        sink: &mut Sink,
    ) -> Result<Done, Stop> {
        let statement = statement.clone();
        self.run_blocking(sink, move |engine, sink| {
            engine.run(&order(&statement), sink, Place::Blocking)
        })
        .await
    }

    /// Does something with the connection on a blocking thread. Dropping the future stops it.
    async fn run_blocking(
        &mut self,
        sink: &mut Sink,
        work: impl FnOnce(&mut Engine, &mut Sink) -> Result<Done, Stop> + Send + 'static,
    ) -> Result<Done, Stop> {
        if tokio::runtime::Handle::try_current().is_err() {
            return work(&mut self.engine(), sink);
        }
        let engine = Arc::clone(&self.engine);
        let mut taken = sink.take();
        let job = self.job.insert(tokio::task::spawn_blocking(move || {
            let mut engine = engine.lock().unwrap_or_else(PoisonError::into_inner);
            let result = work(&mut engine, &mut taken);
            let sink = taken;
            Answer { sink, result }
        }));
        let mut guard = CancelOnDrop(Some(&self.handle));
        let answer = job.await;
        guard.0 = None;
        drop(guard);
        self.job = None;
        match answer {
            Ok(answer) => {
                *sink = answer.sink;
                answer.result
            }
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(Stop::Failed(shut_down())),
            },
        }
    }

    fn wal_is_due(&self, statement: &Statement) -> bool {
        statement.intent == Intent::Write && self.wal_has_grown()
    }

    fn wal_has_grown(&self) -> bool {
        let pages = self.handle.wal_pages();
        let checkpointer = self.checkpointer.as_ref();
        checkpointer.is_some_and(|checkpointer| checkpointer.is_due(pages))
    }

    /// After a commit: has the write-ahead log copied into the file when it has grown.
    pub(crate) async fn look_after_wal(&mut self) {
        let Some(checkpointer) = self.checkpointer.clone() else {
            return;
        };
        if !self.wal_has_grown() || !self.engine().raw().is_autocommit() {
            return;
        }
        let pages = self.handle.wal_pages();
        if !checkpointer.is_urgent(pages) {
            return checkpointer.start(pages);
        }
        // Beside a writer that never rests the log is never copied whole, and so never begun
        // again from its start: hold the writer for once.
        let work = |engine: &mut Engine, sink: &mut Sink| {
            let text = StatementText::new("PRAGMA wal_checkpoint(PASSIVE)");
            let statement = Statement::new(text, Vec::new()).uncached();
            engine.run(&order(&statement), sink, Place::Blocking)
        };
        if let Err(Stop::Failed(error)) = self.run_blocking(&mut Sink::discard(), work).await {
            tracing::warn!(%error, "the write-ahead log could not be checkpointed");
        }
    }

    /// Allows writes again after a read-only transaction.
    pub(crate) fn end_read_only(&mut self) -> Result<()> {
        if self.refuses_writes {
            self.engine()
                .run_script("PRAGMA query_only = OFF", Duration::ZERO)?;
            self.refuses_writes = false;
        }
        Ok(())
    }

    pub(crate) fn is_reader(&self) -> bool {
        self.role == Role::Reader
    }

    #[cfg(test)]
    pub(crate) fn kept_statements(&self) -> usize {
        self.engine().kept_statements()
    }
}

/// Says which file stayed locked, and for how long.
fn locked(config: &Config, error: Error) -> Error {
    let Error::Timeout(kind, report) = &error else {
        return error;
    };
    let message = format!(
        "another connection kept `{}` locked for longer than the busy_timeout of {:?}",
        config.target(),
        config.busy_timeout
    );
    let mut said = DatabaseError::new(message).with_code(report.code().unwrap_or("5"));
    if let Some(sql) = report.sql() {
        said = said.with_sql(Arc::from(sql));
    }
    Error::Timeout(*kind, Box::new(said))
}

fn order(statement: &Statement) -> Order<'_> {
    Order {
        text: &statement.text,
        values: &statement.values,
        cost: statement.cost,
        cached: statement.cached,
    }
}

#[async_trait]
impl Session for SqliteSession {
    fn dialect(&self) -> &'static dyn Dialect {
        &SqliteDialect
    }

    async fn run(&mut self, statement: &Statement, sink: &mut Sink) -> Result<Done> {
        // The database may have ended a read-only transaction by itself.
        if self.refuses_writes && self.health() == Health::Clean {
            self.end_read_only()?;
        }
        match self.run_inline(statement, sink) {
            Some(Ok(done)) if !self.wal_is_due(statement) => Ok(done),
            Some(Err(Stop::Failed(error))) => Err(error),
            // Boxed, since it is rare and its room would be part of every statement.
            first => Box::pin(self.run_patiently(statement, sink, first)).await,
        }
    }

    async fn run_script(&mut self, sql: &str) -> Result<()> {
        if self.job.is_some() {
            self.recover().await?;
        }
        let (sql, patience) = (sql.to_owned(), self.config.busy_timeout);
        let work = move |engine: &mut Engine, _: &mut Sink| {
            engine.run_script(&sql, patience)?;
            Ok(Done::default())
        };
        match self.run_blocking(&mut Sink::discard(), work).await {
            Ok(_) => {
                self.look_after_wal().await;
                Ok(())
            }
            Err(Stop::Failed(error) | Stop::Busy { error, .. }) => Err(error),
            Err(Stop::Elsewhere { .. }) => Err(shut_down()),
        }
    }

    fn health(&self) -> Health {
        if self.job.is_some() {
            return Health::Broken;
        }
        self.state.health()
    }

    async fn ping(&mut self) -> Result<()> {
        match self.health() {
            Health::Broken => Err(shut_down()),
            _ => Ok(()),
        }
    }

    async fn recover(&mut self) -> Result<()> {
        if let Some(job) = &mut self.job {
            self.handle.cancel();
            // Its result and its sink are nobody's any more.
            let _ = job.await;
            self.job = None;
        }
        self.handle.allow();
        // A call that did not return left it unseen.
        self.engine().note_state();
        Ok(())
    }

    async fn reset(&mut self) -> Result<()> {
        self.recover().await?;
        let (config, role) = (Arc::clone(&self.config), self.role);
        let work = move |engine: &mut Engine, _: &mut Sink| {
            if !engine.raw().is_autocommit() {
                engine.run_script("ROLLBACK", Duration::ZERO)?;
            }
            restore(engine, &config, role)?;
            Ok(Done::default())
        };
        match self.run_blocking(&mut Sink::discard(), work).await {
            Ok(_) => {
                self.refuses_writes = false;
                Ok(())
            }
            Err(Stop::Failed(error) | Stop::Busy { error, .. }) => Err(error),
            Err(Stop::Elsewhere { .. }) => Err(shut_down()),
        }
    }

    fn wants_ping(&self, _: Duration) -> bool {
        false
    }

    fn native(&mut self) -> &mut dyn Any {
        self
    }
}

impl Drop for SqliteSession {
    fn drop(&mut self) {
        // The job keeps the connection open until it ends: it must not take long.
        if self.job.is_some() {
            self.handle.cancel();
        }
    }
}

impl fmt::Debug for SqliteSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteSession")
            .field("database", &self.config.target())
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// Waits between two tries for a lock: short at first, at most 50 ms.
fn backoff(attempt: u32) -> Duration {
    const MILLIS: [u64; 7] = [1, 2, 5, 10, 20, 30, 50];
    let at = usize::try_from(attempt).unwrap_or(usize::MAX);
    Duration::from_millis(MILLIS.get(at).copied().unwrap_or(50))
}

async fn pause(wait: Duration) {
    if tokio::runtime::Handle::try_current().is_ok() {
        tokio::time::sleep(wait).await;
    } else {
        std::thread::sleep(wait);
    }
}

fn shut_down() -> Error {
    let message = "the connection cannot be used: its file is damaged or the runtime has ended";
    Error::database(ErrorKind::ConnectionLost, DatabaseError::new(message))
}

fn unrepeatable(sql: Arc<str>) -> Error {
    let message = "the read took too long for the calling thread, and its rows were already used; \
                   run it again: it will start on a thread of its own";
    Error::database(
        ErrorKind::Operational,
        DatabaseError::new(message).with_sql(sql),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::SqliteConnector;
    use orm_core::backend::{ConnectionUrl, Connector};

    #[tokio::test]
    async fn prepared_statements_are_bounded() {
        let url = ConnectionUrl::parse("sqlite::memory:?statement_cache=3").expect("a URL");
        let connector = SqliteConnector::from_url(&url).expect("a connector");
        let mut session = connector.connect(Intent::Write).await.expect("opens");
        for i in 0..20 {
            let text = StatementText::new(format!("SELECT {i}"));
            let statement = Statement::new(text, Vec::new()).with_intent(Intent::Read);
            for statement in [statement.clone(), statement.uncached()] {
                let done = session.run(&statement, &mut Sink::discard()).await;
                assert_eq!(done.expect("runs"), Done::default());
            }
        }
        assert_eq!(session.kept_statements(), 3);
    }
}
