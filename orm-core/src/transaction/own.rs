//! Which connections each task holds by guards, so that it does not wait for itself.

use super::level::Root;
use crate::backend::{Intent, Lease};
use crate::connection::Connection;
use crate::error::{Result, TransactionError};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    thread::{self, ThreadId},
    time::Duration,
};
use tokio::runtime::Handle;

/// How long guards must be left alone before a query that waits for them gives up.
const PATIENCE: Duration = Duration::from_millis(50);

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

/// The guards of this very task that have every connection for this intent: waiting for one of
/// those is in vain, unless the guards are used by another branch of a `join!`.
#[cold]
pub(super) fn in_the_way(connection: &Connection, intent: Intent) -> Option<InTheWay> {
    let owner = Owner::current();
    let own: Vec<_> = lock()
        .iter()
        .filter(|entry| entry.owner == owner)
        .filter_map(|entry| Some((entry.root.upgrade()?, entry.intent)))
        .collect();
    // Outside the lock: the last reference to a transaction may be dropped here.
    let (roots, held): (Vec<_>, Vec<_>) = own
        .into_iter()
        .filter(|(root, _)| root.holds(connection))
        .map(|(root, intent)| (Arc::downgrade(&root), intent))
        .unzip();
    let blocks = !held.is_empty() && connection.must_wait(intent, &held);
    blocks.then_some(InTheWay(roots))
}

/// Guards of this task that have all connections.
pub(super) struct InTheWay(Vec<Weak<Root>>);

impl InTheWay {
    /// Waits for a connection as long as the guards are in use.
    ///
    /// # Errors
    /// `HeldByOwnGuard` once nobody has used them for [`PATIENCE`]; those of `acquire`.
    pub(super) async fn acquire(&self, connection: &Connection, intent: Intent) -> Result<Lease> {
        let mut acquiring = connection.acquire(intent);
        if Handle::try_current().is_err() {
            // No timer; without one, acquiring does not wait either.
            return acquiring.await;
        }
        loop {
            let before = self.uses();
            match tokio::time::timeout(PATIENCE, &mut acquiring).await {
                Ok(lease) => return lease,
                Err(_) if before.is_some() && before == self.uses() => {
                    return Err(TransactionError::HeldByOwnGuard.into());
                }
                Err(_) => {}
            }
        }
    }

    /// How often the guards were used; `None` while one is, or when one has ended.
    fn uses(&self) -> Option<u64> {
        let uses = |root: &Weak<Root>| root.upgrade()?.uses_while_idle();
        self.0.iter().map(uses).sum()
    }
}

fn lock() -> MutexGuard<'static, Vec<Guarded>> {
    GUARDED.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{send, send_on, state, with};
    use super::super::{Db, begin, in_transaction};
    use super::*;
    use crate::pool::fake::{World, connection};

    #[tokio::test]
    async fn a_query_never_waits_for_a_guard_of_its_own_task() {
        with(async |world| {
            let guard = begin().await.unwrap();
            let held = TransactionError::HeldByOwnGuard;
            assert_eq!(state(send("INSERT lost").await), held);
            assert_eq!(state(begin().await.map(drop)), held);
            let block: Result<()> = in_transaction(async |_| send("INSERT lost").await).await;
            assert_eq!(state(block), held);
            assert_eq!(state(Db::pick(None).unwrap().script("x").await), held);
            send_on(&guard, "INSERT a").await.unwrap();
            guard.scope(send("INSERT b")).await.unwrap();
            let handle = guard.handle();
            guard.commit().await.unwrap();
            send("INSERT c").await.unwrap();
            drop(handle);
            assert_eq!(world.rows(), ["a", "b", "c"]);
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_branch_beside_a_guard_that_is_in_use_waits() {
        with(async |world| {
            let transaction = async {
                let guard = begin().await?;
                for _ in 0..3 {
                    send_on(&guard, "INSERT own").await?;
                    tokio::time::sleep(PATIENCE / 2).await;
                }
                guard.commit().await
            };
            let (done, beside) = tokio::join!(transaction, send("INSERT beside"));
            done.unwrap();
            beside.unwrap();
            assert_eq!(world.rows(), ["own", "own", "own", "beside"]);
        })
        .await;
    }

    #[tokio::test]
    async fn another_task_waits_for_the_guard() {
        with(async |world| {
            let connection = crate::connection::default_connection().unwrap();
            let guard = begin().await.unwrap();
            let other = crate::connection::scope(connection, send("INSERT other"));
            let other = tokio::spawn(other);
            tokio::task::yield_now().await;
            send_on(&guard, "INSERT own").await.unwrap();
            guard.commit().await.unwrap();
            other.await.unwrap().unwrap();
            assert_eq!(world.rows(), ["own", "other"]);
        })
        .await;
    }

    #[tokio::test]
    async fn a_guard_that_lost_its_connection_holds_nothing() {
        with(async |world| {
            let guard = begin().await.unwrap();
            send_on(&guard, "LOSE").await.unwrap_err();
            send("INSERT a").await.unwrap();
            drop(guard);
            assert_eq!(world.rows(), ["a"]);
        })
        .await;
    }

    #[tokio::test]
    async fn a_guard_leaves_the_other_connections_of_its_pool_to_its_task() {
        let world = World::new(1);
        let work = async {
            let first = begin().await.unwrap();
            send("INSERT beside").await.unwrap();
            let second = begin().await.unwrap();
            let held = TransactionError::HeldByOwnGuard;
            assert_eq!(state(send("INSERT lost").await), held);
            drop(second);
            send("INSERT again").await.unwrap();
            first.rollback().await.unwrap();
        };
        crate::connection::scope(connection(&world, 2), work).await;
        assert_eq!(world.rows(), ["beside", "again"]);
        world.assert_sound();
    }
}
