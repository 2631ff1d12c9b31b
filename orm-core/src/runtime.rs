//! Running async code from synchronous code.

use crate::error::{Error, Result};
use crate::tortoise;
use std::{future::Future, sync::OnceLock};
use tokio::runtime::{Builder, Handle, Runtime};

static RUNTIME: OnceLock<Runtime> = OnceLock::new();

/// Runs a future to its end on the process's runtime, closes the connections, and returns the
/// future's result.
///
/// All calls share one multi-thread runtime, so connections made in one call would work in the
/// next; they are closed at the end all the same, as the reference does.
///
/// # Panics
/// When called inside an async runtime, where blocking would deadlock: `.await` the future there
/// instead, or use [`try_run_async`]. When the operating system cannot start threads.
///
/// # Examples
/// ```
/// use fast_django::orm::prelude::*;
///
/// fn main() -> Result<()> {
///     run_async(async {
///         Tortoise::init("sqlite::memory:").await?;
///         Tortoise::close_connections().await
///     })
/// }
/// ```
pub fn run_async<F: Future>(future: F) -> F::Output {
    match try_run_async(future) {
        Ok(output) => output,
        Err(error) => panic!("{error}"),
    }
}

/// [`run_async`] with an error instead of a panic.
///
/// # Errors
/// [`Error::Configuration`] when called inside an async runtime, or when none can be started.
///
/// # Examples
/// ```
/// use fast_django::orm::{run_async, try_run_async};
///
/// assert_eq!(try_run_async(async { 7 }).ok(), Some(7));
/// let inside = run_async(async { try_run_async(async { 7 }) });
/// assert!(inside.unwrap_err().to_string().contains(".await"));
/// ```
pub fn try_run_async<F: Future>(future: F) -> Result<F::Output> {
    if Handle::try_current().is_ok() {
        return Err(Error::configuration(
            "`run_async` was called inside an async runtime: `.await` the future instead",
        ));
    }
    let runtime = match RUNTIME.get() {
        Some(runtime) => runtime,
        None => {
            let started = Builder::new_multi_thread()
                .enable_all()
                .build()
                .map_err(|error| {
                    Error::configuration(format!("cannot start a runtime: {error}"))
                })?;
            RUNTIME.get_or_init(|| started)
        }
    };
    let _close = CloseAtEnd(runtime);
    Ok(runtime.block_on(future))
}

/// Closes the connections when the call ends, also by a panic.
struct CloseAtEnd(&'static Runtime);

impl Drop for CloseAtEnd {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            // The result is always `Ok`.
            let _ = self.0.block_on(tortoise::close_connections());
        }
    }
}
