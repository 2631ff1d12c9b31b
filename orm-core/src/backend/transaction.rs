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
/// The core calls them in the right order: `begin` on a clean connection; `savepoint` with depths
/// that count up from 1, each ended by one `release` or `rollback_to` of the same depth, the last one
/// first; `commit` or `rollback` at the end. The options are checked against the capabilities before.
/// The connection is in doubt from before each call until its answer: a call that is dropped is
/// followed by [`recover`](Session::recover), and by `rollback` if a transaction is still open, in a
/// task of its own and at once (`contract::lease::dropped_block_frees_its_locks`).
///
/// After `commit` or `rollback` returned `Ok`, [`health`](Session::health) MUST say `Clean`
/// (`contract::rollback::ends_the_transaction`); a database that ends a transaction by
/// itself (some errors do) MUST show that in `health`, since the core would otherwise believe it
/// open.
#[async_trait]
pub trait TransactionManager: Session {
    /// Begins a transaction with these options, and no other: a read-only one MUST refuse writes
    /// with `ReadOnly`, on any connection, and only until it ends
    /// (`contract::begin::read_only_whatever_the_connection`); a level MUST hold what it promises
    /// (`capability::isolation::holds_what_it_promises`). After an error no transaction may be open.
    ///
    /// # Errors
    /// `Serialization` or `Timeout` when the database cannot grant it now.
    async fn begin(&mut self, options: &TransactionOptions) -> Result<()> {
        for sql in self.dialect().begin_sql(options)? {
            command(self, sql).await?;
        }
        Ok(())
    }

    /// Commits. MUST fail when the database rolled back instead, or keeps nothing for another reason
    /// (`contract::commit::fails_when_nothing_is_kept`): `Ok` says that the writes are durable.
    ///
    /// # Errors
    /// `Integrity` for deferred constraints; after any error the core rolls back.
    async fn commit(&mut self) -> Result<()> {
        command(self, "COMMIT").await
    }

    /// Rolls back. Fine when no transaction is open
    /// (`contract::rollback::without_a_transaction`).
    ///
    /// # Errors
    /// When the state is in doubt: the core closes the connection.
    async fn rollback(&mut self) -> Result<()> {
        command(self, "ROLLBACK").await
    }

    /// Sets the savepoint of this nesting depth, from 1. Only called where `savepoints` is claimed.
    ///
    /// # Errors
    /// Any error of the database.
    async fn savepoint(&mut self, depth: u32) -> Result<()> {
        command(self, &format!("SAVEPOINT sp{depth}")).await
    }

    /// Undoes everything since the savepoint, and removes it
    /// (`contract::savepoint::gone_after_rollback_to`). The transaction stays open
    /// (`transaction::nested::inner_fails_alone`), also after a statement of it failed
    /// (`transaction::failed::nested_block_saves_the_outer`).
    ///
    /// # Errors
    /// When the savepoint is gone because the database ended the whole transaction.
    async fn rollback_to(&mut self, depth: u32) -> Result<()> {
        command(self, &format!("ROLLBACK TO SAVEPOINT sp{depth}")).await?;
        command(self, &format!("RELEASE SAVEPOINT sp{depth}")).await
    }

    /// Keeps what was done since the savepoint, and removes it
    /// (`contract::savepoint::gone_after_release`).
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
