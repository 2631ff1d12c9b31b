//! Transactions of one connection, with defaults in standard SQL.

use super::{Done, Session, Sink, Statement, StatementText};
use crate::error::Result;
use async_trait::async_trait;

/// Isolation levels of standard SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Isolation {
    /// Sees what others have committed, statement by statement.
    ReadCommitted,
    /// Sees what was committed when it began.
    RepeatableRead,
    /// As if transactions ran one after the other.
    Serializable,
}

/// How to begin a transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransactionOptions {
    /// The isolation level; `None` = the database's default.
    pub isolation: Option<Isolation>,
    /// Refuse writes.
    pub read_only: bool,
}

impl TransactionOptions {
    /// The database's defaults.
    pub fn new() -> Self {
        TransactionOptions::default()
    }

    /// Asks for an isolation level.
    #[must_use]
    pub fn isolation(mut self, isolation: Isolation) -> Self {
        self.isolation = Some(isolation);
        self
    }

    /// Refuses writes.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }
}

/// Transaction commands of one connection.
///
/// The core calls them in the right order, with the isolation level already checked against the
/// capabilities, and marks the connection in doubt before each. After `commit` or `rollback`
/// returned, [`health`](Session::health) MUST say `Clean`; a database that ends a transaction by
/// itself (some errors do) MUST show that in `health`, since the core would otherwise believe it
/// open.
#[async_trait]
pub trait TransactionManager: Session {
    /// Begins a transaction.
    ///
    /// # Errors
    /// `Serialization` or `Timeout` when the database cannot grant it now.
    async fn begin(&mut self, options: &TransactionOptions) -> Result<()> {
        for sql in self.dialect().begin_sql(options)? {
            command(self, sql).await?;
        }
        Ok(())
    }

    /// Commits. MUST fail when the database rolled back instead.
    ///
    /// # Errors
    /// `Integrity` for deferred constraints; after any error the core rolls back.
    async fn commit(&mut self) -> Result<()> {
        command(self, "COMMIT").await
    }

    /// Rolls back. Fine when no transaction is open.
    ///
    /// # Errors
    /// When the state is in doubt: the core closes the connection.
    async fn rollback(&mut self) -> Result<()> {
        command(self, "ROLLBACK").await
    }

    /// Sets the savepoint of this nesting depth, from 1.
    ///
    /// # Errors
    /// Any error of the database.
    async fn savepoint(&mut self, depth: u32) -> Result<()> {
        command(self, &format!("SAVEPOINT sp{depth}")).await
    }

    /// Undoes everything since the savepoint, and removes it.
    ///
    /// # Errors
    /// When the savepoint is gone because the database ended the whole transaction.
    async fn rollback_to(&mut self, depth: u32) -> Result<()> {
        command(self, &format!("ROLLBACK TO SAVEPOINT sp{depth}")).await?;
        command(self, &format!("RELEASE SAVEPOINT sp{depth}")).await
    }

    /// Keeps what was done since the savepoint, and removes it.
    ///
    /// # Errors
    /// Any error of the database.
    async fn release(&mut self, depth: u32) -> Result<()> {
        command(self, &format!("RELEASE SAVEPOINT sp{depth}")).await
    }
}

async fn command<S: Session + ?Sized>(session: &mut S, sql: &str) -> Result<()> {
    let statement = Statement::new(StatementText::new(sql), Vec::new()).uncached();
    let _: Done = session.run(&statement, &mut Sink::discard()).await?;
    Ok(())
}
