//! Awaiting the client library: never for ever, and never through a panic.

use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    time::Duration,
};

/// Why an answer is no answer.
#[derive(Debug)]
pub(super) enum Fault {
    /// The client library or the server says no.
    Said(libsql::Error),
    /// No answer in this time.
    Silent(Duration),
    /// The client library panicked on the answer.
    Unreadable,
}

impl From<libsql::Error> for Fault {
    fn from(error: libsql::Error) -> Self {
        Fault::Said(error)
    }
}

/// Awaits a call for at most `limit`.
pub(super) async fn wait<T>(
    limit: Duration,
    call: impl Future<Output = Result<T, libsql::Error>>,
) -> Result<T, Fault> {
    let mut call = pin!(call);
    // An answer that is not what the protocol says makes the client library panic.
    let guarded = poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(context)));
        match polled {
            Ok(polled) => polled.map(|result| result.map_err(Fault::Said)),
            Err(_) => std::task::Poll::Ready(Err(Fault::Unreadable)),
        }
    });
    let limited = tokio::time::timeout(limit, guarded).await;
    limited.unwrap_or(Err(Fault::Silent(limit)))
}
