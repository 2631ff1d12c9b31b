//! A transaction handle: one level of nesting, and what all levels share.

use super::turn::Turn;
use super::{TxGuard, task};
use crate::backend::{BulkRows, Dialect, Done, Lease, Sink, Statement, Step, TransactionOptions};
use crate::connection::Connection;
use crate::error::{Result, TransactionError};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Mutex as Gate, OwnedMutexGuard};

/// Longest wait for a nested guard of another task to end.
const GUARD_WAIT: Duration = Duration::from_secs(10);

const OPEN: u8 = 0;
const DOOMED: u8 = 1;
const FINISHED: u8 = 2;

type Callback = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// A transaction, or a nested part of one. Clones are the same transaction.
///
/// After its end every use is `Finished` and sends nothing. Statements of several tasks or of
/// `join!` run one after another.
///
/// # Examples
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
/// # fn main() -> Result<()> { run(async {
/// let tx: fast_django::orm::transaction::Tx = begin().await?.handle();
/// // The guard was dropped, so the transaction is over.
/// let error = User::create(kw!(username = "carl")).using_db(&tx).await.unwrap_err();
/// assert!(error.to_string().contains("already finished"));
/// # Ok(()) }) }
/// ```
#[derive(Clone)]
pub struct Tx(Arc<Level>);

struct Level {
    root: Arc<Root>,
    depth: u32,
    parent: Option<Tx>,
    state: AtomicU8,
    /// Held by a nested block for its whole life.
    gate: Arc<Gate<()>>,
    /// Whether a nested block is open, so that statements wait for it. Changes to true while its
    /// [`Turn`] lasts.
    nested: AtomicBool,
    /// The open nested block.
    child: Mutex<Option<Child>>,
    /// The parent's gate.
    hold: Mutex<Option<OwnedMutexGuard<()>>>,
}

/// What all levels of a transaction share.
pub(super) struct Root {
    connection: Connection,
    /// The connection, until the end or until it is lost. Held by one [`Turn`] at a time.
    pub(super) lease: Gate<Option<Lease>>,
    pub(super) finished: AtomicBool,
    /// How many turns were taken.
    pub(super) uses: AtomicU64,
    book: Mutex<Book>,
}

/// What is still to do.
#[derive(Default)]
struct Book {
    /// The savepoint of a block that was dropped: to be undone before the next statement.
    undo: Option<u32>,
    /// What runs after the commit, with the depth it belongs to.
    callbacks: Vec<(u32, Callback)>,
}

/// How a nested block was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// By a closure: the task-local shows who is inside.
    Scoped,
    /// By a guard, which any code of the task may hold.
    Guard,
}

#[derive(Clone, Copy)]
struct Child {
    style: Style,
    task: Option<tokio::task::Id>,
}

impl Root {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The savepoint that must be undone first.
    pub(super) fn take_undo(&self) -> Option<u32> {
        self.book().undo.take()
    }

    /// Whether it has a connection of this client, borrowed and not given back.
    pub(super) fn holds(&self, connection: &Connection) -> bool {
        self.connection.is_same(connection)
            && self.lease.try_lock().map_or(true, |lease| lease.is_some())
    }

    /// How often its connection was used; `None` while it is, or when it was given back.
    pub(super) fn uses_while_idle(&self) -> Option<u64> {
        let lease = self.lease.try_lock().ok()?;
        lease.is_some().then(|| self.uses.load(Ordering::Relaxed))
    }

    /// Drops the lease of a finished transaction, unless somebody holds it, who does it then.
    pub(super) fn sweep(&self) {
        if self.finished.load(Ordering::SeqCst)
            && let Ok(mut lease) = self.lease.try_lock()
        {
            lease.take();
        }
    }
}

impl Tx {
    /// Begins the outermost level on a lease.
    pub(super) async fn outermost(
        connection: Connection,
        mut lease: Lease,
        options: &TransactionOptions,
    ) -> Result<TxGuard> {
        lease.begin(options).await?;
        let root = Arc::new(Root {
            connection,
            lease: Gate::new(Some(lease)),
            finished: AtomicBool::new(false),
            uses: AtomicU64::new(0),
            book: Mutex::default(),
        });
        Ok(TxGuard::new(Tx::level(root, 0, None, None)))
    }

    fn level(
        root: Arc<Root>,
        depth: u32,
        parent: Option<Tx>,
        hold: Option<OwnedMutexGuard<()>>,
    ) -> Tx {
        Tx(Arc::new(Level {
            root,
            depth,
            parent,
            state: AtomicU8::new(OPEN),
            gate: Arc::default(),
            nested: AtomicBool::new(false),
            child: Mutex::new(None),
            hold: Mutex::new(hold),
        }))
    }

    /// Begins a nested level: waits until no other is open, then sets a savepoint.
    pub(super) async fn nest(&self, style: Style) -> Result<TxGuard> {
        self.check()?;
        let hold = self.patience(Arc::clone(&self.0.gate).lock_owned()).await?;
        let depth = self.0.depth + 1;
        let mut turn = Turn::take(&self.0.root).await;
        self.check()?;
        turn.prepare().await?;
        let result = turn.lease()?.savepoint(depth).await;
        if result.is_ok() {
            *lock(&self.0.child) = Some(Child {
                style,
                task: tokio::task::try_id(),
            });
        }
        // Statements that get the connection after us must see it.
        self.0.nested.store(result.is_ok(), Ordering::SeqCst);
        self.settle(turn, &result);
        result?;
        let root = Arc::clone(&self.0.root);
        Ok(TxGuard::new(Tx::level(
            root,
            depth,
            Some(self.clone()),
            Some(hold),
        )))
    }

    /// Begins a nested transaction, held by a guard.
    ///
    /// # Errors
    /// `Unsupported` without savepoints; `Finished`, `Aborted`, `Suspended`.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let tx = begin().await?;
    /// User::create(kw!(username = "carl")).using_db(&tx).await?;
    /// let savepoint = tx.begin().await?;
    /// User::create(kw!(username = "dora")).using_db(&savepoint).await?;
    /// savepoint.rollback().await?;
    /// tx.commit().await?;
    /// assert_eq!(User::all().count().await?, 3);
    /// # Ok(()) }) }
    /// ```
    pub async fn begin(&self) -> Result<TxGuard> {
        self.nest(Style::Guard).await
    }

    /// Runs `future` with this transaction as the current one of its task. This is how a spawned
    /// task takes part: `tokio::spawn(async move { tx.scope(work()).await })`.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// in_transaction(async |tx| {
    ///     let work = async move { tx.scope(User::create(kw!(username = "carl")).into_future()).await };
    ///     tokio::spawn(work).await.expect("the task ends")
    /// })
    /// .await?;
    /// assert_eq!(User::all().count().await?, 3);
    /// # Ok(()) }) }
    /// ```
    pub async fn scope<F: Future>(&self, future: F) -> F::Output {
        task::scope(self.clone(), future).await
    }

    /// Has `callback` run after the *outermost* transaction was committed, in the order of these
    /// calls, on the task that committed. What belongs to a block that is rolled back never runs.
    ///
    /// # Errors
    /// `Finished` after the end.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// in_transaction(async |tx| {
    ///     let user = User::create(kw!(username = "carl")).await?;
    ///     tx.on_commit(async move || println!("welcome, {}", user.username))
    /// })
    /// .await?;
    /// # Ok(()) }) }
    /// ```
    pub fn on_commit<F, Fut>(&self, callback: F) -> Result<()>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let mut book = self.0.root.book();
        self.check_open()?;
        let callback: Callback = Box::new(move || Box::pin(callback()));
        book.callbacks.push((self.0.depth, callback));
        Ok(())
    }

    /// The connection that the transaction was begun on.
    pub fn connection(&self) -> &Connection {
        &self.0.root.connection
    }

    pub(super) fn root(&self) -> &Arc<Root> {
        &self.0.root
    }

    /// The dialect.
    pub fn dialect(&self) -> &'static dyn Dialect {
        self.0.root.connection.dialect()
    }

    /// How deep this level is nested; 0 for the outermost.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let tx = begin().await?;
    /// let nested = tx.begin().await?;
    /// assert_eq!((tx.depth(), nested.depth()), (0, 1));
    /// assert!(nested.is_open());
    /// # Ok(()) }) }
    /// ```
    pub fn depth(&self) -> u32 {
        self.0.depth
    }

    /// Whether statements can still be sent: neither finished nor doomed.
    pub fn is_open(&self) -> bool {
        self.check_open().is_ok()
    }

    /// Runs one statement, after those that are running.
    ///
    /// # Errors
    /// `Finished`, `Aborted`, `Suspended`, with nothing sent; those of the database, which doom
    /// this level.
    pub async fn run(&self, statement: &Statement, sink: &mut Sink) -> Result<Done> {
        self.turn(async |lease: &mut Lease| lease.run(statement, sink).await)
            .await
    }

    /// Runs several statements, together where the driver can.
    ///
    /// # Errors
    /// As [`run`](Tx::run).
    pub async fn run_many(&self, steps: &mut [Step<'_>]) -> Result<()> {
        self.turn(async |lease: &mut Lease| lease.run_many(steps).await)
            .await
    }

    /// Inserts rows by a protocol of the database's own, if that is faster.
    ///
    /// # Errors
    /// As [`run`](Tx::run).
    pub async fn bulk_insert(&self, rows: &BulkRows<'_>) -> Result<Option<Done>> {
        self.turn(async |lease: &mut Lease| lease.bulk_insert(rows).await)
            .await
    }

    /// Runs trusted text with any number of statements and no values.
    ///
    /// # Errors
    /// As [`run`](Tx::run).
    pub async fn script(&self, sql: &str) -> Result<()> {
        self.turn(async |lease: &mut Lease| lease.run_script(sql).await)
            .await
    }

    /// Uses the connection for one call of the driver.
    pub(super) async fn turn<T>(
        &self,
        call: impl AsyncFnOnce(&mut Lease) -> Result<T>,
    ) -> Result<T> {
        let mut turn = Turn::take(&self.0.root).await;
        let _gate;
        if self.0.nested.load(Ordering::SeqCst) {
            // Not while we have the connection, which the nested block needs to end.
            drop(turn);
            self.check()?;
            self.refuse_own_guard()?;
            _gate = Box::pin(self.patience(self.0.gate.lock())).await?;
            turn = Turn::take(&self.0.root).await;
        }
        self.check_open()?;
        turn.prepare().await?;
        let result = call(turn.lease()?).await;
        self.settle(turn, &result);
        result
    }

    /// Draws the conclusions of an answer.
    fn settle<T>(&self, turn: Turn<'_>, result: &Result<T>) {
        if turn.answered()
            && let Err(error) = result
            && error.as_database().is_some() | error.constraint().is_some()
        {
            let state = &self.0.state;
            let _ = state.compare_exchange(OPEN, DOOMED, Ordering::SeqCst, Ordering::SeqCst);
        }
    }

    /// Waits for the gate; with a limit if a guard holds it, which nobody may ever end.
    async fn patience<G>(&self, gate: impl Future<Output = G>) -> Result<G> {
        let child = *lock(&self.0.child);
        if child.is_none_or(|child| child.style == Style::Scoped) {
            return Ok(gate.await);
        }
        let waited = tokio::time::timeout(GUARD_WAIT, gate).await;
        waited.map_err(|_| TransactionError::Suspended.into())
    }

    /// A guard of this very task is open: waiting for it would never end.
    fn refuse_own_guard(&self) -> Result<()> {
        match *lock(&self.0.child) {
            Some(child) if child.style == Style::Guard && child.task == tokio::task::try_id() => {
                Err(TransactionError::Suspended.into())
            }
            _ => Ok(()),
        }
    }

    fn check(&self) -> Result<()> {
        self.check_open()?;
        if task::is_inside(self) {
            return Err(TransactionError::Suspended.into());
        }
        Ok(())
    }

    fn check_open(&self) -> Result<()> {
        if self.any_level(FINISHED) {
            return Err(TransactionError::Finished.into());
        }
        if self.any_level(DOOMED) {
            return Err(TransactionError::Aborted.into());
        }
        Ok(())
    }

    /// Whether this level or one around it is in this state.
    fn any_level(&self, state: u8) -> bool {
        let mut at = Some(self);
        while let Some(tx) = at {
            if tx.0.state.load(Ordering::SeqCst) == state {
                return true;
            }
            at = tx.0.parent.as_ref();
        }
        false
    }

    /// Whether `inner` is nested in this level.
    pub(super) fn is_above(&self, inner: &Tx) -> bool {
        if !Arc::ptr_eq(&self.0.root, &inner.0.root) {
            return false;
        }
        let mut at = inner.0.parent.as_ref();
        while let Some(tx) = at {
            if Arc::ptr_eq(&tx.0, &self.0) {
                return true;
            }
            at = tx.0.parent.as_ref();
        }
        false
    }

    /// Ends the level: commits or rolls back.
    pub(super) async fn finish(&self, commit: bool) -> Result<()> {
        let Some(state) = self.close() else {
            return Err(TransactionError::Finished.into());
        };
        let refused = match (state, *lock(&self.0.child)) {
            (DOOMED, _) => Some(TransactionError::Aborted),
            (_, Some(_)) => Some(TransactionError::Suspended),
            _ => None,
        };
        let keep = commit && refused.is_none();
        let mut turn = Turn::take(&self.0.root).await;
        let around = self.0.parent.as_ref();
        if around.is_some_and(|tx| tx.any_level(FINISHED)) {
            // It ended with the block around it: its savepoint is gone, or another block's by now.
            drop(turn);
            self.forget_callbacks();
            self.let_go();
            return match commit {
                true => Err(TransactionError::Finished.into()),
                false => Ok(()),
            };
        }
        let result = match (turn.is_alive(), keep) {
            (true, true) => self.keep(&mut turn).await,
            (true, false) => self.undo(&mut turn).await,
            (false, true) => Err(TransactionError::Aborted.into()),
            (false, false) => Ok(()),
        };
        if self.0.depth == 0 {
            turn.end();
        } else {
            turn.answered();
        }
        if result.is_err() || !keep {
            self.forget_callbacks();
        }
        self.let_go();
        match refused {
            Some(refused) if commit => Err(refused.into()),
            _ if keep && result.is_ok() => {
                self.committed().await;
                Ok(())
            }
            _ => result,
        }
    }

    async fn keep(&self, turn: &mut Turn<'_>) -> Result<()> {
        turn.prepare().await?;
        let depth = self.0.depth;
        let lease = turn.lease()?;
        let result = match depth {
            0 => lease.commit().await,
            _ => lease.release(depth).await,
        };
        if result.is_err() && turn.is_alive() {
            // The first error says more; if this one fails too, the connection is closed.
            let _ = self.undo(turn).await;
        }
        result
    }

    async fn undo(&self, turn: &mut Turn<'_>) -> Result<()> {
        // A dropped inner block goes with it, and it goes with a dropped block around it.
        let depth = self.0.depth;
        let depth = self.0.root.take_undo().map_or(depth, |at| at.min(depth));
        let lease = turn.lease()?;
        let result = match depth {
            0 => lease.rollback().await,
            depth => lease.rollback_to(depth).await,
        };
        if result.is_err() {
            turn.lose();
        }
        result
    }

    /// Without waiting: what the guard does when it is dropped before the end.
    pub(super) fn abandon(&self) {
        self.close();
        if self.0.depth > 0 {
            let mut book = self.0.root.book();
            let around = self.0.parent.as_ref();
            // If a block around it ended, its savepoint is gone.
            if !around.is_some_and(|tx| tx.any_level(FINISHED)) {
                let depth = self.0.depth;
                book.undo = Some(book.undo.map_or(depth, |known| known.min(depth)));
            }
        }
        self.forget_callbacks();
        self.0.root.sweep();
        self.let_go();
    }

    /// Marks the level as finished, and returns the state before; `None` if it was finished.
    fn close(&self) -> Option<u8> {
        // Under the lock, so that an inner level either sees it or has booked its undo before.
        let _book = self.0.root.book();
        let before = self.0.state.swap(FINISHED, Ordering::SeqCst);
        if self.0.depth == 0 {
            self.0.root.finished.store(true, Ordering::SeqCst);
        }
        (before != FINISHED).then_some(before)
    }

    /// Lets the level around it go on.
    fn let_go(&self) {
        let Some(parent) = &self.0.parent else { return };
        if let Some(hold) = lock(&self.0.hold).take() {
            *lock(&parent.0.child) = None;
            parent.0.nested.store(false, Ordering::SeqCst);
            drop(hold);
        }
    }

    fn forget_callbacks(&self) {
        let depth = self.0.depth;
        let mut book = self.0.root.book();
        let callbacks = std::mem::take(&mut book.callbacks);
        let (kept, dropped) = callbacks.into_iter().partition(|(at, _)| *at < depth);
        book.callbacks = kept;
        drop(book);
        // Dropped outside the lock: what a callback holds is the user's.
        let dropped: Vec<(u32, Callback)> = dropped;
        drop(dropped);
    }

    async fn committed(&self) {
        let depth = self.0.depth;
        if depth > 0 {
            for (at, _) in &mut self.0.root.book().callbacks {
                *at = (*at).min(depth - 1);
            }
            return;
        }
        let callbacks = std::mem::take(&mut self.0.root.book().callbacks);
        for (_, callback) in callbacks {
            callback().await;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Tx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tx")
            .field("connection", &self.connection().name())
            .field("depth", &self.0.depth)
            .field("open", &self.is_open())
            .finish()
    }
}
