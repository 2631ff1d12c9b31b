//! A borrowed connection: in doubt from before each driver call until its complete answer.

use super::{
    BulkRows, Done, Health, Intent, Sink, Statement, Step, TransactionManager, TransactionOptions,
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
    /// A transaction was begun and has not ended.
    in_transaction: bool,
}

impl Lease {
    /// A lease of this connection.
    pub fn new(held: Box<dyn Held>) -> Self {
        Lease {
            held: Some(held),
            in_doubt: false,
            tainted: false,
            in_transaction: false,
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
    /// only dropping the lease is possible. A write outside a transaction that ends like that, or
    /// in `ConnectionLost`, has an unknown outcome, and its error says so.
    pub async fn run(&mut self, statement: &Statement, sink: &mut Sink) -> Result<Done> {
        let held = Self::enter(&mut self.held, &mut self.in_doubt)?;
        self.tainted |= !statement.cached && may_leave_state(statement.sql());
        let (limit, slow) = (held.statement_timeout(), held.slow_statement());
        let session = held.session();
        let sql = statement.text.sql();
        let watch = Watch::start(session.dialect().name(), Text::Statement(sql), slow);
        // Elapsed: the statement may still run, so the connection stays in doubt.
        let writes = statement.intent == Intent::Write && !self.in_transaction;
        let call = session.run(statement, sink);
        let result = within(limit, Some(sql), watch.inside(call))
            .await
            .map_err(|late| without_answer(late, writes))?;
        self.in_doubt = false;
        watch.finish(result.as_ref().ok().map(|done| done.rows_affected));
        match result {
            Err(Error::ConnectionLost(_)) => result.map_err(|lost| without_answer(lost, writes)),
            answered => answered,
        }
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
        let writes = steps.iter().any(|s| s.statement.intent == Intent::Write);
        let writes = writes && !self.in_transaction;
        let result = within(limit, Some(sql), session.run_many(steps))
            .await
            .map_err(|late| without_answer(late, writes))?;
        self.in_doubt = false;
        for (watch, step) in watches.into_iter().zip(steps) {
            watch.finish(step.done.map(|done| done.rows_affected));
        }
        match result {
            Err(Error::ConnectionLost(_)) => result.map_err(|lost| without_answer(lost, writes)),
            answered => answered,
        }
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
        let writes = !self.in_transaction;
        let call = session.bulk_insert(rows);
        let result = within(limit, None, watch.inside(call))
            .await
            .map_err(|late| without_answer(late, writes))?;
        self.in_doubt = false;
        watch.finish(result.as_ref().ok().map(|done| done.rows_affected));
        match result {
            Err(lost @ Error::ConnectionLost(_)) => Err(without_answer(lost, writes)),
            answered => answered.map(Some),
        }
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
        let writes = !self.in_transaction;
        let call = session.run_script(sql);
        let result = within(limit, None, watch.inside(call))
            .await
            .map_err(|late| without_answer(late, writes))?;
        self.in_doubt = false;
        watch.finish(result.is_ok().then_some(0));
        match result {
            Err(Error::ConnectionLost(_)) => result.map_err(|lost| without_answer(lost, writes)),
            answered => answered,
        }
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
        let (session, watch, limit) = self.command(Text::Command("BEGIN"), |facts| {
            super::dialect::check_options(facts, options)
        })?;
        let result = within(limit, None, watch.inside(session.begin(options))).await?;
        self.in_transaction = result.is_ok();
        self.answered(watch, result)
    }

    /// Commits.
    ///
    /// # Errors
    /// `CommitOutcomeUnknown` when the connection was lost before the answer, or none came in time;
    /// else those of the database, after which the transaction is still to be rolled back.
    pub async fn commit(&mut self) -> Result<()> {
        let (session, watch, limit) = self.command(Text::Command("COMMIT"), |_| Ok(()))?;
        let result = match within(limit, None, watch.inside(session.commit())).await {
            Ok(result) => result,
            Err(Error::Timeout(_, late)) => {
                return Err(Error::CommitOutcomeUnknown(late.in_doubt()));
            }
            Err(other) => return Err(other),
        };
        self.in_transaction &= result.is_err();
        match self.answered(watch, result) {
            Err(Error::ConnectionLost(error)) => {
                self.in_doubt = true;
                Err(Error::CommitOutcomeUnknown(error.in_doubt()))
            }
            other => other,
        }
    }

    /// Rolls back.
    ///
    /// # Errors
    /// Those of the database; the connection is then closed when dropped.
    pub async fn rollback(&mut self) -> Result<()> {
        let (session, watch, limit) = self.command(Text::Command("ROLLBACK"), |_| Ok(()))?;
        let result = within(limit, None, watch.inside(session.rollback())).await?;
        self.in_transaction &= result.is_err();
        let result = self.answered(watch, result);
        self.in_doubt = result.is_err();
        result
    }

    /// Sets the savepoint of this depth.
    ///
    /// # Errors
    /// `Unsupported` where there are none; those of the database.
    pub async fn savepoint(&mut self, depth: u32) -> Result<()> {
        let (session, watch, limit) =
            self.command(Text::Savepoint("SAVEPOINT", depth), |facts| {
                match facts.savepoints {
                    true => Ok(()),
                    false => Err(Error::Unsupported("savepoints")),
                }
            })?;
        let result = within(limit, None, watch.inside(session.savepoint(depth))).await?;
        self.answered(watch, result)
    }

    /// Undoes everything since the savepoint of this depth, and removes it.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn rollback_to(&mut self, depth: u32) -> Result<()> {
        let text = Text::Savepoint("ROLLBACK TO SAVEPOINT", depth);
        let (session, watch, limit) = self.command(text, |_| Ok(()))?;
        let result = within(limit, None, watch.inside(session.rollback_to(depth))).await?;
        self.answered(watch, result)
    }

    /// Keeps what was done since the savepoint of this depth, and removes it.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn release(&mut self, depth: u32) -> Result<()> {
        let text = Text::Savepoint("RELEASE SAVEPOINT", depth);
        let (session, watch, limit) = self.command(text, |_| Ok(()))?;
        let result = within(limit, None, watch.inside(session.release(depth))).await?;
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
    ) -> Result<(&mut dyn TransactionManager, Watch<'a>, Option<Duration>)> {
        let held = Self::enter(&mut self.held, &mut self.in_doubt)?;
        let (limit, slow) = (held.statement_timeout(), held.slow_statement());
        let session = held.session();
        let dialect = session.dialect();
        if let Err(refused) = check(dialect.capabilities()) {
            self.in_doubt = false;
            return Err(refused);
        }
        Ok((session, Watch::start(dialect.name(), text, slow), limit))
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

/// An error that stands for a missing answer: nobody knows whether a write outside a transaction
/// took effect.
fn without_answer(error: Error, writes: bool) -> Error {
    match error {
        Error::ConnectionLost(report) if writes => Error::ConnectionLost(report.in_doubt()),
        Error::Timeout(TimeoutKind::Statement, report) if writes => {
            Error::Timeout(TimeoutKind::Statement, report.in_doubt())
        }
        other => other,
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

/// Whether raw text may change settings of the connection, take a lock or create something
/// temporary: anything that is not plainly a query or a change of rows. A function may do all of
/// that, so that only well-known ones pass.
fn may_leave_state(sql: &str) -> bool {
    const PLAIN: [&str; 7] = [
        "select", "insert", "update", "delete", "replace", "with", "values",
    ];
    const HARMLESS: [&str; 41] = [
        "",
        "abs",
        "all",
        "and",
        "any",
        "as",
        "avg",
        "between",
        "by",
        "case",
        "cast",
        "coalesce",
        "concat",
        "count",
        "distinct",
        "else",
        "exists",
        "from",
        "group_concat",
        "in",
        "join",
        "length",
        "like",
        "lower",
        "max",
        "min",
        "not",
        "nullif",
        "on",
        "or",
        "over",
        "returning",
        "round",
        "select",
        "set",
        "sum",
        "then",
        "upper",
        "values",
        "when",
        "where",
    ];
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '"' | '`');
    let words = |text: &str| {
        text.split(|c| !is_word(c))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let first = sql.trim_start().split(|c: char| !c.is_ascii_alphabetic());
    let first = first.into_iter().next().unwrap_or("");
    let is = |word: &str, known: &&str| word.eq_ignore_ascii_case(known);
    if !PLAIN.iter().any(|known| is(first, known)) || sql.contains('@') {
        return true;
    }
    // `INSERT INTO t (..)` names columns; `SELECT .. INTO` makes a table.
    let inserts = !first.eq_ignore_ascii_case("select") && !first.eq_ignore_ascii_case("with");
    if !inserts && words(sql).iter().any(|word| is(word, &"into")) {
        return true;
    }
    let mut into = false;
    sql.match_indices('(').any(|(at, _)| {
        let before = sql[..at].trim_end();
        let word = before.rsplit(|c| !is_word(c)).next().unwrap_or("");
        let rest = before[..before.len() - word.len()].trim_end();
        let target = rest.rsplit(|c| !is_word(c)).next().unwrap_or("");
        let names_columns = inserts && !into && is(target, &"into");
        into |= names_columns;
        !names_columns && !HARMLESS.iter().any(|known| is(word, known))
    })
}

#[cfg(test)]
mod tests {
    use super::may_leave_state;

    #[test]
    fn only_what_is_plainly_harmless_leaves_nothing() {
        for plain in [
            "SELECT id, count(*) FROM t WHERE a IN (1, 2) AND (b = 1 OR lower(c) = 'x')",
            "INSERT INTO t (a, b) VALUES (1, 2)",
            "INSERT INTO \"t\" (a) SELECT max(b) FROM t",
            "update t set a = coalesce(b, 1)",
            "WITH x AS (SELECT 1) SELECT * FROM x",
        ] {
            assert!(!may_leave_state(plain), "{plain}");
        }
        for other in [
            "SET x = 1",
            "SELECT set_config('app.tenant', '7', false)",
            "SELECT pg_advisory_lock (99)",
            "SELECT GET_LOCK('x', 10)",
            "SELECT @a := 7",
            "SELECT 1 INTO TEMP t",
            "INSERT INTO t (a) VALUES (nextval('s'))",
            "/* x */ SELECT 1",
        ] {
            assert!(may_leave_state(other), "{other}");
        }
    }
}
