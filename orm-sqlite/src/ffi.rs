//! The one module that calls the C library: open, prepare, bind, step, read, stop, SQL functions.
//!
//! Connections are opened without SQLite's own mutex, so everything of one connection (a [`Raw`]
//! and its [`Prepared`] statements) must be used by one thread at a time. The session keeps them
//! together behind one lock; only [`Handle`] is shared between threads.
#![allow(
    unsafe_code,
    reason = "SQLite is a C library; every block says why it is sound"
)]

use libsql::ffi;
use orm_core::value::Cell;
use std::{
    ffi::{CStr, CString, c_char, c_int, c_uint, c_void},
    future::Future,
    marker::PhantomData,
    panic::AssertUnwindSafe,
    pin::pin,
    ptr::{NonNull, null, null_mut},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicI32, AtomicI64, Ordering::Relaxed},
    },
    task::{Context, Poll, Waker},
};

/// A row is ready.
pub(crate) const ROW: i32 = ffi::SQLITE_ROW;
/// The statement has finished.
pub(crate) const DONE: i32 = ffi::SQLITE_DONE;
/// VM instructions between two looks at the meter.
pub(crate) const TICK: i32 = 200;

/// What SQLite reported: the extended result code and its message.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) code: i32,
    pub(crate) message: String,
}

/// A function of two texts for SQL. NULL in either gives NULL, and so does `None`.
pub(crate) struct Function {
    pub(crate) name: &'static CStr,
    pub(crate) call: fn(&str, &str) -> Result<Option<i64>, String>,
}

/// Lets libsql set the threading mode, once per process: it refuses to work when SQLite is
/// initialised by anybody else first.
pub(crate) fn initialise() -> Result<(), String> {
    static READY: OnceLock<Result<(), String>> = OnceLock::new();
    READY
        .get_or_init(|| {
            let open = std::panic::catch_unwind(|| {
                let mut open = pin!(libsql::Builder::new_local(":memory:").build());
                match open.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                    Poll::Ready(opened) => opened.map(drop).map_err(|error| error.to_string()),
                    Poll::Pending => Err("libsql did not open a database at once".to_owned()),
                }
            });
            open.unwrap_or_else(|_| {
                Err(
                    "another SQLite library of this process was initialised first; \
                     connect before it is used, or remove it"
                        .to_owned(),
                )
            })
        })
        .clone()
}

/// What a running statement looks at, and commits report to; safe to touch from any thread.
#[derive(Debug)]
struct Meter {
    ticks: AtomicI64,
    cancelled: AtomicBool,
    wal_pages: AtomicI32,
}

/// The part of a connection that other threads may use; closes the connection when dropped.
#[derive(Debug)]
pub(crate) struct Handle {
    db: NonNull<ffi::sqlite3>,
    meter: Meter,
}

// SAFETY: through a shared `Handle` only the atomics of the meter and `sqlite3_interrupt` can be
// reached, which SQLite allows from any thread while the connection is open; it is closed by the
// drop of the last owner, when no statement is left (each keeps an `Arc` of the handle).
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

impl Handle {
    /// Stops the running statement, and every later one until [`Handle::allow`].
    pub(crate) fn cancel(&self) {
        self.meter.cancelled.store(true, Relaxed);
        // SAFETY: the connection is open as long as `self` lives; the call is thread-safe.
        unsafe { ffi::sqlite3_interrupt(self.db.as_ptr()) }
    }

    /// Ends the effect of [`Handle::cancel`].
    pub(crate) fn allow(&self) {
        self.meter.cancelled.store(false, Relaxed);
    }

    /// Whether the work was cancelled.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.meter.cancelled.load(Relaxed)
    }

    /// Pages in the write-ahead log after the last commit of this connection.
    pub(crate) fn wal_pages(&self) -> i32 {
        self.meter.wal_pages.load(Relaxed)
    }

    /// Lets the next statement run for this many ticks.
    pub(crate) fn arm(&self, ticks: i64) {
        self.meter.ticks.store(ticks, Relaxed);
    }

    /// Ticks that are left; zero or less when the statement was stopped for it.
    pub(crate) fn ticks_left(&self) -> i64 {
        self.meter.ticks.load(Relaxed)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: `db` came from `sqlite3_open_v2` and is closed only here. The hooks that point
        // into `self` cannot run any more afterwards: no statement is left.
        unsafe { ffi::sqlite3_close_v2(self.db.as_ptr()) };
    }
}

extern "C" fn on_tick(meter: *mut c_void) -> c_int {
    // SAFETY: registered in `Raw::open` with the meter of the handle, which outlives the
    // connection's statements.
    let meter = unsafe { &*meter.cast::<Meter>() };
    let left = meter.ticks.load(Relaxed) - 1;
    meter.ticks.store(left, Relaxed);
    c_int::from(left <= 0 || meter.cancelled.load(Relaxed))
}

unsafe extern "C" fn on_commit(
    meter: *mut c_void,
    _: *mut ffi::sqlite3,
    _: *const c_char,
    pages: c_int,
) -> c_int {
    // SAFETY: as in `on_tick`.
    let meter = unsafe { &*meter.cast::<Meter>() };
    meter.wal_pages.store(pages, Relaxed);
    ffi::SQLITE_OK
}

/// How to open a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Only read.
    ReadOnly,
    /// Read and write a file that exists.
    ReadWrite,
    /// Read and write, and make the file if it is missing.
    Create,
}

/// One connection. It can move between threads but not be shared.
#[derive(Debug)]
pub(crate) struct Raw {
    handle: Arc<Handle>,
    _one_thread: PhantomData<std::cell::Cell<()>>,
}

impl Raw {
    /// Opens a file, or a private database in memory for `:memory:`.
    pub(crate) fn open(path: &str, access: Access) -> Result<Raw, Failure> {
        initialise().map_err(|message| Failure {
            code: ffi::SQLITE_MISUSE,
            message,
        })?;
        let path = CString::new(path).map_err(|_| Failure {
            code: ffi::SQLITE_CANTOPEN,
            message: "the path contains a NUL character".to_owned(),
        })?;
        let access = match access {
            Access::ReadOnly => ffi::SQLITE_OPEN_READONLY,
            Access::ReadWrite => ffi::SQLITE_OPEN_READWRITE,
            Access::Create => ffi::SQLITE_OPEN_READWRITE | ffi::SQLITE_OPEN_CREATE,
        };
        let flags = access | ffi::SQLITE_OPEN_NOMUTEX | ffi::SQLITE_OPEN_EXRESCODE;
        let mut db = null_mut();
        // SAFETY: the path is NUL-terminated and lives through the call; `db` is a valid place.
        let code = unsafe { ffi::sqlite3_open_v2(path.as_ptr(), &mut db, flags, null()) };
        let Some(db) = NonNull::new(db) else {
            return Err(Failure {
                code: ffi::SQLITE_NOMEM,
                message: "out of memory".to_owned(),
            });
        };
        let meter = Meter {
            ticks: AtomicI64::new(i64::MAX),
            cancelled: AtomicBool::new(false),
            wal_pages: AtomicI32::new(0),
        };
        // A connection that failed to open must be closed too: the handle does that.
        let raw = Raw {
            handle: Arc::new(Handle { db, meter }),
            _one_thread: PhantomData,
        };
        if code != ffi::SQLITE_OK {
            return Err(raw.failure(code));
        }
        raw.harden();
        Ok(raw)
    }

    /// Registers the progress handler, and turns off what untrusted text must not reach.
    fn harden(&self) {
        let db = self.db();
        let meter = (&raw const self.handle.meter).cast_mut().cast::<c_void>();
        let off: c_int = 0;
        // SAFETY: `db` is open; the meter has a fixed address in the `Arc` and outlives every
        // statement; the options given take an int and a pointer that may be null.
        unsafe {
            ffi::sqlite3_progress_handler(db, TICK, Some(on_tick), meter);
            for option in [
                ffi::SQLITE_DBCONFIG_DQS_DML,
                ffi::SQLITE_DBCONFIG_DQS_DDL,
                ffi::SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION,
            ] {
                ffi::sqlite3_db_config(db, option, off, null_mut::<c_int>());
            }
            // Plans must not depend on bound values: SQLite would otherwise prepare a kept
            // statement again whenever a value that it peeked at (such as a LIMIT) is bound.
            let (option, on) = (ffi::SQLITE_DBCONFIG_ENABLE_QPSG, 1 as c_int);
            ffi::sqlite3_db_config(db, option, on, null_mut::<c_int>());
        }
    }

    /// Counts the pages of the write-ahead log at each commit, instead of checkpointing there.
    pub(crate) fn count_wal_pages(&self) {
        let meter = (&raw const self.handle.meter).cast_mut().cast::<c_void>();
        // SAFETY: as in `harden`.
        unsafe { ffi::sqlite3_wal_hook(self.db(), Some(on_commit), meter) };
    }

    /// Makes a function available to SQL.
    pub(crate) fn register(&self, function: &'static Function) -> Result<(), Failure> {
        let flags = ffi::SQLITE_UTF8 | ffi::SQLITE_DETERMINISTIC | ffi::SQLITE_INNOCUOUS;
        let data = (&raw const *function).cast_mut().cast::<c_void>();
        // SAFETY: name and data are static; `call_function` reads the data as a `Function`.
        let code = unsafe {
            ffi::sqlite3_create_function_v2(
                self.db(),
                function.name.as_ptr(),
                2,
                flags,
                data,
                Some(call_function),
                None,
                None,
                None,
            )
        };
        self.check(code)
    }

    /// The part that other threads may use.
    pub(crate) fn handle(&self) -> &Arc<Handle> {
        &self.handle
    }

    fn db(&self) -> *mut ffi::sqlite3 {
        self.handle.db.as_ptr()
    }

    fn check(&self, code: i32) -> Result<(), Failure> {
        match code {
            ffi::SQLITE_OK => Ok(()),
            code => Err(self.failure(code)),
        }
    }

    /// The report of the call that just failed with `code`.
    pub(crate) fn failure(&self, code: i32) -> Failure {
        // SAFETY: `db` is open; the message is NUL-terminated and copied before the next call.
        let message = unsafe { CStr::from_ptr(ffi::sqlite3_errmsg(self.db())) };
        Failure {
            code,
            message: message.to_string_lossy().into_owned(),
        }
    }

    /// Sets how long SQLite itself waits for a lock, blocking the thread.
    pub(crate) fn set_blocking_wait(&self, millis: i32) {
        // SAFETY: `db` is open.
        unsafe { ffi::sqlite3_busy_timeout(self.db(), millis) };
    }

    /// Whether no transaction is open.
    pub(crate) fn is_autocommit(&self) -> bool {
        // SAFETY: `db` is open.
        unsafe { ffi::sqlite3_get_autocommit(self.db()) != 0 }
    }

    /// Rows that the last insert, update or delete matched.
    pub(crate) fn changes(&self) -> u64 {
        // SAFETY: `db` is open.
        u64::try_from(unsafe { ffi::sqlite3_changes64(self.db()) }).unwrap_or(0)
    }

    /// Rows written since the connection was opened.
    pub(crate) fn total_changes(&self) -> i64 {
        // SAFETY: `db` is open.
        unsafe { ffi::sqlite3_total_changes64(self.db()) }
    }

    /// The row id of the last insert.
    pub(crate) fn last_insert_rowid(&self) -> i64 {
        // SAFETY: `db` is open.
        unsafe { ffi::sqlite3_last_insert_rowid(self.db()) }
    }

    /// Prepares the first statement of the text: none when there is only blank or a comment.
    /// The number is how many bytes of the text it took.
    pub(crate) fn prepare(
        &self,
        sql: &str,
        keep: bool,
    ) -> Result<(Option<Prepared>, usize), Failure> {
        let length = c_int::try_from(sql.len()).map_err(|_| Failure {
            code: ffi::SQLITE_TOOBIG,
            message: "the text of the statement is too long".to_owned(),
        })?;
        let flags = if keep {
            ffi::SQLITE_PREPARE_PERSISTENT
        } else {
            0
        };
        let start = sql.as_ptr().cast::<c_char>();
        let (mut statement, mut tail) = (null_mut(), start);
        // SAFETY: the text is valid for `length` bytes; both places are valid. SQLite keeps a copy.
        let code = unsafe {
            let flags = flags as c_uint;
            ffi::sqlite3_prepare_v3(self.db(), start, length, flags, &mut statement, &mut tail)
        };
        self.check(code)?;
        let used = (tail as usize)
            .saturating_sub(start as usize)
            .min(sql.len());
        let Some(statement) = NonNull::new(statement) else {
            return Ok((None, used));
        };
        // SAFETY: the statement was just made.
        let (parameters, read_only) = unsafe {
            (
                ffi::sqlite3_bind_parameter_count(statement.as_ptr()),
                ffi::sqlite3_stmt_readonly(statement.as_ptr()) != 0,
            )
        };
        let prepared = Prepared {
            statement,
            parameters: usize::try_from(parameters).unwrap_or(0),
            read_only,
            _open: Arc::clone(&self.handle),
        };
        Ok((Some(prepared), used))
    }
}

/// A prepared statement, at rest: reset and without values.
#[derive(Debug)]
pub(crate) struct Prepared {
    statement: NonNull<ffi::sqlite3_stmt>,
    parameters: usize,
    read_only: bool,
    _open: Arc<Handle>,
}

// SAFETY: a statement may be used by any thread as long as the connection is used by one at a
// time; the session keeps both behind one lock.
unsafe impl Send for Prepared {}

impl Prepared {
    /// Number of placeholders.
    pub(crate) fn parameters(&self) -> usize {
        self.parameters
    }

    /// Whether it cannot change the database.
    pub(crate) fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// Begins a run; the values given to it must live as long as the run.
    pub(crate) fn start<'v>(&mut self) -> Run<'_, 'v> {
        Run {
            statement: self.statement.as_ptr(),
            columns: 0,
            finished: false,
            _prepared: PhantomData,
            _values: PhantomData,
        }
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        // SAFETY: the statement is finalized only here, while its connection is open.
        unsafe { ffi::sqlite3_finalize(self.statement.as_ptr()) };
    }
}

/// One run of a statement. Dropping it resets the statement and forgets the values.
#[derive(Debug)]
pub(crate) struct Run<'s, 'v> {
    statement: *mut ffi::sqlite3_stmt,
    columns: c_int,
    finished: bool,
    _prepared: PhantomData<&'s mut Prepared>,
    _values: PhantomData<&'v str>,
}

impl<'v> Run<'_, 'v> {
    /// Binds NULL; positions count from 1, here and below. All give a result code.
    pub(crate) fn bind_null(&mut self, at: i32) -> i32 {
        // SAFETY: the statement is alive; SQLite checks the position.
        unsafe { ffi::sqlite3_bind_null(self.statement, at) }
    }

    /// Binds an integer.
    pub(crate) fn bind_i64(&mut self, at: i32, value: i64) -> i32 {
        // SAFETY: as in `bind_null`.
        unsafe { ffi::sqlite3_bind_int64(self.statement, at, value) }
    }

    /// Binds a double.
    pub(crate) fn bind_f64(&mut self, at: i32, value: f64) -> i32 {
        // SAFETY: as in `bind_null`.
        unsafe { ffi::sqlite3_bind_double(self.statement, at, value) }
    }

    /// Binds text, without copying it.
    pub(crate) fn bind_text(&mut self, at: i32, value: &'v str) -> i32 {
        let (start, length) = (value.as_ptr().cast(), value.len() as u64);
        let encoding = ffi::SQLITE_UTF8 as u8;
        // SAFETY: no destructor means that SQLite reads the text in place; it lives for `'v`, and
        // no step happens after this run, which clears the bindings (a later run does so first).
        unsafe { ffi::sqlite3_bind_text64(self.statement, at, start, length, None, encoding) }
    }

    /// Binds bytes, without copying them.
    pub(crate) fn bind_bytes(&mut self, at: i32, value: &'v [u8]) -> i32 {
        let (start, length) = (value.as_ptr().cast(), value.len() as u64);
        // SAFETY: as in `bind_text`.
        unsafe { ffi::sqlite3_bind_blob64(self.statement, at, start, length, None) }
    }

    /// Steps: [`ROW`], [`DONE`] or an error. After the end or an error it stays [`DONE`].
    #[inline]
    pub(crate) fn step(&mut self) -> i32 {
        if self.finished {
            return DONE;
        }
        // SAFETY: the statement is alive, and cells of the last row cannot be borrowed any more.
        let code = unsafe { ffi::sqlite3_step(self.statement) };
        self.finished = code != ROW;
        if self.columns == 0 && code == ROW {
            // SAFETY: as above. A statement that returns rows has at least one column.
            self.columns = unsafe { ffi::sqlite3_data_count(self.statement) };
        }
        code
    }

    /// Columns of the current row.
    pub(crate) fn columns(&self) -> usize {
        usize::try_from(self.columns).unwrap_or(0)
    }

    /// Name of a column.
    pub(crate) fn name(&self, index: usize) -> &str {
        let Some(index) = self.position(index) else {
            return "";
        };
        // SAFETY: the name is NUL-terminated and stays until the statement is stepped again or
        // finalized, both of which need this run.
        unsafe {
            let name = ffi::sqlite3_column_name(self.statement, index);
            if name.is_null() {
                return "";
            }
            CStr::from_ptr(name).to_str().unwrap_or("")
        }
    }

    fn position(&self, index: usize) -> Option<c_int> {
        c_int::try_from(index).ok().filter(|at| *at < self.columns)
    }

    /// The cell of a column; the error says what is wrong with it.
    #[inline]
    pub(crate) fn cell(&self, index: usize) -> Result<Cell<'_>, &'static str> {
        let at = self.position(index).ok_or("there is no such column")?;
        let row = self.statement;
        // SAFETY: a row is current (`columns` is set only then) and the position is in range. The
        // value is SQLite's own and not protected against other threads, which cannot reach it:
        // the connection belongs to this one, and the value is not used after this call. Text and
        // bytes stay in place until the next step: a cell is always read as the type it has, so no
        // later call converts it.
        unsafe {
            let value = ffi::sqlite3_column_value(row, at);
            Ok(match ffi::sqlite3_value_type(value) {
                ffi::SQLITE_INTEGER => Cell::I64(ffi::sqlite3_value_int64(value)),
                ffi::SQLITE_FLOAT => Cell::F64(ffi::sqlite3_value_double(value)),
                ffi::SQLITE_TEXT => {
                    let start = ffi::sqlite3_value_text(value);
                    let bytes = slice(start, ffi::sqlite3_value_bytes(value));
                    let text = std::str::from_utf8(bytes);
                    Cell::Text(text.map_err(|_| "the stored text is not valid UTF-8")?)
                }
                ffi::SQLITE_BLOB => {
                    let start = ffi::sqlite3_value_blob(value).cast();
                    Cell::Bytes(slice(start, ffi::sqlite3_value_bytes(value)))
                }
                _ => Cell::Null,
            })
        }
    }
}

impl Drop for Run<'_, '_> {
    fn drop(&mut self) {
        // SAFETY: the statement is alive. Both calls are fine in any state.
        unsafe {
            ffi::sqlite3_reset(self.statement);
            ffi::sqlite3_clear_bindings(self.statement);
        }
    }
}

/// Memory of SQLite as a slice; null is empty.
///
/// # Safety
/// `start` is null or valid for `length` bytes for as long as the result is used.
unsafe fn slice<'a>(start: *const u8, length: c_int) -> &'a [u8] {
    if start.is_null() {
        return &[];
    }
    // SAFETY: promised by the caller.
    unsafe { std::slice::from_raw_parts(start, usize::try_from(length).unwrap_or(0)) }
}

unsafe extern "C" fn call_function(
    context: *mut ffi::sqlite3_context,
    _: c_int,
    arguments: *mut *mut ffi::sqlite3_value,
) {
    // SAFETY: SQLite gives two arguments (registered so) that live through the call, and the
    // static `Function` given to `Raw::register`. The panic of a function does not cross into C.
    unsafe {
        let function = &*ffi::sqlite3_user_data(context).cast::<Function>();
        let (left, right) = (*arguments, *arguments.add(1));
        let result = match (text(left), text(right)) {
            (Ok(Some(left)), Ok(Some(right))) => {
                let call = AssertUnwindSafe(|| (function.call)(left, right));
                let result = std::panic::catch_unwind(call);
                result.unwrap_or_else(|_| Err("the function panicked".to_owned()))
            }
            (Err(message), _) | (_, Err(message)) => Err(message.to_owned()),
            _ => Ok(None),
        };
        match result {
            Ok(Some(number)) => ffi::sqlite3_result_int64(context, number),
            Ok(None) => ffi::sqlite3_result_null(context),
            Err(message) => {
                let length = c_int::try_from(message.len()).unwrap_or(0);
                ffi::sqlite3_result_error(context, message.as_ptr().cast(), length);
            }
        }
    }
}

/// An argument as text; `None` for NULL.
///
/// # Safety
/// `value` is an argument of the running function call.
unsafe fn text<'a>(value: *mut ffi::sqlite3_value) -> Result<Option<&'a str>, &'static str> {
    // SAFETY: promised by the caller; the text is read before its length, as SQLite asks.
    unsafe {
        if ffi::sqlite3_value_type(value) == ffi::SQLITE_NULL {
            return Ok(None);
        }
        let start = ffi::sqlite3_value_text(value);
        let bytes = slice(start, ffi::sqlite3_value_bytes(value));
        let text = std::str::from_utf8(bytes);
        text.map(Some).map_err(|_| "an argument is not valid UTF-8")
    }
}
