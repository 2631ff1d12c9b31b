//! The transactions that the current task is in: a chain, innermost first.

use super::Tx;
use crate::connection::Connection;
use std::{future::Future, sync::Arc};

struct Frame {
    tx: Tx,
    outer: Option<Arc<Frame>>,
}

tokio::task_local! {
    static FRAME: Arc<Frame>;
}

/// Runs `future` with `tx` as the innermost transaction of its connection.
pub(super) async fn scope<F: Future>(tx: Tx, future: F) -> F::Output {
    let outer = FRAME.try_with(Arc::clone).ok();
    FRAME.scope(Arc::new(Frame { tx, outer }), future).await
}

/// The innermost transaction of this connection.
pub(super) fn current(connection: &Connection) -> Option<Tx> {
    find(|tx| tx.connection().is_same(connection))
}

/// Whether the task is in any transaction.
pub(super) fn in_any() -> bool {
    FRAME.try_with(|_| ()).is_ok()
}

/// Whether the task is in a block that is nested in `tx`.
pub(super) fn is_inside(tx: &Tx) -> bool {
    find(|inner| tx.is_above(inner)).is_some()
}

fn find(wanted: impl Fn(&Tx) -> bool) -> Option<Tx> {
    let found = FRAME.try_with(|frame| {
        let mut at = Some(frame);
        while let Some(frame) = at {
            if wanted(&frame.tx) {
                return Some(frame.tx.clone());
            }
            at = frame.outer.as_ref();
        }
        None
    });
    found.ok().flatten()
}
