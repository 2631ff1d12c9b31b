//! Idle connections within one step of the thread that used them last.
//!
//! A connection that is given back waits in a slot of its own, still borrowed as far as the queue
//! of the pool knows, and the next caller of the same thread takes it without touching anything
//! that threads share. As soon as someone waits in the queue, or the pool closes, connections go
//! back through the queue.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};

/// The slots of one pool.
pub(super) struct Idle<T> {
    slots: Box<[Arc<Slot<T>>]>,
    state: Arc<State>,
}

/// The place of one connection. On a cache line of its own, so that threads do not disturb each
/// other.
#[repr(align(128))]
pub(super) struct Slot<T> {
    index: usize,
    content: Mutex<Option<T>>,
    /// Whether a connection calls this place its own.
    taken: AtomicBool,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// Callers that wait in the queue.
    waiting: AtomicUsize,
    closed: AtomicBool,
}

std::thread_local! {
    /// Where this thread found a connection last.
    static LAST: std::cell::Cell<usize> = const { std::cell::Cell::new(usize::MAX) };
}

/// Spreads threads over the slots.
static NEXT: AtomicUsize = AtomicUsize::new(0);

impl<T> Idle<T> {
    /// So many places, all empty.
    pub(super) fn new(size: usize) -> Self {
        let state = Arc::new(State::default());
        let slots = (0..size)
            .map(|index| {
                Arc::new(Slot {
                    index,
                    content: Mutex::new(None),
                    taken: AtomicBool::new(false),
                    state: Arc::clone(&state),
                })
            })
            .collect();
        Idle { slots, state }
    }

    /// An idle connection, without waiting.
    pub(super) fn take(&self) -> Option<T> {
        let size = self.slots.len();
        let mut at = LAST.get();
        if at == usize::MAX {
            at = NEXT.fetch_add(1, Ordering::Relaxed);
            LAST.set(at);
        }
        for step in 0..size {
            let slot = &self.slots[at.wrapping_add(step) % size];
            let content = match slot.content.try_lock() {
                Ok(mut content) => content.take(),
                Err(TryLockError::Poisoned(content)) => content.into_inner().take(),
                Err(TryLockError::WouldBlock) => None,
            };
            if content.is_some() {
                if step > 0 {
                    LAST.set(slot.index);
                }
                return content;
            }
        }
        None
    }

    /// A place that no connection calls its own. There are as many places as connections, so one
    /// is free unless a connection that is just being dropped has not left it yet.
    pub(super) fn home(&self) -> Option<Arc<Slot<T>>> {
        let free = |slot: &&Arc<Slot<T>>| !slot.taken.swap(true, Ordering::AcqRel);
        self.slots.iter().find(free).cloned()
    }

    /// As [`take`](Idle::take), but waits for whoever looks into a slot at this moment.
    pub(super) fn take_any(&self) -> Option<T> {
        self.slots.iter().find_map(|slot| slot.empty())
    }

    /// Sends connections through the queue until the guard is dropped.
    pub(super) fn wait(&self) -> Waiting {
        self.state.waiting.fetch_add(1, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        Waiting(Arc::clone(&self.state))
    }

    /// Empties the slots, for ever.
    pub(super) fn close(&self) {
        self.state.closed.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        for slot in &self.slots {
            drop(slot.empty());
        }
    }

    /// How many connections wait in slots.
    pub(super) fn len(&self) -> usize {
        let full = |slot: &&Arc<Slot<T>>| {
            let content = slot.content.lock().unwrap_or_else(PoisonError::into_inner);
            content.is_some()
        };
        self.slots.iter().filter(full).count()
    }
}

impl<T> Slot<T> {
    /// Leaves a connection here, unless it is wanted in the queue: then it is given back.
    pub(super) fn put(&self, connection: T) -> Option<T> {
        // Else a thread that never rests might take it before the one that waits.
        if self.is_wanted() {
            return Some(connection);
        }
        let mut content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        let before = content.replace(connection);
        drop(content);
        debug_assert!(before.is_none(), "a place belongs to one connection");
        // Either we see the waiter, or it sees the connection.
        fence(Ordering::SeqCst);
        if self.is_wanted() { self.empty() } else { None }
    }

    fn is_wanted(&self) -> bool {
        self.state.waiting.load(Ordering::SeqCst) > 0 || self.state.closed.load(Ordering::SeqCst)
    }

    /// The connection that called this its own is gone.
    pub(super) fn leave(&self) {
        self.taken.store(false, Ordering::Release);
    }

    fn empty(&self) -> Option<T> {
        let mut content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        content.take()
    }
}

/// While it lives, someone waits in the queue.
pub(super) struct Waiting(Arc<State>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_keeps_one_connection() {
        let idle = Idle::new(2);
        let home = idle.home().unwrap();
        assert_eq!(home.put(7), None);
        assert_eq!((idle.len(), idle.take(), idle.take()), (1, Some(7), None));
        assert!(idle.home().is_some() && idle.home().is_none());
        home.leave();
        assert!(idle.home().is_some());
    }

    #[test]
    fn a_waiter_or_a_closed_pool_sends_connections_through_the_queue() {
        let idle = Idle::new(1);
        let home = idle.home().unwrap();
        let waiting = idle.wait();
        assert_eq!(home.put(1), Some(1));
        drop(waiting);
        assert_eq!(home.put(2), None);
        idle.close();
        assert_eq!((idle.take(), home.put(3)), (None, Some(3)));
    }

    #[test]
    fn no_waiter_is_left_beside_a_full_slot() {
        for _ in 0..2_000 {
            let idle = Idle::new(1);
            let home = idle.home().unwrap();
            let (given, taken) = std::thread::scope(|scope| {
                let giver = scope.spawn(|| home.put(1));
                let waiting = idle.wait();
                let taken = idle.take();
                (giver.join().unwrap(), (taken, waiting).0)
            });
            // `try_lock` may miss it, but then the giver has seen the waiter.
            assert!(given.is_some() || taken.is_some());
        }
    }
}
