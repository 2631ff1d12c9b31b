//! SQLite driver of fast-django, on libsql's copy of SQLite.
//!
//! URLs: `sqlite::memory:` (private, one connection), `sqlite:path/to/file.db`,
//! `sqlite:///absolute/path.db`. Options: `mode` (`ro`, `rw`, `rwc`), `journal_mode`,
//! `synchronous`, `busy_timeout` (milliseconds), `cache_size`, `max_connections` (or `pool_size`),
//! `statement_cache`.

mod client;
mod config;
mod dialect;
mod engine;
mod error;
mod ffi;
mod functions;
mod pool;
mod row;
mod session;
mod transaction;
mod value;

pub use client::SqliteBackend;
pub use client::SqliteClient;
pub use dialect::SqliteDialect;
pub use pool::SqliteConnector;
pub use session::SqliteSession;
