//! MariaDB and MySQL driver of fast-django, on mysql_async.
//!
//! URLs: `mysql://user:password@host:3306/database` or `mariadb://…`; both reach both servers,
//! which are told apart when connecting. User, password and database may be percent-encoded; an
//! IPv6 host stands in brackets. Needs MariaDB 10.10 or MySQL 8.0.17.
//!
//! Options, after `?`:
//!
//! | option | meaning |
//! |---|---|
//! | `socket` | path of a Unix socket, used instead of the host and port |
//! | `max_connections`, `pool_size` | most connections of the pool (default 8) |
//! | `connect_timeout` | seconds for a connection attempt (default: what the program says, else 5) |
//! | `statement_cache` | prepared statements kept by each connection (default 256) |
//! | `ssl_mode` | `disabled` (default) or `required`: encrypted, chain and host name verified |
//! | `ssl_ca` | PEM file of root certificates to trust besides the public ones |
//! | `ssl_cert`, `ssl_key` | PEM files of the client's certificate chain and key |
//! | `ssl_host_name` | the name that the certificate must have (default: the host) |
//! | `danger_accept_invalid_certs` | `true`: encrypted, but anybody may pose as the server |
//! | `compression` | `true`: compresses the traffic |
//! | `tcp_keepalive` | seconds of silence before the system probes the connection (default 15, 0 = never) |
//! | `program_name` | shown by the server in `performance_schema` |
//! | `charset` | only `utf8mb4`, which is used anyway |
//!
//! An option of the URL goes before what the program says. Every `ssl_…` option but `ssl_mode=disabled` needs the Cargo feature `tls`.
//!
//! Every connection runs in UTC, in strict mode, with the binary collation that does not pad
//! (`utf8mb4_nopad_bin`, `utf8mb4_0900_bin`), and counts matched rows. DDL commits implicitly on
//! these servers, so it is refused inside a transaction. A dropped future ends its connection on
//! the server too.

mod client;
mod config;
mod dialect;
mod error;
mod pool;
mod row;
mod script;
mod session;
mod transaction;
mod value;

pub use client::MySqlBackend;
pub use client::MySqlClient;
pub use dialect::MySqlDialect;
pub use pool::MySqlConnector;
pub use session::MySqlSession;
