//! Opening connections: roles, pragmas, and the care of the write-ahead log.

use crate::config::{Config, Location, Mode};
use crate::dialect::SqliteDialect;
use crate::engine::Engine;
use crate::error::classify;
use crate::ffi::{Access, Failure, Raw};
use crate::functions::FUNCTIONS;
use crate::session::SqliteSession;
use async_trait::async_trait;
use orm_core::backend::{ConnectionUrl, Connector, Dialect, Intent};
use orm_core::error::{DatabaseError, Error, ErrorKind, Result};
use std::{
    fmt::Write,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI32, Ordering::Relaxed},
    },
    time::Duration,
};

/// Fewest and most readers beside the writer, when nothing else is asked for.
const READERS: (usize, usize) = (4, 16);

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The only connection of its database.
    Alone,
    /// Writes (and reads) beside readers.
    Writer,
    /// Only reads.
    Reader,
}

/// Makes connections of one SQLite database.
///
/// A file has one connection that writes, and several that read at the same time. A database in
/// memory belongs to its one connection.
#[derive(Debug)]
pub struct SqliteConnector {
    config: Arc<Config>,
    checkpointer: Option<Arc<Checkpointer>>,
}

impl SqliteConnector {
    /// Reads a URL.
    ///
    /// # Errors
    /// `Configuration` for a form or an option that SQLite does not have.
    pub fn from_url(url: &ConnectionUrl) -> Result<Self> {
        let config = Config::from_url(url)?;
        let checkpointer = match &config.location {
            Location::File(path) if config.uses_wal() && config.mode != Mode::ReadOnly => {
                Some(Arc::new(Checkpointer::new(plain_path(path))))
            }
            _ => None,
        };
        Ok(SqliteConnector {
            config: Arc::new(config),
            checkpointer,
        })
    }

    /// How many connections to keep: what the URL asks for, else what the caller does, else what
    /// suits the database.
    pub fn connections(&self, asked: Option<usize>) -> Option<usize> {
        match self.config.location {
            Location::Memory => Some(1),
            Location::File(_) => {
                let asked = self.config.max_connections.or(asked);
                asked.or_else(|| Some(readers() + 1))
            }
        }
    }

    fn role(&self, intent: Intent) -> Role {
        match (&self.config.location, self.config.mode, intent) {
            (Location::Memory, ..) | (_, Mode::ReadOnly, _) => Role::Alone,
            (_, _, Intent::Read) => Role::Reader,
            (_, _, Intent::Write) => Role::Writer,
        }
    }
}

#[async_trait]
impl Connector for SqliteConnector {
    type Session = SqliteSession;

    fn dialect(&self) -> &'static dyn Dialect {
        &SqliteDialect
    }

    fn target(&self) -> String {
        self.config.target()
    }

    async fn connect(&self, intent: Intent) -> Result<SqliteSession> {
        let (config, role) = (Arc::clone(&self.config), self.role(intent));
        let open = move || open(&config, role);
        let engine = match tokio::runtime::Handle::try_current() {
            Err(_) => open()?,
            Ok(runtime) => runtime.spawn_blocking(open).await.map_err(|_| {
                let report = DatabaseError::new("the runtime ended while the file was opened");
                Error::database(ErrorKind::ConnectionLost, report)
            })??,
        };
        let checkpointer = match role {
            Role::Reader => None,
            Role::Alone | Role::Writer => self.checkpointer.clone(),
        };
        Ok(SqliteSession::new(
            engine,
            Arc::clone(&self.config),
            role,
            checkpointer,
        ))
    }

    fn max_connections(&self) -> Option<usize> {
        match self.config.location {
            Location::Memory => Some(1),
            Location::File(_) => None,
        }
    }

    fn dedicated_writers(&self) -> Option<usize> {
        match (&self.config.location, self.config.mode) {
            (Location::Memory, _) | (_, Mode::ReadOnly) => None,
            _ => Some(1),
        }
    }

    fn bound_to_runtime(&self) -> bool {
        false
    }
}

/// One for each thread that may read at the same time (the workers of the runtime, and the thread
/// that drives it), so that quick reads never wait for one another.
fn readers() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (cores + 1).clamp(READERS.0, READERS.1)
}

/// Opens and sets up a connection. Blocks.
fn open(config: &Config, role: Role) -> Result<Engine> {
    let (path, access) = match (&config.location, config.mode) {
        (Location::Memory, _) => (":memory:".to_owned(), Access::Create),
        (Location::File(path), Mode::ReadOnly) => (plain_path(path), Access::ReadOnly),
        (Location::File(path), Mode::ReadWrite) => (plain_path(path), Access::ReadWrite),
        (Location::File(path), Mode::Create) => (plain_path(path), Access::Create),
    };
    let raw = Raw::open(&path, access).map_err(|failure| cannot_open(config, failure))?;
    let patience = i32::try_from(config.busy_timeout.as_millis()).unwrap_or(i32::MAX);
    raw.set_blocking_wait(patience);
    for function in &FUNCTIONS {
        let registered = raw.register(function);
        registered.map_err(|failure| classify(failure, None, false))?;
    }
    let mut engine = Engine::new(raw, config.statement_cache);
    set_up(&mut engine, config, role).map_err(|error| explain(config, error))?;
    if role != Role::Reader && config.uses_wal() && config.mode != Mode::ReadOnly {
        engine.raw().count_wal_pages();
    }
    engine.raw().set_blocking_wait(0);
    Ok(engine)
}

/// Reads the file for the first time, which finds those that are no database, and sets what stays.
fn set_up(engine: &mut Engine, config: &Config, role: Role) -> Result<()> {
    let mut sql = "PRAGMA schema_version;".to_owned();
    if config.mode != Mode::ReadOnly && config.location != Location::Memory {
        write!(sql, "PRAGMA journal_mode = {};", config.journal_mode)
            .expect("writing to a string does not fail");
    }
    engine.run_script(&sql, config.busy_timeout)?;
    restore(engine, config, role)
}

/// Sets what belongs to the connection, again after raw SQL. Each change of `temp_store` drops all
/// temporary tables.
pub(crate) fn restore(engine: &mut Engine, config: &Config, role: Role) -> Result<()> {
    let mut sql = format!(
        "PRAGMA synchronous = {};\
         PRAGMA foreign_keys = ON;\
         PRAGMA defer_foreign_keys = OFF;\
         PRAGMA ignore_check_constraints = OFF;\
         PRAGMA recursive_triggers = OFF;\
         PRAGMA reverse_unordered_selects = OFF;\
         PRAGMA case_sensitive_like = OFF;\
         PRAGMA read_uncommitted = OFF;\
         PRAGMA trusted_schema = OFF;\
         PRAGMA writable_schema = OFF;\
         PRAGMA temp_store = MEMORY;\
         PRAGMA temp_store = DEFAULT;\
         PRAGMA query_only = {};",
        config.synchronous,
        if role == Role::Reader { "ON" } else { "OFF" },
    );
    if let Some(size) = config.cache_size {
        write!(sql, "PRAGMA cache_size = {size};").expect("writing to a string does not fail");
    }
    engine.run_script(&sql, config.busy_timeout)?;
    // After the pragmas: raw SQL may have set both of these.
    engine.raw().set_blocking_wait(0);
    if role != Role::Reader && config.uses_wal() && config.mode != Mode::ReadOnly {
        engine.raw().count_wal_pages();
    }
    Ok(())
}

/// A path that SQLite takes as it is: not as `:memory:`, not as a `file:` URI.
fn plain_path(path: &Path) -> String {
    let text = path.to_string_lossy().into_owned();
    match path.is_absolute() {
        true => text,
        false => format!("./{text}"),
    }
}

fn explain(config: &Config, error: Error) -> Error {
    let report = error.as_database();
    let code = report
        .and_then(DatabaseError::code)
        .and_then(|code| code.parse().ok());
    match (report, code) {
        (Some(report), Some(code)) => {
            let message = report.message().to_owned();
            cannot_open(config, Failure { code, message })
        }
        _ => error,
    }
}

/// Says which file cannot be opened, why, and what to do.
fn cannot_open(config: &Config, failure: Failure) -> Error {
    let Location::File(path) = &config.location else {
        return classify(failure, None, false);
    };
    let shown = path.display();
    let (kind, advice) = match failure.code & 0xff {
        11 | 26 => (
            ErrorKind::Auth,
            format!(
                "`{shown}` is no SQLite database, or is damaged: check the path, or restore it"
            ),
        ),
        5 | 6 => return classify(failure, None, false),
        8 => (
            ErrorKind::Auth,
            format!("`{shown}` cannot be written: change its permissions, or add `mode=ro`"),
        ),
        3 | 10 | 14 | 23 => (ErrorKind::Auth, unreachable_file(path, config.mode)),
        21 => return Error::configuration(failure.message),
        _ => return classify(failure, None, false),
    };
    let report = format!("{advice} ({})", failure.message);
    Error::database(kind, DatabaseError::new(report).with_code(failure.code))
}

fn unreachable_file(path: &Path, mode: Mode) -> String {
    let shown = path.display();
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if path.is_dir() {
        format!("`{shown}` is a folder: name a file in it")
    } else if !folder.is_dir() {
        let folder = folder.display();
        format!("`{shown}` cannot be opened: the folder `{folder}` does not exist, create it first")
    } else if mode != Mode::Create && !path.exists() {
        format!("`{shown}` does not exist: check the path, or use `mode=rwc` to make it")
    } else {
        format!("`{shown}` cannot be opened: check the permissions of the file and its folder")
    }
}

/// Pages of the write-ahead log after which it is copied into the file.
const DUE: i32 = 1_000;
/// Pages after which the writer waits for that.
const URGENT: i32 = 8_000;

/// Copies the write-ahead log into the file beside the writer, which does not wait for it.
#[derive(Debug)]
pub(crate) struct Checkpointer {
    path: String,
    running: AtomicBool,
    next: AtomicI32,
}

impl Checkpointer {
    fn new(path: String) -> Self {
        Checkpointer {
            path,
            running: AtomicBool::new(false),
            next: AtomicI32::new(DUE),
        }
    }

    /// Whether the log has grown by enough pages since the last time.
    pub(crate) fn is_due(&self, pages: i32) -> bool {
        if pages < DUE {
            self.next.store(DUE, Relaxed);
            return false;
        }
        pages >= self.next.load(Relaxed)
    }

    /// Whether the log has grown so much that the writer should wait.
    pub(crate) fn is_urgent(&self, pages: i32) -> bool {
        if pages < URGENT {
            return false;
        }
        self.next.store(pages.saturating_add(DUE), Relaxed);
        true
    }

    /// Starts copying on a blocking thread, unless that is going on.
    pub(crate) fn start(self: &Arc<Self>, pages: i32) {
        if self.running.swap(true, Relaxed) {
            return;
        }
        self.next.store(pages.saturating_add(DUE), Relaxed);
        let this = Arc::clone(self);
        let work = move || {
            if let Err(error) = this.copy() {
                tracing::warn!(%error, "the write-ahead log could not be checkpointed");
            }
            this.running.store(false, Relaxed);
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(work)),
            Err(_) => work(),
        }
    }

    fn copy(&self) -> Result<()> {
        let raw = Raw::open(&self.path, Access::ReadWrite);
        let raw = raw.map_err(|failure| classify(failure, None, false))?;
        let mut engine = Engine::new(raw, 1);
        engine.run_script("PRAGMA wal_checkpoint(PASSIVE)", Duration::ZERO)
    }
}
