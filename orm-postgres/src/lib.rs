//! PostgreSQL driver of fast-django, on tokio-postgres.
//!
//! URLs: `postgres://user:password@host:port/database?option=value`, also `postgresql://`. User,
//! password and all other parts are percent-decoded, IPv6 addresses stand in brackets, and several
//! hosts (`host1:5432,host2:5433`) are tried in their order. Without a database, the one named
//! like the user is opened.
//!
//! | option | meaning | default |
//! |---|---|---|
//! | `host`, `port` | instead of those before the path; a `host` that begins with `/` is the folder of a Unix socket | `localhost`, 5432 |
//! | `user`, `password`, `dbname` (or `database`) | instead of those before the `?` | user `postgres` |
//! | `application_name` | shown in `pg_stat_activity` | `fast-django` |
//! | `search_path` (or `schema`) | schemas in which tables are looked for, with commas | the server's |
//! | `options` | further start-up options, such as `-c work_mem=64MB` | |
//! | `sslmode` | `disable`, or `require` (or `verify-full`): encrypted, with the certificate's chain and host name verified | `disable` |
//! | `sslrootcert` | PEM file of the authorities to trust | Mozilla's list |
//! | `danger_accept_invalid_certs` | `true`: encrypted, but whoever answers is believed | `false` |
//! | `target_session_attrs` | `any`, `read-write` or `read-only`: which of several hosts will do | `any` |
//! | `statement_mode` | `named`: prepared once for each connection; `unnamed`: nothing is kept on the server between transactions, for poolers such as PgBouncer in transaction mode | `named` |
//! | `statement_cache` (or `statement_cache_size`) | prepared statements that a connection keeps | 256 |
//! | `connect_timeout` | seconds for a whole connection attempt | what the program says, else 5 |
//! | `tcp_user_timeout` | milliseconds that sent bytes may stay unacknowledged (Linux) | 15000 |
//! | `keepalives_idle` | seconds before an idle connection is probed; 0 = never | 15 |
//! | `max_connections` (or `pool_size`) | most connections of the pool | what the program says, else 8 |
//!
//! An option of the URL goes before what the program says. `sslmode=require` needs the Cargo feature
//! `tls`. The session's time zone is always UTC.
//!
//! # Differences
//! - Text columns are created with the collation `C`: code point order, as on every backend.
//! - Lookups without regard to case and regular expressions need a server with ICU, which all
//!   common builds have.
//! - In `unnamed` mode values are sent as text, and the server decides their types. Behind a pooler,
//!   select columns of enum types as `column::text`: their description needs a second statement.
//! - A row with a key of its own does not move the sequence that generates the others: a generated
//!   key may meet it later, which is an `IntegrityError`.
//! - A COPY that the server refuses before it begins costs the connection.

mod bulk;
mod cache;
mod cancel;
mod client;
mod config;
mod connect;
mod dialect;
mod error;
mod pipeline;
mod pool;
mod row;
mod script;
mod session;
mod socket;
#[cfg(feature = "tls")]
mod tls;
mod transaction;
mod value;

pub use client::PostgresBackend;
pub use client::PostgresClient;
pub use dialect::PostgresDialect;
pub use pool::PostgresConnector;
pub use session::PostgresSession;
