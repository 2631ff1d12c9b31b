//! Faults on purpose: a layer over any driver that yields around each call, and at a chosen call
//! fails, loses the connection, hangs or panics.
//!
//! An [`Injector`] serves any number of clients, which it wraps with [`over`](Injector::over). It
//! counts the calls that core makes on their connections, in order, from the last
//! [`arm`](Injector::arm). Since it yields before and after each call, a future over an embedded
//! database can be dropped at every call too.

mod client;

use async_trait::async_trait;
use client::FaultyClient;
use orm_core::backend::{Backend, BaseDBAsyncClient, ConnectOptions, ConnectionUrl, Intent};
use orm_core::error::{DatabaseError, Error, ErrorKind, Result};
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A call that core makes of a driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Call {
    /// Borrowing a connection.
    Acquire,
    /// A statement of this intent.
    Run(Intent),
    /// A script.
    Script,
    /// BEGIN.
    Begin,
    /// COMMIT.
    Commit,
    /// ROLLBACK.
    Rollback,
    /// SAVEPOINT.
    Savepoint,
    /// ROLLBACK TO SAVEPOINT.
    RollbackTo,
    /// RELEASE SAVEPOINT.
    Release,
}

impl Call {
    /// Whether it may store something by itself, in autocommit.
    pub fn may_write(self) -> bool {
        matches!(self, Call::Run(Intent::Write) | Call::Script)
    }
}

/// What happens instead of a call, or after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The call is not made and fails with `Operational`; the connection stays good.
    Error,
    /// The connection is closed before the call reaches the database.
    Lost,
    /// The call takes effect, and the connection is closed before its answer.
    AnswerLost,
    /// The call never reaches the database, and never ends.
    Hang,
    /// The call takes effect, and never ends.
    AnswerHangs,
    /// The driver panics before the call reaches the database.
    Panic,
    /// The call takes effect, then the driver panics.
    PanicAfter,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Fault; 7] = [
        Fault::Error,
        Fault::Lost,
        Fault::AnswerLost,
        Fault::Hang,
        Fault::AnswerHangs,
        Fault::Panic,
        Fault::PanicAfter,
    ];

    /// Whether the call reaches the database first.
    pub fn is_after(self) -> bool {
        matches!(
            self,
            Fault::AnswerLost | Fault::AnswerHangs | Fault::PanicAfter
        )
    }

    /// Whether the call never ends.
    pub fn hangs(self) -> bool {
        matches!(self, Fault::Hang | Fault::AnswerHangs)
    }

    /// Whether the connection is closed by it.
    pub fn closes(self) -> bool {
        matches!(self, Fault::Lost | Fault::AnswerLost)
    }
}

/// The payload of panics of [`Fault::Panic`] and [`Fault::PanicAfter`].
pub const PANIC: &str = "a panic of the driver, on purpose";

/// Counts calls, and has one of them go wrong. Clones are the same injector.
#[derive(Clone, Default)]
pub struct Injector(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    broken: Vec<&'static str>,
    plan: Option<(usize, Fault)>,
}

impl Injector {
    /// One that only yields and counts.
    pub fn new() -> Self {
        Injector::default()
    }

    /// A client whose connections pass through this injector.
    pub fn over(&self, inner: Arc<dyn BaseDBAsyncClient>) -> Arc<dyn BaseDBAsyncClient> {
        Arc::new(FaultyClient {
            inner,
            injector: self.clone(),
        })
    }

    /// A driver whose clients pass through this injector.
    pub fn driver(&self, inner: Arc<dyn Backend>) -> Arc<dyn Backend> {
        Arc::new(FaultyDriver {
            inner,
            injector: self.clone(),
        })
    }

    /// Counts anew from zero; the call of this number has the fault.
    pub fn arm(&self, at: usize, fault: Fault) {
        let mut state = self.lock();
        state.calls.clear();
        state.plan = Some((at, fault));
    }

    /// Counts anew from zero, without a fault.
    pub fn disarm(&self) {
        let mut state = self.lock();
        state.calls.clear();
        state.plan = None;
    }

    /// The calls since it was armed or disarmed, in order. Those of the number of the fault and
    /// above follow the fault.
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.clone()
    }

    /// Rules of the driver contract that core has broken on these connections, since the injector
    /// was made: after a call that did not finish, a connection is only cleaned up or closed; one
    /// with an open transaction is not given back.
    pub fn broken_rules(&self) -> Vec<&'static str> {
        self.lock().broken.clone()
    }

    fn broken(&self, rule: &'static str) {
        self.lock().broken.push(rule);
    }

    /// Notes a call, and says whether it has the fault.
    fn note(&self, call: Call) -> Option<Fault> {
        let mut state = self.lock();
        let number = state.calls.len();
        state.calls.push(call);
        let (at, fault) = state.plan?;
        (at == number).then_some(fault)
    }

    /// Makes a call with what is planned for it. The flag says that the connection is closed.
    async fn around<T>(
        &self,
        call: Call,
        work: impl Future<Output = Result<T>>,
    ) -> (Result<T>, bool) {
        tokio::task::yield_now().await;
        let Some(fault) = self.note(call) else {
            let result = work.await;
            tokio::task::yield_now().await;
            return (result, false);
        };
        if fault.is_after()
            && let Err(error) = work.await
        {
            // The database itself refused: there is no answer to lose.
            return (Err(error), false);
        }
        match fault {
            Fault::Error => (Err(refusal()), false),
            Fault::Lost | Fault::AnswerLost => (Err(lost()), true),
            Fault::Hang | Fault::AnswerHangs => std::future::pending().await,
            // Without the hook, which would print it.
            Fault::Panic | Fault::PanicAfter => std::panic::resume_unwind(Box::new(PANIC)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Injector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Injector")
            .field("calls", &state.calls.len())
            .field("plan", &state.plan)
            .finish()
    }
}

fn refusal() -> Error {
    let report = DatabaseError::new("a failure on purpose");
    Error::database(ErrorKind::Operational, report)
}

fn lost() -> Error {
    let report = DatabaseError::new("the connection was closed on purpose");
    Error::database(ErrorKind::ConnectionLost, report)
}

/// A driver under an injector.
#[derive(Debug)]
struct FaultyDriver {
    inner: Arc<dyn Backend>,
    injector: Injector,
}

#[async_trait]
impl Backend for FaultyDriver {
    fn schemes(&self) -> &'static [&'static str] {
        self.inner.schemes()
    }

    async fn connect(
        &self,
        url: &ConnectionUrl,
        options: &ConnectOptions,
    ) -> Result<Arc<dyn BaseDBAsyncClient>> {
        tokio::task::yield_now().await;
        let client = self.inner.connect(url, options).await?;
        tokio::task::yield_now().await;
        Ok(self.injector.over(client))
    }
}
