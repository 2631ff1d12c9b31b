//! A database in memory for tests: keeps what it was sent, and fails, hangs or panics on request.
//!
//! `INSERT x` adds the row `x`. Words in a statement: `FAIL` is rejected, `BUSY` is a conflict that
//! ends the transaction, `LOSE` breaks the connection, `HANG` never answers, `PANIC` panics.

use super::Pool;
use crate::backend::{
    BaseDBAsyncClient, Capabilities, ConnectOptions, Connector, Dialect, Done, Health, Intent,
    Isolation, Lease, Session, Sink, SqlFamily, Statement, StatementText, TextSpelling,
    TransactionManager, TransactionOptions,
};
use crate::connection::Connection;
use crate::error::{DatabaseError, Error, ErrorKind, Result};
use crate::query::{DatePart, Lookup};
use crate::value::{ColumnType, Value};
use async_trait::async_trait;
use std::{
    any::Any,
    borrow::Cow,
    future::Future,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

#[derive(Debug)]
pub(crate) struct FakeDialect;

const FACTS: Capabilities = {
    let mut facts = Capabilities::none();
    facts.transactions = true;
    facts.savepoints = true;
    facts.isolation = &[Isolation::Serializable];
    facts
};

impl Dialect for FakeDialect {
    fn name(&self) -> &'static str {
        "fake"
    }
    fn family(&self) -> SqlFamily {
        SqlFamily::Sqlite
    }
    fn capabilities(&self) -> &'static Capabilities {
        &FACTS
    }
    fn column_type(&self, _: ColumnType) -> Cow<'static, str> {
        "ANY".into()
    }
    fn generated_key(&self) -> &'static str {
        ""
    }
    fn text_lookup(&self, _: Lookup) -> Option<TextSpelling> {
        None
    }
    fn date_part(&self, _: DatePart) -> &'static str {
        "{l}"
    }
    fn literal(&self, _: &Value) -> Result<String> {
        Err(Error::Unsupported("literals"))
    }
}

/// The state of the fake database, shared by its connections.
#[derive(Debug, Default)]
pub(crate) struct World {
    log: Mutex<Vec<String>>,
    rows: Mutex<Vec<String>>,
    pub(crate) violations: Mutex<Vec<String>>,
    /// How often each call yields before and after its effect.
    pub(crate) yields: AtomicUsize,
    pub(crate) opened: AtomicUsize,
    pub(crate) open: AtomicUsize,
    pub(crate) recoverable: AtomicBool,
    pub(crate) commit_fails: Mutex<Option<ErrorKind>>,
    pub(crate) connect_hangs: AtomicBool,
    pub(crate) ping_fails: AtomicBool,
    pub(crate) wants_ping: AtomicBool,
    pub(crate) resets: AtomicUsize,
}

impl World {
    pub(crate) fn new(yields: usize) -> Arc<World> {
        let world = World::default();
        world.yields.store(yields, Ordering::SeqCst);
        world.recoverable.store(true, Ordering::SeqCst);
        Arc::new(world)
    }
    /// What was sent since the last call.
    pub(crate) fn take_log(&self) -> Vec<String> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }
    /// The committed rows.
    pub(crate) fn rows(&self) -> Vec<String> {
        self.rows.lock().unwrap().clone()
    }
    pub(crate) fn clear(&self) {
        self.rows.lock().unwrap().clear();
        self.log.lock().unwrap().clear();
    }
    pub(crate) fn assert_sound(&self) {
        let violations = self.violations.lock().unwrap();
        assert!(violations.is_empty(), "{violations:?}");
    }
}

#[derive(Debug, Clone)]
pub(crate) struct FakeConnector {
    pub(crate) world: Arc<World>,
    pub(crate) writers: Option<usize>,
    pub(crate) bound: bool,
}

#[async_trait]
impl Connector for FakeConnector {
    type Session = FakeSession;
    fn dialect(&self) -> &'static dyn Dialect {
        &FakeDialect
    }
    fn target(&self) -> String {
        "fake-target".into()
    }
    async fn connect(&self, intent: Intent) -> Result<FakeSession> {
        tokio::task::yield_now().await;
        if self.world.connect_hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        self.world.opened.fetch_add(1, Ordering::SeqCst);
        self.world.open.fetch_add(1, Ordering::SeqCst);
        Ok(FakeSession {
            world: Arc::clone(&self.world),
            intent,
            busy: false,
            broken: false,
            stack: Vec::new(),
        })
    }
    fn dedicated_writers(&self) -> Option<usize> {
        self.writers
    }
    fn bound_to_runtime(&self) -> bool {
        self.bound
    }
}

#[derive(Debug)]
pub(crate) struct FakeSession {
    world: Arc<World>,
    pub(crate) intent: Intent,
    busy: bool,
    broken: bool,
    /// Uncommitted rows: the transaction's, then each savepoint's.
    stack: Vec<(u32, Vec<String>)>,
}

impl Drop for FakeSession {
    fn drop(&mut self) {
        self.world.open.fetch_sub(1, Ordering::SeqCst);
    }
}

impl FakeSession {
    fn violation(&self, what: String) {
        self.world.violations.lock().unwrap().push(what);
    }

    async fn pause(&self) {
        for _ in 0..self.world.yields.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
    }

    /// One round trip: the effect is between two pauses.
    async fn trip<T>(&mut self, sql: &str, effect: impl FnOnce(&mut Self) -> T) -> T {
        if self.busy {
            self.violation(format!("`{sql}` while an earlier call is unfinished"));
        }
        self.busy = true;
        self.world.log.lock().unwrap().push(sql.to_owned());
        self.pause().await;
        let out = effect(self);
        self.pause().await;
        self.busy = false;
        out
    }
}

fn refused(kind: ErrorKind, text: &str) -> Error {
    Error::database(kind, DatabaseError::new(text).with_code("F1"))
}

#[async_trait]
impl Session for FakeSession {
    fn dialect(&self) -> &'static dyn Dialect {
        &FakeDialect
    }
    async fn run(&mut self, statement: &Statement, _: &mut Sink) -> Result<Done> {
        let sql = statement.sql().to_owned();
        if sql.contains("HANG") {
            self.trip(&sql, |_| ()).await;
            self.busy = true;
            std::future::pending::<()>().await;
        }
        assert!(!sql.contains("PANIC"), "asked to panic");
        self.trip(&sql, |session| {
            if sql.contains("FAIL") {
                return Err(refused(ErrorKind::Statement, "rejected"));
            }
            if sql.contains("BUSY") {
                session.stack.clear();
                return Err(refused(ErrorKind::Serialization, "conflict"));
            }
            if sql.contains("LOSE") {
                session.broken = true;
                return Err(refused(ErrorKind::ConnectionLost, "lost"));
            }
            if let Some(row) = sql.strip_prefix("INSERT ") {
                match session.stack.last_mut() {
                    Some((_, rows)) => rows.push(row.to_owned()),
                    None => session.world.rows.lock().unwrap().push(row.to_owned()),
                }
            }
            Ok(Done::rows(1))
        })
        .await
    }
    async fn run_script(&mut self, sql: &str) -> Result<()> {
        self.trip(sql, |session| {
            if sql.contains("BEGIN") {
                session.stack.push((0, Vec::new()));
            }
            Ok(())
        })
        .await
    }
    fn health(&self) -> Health {
        match (self.broken, self.stack.is_empty()) {
            (true, _) => Health::Broken,
            (_, true) => Health::Clean,
            _ => Health::InTransaction,
        }
    }
    async fn ping(&mut self) -> Result<()> {
        match self.world.ping_fails.load(Ordering::SeqCst) {
            true => Err(refused(ErrorKind::ConnectionLost, "gone")),
            false => Ok(()),
        }
    }
    async fn recover(&mut self) -> Result<()> {
        tokio::task::yield_now().await;
        if !self.world.recoverable.load(Ordering::SeqCst) {
            return Err(Error::Unsupported("recover"));
        }
        self.busy = false;
        Ok(())
    }
    async fn reset(&mut self) -> Result<()> {
        self.world.resets.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
    fn wants_ping(&self, _: Duration) -> bool {
        self.world.wants_ping.load(Ordering::SeqCst)
    }
    fn native(&mut self) -> &mut dyn Any {
        self
    }
}

#[async_trait]
impl TransactionManager for FakeSession {
    async fn begin(&mut self, _: &TransactionOptions) -> Result<()> {
        self.trip("BEGIN", |session| {
            if !session.stack.is_empty() {
                session.violation("BEGIN inside a transaction".into());
            }
            session.stack.push((0, Vec::new()));
        })
        .await;
        Ok(())
    }
    async fn commit(&mut self) -> Result<()> {
        self.trip("COMMIT", |session| {
            let fails = session.world.commit_fails.lock().unwrap().take();
            if let Some(kind) = fails {
                session.broken = kind == ErrorKind::ConnectionLost;
                return Err(refused(kind, "commit refused"));
            }
            if session.stack.len() != 1 {
                session.violation(format!("COMMIT at depth {}", session.stack.len()));
            }
            let rows = session.stack.drain(..).flat_map(|(_, rows)| rows);
            session.world.rows.lock().unwrap().extend(rows);
            Ok(())
        })
        .await
    }
    async fn rollback(&mut self) -> Result<()> {
        self.trip("ROLLBACK", |session| session.stack.clear()).await;
        Ok(())
    }
    async fn savepoint(&mut self, depth: u32) -> Result<()> {
        self.trip(&format!("SAVEPOINT {depth}"), |session| {
            if session.stack.len() as u32 != depth {
                session.violation(format!("SAVEPOINT {depth} on {:?}", session.stack));
            }
            session.stack.push((depth, Vec::new()));
        })
        .await;
        Ok(())
    }
    async fn rollback_to(&mut self, depth: u32) -> Result<()> {
        self.trip(&format!("UNDO {depth}"), |session| {
            if !session.stack.iter().any(|(at, _)| *at == depth) {
                session.violation(format!("UNDO {depth} on {:?}", session.stack));
            }
            session.stack.truncate(depth as usize);
        })
        .await;
        Ok(())
    }
    async fn release(&mut self, depth: u32) -> Result<()> {
        self.trip(&format!("RELEASE {depth}"), |session| {
            if session.stack.last().map(|(at, _)| *at) != Some(depth) {
                session.violation(format!("RELEASE {depth} on {:?}", session.stack));
            }
            let (_, rows) = session.stack.pop().expect("a savepoint");
            let (_, around) = session.stack.last_mut().expect("a transaction");
            around.extend(rows);
        })
        .await;
        Ok(())
    }
}

/// The fake as a client.
#[derive(Debug)]
pub(crate) struct FakeClient(pub(crate) Pool<FakeConnector>);

#[async_trait]
impl BaseDBAsyncClient for FakeClient {
    fn dialect(&self) -> &'static dyn Dialect {
        &FakeDialect
    }
    async fn acquire(&self, intent: Intent) -> Result<Lease> {
        self.0.acquire(intent).await
    }
    fn must_wait(&self, intent: Intent, held: &[Intent]) -> bool {
        self.0.must_wait(intent, held)
    }
    async fn close(&self) {
        self.0.close().await;
    }
}

pub(crate) fn options(size: usize) -> ConnectOptions {
    ConnectOptions {
        max_connections: Some(size),
        acquire_timeout: Duration::from_millis(200),
        ..ConnectOptions::default()
    }
}

pub(crate) fn pool(world: &Arc<World>, options: &ConnectOptions) -> Pool<FakeConnector> {
    let connector = FakeConnector {
        world: Arc::clone(world),
        writers: None,
        bound: true,
    };
    Pool::new(connector, options).unwrap()
}

pub(crate) fn connection(world: &Arc<World>, size: usize) -> Connection {
    Connection::new("default", Arc::new(FakeClient(pool(world, &options(size)))))
}

pub(crate) fn statement(sql: &str) -> Statement {
    Statement::new(StatementText::new(sql), Vec::new())
}

/// Polls `future` at most `polls` times, letting other tasks run between; whether it completed.
pub(crate) async fn poll_then_drop<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..polls {
        let poll = future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        if let Poll::Ready(output) = poll {
            return Some(output);
        }
        tokio::task::yield_now().await;
    }
    None
}
