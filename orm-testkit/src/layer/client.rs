//! Client, driver and connections under a layer.

use super::Layer;
use async_trait::async_trait;
use orm_core::backend::{
    Backend, BaseDBAsyncClient, ConnectOptions, ConnectionUrl, Dialect, Done, Health, Held, Intent,
    Lease, Session, Sink, Statement, TransactionManager, TransactionOptions,
};
use orm_core::error::{Error, Result};
use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

/// The driver, for clients that cases open themselves.
#[derive(Debug)]
pub(super) struct LayeredDriver<L> {
    pub(super) inner: Arc<dyn Backend>,
    pub(super) layer: Arc<L>,
}

#[async_trait]
impl<L: Layer> Backend for LayeredDriver<L> {
    fn schemes(&self) -> &'static [&'static str] {
        self.inner.schemes()
    }

    async fn connect(
        &self,
        url: &ConnectionUrl,
        options: &ConnectOptions,
    ) -> Result<Arc<dyn BaseDBAsyncClient>> {
        Ok(Arc::new(LayeredClient {
            inner: self.inner.connect(url, options).await?,
            layer: self.layer.clone(),
        }))
    }
}

/// A client whose leases pass through the layer.
#[derive(Debug)]
pub(super) struct LayeredClient<L> {
    pub(super) inner: Arc<dyn BaseDBAsyncClient>,
    pub(super) layer: Arc<L>,
}

#[async_trait]
impl<L: Layer> BaseDBAsyncClient for LayeredClient<L> {
    fn dialect(&self) -> &'static dyn Dialect {
        self.layer.dialect(self.inner.dialect())
    }

    async fn acquire(&self, intent: Intent) -> Result<Lease> {
        self.layer.acquire().await?;
        let lease = self.inner.acquire(intent).await?;
        let held = lease
            .into_held()
            .map_err(|_| Error::configuration("the driver lent a connection that is in use"))?;
        Ok(Lease::new(Box::new(LayeredHeld {
            dialect: self.dialect(),
            inner: held,
            layer: self.layer.clone(),
        })))
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

/// A lent connection: for core it is both the place in the pool and the session.
struct LayeredHeld<L> {
    dialect: &'static dyn Dialect,
    inner: Box<dyn Held>,
    layer: Arc<L>,
}

impl<L: Layer> Held for LayeredHeld<L> {
    fn session(&mut self) -> &mut dyn TransactionManager {
        self
    }

    fn peek(&self) -> &dyn TransactionManager {
        self
    }

    fn statement_timeout(&self) -> Option<Duration> {
        self.inner.statement_timeout()
    }

    fn slow_statement(&self) -> Duration {
        self.inner.slow_statement()
    }

    fn give_back(self: Box<Self>) {
        self.layer.give_back(self.inner);
    }

    fn discard(self: Box<Self>) {
        self.inner.discard();
    }

    fn clean_up(self: Box<Self>, in_doubt: bool) {
        self.layer.clean_up(self.inner, in_doubt);
    }
}

#[async_trait]
impl<L: Layer> Session for LayeredHeld<L> {
    fn dialect(&self) -> &'static dyn Dialect {
        self.dialect
    }

    async fn run(&mut self, statement: &Statement, sink: &mut Sink) -> Result<Done> {
        self.layer.run(self.inner.session(), statement, sink).await
    }

    async fn run_script(&mut self, sql: &str) -> Result<()> {
        self.layer.run_script(self.inner.session(), sql).await
    }

    fn health(&self) -> Health {
        self.layer.health(self.inner.peek())
    }

    async fn ping(&mut self) -> Result<()> {
        self.inner.session().ping().await
    }

    async fn recover(&mut self) -> Result<()> {
        self.inner.session().recover().await
    }

    async fn reset(&mut self) -> Result<()> {
        self.inner.session().reset().await
    }

    fn wants_ping(&self, idle: Duration) -> bool {
        self.inner.peek().wants_ping(idle)
    }

    fn native(&mut self) -> &mut dyn Any {
        self.inner.session().native()
    }
}

#[async_trait]
impl<L: Layer> TransactionManager for LayeredHeld<L> {
    async fn begin(&mut self, options: &TransactionOptions) -> Result<()> {
        self.layer.begin(self.inner.session(), options).await
    }

    async fn commit(&mut self) -> Result<()> {
        self.layer.commit(self.inner.session()).await
    }

    async fn rollback(&mut self) -> Result<()> {
        self.layer.rollback(self.inner.session()).await
    }

    async fn savepoint(&mut self, depth: u32) -> Result<()> {
        self.layer.savepoint(self.inner.session(), depth).await
    }

    async fn rollback_to(&mut self, depth: u32) -> Result<()> {
        self.layer.rollback_to(self.inner.session(), depth).await
    }

    async fn release(&mut self, depth: u32) -> Result<()> {
        self.layer.release(self.inner.session(), depth).await
    }
}
