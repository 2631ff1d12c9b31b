//! One use of a transaction's connection.

use super::level::Root;
use crate::backend::{Health, Lease};
use crate::error::{DatabaseError, Error, ErrorKind, Result, TransactionError};
use std::sync::atomic::Ordering;
use tokio::sync::MutexGuard;

/// The connection of a transaction, for one call. Dropped before the answer: the connection is
/// lost to the transaction, which is rolled back by the clean-up of the lease.
pub(super) struct Turn<'a> {
    root: &'a Root,
    slot: Option<MutexGuard<'a, Option<Lease>>>,
    sending: bool,
}

impl<'a> Turn<'a> {
    /// Waits for the connection.
    pub(super) async fn take(root: &'a Root) -> Self {
        // Free is the common case, and needs no place in the queue.
        let slot = match root.lease.try_lock() {
            Ok(slot) => slot,
            Err(_) => root.lease.lock().await,
        };
        root.uses.fetch_add(1, Ordering::Relaxed);
        Turn {
            root,
            slot: Some(slot),
            sending: false,
        }
    }

    /// Whether the transaction is still open in the database. If not, the connection is given up.
    pub(super) fn is_alive(&mut self) -> bool {
        let lease = self.slot.as_mut().and_then(|slot| slot.as_mut());
        let alive = lease.is_some_and(|lease| lease.health() == Health::InTransaction);
        if !alive {
            self.lose();
        }
        alive
    }

    /// Undoes what a dropped nested block left.
    ///
    /// # Errors
    /// `ConnectionLost` when the driver has found that out since the last call, `Aborted` when an
    /// earlier call has said so, or the database has ended the transaction by itself.
    pub(super) async fn prepare(&mut self) -> Result<()> {
        let lease = self.slot.as_mut().and_then(|slot| slot.as_mut());
        let health = lease.map(|lease| lease.health());
        if health != Some(Health::InTransaction) {
            self.lose();
            return Err(match health {
                Some(Health::Broken) => lost(),
                _ => TransactionError::Aborted.into(),
            });
        }
        if let Some(depth) = self.root.take_undo() {
            if let Err(error) = self.lease()?.rollback_to(depth).await {
                self.lose();
                return Err(error);
            }
            self.sending = false;
        }
        Ok(())
    }

    /// The connection, for one call whose end [`answered`](Turn::answered) reports.
    pub(super) fn lease(&mut self) -> Result<&mut Lease> {
        self.sending = true;
        let lease = self.slot.as_mut().and_then(|slot| slot.as_mut());
        lease.ok_or_else(|| TransactionError::Aborted.into())
    }

    /// The call returned. Returns whether the transaction is still open in the database.
    pub(super) fn answered(mut self) -> bool {
        self.sending = false;
        self.is_alive()
    }

    /// The transaction is over: gives the connection up.
    pub(super) fn end(mut self) {
        self.lose();
    }

    /// Gives the connection up.
    pub(super) fn lose(&mut self) {
        self.sending = false;
        if let Some(slot) = &mut self.slot {
            slot.take();
        }
    }
}

fn lost() -> Error {
    let message = "the connection was lost inside the transaction, which the database undoes";
    let report = DatabaseError::new(message).without_effect();
    Error::database(ErrorKind::ConnectionLost, report)
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.sending {
            self.lose();
        }
        // The transaction may have been abandoned meanwhile, when the connection was busy here.
        self.slot.take();
        self.root.sweep();
    }
}
