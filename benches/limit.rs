//! Workloads on a WAL file, as the share of SQLite's C library called directly with cached
//! statements. Run with `cargo xtask bench`; the letters are explained in the table it prints.
//!
//! Both sides run in turn, many short rounds; the share is the median over the rounds of the time
//! of the C library divided by ours.

#![allow(unsafe_code, reason = "the base line is the C library itself")]
#![allow(missing_docs, reason = "a benchmark has no API")]

#[path = "limit/raw.rs"]
mod raw;

use fast_django::orm::prelude::*;
use raw::Raw;
use std::{
    future::Future,
    path::PathBuf,
    time::{Duration, Instant},
};

#[derive(Model, Clone, Debug, Default)]
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

fn main() -> Result<()> {
    let folder = std::env::temp_dir().join(format!("fast-django-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    let result = run_async(run(folder.clone()));
    std::fs::remove_dir_all(&folder).expect("the temporary folder is ours");
    result
}

async fn run(folder: PathBuf) -> Result<()> {
    let ours = folder.join("ours.db");
    let url = format!("sqlite://{}", ours.display());
    Tortoise::init(
        Config::new(url)
            .models(models![Item, User, Post])
            .generate_schemas(true),
    )
    .await?;
    let raw = Raw::open(&folder.join("raw.db"));
    fill(&raw).await?;
    println!("share of SQLite's C library called directly (1.00 = as fast), median of the rounds");
    println!(
        "{:<44} {:>9} {:>9} {:>6} {:>6}",
        "workload", "C library", "ours", "share", "line"
    );
    single(&raw).await?;
    many(&raw).await?;
    concurrent(&folder).await?;
    Ok(())
}

async fn fill(raw: &Raw) -> Result<()> {
    let items: Vec<Item> = (1..=ROWS).map(item).collect();
    raw.begin();
    for item in &items {
        raw.insert(item);
    }
    raw.commit();
    Item::bulk_create(items).await?;
    for u in 1..=100_i64 {
        raw.insert_user(u, &format!("user {u}"));
        User::create(kw!(name = format!("user {u}"))).await?;
    }
    let mut posts = Vec::new();
    for p in 0..1_000_i64 {
        raw.insert_post(p + 1, &format!("post {p}"), p % 100 + 1);
        let user = ForeignKey::from_key(p % 100 + 1);
        posts.push(Post {
            title: format!("post {p}"),
            user,
            ..Post::default()
        });
    }
    Post::bulk_create(posts).await?;
    Ok(())
}

/// Whether the arguments ask for this workload; without letters, all are run.
fn wanted(name: &str) -> bool {
    let letters: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    letters.is_empty()
        || letters
            .iter()
            .any(|letter| name.split(' ').next() == Some(letter))
}

/// Runs both in turn and prints the median share.
async fn compare<F: Future<Output = Result<()>>>(
    name: &str,
    line: f64,
    rounds: usize,
    per_round: usize,
    mut raw: impl FnMut(usize),
    mut ours: impl FnMut(usize) -> F,
) -> Result<()> {
    if !wanted(name) {
        return Ok(());
    }
    let (mut shares, mut base, mut mine) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=rounds {
        let begun = Instant::now();
        for i in 0..per_round {
            raw(round * per_round + i);
        }
        let raw_time = begun.elapsed();
        let begun = Instant::now();
        for i in 0..per_round {
            ours(round * per_round + i).await?;
        }
        let our_time = begun.elapsed();
        // The first round warms up.
        if round > 0 {
            shares.push(raw_time.as_secs_f64() / our_time.as_secs_f64());
            base.push(raw_time);
            mine.push(our_time);
        }
    }
    report(name, line, per_round, shares, base, mine);
    Ok(())
}

fn report(
    name: &str,
    line: f64,
    per_round: usize,
    mut shares: Vec<f64>,
    mut base: Vec<Duration>,
    mut mine: Vec<Duration>,
) {
    shares.sort_by(f64::total_cmp);
    base.sort();
    mine.sort();
    let each = |times: &[Duration]| times[times.len() / 2].as_secs_f64() * 1e6 / per_round as f64;
    println!(
        "{name:<44} {:>7.1}us {:>7.1}us {:>6.2} {line:>6.2}",
        each(&base),
        each(&mine),
        shares[shares.len() / 2]
    );
}

async fn single(raw: &Raw) -> Result<()> {
    let key = |i: usize| i as i64 * 7_919 % ROWS + 1;
    compare(
        "f  get by key",
        0.75,
        41,
        1_000,
        |i| {
            std::hint::black_box(raw.get(key(i)));
        },
        |i| async move {
            std::hint::black_box(Item::get(kw!(id = key(i))).await?);
            Ok(())
        },
    )
    .await?;
    compare(
        "a  insert one row, key back",
        0.85,
        41,
        200,
        |i| {
            std::hint::black_box(raw.insert(&item(i as i64)));
        },
        |i| async move {
            let Item {
                name,
                level,
                score,
                active,
                created_at,
                ..
            } = item(i as i64);
            Item::create(kw!(name, level, score, active, created_at)).await?;
            Ok(())
        },
    )
    .await?;
    let mut saved = Item::get(kw!(id = 1)).await?;
    let row = saved.clone();
    let mut shares = Vec::new();
    let (mut base, mut mine) = (Vec::new(), Vec::new());
    for round in 0..=if wanted("h") { 41 } else { 1 } {
        let begun = Instant::now();
        for i in 0..200 {
            raw.update(&Item {
                level: i,
                ..row.clone()
            });
        }
        let raw_time = begun.elapsed();
        let begun = Instant::now();
        for i in 0..200 {
            saved.level = i;
            saved.save().await?;
        }
        if round > 0 {
            mine.push(begun.elapsed());
            base.push(raw_time);
            shares.push(raw_time.as_secs_f64() / begun.elapsed().as_secs_f64());
        }
    }
    report("h  save all columns", 0.85, 200, shares, base, mine);
    let mut gone = ROWS;
    let first = Item::all().count().await? as i64;
    let gone_raw = std::cell::Cell::new(first);
    compare(
        "j  delete by key",
        0.90,
        20,
        100,
        |_| {
            raw.delete(gone_raw.get());
            gone_raw.set(gone_raw.get() - 1);
        },
        |_| {
            gone += 1;
            let victim = Item {
                id: gone,
                ..Item::default()
            };
            async move { victim.delete().await }
        },
    )
    .await
}

async fn many(raw: &Raw) -> Result<()> {
    compare(
        "b  1 000 inserts in a transaction",
        0.70,
        11,
        1,
        |_| {
            raw.begin();
            for i in 0..1_000 {
                raw.insert(&item(i));
            }
            raw.commit();
        },
        |_| async {
            in_transaction(async |_tx| {
                for i in 0..1_000 {
                    let Item {
                        name,
                        level,
                        score,
                        active,
                        created_at,
                        ..
                    } = item(i);
                    Item::create(kw!(name, level, score, active, created_at)).await?;
                }
                Ok::<_, Error>(())
            })
            .await
        },
    )
    .await?;
    compare(
        "c  bulk_create of 10 000 (one a statement)",
        1.50,
        9,
        1,
        |_| {
            raw.begin();
            for i in 0..ROWS {
                raw.insert(&item(i));
            }
            raw.commit();
        },
        |_| async {
            Item::bulk_create((0..ROWS).map(item).collect()).await?;
            Ok(())
        },
    )
    .await?;
    compare(
        "d  10 000 rows of 6 columns into structs",
        0.75,
        41,
        1,
        |_| {
            std::hint::black_box(raw.select(ROWS));
        },
        |_| async {
            let rows = Item::filter(kw!(id__lte = ROWS)).await?;
            std::hint::black_box(rows);
            Ok(())
        },
    )
    .await?;
    compare(
        "k  100 users with 10 posts each, prefetched",
        0.75,
        41,
        5,
        |_| {
            std::hint::black_box(raw.users_with_posts());
        },
        |_| async {
            std::hint::black_box(User::all().prefetch_related("posts").await?);
            Ok(())
        },
    )
    .await
}

/// 64 tasks that get by key; the base line is one thread a core, each with a connection.
async fn concurrent(folder: &std::path::Path) -> Result<()> {
    const EACH: i64 = 500;
    let threads = std::thread::available_parallelism()
        .map_or(2, usize::from)
        .min(4);
    let (mut shares, mut base, mut mine) = (Vec::new(), Vec::new(), Vec::new());
    if !wanted("n64") {
        return Ok(());
    }
    for round in 0..=15 {
        let path = folder.join("raw.db");
        let begun = tokio::task::block_in_place(|| {
            let readers: Vec<Raw> = (0..threads).map(|_| Raw::open(&path)).collect();
            let begun = Instant::now();
            std::thread::scope(|scope| {
                for reader in readers {
                    scope.spawn(move || {
                        for i in 0..64 * EACH / threads as i64 {
                            std::hint::black_box(reader.get(i * 7_919 % 5_000 + 1));
                        }
                    });
                }
            });
            begun.elapsed()
        });
        let started = Instant::now();
        let tasks: Vec<_> = (0..64_i64)
            .map(|t| {
                tokio::spawn(async move {
                    for i in 0..EACH {
                        let key = (t * EACH + i) * 7_919 % 5_000 + 1;
                        std::hint::black_box(Item::get(kw!(id = key)).await?);
                    }
                    Ok::<_, Error>(())
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("no task panics")?;
        }
        if round > 0 {
            mine.push(started.elapsed());
            base.push(begun);
            shares.push(begun.as_secs_f64() / started.elapsed().as_secs_f64());
        }
    }
    report(
        "n64  get by key from 64 tasks",
        0.70,
        64 * EACH as usize,
        shares,
        base,
        mine,
    );
    Ok(())
}
