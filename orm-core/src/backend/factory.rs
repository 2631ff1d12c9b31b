//! Which driver serves which URL.

use super::{BaseDBAsyncClient, ConnectionUrl};
use crate::error::Result;
use async_trait::async_trait;
use std::{fmt, sync::Arc, time::Duration};

/// A driver: the URL schemes it serves, and how it opens a client.
///
/// The facade passes the drivers that its Cargo features enable; a driver of your own is passed in
/// the configuration.
#[async_trait]
pub trait Backend: fmt::Debug + Send + Sync + 'static {
    /// URL schemes it serves, such as `["sqlite", "libsql"]`.
    fn schemes(&self) -> &'static [&'static str];

    /// Opens a client for the URL: checks every option of it, and makes one connection, so that a
    /// wrong URL or a missing database is an error here and not at the first query.
    ///
    /// # Errors
    /// `Configuration` for the URL; `Auth` or `ConnectionLost` for the connection.
    async fn connect(
        &self,
        url: &ConnectionUrl,
        options: &ConnectOptions,
    ) -> Result<Arc<dyn BaseDBAsyncClient>>;
}

/// Options of a client that do not depend on the driver. Every wait has a deadline.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectOptions {
    /// Most connections. `None` = what the driver thinks best.
    pub max_connections: Option<usize>,
    /// Longest wait for a new connection. Default 5 s.
    pub connect_timeout: Duration,
    /// Longest wait for a free connection. Default 10 s.
    pub acquire_timeout: Duration,
    /// Longest time to clean up after a dropped future before the connection is closed.
    /// Default 1 s.
    pub cleanup_timeout: Duration,
    /// Longest time a statement, or a command of a transaction, may run. Default: no limit.
    pub statement_timeout: Option<Duration>,
    /// Statements that take longer are logged as slow. Default 1 s.
    pub slow_statement: Duration,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        ConnectOptions {
            max_connections: None,
            connect_timeout: Duration::from_secs(5),
            acquire_timeout: Duration::from_secs(10),
            cleanup_timeout: Duration::from_secs(1),
            statement_timeout: None,
            slow_statement: Duration::from_secs(1),
        }
    }
}
