//! Which connection serves which name: the state of the process, and the task's own default.

use crate::backend::BaseDBAsyncClient;
use crate::error::{Error, Result};
use std::{
    cell::RefCell,
    collections::BTreeMap,
    fmt,
    future::Future,
    ops::Deref,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

/// The name of the connection that models use unless told otherwise.
pub const DEFAULT: &str = "default";

static REGISTRY: RwLock<Option<Arc<Registry>>> = RwLock::new(None);

/// Raised by each change of the registry, while it is locked.
static VERSION: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// The default connection of this version of the registry: a copy of the thread's own, so that
    /// threads do not count references on one cache line.
    static NEAR: RefCell<Option<(u64, Connection)>> = const { RefCell::new(None) };
}

tokio::task_local! {
    static OVERRIDE: Connection;
}

/// A named client: what queries run on. Clones are the same connection.
#[derive(Clone)]
pub struct Connection(Arc<Named>);

struct Named {
    name: Box<str>,
    client: Arc<dyn BaseDBAsyncClient>,
}

impl Connection {
    /// Names a client.
    pub fn new(name: impl Into<String>, client: Arc<dyn BaseDBAsyncClient>) -> Self {
        Connection(Arc::new(Named {
            name: name.into().into_boxed_str(),
            client,
        }))
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The client.
    pub fn client(&self) -> &Arc<dyn BaseDBAsyncClient> {
        &self.0.client
    }

    /// Whether both run on the same client, whatever their names.
    pub fn is_same(&self, other: &Connection) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || Arc::ptr_eq(&self.0.client, &other.0.client)
    }
}

impl Deref for Connection {
    type Target = dyn BaseDBAsyncClient;
    fn deref(&self) -> &Self::Target {
        &*self.0.client
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let client = &self.0.client;
        write!(f, "Connection({:?}, {client:?})", self.0.name)
    }
}

/// The connections of the process, by name.
#[derive(Debug, Default)]
struct Registry {
    by_name: BTreeMap<String, Connection>,
    default: Option<Connection>,
}

impl Registry {
    fn of(
        connections: impl IntoIterator<Item = Connection>,
        default: &str,
    ) -> Result<Arc<Registry>> {
        let mut registry = Registry::default();
        for connection in connections {
            if connection.name() == default {
                registry.default = Some(connection.clone());
            }
            let name = connection.name().to_owned();
            if registry.by_name.contains_key(&name) {
                return Err(Error::configuration(format!(
                    "two connections are named `{name}`"
                )));
            }
            registry.by_name.insert(name, connection);
        }
        Ok(Arc::new(registry))
    }

    fn unknown(&self, name: &str) -> Error {
        let known: Vec<String> = self.by_name.keys().map(|n| format!("`{n}`")).collect();
        let known = match known.is_empty() {
            true => "there are none".to_owned(),
            false => format!("known are {}", known.join(", ")),
        };
        Error::configuration(format!("no connection is named `{name}`: {known}"))
    }
}

/// Makes these the connections of the process.
///
/// # Errors
/// `Configuration` when there are connections already (use [`replace`], or [`clear`] first), or
/// when two have one name.
pub fn install(connections: impl IntoIterator<Item = Connection>) -> Result<()> {
    let registry = Registry::of(connections, DEFAULT)?;
    let mut slot = REGISTRY.write().unwrap_or_else(PoisonError::into_inner);
    if slot.is_some() {
        return Err(Error::configuration(
            "the connections are already initialised: call `Tortoise::close_connections` first",
        ));
    }
    *slot = Some(registry);
    VERSION.fetch_add(1, Ordering::Release);
    Ok(())
}

/// Makes these the connections of the process, and returns those before, which the caller closes.
///
/// # Errors
/// `Configuration` when two have one name; nothing changes then.
pub fn replace(connections: impl IntoIterator<Item = Connection>) -> Result<Vec<Connection>> {
    let registry = Registry::of(connections, DEFAULT)?;
    Ok(exchange(Some(registry)))
}

/// As [`replace`], with another connection than `default` as the one that models use.
///
/// # Errors
/// As [`replace`].
pub fn replace_with_default(
    connections: impl IntoIterator<Item = Connection>,
    default: &str,
) -> Result<Vec<Connection>> {
    let registry = Registry::of(connections, default)?;
    Ok(exchange(Some(registry)))
}

/// Forgets all connections of the process, and returns them, for the caller to close.
pub fn clear() -> Vec<Connection> {
    exchange(None)
}

fn exchange(registry: Option<Arc<Registry>>) -> Vec<Connection> {
    let mut slot = REGISTRY.write().unwrap_or_else(PoisonError::into_inner);
    let before = std::mem::replace(&mut *slot, registry);
    VERSION.fetch_add(1, Ordering::Release);
    drop(slot);
    before.map_or_else(Vec::new, |old| old.by_name.values().cloned().collect())
}

/// All connections of the process, by name.
pub fn all() -> Vec<Connection> {
    let slot = REGISTRY.read().unwrap_or_else(PoisonError::into_inner);
    slot.as_ref()
        .map_or_else(Vec::new, |now| now.by_name.values().cloned().collect())
}

/// The connection of this name. Inside [`scope`], the task's own answers to its name and to
/// `default`.
///
/// # Errors
/// `Configuration` before `Tortoise::init`, and for a name that is not configured.
pub fn get_connection(name: &str) -> Result<Connection> {
    let own = OVERRIDE.try_with(|own| (name == DEFAULT || own.name() == name).then(|| own.clone()));
    if let Ok(Some(own)) = own {
        return Ok(own);
    }
    look_up(|registry| {
        let found = registry.by_name.get(name).cloned();
        found.ok_or_else(|| registry.unknown(name))
    })
}

/// The connection that models use: the task's own inside [`scope`], else the one named `default`.
///
/// # Errors
/// `Configuration` before `Tortoise::init`, or when no connection is named `default`.
pub fn default_connection() -> Result<Connection> {
    if let Ok(own) = OVERRIDE.try_with(Connection::clone) {
        return Ok(own);
    }
    let version = VERSION.load(Ordering::Acquire);
    let near = NEAR.with_borrow(|near| match near {
        Some((seen, connection)) if *seen == version => Some(connection.clone()),
        _ => None,
    });
    match near {
        Some(connection) => Ok(connection),
        None => default_for_this_thread(version),
    }
}

#[cold]
fn default_for_this_thread(version: u64) -> Result<Connection> {
    let found = look_up(|registry| {
        let found = registry.default.clone();
        found.ok_or_else(|| registry.unknown(DEFAULT))
    });
    // An old copy would keep a client alive that was closed.
    let mut near = None;
    if let Ok(connection) = &found {
        let own = Connection::new(connection.name(), Arc::clone(connection.client()));
        near = Some((version, own));
    }
    let before = NEAR.replace(near);
    drop(before);
    found
}

fn look_up(find: impl FnOnce(&Registry) -> Result<Connection>) -> Result<Connection> {
    let slot = REGISTRY.read().unwrap_or_else(PoisonError::into_inner);
    match &*slot {
        Some(registry) => find(registry),
        None => Err(Error::configuration(
            "there are no connections: call `Tortoise::init` (and await it) before any query",
        )),
    }
}

/// Runs `future` with `connection` as the default connection of the task. For tests: each has its
/// own database without touching the state of the process. Spawned tasks do not inherit it.
pub async fn scope<F: Future>(connection: Connection, future: F) -> F::Output {
    OVERRIDE.scope(connection, future).await
}

#[cfg(test)]
mod tests;
