//! The pooled client, and the driver that opens it.

use crate::dialect::PostgresDialect;
use crate::pool::PostgresConnector;
use async_trait::async_trait;
use orm_core::backend::{
    Backend, BaseDBAsyncClient, ConnectOptions, ConnectionUrl, Connector, Dialect, Intent, Lease,
};
use orm_core::error::Result;
use orm_core::pool::Pool;
use std::{fmt, sync::Arc};

/// The PostgreSQL driver: serves `postgres:` and `postgresql:` URLs.
#[derive(Clone, Copy, Debug, Default)]
pub struct PostgresBackend;

#[async_trait]
impl Backend for PostgresBackend {
    fn schemes(&self) -> &'static [&'static str] {
        &["postgres", "postgresql"]
    }

    async fn connect(
        &self,
        url: &ConnectionUrl,
        options: &ConnectOptions,
    ) -> Result<Arc<dyn BaseDBAsyncClient>> {
        Ok(Arc::new(PostgresClient::connect(url, options).await?))
    }
}

/// A PostgreSQL database with its pool of connections.
pub struct PostgresClient {
    pool: Pool<PostgresConnector>,
}

impl PostgresClient {
    /// Opens the database of this URL.
    ///
    /// # Errors
    /// `Configuration` for the URL; `Auth` for refused credentials or a missing database;
    /// `ConnectionLost` or `Timeout` for a server that does not answer.
    pub async fn connect(url: &ConnectionUrl, options: &ConnectOptions) -> Result<Self> {
        let mut connector = PostgresConnector::from_url(url)?;
        let mut options = options.clone();
        connector.agree(&mut options);
        let pool = Pool::new(connector, &options)?;
        // A wrong password is an error here, not at the first query.
        drop(pool.acquire(Intent::Write).await?);
        Ok(PostgresClient { pool })
    }

    /// The pool, for its numbers.
    pub fn pool(&self) -> &Pool<PostgresConnector> {
        &self.pool
    }
}

#[async_trait]
impl BaseDBAsyncClient for PostgresClient {
    fn dialect(&self) -> &'static dyn Dialect {
        &PostgresDialect
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

impl fmt::Debug for PostgresClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresClient")
            .field("target", &self.pool.connector().target())
            .finish_non_exhaustive()
    }
}
