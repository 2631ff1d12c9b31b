//! One connection: statements kept prepared, rows handed on while they arrive, and a state that is
//! in doubt from before each call until its complete answer.

use crate::error::{
    classify, closed, ends_transaction, has_too_many_prepared, is_empty_text, is_fatal,
    is_not_preparable, must_prepare_again, refuse,
};
use crate::pool::{Facts, KeyPlace, Shared, set_up};
use crate::row::{CurrentRow, Layout};
use crate::script;
use crate::value::{bind, check_text};
use async_trait::async_trait;
use lru::LruCache;
use mysql_async::consts::StatusFlags;
use mysql_async::prelude::{Protocol, Queryable};
use mysql_async::{Conn, Params, QueryResult};
use orm_core::backend::{
    Dialect, Done, Health, Intent, KeySequence, Session, Sink, SinkFlow, Statement,
};
use orm_core::error::{ConstraintKind, Error, ErrorKind, IntegrityError, Result};
use std::{
    any::Any,
    fmt,
    future::Future,
    num::NonZeroUsize,
    pin::pin,
    sync::Arc,
    task::{Context, Waker},
};

/// Most values of one statement.
const MAX_VALUES: usize = 65_535;

/// One connection to a MariaDB or MySQL server.
pub struct MySqlSession {
    conn: Conn,
    facts: Facts,
    shared: Arc<Shared>,
    kept: LruCache<u64, mysql_async::Statement>,
    in_transaction: bool,
    /// A call is on its way, or was dropped on its way.
    busy: bool,
    broken: bool,
    /// Raw SQL may have changed the distance between generated keys.
    step_in_doubt: bool,
}

/// What a statement reported besides its rows.
struct Answer {
    affected: u64,
    last_insert_id: Option<u64>,
    /// Why the sink refused a row.
    refused: Option<Error>,
}

impl MySqlSession {
    pub(crate) fn new(conn: Conn, facts: Facts, shared: Arc<Shared>) -> Self {
        let size = NonZeroUsize::new(shared.config.statement_cache).unwrap_or(NonZeroUsize::MIN);
        MySqlSession {
            conn,
            facts,
            shared,
            kept: LruCache::new(size),
            in_transaction: false,
            busy: false,
            broken: false,
            step_in_doubt: false,
        }
    }

    pub(crate) fn facts(&self) -> Facts {
        self.facts
    }

    pub(crate) fn in_transaction(&self) -> bool {
        self.in_transaction
    }

    /// In doubt from here on, until [`leave`](Self::leave).
    fn enter(&mut self) -> Result<()> {
        if self.busy || self.broken {
            return Err(closed(
                "the connection is closed, or an earlier call did not finish",
            ));
        }
        self.busy = true;
        Ok(())
    }

    /// The complete answer is there.
    fn leave<T>(
        &mut self,
        result: mysql_async::Result<T>,
        sql: Option<&Arc<str>>,
        may_write: bool,
    ) -> Result<T> {
        self.busy = false;
        match result {
            Ok(value) => {
                self.in_transaction = self.conn.last_ok_packet().is_some_and(|ok| {
                    ok.status_flags()
                        .contains(StatusFlags::SERVER_STATUS_IN_TRANS)
                });
                Ok(value)
            }
            Err(error) => {
                self.broken |= is_fatal(&error);
                self.in_transaction &= !ends_transaction(&error);
                Err(classify(error, sql, may_write))
            }
        }
    }

    /// Runs commands of ours, in one round trip.
    pub(crate) async fn command(&mut self, sql: &str) -> Result<()> {
        self.enter()?;
        let result = self.conn.query_drop(sql).await;
        self.leave(result, None, true)
    }

    /// Prepares a statement, giving up those that are kept when the server has no room for more.
    async fn prepare(&mut self, sql: &str) -> mysql_async::Result<mysql_async::Statement> {
        match self.conn.prep(sql).await {
            Err(error) if has_too_many_prepared(&error) && !self.kept.is_empty() => {
                while let Some((_, kept)) = self.kept.pop_lru() {
                    self.conn.close(kept).await?;
                }
                self.conn.prep(sql).await
            }
            other => other,
        }
    }

    /// Runs a statement, preparing it if it is not known.
    async fn execute(
        &mut self,
        statement: &Statement,
        sink: &mut Sink,
        values: Vec<mysql_async::Value>,
    ) -> mysql_async::Result<Result<Answer>> {
        let (id, sql) = (statement.text.id(), statement.text.sql());
        let known = self.kept.get(&id).cloned();
        let prepared = match known {
            Some(prepared) => prepared,
            None => match self.prepare(sql).await {
                Ok(prepared) => prepared,
                Err(error) if is_not_preparable(&error) && values.is_empty() => {
                    let mut result = self.conn.query_iter(&**sql).await?;
                    return feed(&mut result, Some(Layout::Text), sink).await.map(Ok);
                }
                Err(error) => return Err(error),
            },
        };
        let (wanted, given) = (usize::from(prepared.num_params()), values.len());
        if wanted != given {
            self.conn.close(prepared).await?;
            self.kept.pop(&id);
            let message =
                format!("the statement has {wanted} placeholders, but {given} values were given");
            return Ok(Err(refuse(ErrorKind::Statement, message, sql)));
        }
        if statement.cached {
            let old = self.kept.push(id, prepared.clone());
            if let Some((_, old)) = old.filter(|(old, _)| *old != id) {
                self.conn.close(old).await?;
            }
        }
        let params = match values.is_empty() {
            true => Params::Empty,
            false => Params::Positional(values),
        };
        let answer = match self.conn.exec_iter(&prepared, params).await {
            Ok(mut result) => feed(&mut result, None, sink).await,
            Err(error) => Err(error),
        };
        match &answer {
            Err(error) if must_prepare_again(error) => {
                self.kept.pop(&id);
            }
            Err(error) if is_fatal(error) => {}
            _ if !statement.cached => self.conn.close(prepared).await?,
            _ => {}
        }
        answer.map(Ok)
    }

    /// The distance between the keys of one statement.
    async fn key_step(&mut self) -> Result<i64> {
        if !self.step_in_doubt && !self.facts.clustered {
            return Ok(self.facts.key_step);
        }
        self.enter()?;
        let result = self.conn.query_first("SELECT @@auto_increment_increment");
        let step: Option<i64> = {
            let result = result.await;
            self.leave(result, None, false)?
        };
        let step = step.ok_or_else(|| closed("the server did not say how keys are counted"))?;
        (self.facts.key_step, self.step_in_doubt) = (step, false);
        Ok(step)
    }

    /// Adds table and columns to a broken constraint: the server names at most the key. Asks it
    /// once for each key.
    async fn with_columns(&mut self, error: IntegrityError, sql: &str) -> Error {
        let Some((schema, table)) = script::changed_table(sql) else {
            return error.into();
        };
        let known = error.table().map(str::to_owned);
        let table = known.unwrap_or(table);
        let error = error.with_table(&*table);
        let key = match (error.kind(), error.constraint()) {
            (ConstraintKind::Unique, Some(key)) => key.to_owned(),
            _ => return error.into(),
        };
        let schema = schema.unwrap_or_else(|| self.shared.config.database.clone());
        let place = (schema, table, key);
        let columns = match self.shared.known_key(&place) {
            Some(columns) => columns,
            None => {
                let columns = self.key_columns(&place).await;
                self.shared.learn_key(place, &columns);
                columns
            }
        };
        error.with_columns(columns).into()
    }

    /// The columns of a key; none when the server does not say.
    async fn key_columns(&mut self, (schema, table, key): &KeyPlace) -> Vec<String> {
        if self.enter().is_err() {
            return Vec::new();
        }
        let sql = "SELECT column_name FROM information_schema.statistics \
                   WHERE table_schema = ? AND table_name = ? AND index_name = ? \
                   ORDER BY seq_in_index";
        let conn = &mut self.conn;
        let result = async {
            let prepared = conn.prep(sql).await?;
            let columns = conn.exec(&prepared, (schema, table, key)).await?;
            conn.close(prepared).await?;
            Ok(columns)
        };
        let result = result.await;
        let columns: Result<Vec<Option<String>>> = self.leave(result, None, false);
        columns.map_or_else(
            |_| Vec::new(),
            |columns| columns.into_iter().flatten().collect(),
        )
    }

    async fn done(&mut self, answer: &Answer) -> Result<Done> {
        let done = Done::rows(answer.affected);
        let first = answer.last_insert_id.and_then(|id| i64::try_from(id).ok());
        let Some(first) = first else {
            return Ok(done);
        };
        let done = done.with_last_insert_id(first);
        if !self.facts.dialect.capabilities().key_sequences {
            return Ok(done);
        }
        let step = match answer.affected {
            0 | 1 => 1,
            _ => self.key_step().await?,
        };
        Ok(done.with_keys(KeySequence { first, step }))
    }

    /// Makes sure that dropping the connection closes it at once: the driver would else read the
    /// rest of the answer first, however long that takes.
    fn abandon(&mut self) {
        self.broken = true;
        if !self.conn.is_disconnected() && !std::thread::panicking() {
            // Dropped half way: the driver takes it for closed.
            let _ = pin!(self.conn.ping()).poll(&mut Context::from_waker(Waker::noop()));
        }
    }
}

/// Hands the rows of the first result to the sink, and reads the others to their ends.
async fn feed<P: Protocol>(
    result: &mut QueryResult<'_, '_, P>,
    layout: Option<Layout>,
    sink: &mut Sink,
) -> mysql_async::Result<Answer> {
    let columns = result.columns().unwrap_or_default();
    let layout = layout.unwrap_or_else(|| Layout::of(&columns));
    let mut refused = None;
    let mut wants_more = true;
    let mut rows = 0u64;
    let take = |row| {
        rows += 1;
        if !wants_more {
            return;
        }
        match sink.row(&CurrentRow::new(row, &columns, layout)) {
            Ok(SinkFlow::More) => {}
            Ok(SinkFlow::Stop) => wants_more = false,
            Err(error) => {
                wants_more = false;
                refused = Some(error);
            }
        }
    };
    result.for_each(take).await?;
    // An INSERT with RETURNING reports its rows by sending them.
    let mut affected = match columns.is_empty() {
        true => result.affected_rows(),
        false => rows,
    };
    let last_insert_id = result.last_insert_id();
    while !result.is_empty() {
        result.for_each(drop).await?;
        affected += result.affected_rows();
    }
    Ok(Answer {
        affected,
        last_insert_id,
        refused,
    })
}

#[async_trait]
impl Session for MySqlSession {
    fn dialect(&self) -> &'static dyn Dialect {
        self.facts.dialect
    }

    async fn run(&mut self, statement: &Statement, sink: &mut Sink) -> Result<Done> {
        let sql = statement.text.sql();
        if self.in_transaction && script::commits_implicitly(sql) {
            return Err(Error::Unsupported("transactional_ddl"));
        }
        if statement.values.len() > MAX_VALUES {
            let message = format!("the server takes at most {MAX_VALUES} values for a statement");
            return Err(refuse(ErrorKind::Resource, message, sql));
        }
        check_text(sql, self.facts.max_packet)?;
        if !statement.cached {
            self.step_in_doubt |= script::sets_something(sql);
            if script::commits_implicitly(sql) {
                self.shared.forget_keys();
            }
        }
        let values = bind(&statement.values, self.facts.max_packet, sql)?;
        self.enter()?;
        let mut result = self.execute(statement, sink, values).await;
        if result.as_ref().is_err_and(must_prepare_again) {
            let values = bind(&statement.values, self.facts.max_packet, sql)?;
            result = self.execute(statement, sink, values).await;
        }
        let was_open = self.in_transaction;
        // In a transaction a change of rows takes effect with COMMIT only.
        let takes_effect = !was_open || !script::only_changes_rows(sql);
        let may_write = statement.intent == Intent::Write && takes_effect;
        let answer = match self.leave(result, Some(sql), may_write) {
            Ok(Ok(answer)) => answer,
            Ok(Err(refused)) => {
                // Nothing ran: what the driver takes for the last status is that of preparing.
                self.in_transaction = was_open;
                return Err(refused);
            }
            Err(Error::Integrity(error)) => return Err(self.with_columns(*error, sql).await),
            Err(error) => return Err(error),
        };
        match answer.refused {
            Some(error) => Err(error),
            None if statement.intent == Intent::Read || !script::changes_rows(sql) => {
                Ok(Done::default())
            }
            None => self.done(&answer).await,
        }
    }

    async fn run_script(&mut self, sql: &str) -> Result<()> {
        let statements = script::statements(sql);
        let commits = |sql: &&str| script::commits_implicitly(sql);
        if self.in_transaction && statements.iter().any(commits) {
            return Err(Error::Unsupported("transactional_ddl"));
        }
        if statements.is_empty() {
            return Ok(());
        }
        // An empty statement in between would end the script.
        let text = statements.join(";\n");
        check_text(&text, self.facts.max_packet)?;
        self.step_in_doubt = true;
        self.shared.forget_keys();
        self.enter()?;
        let result = match self.conn.query_drop(text).await {
            Err(error) if is_empty_text(&error) => Ok(()),
            other => other,
        };
        self.leave(result, None, true)
    }

    fn health(&self) -> Health {
        if self.busy || self.broken || self.conn.is_disconnected() {
            Health::Broken
        } else if self.in_transaction {
            Health::InTransaction
        } else {
            Health::Clean
        }
    }

    async fn ping(&mut self) -> Result<()> {
        self.enter()?;
        let result = self.conn.ping().await;
        self.leave(result, None, false)
    }

    /// Ends the connection on the server, with the statement and the transaction: the protocol
    /// cannot say whose answer comes next.
    async fn recover(&mut self) -> Result<()> {
        let killed = self.shared.kill(self.conn.id()).await;
        self.abandon();
        killed?;
        Err(closed("a call was dropped before its answer came"))
    }

    async fn reset(&mut self) -> Result<()> {
        self.enter()?;
        let conn = &mut self.conn;
        // Closes the prepared statements too.
        self.kept.clear();
        let result = async {
            match conn.reset().await? {
                true => set_up(conn).await,
                false => Ok(None),
            }
        };
        let result = result.await;
        let facts = self.leave(result, None, false)?;
        self.facts = facts
            .filter(|facts| facts.dialect == self.facts.dialect)
            .ok_or_else(|| closed("the connection could not be reset"))?;
        self.step_in_doubt = false;
        Ok(())
    }

    fn native(&mut self) -> &mut dyn Any {
        self.step_in_doubt = true;
        &mut self.conn
    }
}

impl Drop for MySqlSession {
    fn drop(&mut self) {
        if self.busy {
            self.abandon();
        }
    }
}

impl fmt::Debug for MySqlSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MySqlSession")
            .field("target", &self.shared.config.target())
            .field("health", &self.health())
            .finish_non_exhaustive()
    }
}
