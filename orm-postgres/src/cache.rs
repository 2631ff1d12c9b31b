//! Prepared statements of one connection: as many as asked for, the one unused longest goes first.

use lru::LruCache;
use std::num::NonZeroUsize;
use tokio_postgres::Statement;

/// Statements by the number of their text. One that is dropped is closed on the server.
pub(crate) struct Cache(LruCache<u64, Statement>);

impl Cache {
    pub(crate) fn new(room: usize) -> Self {
        Cache(LruCache::new(
            NonZeroUsize::new(room).unwrap_or(NonZeroUsize::MIN),
        ))
    }

    pub(crate) fn get(&mut self, id: u64) -> Option<Statement> {
        self.0.get(&id).cloned()
    }

    pub(crate) fn put(&mut self, id: u64, statement: Statement) {
        self.0.put(id, statement);
    }

    /// Forgets all: after one was stale, others are likely to be.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
