//! The pooled client, and the driver that opens it.

use crate::dialect::SqliteDialect;
use crate::pool::SqliteConnector;
#[cfg(feature = "remote")]
use crate::remote::RemoteClient;
use async_trait::async_trait;
use orm_core::backend::{
    Backend, BaseDBAsyncClient, ConnectOptions, ConnectionUrl, Dialect, Intent, Lease,
};
use orm_core::error::Result;
use orm_core::pool::Pool;
use std::{fmt, sync::Arc};

/// The SQLite driver: serves `sqlite:`, `file:` and `libsql:` URLs; those of servers with the
/// feature `remote`.
#[derive(Clone, Copy, Debug, Default)]
pub struct SqliteBackend;

#[async_trait]
impl Backend for SqliteBackend {
    fn schemes(&self) -> &'static [&'static str] {
        &["sqlite", "libsql", "libsql+http", "file"]
    }

    async fn connect(
        &self,
        url: &ConnectionUrl,
        options: &ConnectOptions,
    ) -> Result<Arc<dyn BaseDBAsyncClient>> {
        #[cfg(feature = "remote")]
        if crate::config::names_a_server(url) {
            return Ok(Arc::new(RemoteClient::connect(url, options).await?));
        }
        Ok(Arc::new(SqliteClient::connect(url, options).await?))
    }
}

/// A SQLite database with its pool of connections.
pub struct SqliteClient {
    target: String,
    pool: Pool<SqliteConnector>,
}

impl SqliteClient {
    /// Opens the database of this URL.
    ///
    /// # Errors
    /// `Configuration` for the URL; `Auth` for a file that cannot be opened, saying why.
    pub async fn connect(url: &ConnectionUrl, options: &ConnectOptions) -> Result<Self> {
        let connector = SqliteConnector::from_url(url)?;
        let mut options = options.clone();
        options.max_connections = connector.connections(options.max_connections);
        let target = url.path().to_owned();
        let pool = Pool::new(connector, &options)?;
        // A wrong path is an error here, not at the first query.
        drop(pool.acquire(Intent::Write).await?);
        Ok(SqliteClient { target, pool })
    }
}

#[async_trait]
impl BaseDBAsyncClient for SqliteClient {
    fn dialect(&self) -> &'static dyn Dialect {
        &SqliteDialect
    }

    async fn acquire(&self, intent: Intent) -> Result<Lease> {
        self.pool.acquire(intent).await
    }

    fn try_acquire(&self, intent: Intent) -> Option<Lease> {
        self.pool.try_acquire(intent)
    }

    fn must_wait(&self, intent: Intent, held: &[Intent]) -> bool {
        self.pool.must_wait(intent, held)
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}

impl fmt::Debug for SqliteClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteClient")
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}
