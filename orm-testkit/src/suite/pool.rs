//! The pool and the life of connections: sizes, waits, what one user leaves to the next, runtimes.

use super::trial::{self, Bench, Polls};
use crate::case::{Case, CaseResult, Context, Failure};
use crate::models::Tag;
use crate::{cases, check};
use orm_core::backend::{
    BaseDBAsyncClient, ConnectOptions, ConnectionUrl, Intent, Isolation, Lease, TransactionOptions,
};
use orm_core::connection;
use orm_core::error::{ErrorKind, TimeoutKind};
use orm_core::prelude::*;
use orm_core::value::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(super) const CASES: &[Case] = cases! {
    "conn::pool::size_is_respected" => size_is_respected, ["tortoise.get_connection"], level Full;
    "conn::pool::exhausted_times_out_and_recovers" => exhausted, ["tortoise.get_connection"], level Full;
    "conn::pool::dropped_waits_lose_no_place" => dropped_waits, ["tortoise.get_connection"], level Full;
    "conn::pool::waiting_is_fair" => fair, ["tortoise.get_connection"], level Full;
    "conn::pool::thousand_tasks_read_their_own_rows" => thousand_tasks, ["model.get"], level Full;
    "conn::pool::long_transaction_does_not_block_readers" => long_transaction, ["in_transaction"], needs [Transactions], level Full;
    "conn::session::raw_transaction_does_not_leak" => raw_transaction, ["tortoise.get_connection"], level Full;
    "conn::session::temporary_table_does_not_leak" => temporary_table, ["tortoise.get_connection"], level Full;
    "conn::session::isolation_does_not_leak" => isolation_leak, ["in_transaction"], needs [Transactions, ReadOnlyTransactions], level Full;
    "conn::session::survives_a_change_of_the_schema" => schema_change, ["model.all"], level Full;
    "conn::close::with_a_lease_out" => close_with_lease, ["tortoise.close_connections"], level Full;
    "conn::close::ends_those_who_wait" => close_ends_waits, ["tortoise.close_connections"], level Full;
    "conn::ping::answers" => ping, ["tortoise.get_connection"], level Full;
    "conn::runtime::current_thread" => current_thread, ["tortoise.init", "in_transaction"], needs [Transactions], level Full;
    "conn::runtime::client_of_a_runtime_that_ended" => two_runtimes, ["tortoise.init"], level Full;
    "conn::runtime::lease_outlives_its_runtime" => lease_outlives, ["tortoise.init"], needs [Transactions], level Full;
};

/// A short wait for a connection.
const WAIT: Duration = Duration::from_millis(150);

/// Longest time for anything here.
const MOST: Duration = Duration::from_secs(10);

async fn open(cx: &Context, size: usize, wait: Duration) -> Result<Connection> {
    let mut options = ConnectOptions::default();
    options.max_connections = Some(size);
    options.acquire_timeout = wait;
    let client = trial::connect(cx, &options).await?;
    Ok(Connection::new(connection::DEFAULT, client))
}

/// Takes connections for writing until none is left; the error of the last try comes with them.
async fn take_all(pool: &Connection) -> CaseResult<(Vec<Lease>, Error)> {
    let mut leases = Vec::new();
    for _ in 0..20 {
        match pool.acquire(Intent::Write).await {
            Ok(lease) => leases.push(lease),
            Err(error) => return Ok((leases, error)),
        }
    }
    Err(Failure::new("a pool of two lent twenty connections"))
}

async fn count(pool: &Connection, name: &str) -> CaseResult<u64> {
    let count = Tag::filter(kw!(name = name)).count();
    Ok(connection::scope(pool.clone(), count.into_future()).await?)
}

async fn create(pool: &Connection, name: &str) -> Result<Tag> {
    connection::scope(pool.clone(), Tag::create(kw!(name = name)).into_future()).await
}

fn name_query(name: &str) -> String {
    format!("SELECT name FROM kit_tag WHERE name = '{name}'")
}

/// No more connections than asked for are lent at the same time.
async fn size_is_respected(cx: &Context) -> CaseResult {
    for size in [1, 2] {
        let pool = open(cx, size, WAIT).await?;
        let (leases, error) = take_all(&pool).await?;
        let lent = (1..=size).contains(&leases.len());
        check::that(lent, "between one and as many as asked for")?;
        check::eq(error.kind(), ErrorKind::Timeout)?;
        drop(leases);
        pool.close().await;
    }
    Ok(())
}

/// Who waits too long is told so, soon and with the size of the pool; when a connection comes back
/// the pool works.
async fn exhausted(cx: &Context) -> CaseResult {
    let pool = open(cx, 1, WAIT).await?;
    let lease = pool.acquire(Intent::Write).await?;
    let start = Instant::now();
    let error = check::fails(
        pool.acquire(Intent::Write).await.map(drop),
        ErrorKind::Timeout,
    )?;
    let acquire = matches!(error, Error::Timeout(TimeoutKind::Acquire, _));
    check::that(acquire, "it is the wait for a connection")?;
    check::mentions(&error, &["1"])?;
    let waited = start.elapsed();
    check::that(waited >= WAIT && waited < MOST, "it waits as long as told")?;
    drop(lease);
    create(&pool, "after").await?;
    check::eq(count(&pool, "after").await?, 1)
}

/// Waits that are dropped at any poll take no place with them.
async fn dropped_waits(cx: &Context) -> CaseResult {
    let pool = open(cx, 1, MOST).await?;
    for round in 0..40 {
        let lease = pool.acquire(Intent::Write).await?;
        let waiting = || Polls::new(pool.acquire(Intent::Write), round % 4);
        let waits = async { tokio::join!(waiting(), waiting(), waiting()) };
        // Given back while they wait; some of them get it, and drop it at once.
        let back = async {
            tokio::task::yield_now().await;
            drop(lease);
        };
        let both =
            async { tokio::join!(tokio::time::timeout(Duration::from_millis(20), waits), back) };
        drop(both.await);
    }
    let lease = tokio::time::timeout(MOST, pool.acquire(Intent::Write)).await;
    let lease = lease.map_err(|_| Failure::new("the place in the pool is gone"))??;
    drop(lease);
    create(&pool, "after")
        .await
        .map(drop)
        .map_err(Failure::from)
}

/// Those who wait are served in their order.
async fn fair(cx: &Context) -> CaseResult {
    let pool = open(cx, 1, MOST).await?;
    let lease = pool.acquire(Intent::Write).await?;
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    let mut tasks = Vec::new();
    for number in 0..8 {
        let (pool, order) = (pool.clone(), order.clone());
        tasks.push(tokio::spawn(async move {
            let lease = pool.acquire(Intent::Write).await?;
            if let Ok(mut order) = order.lock() {
                order.push(number);
            }
            tokio::task::yield_now().await;
            drop(lease);
            Ok::<_, Error>(())
        }));
        // The next one waits behind this one.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(lease);
    for task in tasks {
        task.await
            .map_err(|error| Failure::new(error.to_string()))??;
    }
    let order = order.lock().map(|order| order.clone()).unwrap_or_default();
    check::eq(order, (0..8).collect::<Vec<_>>())
}

/// Many tasks on two connections: all are served, and each gets its own row.
async fn thousand_tasks(cx: &Context) -> CaseResult {
    let pool = open(cx, 2, MOST).await?;
    for number in 0..20 {
        create(&pool, &format!("own {number}")).await?;
    }
    let mut tasks = Vec::new();
    for number in 0..1000 {
        let pool = pool.clone();
        tasks.push(tokio::spawn(async move {
            let name = format!("own {}", number % 20);
            let rows = pool.execute_query(&name_query(&name), Vec::new()).await?;
            let own = rows.rows().iter().flatten().eq([&Value::from(name)]);
            Ok::<_, Error>(own)
        }));
    }
    for task in tasks {
        let own = task
            .await
            .map_err(|error| Failure::new(error.to_string()))??;
        check::that(own, "a task gets its own row")?;
    }
    Ok(())
}

/// A transaction that is open for long takes one connection, not the pool.
async fn long_transaction(cx: &Context) -> CaseResult {
    let pool = open(cx, 2, MOST).await?;
    create(&pool, "before").await?;
    cx.ready();
    let work = connection::scope(pool.clone(), async {
        let guard = begin().await?;
        Tag::create(kw!(name = "inside")).using_db(&guard).await?;
        let other = pool.clone();
        let rows = tokio::time::timeout(trial::SOON, async move {
            let mut rows = Vec::new();
            for _ in 0..10 {
                rows.push(
                    other
                        .execute_query(&name_query("before"), Vec::new())
                        .await?
                        .len(),
                );
                rows.push(
                    other
                        .execute_query(&name_query("inside"), Vec::new())
                        .await?
                        .len(),
                );
            }
            Ok::<_, Error>(rows)
        });
        let rows = rows
            .await
            .map_err(|_| Failure::new("readers wait for the transaction"))??;
        check::eq(rows, [1, 0].repeat(10))?;
        guard.commit().await?;
        Ok(())
    });
    work.await
}

/// A transaction begun with raw text ends with its lease, and the next user is outside it.
async fn raw_transaction(cx: &Context) -> CaseResult {
    let pool = open(cx, 1, MOST).await?;
    for how in ["query", "script"] {
        let inside = format!("{how} inside");
        let insert = format!("INSERT INTO kit_tag (name) VALUES ('{inside}')");
        match how {
            "query" => drop(pool.execute_query("BEGIN", Vec::new()).await?),
            _ => pool.execute_script(&format!("BEGIN; {insert}")).await?,
        }
        let after = format!("{how} after");
        create(&pool, &after).await?;
        // Read on another connection: it is stored, and not in a transaction that is still open.
        check::eq(Tag::filter(kw!(name = after)).count().await?, 1)?;
        check::eq(Tag::filter(kw!(name = inside)).count().await?, 0)?;
    }
    Ok(())
}

/// A temporary table is gone for the next user.
async fn temporary_table(cx: &Context) -> CaseResult {
    let pool = open(cx, 1, MOST).await?;
    pool.execute_script("CREATE TEMPORARY TABLE kit_leak (id INTEGER)")
        .await?;
    let found = pool
        .execute_query("SELECT COUNT(*) FROM kit_leak", Vec::new())
        .await;
    check::fails(found.map(drop), ErrorKind::Statement)?;
    pool.execute_script("CREATE TEMPORARY TABLE kit_leak (id INTEGER)")
        .await?;
    Ok(())
}

/// Options of a transaction end with it, committed or dropped.
async fn isolation_leak(cx: &Context) -> CaseResult {
    let pool = open(cx, 1, MOST).await?;
    let claimed = cx.capabilities().isolation;
    let mut options = vec![TransactionOptions::new().read_only()];
    let strict = claimed
        .iter()
        .filter(|level| **level == Isolation::Serializable);
    options.extend(strict.map(|level| TransactionOptions::new().isolation(*level).read_only()));
    for (number, options) in options.iter().enumerate() {
        for ends in [true, false] {
            cx.ready();
            let mut lease = pool.acquire(Intent::Write).await?;
            lease.begin(options).await?;
            if ends {
                lease.commit().await?;
            }
            drop(lease);
            let name = format!("writes again {number} {ends}");
            create(&pool, &name).await?;
            check::eq(Tag::filter(kw!(name = name)).count().await?, 1)?;
        }
    }
    Ok(())
}

/// A query that was used before a column was added still works, inside a transaction too.
async fn schema_change(cx: &Context) -> CaseResult {
    let pool = open(cx, 1, MOST).await?;
    create(&pool, "before").await?;
    let read = || connection::scope(pool.clone(), Tag::all().into_future());
    for round in 0..3 {
        check::eq(read().await?.len(), 1)?;
        let change = format!("ALTER TABLE kit_tag ADD COLUMN extra{round} INTEGER");
        cx.client().execute_script(&change).await?;
    }
    check::eq(read().await?.len(), 1)?;
    create(&pool, "after").await?;
    check::eq(read().await?.len(), 2)
}

/// Closing does not wait for a lease; the lease may finish its work, and nobody gets a new one.
async fn close_with_lease(cx: &Context) -> CaseResult {
    let pool = open(cx, 2, MOST).await?;
    let mut lease = pool.acquire(Intent::Write).await?;
    let closed = tokio::time::timeout(trial::SOON, pool.close()).await;
    closed.map_err(|_| Failure::new("closing waits for the lease"))?;
    lease
        .run_script("INSERT INTO kit_tag (name) VALUES ('late')")
        .await?;
    drop(lease);
    let refused = pool.acquire(Intent::Read).await;
    check::fails(refused.map(drop), ErrorKind::ConnectionLost)?;
    check::eq(Tag::filter(kw!(name = "late")).count().await?, 1)
}

/// Those who wait for a connection are told that there will be none.
async fn close_ends_waits(cx: &Context) -> CaseResult {
    let pool = open(cx, 1, MOST).await?;
    let lease = pool.acquire(Intent::Write).await?;
    let waiting = pool.clone();
    let task = tokio::spawn(async move { waiting.acquire(Intent::Write).await.map(drop) });
    tokio::time::sleep(Duration::from_millis(30)).await;
    pool.close().await;
    let ended = tokio::time::timeout(trial::SOON, task).await;
    let ended = ended.map_err(|_| Failure::new("it waits on"))?;
    let result = ended.map_err(|error| Failure::new(error.to_string()))?;
    drop(lease);
    check::fails(result, ErrorKind::ConnectionLost).map(drop)
}

/// A good connection answers a ping, as often as asked.
async fn ping(cx: &Context) -> CaseResult {
    let client: &Arc<dyn BaseDBAsyncClient> = cx.client();
    for intent in [Intent::Read, Intent::Write] {
        let lease = client.acquire(intent).await?;
        let mut held = lease
            .into_held()
            .map_err(|_| Failure::new("a fresh lease is clean"))?;
        for _ in 0..3 {
            held.session().ping().await?;
        }
        held.give_back();
    }
    Ok(())
}

/// Runs work on a thread of its own.
async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> CaseResult<T> + Send + 'static,
) -> CaseResult<T> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        // The case has ended if nobody listens.
        let _ = sender.send(work());
    });
    match tokio::time::timeout(MOST, receiver).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(Failure::new("the thread panicked")),
        Err(_) => Err(Failure::new(format!("no end within {MOST:?}"))),
    }
}

fn runtime() -> CaseResult<tokio::runtime::Runtime> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.map_err(|error| Failure::new(error.to_string()))
}

/// Everything works on a runtime of one thread, dropped transactions too.
async fn current_thread(cx: &Context) -> CaseResult {
    let (driver, url) = (cx.driver().clone(), ConnectionUrl::parse(cx.url())?);
    on_a_thread(move || {
        runtime()?.block_on(async {
            let mut options = ConnectOptions::default();
            options.max_connections = Some(1);
            let pool = Connection::new(connection::DEFAULT, driver.connect(&url, &options).await?);
            let work = connection::scope(pool.clone(), async {
                in_transaction(async |_tx| Tag::create(kw!(name = "kept")).await).await?;
                let dropped = begin().await?;
                Tag::create(kw!(name = "dropped"))
                    .using_db(&dropped)
                    .await?;
                drop(dropped);
                let names = Tag::all().order_by("name").await?;
                let names: Vec<_> = names.into_iter().map(|tag| tag.name).collect();
                check::eq(names, ["kept"])
            });
            work.await?;
            pool.close().await;
            Ok(())
        })
    })
    .await
}

/// A client that was made in a runtime that has ended works in another one, or says that it cannot;
/// it does not hang.
async fn two_runtimes(cx: &Context) -> CaseResult {
    let (driver, url) = (cx.driver().clone(), ConnectionUrl::parse(cx.url())?);
    let names = on_a_thread(move || {
        let first = runtime()?;
        let pool = first.block_on(async {
            let client = driver.connect(&url, &ConnectOptions::default()).await?;
            let pool = Connection::new(connection::DEFAULT, client);
            create(&pool, "first").await?;
            Ok::<_, Failure>(pool)
        })?;
        drop(first);
        runtime()?.block_on(async {
            create(&pool, "second").await?;
            Ok(vec![
                count(&pool, "first").await?,
                count(&pool, "second").await?,
            ])
        })
    });
    check::eq(names.await?, [1, 1])
}

/// A lease that is dropped after its runtime has ended panics nobody and leaves no transaction.
async fn lease_outlives(cx: &Context) -> CaseResult {
    let mut bench = Bench::open(cx, 1, None).await?;
    let subject = bench.subject().await?;
    let (driver, url) = (cx.driver().clone(), ConnectionUrl::parse(cx.url())?);
    cx.ready();
    let insert = format!(
        "INSERT INTO kit_tag (name) VALUES ('{}')",
        subject.name("a")
    );
    on_a_thread(move || {
        let first = runtime()?;
        let (lease, client) = first.block_on(async {
            let client = driver.connect(&url, &ConnectOptions::default()).await?;
            let mut lease = client.acquire(Intent::Write).await?;
            lease.begin(&TransactionOptions::new()).await?;
            lease.run_script(&insert).await?;
            Ok::<_, Failure>((lease, client))
        })?;
        drop(first);
        drop(lease);
        drop(client);
        Ok(())
    })
    .await?;
    bench.no_lock_is_left(&subject).await?;
    bench.pool_is_clean(&subject).await
}
