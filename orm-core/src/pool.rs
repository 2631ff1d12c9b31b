//! The pool that drivers hold: lends connections, and takes back only clean ones.

#[cfg(test)]
pub(crate) mod fake;
mod held;
mod idle;
mod manager;

use crate::backend::{ConnectOptions, Connector, Intent, Lease};
use crate::error::{DatabaseError, Error, ErrorKind, Result, TimeoutKind};
use deadpool::Runtime;
use deadpool::managed::{self, Object, PoolConfig, PoolError, QueueMode, TimeoutType, Timeouts};
use held::Borrowed;
use idle::Idle;
use manager::{Manager, Shared};
use std::{fmt, sync::Arc, time::Duration};

/// Connections that a pool opens at most when neither the driver nor the options say otherwise.
/// Dedicated writers come on top.
pub const DEFAULT_MAX_CONNECTIONS: usize = 8;

/// A pool of connections of one [`Connector`]. Clones share the connections.
///
/// Connections are opened when they are first needed, and the one used last is lent first.
/// Dropping an [`acquire`](Pool::acquire) that waits is fine at any moment.
pub struct Pool<C: Connector> {
    readers: Arc<Lane<C>>,
    /// `None`: the readers write too.
    writers: Option<Arc<Lane<C>>>,
    shared: Arc<Shared<C>>,
}

/// The connections of one kind: those that are idle, and the queue for them.
struct Lane<C: Connector> {
    queue: managed::Pool<Manager<C>>,
    idle: Idle<Box<Borrowed<C>>>,
}

impl<C: Connector> Drop for Lane<C> {
    fn drop(&mut self) {
        // Idle connections hold their slots, and so each other.
        self.idle.close();
    }
}

/// Numbers of a pool at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStatus {
    /// Most connections.
    pub max_size: usize,
    /// Connections that are open.
    pub size: usize,
    /// Open connections that nobody uses.
    pub available: usize,
    /// Calls that wait for a connection.
    pub waiting: usize,
    /// How long the connection that is held longest has been held.
    pub longest_held: Option<Duration>,
}

impl<C: Connector> Pool<C> {
    /// A pool without connections yet.
    ///
    /// # Errors
    /// `Configuration` when `max_connections` is zero.
    pub fn new(connector: C, options: &ConnectOptions) -> Result<Pool<C>> {
        if options.max_connections == Some(0) {
            return Err(Error::configuration(
                "`max_connections` is 0: a pool needs at least one connection",
            ));
        }
        let (readers, writers) = sizes(&connector, options);
        let shared = Arc::new(Shared::new(connector, options.clone()));
        let lane = |intent, size| {
            let queue = managed::Pool::builder(Manager::new(Arc::clone(&shared), intent))
                .config(PoolConfig {
                    max_size: size,
                    timeouts: Timeouts::new(),
                    queue_mode: QueueMode::Lifo,
                })
                .runtime(Runtime::Tokio1)
                .build()
                .map_err(|error| Error::configuration(error.to_string()))?;
            let idle = Idle::new(size);
            Ok::<_, Error>(Arc::new(Lane { queue, idle }))
        };
        let readers_intent = match writers {
            Some(_) => Intent::Read,
            None => Intent::Write,
        };
        Ok(Pool {
            readers: lane(readers_intent, readers)?,
            writers: writers.map(|size| lane(Intent::Write, size)).transpose()?,
            shared,
        })
    }

    /// What makes the connections.
    pub fn connector(&self) -> &C {
        &self.shared.connector
    }

    /// Borrows a connection that is idle and needs nothing, if there is one: what
    /// [`acquire`](Pool::acquire) does first, without its future.
    #[inline]
    pub fn try_acquire(&self, intent: Intent) -> Option<Lease> {
        self.lane(intent).take().map(|held| Lease::new(held))
    }

    /// Borrows a connection for this intent.
    ///
    /// # Errors
    /// `Timeout(Acquire)` when none became free within `acquire_timeout`, `Timeout(Connect)` when
    /// none could be opened within `connect_timeout`; whatever connecting fails with;
    /// `ConnectionLost` after [`close`](Pool::close).
    pub async fn acquire(&self, intent: Intent) -> Result<Lease> {
        let lane = self.lane(intent);
        if let Some(held) = lane.take() {
            return Ok(Lease::new(held));
        }
        // Not waiting needs no timer, and a free connection is the common case.
        let object = match lane.queue.timeout_get(&wait(Duration::ZERO)).await {
            Ok(object) => object,
            Err(PoolError::Timeout(TimeoutType::Wait)) => {
                // Boxed, so that its room is not part of every call.
                return Box::pin(self.wait_for(lane)).await;
            }
            Err(error) => return Err(self.explain(error)),
        };
        Ok(self.lease(object, lane))
    }

    /// Whether the connections borrowed for `held` are all that can serve this intent.
    pub fn must_wait(&self, intent: Intent, held: &[Intent]) -> bool {
        let lane = self.lane(intent);
        let same = |held: &&Intent| std::ptr::eq(self.lane(**held), lane);
        held.iter().filter(same).count() >= lane.queue.status().max_size
    }

    fn lane(&self, intent: Intent) -> &Lane<C> {
        match (&self.writers, intent) {
            (Some(writers), Intent::Write) => writers,
            _ => &self.readers,
        }
    }

    fn lease(&self, object: Object<Manager<C>>, lane: &Lane<C>) -> Lease {
        let shared = Arc::clone(&self.shared);
        Lease::new(Box::new(Borrowed::new(object, shared, &lane.idle)))
    }

    #[cold]
    async fn wait_for(&self, lane: &Lane<C>) -> Result<Lease> {
        let limit = self.shared.options.acquire_timeout;
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(manager::no_runtime());
        }
        // From here on connections come back through the queue; one may have come before.
        let _waiting = lane.idle.wait();
        while let Some(mut held) = lane.idle.take_any() {
            if held.lend(lane.queue.manager()) {
                return Ok(Lease::new(held));
            }
        }
        match lane.queue.timeout_get(&wait(limit)).await {
            Ok(object) => Ok(self.lease(object, lane)),
            Err(PoolError::Timeout(_)) => Err(self.exhausted(lane, limit)),
            Err(error) => Err(self.explain(error)),
        }
    }

    fn exhausted(&self, lane: &Lane<C>, limit: Duration) -> Error {
        let status = lane.queue.status();
        let held = match lane.queue.manager().longest_held() {
            Some(age) => format!(", the longest held for {age:.1?}"),
            None => String::new(),
        };
        let message = format!(
            "none of the {} connections to {} became free within {limit:?} ({} more waiting{held}): \
             keep transactions short, do not use a second connection inside one, \
             or raise `max_connections`",
            status.max_size,
            self.shared.connector.target(),
            status.waiting,
        );
        Error::Timeout(TimeoutKind::Acquire, Box::new(DatabaseError::new(message)))
    }

    fn explain(&self, error: PoolError<Error>) -> Error {
        match error {
            PoolError::Backend(error) => error,
            PoolError::Closed => Error::database(
                ErrorKind::ConnectionLost,
                DatabaseError::new(format!(
                    "the pool of {} is closed: initialise again before using it",
                    self.shared.connector.target()
                )),
            ),
            other => Error::database(
                ErrorKind::Operational,
                DatabaseError::new(format!("connection pool: {other}")),
            ),
        }
    }

    /// Closes the idle connections now and the borrowed ones when they are given back; waiting
    /// and new [`acquire`](Pool::acquire)s fail. Closing twice is fine.
    pub async fn close(&self) {
        for lane in self.lanes() {
            lane.queue.close();
            lane.idle.close();
        }
    }

    /// Whether the pool was closed.
    pub fn is_closed(&self) -> bool {
        self.readers.queue.is_closed()
    }

    /// The numbers of the pool, readers and writers together.
    pub fn status(&self) -> PoolStatus {
        let mut sum = PoolStatus::default();
        for lane in self.lanes() {
            let status = lane.queue.status();
            sum.max_size += status.max_size;
            sum.size += status.size;
            sum.available += status.available + lane.idle.len();
            sum.waiting += status.waiting;
            let longest = lane.queue.manager().longest_held();
            sum.longest_held = sum.longest_held.max(longest);
        }
        sum
    }

    fn lanes(&self) -> impl Iterator<Item = &Lane<C>> {
        std::iter::once(&self.readers)
            .chain(&self.writers)
            .map(|lane| &**lane)
    }
}

impl<C: Connector> Lane<C> {
    /// An idle connection to which nothing must be done before.
    fn take(&self) -> Option<Box<Borrowed<C>>> {
        // Those that are not ready go through the queue, which pings, cleans or closes them.
        loop {
            let mut held = self.idle.take()?;
            if held.lend(self.queue.manager()) {
                return Some(held);
            }
        }
    }
}

/// Most readers, and most writers if they are apart.
fn sizes<C: Connector>(connector: &C, options: &ConnectOptions) -> (usize, Option<usize>) {
    let writers = connector.dedicated_writers().map(|count| count.max(1));
    let wanted = options
        .max_connections
        .unwrap_or(DEFAULT_MAX_CONNECTIONS + writers.unwrap_or(0));
    let total = connector
        .max_connections()
        .map_or(wanted, |most| wanted.min(most.max(1)));
    match writers {
        Some(writers) if writers < total => (total - writers, Some(writers)),
        // Too few for both kinds: every connection does both.
        _ => (total, None),
    }
}

fn wait(limit: Duration) -> Timeouts {
    let mut timeouts = Timeouts::new();
    timeouts.wait = Some(limit);
    timeouts
}

impl<C: Connector> Clone for Pool<C> {
    fn clone(&self) -> Self {
        Pool {
            readers: Arc::clone(&self.readers),
            writers: self.writers.clone(),
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<C: Connector> fmt::Debug for Pool<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("target", &self.shared.connector.target())
            .field("status", &self.status())
            .finish()
    }
}

#[cfg(test)]
mod tests;
