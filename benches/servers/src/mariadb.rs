//! MariaDB through its raw driver.

use crate::{Item, Post, Raw, User};
use chrono::{DateTime, NaiveDate, Utc};
use fast_django::orm::ForeignKey;
use mysql_async::prelude::{Queryable, StatementLike};
use mysql_async::{Conn, Opts, Params, Row, Statement, Value};
use std::collections::HashMap;
use tokio::sync::Mutex;

/// A connection and its prepared statements.
pub(crate) struct MariaDb {
    conn: Mutex<Conn>,
    insert: Statement,
    bulk: Statement,
    select: Statement,
    get: Statement,
    update: Statement,
    update_level: Statement,
    delete: Statement,
    users: Statement,
    posts: Statement,
}

/// Rows of one statement; 10 000 are ten of them, in a transaction.
const ROWS_PER_INSERT: usize = 1_000;

async fn connect(url: &str) -> Conn {
    let url = url.replacen("mariadb://", "mysql://", 1);
    let opts = Opts::from_url(&url).expect("a URL of the server");
    Conn::new(opts).await.expect("the server answers")
}

/// A new database on the server of this URL.
pub(crate) async fn fresh_database(url: &str) -> String {
    let mut admin = connect(url).await;
    let name = "fd_bench";
    for sql in [
        format!("DROP DATABASE IF EXISTS {name}"),
        format!("CREATE DATABASE {name}"),
    ] {
        admin
            .query_drop(sql)
            .await
            .expect("the user may create databases");
    }
    let (server, _) = url.rsplit_once('/').expect("a URL with a database");
    format!("{server}/{name}")
}

const COLUMNS: &str = "name, level, score, active, created_at";

fn time(at: DateTime<Utc>) -> Value {
    use chrono::{Datelike, Timelike};
    let small = |number: u32| u8::try_from(number).expect("a part of a date");
    Value::Date(
        u16::try_from(at.year()).expect("a year"),
        small(at.month()),
        small(at.day()),
        small(at.hour()),
        small(at.minute()),
        small(at.second()),
        at.timestamp_subsec_micros(),
    )
}

fn values(item: &Item) -> Vec<Value> {
    vec![
        Value::from(&item.name),
        Value::from(item.level),
        Value::from(item.score),
        Value::from(item.active),
        time(item.created_at),
    ]
}

fn item(mut row: Row) -> Item {
    let at = match row.take(5).expect("a column") {
        Value::Date(year, month, day, hour, minute, second, micro) => {
            NaiveDate::from_ymd_opt(year.into(), month.into(), day.into())
                .and_then(|date| {
                    date.and_hms_micro_opt(hour.into(), minute.into(), second.into(), micro)
                })
                .expect("a date-time")
                .and_utc()
        }
        other => panic!("not a date-time: {other:?}"),
    };
    Item {
        id: row.take(0).expect("a column"),
        name: row.take(1).expect("a column"),
        level: row.take(2).expect("a column"),
        score: row.take(3).expect("a column"),
        active: row.take(4).expect("a column"),
        created_at: at,
    }
}

impl MariaDb {
    async fn rows<S: StatementLike>(&self, sql: S, values: Vec<Value>) -> Vec<Row> {
        let values = match values.is_empty() {
            true => Params::Empty,
            false => Params::Positional(values),
        };
        self.conn
            .lock()
            .await
            .exec(sql, values)
            .await
            .expect("runs")
    }

    async fn run<S: StatementLike>(&self, sql: S, values: Vec<Value>) -> (u64, Option<u64>) {
        let mut conn = self.conn.lock().await;
        let values = Params::Positional(values);
        conn.exec_drop(sql, values).await.expect("runs");
        (conn.affected_rows(), conn.last_insert_id())
    }
}

impl Raw for MariaDb {
    async fn open(url: &str) -> Self {
        let mut conn = connect(url).await;
        let mut prepare = async |sql: String| conn.prep(sql).await.expect("valid SQL");
        let insert = format!("INSERT INTO items ({COLUMNS}) VALUES (?, ?, ?, ?, ?)");
        let many = insert.clone() + &", (?, ?, ?, ?, ?)".repeat(ROWS_PER_INSERT - 1);
        let keys = vec!["?"; 100].join(", ");
        let insert = prepare(insert).await;
        let bulk = prepare(many).await;
        let select = prepare(format!("SELECT id, {COLUMNS} FROM items WHERE id <= ?")).await;
        let get = prepare(format!("SELECT id, {COLUMNS} FROM items WHERE id = ?")).await;
        let update = "UPDATE items SET name = ?, level = ?, score = ?, active = ?, \
                      created_at = ? WHERE id = ?";
        let update = prepare(update.to_owned()).await;
        let update_level = prepare("UPDATE items SET level = ? WHERE id = ?".to_owned()).await;
        let delete = prepare("DELETE FROM items WHERE id = ?".to_owned()).await;
        let users = prepare("SELECT id, name FROM users".to_owned()).await;
        let posts = "SELECT id, title, user_id FROM posts WHERE user_id IN";
        let posts = prepare(format!("{posts} ({keys})")).await;
        MariaDb {
            conn: Mutex::new(conn),
            insert,
            bulk,
            select,
            get,
            update,
            update_level,
            delete,
            users,
            posts,
        }
    }

    async fn insert(&self, item: &Item) -> i64 {
        let (_, key) = self.run(&self.insert, values(item)).await;
        i64::try_from(key.expect("a key")).expect("a small key")
    }

    async fn begin(&self) {
        self.conn
            .lock()
            .await
            .query_drop("BEGIN")
            .await
            .expect("begins");
    }

    async fn commit(&self) {
        self.conn
            .lock()
            .await
            .query_drop("COMMIT")
            .await
            .expect("commits");
    }

    async fn bulk(&self, items: &[Item], _: bool) -> Vec<i64> {
        let mut keys = Vec::with_capacity(items.len());
        self.begin().await;
        for chunk in items.chunks(ROWS_PER_INSERT) {
            let values = chunk.iter().flat_map(values).collect();
            let (count, first) = self.run(&self.bulk, values).await;
            let first = first.expect("a key");
            keys.extend((first..first + count).map(|key| key as i64));
        }
        self.commit().await;
        keys
    }

    async fn select(&self, most: i64) -> Vec<Item> {
        let rows = self.rows(&self.select, vec![most.into()]).await;
        rows.into_iter().map(item).collect()
    }

    async fn get(&self, id: i64) -> Item {
        let mut rows = self.rows(&self.get, vec![id.into()]).await;
        item(rows.pop().expect("is there"))
    }

    async fn update(&self, item: &Item) {
        let mut values = values(item);
        values.push(item.id.into());
        self.run(&self.update, values).await;
    }

    async fn update_level(&self, id: i64, level: i32) {
        self.run(&self.update_level, vec![level.into(), id.into()])
            .await;
    }

    async fn delete(&self, id: i64) {
        let (count, _) = self.run(&self.delete, vec![id.into()]).await;
        assert_eq!(count, 1);
    }

    async fn users_with_posts(&self) -> Vec<User> {
        let rows = self.rows(&self.users, Vec::new()).await;
        let users: Vec<User> = rows
            .into_iter()
            .map(|mut row| User {
                id: row.take(0).expect("a column"),
                name: row.take(1).expect("a column"),
                ..User::default()
            })
            .collect();
        let keys = users.iter().map(|user| user.id.into()).collect();
        let rows = self.rows(&self.posts, keys).await;
        let mut posts: HashMap<i64, Vec<Post>> = HashMap::new();
        for mut row in rows {
            let user: i64 = row.take(2).expect("a column");
            posts.entry(user).or_default().push(Post {
                id: row.take(0).expect("a column"),
                title: row.take(1).expect("a column"),
                user: ForeignKey::from_key(user),
            });
        }
        assert_eq!(std::hint::black_box(posts).len(), users.len());
        users
    }
}
