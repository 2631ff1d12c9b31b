//! Pools that lend what they should have cleaned or closed.

use crate::sqlite::Sqlite;
use async_trait::async_trait;
use orm_core::backend::{
    self, BaseDBAsyncClient, ConnectOptions, ConnectionUrl, Dialect, Done, Health, Held, Intent,
    Lease, Session, Sink, Statement, TransactionManager, TransactionOptions,
};
use orm_core::error::{Error, Result};
use orm_testkit::{Backend, Sandbox};
use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What the pool does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pool {
    /// Nothing.
    Right,
    /// A connection with an open transaction is lent as it is.
    LendsOpen,
    /// A call that was dropped is not noticed: the pool believes what it was told before.
    NoDoubt,
    /// A connection is cleaned only when the next one is wanted.
    Lazy,
    /// A connection that raw SQL has changed is lent as it is.
    NoReset,
    /// `close` does nothing.
    NeverCloses,
}

#[async_trait]
impl Backend for Pool {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn driver(&self) -> Arc<dyn backend::Backend> {
        Arc::new(Driver(*self))
    }

    async fn provision(&self, id: &str) -> Result<Sandbox> {
        let wrong = *self;
        let sandbox = Sqlite.provision(id).await?;
        Ok(sandbox.map_client(|inner| Arc::new(Client::new(wrong, inner))))
    }
}

/// The driver, for clients that cases open themselves.
#[derive(Debug)]
struct Driver(Pool);

#[async_trait]
impl backend::Backend for Driver {
    fn schemes(&self) -> &'static [&'static str] {
        orm_sqlite::SqliteBackend.schemes()
    }

    async fn connect(
        &self,
        url: &ConnectionUrl,
        options: &ConnectOptions,
    ) -> Result<Arc<dyn BaseDBAsyncClient>> {
        let inner = orm_sqlite::SqliteBackend.connect(url, options).await?;
        Ok(Arc::new(Client::new(self.0, inner)))
    }
}

/// Connections to lend before new ones are opened.
type Free = Arc<Mutex<Vec<(Intent, Box<dyn Held>)>>>;

struct Client {
    wrong: Pool,
    inner: Arc<dyn BaseDBAsyncClient>,
    free: Free,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

impl Client {
    fn new(wrong: Pool, inner: Arc<dyn BaseDBAsyncClient>) -> Self {
        let free = Free::default();
        Client { wrong, inner, free }
    }

    fn free(&self) -> std::sync::MutexGuard<'_, Vec<(Intent, Box<dyn Held>)>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl BaseDBAsyncClient for Client {
    fn dialect(&self) -> &'static dyn Dialect {
        self.inner.dialect()
    }

    async fn acquire(&self, intent: Intent) -> Result<Lease> {
        let known = {
            let mut free = self.free();
            let at = free.iter().position(|(of, _)| *of == intent);
            at.map(|at| free.swap_remove(at).1)
        };
        let inner = match (known, self.wrong) {
            (Some(dirty), Pool::Lazy) => {
                dirty.clean_up(true);
                None
            }
            (known, _) => known,
        };
        let inner = match inner {
            Some(inner) => inner,
            None => {
                let lease = self.inner.acquire(intent).await?;
                let used = |_| Error::configuration("the driver lent a connection in use");
                lease.into_held().map_err(used)?
            }
        };
        Ok(Lease::new(Box::new(Lent {
            wrong: self.wrong,
            intent,
            open: false,
            inner,
            free: self.free.clone(),
        })))
    }

    async fn close(&self) {
        if self.wrong != Pool::NeverCloses {
            self.free().clear();
            self.inner.close().await;
        }
    }
}

/// A lent connection.
struct Lent {
    wrong: Pool,
    intent: Intent,
    /// Whether a transaction is open, as far as the answers tell.
    open: bool,
    inner: Box<dyn Held>,
    free: Free,
}

impl Lent {
    fn keep(self) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.push((self.intent, self.inner));
    }
}

impl Held for Lent {
    fn session(&mut self) -> &mut dyn TransactionManager {
        self
    }

    fn peek(&self) -> &dyn TransactionManager {
        self
    }

    fn statement_timeout(&self) -> Option<Duration> {
        self.inner.statement_timeout()
    }

    fn give_back(self: Box<Self>) {
        self.inner.give_back();
    }

    fn discard(self: Box<Self>) {
        self.inner.discard();
    }

    fn clean_up(self: Box<Self>, in_doubt: bool) {
        let keeps = match self.wrong {
            Pool::Right | Pool::NeverCloses => false,
            Pool::LendsOpen => self.inner.peek().health() == Health::InTransaction,
            Pool::NoDoubt => in_doubt && !self.open,
            Pool::Lazy => true,
            Pool::NoReset => !in_doubt && self.inner.peek().health() == Health::Clean,
        };
        match keeps {
            true => self.keep(),
            false => self.inner.clean_up(in_doubt),
        }
    }
}

#[async_trait]
impl Session for Lent {
    fn dialect(&self) -> &'static dyn Dialect {
        self.inner.peek().dialect()
    }

    async fn run(&mut self, statement: &Statement, sink: &mut Sink) -> Result<Done> {
        let done = self.inner.session().run(statement, sink).await;
        // As over a network, where the answer takes its time: a place to be dropped at.
        tokio::task::yield_now().await;
        done
    }

    async fn run_script(&mut self, sql: &str) -> Result<()> {
        self.inner.session().run_script(sql).await
    }

    fn health(&self) -> Health {
        self.inner.peek().health()
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

    fn native(&mut self) -> &mut dyn Any {
        self.inner.session().native()
    }
}

#[async_trait]
impl TransactionManager for Lent {
    async fn begin(&mut self, options: &TransactionOptions) -> Result<()> {
        let result = self.inner.session().begin(options).await;
        tokio::task::yield_now().await;
        self.open = result.is_ok();
        result
    }

    async fn commit(&mut self) -> Result<()> {
        let result = self.inner.session().commit().await;
        tokio::task::yield_now().await;
        self.open = false;
        result
    }

    async fn rollback(&mut self) -> Result<()> {
        let result = self.inner.session().rollback().await;
        tokio::task::yield_now().await;
        self.open = false;
        result
    }

    async fn savepoint(&mut self, depth: u32) -> Result<()> {
        self.inner.session().savepoint(depth).await
    }

    async fn rollback_to(&mut self, depth: u32) -> Result<()> {
        self.inner.session().rollback_to(depth).await
    }

    async fn release(&mut self, depth: u32) -> Result<()> {
        self.inner.session().release(depth).await
    }
}
