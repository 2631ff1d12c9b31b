//! What a driver author writes: a name, a level, and how to make an empty database for one case.

use crate::probe;
use async_trait::async_trait;
use orm_core::backend::{
    self, BaseDBAsyncClient, Capability, ConnectOptions, ConnectionUrl, SqlFamily,
};
use orm_core::error::Result;
use std::{any::Any, fmt, future::Future, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

/// How much of the suite a driver promises to pass. A level contains those before it.
///
/// Every case runs on every driver. One above the driver's level is *advisory*: shown, and no
/// failure of the run. A new driver starts at `Core` and raises its level as it grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Level {
    /// Fields, queries, writes of one statement, relations, errors, connecting.
    Core,
    /// Blocks that are kept whole or not at all, and what is built on them.
    Transactions,
    /// Everything: concurrency, dropped futures, limits, the rules of the driver contract.
    Full,
}

impl Level {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Level::Core => "core",
            Level::Transactions => "transactions",
            Level::Full => "full",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A driver under test.
///
/// Required are a name, the driver, and how to make an empty database; the rest has defaults.
#[async_trait]
pub trait Backend: fmt::Debug + Send + Sync + 'static {
    /// Its column in the report, such as `sqlite`. Unique among the backends of one run.
    fn name(&self) -> &'static str;

    /// The driver itself, as a program passes it to `Config::backend`.
    fn driver(&self) -> Arc<dyn backend::Backend>;

    /// Makes an empty database (or schema) and a client of it, with [`Sandbox::open`].
    ///
    /// `id` is unique in this process and made of letters, digits and `_`; two calls run at the
    /// same time. The client lives on the async runtime that makes the call.
    ///
    /// # Errors
    /// Whatever keeps the database from being made; the case then fails with it.
    async fn provision(&self, id: &str) -> Result<Sandbox>;

    /// Whether its cases can run here. A missing server is shown as *not run*, never as passed.
    fn availability(&self) -> Availability {
        Availability::Ready
    }

    /// Cases that are known to fail on this backend. They MUST fail: one that passes is reported
    /// as a failure, so that a mended defect is noticed.
    fn known_issues(&self) -> &'static [KnownIssue] {
        &[]
    }

    /// How much of the suite the driver promises to pass.
    fn level(&self) -> Level {
        Level::Full
    }

    /// Version of the database server or engine, for the report. Empty: the database of a sandbox
    /// is asked, in the words of its SQL family.
    fn version(&self) -> String {
        String::new()
    }

    /// Name and version of the driver, for the report, such as `orm-sqlite 0.1.0`.
    fn driver_version(&self) -> String {
        String::new()
    }

    /// The address of the database server. `None`: the database is embedded, and the cases about
    /// the network between driver and database are not applicable.
    fn server(&self) -> Option<SocketAddr> {
        None
    }

    /// Longest time for one case, its database included. A case that takes longer fails.
    fn deadline(&self) -> Duration {
        Duration::from_secs(60)
    }

    /// Statements that all succeed, in order and in an empty database, if the engine itself can do
    /// what the driver does not claim; the claim is then worth making (UNDERCLAIM). `None`: not
    /// known. The default speaks the SQL of the family.
    fn probe(&self, family: SqlFamily, capability: Capability) -> Option<Vec<String>> {
        probe::statements(family, capability)
    }
}

/// Whether a backend can run here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Availability {
    /// Its cases can run.
    Ready,
    /// They cannot; says what is missing.
    Missing(String),
}

/// A case that a backend is known to fail.
#[derive(Clone, Copy, Debug)]
pub struct KnownIssue {
    /// Id of the case.
    pub case: &'static str,
    /// Why it fails.
    pub reason: &'static str,
}

/// What runs after a case, on its runtime.
type Teardown = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// An empty database for one case: a client, and what removes the database afterwards.
pub struct Sandbox {
    client: Arc<dyn BaseDBAsyncClient>,
    url: String,
    teardown: Vec<Teardown>,
    /// Held for its drop.
    cleanup: Vec<Box<dyn Any + Send + Sync>>,
}

impl Sandbox {
    /// A client, and the URL under which `Tortoise::init` opens the same database.
    pub fn new(client: Arc<dyn BaseDBAsyncClient>, url: impl Into<String>) -> Self {
        Sandbox {
            client,
            url: url.into(),
            teardown: Vec::new(),
            cleanup: Vec::new(),
        }
    }

    /// Opens the database at a URL with the driver and its default options.
    ///
    /// # Errors
    /// Those of the driver.
    pub async fn open(driver: &dyn backend::Backend, url: impl Into<String>) -> Result<Self> {
        let url = url.into();
        let options = ConnectOptions::default();
        let client = driver
            .connect(&ConnectionUrl::parse(&url)?, &options)
            .await?;
        Ok(Sandbox::new(client, url))
    }

    /// Keeps `guard` until the case has ended and the client is closed; its drop removes the
    /// database. It runs after a failed or panicked case too.
    #[must_use]
    pub fn with_cleanup(mut self, guard: impl Any + Send + Sync) -> Self {
        self.cleanup.push(Box::new(guard));
        self
    }

    /// Awaits `teardown` when the case has ended and the client is closed: the place to drop the
    /// database of a server. It runs after a failed, panicked or timed out case too, except one
    /// that blocks its thread for ever. An error fails a case that has passed.
    #[must_use]
    pub fn with_teardown(
        mut self,
        teardown: impl Future<Output = Result<()>> + Send + 'static,
    ) -> Self {
        self.teardown.push(Box::pin(teardown));
        self
    }

    /// The same database through another client, such as one that breaks a rule on purpose.
    #[must_use]
    pub fn map_client(
        mut self,
        change: impl FnOnce(Arc<dyn BaseDBAsyncClient>) -> Arc<dyn BaseDBAsyncClient>,
    ) -> Self {
        self.client = change(self.client);
        self
    }

    /// The client.
    pub fn client(&self) -> &Arc<dyn BaseDBAsyncClient> {
        &self.client
    }

    /// The URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Closes the client and removes the database.
    pub(crate) async fn end(self) -> Result<()> {
        self.client.close().await;
        let mut result = Ok(());
        for teardown in self.teardown {
            result = result.and(teardown.await);
        }
        drop(self.cleanup);
        result
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may hold a password.
        f.debug_struct("Sandbox").finish_non_exhaustive()
    }
}
