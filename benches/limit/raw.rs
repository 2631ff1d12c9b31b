//! SQLite's C library called directly, with statements prepared once: the base line.

use super::{Item, Post, User};
use chrono::{DateTime, Utc};
use libsql::ffi;
use std::{ffi::CString, path::Path, ptr};

/// A connection and its prepared statements.
pub(crate) struct Raw {
    db: *mut ffi::sqlite3,
    begin: *mut ffi::sqlite3_stmt,
    commit: *mut ffi::sqlite3_stmt,
    insert: *mut ffi::sqlite3_stmt,
    get: *mut ffi::sqlite3_stmt,
    select: *mut ffi::sqlite3_stmt,
    update: *mut ffi::sqlite3_stmt,
    delete: *mut ffi::sqlite3_stmt,
    insert_user: *mut ffi::sqlite3_stmt,
    insert_post: *mut ffi::sqlite3_stmt,
    users: *mut ffi::sqlite3_stmt,
    posts: *mut ffi::sqlite3_stmt,
}

// SAFETY: a `Raw` is moved to one thread and used there only.
unsafe impl Send for Raw {}

const SCHEMA: &str = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;
CREATE TABLE IF NOT EXISTS items (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, level INTEGER NOT NULL,
  score REAL NOT NULL, active INTEGER NOT NULL, created_at TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS posts (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL,
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE) STRICT;
CREATE INDEX IF NOT EXISTS posts_user ON posts (user_id);";

const COLUMNS: &str = "id, name, level, score, active, created_at";

impl Raw {
    pub(crate) fn open(path: &Path) -> Raw {
        let path = CString::new(path.to_str().expect("UTF-8 path")).expect("no NUL");
        let mut db = ptr::null_mut();
        let flags = ffi::SQLITE_OPEN_READWRITE | ffi::SQLITE_OPEN_CREATE | ffi::SQLITE_OPEN_NOMUTEX;
        // SAFETY: the path is a C string, the out pointer is valid, and SQLite was initialised by
        // the connections opened before.
        let code = unsafe { ffi::sqlite3_open_v2(path.as_ptr(), &mut db, flags, ptr::null()) };
        assert_eq!(code, ffi::SQLITE_OK);
        let schema = CString::new(SCHEMA).expect("no NUL");
        // SAFETY: the connection is open and the text a C string.
        let code = unsafe {
            ffi::sqlite3_exec(db, schema.as_ptr(), None, ptr::null_mut(), ptr::null_mut())
        };
        assert_eq!(code, ffi::SQLITE_OK);
        let prepare = |sql: &str| {
            let sql = CString::new(sql).expect("no NUL");
            let mut statement = ptr::null_mut();
            // SAFETY: the connection is open and the text a C string.
            let code = unsafe {
                ffi::sqlite3_prepare_v2(db, sql.as_ptr(), -1, &mut statement, ptr::null_mut())
            };
            assert_eq!(code, ffi::SQLITE_OK);
            statement
        };
        Raw {
            db,
            begin: prepare("BEGIN IMMEDIATE"),
            commit: prepare("COMMIT"),
            insert: prepare(
                "INSERT INTO items (name, level, score, active, created_at) VALUES (?, ?, ?, ?, ?)",
            ),
            get: prepare(&format!("SELECT {COLUMNS} FROM items WHERE id = ? LIMIT 2")),
            select: prepare(&format!("SELECT {COLUMNS} FROM items WHERE id <= ?")),
            update: prepare(
                "UPDATE items SET name = ?, level = ?, score = ?, active = ?, created_at = ? WHERE id = ?",
            ),
            delete: prepare("DELETE FROM items WHERE id = ?"),
            insert_user: prepare("INSERT INTO users (id, name) VALUES (?, ?)"),
            insert_post: prepare("INSERT INTO posts (id, title, user_id) VALUES (?, ?, ?)"),
            users: prepare("SELECT id, name FROM users"),
            posts: prepare(
                "SELECT id, title, user_id FROM posts WHERE user_id IN (SELECT id FROM users)",
            ),
        }
    }

    fn run(&self, statement: *mut ffi::sqlite3_stmt) {
        // SAFETY: the statement is prepared and belongs to this connection.
        let code = unsafe { ffi::sqlite3_step(statement) };
        assert_eq!(code, ffi::SQLITE_DONE);
        // SAFETY: as above.
        unsafe { ffi::sqlite3_reset(statement) };
    }

    pub(crate) fn begin(&self) {
        self.run(self.begin);
    }

    pub(crate) fn commit(&self) {
        self.run(self.commit);
    }

    fn bind_item(&self, statement: *mut ffi::sqlite3_stmt, item: &Item) -> String {
        let created =
            orm_core::value::format_datetime(item.created_at).expect("a year within range");
        text(statement, 1, &item.name);
        int(statement, 2, item.level.into());
        // SAFETY: the statement is prepared and has this parameter.
        unsafe { ffi::sqlite3_bind_double(statement, 3, item.score) };
        int(statement, 4, item.active.into());
        text(statement, 5, &created);
        created
    }

    pub(crate) fn insert(&self, item: &Item) -> i64 {
        let _bound = self.bind_item(self.insert, item);
        self.run(self.insert);
        // SAFETY: the connection is open.
        unsafe { ffi::sqlite3_last_insert_rowid(self.db) }
    }

    pub(crate) fn update(&self, item: &Item) {
        let _bound = self.bind_item(self.update, item);
        int(self.update, 6, item.id);
        self.run(self.update);
    }

    pub(crate) fn delete(&self, id: i64) {
        int(self.delete, 1, id);
        self.run(self.delete);
    }

    pub(crate) fn insert_user(&self, id: i64, name: &str) {
        int(self.insert_user, 1, id);
        text(self.insert_user, 2, name);
        self.run(self.insert_user);
    }

    pub(crate) fn insert_post(&self, id: i64, title: &str, user: i64) {
        int(self.insert_post, 1, id);
        text(self.insert_post, 2, title);
        int(self.insert_post, 3, user);
        self.run(self.insert_post);
    }

    pub(crate) fn get(&self, id: i64) -> Option<Item> {
        int(self.get, 1, id);
        rows(self.get, read_item).pop()
    }

    pub(crate) fn select(&self, most: i64) -> Vec<Item> {
        int(self.select, 1, most);
        rows(self.select, read_item)
    }

    pub(crate) fn users_with_posts(&self) -> Vec<(User, Vec<Post>)> {
        let users = rows(self.users, |s| User {
            id: get_int(s, 0),
            name: get_text(s, 1),
            ..User::default()
        });
        let posts = rows(self.posts, |s| {
            let user = fast_django::orm::ForeignKey::from_key(get_int(s, 2));
            Post {
                id: get_int(s, 0),
                title: get_text(s, 1),
                user,
            }
        });
        let mut groups: std::collections::HashMap<i64, Vec<Post>> =
            std::collections::HashMap::new();
        for post in posts {
            groups.entry(post.user.id()).or_default().push(post);
        }
        users
            .into_iter()
            .map(|user| (groups.remove(&user.id).unwrap_or_default(), user))
            .map(|(p, u)| (u, p))
            .collect()
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        for statement in [
            self.begin,
            self.commit,
            self.insert,
            self.get,
            self.select,
            self.update,
            self.delete,
            self.insert_user,
            self.insert_post,
            self.users,
            self.posts,
        ] {
            // SAFETY: prepared by this connection, finalised once.
            unsafe { ffi::sqlite3_finalize(statement) };
        }
        // SAFETY: all statements are finalised.
        unsafe { ffi::sqlite3_close(self.db) };
    }
}

fn int(statement: *mut ffi::sqlite3_stmt, at: i32, value: i64) {
    // SAFETY: the statement is prepared and reset.
    unsafe { ffi::sqlite3_bind_int64(statement, at, value) };
}

fn text(statement: *mut ffi::sqlite3_stmt, at: i32, value: &str) {
    let length = i32::try_from(value.len()).expect("short text");
    // SAFETY: the caller keeps the text alive until the statement was run.
    unsafe { ffi::sqlite3_bind_text(statement, at, value.as_ptr().cast(), length, None) };
}

fn get_int(statement: *mut ffi::sqlite3_stmt, at: i32) -> i64 {
    // SAFETY: the statement stands on a row.
    unsafe { ffi::sqlite3_column_int64(statement, at) }
}

fn with_text<T>(statement: *mut ffi::sqlite3_stmt, at: i32, read: impl FnOnce(&str) -> T) -> T {
    // SAFETY: the statement stands on a row; the text is valid until the next step.
    let bytes = unsafe {
        let start = ffi::sqlite3_column_text(statement, at);
        let length = usize::try_from(ffi::sqlite3_column_bytes(statement, at)).expect("a length");
        std::slice::from_raw_parts(start.cast::<u8>(), length)
    };
    read(std::str::from_utf8(bytes).expect("UTF-8"))
}

fn get_text(statement: *mut ffi::sqlite3_stmt, at: i32) -> String {
    with_text(statement, at, str::to_owned)
}

fn read_item(statement: *mut ffi::sqlite3_stmt) -> Item {
    let created_at: DateTime<Utc> = with_text(statement, 5, |text| {
        orm_core::value::parse_datetime(text).expect("a date-time")
    });
    Item {
        id: get_int(statement, 0),
        name: get_text(statement, 1),
        level: i32::try_from(get_int(statement, 2)).expect("an i32"),
        // SAFETY: the statement stands on a row.
        score: unsafe { ffi::sqlite3_column_double(statement, 3) },
        active: get_int(statement, 4) != 0,
        created_at,
    }
}

fn rows<T>(
    statement: *mut ffi::sqlite3_stmt,
    read: impl Fn(*mut ffi::sqlite3_stmt) -> T,
) -> Vec<T> {
    let mut rows = Vec::new();
    // SAFETY: the statement is prepared and belongs to one thread.
    while unsafe { ffi::sqlite3_step(statement) } == ffi::SQLITE_ROW {
        rows.push(read(statement));
    }
    // SAFETY: as above.
    unsafe { ffi::sqlite3_reset(statement) };
    rows
}
