//! The pool that drivers hold: lends connections, and takes back only clean ones.

#[cfg(test)]
pub(crate) mod fake;
mod held;
mod manager;

use crate::backend::{ConnectOptions, Connector, Intent, Lease};
use crate::error::{DatabaseError, Error, ErrorKind, Result, TimeoutKind};
use deadpool::Runtime;
use deadpool::managed::{self, Object, PoolConfig, PoolError, QueueMode, TimeoutType, Timeouts};
use held::Borrowed;
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
    readers: managed::Pool<Manager<C>>,
    /// `None`: the readers write too.
    writers: Option<managed::Pool<Manager<C>>>,
    shared: Arc<Shared<C>>,
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
        let pool = |intent, size| {
            managed::Pool::builder(Manager::new(Arc::clone(&shared), intent))
                .config(PoolConfig {
                    max_size: size,
                    timeouts: Timeouts::new(),
                    queue_mode: QueueMode::Lifo,
                })
                .runtime(Runtime::Tokio1)
                .build()
                .map_err(|error| Error::configuration(error.to_string()))
        };
        let readers_intent = match writers {
            Some(_) => Intent::Read,
            None => Intent::Write,
        };
        Ok(Pool {
            readers: pool(readers_intent, readers)?,
            writers: writers.map(|size| pool(Intent::Write, size)).transpose()?,
            shared,
        })
    }

    /// What makes the connections.
    pub fn connector(&self) -> &C {
        &self.shared.connector
    }

    /// Borrows a connection for this intent.
    ///
    /// # Errors
    /// `Timeout(Acquire)` when none became free within `acquire_timeout`, `Timeout(Connect)` when
    /// none could be opened within `connect_timeout`; whatever connecting fails with;
    /// `ConnectionLost` after [`close`](Pool::close).
    pub async fn acquire(&self, intent: Intent) -> Result<Lease> {
        let pool = match (&self.writers, intent) {
            (Some(writers), Intent::Write) => writers,
            _ => &self.readers,
        };
        // Not waiting needs no timer, and a free connection is the common case.
        let object = match pool.timeout_get(&wait(Duration::ZERO)).await {
            Ok(object) => object,
            Err(PoolError::Timeout(TimeoutType::Wait)) => {
                // Boxed, so that its room is not part of every call.
                Box::pin(self.wait_for(pool)).await?
            }
            Err(error) => return Err(self.explain(error)),
        };
        Ok(Lease::new(Box::new(Borrowed::new(
            object,
            Arc::clone(&self.shared),
        ))))
    }

    #[cold]
    async fn wait_for(&self, pool: &managed::Pool<Manager<C>>) -> Result<Object<Manager<C>>> {
        let limit = self.shared.options.acquire_timeout;
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(manager::no_runtime());
        }
        match pool.timeout_get(&wait(limit)).await {
            Ok(object) => Ok(object),
            Err(PoolError::Timeout(_)) => Err(self.exhausted(&pool.status(), pool, limit)),
            Err(error) => Err(self.explain(error)),
        }
    }

    fn exhausted(
        &self,
        status: &deadpool::Status,
        pool: &managed::Pool<Manager<C>>,
        limit: Duration,
    ) -> Error {
        let held = match pool.manager().longest_held() {
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
        for pool in self.pools() {
            pool.close();
        }
    }

    /// Whether the pool was closed.
    pub fn is_closed(&self) -> bool {
        self.readers.is_closed()
    }

    /// The numbers of the pool, readers and writers together.
    pub fn status(&self) -> PoolStatus {
        let mut sum = PoolStatus::default();
        for pool in self.pools() {
            let status = pool.status();
            sum.max_size += status.max_size;
            sum.size += status.size;
            sum.available += status.available;
            sum.waiting += status.waiting;
            sum.longest_held = sum.longest_held.max(pool.manager().longest_held());
        }
        sum
    }

    fn pools(&self) -> impl Iterator<Item = &managed::Pool<Manager<C>>> {
        std::iter::once(&self.readers).chain(&self.writers)
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
            readers: self.readers.clone(),
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
