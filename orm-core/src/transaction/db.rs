//! Where a query runs: a connection, or a transaction.

use super::level::Style;
use super::{Tx, TxGuard, own};
use crate::backend::{
    BaseDBAsyncClient, BulkRows, Dialect, Done, Intent, Sink, Statement, Step, TransactionOptions,
};
use crate::connection::{self, Connection};
use crate::error::{Error, Result};

/// Where a query runs. `using_db` takes anything that converts into it.
#[derive(Clone, Debug)]
pub enum Db {
    /// A connection: each statement is a transaction of its own.
    Client(Connection),
    /// A transaction.
    Transaction(Tx),
}

impl Db {
    /// The explicit choice; else the task's transaction of the default connection; else the
    /// default connection.
    ///
    /// # Errors
    /// `Configuration` when there is no default connection.
    pub fn pick(explicit: Option<&Db>) -> Result<Db> {
        match explicit {
            Some(db) => Ok(db.clone()),
            None => Ok(super::pick(connection::default_connection()?)),
        }
    }

    /// The task's transaction of the connection of this name; else the connection.
    ///
    /// # Errors
    /// `Configuration` for an unknown name.
    pub fn named(name: &str) -> Result<Db> {
        Ok(super::pick(connection::get_connection(name)?))
    }

    /// The task's transaction of this connection; else the connection.
    pub fn current(connection: &Connection) -> Db {
        super::pick(connection.clone())
    }

    /// The dialect.
    pub fn dialect(&self) -> &'static dyn Dialect {
        self.client().dialect()
    }

    /// Runs one statement.
    ///
    /// # Errors
    /// Those of acquiring a connection, of the transaction's state, and of the database.
    pub async fn run(&self, statement: &Statement, sink: &mut Sink) -> Result<Done> {
        match self {
            Db::Client(connection) => match connection.try_acquire(statement.intent) {
                Some(mut lease) => lease.run(statement, sink).await,
                None => match own::in_the_way(connection, statement.intent) {
                    Some(guards) => {
                        let acquiring = guards.acquire(connection, statement.intent);
                        let mut lease = Box::pin(acquiring).await?;
                        lease.run(statement, sink).await
                    }
                    None => connection.run(statement, sink).await,
                },
            },
            Db::Transaction(tx) => tx.run(statement, sink).await,
        }
    }

    /// Runs several statements that do not depend on each other, together where the driver can.
    ///
    /// # Errors
    /// As [`run`](Db::run).
    pub async fn run_many(&self, steps: &mut [Step<'_>]) -> Result<()> {
        match self {
            Db::Client(connection) => connection.run_many(steps).await,
            Db::Transaction(tx) => tx.run_many(steps).await,
        }
    }

    /// Inserts rows by a protocol of the database's own; `None` when it has none that is faster:
    /// nothing was sent then.
    ///
    /// # Errors
    /// As [`run`](Db::run).
    pub async fn bulk_insert(&self, rows: &BulkRows<'_>) -> Result<Option<Done>> {
        match self {
            Db::Client(connection) => {
                let mut lease = match connection.try_acquire(Intent::Write) {
                    Some(lease) => lease,
                    None => match own::in_the_way(connection, Intent::Write) {
                        Some(guards) => guards.acquire(connection, Intent::Write).await?,
                        None => connection.acquire(Intent::Write).await?,
                    },
                };
                lease.bulk_insert(rows).await
            }
            Db::Transaction(tx) => tx.bulk_insert(rows).await,
        }
    }

    /// Runs trusted text with any number of statements and no values.
    ///
    /// # Errors
    /// As [`run`](Db::run).
    pub async fn script(&self, sql: &str) -> Result<()> {
        match self {
            Db::Client(connection) => match own::in_the_way(connection, Intent::Write) {
                Some(guards) => {
                    let mut lease = guards.acquire(connection, Intent::Write).await?;
                    lease.run_script(sql).await
                }
                None => connection.execute_script(sql).await,
            },
            Db::Transaction(tx) => tx.script(sql).await,
        }
    }

    /// Runs `block` in a transaction here; nested if this is one. For operations that need several
    /// statements, all or none.
    ///
    /// # Errors
    /// As [`in_transaction`](super::in_transaction).
    pub async fn atomic<T, E, F>(&self, block: F) -> Result<T, E>
    where
        E: From<Error>,
        F: AsyncFnOnce(Tx) -> Result<T, E>,
    {
        super::run_block(self, &TransactionOptions::new(), block).await
    }

    /// As a client, for the `execute_…` calls.
    pub fn client(&self) -> &dyn BaseDBAsyncClient {
        match self {
            Db::Client(connection) => &**connection,
            Db::Transaction(tx) => tx,
        }
    }

    /// Whether this is a transaction.
    pub fn is_transaction(&self) -> bool {
        matches!(self, Db::Transaction(_))
    }

    pub(super) async fn begin(
        &self,
        options: &TransactionOptions,
        style: Style,
    ) -> Result<TxGuard> {
        match self {
            Db::Transaction(tx) if *options == TransactionOptions::new() => tx.nest(style).await,
            Db::Transaction(_) => Err(Error::configuration(
                "isolation level and read-only belong to the whole transaction: \
                 give them where the outermost one begins",
            )),
            Db::Client(connection) => {
                let intent = match options.read_only {
                    true => Intent::Read,
                    false => Intent::Write,
                };
                let lease = match connection.try_acquire(intent) {
                    Some(lease) => lease,
                    None => match own::in_the_way(connection, intent) {
                        Some(guards) => guards.acquire(connection, intent).await?,
                        None => connection.acquire(intent).await?,
                    },
                };
                let guard = Tx::outermost(connection.clone(), lease, options).await?;
                if style == Style::Guard {
                    own::note(guard.root(), intent);
                }
                Ok(guard)
            }
        }
    }
}

impl From<&Db> for Db {
    fn from(db: &Db) -> Db {
        db.clone()
    }
}

impl From<Connection> for Db {
    fn from(connection: Connection) -> Db {
        Db::Client(connection)
    }
}

impl From<&Connection> for Db {
    fn from(connection: &Connection) -> Db {
        Db::Client(connection.clone())
    }
}

impl From<Tx> for Db {
    fn from(tx: Tx) -> Db {
        Db::Transaction(tx)
    }
}

impl From<&Tx> for Db {
    fn from(tx: &Tx) -> Db {
        Db::Transaction(tx.clone())
    }
}

impl From<&TxGuard> for Db {
    fn from(guard: &TxGuard) -> Db {
        Db::Transaction(guard.handle())
    }
}
