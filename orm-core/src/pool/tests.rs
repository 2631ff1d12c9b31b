//! The pool against a fake database: drops at every poll, deadlines, closing.

use super::fake::*;
use super::*;
use crate::backend::{Health, Sink, Step, TransactionOptions};
use crate::error::Result;
use std::{sync::atomic::Ordering::SeqCst, time::Instant};

async fn insert(lease: &mut Lease, row: &str) -> Result<()> {
    let sql = format!("INSERT {row}");
    lease.run(&statement(&sql), &mut Sink::discard()).await?;
    Ok(())
}

#[tokio::test]
async fn the_next_borrower_is_clean_whenever_a_transaction_is_dropped() {
    for recoverable in [true, false] {
        let world = World::new(2);
        world.recoverable.store(recoverable, SeqCst);
        let pool = pool(&world, &options(1));
        for polls in 0..200 {
            world.clear();
            let work = async {
                let mut lease = pool.acquire(Intent::Write).await?;
                lease.begin(&TransactionOptions::new()).await?;
                insert(&mut lease, "a").await?;
                lease.savepoint(1).await?;
                insert(&mut lease, "b").await?;
                lease.rollback_to(1).await?;
                lease.commit().await
            };
            let done = poll_then_drop(work, polls).await.is_some();
            let mut next = pool.acquire(Intent::Write).await.unwrap();
            assert_eq!(next.health(), Health::Clean, "after {polls} polls");
            insert(&mut next, "next").await.unwrap();
            drop(next);
            let rows = world.rows();
            assert!(
                rows == ["next"] || rows == ["a", "next"],
                "{rows:?} after {polls} polls"
            );
            world.assert_sound();
            assert_eq!((pool.status().size, world.open.load(SeqCst)), (1, 1));
            if done {
                assert_eq!(rows, ["a", "next"]);
                assert!(polls > 20, "too few polls to prove much: {polls}");
                break;
            }
        }
    }
}

#[tokio::test]
async fn several_statements_stop_at_the_first_error() {
    let world = World::new(1);
    let pool = pool(&world, &options(1));
    let mut lease = pool.acquire(Intent::Write).await.unwrap();
    let statements = ["INSERT a", "FAIL", "INSERT b"].map(statement);
    let mut sinks = [Sink::discard(), Sink::discard(), Sink::discard()];
    let pairs = statements.iter().zip(&mut sinks);
    let mut steps: Vec<Step<'_>> = pairs.map(|(s, sink)| Step::new(s, sink)).collect();
    lease.run_many(&mut []).await.unwrap();
    let error = lease.run_many(&mut steps).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Statement);
    let done: Vec<bool> = steps.iter().map(|step| step.done.is_some()).collect();
    assert_eq!(done, [true, false, false]);
    assert_eq!(world.rows(), ["a"]);
    assert_eq!(lease.health(), Health::Clean);
    let rows = crate::backend::BulkRows::new("t", &["a"], &[]);
    assert_eq!(lease.bulk_insert(&rows).await.unwrap(), None);
}

#[tokio::test]
async fn a_full_pool_times_out_and_says_who_holds() {
    let world = World::new(0);
    let pool = pool(&world, &options(1));
    let held = pool.acquire(Intent::Read).await.unwrap();
    let error = pool.acquire(Intent::Read).await.unwrap_err();
    assert!(matches!(error, Error::Timeout(TimeoutKind::Acquire, _)));
    let text = error.to_string();
    assert!(
        text.contains("none of the 1 connections to fake-target"),
        "{text}"
    );
    assert!(text.contains("longest held for 2"), "{text}");
    assert!(pool.status().longest_held.is_some());
    drop(held);
    assert_eq!(pool.status().longest_held, None);
    pool.acquire(Intent::Read).await.unwrap();
    assert_eq!(world.opened.load(SeqCst), 1);
}

#[tokio::test]
async fn waiters_that_are_dropped_keep_no_place() {
    let world = World::new(0);
    let pool = pool(&world, &options(1));
    for polls in 0..4 {
        let held = pool.acquire(Intent::Read).await.unwrap();
        let waiter = poll_then_drop(pool.acquire(Intent::Read), polls);
        assert!(waiter.await.is_none());
        drop(held);
        pool.acquire(Intent::Read).await.unwrap();
    }
    assert_eq!(pool.status().waiting, 0);
}

#[tokio::test]
async fn closing_refuses_waiters_and_newcomers_and_closes_what_comes_back() {
    let world = World::new(0);
    let pool = pool(&world, &options(1));
    let held = pool.acquire(Intent::Read).await.unwrap();
    let waiter = tokio::spawn({
        let pool = pool.clone();
        async move { pool.acquire(Intent::Read).await.unwrap_err() }
    });
    tokio::task::yield_now().await;
    pool.close().await;
    pool.close().await;
    for error in [
        waiter.await.unwrap(),
        pool.acquire(Intent::Read).await.unwrap_err(),
    ] {
        assert!(error.to_string().contains("is closed"), "{error}");
    }
    drop(held);
    assert_eq!(world.open.load(SeqCst), 0);
}

#[tokio::test]
async fn connecting_has_a_deadline_and_gives_its_place_back() {
    let world = World::new(0);
    world.connect_hangs.store(true, SeqCst);
    let mut options = options(1);
    options.connect_timeout = Duration::from_millis(20);
    let pool = pool(&world, &options);
    let error = pool.acquire(Intent::Read).await.unwrap_err();
    assert!(matches!(error, Error::Timeout(TimeoutKind::Connect, _)));
    world.connect_hangs.store(false, SeqCst);
    pool.acquire(Intent::Read).await.unwrap();
}

#[tokio::test]
async fn a_statement_past_its_limit_fails_and_the_connection_recovers() {
    let world = World::new(0);
    let mut options = options(1);
    options.statement_timeout = Some(Duration::from_millis(20));
    let pool = pool(&world, &options);
    let mut lease = pool.acquire(Intent::Read).await.unwrap();
    let error = lease.run(&statement("HANG"), &mut Sink::discard()).await;
    assert!(matches!(
        error,
        Err(Error::Timeout(TimeoutKind::Statement, _))
    ));
    let refused = lease.run(&statement("X"), &mut Sink::discard()).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::ConnectionLost);
    drop(lease);
    let mut lease = pool.acquire(Intent::Read).await.unwrap();
    insert(&mut lease, "a").await.unwrap();
    world.assert_sound();
}

#[tokio::test]
async fn broken_and_stale_connections_are_not_lent() {
    let world = World::new(0);
    let pool = pool(&world, &options(2));
    let mut lease = pool.acquire(Intent::Read).await.unwrap();
    let lost = lease.run(&statement("LOSE"), &mut Sink::discard()).await;
    assert_eq!(lost.unwrap_err().kind(), ErrorKind::ConnectionLost);
    drop(lease);
    assert_eq!(world.open.load(SeqCst), 0);
    let (a, b) = (
        pool.acquire(Intent::Read).await.unwrap(),
        pool.acquire(Intent::Read).await.unwrap(),
    );
    world.wants_ping.store(true, SeqCst);
    drop((a, b));
    world.ping_fails.store(true, SeqCst);
    pool.acquire(Intent::Read).await.unwrap();
    assert_eq!((world.opened.load(SeqCst), world.open.load(SeqCst)), (4, 1));
}

#[tokio::test]
async fn a_connection_lost_in_use_makes_its_idle_peers_suspect() {
    let world = World::new(0);
    let pool = pool(&world, &options(3));
    let mut leases = Vec::new();
    for _ in 0..3 {
        leases.push(pool.acquire(Intent::Read).await.unwrap());
    }
    world.wants_ping.store(true, SeqCst);
    drop(leases);
    world.wants_ping.store(false, SeqCst);
    world.ping_fails.store(true, SeqCst);
    let mut lease = pool.acquire(Intent::Read).await.unwrap();
    assert_eq!(world.opened.load(SeqCst), 3, "nobody was asked yet");
    let lost = lease.run(&statement("LOSE"), &mut Sink::discard()).await;
    assert_eq!(lost.unwrap_err().kind(), ErrorKind::ConnectionLost);
    drop(lease);
    pool.acquire(Intent::Read).await.unwrap();
    assert_eq!((world.opened.load(SeqCst), world.open.load(SeqCst)), (4, 1));
}

#[tokio::test]
async fn raw_state_is_reset_before_the_next_use() {
    let world = World::new(1);
    let pool = pool(&world, &options(1));
    pool.acquire(Intent::Write)
        .await
        .unwrap()
        .run_script("BEGIN; SET x")
        .await
        .unwrap();
    let mut lease = pool.acquire(Intent::Write).await.unwrap();
    assert_eq!(lease.health(), Health::Clean);
    assert_eq!(world.resets.load(SeqCst), 1);
    let raw = statement("SET y").uncached();
    lease.run(&raw, &mut Sink::discard()).await.unwrap();
    drop(lease);
    pool.acquire(Intent::Write).await.unwrap();
    assert_eq!(world.resets.load(SeqCst), 2);
}

#[tokio::test]
async fn a_panic_of_the_driver_leaves_the_pool_healthy() {
    let world = World::new(0);
    let pool = pool(&world, &options(1));
    let task = tokio::spawn({
        let pool = pool.clone();
        async move {
            let mut lease = pool.acquire(Intent::Write).await.unwrap();
            lease.begin(&TransactionOptions::new()).await.unwrap();
            let _ = lease.run(&statement("PANIC"), &mut Sink::discard()).await;
        }
    });
    assert!(task.await.unwrap_err().is_panic());
    let mut lease = pool.acquire(Intent::Write).await.unwrap();
    assert_eq!(lease.health(), Health::Clean);
}

#[tokio::test]
async fn a_clean_up_past_its_deadline_closes_the_connection() {
    let world = World::new(0);
    let mut options = options(1);
    options.cleanup_timeout = Duration::from_millis(20);
    let pool = pool(&world, &options);
    let mut lease = pool.acquire(Intent::Write).await.unwrap();
    lease.begin(&TransactionOptions::new()).await.unwrap();
    world.yields.store(usize::MAX, SeqCst);
    let started = Instant::now();
    drop(lease);
    pool.acquire(Intent::Write).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(1));
    assert_eq!((world.opened.load(SeqCst), world.open.load(SeqCst)), (2, 1));
}

#[test]
fn without_a_runtime_nothing_panics_and_nothing_dirty_is_lent() {
    for bound in [true, false] {
        let world = World::new(0);
        let connector = FakeConnector {
            world: Arc::clone(&world),
            writers: None,
            bound,
        };
        let pool = Pool::new(connector, &options(1)).unwrap();
        let runtime = || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
        };
        let first = runtime();
        let lease = first.block_on(async {
            let mut lease = pool.acquire(Intent::Write).await.unwrap();
            lease.begin(&TransactionOptions::new()).await.unwrap();
            lease
        });
        // The clean-up task is spawned and dropped with its runtime.
        first.block_on(async { drop(lease) });
        drop(first);
        let second = runtime();
        let mut lease = second.block_on(pool.acquire(Intent::Write)).unwrap();
        assert_eq!(lease.health(), Health::Clean);
        second
            .block_on(lease.begin(&TransactionOptions::new()))
            .unwrap();
        drop(second);
        drop(lease);
        let mut lease = runtime().block_on(pool.acquire(Intent::Write)).unwrap();
        assert_eq!(lease.health(), Health::Clean);
        world.assert_sound();
        assert_eq!(world.opened.load(SeqCst), if bound { 3 } else { 1 });
    }
}

#[tokio::test]
async fn writers_have_their_own_connections() {
    let world = World::new(0);
    let connector = FakeConnector {
        world: Arc::clone(&world),
        writers: Some(1),
        bound: true,
    };
    let pool = Pool::new(connector, &options(3)).unwrap();
    let mut writer = pool.acquire(Intent::Write).await.unwrap();
    let native = writer.native().unwrap().downcast_ref::<FakeSession>();
    assert_eq!(native.unwrap().intent, Intent::Write);
    pool.acquire(Intent::Write).await.unwrap_err();
    let _a = pool.acquire(Intent::Read).await.unwrap();
    let _b = pool.acquire(Intent::Read).await.unwrap();
    pool.acquire(Intent::Read).await.unwrap_err();
    assert_eq!(pool.status().max_size, 3);
    assert!(Pool::new(pool.connector().clone(), &options(0)).is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_tasks_share_few_connections_under_random_cancellation() {
    let world = World::new(1);
    let mut options = options(4);
    options.acquire_timeout = Duration::from_secs(20);
    let pool = pool(&world, &options);
    let tasks: Vec<_> = (0..400)
        .map(|i| {
            let pool = pool.clone();
            tokio::spawn(async move {
                let work = async {
                    let mut lease = pool.acquire(Intent::Write).await.unwrap();
                    assert_eq!(lease.health(), Health::Clean);
                    lease.begin(&TransactionOptions::new()).await.unwrap();
                    insert(&mut lease, "x").await.unwrap();
                    lease.commit().await.unwrap();
                };
                poll_then_drop(work, i % 23).await
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    world.assert_sound();
    let mut all = Vec::new();
    for _ in 0..4 {
        all.push(pool.acquire(Intent::Write).await.unwrap());
    }
    assert_eq!(all.len(), 4);
    assert!(world.open.load(SeqCst) <= 4);
}
