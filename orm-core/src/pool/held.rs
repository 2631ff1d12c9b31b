//! A lent connection, and the clean-up of one that came back dirty.

use super::idle::{Idle, Slot};
use super::manager::{Conn, Left, Manager, Shared, lost};
use crate::backend::{Connector, Health, Held, TransactionManager};
use crate::error::Result;
use deadpool::managed::Object;
use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};
use tokio::runtime::Handle;

/// A connection while a lease, the clean-up task or an idle slot has it.
pub(super) struct Borrowed<C: Connector> {
    object: Object<Manager<C>>,
    shared: Arc<Shared<C>>,
    home: Option<Home<C>>,
}

/// The connection's own idle slot, which becomes free with the connection.
struct Home<C: Connector>(Arc<Slot<Box<Borrowed<C>>>>);

impl<C: Connector> Drop for Home<C> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl<C: Connector> Borrowed<C> {
    pub(super) fn new(
        object: Object<Manager<C>>,
        shared: Arc<Shared<C>>,
        idle: &Idle<Box<Borrowed<C>>>,
    ) -> Self {
        let metrics = Object::metrics(&object);
        let since = metrics.recycled.unwrap_or(metrics.created);
        object.lent.store(shared.clock(since), Ordering::Relaxed);
        Borrowed {
            object,
            shared,
            home: idle.home().map(Home),
        }
    }

    fn close(self) {
        drop(Object::take(self.object));
    }

    /// Marks an idle connection as lent, if nothing must be done to it before.
    pub(super) fn lend(&mut self, manager: &Manager<C>) -> bool {
        let ready = manager.is_ready(&self.object);
        if ready {
            let now = self.shared.clock(Instant::now());
            self.object.lent.store(now, Ordering::Relaxed);
        }
        ready
    }
}

impl<C: Connector> Held for Borrowed<C> {
    fn session(&mut self) -> &mut dyn TransactionManager {
        &mut self.object.session
    }

    fn peek(&self) -> &dyn TransactionManager {
        &self.object.session
    }

    fn statement_timeout(&self) -> Option<Duration> {
        self.shared.options.statement_timeout
    }

    fn slow_statement(&self) -> Duration {
        self.shared.options.slow_statement
    }

    fn give_back(mut self: Box<Self>) {
        self.object.lent.store(0, Ordering::Relaxed);
        self.object.note_use();
        let home = match &self.home {
            Some(home) if self.object.left == Left::Nothing => Arc::clone(&home.0),
            _ => return,
        };
        drop(home.put(self));
    }

    fn discard(self: Box<Self>) {
        // It was lost while it was in use, so its idle peers may be lost too.
        self.shared.suspect();
        self.close();
    }

    fn clean_up(mut self: Box<Self>, in_doubt: bool) {
        self.object.left = if in_doubt { Left::Doubt } else { Left::State };
        let bound = self.shared.connector.bound_to_runtime();
        match Handle::try_current() {
            Ok(runtime) => {
                let job = Job(Some(self));
                runtime.spawn(job.run());
            }
            Err(_) if bound => self.close(),
            // Not tied to a runtime: cleaned before it is lent again.
            Err(_) => self.give_back(),
        }
    }
}

/// Owns the connection during the clean-up. If the task is dropped (its runtime ends), the
/// connection is closed, or cleaned before it is lent again where that is possible elsewhere.
struct Job<C: Connector>(Option<Box<Borrowed<C>>>);

impl<C: Connector> Job<C> {
    async fn run(mut self) {
        let Some(held) = &mut self.0 else { return };
        let limit = held.shared.options.cleanup_timeout;
        let cleaned = clean(&mut held.object, limit).await;
        if let Some(held) = self.0.take() {
            match cleaned {
                Ok(()) => held.give_back(),
                Err(error) => {
                    tracing::debug!(target: "fast_django::pool", %error, "connection closed");
                    held.close();
                }
            }
        }
    }
}

impl<C: Connector> Drop for Job<C> {
    fn drop(&mut self) {
        // Still here: dropped or panicked half way, so a call may be unfinished.
        if let Some(mut held) = self.0.take() {
            held.object.left = Left::Doubt;
            if held.shared.connector.bound_to_runtime() || std::thread::panicking() {
                held.close();
            } else {
                held.give_back();
            }
        }
    }
}

/// Makes the connection clean within `limit`.
///
/// # Errors
/// When that failed or took too long: the connection must be closed.
pub(super) async fn clean<S: TransactionManager>(
    conn: &mut Conn<S>,
    limit: Duration,
) -> Result<()> {
    let in_doubt = conn.left == Left::Doubt;
    // Until it is done, a clean-up that does not finish is a doubt of its own.
    conn.left = Left::Doubt;
    let session = &mut conn.session;
    let work = async {
        if in_doubt {
            session.recover().await?;
        }
        if session.health() == Health::InTransaction {
            session.rollback().await?;
        }
        session.reset().await
    };
    tokio::time::timeout(limit, work)
        .await
        .unwrap_or_else(|_| Err(lost(format!("not clean again within {limit:?}"))))?;
    match conn.session.health() {
        Health::Clean => {
            conn.left = Left::Nothing;
            Ok(())
        }
        _ => Err(lost("not clean after a rollback".to_owned())),
    }
}
