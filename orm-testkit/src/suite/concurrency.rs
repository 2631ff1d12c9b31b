//! Transactions at the same time: locks, deadlocks, conflicts, races.
//!
//! A database may let two transactions run side by side or one after the other; a case holds for
//! both. What it may not do is lose a write, show one that is not committed, or wait for ever.

use super::trial::{self, Bench};
use crate::case::{Case, CaseResult, Context, Failure};
use crate::models::{Tag, User};
use crate::{cases, check};
use orm_core::backend::{ConnectOptions, ConnectionUrl, SqlFamily};
use orm_core::connection;
use orm_core::error::{ErrorKind, TimeoutKind};
use orm_core::prelude::*;
use orm_core::transaction;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Barrier;

pub(super) const CASES: &[Case] = cases! {
    "tx::deadlock::one_is_told_and_one_commits" => deadlock, ["in_transaction"], needs [Transactions], level Full;
    "tx::deadlock::retry_commits_both" => deadlock_retry, ["in_transaction"], needs [Transactions], level Full;
    "tx::lock::wait_ends_at_the_limit_of_locks" => lock_limit, ["in_transaction"], needs [Transactions], level Full;
    "tx::lock::wait_ends_at_the_limit_of_the_statement" => statement_limit, ["in_transaction"], needs [Transactions], level Full;
    "tx::lock::writers_queue_without_error" => writers_queue, ["in_transaction"], needs [Transactions], level Full;
    "tx::race::sum_of_transfers_is_constant" => transfers, ["in_transaction", "queryset.update"], needs [Transactions], level Full;
    "tx::race::one_of_many_creates_wins" => one_wins, ["model.create", "exceptions.integrity_error"], level Full;
    "tx::race::links_are_not_doubled" => links, ["many_to_many.add"], needs [IgnoreConflicts], level Full;
    "tx::timeout::around_a_block_undoes_it" => timeout_around, ["in_transaction"], needs [Transactions], level Full;
    "tx::timeout::around_a_nested_block_leaves_the_outer" => timeout_nested, ["in_transaction"], needs [Transactions, Savepoints], level Full;
    "tx::abort::tasks_at_random_leave_nothing" => abort_tasks, ["in_transaction"], needs [Transactions], level Full;
};

/// Longest time for anything here.
const MOST: Duration = Duration::from_secs(15);

/// How long one transaction waits for the other to come as far as it. A database that runs them one
/// after the other never gets there.
pub(super) const MEET: Duration = Duration::from_millis(150);

pub(super) type Job = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// Runs jobs as tasks, each with the case's client, to their ends.
pub(super) async fn all_of(cx: &Context, jobs: Vec<Job>) -> CaseResult<Vec<Result<()>>> {
    let tasks: Vec<_> = jobs
        .into_iter()
        .map(|job| tokio::spawn(cx.scope(job)))
        .collect();
    let mut results = Vec::new();
    for task in tasks {
        match tokio::time::timeout(MOST, task).await {
            Ok(Ok(result)) => results.push(result),
            Ok(Err(error)) => return Err(Failure::new(error.to_string())),
            Err(_) => return Err(Failure::new(format!("a task does not end within {MOST:?}"))),
        }
    }
    Ok(results)
}

/// A place where two transactions meet, if the database lets them.
#[derive(Clone, Debug)]
pub(super) struct Meeting(Arc<Barrier>);

impl Meeting {
    pub(super) fn new() -> Self {
        Meeting(Arc::new(Barrier::new(2)))
    }

    /// Whether the other one came.
    pub(super) async fn wait(&self) -> bool {
        tokio::time::timeout(MEET, self.0.wait()).await.is_ok()
    }
}

pub(super) async fn user(name: &str, age: i32) -> Result<User> {
    User::create(kw!(username = name, age = age)).await
}

pub(super) async fn age(id: i32) -> Result<i32> {
    Ok(User::get(kw!(id = id)).await?.age.unwrap_or_default())
}

pub(super) async fn set_age(id: i32, age: i32) -> Result<()> {
    User::filter(kw!(id = id))
        .update(kw!(age = age))
        .await
        .map(drop)
}

/// A failure that the level may end in: the loser of a conflict.
pub(super) fn conflict(result: &Result<()>) -> CaseResult<bool> {
    match result {
        Ok(()) => Ok(false),
        Err(error) if error.is_retryable() => Ok(true),
        Err(Error::Timeout(TimeoutKind::Lock, _)) => Ok(true),
        Err(error) => Err(error.clone().into()),
    }
}

/// Adds one to a row, meets the other, and adds one to another row.
fn cross(first: i32, second: i32, meeting: Meeting) -> Job {
    let block = async move |_tx| {
        User::filter(kw!(id = first))
            .update(kw!(age = F(age) + 1))
            .await?;
        meeting.wait().await;
        User::filter(kw!(id = second))
            .update(kw!(age = F(age) + 1))
            .await
            .map(drop)
    };
    Box::pin(in_transaction(block))
}

/// Two that hold what the other wants: one gets an error that may be retried, the other commits,
/// and nobody waits for ever.
async fn deadlock(cx: &Context) -> CaseResult {
    let (ann, bob) = (user("ann", 0).await?.id, user("bob", 0).await?.id);
    for round in 0..3 {
        let before = age(ann).await?;
        cx.ready();
        let meeting = Meeting::new();
        let jobs = vec![cross(ann, bob, meeting.clone()), cross(bob, ann, meeting)];
        let mut committed = 0;
        for result in all_of(cx, jobs).await? {
            committed += i32::from(!conflict(&result)?);
        }
        check::that(committed > 0, "one of them commits")?;
        let found = (round, age(ann).await? - before, age(bob).await? - before);
        check::eq(found, (round, committed, committed))?;
        // Both rows are equal again whatever was lost.
        set_age(bob, age(ann).await?).await?;
    }
    Ok(())
}

/// Run again as a whole, the loser commits too.
async fn deadlock_retry(cx: &Context) -> CaseResult {
    let (ann, bob) = (user("ann", 0).await?.id, user("bob", 0).await?.id);
    cx.ready();
    let meeting = Meeting::new();
    let jobs = [(ann, bob), (bob, ann)].map(|(first, second)| {
        let meeting = meeting.clone();
        let again = move || cross(first, second, meeting.clone());
        Box::pin(transaction::retry(5, again)) as Job
    });
    for result in all_of(cx, jobs.into()).await? {
        result?;
    }
    check::eq((age(ann).await?, age(bob).await?), (2, 2))
}

/// A client whose wait for locks is short: the URL for it, and what to run in the transaction.
fn impatient(cx: &Context) -> (String, Option<&'static str>) {
    let url = cx.url().to_owned();
    match cx.client().dialect().family() {
        SqlFamily::Postgres => (url, Some("SET LOCAL lock_timeout = '200ms'")),
        SqlFamily::MySql => (url, Some("SET innodb_lock_wait_timeout = 1")),
        _ => {
            let separator = if url.contains('?') { '&' } else { '?' };
            (format!("{url}{separator}busy_timeout=200"), None)
        }
    }
}

/// Holds a lock on a row until it is told to stop.
async fn held<T>(cx: &Context, id: i32, work: impl Future<Output = T>) -> CaseResult<T> {
    cx.ready();
    let holder = begin().await?;
    User::filter(kw!(id = id))
        .update(kw!(age = 50))
        .using_db(&holder)
        .await?;
    let output = tokio::time::timeout(MOST, work).await;
    holder.rollback().await?;
    output.map_err(|_| Failure::new(format!("no end within {MOST:?}")))
}

/// Who waits for a lock for too long gets `Timeout(Lock)`, and may go on.
async fn lock_limit(cx: &Context) -> CaseResult {
    transaction::begin().await?.rollback().await?;
    let ann = user("ann", 0).await?.id;
    let (url, set) = impatient(cx);
    let url = ConnectionUrl::parse(&url)?;
    let client = cx
        .driver()
        .connect(&url, &ConnectOptions::default())
        .await?;
    let pool = Connection::new(connection::DEFAULT, client);
    let block = connection::scope(pool.clone(), async {
        in_transaction(async |tx| {
            if let Some(sql) = set {
                tx.execute_query(sql, Vec::new()).await?;
            }
            set_age(ann, 1).await
        })
        .await
    });
    let error = check::fails(held(cx, ann, block).await?, ErrorKind::Timeout)?;
    let lock = matches!(error, Error::Timeout(TimeoutKind::Lock, _));
    check::that(lock, "it is the wait for a lock")?;
    check::eq(age(ann).await?, 0)?;
    connection::scope(pool.clone(), set_age(ann, 7)).await?;
    check::eq(age(ann).await?, 7)?;
    pool.close().await;
    Ok(())
}

/// A write that waits for a lock ends at its own limit, is not made later, and leaves the pool.
async fn statement_limit(cx: &Context) -> CaseResult {
    let ann = user("ann", 0).await?.id;
    let mut bench = Bench::open(cx, 1, Some(Duration::from_millis(300))).await?;
    let subject = bench.subject().await?;
    for round in 0..2 {
        let write = async {
            let result = bench.inside(set_age(ann, 1)).await;
            // Until the clean-up has stopped it; before that its outcome is open.
            tokio::time::sleep(trial::SOON).await;
            result
        };
        let error = check::fails(held(cx, ann, write).await?, ErrorKind::Timeout)?;
        let statement = matches!(error, Error::Timeout(TimeoutKind::Statement, _));
        check::that(statement, "it is the limit of the statement")?;
        // Long enough for one that still waits on the server to get the lock.
        tokio::time::sleep(Duration::from_millis(100)).await;
        check::eq((round, age(ann).await?), (round, 0))?;
    }
    bench.no_lock_is_left(&subject).await?;
    bench.pool_is_clean(&subject).await?;
    bench.close().await;
    Ok(())
}

/// Writers of one row wait for each other, and all are done.
async fn writers_queue(cx: &Context) -> CaseResult {
    let ann = user("ann", 0).await?.id;
    cx.ready();
    let jobs = (0..20).map(|_| {
        let block = async move |_tx| {
            let one = User::filter(kw!(id = ann))
                .update(kw!(age = F(age) + 1))
                .await?;
            tokio::time::sleep(Duration::from_millis(2)).await;
            match one {
                1 => Ok(()),
                other => Err(Error::configuration(format!("{other} rows"))),
            }
        };
        Box::pin(in_transaction(block)) as Job
    });
    for result in all_of(cx, jobs.collect()).await? {
        result?;
    }
    check::eq(age(ann).await?, 20)
}

/// Moves one from a row to another.
fn transfer(from: i32, to: i32) -> Job {
    let block = async move |_tx| {
        User::filter(kw!(id = from))
            .update(kw!(age = F(age) - 1))
            .await?;
        tokio::task::yield_now().await;
        User::filter(kw!(id = to))
            .update(kw!(age = F(age) + 1))
            .await
            .map(drop)
    };
    Box::pin(in_transaction(block))
}

/// Transfers in all directions, with readers between: the sum is the same at every moment.
async fn transfers(cx: &Context) -> CaseResult {
    let mut ids = Vec::new();
    for number in 0..4 {
        ids.push(user(&format!("account {number}"), 100).await?.id);
    }
    cx.ready();
    transfer(ids[0], ids[1]).await?;
    let mut jobs = Vec::new();
    for number in 0..24 {
        let (from, to) = (ids[number % 4], ids[(number * 3 + 1 + number / 4) % 4]);
        let again = move || transfer(from, to);
        jobs.push(Box::pin(transaction::retry(20, again)) as Job);
        jobs.push(Box::pin(async {
            // One statement sees one state.
            let sum: i32 = User::all().await?.iter().filter_map(|user| user.age).sum();
            match sum {
                400 => Ok(()),
                other => Err(Error::configuration(format!("the sum was {other}"))),
            }
        }));
    }
    for result in all_of(cx, jobs).await? {
        result?;
    }
    let sum: i32 = User::all().await?.iter().filter_map(|user| user.age).sum();
    check::eq(sum, 400)
}

/// Of many that create the same unique value exactly one wins, and the others are told why.
async fn one_wins(cx: &Context) -> CaseResult {
    for round in 0..5 {
        let jobs = (0..20).map(|_| {
            let name = format!("same {round}");
            Box::pin(async move { Tag::create(kw!(name = name)).await.map(drop) }) as Job
        });
        let mut winners = 0;
        for result in all_of(cx, jobs.collect()).await? {
            match result {
                Ok(()) => winners += 1,
                Err(error) if error.is_unique_violation() => {}
                Err(error) => return Err(error.into()),
            }
        }
        check::eq((round, winners), (round, 1))?;
    }
    check::eq(Tag::all().count().await?, 5)
}

/// Links that many add at the same time are there once.
async fn links(cx: &Context) -> CaseResult {
    let ann = user("ann", 0).await?;
    let post = crate::models::Post::create(kw!(title = "post", author = &ann)).await?;
    let mut tags = Vec::new();
    for word in ["a", "b", "c"] {
        tags.push(Tag::create(kw!(name = word)).await?);
    }
    cx.ready();
    let jobs = (0..12).map(|_| {
        let (post, tags) = (post.clone(), tags.clone());
        Box::pin(async move { post.tags.add(&tags).await }) as Job
    });
    for result in all_of(cx, jobs.collect()).await? {
        conflict(&result)?;
    }
    post.tags.add(&tags).await?;
    check::eq(post.tags.all().count().await?, 3)
}

/// A limit of time around a block undoes all of it.
async fn timeout_around(cx: &Context) -> CaseResult {
    let mut bench = Bench::open(cx, 1, None).await?;
    let subject = bench.subject().await?;
    for millis in [0, 1, 5, 20] {
        cx.ready();
        let name = subject.name("a");
        let block = in_transaction(async move |_tx| {
            Tag::create(kw!(name = name)).await?;
            std::future::pending::<Result<()>>().await
        });
        let limit = Duration::from_millis(millis);
        match bench.inside(tokio::time::timeout(limit, block)).await {
            Err(_) => {}
            Ok(result) => return result.map_err(Failure::from),
        }
        let stored = bench.stored(&subject).await?;
        check::that(!stored.contains(&"tag a".to_owned()), "the block is undone")?;
    }
    bench.no_lock_is_left(&subject).await?;
    bench.pool_is_clean(&subject).await
}

/// A nested block that is dropped between two calls is undone alone; the outer one goes on.
async fn timeout_nested(cx: &Context) -> CaseResult {
    let mut bench = Bench::open(cx, 1, None).await?;
    let subject = bench.subject().await?;
    let (a, b, c) = (subject.name("a"), subject.name("b"), subject.name("c"));
    cx.ready();
    let block = in_transaction(async move |_tx| {
        Tag::create(kw!(name = a)).await?;
        cx.ready();
        let inner = in_transaction(async move |_tx| {
            Tag::create(kw!(name = b)).await?;
            std::future::pending::<Result<()>>().await
        });
        // The inner block may be refused; else it never ends by itself.
        match tokio::time::timeout(Duration::from_millis(200), inner).await {
            Err(_) => {}
            Ok(result) => return result,
        }
        Tag::create(kw!(name = c)).await.map(drop)
    });
    bench.inside(block).await?;
    let stored = bench.stored(&subject).await?;
    let has = |row: &str| stored.iter().any(|stored| stored == row);
    check::eq(
        (has("tag a"), has("tag b"), has("tag c")),
        (true, false, true),
    )?;
    bench.no_lock_is_left(&subject).await?;
    bench.pool_is_clean(&subject).await
}

/// Tasks that are aborted at any time leave whole transactions, and a pool that works.
async fn abort_tasks(cx: &Context) -> CaseResult {
    let mut bench = Bench::open(cx, 2, None).await?;
    let subject = bench.subject().await?;
    cx.ready();
    let mut tasks = Vec::new();
    for number in 0..60_u64 {
        let (a, b) = (format!("{number} first"), format!("{number} second"));
        let work = connection::scope(bench.pool.clone(), async move {
            in_transaction(async move |_tx| {
                Tag::create(kw!(name = a)).await?;
                tokio::task::yield_now().await;
                Tag::create(kw!(name = b)).await.map(drop)
            })
            .await
        });
        tasks.push((number, tokio::spawn(work)));
    }
    let mut committed = Vec::new();
    for (number, task) in tasks {
        // Spread over the time that a block takes, without chance.
        tokio::time::sleep(Duration::from_micros(number * 37 % 800)).await;
        task.abort();
        match task.await {
            Ok(result) => {
                result?;
                committed.push(number);
            }
            Err(error) if error.is_cancelled() => {}
            Err(error) => return Err(Failure::new(error.to_string())),
        }
    }
    bench.no_lock_is_left(&subject).await?;
    for number in 0..60_u64 {
        let rows = bench
            .outside(async {
                let names = [format!("{number} first"), format!("{number} second")];
                let mut found = Vec::new();
                for name in names {
                    found.push(Tag::filter(kw!(name = name)).count().await?);
                }
                Ok::<_, Error>(found)
            })
            .await?;
        let whole = rows == [1, 1] || (rows == [0, 0] && !committed.contains(&number));
        check::that(whole, &format!("{number} is whole: {rows:?}"))?;
    }
    bench.pool_is_clean(&subject).await
}
