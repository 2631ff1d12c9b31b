//! Which connections each task holds by guards, so that it does not wait for itself.

use super::level::Root;
use crate::backend::Intent;
use crate::connection::Connection;
use crate::error::{Result, TransactionError};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    thread::{self, ThreadId},
};

/// The outermost transactions that were begun by guards and have not ended.
static GUARDED: Mutex<Vec<Guarded>> = Mutex::new(Vec::new());

struct Guarded {
    owner: Owner,
    intent: Intent,
    root: Weak<Root>,
}

/// Who runs one thing after another: a task, or a thread that blocks on a future.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Task(tokio::task::Id),
    Thread(ThreadId),
}

impl Owner {
    fn current() -> Owner {
        match tokio::task::try_id() {
            Some(task) => Owner::Task(task),
            None => Owner::Thread(thread::current().id()),
        }
    }
}

/// Notes that the current task has begun this transaction, with a guard, on a connection borrowed
/// for `intent`.
pub(super) fn note(root: &Arc<Root>, intent: Intent) {
    let mut guarded = lock();
    guarded.retain(|entry| entry.root.strong_count() > 0);
    guarded.push(Guarded {
        owner: Owner::current(),
        intent,
        root: Arc::downgrade(root),
    });
}

/// Before waiting for a connection: guards of this very task that have all of them would be waited
/// for in vain.
///
/// # Errors
/// `HeldByOwnGuard`.
#[cold]
pub(super) fn refuse_waiting(connection: &Connection, intent: Intent) -> Result<()> {
    let held = held(connection);
    if !held.is_empty() && connection.must_wait(intent, &held) {
        return Err(TransactionError::HeldByOwnGuard.into());
    }
    Ok(())
}

/// What this task's guards have borrowed of this connection.
fn held(connection: &Connection) -> Vec<Intent> {
    let owner = Owner::current();
    let own: Vec<_> = lock()
        .iter()
        .filter(|entry| entry.owner == owner)
        .filter_map(|entry| Some((entry.root.upgrade()?, entry.intent)))
        .collect();
    // Outside the lock: the last reference to a transaction may be dropped here.
    let own = own.iter().filter(|(root, _)| root.holds(connection));
    own.map(|(_, intent)| *intent).collect()
}

fn lock() -> MutexGuard<'static, Vec<Guarded>> {
    GUARDED.lock().unwrap_or_else(PoisonError::into_inner)
}
