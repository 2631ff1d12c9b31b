//! Raw statements that ask an engine whether it can do what its driver does not claim.

use orm_core::backend::{Capability, SqlFamily};

/// Statements that all succeed, in order on one connection and in an empty database, if an engine
/// of this family has the capability. `None` where statements alone cannot tell.
pub fn statements(family: SqlFamily, capability: Capability) -> Option<Vec<String>> {
    let texts: &[&str] = match capability {
        Capability::Transactions => &["BEGIN", "ROLLBACK"],
        Capability::Savepoints => &[
            "BEGIN",
            "SAVEPOINT a",
            "ROLLBACK TO SAVEPOINT a",
            "ROLLBACK",
        ],
        // The second CREATE fails if the first one was kept.
        Capability::TransactionalDdl => &[
            "BEGIN",
            "CREATE TABLE probe (id INTEGER)",
            "ROLLBACK",
            "CREATE TABLE probe (id INTEGER)",
        ],
        Capability::Isolation => match family {
            SqlFamily::Postgres => &["START TRANSACTION ISOLATION LEVEL SERIALIZABLE", "ROLLBACK"],
            SqlFamily::MySql => &["SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"],
            _ => &["BEGIN IMMEDIATE", "ROLLBACK"],
        },
        Capability::ReadOnlyTransactions => match family {
            SqlFamily::Postgres | SqlFamily::MySql => &["START TRANSACTION READ ONLY", "ROLLBACK"],
            _ => return None,
        },
        Capability::ReturningInsert => &[
            "CREATE TABLE probe (id INTEGER)",
            "INSERT INTO probe (id) VALUES (1) RETURNING id",
        ],
        Capability::MultiRowInsert => &[
            "CREATE TABLE probe (id INTEGER)",
            "INSERT INTO probe (id) VALUES (1), (2)",
        ],
        Capability::IgnoreConflicts if family == SqlFamily::MySql => &[
            "CREATE TABLE probe (id INTEGER PRIMARY KEY)",
            "INSERT INTO probe (id) VALUES (1)",
            "INSERT IGNORE INTO probe (id) VALUES (1)",
        ],
        Capability::IgnoreConflicts => &[
            "CREATE TABLE probe (id INTEGER PRIMARY KEY)",
            "INSERT INTO probe (id) VALUES (1)",
            "INSERT INTO probe (id) VALUES (1) ON CONFLICT DO NOTHING",
        ],
        Capability::CompositeKeys => {
            &["CREATE TABLE probe (one INTEGER, other INTEGER, PRIMARY KEY (one, other))"]
        }
        // The last INSERT fails if deleting the target left its row.
        Capability::ForeignKeys => &[
            "CREATE TABLE target (id INTEGER PRIMARY KEY)",
            "CREATE TABLE probe (id INTEGER PRIMARY KEY, target INTEGER, \
             FOREIGN KEY (target) REFERENCES target (id) ON DELETE CASCADE)",
            "INSERT INTO target (id) VALUES (1)",
            "INSERT INTO probe (id, target) VALUES (1, 1)",
            "DELETE FROM target",
            "INSERT INTO probe (id) VALUES (1)",
        ],
        Capability::AlterAddForeignKey => &[
            "CREATE TABLE target (id INTEGER PRIMARY KEY)",
            "CREATE TABLE probe (id INTEGER PRIMARY KEY, target INTEGER)",
            "ALTER TABLE probe ADD CONSTRAINT refers FOREIGN KEY (target) REFERENCES target (id)",
        ],
        Capability::ForwardReferences => {
            &["CREATE TABLE probe (target INTEGER, FOREIGN KEY (target) REFERENCES later (id))"]
        }
        Capability::Regex => match family {
            SqlFamily::Postgres => &["SELECT 'a' ~ '^a$'"],
            _ => &["SELECT 'a' REGEXP '^a$'"],
        },
        Capability::Comments => match family {
            SqlFamily::Postgres => &[
                "CREATE TABLE probe (id INTEGER)",
                "COMMENT ON COLUMN probe.id IS 'a'",
            ],
            SqlFamily::MySql => &["CREATE TABLE probe (id INTEGER COMMENT 'a')"],
            _ => return None,
        },
        Capability::IndexIfNotExists => &[
            "CREATE TABLE probe (id INTEGER)",
            "CREATE INDEX probe_id ON probe (id)",
            "CREATE INDEX IF NOT EXISTS probe_id ON probe (id)",
        ],
        Capability::UpdateLimit => &[
            "CREATE TABLE probe (id INTEGER)",
            "UPDATE probe SET id = 1 ORDER BY id LIMIT 1",
        ],
        _ => return None,
    };
    Some(texts.iter().map(|text| (*text).to_owned()).collect())
}

/// The statement that tells the version of a server of this family, as one text.
pub(crate) fn version(family: SqlFamily) -> &'static str {
    match family {
        SqlFamily::Sqlite => "SELECT sqlite_version()",
        _ => "SELECT version()",
    }
}
