//! The pooled client of a libSQL server.

use super::config::Config;
use super::dialect::LibsqlDialect;
use super::session::RemoteSession;
use async_trait::async_trait;
use libsql::{Builder, Database};
use orm_core::backend::{
    BaseDBAsyncClient, Collect, ConnectOptions, ConnectionUrl, Connector, Dialect, Intent, Lease,
    Session, Sink, Statement, StatementText,
};
use orm_core::error::{Error, Result};
use orm_core::pool::Pool;
use orm_core::value::Value;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

/// Makes connections to one libSQL server.
pub struct RemoteConnector {
    config: Arc<Config>,
    database: Arc<Database>,
    checked: AtomicBool,
}

impl RemoteConnector {
    /// Reads a URL: `libsql://host[:port]` for TLS, `libsql+http://host[:port]` without.
    ///
    /// # Errors
    /// `Configuration` for a form or an option that there is not, or when the system's
    /// certificates cannot be read.
    pub async fn from_url(url: &ConnectionUrl) -> Result<Self> {
        let config = Config::from_url(url)?;
        let mut builder = Builder::new_remote(config.base.clone(), config.token.clone());
        if let Some(namespace) = &config.namespace {
            builder = builder.namespace(namespace.clone());
        }
        let database = builder
            .build()
            .await
            .map_err(|error| Error::configuration(format!("TLS cannot be set up: {error}")))?;
        Ok(RemoteConnector {
            config: Arc::new(config),
            database: Arc::new(database),
            checked: AtomicBool::new(false),
        })
    }

    /// What the URL asks for, else what the caller does.
    fn connections(&self, asked: Option<usize>) -> Option<usize> {
        self.config.max_connections.or(asked)
    }

    /// Foreign keys are claimed, and are a setting of the server that no connection can keep.
    async fn check(&self, session: &mut RemoteSession) -> Result<()> {
        let text = StatementText::new("PRAGMA foreign_keys");
        let statement = Statement::new(text, Vec::new())
            .with_intent(Intent::Read)
            .uncached();
        let mut sink = Sink::new(Collect::new(|row| Ok(row.cell(0)?.to_value())));
        session.run(&statement, &mut sink).await?;
        let rows = sink.downcast::<Collect<Value>>().map(Collect::into_rows);
        if rows.is_none_or(|rows| rows != [Value::I64(1)]) {
            let target = &self.config.target;
            return Err(Error::configuration(format!(
                "{target} does not enforce foreign keys: start it with `PRAGMA foreign_keys` on"
            )));
        }
        Ok(())
    }
}

impl fmt::Debug for RemoteConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteConnector")
            .field("server", &self.config.target)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Connector for RemoteConnector {
    type Session = RemoteSession;

    fn dialect(&self) -> &'static dyn Dialect {
        &LibsqlDialect
    }

    fn target(&self) -> String {
        self.config.target.clone()
    }

    async fn connect(&self, _: Intent) -> Result<RemoteSession> {
        let database = Arc::clone(&self.database);
        let mut session = RemoteSession::open(database, Arc::clone(&self.config))?;
        session.greet().await?;
        if !self.checked.load(Relaxed) {
            self.check(&mut session).await?;
            self.checked.store(true, Relaxed);
        }
        Ok(session)
    }
}

/// A database of a libSQL server with its pool of connections.
pub struct RemoteClient {
    target: String,
    pool: Pool<RemoteConnector>,
}

impl RemoteClient {
    /// Opens the database of this URL.
    ///
    /// # Errors
    /// `Configuration` for the URL, or a server without foreign keys; `Auth` when the server
    /// refuses the token; `ConnectionLost` or `Timeout` when it cannot be reached.
    pub async fn connect(url: &ConnectionUrl, options: &ConnectOptions) -> Result<Self> {
        let connector = RemoteConnector::from_url(url).await?;
        let mut options = options.clone();
        options.max_connections = connector.connections(options.max_connections);
        let target = connector.target();
        let pool = Pool::new(connector, &options)?;
        drop(pool.acquire(Intent::Write).await?);
        Ok(RemoteClient { target, pool })
    }
}

#[async_trait]
impl BaseDBAsyncClient for RemoteClient {
    fn dialect(&self) -> &'static dyn Dialect {
        &LibsqlDialect
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

impl fmt::Debug for RemoteClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteClient")
            .field("server", &self.target)
            .finish_non_exhaustive()
    }
}
