//! A transaction held by a guard.

use super::Tx;
use crate::error::Result;
use std::ops::Deref;

/// A transaction that is rolled back when the guard is dropped.
///
/// # Examples
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
/// # fn main() -> Result<()> { run(async {
/// let tx = begin().await?;
/// User::create(kw!(username = "carl")).using_db(&tx).await?;
/// drop(tx);
/// assert_eq!(User::all().count().await?, 2);
/// # Ok(()) }) }
/// ```
#[derive(Debug)]
#[must_use = "dropping the guard rolls back"]
pub struct TxGuard {
    tx: Tx,
    ended: bool,
}

impl TxGuard {
    pub(super) fn new(tx: Tx) -> Self {
        TxGuard { tx, ended: false }
    }

    /// A handle that can be cloned and moved to other tasks. It ends with the guard.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let guard = begin().await?;
    /// let tx = guard.handle();
    /// tx.scope(User::create(kw!(username = "carl")).into_future()).await?;
    /// guard.commit().await?;
    /// assert!(!tx.is_open());
    /// # Ok(()) }) }
    /// ```
    pub fn handle(&self) -> Tx {
        self.tx.clone()
    }

    /// Commits; releases the savepoint if nested. Callbacks of [`Tx::on_commit`] run before it
    /// returns.
    ///
    /// # Errors
    /// `Aborted` after a rejected statement, `Suspended` while a nested guard is open: rolled back
    /// in both cases. `Integrity` for deferred constraints and other errors of the database, also
    /// rolled back. `CommitOutcomeUnknown` when the answer was lost.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let tx = begin().await?;
    /// User::create(kw!(username = "carl")).using_db(&tx).await?;
    /// tx.commit().await?;
    /// assert_eq!(User::all().count().await?, 3);
    /// # Ok(()) }) }
    /// ```
    pub async fn commit(mut self) -> Result<()> {
        let result = self.tx.finish(true).await;
        self.ended = true;
        result
    }

    /// Rolls back; to the savepoint if nested.
    ///
    /// # Errors
    /// Those of the database; the connection is closed then, which rolls back too.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let tx = begin().await?;
    /// User::all().using_db(&tx).delete().await?;
    /// tx.rollback().await?;
    /// assert_eq!(User::all().count().await?, 2);
    /// # Ok(()) }) }
    /// ```
    pub async fn rollback(mut self) -> Result<()> {
        let result = self.tx.finish(false).await;
        self.ended = true;
        result
    }
}

impl Deref for TxGuard {
    type Target = Tx;
    fn deref(&self) -> &Tx {
        &self.tx
    }
}

impl Drop for TxGuard {
    fn drop(&mut self) {
        if !self.ended {
            self.tx.abandon();
        }
    }
}
