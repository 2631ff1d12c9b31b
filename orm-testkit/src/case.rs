//! A case: an id, the documented items it covers, and a function over a context.

use crate::backend::Sandbox;
use crate::models;
use orm_core::backend::{Backend, BaseDBAsyncClient, Capabilities};
use orm_core::connection::{self, Connection};
use orm_core::error::Error;
use orm_core::instrument::Recorder;
use orm_core::tortoise;
use std::{error, fmt, future::Future, panic::Location, pin::Pin, sync::Arc};

/// What a case returns.
pub type CaseResult<T = ()> = Result<T, Failure>;

/// A boxed case function, as the registry holds it.
pub type CaseFn = for<'a> fn(&'a Context) -> Pin<Box<dyn Future<Output = CaseResult> + Send + 'a>>;

/// One entry of the registry.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// `area::item::aspect`, such as `queryset::limit::zero_is_empty`.
    pub id: &'static str,
    /// Documented items (see [`API_ITEMS`](crate::api::API_ITEMS)) that the case speaks about.
    pub covers: &'static [&'static str],
    /// Whether it changes state of the whole process (`Tortoise::init`), so that no other such
    /// case may run at the same time.
    pub serial: bool,
    /// The function.
    pub run: CaseFn,
}

/// Lists cases: `cases! { "area::item::aspect" => function, ["queryset.limit"]; … }`.
///
/// A line that begins with `serial` names a case that changes state of the whole process.
#[macro_export]
macro_rules! cases {
    ($($(#[$serial:ident])? $id:literal => $function:path, [$($item:literal),* $(,)?];)*) => {
        &[$($crate::Case {
            id: $id,
            covers: &[$($item),*],
            serial: $crate::cases!(@serial $($serial)?),
            run: |cx| ::std::boxed::Box::pin($function(cx)),
        }),*]
    };
    (@serial) => { false };
    (@serial serial) => { true };
}

/// What a case works with: its own database.
#[derive(Debug)]
pub struct Context {
    driver: Arc<dyn Backend>,
    sandbox: Sandbox,
    recorder: Recorder,
}

impl Context {
    /// A context over a database of its own.
    pub fn new(driver: Arc<dyn Backend>, sandbox: Sandbox) -> Self {
        Context {
            driver,
            sandbox,
            recorder: Recorder::new(),
        }
    }

    /// The client, which is also the default connection while the case runs.
    pub fn client(&self) -> &Arc<dyn BaseDBAsyncClient> {
        self.sandbox.client()
    }

    /// The URL under which `Tortoise::init` opens the same database.
    pub fn url(&self) -> &str {
        self.sandbox.url()
    }

    /// The driver.
    pub fn driver(&self) -> &Arc<dyn Backend> {
        &self.driver
    }

    /// What the database claims.
    pub fn capabilities(&self) -> &'static Capabilities {
        self.client().dialect().capabilities()
    }

    /// Runs `work` with the client as its default connection. Cases run like that already; a task
    /// that a case spawns does not.
    pub fn scope<F: Future>(&self, work: F) -> impl Future<Output = F::Output> + use<F> {
        let connection = Connection::new(connection::DEFAULT, self.client().clone());
        let recorder = self.recorder.clone();
        async move { recorder.scope(connection::scope(connection, work)).await }
    }

    /// Creates the tables of the suite's models.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn create_tables(&self) -> Result<(), Error> {
        let connection = Connection::new(connection::DEFAULT, self.client().clone());
        tortoise::create_tables(&connection, &models::all(), true).await
    }

    /// Runs `work` and gives its output with the statements that it sent, in order, without
    /// transaction commands.
    pub async fn watch<F: Future>(&self, work: F) -> (F::Output, Vec<Arc<str>>) {
        let before = self.recorder.count();
        let output = work.await;
        (output, self.recorder.texts().split_off(before))
    }

    /// How many statements the case has sent so far.
    pub fn statement_count(&self) -> usize {
        self.recorder.count()
    }
}

/// Why a case failed: a message, and the line that found it.
#[derive(Debug)]
pub struct Failure {
    message: String,
    at: &'static Location<'static>,
}

impl Failure {
    /// A failure found at the caller's line.
    #[track_caller]
    pub fn new(message: impl Into<String>) -> Self {
        Failure {
            message: message.into(),
            at: Location::caller(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ({}:{})",
            self.message,
            self.at.file(),
            self.at.line()
        )
    }
}

impl From<Error> for Failure {
    #[track_caller]
    fn from(error: Error) -> Self {
        let mut message = format!("{:?}: {error}", error.kind());
        if let Some(sql) = error.as_database().and_then(|database| database.sql()) {
            message.push_str(" [");
            message.push_str(sql);
            message.push(']');
        }
        let mut source = error::Error::source(&error);
        while let Some(cause) = source {
            message.push_str(": ");
            message.push_str(&cause.to_string());
            source = cause.source();
        }
        Failure::new(message)
    }
}
