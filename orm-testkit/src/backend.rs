//! What a driver author writes: how to make an empty database for one case.

use async_trait::async_trait;
use orm_core::backend::{self, BaseDBAsyncClient, ConnectOptions, ConnectionUrl};
use orm_core::error::Result;
use std::{any::Any, fmt, sync::Arc};

/// A driver under test.
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

    /// Version of the engine, for the report.
    fn version(&self) -> String {
        String::new()
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

/// An empty database for one case: a client, and what removes the database afterwards.
#[derive(Debug)]
pub struct Sandbox {
    client: Arc<dyn BaseDBAsyncClient>,
    url: String,
    cleanup: Cleanup,
}

/// Removes the database when it is dropped.
struct Cleanup(#[allow(dead_code, reason = "held for its drop")] Box<dyn Any + Send + Sync>);

impl fmt::Debug for Cleanup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cleanup")
    }
}

impl Sandbox {
    /// A client, and the URL under which `Tortoise::init` opens the same database.
    pub fn new(client: Arc<dyn BaseDBAsyncClient>, url: impl Into<String>) -> Self {
        Sandbox {
            client,
            url: url.into(),
            cleanup: Cleanup(Box::new(())),
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
        self.cleanup = Cleanup(Box::new(guard));
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
}
