//! Running a whole block again when the database found a conflict.

use super::task;
use crate::error::{Error, Result};
use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    time::Duration,
};

const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Runs `block`, and runs it again, at most `retries` times, while it fails with an error that
/// [`is_retryable`](Error::is_retryable): serialization failures and deadlocks. Pauses grow and are
/// spread at random.
///
/// The block must hold the whole transaction: `retry(3, async || in_transaction(async |tx| ..).await)`.
/// Inside a transaction it runs once, since a conflict ends the transaction around it.
///
/// # Errors
/// The last error of the block.
///
/// # Examples
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
/// # fn main() -> Result<()> { run(async {
/// use fast_django::orm::transaction::retry;
///
/// let post = Post::get(kw!(title = "Hello")).await?;
/// let views = retry(3, async || {
///     in_transaction(async |_tx| {
///         let mut post = Post::get(kw!(id = post.id)).await?;
///         post.views += 1;
///         post.save().await?;
///         Ok(post.views)
///     })
///     .await
/// });
/// assert_eq!(views.await?, 2);
/// # Ok(()) }) }
/// ```
pub async fn retry<T, F>(retries: u32, block: F) -> Result<T>
where
    F: AsyncFnMut() -> Result<T>,
{
    retry_if(retries, Error::is_retryable, block).await
}

/// As [`retry`], for an error type of your own and a rule of your own.
///
/// # Errors
/// The last error of the block.
///
/// # Examples
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
/// # fn main() -> Result<()> { run(async {
/// use fast_django::orm::transaction::retry_if;
///
/// let mut attempts = 0;
/// let result: std::result::Result<u32, &str> = retry_if(3, |error| *error == "again", async || {
///     attempts += 1;
///     if attempts < 3 { Err("again") } else { Ok(attempts) }
/// })
/// .await;
/// assert_eq!(result, Ok(3));
/// # Ok(()) }) }
/// ```
pub async fn retry_if<T, E, F>(
    retries: u32,
    mut is_retryable: impl FnMut(&E) -> bool,
    mut block: F,
) -> Result<T, E>
where
    F: AsyncFnMut() -> Result<T, E>,
{
    let retries = if task::in_any() { 0 } else { retries };
    for attempt in 0..retries {
        match block().await {
            Err(error) if is_retryable(&error) => tokio::time::sleep(pause(attempt)).await,
            other => return other,
        }
    }
    block().await
}

/// Between half and all of a time that doubles with each attempt.
fn pause(attempt: u32) -> Duration {
    let whole = FIRST_PAUSE
        .saturating_mul(1 << attempt.min(16))
        .min(LONGEST_PAUSE);
    // Each `RandomState` has other keys, which is random enough to spread callers.
    let random = RandomState::new().build_hasher().finish() % 1024;
    whole / 2 + whole.mul_f64(f64::from(u32::try_from(random).unwrap_or(0)) / 2048.0)
}
