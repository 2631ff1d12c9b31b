//! How the pool opens a connection, and when it lends one again.

use super::held;
use crate::backend::{ConnectOptions, Connector, Health, Intent, Session};
use crate::error::{DatabaseError, Error, ErrorKind, Result, TimeoutKind};
use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use std::{
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::runtime::{Handle, Id};

/// What all connections of a pool share.
pub(super) struct Shared<C> {
    pub(super) connector: C,
    pub(super) options: ConnectOptions,
    epoch: Instant,
    /// Raised when a ping fails: idle connections opened before are not lent any more.
    generation: AtomicU64,
    /// When a connection was lost in use, by the clock; zero is never. Those that are idle since
    /// before are pinged.
    suspected: AtomicU64,
}

impl<C> Shared<C> {
    pub(super) fn new(connector: C, options: ConnectOptions) -> Self {
        Shared {
            connector,
            options,
            epoch: Instant::now(),
            generation: AtomicU64::new(0),
            suspected: AtomicU64::new(0),
        }
    }

    /// A connection was lost in use: a restart of the server would have ended the others too.
    pub(super) fn suspect(&self) {
        self.suspected
            .store(self.clock(Instant::now()), Ordering::Relaxed);
    }

    fn is_suspected(&self, used: Instant) -> bool {
        match self.suspected.load(Ordering::Relaxed) {
            0 => false,
            since => self.clock(used) <= since,
        }
    }

    /// Nanoseconds since the pool was made, never zero.
    pub(super) fn clock(&self, at: Instant) -> u64 {
        let age = at.saturating_duration_since(self.epoch).as_nanos();
        u64::try_from(age).unwrap_or(u64::MAX).max(1)
    }
}

/// What was left on a connection that nobody has cleaned yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// Nothing.
    Nothing,
    /// A transaction, or state of raw SQL.
    State,
    /// A call that did not finish.
    Doubt,
}

/// One connection of the pool.
pub(super) struct Conn<S> {
    pub(super) session: S,
    pub(super) left: Left,
    /// When it was lent, by the clock of the pool; zero while it is idle.
    pub(super) lent: Arc<AtomicU64>,
    runtime: Option<Id>,
    generation: u64,
    /// When it was given back last, if that decides whether it is pinged.
    used: Option<Instant>,
}

impl<S: Session> Conn<S> {
    /// Reads the clock, unless no idle time makes the connection doubtful.
    pub(super) fn note_use(&mut self) {
        self.used = self.session.wants_ping(Duration::MAX).then(Instant::now);
    }

    fn is_doubtful<C>(&self, shared: &Shared<C>) -> bool {
        self.used.is_some_and(|used| {
            shared.is_suspected(used) || self.session.wants_ping(used.elapsed())
        })
    }
}

/// The pool's manager for connections of one intent.
pub(super) struct Manager<C> {
    shared: Arc<Shared<C>>,
    intent: Intent,
    lent: Mutex<Vec<Weak<AtomicU64>>>,
}

impl<C: Connector> Manager<C> {
    pub(super) fn new(shared: Arc<Shared<C>>, intent: Intent) -> Self {
        Manager {
            shared,
            intent,
            lent: Mutex::new(Vec::new()),
        }
    }

    /// How long the connection that is held longest has been held.
    pub(super) fn longest_held(&self) -> Option<Duration> {
        let lent = self.lent.lock().unwrap_or_else(PoisonError::into_inner);
        let since = lent
            .iter()
            .filter_map(Weak::upgrade)
            .map(|lent| lent.load(Ordering::Relaxed))
            .filter(|since| *since > 0)
            .min()?;
        let now = self.shared.clock(Instant::now());
        Some(Duration::from_nanos(now.saturating_sub(since)))
    }

    fn watch(&self) -> Arc<AtomicU64> {
        let clock = Arc::new(AtomicU64::new(0));
        let mut lent = self.lent.lock().unwrap_or_else(PoisonError::into_inner);
        lent.retain(|other| other.strong_count() > 0);
        lent.push(Arc::downgrade(&clock));
        clock
    }

    async fn ping(&self, session: &mut C::Session) -> Result<()> {
        let limit = self.shared.options.connect_timeout;
        let answer = match tokio::time::timeout(limit, session.ping()).await {
            Ok(answer) => answer,
            Err(_) => Err(lost(format!("no answer to a ping within {limit:?}"))),
        };
        answer.inspect_err(|_| {
            // Whatever broke this one most likely broke its idle peers too.
            self.shared.generation.fetch_add(1, Ordering::Relaxed);
        })
    }

    async fn open(&self) -> Result<Conn<C::Session>> {
        let runtime = current_runtime().ok_or_else(no_runtime)?;
        let generation = self.shared.generation.load(Ordering::Relaxed);
        let limit = self.shared.options.connect_timeout;
        let connecting = self.shared.connector.connect(self.intent);
        let session = tokio::time::timeout(limit, connecting)
            .await
            .map_err(|_| {
                let target = self.shared.connector.target();
                let message = format!(
                    "no connection to {target} within {limit:?}: check host, port and firewall, \
                     or raise `connect_timeout`"
                );
                Error::Timeout(TimeoutKind::Connect, Box::new(DatabaseError::new(message)))
            })??;
        Ok(Conn {
            session,
            left: Left::Nothing,
            lent: self.watch(),
            runtime: Some(runtime),
            generation,
            used: None,
        })
    }

    /// Whether an idle connection can be lent as it is.
    pub(super) fn is_ready(&self, conn: &Conn<C::Session>) -> bool {
        conn.left == Left::Nothing
            && self.is_current(conn)
            && self.same_runtime(conn)
            && conn.session.health() == Health::Clean
            && !conn.is_doubtful(&self.shared)
    }

    fn is_current(&self, conn: &Conn<C::Session>) -> bool {
        conn.generation == self.shared.generation.load(Ordering::Relaxed)
    }

    fn same_runtime(&self, conn: &Conn<C::Session>) -> bool {
        !self.shared.connector.bound_to_runtime() || conn.runtime == current_runtime()
    }
}

impl<C: Connector> managed::Manager for Manager<C> {
    // Boxed: it is moved several times while it is lent.
    type Type = Box<Conn<C::Session>>;
    type Error = Error;

    // What is rare is boxed, here and below: its room would be part of every `acquire`.
    async fn create(&self) -> Result<Box<Conn<C::Session>>> {
        Box::pin(self.open()).await.map(Box::new)
    }

    async fn recycle(&self, conn: &mut Box<Conn<C::Session>>, _: &Metrics) -> RecycleResult<Error> {
        if !self.same_runtime(conn) {
            return Err(RecycleError::message("opened in another runtime"));
        }
        if !self.is_current(conn) {
            return Err(RecycleError::message("its peers were found dead"));
        }
        if conn.left != Left::Nothing {
            let limit = self.shared.options.cleanup_timeout;
            Box::pin(held::clean(conn, limit)).await?;
        }
        if conn.session.health() != Health::Clean {
            return Err(RecycleError::message("not clean"));
        }
        if conn.is_doubtful(&self.shared) {
            Box::pin(self.ping(&mut conn.session)).await?;
        }
        Ok(())
    }
}

fn current_runtime() -> Option<Id> {
    Handle::try_current().ok().map(|handle| handle.id())
}

pub(super) fn no_runtime() -> Error {
    Error::configuration("connecting needs a Tokio runtime with timers: await it inside one")
}

pub(super) fn lost(message: String) -> Error {
    Error::database(ErrorKind::ConnectionLost, DatabaseError::new(message))
}
