//! A case: an id, the documented items it covers, and a function over a context.

use crate::backend::{Level, Sandbox};
use crate::models;
use orm_core::backend::{Backend, BaseDBAsyncClient, Capabilities, Capability};
use orm_core::connection::{self, Connection};
use orm_core::error::Error;
use orm_core::instrument::Recorder;
use orm_core::schema::ModelMeta;
use orm_core::sql::ddl::SchemaOptions;
use orm_core::tortoise;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{error, fmt, future::Future, panic::Location, pin::Pin};

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
    /// What the database must be capable of. Where the driver does not claim one of them, the case
    /// must end in `Error::Unsupported` with its name, and nothing may have been sent since
    /// [`Context::ready`] (or the beginning of the case); a capability that core replaces by
    /// other statements must work all the same (see [`WhenOff`]).
    pub needs: &'static [Capability],
    /// The smallest level that contains it.
    pub level: Level,
    /// Whether it changes state of the whole process (`Tortoise::init`), so that no other such
    /// case may run at the same time.
    pub serial: bool,
    /// Whether it is about the network between driver and database. Not applicable where there is
    /// none.
    pub network: bool,
    /// The function.
    pub run: CaseFn,
}

impl Case {
    /// The first part of its id.
    pub fn area(&self) -> &'static str {
        self.id.split("::").next().unwrap_or(self.id)
    }
}

/// What becomes of a call where a capability that it could use is not claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenOff {
    /// It is refused before anything is sent.
    Refused,
    /// It has the same result by other statements; where there are none, it is refused too.
    OtherWay,
}

impl WhenOff {
    /// What becomes of calls without this capability.
    pub fn of(capability: Capability) -> WhenOff {
        match capability {
            Capability::Transactions
            | Capability::Savepoints
            | Capability::TransactionalDdl
            | Capability::Isolation
            | Capability::ReadOnlyTransactions
            | Capability::IgnoreConflicts
            | Capability::CompositeKeys
            | Capability::ForeignKeys
            | Capability::Regex => WhenOff::Refused,
            _ => WhenOff::OtherWay,
        }
    }
}

/// Lists cases: `cases! { "area::item::aspect" => function, ["queryset.limit"]; … }`.
///
/// After the items a line may say `needs [Savepoints, …]` (variants of
/// [`Capability`]) and `level Full` (a [`Level`]; without it `Core`, or `Transactions` for a case
/// that needs them). A line that begins with `#[serial]` names a case that changes state of the
/// whole process; one with `#[network]` is about the network between driver and database.
#[macro_export]
macro_rules! cases {
    ($(
        $(#[$serial:ident])?
        $id:literal => $function:path, [$($item:literal),* $(,)?]
        $(, needs [$($need:ident),* $(,)?])?
        $(, level $level:ident)?
    ;)*) => {
        &[$($crate::Case {
            id: $id,
            covers: &[$($item),*],
            needs: &[$($($crate::Capability::$need),*)?],
            level: $crate::cases!(@level [$($($need),*)?] $($level)?),
            serial: $crate::cases!(@serial $($serial)?),
            network: $crate::cases!(@network $($serial)?),
            run: |cx| ::std::boxed::Box::pin($function(cx)),
        }),*]
    };
    (@serial) => { false };
    (@serial serial) => { true };
    (@serial network) => { false };
    (@network) => { false };
    (@network serial) => { false };
    (@network network) => { true };
    (@level [$($need:ident),*] $level:ident) => { $crate::Level::$level };
    (@level [$($need:ident),*]) => {
        $crate::case::level_of(&[$($crate::Capability::$need),*])
    };
}

/// The level of a case that names none.
pub const fn level_of(needs: &[Capability]) -> Level {
    let mut at = 0;
    while at < needs.len() {
        if matches!(
            needs[at],
            Capability::Transactions
                | Capability::Savepoints
                | Capability::Isolation
                | Capability::ReadOnlyTransactions
                | Capability::TransactionalDdl
        ) {
            return Level::Transactions;
        }
        at += 1;
    }
    Level::Core
}

/// What a case works with: its own database.
#[derive(Debug)]
pub struct Context {
    driver: Arc<dyn Backend>,
    client: Arc<dyn BaseDBAsyncClient>,
    url: String,
    server: Option<SocketAddr>,
    recorder: Recorder,
    ready: AtomicUsize,
}

impl Context {
    /// A context over the database of a sandbox, which must outlive it.
    pub fn new(driver: Arc<dyn Backend>, sandbox: &Sandbox) -> Self {
        Context {
            driver,
            client: sandbox.client().clone(),
            url: sandbox.url().to_owned(),
            server: None,
            recorder: Recorder::new(),
            ready: AtomicUsize::new(0),
        }
    }

    /// The client, which is also the default connection while the case runs.
    pub fn client(&self) -> &Arc<dyn BaseDBAsyncClient> {
        &self.client
    }

    /// The URL under which `Tortoise::init` opens the same database.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Adds the address of the database server.
    #[must_use]
    pub fn with_server(mut self, server: Option<SocketAddr>) -> Self {
        self.server = server;
        self
    }

    /// The address of the database server; `None` for an embedded database.
    pub fn server(&self) -> Option<SocketAddr> {
        self.server
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

    /// Creates the tables of models of one case and of those that their relations reach, and
    /// counts that as preparation.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn create_tables_of(&self, models: &[&'static ModelMeta]) -> Result<(), Error> {
        let connection = Connection::new(connection::DEFAULT, self.client().clone());
        let options = SchemaOptions::new().foreign_keys(self.capabilities().foreign_keys);
        tortoise::create_tables_with(&connection, models, &options).await?;
        self.ready();
        Ok(())
    }

    /// The preparation is over: a call that is refused from here on must not have sent anything.
    /// For cases that name a capability and store rows first.
    pub fn ready(&self) {
        let sent = self.recorder.statements().len();
        self.ready.store(sent, Ordering::Relaxed);
    }

    /// How much was sent since [`ready`](Context::ready), transaction commands included. Undoing
    /// what was there before does not count.
    pub(crate) fn sent_since_ready(&self) -> usize {
        let sent = self.recorder.statements();
        let since = sent.iter().skip(self.ready.load(Ordering::Relaxed));
        let undoes = |sql: &str| sql.starts_with("ROLLBACK");
        since
            .filter(|statement| !(statement.is_command && undoes(&statement.sql)))
            .count()
    }

    pub(crate) fn recorder(&self) -> &Recorder {
        &self.recorder
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
    refused: Option<&'static str>,
}

impl Failure {
    /// A failure found at the caller's line.
    #[track_caller]
    pub fn new(message: impl Into<String>) -> Self {
        Failure {
            message: message.into(),
            at: Location::caller(),
            refused: None,
        }
    }

    /// Says when it happened, before the message.
    #[must_use]
    pub fn when(mut self, when: &str) -> Self {
        self.message = format!("{when}: {}", self.message);
        self
    }

    /// The capability that the failed call was refused for.
    pub fn refused(&self) -> Option<&'static str> {
        self.refused
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
        let mut failure = Failure::new(message);
        if let Error::Unsupported(capability) = error {
            failure.refused = Some(capability);
        }
        failure
    }
}
