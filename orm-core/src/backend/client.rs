//! What queries run on: a pooled client of one database.

use super::{
    Dialect, Done, Intent, Lease, RowAccess, RowSink, Sink, SinkFlow, Statement, StatementText,
    Step,
};
use crate::error::{Error, Result};
use crate::value::Value;
use async_trait::async_trait;
use std::{any::Any, collections::BTreeMap, fmt, sync::Arc};

/// A client of one database: what `Tortoise::get_connection` returns and every query runs on.
///
/// A driver implements the required methods by holding a [`Pool`](crate::pool::Pool); the
/// documented `execute_…` calls are provided. Raw SQL given to them is sent as it is: pass what
/// comes from outside as values, never as text.
#[async_trait]
pub trait BaseDBAsyncClient: fmt::Debug + Send + Sync + 'static {
    /// The dialect.
    fn dialect(&self) -> &'static dyn Dialect;

    /// Borrows a connection for one unit of work.
    ///
    /// # Errors
    /// `Timeout(Acquire)` when none became free in time, naming the size of the pool and who
    /// holds; whatever connecting fails with.
    async fn acquire(&self, intent: Intent) -> Result<Lease>;

    /// Borrows a connection if one is idle and ready, which saves the future of
    /// [`acquire`](BaseDBAsyncClient::acquire). `None` says nothing: then `acquire` decides.
    fn try_acquire(&self, intent: Intent) -> Option<Lease> {
        let _ = intent;
        None
    }

    /// Whether `acquire(intent)` can only wait while the connections that were borrowed for `held`
    /// are not given back: there are no others, and none can be opened. `false` when not known.
    fn must_wait(&self, intent: Intent, held: &[Intent]) -> bool {
        let _ = (intent, held);
        false
    }

    /// Closes all connections: new `acquire`s fail, borrowed ones close when given back. Closing
    /// twice is fine.
    async fn close(&self);

    /// Runs one statement in a transaction of its own.
    ///
    /// # Errors
    /// Those of `acquire` and of the statement.
    async fn run(&self, statement: &Statement, sink: &mut Sink) -> Result<Done> {
        let mut lease = match self.try_acquire(statement.intent) {
            Some(lease) => lease,
            None => self.acquire(statement.intent).await?,
        };
        lease.run(statement, sink).await
    }

    /// Runs several statements on one connection, each in a transaction of its own, together where
    /// the driver can. Not for statements that depend on each other.
    ///
    /// # Errors
    /// Those of `acquire`; the first error of a statement.
    async fn run_many(&self, steps: &mut [Step<'_>]) -> Result<()> {
        let reads = steps.iter().all(|s| s.statement.intent == Intent::Read);
        let intent = if reads { Intent::Read } else { Intent::Write };
        self.acquire(intent).await?.run_many(steps).await
    }

    /// Runs one statement and returns its rows. No rows is `Ok` with an empty set.
    ///
    /// # Errors
    /// `Statement` for SQL that the database rejects; all kinds of the database.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let connection = Tortoise::get_connection("default")?;
    /// let sql = "SELECT title FROM post WHERE views > ? ORDER BY id";
    /// let rows = connection.execute_query(sql, vec![10.into()]).await?;
    /// assert_eq!(rows.len(), 2);
    /// assert_eq!(rows.rows()[0][0], "Rust".into());
    /// # Ok(()) }) }
    /// ```
    async fn execute_query(&self, sql: &str, values: Vec<Value>) -> Result<Rows> {
        let statement = raw(sql, values);
        let mut sink = Sink::new(Rows::default());
        let done = self.run(&statement, &mut sink).await?;
        Rows::from_sink(sink, done)
    }

    /// Runs one statement and returns its rows as maps from column name to value.
    ///
    /// # Errors
    /// As `execute_query`.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let connection = Tortoise::get_connection("default")?;
    /// let sql = "SELECT title, views FROM post ORDER BY id";
    /// let rows = connection.execute_query_dict(sql, vec![]).await?;
    /// assert_eq!(rows[0]["views"], 1.into());
    /// # Ok(()) }) }
    /// ```
    async fn execute_query_dict(
        &self,
        sql: &str,
        values: Vec<Value>,
    ) -> Result<Vec<BTreeMap<String, Value>>> {
        Ok(self.execute_query(sql, values).await?.into_dicts())
    }

    /// Runs an INSERT and returns the generated key: the first column of `RETURNING`, else the key
    /// that the database reports.
    ///
    /// # Errors
    /// As `execute_query`.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let connection = Tortoise::get_connection("default")?;
    /// let sql = "INSERT INTO tag (name) VALUES (?)";
    /// let key = connection.execute_insert(sql, vec!["new".into()]).await?;
    /// assert_eq!(key, Tag::get(kw!(name = "new")).await?.id.into());
    /// # Ok(()) }) }
    /// ```
    async fn execute_insert(&self, sql: &str, values: Vec<Value>) -> Result<Value> {
        let mut rows = self.execute_query(sql, values).await?;
        let first = rows
            .rows
            .first_mut()
            .and_then(|row| row.first_mut())
            .map(Value::take);
        Ok(first.unwrap_or_else(|| rows.done.last_insert_id.into()))
    }

    /// Runs one statement once for each set of values, all or none, and returns how many rows it
    /// matched in all.
    ///
    /// # Errors
    /// The first error; nothing is kept then.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let connection = Tortoise::get_connection("default")?;
    /// let sets = ["x", "y"].map(|name| vec![name.into()]);
    /// connection.execute_many("INSERT INTO tag (name) VALUES (?)", sets.into()).await?;
    /// assert_eq!(Tag::all().count().await?, 4);
    /// # Ok(()) }) }
    /// ```
    async fn execute_many(&self, sql: &str, sets: Vec<Vec<Value>>) -> Result<u64> {
        let mut lease = self.acquire(Intent::Write).await?;
        lease.execute_many(&raw(sql, Vec::new()), sets).await
    }

    /// Runs trusted text with any number of statements, without values.
    ///
    /// # Errors
    /// The first error; what ran before it stays.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let connection = Tortoise::get_connection("default")?;
    /// connection.execute_script("DELETE FROM post_tags; DELETE FROM tag;").await?;
    /// assert_eq!(Tag::all().count().await?, 0);
    /// # Ok(()) }) }
    /// ```
    async fn execute_script(&self, sql: &str) -> Result<()> {
        self.acquire(Intent::Write).await?.run_script(sql).await
    }
}

/// Raw text as a statement. A text that begins with SELECT reads, everything else may write.
pub(crate) fn raw(sql: &str, values: Vec<Value>) -> Statement {
    let reads = sql
        .trim_start()
        .get(..6)
        .is_some_and(|word| word.eq_ignore_ascii_case("select"));
    let intent = if reads { Intent::Read } else { Intent::Write };
    Statement::new(StatementText::new(sql), values)
        .with_intent(intent)
        .uncached()
}

/// Rows read without a model: values in the order of the columns.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    columns: Vec<Arc<str>>,
    rows: Vec<Vec<Value>>,
    done: Done,
}

/// One row of [`Rows`].
pub type Row = Vec<Value>;

impl Rows {
    pub(crate) fn from_sink(sink: Sink, done: Done) -> Result<Rows> {
        let mut rows: Rows = sink
            .downcast()
            .ok_or_else(|| Error::configuration("the driver replaced the row sink"))?;
        rows.done = done;
        Ok(rows)
    }

    /// Names of the columns.
    pub fn columns(&self) -> &[Arc<str>] {
        &self.columns
    }

    /// The rows.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Rows that an insert, update or delete matched.
    pub fn rows_affected(&self) -> u64 {
        self.done.rows_affected
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows, owned.
    pub fn into_rows(self) -> Vec<Row> {
        self.rows
    }

    /// The rows as maps from column name to value. Of two columns with one name the last stays.
    pub fn into_dicts(self) -> Vec<BTreeMap<String, Value>> {
        let columns = self.columns;
        self.rows
            .into_iter()
            .map(|row| columns.iter().map(|c| c.to_string()).zip(row).collect())
            .collect()
    }
}

impl RowSink for Rows {
    fn row(&mut self, row: &dyn RowAccess) -> Result<SinkFlow> {
        if self.columns.is_empty() {
            self.columns = (0..row.len()).map(|i| Arc::from(row.name(i))).collect();
        }
        let cells = (0..row.len())
            .map(|i| Ok(row.cell(i)?.to_value()))
            .collect::<Result<_>>()?;
        self.rows.push(cells);
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
