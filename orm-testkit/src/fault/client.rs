//! Client and connections under an injector.

use super::{Call, Injector};
use async_trait::async_trait;
use orm_core::backend::{
    BaseDBAsyncClient, Dialect, Done, Health, Held, Intent, Lease, Session, Sink, Statement,
    TransactionManager, TransactionOptions,
};
use orm_core::error::{Error, Result};
use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

/// A client whose leases pass through an injector.
#[derive(Debug)]
pub(super) struct FaultyClient {
    pub(super) inner: Arc<dyn BaseDBAsyncClient>,
    pub(super) injector: Injector,
}

#[async_trait]
impl BaseDBAsyncClient for FaultyClient {
    fn dialect(&self) -> &'static dyn Dialect {
        self.inner.dialect()
    }

    async fn acquire(&self, intent: Intent) -> Result<Lease> {
        let work = self.inner.acquire(intent);
        let (lease, closed) = self.injector.around(Call::Acquire, work).await;
        let held = lease?
            .into_held()
            .map_err(|_| Error::configuration("the driver lent a connection that is in use"))?;
        Ok(Lease::new(Box::new(FaultyHeld {
            inner: held,
            injector: self.injector.clone(),
            closed,
            unfinished: false,
        })))
    }

    async fn close(&self) {
        tokio::task::yield_now().await;
        self.inner.close().await;
    }
}

/// A lent connection: for core both the place in the pool and the session.
struct FaultyHeld {
    inner: Box<dyn Held>,
    injector: Injector,
    closed: bool,
    /// A call was begun, and dropped before its end.
    unfinished: bool,
}

impl Held for FaultyHeld {
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
        if self.unfinished {
            self.injector.broken("given back after an unfinished call");
        } else if self.health() != Health::Clean {
            self.injector.broken("given back with an open transaction");
        }
        self.inner.give_back();
    }

    fn discard(self: Box<Self>) {
        self.inner.discard();
    }

    fn clean_up(self: Box<Self>, in_doubt: bool) {
        if self.unfinished && !in_doubt {
            self.injector
                .broken("cleaned up as if no call were unfinished");
        }
        match self.closed {
            true => self.inner.discard(),
            false => self.inner.clean_up(in_doubt),
        }
    }
}

/// Makes one call of the session under the injector.
macro_rules! through {
    ($self:ident, $call:expr, |$session:ident| $work:expr) => {{
        let injector = $self.injector.clone();
        if $self.unfinished {
            injector.broken("used after an unfinished call");
        }
        $self.unfinished = true;
        let $session = $self.inner.session();
        let (result, closed) = injector.around($call, $work).await;
        $self.unfinished = false;
        $self.closed |= closed;
        result
    }};
}

#[async_trait]
impl Session for FaultyHeld {
    fn dialect(&self) -> &'static dyn Dialect {
        self.inner.peek().dialect()
    }

    async fn run(&mut self, statement: &Statement, sink: &mut Sink) -> Result<Done> {
        through!(self, Call::Run(statement.intent), |session| session
            .run(statement, sink))
    }

    async fn run_script(&mut self, sql: &str) -> Result<()> {
        through!(self, Call::Script, |session| session.run_script(sql))
    }

    fn health(&self) -> Health {
        match self.closed {
            true => Health::Broken,
            false => self.inner.peek().health(),
        }
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
impl TransactionManager for FaultyHeld {
    async fn begin(&mut self, options: &TransactionOptions) -> Result<()> {
        through!(self, Call::Begin, |session| session.begin(options))
    }

    async fn commit(&mut self) -> Result<()> {
        through!(self, Call::Commit, |session| session.commit())
    }

    async fn rollback(&mut self) -> Result<()> {
        through!(self, Call::Rollback, |session| session.rollback())
    }

    async fn savepoint(&mut self, depth: u32) -> Result<()> {
        through!(self, Call::Savepoint, |session| session.savepoint(depth))
    }

    async fn rollback_to(&mut self, depth: u32) -> Result<()> {
        through!(self, Call::RollbackTo, |session| session.rollback_to(depth))
    }

    async fn release(&mut self, depth: u32) -> Result<()> {
        through!(self, Call::Release, |session| session.release(depth))
    }
}
