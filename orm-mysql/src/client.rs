//! The pooled client, and the driver that opens it.

use crate::pool::MySqlConnector;
use async_trait::async_trait;
use orm_core::backend::{
    Backend, BaseDBAsyncClient, ConnectOptions, ConnectionUrl, Connector, Dialect, Intent, Lease,
};
use orm_core::error::Result;
use orm_core::pool::{Pool, PoolStatus};
use std::{fmt, sync::Arc};

/// The driver: serves `mysql:` and `mariadb:` URLs.
#[derive(Clone, Copy, Debug, Default)]
pub struct MySqlBackend;

#[async_trait]
impl Backend for MySqlBackend {
    fn schemes(&self) -> &'static [&'static str] {
        &["mysql", "mariadb"]
    }

    async fn connect(
        &self,
        url: &ConnectionUrl,
        options: &ConnectOptions,
    ) -> Result<Arc<dyn BaseDBAsyncClient>> {
        Ok(Arc::new(MySqlClient::connect(url, options).await?))
    }
}

/// A database with its pool of connections.
pub struct MySqlClient {
    pool: Pool<MySqlConnector>,
}

impl MySqlClient {
    /// Opens the database of this URL, and asks which server it is.
    ///
    /// # Errors
    /// `Configuration` for the URL; `Auth`, `ConnectionLost` or `Timeout(Connect)` for the
    /// connection, naming the server and what to do.
    pub async fn connect(url: &ConnectionUrl, options: &ConnectOptions) -> Result<Self> {
        let connector = MySqlConnector::open(url, options.connect_timeout).await?;
        let mut options = options.clone();
        connector.agree(&mut options);
        let pool = Pool::new(connector, &options)?;
        // Puts the first connection, by which the server was told, into the pool.
        drop(pool.acquire(Intent::Write).await?);
        Ok(MySqlClient { pool })
    }

    /// The numbers of the pool.
    pub fn status(&self) -> PoolStatus {
        self.pool.status()
    }
}

#[async_trait]
impl BaseDBAsyncClient for MySqlClient {
    fn dialect(&self) -> &'static dyn Dialect {
        self.pool.connector().dialect()
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

impl fmt::Debug for MySqlClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MySqlClient")
            .field("target", &self.pool.connector().target())
            .field("dialect", &self.dialect().name())
            .finish_non_exhaustive()
    }
}
