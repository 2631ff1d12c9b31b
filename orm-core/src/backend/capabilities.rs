//! Facts about a database: claims that the conformance suite tries to refute.

use super::Isolation;

/// What a database can do, and its limits.
///
/// A driver starts from [`Capabilities::none`], which refuses everything, and turns on what it can
/// prove. A call that needs a capability that is off is refused before anything is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// BEGIN, COMMIT, ROLLBACK.
    pub transactions: bool,
    /// Nested transactions.
    pub savepoints: bool,
    /// DDL can be rolled back.
    pub transactional_ddl: bool,
    /// Isolation levels that hold what they promise.
    pub isolation: &'static [Isolation],
    /// Transactions that refuse writes.
    pub read_only_transactions: bool,
    /// `INSERT .. RETURNING`.
    pub returning_insert: bool,
    /// Reports the key of the last insert.
    pub last_insert_id: bool,
    /// Reports the keys that one INSERT with many rows generated, as [`Done::keys`](super::Done):
    /// they follow each other by a known step, in the order of the rows. Only for a database where
    /// no other session can take a key in between.
    pub key_sequences: bool,
    /// One INSERT with many rows.
    pub multi_row_insert: bool,
    /// Inserts that leave existing rows alone, without reading first.
    pub ignore_conflicts: bool,
    /// Foreign keys are enforced.
    pub foreign_keys: bool,
    /// Foreign keys can be added to a table after its creation.
    pub alter_add_foreign_key: bool,
    /// A table may refer to one that is created later.
    pub forward_references: bool,
    /// Regular expressions.
    pub regex: bool,
    /// Comments on tables and columns.
    pub comments: bool,
    /// Named indexes can be created only if missing.
    pub index_if_not_exists: bool,
    /// UPDATE and DELETE accept ORDER BY and LIMIT.
    pub update_limit: bool,
    /// Most bound values of one statement, over all its rows together.
    pub max_params: u32,
    /// Rows of one INSERT that are fastest; the planner never exceeds `max_params`.
    pub rows_per_insert: u32,
    /// Most bytes of an identifier.
    pub max_identifier: usize,
}

impl Capabilities {
    /// Nothing is supported; the smallest limits.
    pub const fn none() -> Self {
        Capabilities {
            transactions: false,
            savepoints: false,
            transactional_ddl: false,
            isolation: &[],
            read_only_transactions: false,
            returning_insert: false,
            last_insert_id: false,
            key_sequences: false,
            multi_row_insert: false,
            ignore_conflicts: false,
            foreign_keys: false,
            alter_add_foreign_key: false,
            forward_references: false,
            regex: false,
            comments: false,
            index_if_not_exists: false,
            update_limit: false,
            max_params: 100,
            rows_per_insert: 1,
            max_identifier: 30,
        }
    }
}
