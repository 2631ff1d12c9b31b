//! Workloads on PostgreSQL and MariaDB, as the share of the raw driver with prepared statements.
//! Run with `cargo xtask bench servers`; letters choose workloads. It starts servers that do not
//! wait for the disk.
//!
//! Both sides talk to one server and run in turn, many short rounds; the share is the median over
//! the rounds of the time of the raw driver divided by ours.

#![allow(missing_docs, reason = "a benchmark has no API")]

mod mariadb;
mod postgres;

use fast_django::orm::prelude::*;
use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

#[derive(Model, Clone, Debug, Default, PartialEq)]
#[model(table = "items")]
pub struct Item {
    #[field(pk)]
    pub id: i64,
    #[field(max_length = 50)]
    pub name: String,
    pub level: i32,
    pub score: f64,
    pub active: bool,
    pub created_at: DateTime<Utc>,
}

#[derive(Model, Clone, Debug, Default)]
#[model(table = "users")]
pub struct User {
    #[field(pk)]
    pub id: i64,
    #[field(max_length = 50)]
    pub name: String,
    pub posts: HasMany<Post>,
}

#[derive(Model, Clone, Debug, Default)]
#[model(table = "posts")]
pub struct Post {
    #[field(pk)]
    pub id: i64,
    #[field(max_length = 100)]
    pub title: String,
    #[field(related_name = "posts")]
    pub user: ForeignKey<User>,
}

const ROWS: i64 = 10_000;

fn item(i: i64) -> Item {
    Item {
        id: 0,
        name: format!("item number {i}"),
        level: i32::try_from(i % 100).unwrap_or(0),
        score: i as f64 / 7.0,
        active: i % 2 == 0,
        created_at: DateTime::from_timestamp(1_700_000_000 + i, 123_456_000).unwrap_or_default(),
    }
}

/// The same workloads on the raw driver: one connection, statements prepared once.
pub(crate) trait Raw: Send + Sync + Sized + 'static {
    async fn open(url: &str) -> Self;
    async fn insert(&self, item: &Item) -> i64;
    async fn begin(&self);
    async fn commit(&self);
    /// Many rows with one statement where the driver can; with or without their keys.
    async fn bulk(&self, items: &[Item], keys: bool) -> Vec<i64>;
    async fn select(&self, most: i64) -> Vec<Item>;
    fn get(&self, id: i64) -> impl Future<Output = Item> + Send;
    async fn update(&self, item: &Item);
    async fn update_level(&self, id: i64, level: i32);
    async fn delete(&self, id: i64);
    async fn users_with_posts(&self) -> Vec<User>;
}

/// The least share that each workload must reach.
struct Lines {
    a: f64,
    b: f64,
    c: f64,
    d: f64,
    f: f64,
    h: f64,
    i: f64,
    j: f64,
    k: f64,
    n: f64,
    /// Where rows can be written without their keys in a faster way.
    c_without_keys: Option<f64>,
}

const POSTGRES: Lines = Lines {
    a: 0.90,
    b: 0.95,
    c: 0.95,
    d: 0.90,
    f: 0.95,
    h: 0.90,
    i: 0.90,
    j: 0.95,
    k: 0.95,
    n: 0.95,
    c_without_keys: Some(1.80),
};

const MARIADB: Lines = Lines {
    b: 0.90,
    c: 0.90,
    c_without_keys: None,
    ..POSTGRES
};

fn main() -> Result<()> {
    run_async(async {
        let mut ran = false;
        for (variable, what) in [
            ("FD_TEST_POSTGRES_URL", "PostgreSQL"),
            ("FD_TEST_MARIADB_URL", "MariaDB"),
        ] {
            let Ok(url) = std::env::var(variable) else {
                continue;
            };
            ran = true;
            println!("\n{what}: share of the raw driver (1.00 = as fast), median of the rounds");
            println!(
                "{:<44} {:>9} {:>9} {:>6} {:>6}",
                "workload", "raw", "ours", "share", "line"
            );
            match what {
                "PostgreSQL" => {
                    let url = postgres::fresh_database(&url).await;
                    workloads::<postgres::Postgres>(&url, &POSTGRES).await?;
                }
                _ => {
                    let url = mariadb::fresh_database(&url).await;
                    workloads::<mariadb::MariaDb>(&url, &MARIADB).await?;
                }
            }
        }
        match ran {
            true => Ok(()),
            false => Err(Error::configuration(
                "no server: run `cargo xtask bench servers`, which starts them, or set \
                 FD_TEST_POSTGRES_URL or FD_TEST_MARIADB_URL",
            )),
        }
    })
}

/// Whether the arguments ask for this workload; without letters, all are run.
fn wanted(name: &str) -> bool {
    let letters: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    let letter = name.split(' ').next();
    letters.is_empty() || letters.iter().any(|asked| letter == Some(asked))
}

/// Times of both sides, round by round.
#[derive(Default)]
struct Times {
    raw: Vec<Duration>,
    ours: Vec<Duration>,
}

impl Times {
    fn report(mut self, name: &str, line: f64, per_round: usize) {
        let pairs = self.raw.iter().zip(&self.ours);
        let mut shares: Vec<f64> = pairs
            .map(|(raw, ours)| raw.as_secs_f64() / ours.as_secs_f64())
            .collect();
        shares.sort_by(f64::total_cmp);
        self.raw.sort();
        self.ours.sort();
        let each =
            |times: &[Duration]| times[times.len() / 2].as_secs_f64() * 1e6 / per_round as f64;
        println!(
            "{name:<44} {:>7.1}us {:>7.1}us {:>6.2} {line:>6.2}",
            each(&self.raw),
            each(&self.ours),
            shares[shares.len() / 2]
        );
    }
}

/// Runs both sides in turn, with a first round that does not count.
async fn compare(
    name: &str,
    line: f64,
    rounds: usize,
    per_round: usize,
    mut raw: impl AsyncFnMut(i64),
    mut ours: impl AsyncFnMut(i64) -> Result<()>,
) -> Result<()> {
    if !wanted(name) {
        return Ok(());
    }
    let mut times = Times::default();
    for round in 0..=rounds {
        let first = (round * per_round) as i64;
        let numbers = first..first + per_round as i64;
        let begun = Instant::now();
        for i in numbers.clone() {
            raw(i).await;
        }
        let raw_time = begun.elapsed();
        let begun = Instant::now();
        for i in numbers {
            ours(i).await?;
        }
        if round > 0 {
            times.ours.push(begun.elapsed());
            times.raw.push(raw_time);
        }
    }
    times.report(name, line, per_round);
    Ok(())
}

async fn workloads<R: Raw>(url: &str, lines: &Lines) -> Result<()> {
    let config = Config::new(url).models(models![Item, User, Post]);
    Tortoise::init(config.generate_schemas(true)).await?;
    fill().await?;
    let raw = R::open(url).await;
    reads(&raw, lines).await?;
    writes(&raw, lines).await?;
    bulk(&raw, lines).await?;
    concurrent::<R>(url, lines).await?;
    Tortoise::close_connections().await
}

async fn fill() -> Result<()> {
    Item::bulk_create((1..=ROWS).map(item).collect()).await?;
    let users = (1..=100).map(|u| User {
        name: format!("user {u}"),
        ..User::default()
    });
    let users = User::bulk_create(users.collect()).await?;
    let posts = (0..1_000).map(|p: usize| Post {
        title: format!("post {p}"),
        user: ForeignKey::from_key(users[p % 100].id),
        ..Post::default()
    });
    Post::bulk_create(posts.collect()).await?;
    Ok(())
}

async fn reads<R: Raw>(raw: &R, lines: &Lines) -> Result<()> {
    let key = |i: i64| i * 7_919 % ROWS + 1;
    compare(
        "f  get by key",
        lines.f,
        41,
        200,
        async |i| {
            black_box(raw.get(key(i)).await);
        },
        async |i| {
            black_box(Item::get(kw!(id = key(i))).await?);
            Ok(())
        },
    )
    .await?;
    compare(
        "d  10 000 rows of 6 columns into structs",
        lines.d,
        31,
        1,
        async |_| {
            assert_eq!(black_box(raw.select(ROWS).await).len(), 10_000);
        },
        async |_| {
            let rows = Item::filter(kw!(id__lte = ROWS)).await?;
            assert_eq!(black_box(rows).len(), 10_000);
            Ok(())
        },
    )
    .await?;
    compare(
        "k  100 users with 10 posts each, prefetched",
        lines.k,
        41,
        5,
        async |_| {
            assert_eq!(black_box(raw.users_with_posts().await).len(), 100);
        },
        async |_| {
            black_box(User::all().prefetch_related("posts").await?);
            Ok(())
        },
    )
    .await
}

async fn create(item: Item) -> Result<()> {
    let Item {
        name,
        level,
        score,
        active,
        created_at,
        ..
    } = item;
    Item::create(kw!(name, level, score, active, created_at)).await?;
    Ok(())
}

async fn writes<R: Raw>(raw: &R, lines: &Lines) -> Result<()> {
    compare(
        "a  insert one row, key back",
        lines.a,
        31,
        100,
        async |i| {
            black_box(raw.insert(&item(i)).await);
        },
        async |i| create(item(i)).await,
    )
    .await?;
    let row = Item::get(kw!(id = 1)).await?;
    let mut saved = row.clone();
    compare(
        "h  save all columns",
        lines.h,
        31,
        100,
        async |i| {
            let level = i32::try_from(i).unwrap_or(0);
            raw.update(&Item {
                level,
                ..row.clone()
            })
            .await;
        },
        async |i| {
            saved.level = i32::try_from(i).unwrap_or(0);
            saved.save().await
        },
    )
    .await?;
    let mut saved = row.clone();
    compare(
        "i  save one column",
        lines.i,
        31,
        100,
        async |i| raw.update_level(1, i32::try_from(i).unwrap_or(0)).await,
        async |i| {
            saved.level = i32::try_from(i).unwrap_or(0);
            saved.save().only(["level"]).await
        },
    )
    .await?;
    // Rows of their own, the upper half for one side and the lower for the other.
    let extra = Item::bulk_create((0..4_200).map(item).collect()).await?;
    let first = extra[0].id;
    compare(
        "j  delete by key",
        lines.j,
        20,
        100,
        async |i| raw.delete(first + i).await,
        async |i| {
            let victim = &extra[usize::try_from(i).unwrap_or(0) + 2_100];
            victim.clone().delete().await
        },
    )
    .await?;
    compare(
        "b  1 000 inserts in a transaction",
        lines.b,
        9,
        1,
        async |_| {
            raw.begin().await;
            for i in 0..1_000 {
                raw.insert(&item(i)).await;
            }
            raw.commit().await;
        },
        async |_| {
            in_transaction(async |_tx| {
                for i in 0..1_000 {
                    create(item(i)).await?;
                }
                Ok(())
            })
            .await
        },
    )
    .await
}

async fn bulk<R: Raw>(raw: &R, lines: &Lines) -> Result<()> {
    let items = || (0..ROWS).map(item).collect::<Vec<_>>();
    compare(
        "c  bulk_create of 10 000, keys back",
        lines.c,
        9,
        1,
        async |_| {
            assert_eq!(raw.bulk(&items(), true).await.len(), 10_000);
        },
        async |_| {
            black_box(Item::bulk_create(items()).await?);
            Ok(())
        },
    )
    .await?;
    let Some(line) = lines.c_without_keys else {
        return Ok(());
    };
    // Keys of our own, so that none must come back.
    let mut next = 10_000_000;
    compare(
        "c2  bulk_create of 10 000, keys known",
        line,
        9,
        1,
        async |_| {
            raw.bulk(&items(), false).await;
        },
        async |_| {
            let mut items = items();
            for item in &mut items {
                next += 1;
                item.id = next;
            }
            black_box(Item::bulk_create(items).await?);
            Ok(())
        },
    )
    .await
}

/// 64 tasks that get by key. The raw side has as many connections as our pool and gives each task
/// one of them, shared where the driver can.
async fn concurrent<R: Raw>(url: &str, lines: &Lines) -> Result<()> {
    const TASKS: i64 = 64;
    const EACH: i64 = 100;
    let name = "n64  get by key from 64 tasks";
    if !wanted(name) {
        return Ok(());
    }
    let mut connections = Vec::new();
    for _ in 0..8 {
        connections.push(Arc::new(tokio::sync::Mutex::new(R::open(url).await)));
    }
    let key = |t: i64, i: i64| (t * EACH + i) * 7_919 % 5_000 + 1;
    let mut times = Times::default();
    let (mut raw_waits, mut our_waits) = (Vec::new(), Vec::new());
    for round in 0..=15 {
        let begun = Instant::now();
        let tasks: Vec<_> = (0..TASKS)
            .map(|t| {
                let connection = connections[(t % 8) as usize].clone();
                tokio::spawn(async move {
                    let mut waits = Vec::new();
                    for i in 0..EACH {
                        let begun = Instant::now();
                        black_box(connection.lock().await.get(key(t, i)).await);
                        waits.push(begun.elapsed());
                    }
                    waits
                })
            })
            .collect();
        for task in tasks {
            raw_waits.extend(task.await.expect("no task panics"));
        }
        let raw_time = begun.elapsed();
        let begun = Instant::now();
        let tasks: Vec<_> = (0..TASKS)
            .map(|t| {
                tokio::spawn(async move {
                    let mut waits = Vec::new();
                    for i in 0..EACH {
                        let begun = Instant::now();
                        black_box(Item::get(kw!(id = key(t, i))).await?);
                        waits.push(begun.elapsed());
                    }
                    Ok::<_, Error>(waits)
                })
            })
            .collect();
        for task in tasks {
            our_waits.extend(task.await.expect("no task panics")?);
        }
        if round > 0 {
            times.ours.push(begun.elapsed());
            times.raw.push(raw_time);
        } else {
            raw_waits.clear();
            our_waits.clear();
        }
    }
    times.report(name, lines.n, (TASKS * EACH) as usize);
    let late = |waits: &mut Vec<Duration>| {
        waits.sort();
        waits[waits.len() * 99 / 100].as_secs_f64() * 1e6
    };
    let (raw, ours) = (late(&mut raw_waits), late(&mut our_waits));
    println!(
        "{:<44} {raw:>7.1}us {ours:>7.1}us {:>6.2} {:>6.2}",
        "     99th percentile of one get",
        raw / ours,
        0.50
    );
    Ok(())
}
