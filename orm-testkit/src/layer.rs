//! A backend under another one: the same driver with something changed, such as fewer claims, a
//! call that fails, or a rule that is broken on purpose.
//!
//! [`Layered`] is a [`Backend`] over another one. Its [`Layer`] sees every call that core makes on
//! a connection and every connection that is lent, in the cases' own client and in those that
//! cases open with `Tortoise::init`. What a layer does not override goes to the driver unchanged.

mod client;
mod dialect;

pub use dialect::Facts;

use crate::backend::{Availability, Backend, KnownIssue, Level, Sandbox};
use async_trait::async_trait;
use client::{LayeredClient, LayeredDriver};
use orm_core::backend::{
    self, Capability, Dialect, Done, Health, Sink, SqlFamily, Statement, TransactionManager,
    TransactionOptions,
};
use orm_core::error::Result;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What is changed. Every method has a default that changes nothing.
///
/// One layer serves all connections, at the same time: state that belongs to one connection does
/// not belong here.
#[async_trait]
pub trait Layer: fmt::Debug + Send + Sync + 'static {
    /// The dialect to use instead of this one; the same for every call with the same dialect.
    fn dialect(&self, inner: &'static dyn Dialect) -> &'static dyn Dialect {
        inner
    }

    /// Before a connection is lent.
    ///
    /// # Errors
    /// What `acquire` is to fail with.
    async fn acquire(&self) -> Result<()> {
        Ok(())
    }

    /// Runs a statement.
    ///
    /// # Errors
    /// Those of the session.
    async fn run(
        &self,
        session: &mut dyn TransactionManager,
        statement: &Statement,
        sink: &mut Sink,
    ) -> Result<Done> {
        session.run(statement, sink).await
    }

    /// Runs a script.
    ///
    /// # Errors
    /// Those of the session.
    async fn run_script(&self, session: &mut dyn TransactionManager, sql: &str) -> Result<()> {
        session.run_script(sql).await
    }

    /// What core is told about the connection.
    fn health(&self, session: &dyn TransactionManager) -> Health {
        session.health()
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// Those of the session.
    async fn begin(
        &self,
        session: &mut dyn TransactionManager,
        options: &TransactionOptions,
    ) -> Result<()> {
        session.begin(options).await
    }

    /// Commits.
    ///
    /// # Errors
    /// Those of the session.
    async fn commit(&self, session: &mut dyn TransactionManager) -> Result<()> {
        session.commit().await
    }

    /// Rolls back.
    ///
    /// # Errors
    /// Those of the session.
    async fn rollback(&self, session: &mut dyn TransactionManager) -> Result<()> {
        session.rollback().await
    }

    /// Sets a savepoint.
    ///
    /// # Errors
    /// Those of the session.
    async fn savepoint(&self, session: &mut dyn TransactionManager, depth: u32) -> Result<()> {
        session.savepoint(depth).await
    }

    /// Undoes everything since a savepoint.
    ///
    /// # Errors
    /// Those of the session.
    async fn rollback_to(&self, session: &mut dyn TransactionManager, depth: u32) -> Result<()> {
        session.rollback_to(depth).await
    }

    /// Keeps everything since a savepoint.
    ///
    /// # Errors
    /// Those of the session.
    async fn release(&self, session: &mut dyn TransactionManager, depth: u32) -> Result<()> {
        session.release(depth).await
    }

    /// The connection comes back clean.
    fn give_back(&self, held: Box<dyn backend::Held>) {
        held.give_back();
    }

    /// The connection comes back in doubt, or with something to undo.
    fn clean_up(&self, held: Box<dyn backend::Held>, in_doubt: bool) {
        held.clean_up(in_doubt);
    }
}

/// A backend with a layer over its driver.
#[derive(Debug)]
pub struct Layered<L> {
    inner: Arc<dyn Backend>,
    layer: Arc<L>,
    deadline: Duration,
}

impl<L: Layer> Layered<L> {
    /// The backend under this layer.
    pub fn new(inner: Arc<dyn Backend>, layer: L) -> Self {
        Layered {
            deadline: inner.deadline(),
            inner,
            layer: Arc::new(layer),
        }
    }

    /// Another deadline for each case, for layers that hang.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The layer.
    pub fn layer(&self) -> &Arc<L> {
        &self.layer
    }
}

#[async_trait]
impl<L: Layer> Backend for Layered<L> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn driver(&self) -> Arc<dyn backend::Backend> {
        Arc::new(LayeredDriver {
            inner: self.inner.driver(),
            layer: self.layer.clone(),
        })
    }

    async fn provision(&self, id: &str) -> Result<Sandbox> {
        let layer = self.layer.clone();
        let sandbox = self.inner.provision(id).await?;
        Ok(sandbox.map_client(|inner| Arc::new(LayeredClient { inner, layer })))
    }

    fn availability(&self) -> Availability {
        self.inner.availability()
    }

    fn known_issues(&self) -> &'static [KnownIssue] {
        self.inner.known_issues()
    }

    fn level(&self) -> Level {
        self.inner.level()
    }

    fn version(&self) -> String {
        self.inner.version()
    }

    fn driver_version(&self) -> String {
        self.inner.driver_version()
    }

    fn deadline(&self) -> Duration {
        self.deadline
    }

    fn probe(&self, family: SqlFamily, capability: Capability) -> Option<Vec<String>> {
        self.inner.probe(family, capability)
    }
}
