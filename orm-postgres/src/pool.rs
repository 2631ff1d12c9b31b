//! What the pool asks of this driver: connections, set up the same way each time.

use crate::config::Config;
use crate::connect;
use crate::dialect::PostgresDialect;
use crate::session::PostgresSession;
use async_trait::async_trait;
use orm_core::backend::{ConnectOptions, ConnectionUrl, Connector, Dialect, Intent};
use orm_core::error::Result;
use std::sync::Arc;

/// Makes connections of one PostgreSQL database.
#[derive(Clone, Debug)]
pub struct PostgresConnector {
    config: Arc<Config>,
}

impl PostgresConnector {
    /// A connector for this URL. Sends nothing.
    ///
    /// # Errors
    /// `Configuration` that names the option at fault.
    pub fn from_url(url: &ConnectionUrl) -> Result<Self> {
        let config = Arc::new(Config::from_url(url)?);
        Ok(PostgresConnector { config })
    }

    /// What the URL decides goes before what the program says.
    pub(crate) fn agree(&mut self, options: &mut ConnectOptions) {
        options.max_connections = self.config.max_connections.or(options.max_connections);
        match self.config.connect_timeout {
            Some(limit) => options.connect_timeout = limit,
            None => {
                Arc::make_mut(&mut self.config).connect_timeout = Some(options.connect_timeout);
            }
        }
    }
}

#[async_trait]
impl Connector for PostgresConnector {
    type Session = PostgresSession;

    fn dialect(&self) -> &'static dyn Dialect {
        &PostgresDialect
    }

    fn target(&self) -> String {
        self.config.target_name()
    }

    async fn connect(&self, _: Intent) -> Result<PostgresSession> {
        connect::connect(&self.config).await
    }
}
