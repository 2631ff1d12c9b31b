//! Transactions: closures that commit or roll back by themselves, guards, nesting, retries.
//!
//! A block of [`in_transaction`] is found by the queries of its own task. Spawned tasks are outside
//! unless the handle is taken along with [`Tx::scope`]. Nested blocks are savepoints; of several at
//! once in one transaction each waits for the one before. A statement that the database rejects
//! dooms its innermost block: only the end of that block is possible then.

mod client;
mod db;
mod guard;
mod level;
mod own;
mod retry;
mod task;
mod turn;

pub use client::get_connection;
pub use db::Db;
pub use guard::TxGuard;
pub use level::Tx;
pub use retry::retry;
pub use retry::retry_if;

use crate::backend::TransactionOptions;
use crate::connection::{self, Connection};
use crate::error::{Error, Result};
use level::Style;

/// Runs `block` in a transaction of the default connection: commits when it returns `Ok`, rolls
/// back when it returns `Err`, panics, or is dropped.
///
/// Inside another block of the same connection it is a savepoint: a failure that the outer block
/// handles undoes the inner part only.
///
/// # Errors
/// Those of the block, as they are. Those of beginning and committing; after a failed commit
/// nothing is stored, except that `CommitOutcomeUnknown` leaves it open.
///
/// # Examples
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
/// # fn main() -> Result<()> { run(async {
/// let failed: Result<()> = in_transaction(async |_tx| {
///     User::create(kw!(username = "carl")).await?;
///     User::create(kw!(username = "carl")).await?;
///     Ok(())
/// })
/// .await;
/// assert!(failed.unwrap_err().is_unique_violation());
/// assert!(!User::filter(kw!(username = "carl")).exists().await?);
/// # Ok(()) }) }
/// ```
pub async fn in_transaction<T, E, F>(block: F) -> Result<T, E>
where
    E: From<Error>,
    F: AsyncFnOnce(Tx) -> Result<T, E>,
{
    in_transaction_with(TransactionOptions::new(), block).await
}

/// As [`in_transaction`], on the connection of this name.
///
/// # Errors
/// As [`in_transaction`]; `Configuration` for an unknown name.
///
/// # Examples
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
/// # fn main() -> Result<()> { run(async {
/// use fast_django::orm::transaction::in_transaction_on;
///
/// in_transaction_on("default", async |_tx| User::create(kw!(username = "carl")).await).await?;
/// assert!(in_transaction_on("archive", async |_tx| Ok::<_, Error>(())).await.is_err());
/// # Ok(()) }) }
/// ```
pub async fn in_transaction_on<T, E, F>(name: &str, block: F) -> Result<T, E>
where
    E: From<Error>,
    F: AsyncFnOnce(Tx) -> Result<T, E>,
{
    let connection = connection::get_connection(name)?;
    run_block(&pick(connection), &TransactionOptions::new(), block).await
}

/// As [`in_transaction`], with an isolation level or read-only.
///
/// # Errors
/// As [`in_transaction`]; `Unsupported` for what the database lacks, `Configuration` for options of
/// a nested block, since they belong to the whole transaction.
///
/// # Examples
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
/// # fn main() -> Result<()> { run(async {
/// use fast_django::orm::backend::TransactionOptions;
/// use fast_django::orm::transaction::in_transaction_with;
///
/// let options = TransactionOptions::new().read_only();
/// let count = in_transaction_with(options, async |_tx| Post::all().count().await).await?;
/// assert_eq!(count, 3);
/// # Ok(()) }) }
/// ```
pub async fn in_transaction_with<T, E, F>(options: TransactionOptions, block: F) -> Result<T, E>
where
    E: From<Error>,
    F: AsyncFnOnce(Tx) -> Result<T, E>,
{
    let connection = connection::default_connection()?;
    run_block(&pick(connection), &options, block).await
}

/// Begins a transaction of the default connection, held by a guard: dropping it rolls back. Inside
/// a block it is a savepoint.
///
/// Nothing finds it by itself: pass it with `using_db(&guard)`, or run code in [`Tx::scope`]. A
/// query of the same task that is given nothing runs on another connection. Where the guard has the
/// only one, such as a single writer, it fails with `HeldByOwnGuard` instead of waiting in vain; a
/// branch of a `join!` waits as long as another branch uses the guard, and other tasks wait.
///
/// # Errors
/// Those of acquiring a connection and of beginning; `HeldByOwnGuard`.
///
/// # Examples
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
/// # fn main() -> Result<()> { run(async {
/// let tx = begin().await?;
/// let user = User::create(kw!(username = "carl")).using_db(&tx).await?;
/// Post::create(kw!(title = "First", author = &user)).using_db(&tx).await?;
/// tx.commit().await?;
/// assert_eq!(user.posts.all().count().await?, 1);
/// # Ok(()) }) }
/// ```
pub async fn begin() -> Result<TxGuard> {
    begin_with(&TransactionOptions::new()).await
}

/// As [`begin`], on the connection of this name.
///
/// # Errors
/// As [`begin`]; `Configuration` for an unknown name.
///
/// # Examples
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
/// # fn main() -> Result<()> { run(async {
/// use fast_django::orm::transaction::begin_on;
///
/// let tx = begin_on("default").await?;
/// User::create(kw!(username = "carl")).using_db(&tx).await?;
/// tx.commit().await?;
/// # Ok(()) }) }
/// ```
pub async fn begin_on(name: &str) -> Result<TxGuard> {
    let at = pick(connection::get_connection(name)?);
    at.begin(&TransactionOptions::new(), Style::Guard).await
}

/// As [`begin`], with an isolation level or read-only.
///
/// # Errors
/// As [`in_transaction_with`].
///
/// # Examples
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
/// # fn main() -> Result<()> { run(async {
/// use fast_django::orm::backend::TransactionOptions;
/// use fast_django::orm::transaction::begin_with;
///
/// let tx = begin_with(&TransactionOptions::new().read_only()).await?;
/// assert_eq!(Post::all().using_db(&tx).count().await?, 3);
/// tx.rollback().await?;
/// # Ok(()) }) }
/// ```
pub async fn begin_with(options: &TransactionOptions) -> Result<TxGuard> {
    let at = pick(connection::default_connection()?);
    at.begin(options, Style::Guard).await
}

/// The task's open transaction of this connection, else the connection.
fn pick(connection: Connection) -> Db {
    match task::current(&connection) {
        Some(tx) => Db::Transaction(tx),
        None => Db::Client(connection),
    }
}

async fn run_block<T, E, F>(at: &Db, options: &TransactionOptions, block: F) -> Result<T, E>
where
    E: From<Error>,
    F: AsyncFnOnce(Tx) -> Result<T, E>,
{
    let guard = at.begin(options, Style::Scoped).await?;
    let tx = guard.handle();
    match task::scope(tx.clone(), block(tx)).await {
        Ok(value) => {
            guard.commit().await?;
            Ok(value)
        }
        Err(error) => {
            if let Err(rollback) = guard.rollback().await {
                // The block's error says more; the connection is closed by now.
                tracing::debug!(target: "fast_django::transaction", %rollback, "rollback failed");
            }
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests;
