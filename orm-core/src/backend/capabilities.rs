//! Facts about a database: claims that the conformance suite tries to refute.

use super::Isolation;
use std::fmt;

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
    /// Comments on columns: descriptions of fields are kept in the database.
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

/// One field of [`Capabilities`], for code that speaks about all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[allow(
    missing_docs,
    reason = "each name is documented on the field of `Capabilities` it stands for"
)]
pub enum Capability {
    Transactions,
    Savepoints,
    TransactionalDdl,
    Isolation,
    ReadOnlyTransactions,
    ReturningInsert,
    LastInsertId,
    KeySequences,
    MultiRowInsert,
    IgnoreConflicts,
    ForeignKeys,
    AlterAddForeignKey,
    ForwardReferences,
    Regex,
    Comments,
    IndexIfNotExists,
    UpdateLimit,
    MaxParams,
    RowsPerInsert,
    MaxIdentifier,
}

impl Capability {
    /// The name of the field, as [`Error::Unsupported`](crate::error::Error::Unsupported) gives it.
    pub fn name(self) -> &'static str {
        let at = self as usize;
        Capabilities::none().entries()[at].1
    }

    /// The capability whose field has this name.
    pub fn named(name: &str) -> Option<Capability> {
        Capability::all().find(|capability| capability.name() == name)
    }

    /// Every capability, in the order of the fields.
    pub fn all() -> impl Iterator<Item = Capability> {
        Capabilities::none()
            .entries()
            .into_iter()
            .map(|(capability, ..)| capability)
    }

    /// Whether it is a number, which every database has, and not something to have or to lack.
    pub fn is_limit(self) -> bool {
        matches!(
            self,
            Capability::MaxParams | Capability::RowsPerInsert | Capability::MaxIdentifier
        )
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a database says about one capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Claim {
    /// It has it or not.
    Has(bool),
    /// It has these levels.
    Levels(&'static [Isolation]),
    /// So many at most.
    AtMost(u64),
}

impl Claim {
    /// Whether there is anything to use: true, some level, any limit.
    pub fn is_made(self) -> bool {
        match self {
            Claim::Has(yes) => yes,
            Claim::Levels(levels) => !levels.is_empty(),
            Claim::AtMost(_) => true,
        }
    }
}

impl Capabilities {
    /// What it says about a capability.
    pub fn claim(&self, capability: Capability) -> Claim {
        self.entries()[capability as usize].2
    }

    /// Whether it claims the capability; limits always are.
    pub fn claims(&self, capability: Capability) -> bool {
        self.claim(capability).is_made()
    }

    /// The same facts without this claim; a limit becomes that of [`Capabilities::none`].
    #[must_use]
    pub fn without(mut self, capability: Capability) -> Self {
        let none = Capabilities::none();
        match capability {
            Capability::Transactions => self.transactions = none.transactions,
            Capability::Savepoints => self.savepoints = none.savepoints,
            Capability::TransactionalDdl => self.transactional_ddl = none.transactional_ddl,
            Capability::Isolation => self.isolation = none.isolation,
            Capability::ReadOnlyTransactions => {
                self.read_only_transactions = none.read_only_transactions;
            }
            Capability::ReturningInsert => self.returning_insert = none.returning_insert,
            Capability::LastInsertId => self.last_insert_id = none.last_insert_id,
            Capability::KeySequences => self.key_sequences = none.key_sequences,
            Capability::MultiRowInsert => self.multi_row_insert = none.multi_row_insert,
            Capability::IgnoreConflicts => self.ignore_conflicts = none.ignore_conflicts,
            Capability::ForeignKeys => self.foreign_keys = none.foreign_keys,
            Capability::AlterAddForeignKey => {
                self.alter_add_foreign_key = none.alter_add_foreign_key;
            }
            Capability::ForwardReferences => self.forward_references = none.forward_references,
            Capability::Regex => self.regex = none.regex,
            Capability::Comments => self.comments = none.comments,
            Capability::IndexIfNotExists => self.index_if_not_exists = none.index_if_not_exists,
            Capability::UpdateLimit => self.update_limit = none.update_limit,
            Capability::MaxParams => self.max_params = none.max_params,
            Capability::RowsPerInsert => self.rows_per_insert = none.rows_per_insert,
            Capability::MaxIdentifier => self.max_identifier = none.max_identifier,
        }
        self
    }

    /// Every field with its name, in the order of [`Capability`]. Taking the struct apart without
    /// `..` keeps a new field from being forgotten here.
    fn entries(&self) -> [(Capability, &'static str, Claim); 20] {
        let Capabilities {
            transactions,
            savepoints,
            transactional_ddl,
            isolation,
            read_only_transactions,
            returning_insert,
            last_insert_id,
            key_sequences,
            multi_row_insert,
            ignore_conflicts,
            foreign_keys,
            alter_add_foreign_key,
            forward_references,
            regex,
            comments,
            index_if_not_exists,
            update_limit,
            max_params,
            rows_per_insert,
            max_identifier,
        } = *self;
        macro_rules! has {
            ($variant:ident, $field:ident) => {
                (Capability::$variant, stringify!($field), Claim::Has($field))
            };
        }
        let most = |capability, name, number| (capability, name, Claim::AtMost(number));
        [
            has!(Transactions, transactions),
            has!(Savepoints, savepoints),
            has!(TransactionalDdl, transactional_ddl),
            (Capability::Isolation, "isolation", Claim::Levels(isolation)),
            has!(ReadOnlyTransactions, read_only_transactions),
            has!(ReturningInsert, returning_insert),
            has!(LastInsertId, last_insert_id),
            has!(KeySequences, key_sequences),
            has!(MultiRowInsert, multi_row_insert),
            has!(IgnoreConflicts, ignore_conflicts),
            has!(ForeignKeys, foreign_keys),
            has!(AlterAddForeignKey, alter_add_foreign_key),
            has!(ForwardReferences, forward_references),
            has!(Regex, regex),
            has!(Comments, comments),
            has!(IndexIfNotExists, index_if_not_exists),
            has!(UpdateLimit, update_limit),
            most(Capability::MaxParams, "max_params", u64::from(max_params)),
            most(
                Capability::RowsPerInsert,
                "rows_per_insert",
                u64::from(rows_per_insert),
            ),
            most(
                Capability::MaxIdentifier,
                "max_identifier",
                max_identifier as u64,
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_capability_is_at_its_place() {
        for (at, capability) in Capability::all().enumerate() {
            assert_eq!(capability as usize, at, "{capability}");
            assert_eq!(Capability::named(capability.name()), Some(capability));
        }
    }

    #[test]
    fn without_takes_one_claim_away() {
        let mut facts = Capabilities::none();
        facts.savepoints = true;
        facts.isolation = &[Isolation::Serializable];
        facts.max_params = 5000;
        for capability in Capability::all() {
            let fewer = facts.without(capability);
            let none = Capabilities::none().claim(capability);
            assert_eq!(fewer.claim(capability), none, "{capability}");
            let others = Capability::all().filter(|other| *other != capability);
            for other in others {
                assert_eq!(fewer.claim(other), facts.claim(other), "{capability}");
            }
        }
    }
}
