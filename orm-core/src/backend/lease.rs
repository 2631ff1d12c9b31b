//! A borrowed connection: in doubt from before each driver call until its complete answer.

use super::{
    BulkRows, Done, Health, Sink, Statement, Step, TransactionManager, TransactionOptions,
};
use crate::error::{DatabaseError, Error, ErrorKind, Result, TimeoutKind};
use crate::instrument::{Text, Watch};
use crate::value::Value;
use std::{any::Any, fmt, future::Future, sync::Arc, time::Duration};

/// A pooled connection as the lease sees it. Implemented by the pool.
pub trait Held: Send {
    /// The connection.
    fn session(&mut self) -> &mut dyn TransactionManager;
    /// The connection, for questions that need no exclusive use of it.
    fn peek(&self) -> &dyn TransactionManager;
    /// Longest time a statement may run.
    fn statement_timeout(&self) -> Option<Duration>;
    /// Statements that take longer are reported as slow.
    fn slow_statement(&self) -> Duration {
        Duration::from_secs(1)
    }
    /// Gives a clean connection back to the pool.
    fn give_back(self: Box<Self>);
    /// Closes the connection and gives its place in the pool back.
    fn discard(self: Box<Self>);
    /// Hands the connection to the clean-up task, which owns its place in the pool until it is
    /// clean again or closed. `in_doubt`: a call did not finish; else only a transaction or state
    /// of raw SQL must be undone.
    fn clean_up(self: Box<Self>, in_doubt: bool);
}

/// Sets of values that `execute_many` hands to the driver at once.
const SETS_TOGETHER: usize = 256;

/// A connection borrowed from a pool, for one task at a time.
///
/// Dropping it at any moment is fine: a clean connection goes back to the pool, one with an open
/// transaction is rolled back at once by a task of its own, one in doubt is recovered or closed,
/// and only then lent again.
pub struct Lease {
    held: Option<Box<dyn Held>>,
    in_doubt: bool,
    tainted: bool,
}

impl Lease {
    /// A lease of this connection.
    pub fn new(held: Box<dyn Held>) -> Self {
        Lease {
            held: Some(held),
            in_doubt: false,
            tainted: false,
        }
    }

    /// The connection, for a driver that lends it on under rules of its own: it wraps it into a
    /// [`Held`] of its own and a new lease.
    ///
    /// # Errors
    /// Gives the lease back when it is in doubt or was changed by raw SQL.
    pub fn into_held(mut self) -> Result<Box<dyn Held>, Lease> {
        if self.in_doubt || self.tainted {
            return Err(self);
        }
        match self.held.take() {
            Some(held) => Ok(held),
            None => Err(self),
        }
    }

    /// Runs one statement.
    ///
    /// # Errors
    /// Those of the database; `Timeout(Statement)` when it ran longer than its limit, after which
    /// only dropping the lease is possible.
    pub async fn run(&mut self, statement: &Statement, sink: &mut Sink) -> Result<Done> {
        let held = Self::enter(&mut self.held, &mut self.in_doubt)?;
        self.tainted |= !statement.cached && may_leave_state(statement.sql());
        let (limit, slow) = (held.statement_timeout(), held.slow_statement());
        let session = held.session();
        let sql = statement.text.sql();
        let watch = Watch::start(session.dialect().name(), Text::Statement(sql), slow);
        // Elapsed: the statement may still run, so the connection stays in doubt.
        let call = session.run(statement, sink);
        let result = within(limit, Some(sql), watch.inside(call)).await?;
        self.in_doubt = false;
        watch.finish(result.as_ref().ok().map(|done| done.rows_affected));
        result
    }

    /// Runs several statements in order, together where the driver can.
    ///
    /// # Errors
    /// The first error; `Timeout(Statement)` as for [`run`](Lease::run), for all together.
    pub async fn run_many(&mut self, steps: &mut [Step<'_>]) -> Result<()> {
        let Some(first) = steps.first() else {
            return Ok(());
        };
        let sql = first.statement.text.sql();
        let held = Self::enter(&mut self.held, &mut self.in_doubt)?;
        self.tainted |= steps
            .iter()
            .any(|step| !step.statement.cached && may_leave_state(step.statement.sql()));
        let (limit, slow) = (held.statement_timeout(), held.slow_statement());
        let session = held.session();
        let system = session.dialect().name();
        let statements = steps.iter().map(|step| step.statement);
        let texts = statements.map(|statement| Text::Statement(statement.text.sql()));
        let watches: Vec<Watch<'_>> = texts.map(|t| Watch::start(system, t, slow)).collect();
        let result = within(limit, Some(sql), session.run_many(steps)).await?;
        self.in_doubt = false;
        for (watch, step) in watches.into_iter().zip(steps) {
            watch.finish(step.done.map(|done| done.rows_affected));
        }
        result
    }

    /// Inserts rows by a protocol of the database's own; `None` when it has none, or none that is
    /// faster for so few rows: nothing was sent then.
    ///
    /// # Errors
    /// As [`run`](Lease::run).
    pub async fn bulk_insert(&mut self, rows: &BulkRows<'_>) -> Result<Option<Done>> {
        let held = Self::enter(&mut self.held, &mut self.in_doubt)?;
        let (limit, slow) = (held.statement_timeout(), held.slow_statement());
        let session = held.session();
        if session
            .bulk_threshold()
            .is_none_or(|least| rows.len() < least)
        {
            self.in_doubt = false;
            return Ok(None);
        }
        let watch = Watch::start(session.dialect().name(), Text::Command("COPY"), slow);
        let result = within(limit, None, session.bulk_insert(rows)).await?;
        self.in_doubt = false;
        watch.finish(result.as_ref().ok().map(|done| done.rows_affected));
        result.map(Some)
    }

    /// Runs one statement for each set of values, all or none.
    ///
    /// # Errors
    /// The first error, after rolling back.
    pub async fn execute_many(
        &mut self,
        statement: &Statement,
        sets: Vec<Vec<Value>>,
    ) -> Result<u64> {
        if self.health() == Health::InTransaction {
            return self.run_sets(statement, sets).await;
        }
        self.begin(&TransactionOptions::new()).await?;
        let result = match self.run_sets(statement, sets).await {
            Ok(matched) => self.commit().await.map(|()| matched),
            Err(error) => Err(error),
        };
        if result.is_err() && self.health() == Health::InTransaction {
            // The first error says more; if this one fails too, the connection is closed.
            let _ = self.rollback().await;
        }
        result
    }

    async fn run_sets(&mut self, statement: &Statement, sets: Vec<Vec<Value>>) -> Result<u64> {
        let mut sets = sets.into_iter();
        let mut matched = 0;
        loop {
            let statements = sets.by_ref().take(SETS_TOGETHER).map(|values| {
                let mut statement = statement.clone();
                statement.cached = true;
                statement.values = values;
                (statement, Sink::discard())
            });
            let mut statements: Vec<(Statement, Sink)> = statements.collect();
            if statements.is_empty() {
                return Ok(matched);
            }
            let steps = statements.iter_mut();
            let mut steps: Vec<Step<'_>> = steps.map(|(s, sink)| Step::new(s, sink)).collect();
            self.run_many(&mut steps).await?;
            let done = steps.iter().filter_map(|step| step.done);
            matched += done.map(|done| done.rows_affected).sum::<u64>();
        }
    }

    /// Runs trusted text with any number of statements. What it leaves on the connection is undone
    /// before the connection is lent again.
    ///
    /// # Errors
    /// The first error of the database; `Timeout(Statement)` as for [`run`](Lease::run).
    pub async fn run_script(&mut self, sql: &str) -> Result<()> {
        let held = Self::enter(&mut self.held, &mut self.in_doubt)?;
        self.tainted = true;
        let (limit, slow) = (held.statement_timeout(), held.slow_statement());
        let session = held.session();
        let watch = Watch::start(session.dialect().name(), Text::Script(sql), slow);
        let call = session.run_script(sql);
        let result = within(limit, None, watch.inside(call)).await?;
        self.in_doubt = false;
        watch.finish(result.is_ok().then_some(0));
        result
    }

    /// Marks the connection as changed by raw SQL, so that it is reset before it is lent again.
    pub fn taint(&mut self) {
        self.tainted = true;
    }

    /// What the driver knows about the connection; `Broken` while in doubt.
    pub fn health(&mut self) -> Health {
        match &mut self.held {
            Some(held) if !self.in_doubt => held.session().health(),
            _ => Health::Broken,
        }
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// `Unsupported` for options that the database lacks; those of the database.
    pub async fn begin(&mut self, options: &TransactionOptions) -> Result<()> {
        let (session, watch) = self.command(Text::Command("BEGIN"), |facts| {
            super::dialect::check_options(facts, options)
        })?;
        let result = watch.inside(session.begin(options)).await;
        self.answered(watch, result)
    }

    /// Commits.
    ///
    /// # Errors
    /// `CommitOutcomeUnknown` when the connection was lost before the answer; else those of the
    /// database, after which the transaction is still to be rolled back.
    pub async fn commit(&mut self) -> Result<()> {
        let (session, watch) = self.command(Text::Command("COMMIT"), |_| Ok(()))?;
        let result = watch.inside(session.commit()).await;
        match self.answered(watch, result) {
            Err(Error::ConnectionLost(error)) => {
                self.in_doubt = true;
                Err(Error::CommitOutcomeUnknown(error))
            }
            other => other,
        }
    }

    /// Rolls back.
    ///
    /// # Errors
    /// Those of the database; the connection is then closed when dropped.
    pub async fn rollback(&mut self) -> Result<()> {
        let (session, watch) = self.command(Text::Command("ROLLBACK"), |_| Ok(()))?;
        let result = watch.inside(session.rollback()).await;
        let result = self.answered(watch, result);
        self.in_doubt = result.is_err();
        result
    }

    /// Sets the savepoint of this depth.
    ///
    /// # Errors
    /// `Unsupported` where there are none; those of the database.
    pub async fn savepoint(&mut self, depth: u32) -> Result<()> {
        let (session, watch) = self.command(Text::Savepoint("SAVEPOINT", depth), |facts| {
            match facts.savepoints {
                true => Ok(()),
                false => Err(Error::Unsupported("savepoints")),
            }
        })?;
        let result = watch.inside(session.savepoint(depth)).await;
        self.answered(watch, result)
    }

    /// Undoes everything since the savepoint of this depth, and removes it.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn rollback_to(&mut self, depth: u32) -> Result<()> {
        let text = Text::Savepoint("ROLLBACK TO SAVEPOINT", depth);
        let (session, watch) = self.command(text, |_| Ok(()))?;
        let result = watch.inside(session.rollback_to(depth)).await;
        self.answered(watch, result)
    }

    /// Keeps what was done since the savepoint of this depth, and removes it.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn release(&mut self, depth: u32) -> Result<()> {
        let text = Text::Savepoint("RELEASE SAVEPOINT", depth);
        let (session, watch) = self.command(text, |_| Ok(()))?;
        let result = watch.inside(session.release(depth)).await;
        self.answered(watch, result)
    }

    /// The native connection of the driver, for what the contract does not cover. Whatever is done
    /// to it is undone before the connection is lent again, as far as the driver can.
    ///
    /// # Errors
    /// `ConnectionLost` when the connection is in doubt.
    pub fn native(&mut self) -> Result<&mut dyn Any> {
        let held = Self::enter(&mut self.held, &mut self.in_doubt)?;
        self.in_doubt = false;
        self.tainted = true;
        Ok(held.session().native())
    }

    /// Marks the connection as in doubt; the caller clears the mark after the complete answer.
    fn enter<'a>(
        held: &'a mut Option<Box<dyn Held>>,
        in_doubt: &mut bool,
    ) -> Result<&'a mut Box<dyn Held>> {
        match held {
            Some(held) if !*in_doubt => {
                *in_doubt = true;
                Ok(held)
            }
            _ => Err(Error::database(
                ErrorKind::ConnectionLost,
                DatabaseError::new(
                    "an earlier call on this connection did not finish, so it will be closed",
                ),
            )),
        }
    }

    /// Enters for a transaction command, unless `check` refuses it; nothing is sent then.
    fn command<'a>(
        &mut self,
        text: Text<'a>,
        check: impl FnOnce(&super::Capabilities) -> Result<()>,
    ) -> Result<(&mut dyn TransactionManager, Watch<'a>)> {
        let held = Self::enter(&mut self.held, &mut self.in_doubt)?;
        let slow = held.slow_statement();
        let session = held.session();
        let dialect = session.dialect();
        if let Err(refused) = check(dialect.capabilities()) {
            self.in_doubt = false;
            return Err(refused);
        }
        Ok((session, Watch::start(dialect.name(), text, slow)))
    }

    fn answered(&mut self, watch: Watch<'_>, result: Result<()>) -> Result<()> {
        self.in_doubt = false;
        watch.finish(result.is_ok().then_some(0));
        result
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(mut held) = self.held.take() else {
            return;
        };
        if self.in_doubt {
            return held.clean_up(true);
        }
        match held.session().health() {
            Health::Broken => held.discard(),
            Health::InTransaction => held.clean_up(false),
            Health::Clean if self.tainted => held.clean_up(false),
            Health::Clean => held.give_back(),
        }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("in_doubt", &self.in_doubt)
            .finish_non_exhaustive()
    }
}

/// Awaits the answer for at most `limit`. The outer error says that none came in time.
async fn within<T>(
    limit: Option<Duration>,
    sql: Option<&Arc<str>>,
    call: impl Future<Output = Result<T>>,
) -> Result<Result<T>> {
    let Some(limit) = limit else {
        return Ok(call.await);
    };
    // Boxed, so that the timer is not part of every call.
    let limited = Box::pin(tokio::time::timeout(limit, call));
    limited.await.map_err(|_| {
        let mut error = DatabaseError::new(format!("no answer within {limit:?}"));
        if let Some(sql) = sql {
            error = error.with_sql(Arc::clone(sql));
        }
        Error::Timeout(TimeoutKind::Statement, Box::new(error))
    })
}

/// Whether raw text may change settings of the connection or create something temporary: anything
/// that is not plainly a query or a change of rows.
fn may_leave_state(sql: &str) -> bool {
    let word = sql.trim_start().split(|c: char| !c.is_ascii_alphabetic());
    let word = word.into_iter().next().unwrap_or("");
    let plain = [
        "select", "insert", "update", "delete", "replace", "with", "values",
    ];
    !plain.iter().any(|known| word.eq_ignore_ascii_case(known))
}
