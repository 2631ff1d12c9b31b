//! The exact key of a query shape, and the fast hash of it.

use crate::backend::Dialect;
use crate::schema::ModelMeta;
use std::hash::{BuildHasherDefault, Hasher};

/// Most words that a thread keeps room for.
const MAX_ROOM: usize = 16_384;

/// Which kind of statement a key belongs to.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub(super) enum Operation {
    Select = 1,
    Update,
    Delete,
    Insert,
    InsertMany,
    UpdateByPk,
    DeleteByPk,
    Link,
    Unlink,
    UnlinkAll,
}

/// Words that describe a shape. Two shapes with equal words have the same text.
///
/// Metadata is known by its address, which is unique and stable: it is static.
#[derive(Debug, Default)]
pub(super) struct Key(Vec<u64>);

impl Key {
    /// Begins anew.
    pub(super) fn begin(
        &mut self,
        operation: Operation,
        dialect: &'static dyn Dialect,
        model: Option<&'static ModelMeta>,
    ) {
        self.0.clear();
        self.word(operation as u64);
        self.address(dialect);
        // Two dialects without fields may share an address; their names differ.
        self.text(dialect.name());
        if let Some(model) = model {
            self.address(model);
        }
    }

    /// Gives back the room of an unusually large key.
    pub(super) fn shrink(&mut self) {
        if self.0.capacity() > MAX_ROOM {
            self.0 = Vec::new();
        }
    }

    #[inline]
    pub(super) fn word(&mut self, word: u64) {
        self.0.push(word);
    }

    #[inline]
    pub(super) fn address<T: ?Sized>(&mut self, of: &'static T) {
        self.0
            .push(std::ptr::from_ref(of).cast::<()>().addr() as u64);
    }

    /// A static text, by address and length.
    #[inline]
    pub(super) fn text(&mut self, text: &'static str) {
        self.0.push(text.as_ptr().addr() as u64);
        self.0.push(text.len() as u64);
    }

    pub(super) fn words(&self) -> &[u64] {
        &self.0
    }
}

/// Hashes words by multiplication. The words are addresses and small numbers, never text from
/// outside, and the number of entries is bounded.
#[derive(Debug, Default)]
pub(super) struct WordHasher(u64);

pub(super) type BuildWordHasher = BuildHasherDefault<WordHasher>;

impl WordHasher {
    #[inline]
    fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

impl Hasher for WordHasher {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            let mut word = [0; 8];
            word.copy_from_slice(chunk);
            self.add(u64::from_ne_bytes(word));
        }
        for byte in chunks.remainder() {
            self.add(u64::from(*byte));
        }
    }
    #[inline]
    fn write_usize(&mut self, word: usize) {
        self.add(word as u64);
    }
    #[inline]
    fn finish(&self) -> u64 {
        // The table takes its tag from the upper bits and its place from the lower ones.
        self.0 ^ (self.0 >> 32)
    }
}
