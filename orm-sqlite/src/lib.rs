//! SQLite driver of fast-django, on libsql's copy of SQLite.
//!
//! URLs: `sqlite::memory:` (private, one connection), `sqlite:path/to/file.db`,
//! `sqlite:///absolute/path.db`. Options: `mode` (`ro`, `rw`, `rwc`), `journal_mode`,
//! `synchronous`, `busy_timeout` (milliseconds), `cache_size`, `max_connections` (or `pool_size`),
//! `statement_cache`.
//!
//! # Servers
//!
//! With the feature `remote`, `libsql://host[:port]` opens a database of a libSQL server over
//! HTTPS, and `libsql+http://host[:port]` over plain HTTP. Options: `authToken`, `namespace`,
//! `request_timeout` (milliseconds, 60 000), `busy_timeout`, `max_connections` (or `pool_size`),
//! `statement_cache`. What differs from a file:
//!
//! - A statement is one HTTP request; a text that may give rows costs one more the first time it
//!   is used on a connection, and a new connection one (the first of a client three).
//! - Lookups that fold case (`__iexact`, `__icontains`, ..), regular expressions and read-only
//!   transactions are refused as `Unsupported`, since the server lacks what they need. Infinite
//!   numbers are refused as well: JSON has none.
//! - The server holds a stream for an open transaction. It ends one that had no request for 10 s,
//!   which is `ConnectionLost` here, and rolls one back that makes others wait for too long, which
//!   is `Serialization`.
//! - A statement cannot be stopped. When its future is dropped the connection is closed; the
//!   server rolls back what was open, at the latest when its stream expires.
//! - The server names constraints in the text of its errors only, which are read there. A report
//!   whose text is not known is a `Statement` error.
//! - Whether `"x"` is taken for a text where there is no column `x` is up to the server; on files
//!   that is an error. Names in queries of models are qualified, which no server mistakes.
//! - Statements pass through the parser of the client library, which refuses some (most PRAGMAs
//!   with a value, `VACUUM`).
//!
//! - A result that something between the two cuts off, yet ends as HTTP wants it, cannot be told
//!   from a whole one. TLS keeps such things away.
//!
//! TLS trusts the authorities of the system, or those of the file that `SSL_CERT_FILE` names.
//!
//! The tests run against a server of the protocol that they bring along, over SQLite, which fails
//! on demand; `cargo test -p orm-sqlite --features remote` runs what is common to all servers on
//! the one that `FD_SQLD_URL` names as well. Embedded replicas are not supported: their primary
//! speaks another protocol, of which there is no server to test with.

mod client;
mod config;
mod dialect;
mod engine;
mod error;
mod ffi;
mod functions;
mod pool;
#[cfg(feature = "remote")]
mod remote;
mod row;
mod session;
mod transaction;
mod value;

pub use client::SqliteBackend;
pub use client::SqliteClient;
pub use dialect::SqliteDialect;
pub use pool::SqliteConnector;
#[cfg(feature = "remote")]
pub use remote::{LibsqlDialect, RemoteClient, RemoteConnector, RemoteSession};
pub use session::SqliteSession;
