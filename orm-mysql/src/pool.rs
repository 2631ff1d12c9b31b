//! How connections are made: one round trip of set-up, and a way to end their statements.

use crate::config::Config;
use crate::dialect::MySqlDialect;
use crate::error::{cannot_connect, closed, too_old, unknown_login};
use crate::session::MySqlSession;
use async_trait::async_trait;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, Row, Value};
use orm_core::backend::{ConnectOptions, ConnectionUrl, Connector, Dialect, Intent};
use orm_core::error::{DatabaseError, Error, Result, TimeoutKind};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::Semaphore, task::JoinSet};

/// Connections at a time that end the statements of others.
const KILLERS: usize = 2;
/// Longest time for one of them.
const KILL_LIMIT: Duration = Duration::from_secs(30);

/// What a connection is set to, and the questions that tell the server. `/*!80017 .. */` is for
/// MySQL, `/*M! .. */` for MariaDB. `NO_AUTO_VALUE_ON_ZERO`: zero is a key like any other. Names are read
/// from messages in English.
const SET_UP: &str = "SET time_zone = '+00:00', \
     NAMES utf8mb4 COLLATE /*!80017 utf8mb4_0900_bin */ /*M! utf8mb4_nopad_bin */, \
     sql_mode = 'STRICT_ALL_TABLES,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,\
NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO', \
     autocommit = 1, foreign_key_checks = 1, unique_checks = 1, sql_safe_updates = 0, \
     sql_auto_is_null = 0, sql_select_limit = DEFAULT, lc_messages = 'en_US'; \
     SELECT VERSION(), @@version_comment, @@max_allowed_packet, @@auto_increment_increment";

/// What the server said of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) dialect: &'static MySqlDialect,
    /// Most bytes of one statement with its values.
    pub(crate) max_packet: usize,
    /// The distance between two generated keys of one statement.
    pub(crate) key_step: i64,
    /// Whether it has what the dialect relies on.
    pub(crate) supported: bool,
    /// A cluster changes that distance when its members come and go.
    pub(crate) clustered: bool,
}

/// Makes connections of one database.
pub struct MySqlConnector {
    shared: Arc<Shared>,
    dialect: &'static MySqlDialect,
    /// By which the server was told; becomes the first of the pool.
    first: Mutex<Option<MySqlSession>>,
}

/// What the sessions need of their connector.
pub(crate) struct Shared {
    pub(crate) config: Config,
    opts: Opts,
    killers: Semaphore,
    /// Columns of keys that were broken, for messages.
    keys: Mutex<HashMap<KeyPlace, Vec<String>>>,
}

/// Schema, table and name of a key.
pub(crate) type KeyPlace = (String, String, String);

/// Keys whose columns are remembered.
const KNOWN_KEYS: usize = 1_000;

impl MySqlConnector {
    /// Makes the first connection, which tells MariaDB from MySQL.
    ///
    /// # Errors
    /// `Configuration` for the URL; `Auth`, `ConnectionLost` or `Timeout(Connect)` for the
    /// connection.
    pub async fn open(url: &ConnectionUrl, timeout: Duration) -> Result<Self> {
        let config = Config::from_url(url)?;
        config.check_files()?;
        if config.exposes_password() {
            tracing::warn!(
                target: "fast_django::pool",
                server = %config.target(),
                "the connection is not encrypted: add `ssl_mode=required`"
            );
        }
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(Error::configuration(
                "connecting needs a Tokio runtime with timers: await it inside one",
            ));
        }
        let shared = Arc::new(Shared {
            opts: config.opts(),
            killers: Semaphore::new(KILLERS),
            keys: Mutex::new(HashMap::new()),
            config,
        });
        let timeout = shared.config.connect_timeout.unwrap_or(timeout);
        let session = tokio::time::timeout(timeout, shared.connect()).await;
        let session = session.map_err(|_| {
            let target = shared.config.target();
            let message = format!(
                "no answer from `{target}` within {timeout:?}: check host, port and firewall, or \
                 raise `connect_timeout`"
            );
            Error::Timeout(TimeoutKind::Connect, Box::new(DatabaseError::new(message)))
        })??;
        Ok(MySqlConnector {
            dialect: session.facts().dialect,
            first: Mutex::new(Some(session)),
            shared,
        })
    }

    /// What the URL decides goes before what the program says.
    pub(crate) fn agree(&self, options: &mut ConnectOptions) {
        let config = &self.shared.config;
        options.max_connections = config.max_connections.or(options.max_connections);
        options.connect_timeout = config.connect_timeout.unwrap_or(options.connect_timeout);
    }
}

impl Shared {
    async fn connect(self: &Arc<Self>) -> Result<MySqlSession> {
        #[cfg(feature = "tls")]
        if self.config.encrypted {
            install_crypto();
        }
        let failed = |error| cannot_connect(&self.config, &error);
        // In a task of its own: the driver panics when the server asks for a kind of login that it
        // was built without.
        let mut opening = JoinSet::new();
        opening.spawn(Conn::new(self.opts.clone()));
        let opened = match opening.join_next().await {
            Some(Ok(opened)) => opened,
            Some(Err(_)) | None => return Err(unknown_login(&self.config)),
        };
        let mut conn = opened.map_err(failed)?;
        let facts = set_up(&mut conn).await.map_err(failed)?;
        let facts = facts.ok_or_else(|| {
            let target = self.config.target();
            closed(&format!("`{target}` did not say which server it is"))
        })?;
        if !facts.supported {
            return Err(too_old(&self.config));
        }
        Ok(MySqlSession::new(conn, facts, Arc::clone(self)))
    }

    pub(crate) fn known_key(&self, place: &KeyPlace) -> Option<Vec<String>> {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.get(place).cloned()
    }

    pub(crate) fn learn_key(&self, place: KeyPlace, columns: &[String]) {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if !columns.is_empty() && keys.len() < KNOWN_KEYS {
            keys.insert(place, columns.to_vec());
        }
    }

    /// DDL may have given keys other columns.
    pub(crate) fn forget_keys(&self) {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.clear();
    }

    /// Ends a connection on the server, with whatever it is doing. Goes on when the future is
    /// dropped: the statement must not outlive its connection.
    pub(crate) async fn kill(self: &Arc<Self>, id: u32) -> Result<()> {
        let this = Arc::clone(self);
        let task = async move {
            match tokio::time::timeout(KILL_LIMIT, this.kill_now(id)).await {
                Ok(killed) => killed,
                Err(_) => Err(closed("the server did not end the statement in time")),
            }
        };
        let task = tokio::spawn(task).await;
        task.unwrap_or_else(|_| Err(closed("the runtime has ended")))
    }

    async fn kill_now(&self, id: u32) -> Result<()> {
        // Never closed.
        let permit = self.killers.acquire().await;
        let failed = |error| cannot_connect(&self.config, &error);
        let mut conn = Conn::new(self.opts.clone()).await.map_err(failed)?;
        // Fails when it has ended already, which is as good.
        let _ = conn.query_drop(format!("KILL {id}")).await;
        let _ = conn.disconnect().await;
        drop(permit);
        Ok(())
    }
}

/// Sets the connection up, in one round trip. `None`: the answer makes no sense.
pub(crate) async fn set_up(conn: &mut Conn) -> mysql_async::Result<Option<Facts>> {
    let mut answer = conn.query_iter(SET_UP).await?;
    let mut facts = None;
    // The first answer is that of SET, without rows.
    while !answer.is_empty() {
        let rows: Vec<Row> = answer.collect().await?;
        if let Some(row) = rows.into_iter().next() {
            facts = read_facts(&row);
        }
    }
    Ok(facts)
}

fn read_facts(row: &Row) -> Option<Facts> {
    let text = |index| match row.as_ref(index) {
        Some(Value::Bytes(bytes)) => String::from_utf8(bytes.clone()).ok(),
        _ => None,
    };
    let number = |index| text(index)?.parse::<u32>().ok();
    let version = text(0)?.to_ascii_lowercase();
    let comment = text(1)?.to_ascii_lowercase();
    let dialect = match version.contains("mariadb") {
        true => &MySqlDialect::MARIADB,
        false => &MySqlDialect::MYSQL,
    };
    Some(Facts {
        dialect,
        max_packet: usize::try_from(number(2)?).ok()?,
        key_step: number(3)?.into(),
        supported: is_supported(&version),
        clustered: comment.contains("wsrep") || comment.contains("cluster"),
    })
}

/// MariaDB from 10.10 on has the collations of Unicode 14, MySQL from 8.0.17 on those that do not
/// pad.
fn is_supported(version: &str) -> bool {
    let mut parts = version
        .split(|c: char| !c.is_ascii_digit())
        .map(|part| part.parse().unwrap_or(0));
    let mut part = || -> u32 { parts.next().unwrap_or(0) };
    let found = (part(), part(), part());
    let least = match version.contains("mariadb") {
        true => (10, 10, 0),
        false => (8, 0, 17),
    };
    found >= least
}

/// Another crate may have switched on a second provider; rustls then wants to be told which.
#[cfg(feature = "tls")]
fn install_crypto() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        // Fails when the program has chosen one, which is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

#[async_trait]
impl Connector for MySqlConnector {
    type Session = MySqlSession;

    fn dialect(&self) -> &'static dyn Dialect {
        self.dialect
    }

    fn target(&self) -> String {
        self.shared.config.target()
    }

    async fn connect(&self, _: Intent) -> Result<MySqlSession> {
        let first = self
            .first
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(session) = first {
            return Ok(session);
        }
        let session = self.shared.connect().await?;
        if session.facts().dialect != self.dialect {
            return Err(Error::configuration(format!(
                "`{}` was {} before and is {} now: one pool cannot serve both",
                self.target(),
                self.dialect.name(),
                session.facts().dialect.name()
            )));
        }
        Ok(session)
    }
}

impl fmt::Debug for MySqlConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MySqlConnector")
            .field("target", &self.target())
            .field("dialect", &self.dialect)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::is_supported;

    #[test]
    fn old_servers_are_known_by_their_versions() {
        for version in [
            "10.11.19-mariadb-0+deb12u1",
            "11.4.2-mariadb",
            "9.7.4-2",
            "8.0.17",
            "8.4.0",
        ] {
            assert!(is_supported(version), "{version}");
        }
        for version in [
            "10.6.18-mariadb-log",
            "10.9.8-mariadb",
            "8.0.16",
            "5.7.44-log",
            "",
        ] {
            assert!(!is_supported(version), "{version}");
        }
    }
}
