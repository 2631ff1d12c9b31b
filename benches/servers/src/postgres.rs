//! PostgreSQL through its raw driver.

use crate::{Item, Post, Raw, User};
use chrono::{DateTime, Utc};
use fast_django::orm::ForeignKey;
use std::collections::HashMap;
use tokio_postgres::{Client, NoTls, Row, Statement};

/// A connection and its prepared statements.
pub(crate) struct Postgres {
    client: Client,
    insert: Statement,
    bulk: Statement,
    bulk_keys: Statement,
    select: Statement,
    get: Statement,
    update: Statement,
    update_level: Statement,
    delete: Statement,
    users: Statement,
    posts: Statement,
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .expect("the server answers");
    tokio::spawn(connection);
    client
}

/// A new database on the server of this URL.
pub(crate) async fn fresh_database(url: &str) -> String {
    let admin = connect(url).await;
    let name = "fd_bench";
    for sql in [
        format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
        format!("CREATE DATABASE {name}"),
    ] {
        admin
            .batch_execute(&sql)
            .await
            .expect("the user may create databases");
    }
    let (server, _) = url.rsplit_once('/').expect("a URL with a database");
    format!("{server}/{name}")
}

const COLUMNS: &str = "name, level, score, active, created_at";

fn item(row: &Row) -> Item {
    Item {
        id: row.get(0),
        name: row.get(1),
        level: row.get(2),
        score: row.get(3),
        active: row.get(4),
        created_at: row.get(5),
    }
}

impl Raw for Postgres {
    async fn open(url: &str) -> Self {
        let client = connect(url).await;
        let prepare = async |sql: String| client.prepare(&sql).await.expect("valid SQL");
        let unnest = format!(
            "INSERT INTO items ({COLUMNS}) SELECT * FROM unnest($1::text[], $2::int4[], \
             $3::float8[], $4::bool[], $5::timestamptz[])"
        );
        Postgres {
            insert: prepare(format!(
                "INSERT INTO items ({COLUMNS}) VALUES ($1, $2, $3, $4, $5) RETURNING id"
            ))
            .await,
            bulk_keys: prepare(format!("{unnest} RETURNING id")).await,
            bulk: prepare(unnest).await,
            select: prepare(format!("SELECT id, {COLUMNS} FROM items WHERE id <= $1")).await,
            get: prepare(format!("SELECT id, {COLUMNS} FROM items WHERE id = $1")).await,
            update: prepare(
                "UPDATE items SET name = $1, level = $2, score = $3, active = $4, \
                 created_at = $5 WHERE id = $6"
                    .to_owned(),
            )
            .await,
            update_level: prepare("UPDATE items SET level = $1 WHERE id = $2".to_owned()).await,
            delete: prepare("DELETE FROM items WHERE id = $1".to_owned()).await,
            users: prepare("SELECT id, name FROM users".to_owned()).await,
            posts: prepare(
                "SELECT id, title, user_id FROM posts WHERE user_id = ANY($1)".to_owned(),
            )
            .await,
            client,
        }
    }

    async fn insert(&self, item: &Item) -> i64 {
        let Item {
            name,
            level,
            score,
            active,
            created_at,
            ..
        } = item;
        let row = self
            .client
            .query_one(&self.insert, &[name, level, score, active, created_at])
            .await;
        row.expect("inserts").get(0)
    }

    async fn begin(&self) {
        self.client.batch_execute("BEGIN").await.expect("begins");
    }

    async fn commit(&self) {
        self.client.batch_execute("COMMIT").await.expect("commits");
    }

    async fn bulk(&self, items: &[Item], keys: bool) -> Vec<i64> {
        let names: Vec<&str> = items.iter().map(|item| item.name.as_str()).collect();
        let levels: Vec<i32> = items.iter().map(|item| item.level).collect();
        let scores: Vec<f64> = items.iter().map(|item| item.score).collect();
        let active: Vec<bool> = items.iter().map(|item| item.active).collect();
        let times: Vec<DateTime<Utc>> = items.iter().map(|item| item.created_at).collect();
        let statement = if keys { &self.bulk_keys } else { &self.bulk };
        let rows = self
            .client
            .query(statement, &[&names, &levels, &scores, &active, &times])
            .await
            .expect("inserts");
        rows.iter().map(|row| row.get(0)).collect()
    }

    async fn select(&self, most: i64) -> Vec<Item> {
        let rows = self.client.query(&self.select, &[&most]).await;
        rows.expect("selects").iter().map(item).collect()
    }

    async fn get(&self, id: i64) -> Item {
        let row = self.client.query_one(&self.get, &[&id]).await;
        item(&row.expect("is there"))
    }

    async fn update(&self, item: &Item) {
        let Item {
            id,
            name,
            level,
            score,
            active,
            created_at,
        } = item;
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 6] =
            [name, level, score, active, created_at, id];
        let done = self.client.execute(&self.update, &values).await;
        assert_eq!(done.expect("updates"), 1);
    }

    async fn update_level(&self, id: i64, level: i32) {
        let done = self
            .client
            .execute(&self.update_level, &[&level, &id])
            .await;
        assert_eq!(done.expect("updates"), 1);
    }

    async fn delete(&self, id: i64) {
        let done = self.client.execute(&self.delete, &[&id]).await;
        assert_eq!(done.expect("deletes"), 1);
    }

    async fn users_with_posts(&self) -> Vec<User> {
        let rows = self.client.query(&self.users, &[]).await.expect("selects");
        let users: Vec<User> = rows
            .iter()
            .map(|row| User {
                id: row.get(0),
                name: row.get(1),
                ..User::default()
            })
            .collect();
        let keys: Vec<i64> = users.iter().map(|user| user.id).collect();
        let rows = self
            .client
            .query(&self.posts, &[&keys])
            .await
            .expect("selects");
        let mut posts: HashMap<i64, Vec<Post>> = HashMap::new();
        for row in &rows {
            let user: i64 = row.get(2);
            posts.entry(user).or_default().push(Post {
                id: row.get(0),
                title: row.get(1),
                user: ForeignKey::from_key(user),
            });
        }
        assert_eq!(std::hint::black_box(posts).len(), users.len());
        users
    }
}
