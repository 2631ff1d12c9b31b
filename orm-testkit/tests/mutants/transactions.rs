//! Transaction commands that do something else.

use async_trait::async_trait;
use orm_core::backend::{Health, TransactionManager, TransactionOptions};
use orm_core::error::Result;
use orm_testkit::layer::Layer;

/// Which command is wrong, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Commands {
    /// `begin` does nothing.
    NoBegin,
    /// `begin` takes no notice of `read_only`.
    WritesAllowed,
    /// `commit` does nothing.
    NoCommit,
    /// `commit` rolls back.
    CommitUndoes,
    /// An error of `commit` is not reported.
    CommitSwallows,
    /// `rollback` does nothing.
    NoRollback,
    /// `rollback` commits.
    RollbackKeeps,
    /// None of the three commands of savepoints does anything.
    NoSavepoints,
    /// `release` does nothing.
    NoRelease,
    /// `release` undoes.
    ReleaseUndoes,
    /// `rollback_to` does nothing.
    NoRollbackTo,
    /// `rollback_to` forgets to remove the savepoint.
    RollbackToKeepsIt,
    /// `rollback_to` ends the whole transaction.
    RollbackToEndsAll,
    /// A connection is always said to be clean.
    AlwaysClean,
    /// A connection is never said to be in a transaction after an error.
    AlwaysInTransaction,
}

use Commands as C;

#[async_trait]
impl Layer for Commands {
    fn health(&self, session: &dyn TransactionManager) -> Health {
        match (self, session.health()) {
            (C::AlwaysClean, Health::InTransaction) => Health::Clean,
            (C::AlwaysInTransaction, Health::Clean) => Health::InTransaction,
            (_, health) => health,
        }
    }

    async fn begin(
        &self,
        session: &mut dyn TransactionManager,
        options: &TransactionOptions,
    ) -> Result<()> {
        let mut options = *options;
        match self {
            C::NoBegin => return Ok(()),
            C::WritesAllowed => options.read_only = false,
            _ => {}
        }
        session.begin(&options).await
    }

    async fn commit(&self, session: &mut dyn TransactionManager) -> Result<()> {
        match self {
            C::NoBegin | C::NoCommit => Ok(()),
            C::CommitUndoes => session.rollback().await,
            C::CommitSwallows => match session.commit().await {
                Ok(()) => Ok(()),
                Err(_) => session.rollback().await,
            },
            _ => session.commit().await,
        }
    }

    async fn rollback(&self, session: &mut dyn TransactionManager) -> Result<()> {
        match self {
            C::NoRollback => Ok(()),
            C::RollbackKeeps if session.health() == Health::InTransaction => session.commit().await,
            _ => session.rollback().await,
        }
    }

    async fn savepoint(&self, session: &mut dyn TransactionManager, depth: u32) -> Result<()> {
        match self {
            C::NoSavepoints => Ok(()),
            _ => session.savepoint(depth).await,
        }
    }

    async fn rollback_to(&self, session: &mut dyn TransactionManager, depth: u32) -> Result<()> {
        match self {
            C::NoSavepoints => Ok(()),
            C::NoRollbackTo => session.release(depth).await,
            C::RollbackToKeepsIt => {
                session.rollback_to(depth).await?;
                session.savepoint(depth).await
            }
            C::RollbackToEndsAll => session.rollback().await,
            _ => session.rollback_to(depth).await,
        }
    }

    async fn release(&self, session: &mut dyn TransactionManager, depth: u32) -> Result<()> {
        match self {
            C::NoSavepoints | C::NoRelease => Ok(()),
            C::ReleaseUndoes => session.rollback_to(depth).await,
            _ => session.release(depth).await,
        }
    }
}
