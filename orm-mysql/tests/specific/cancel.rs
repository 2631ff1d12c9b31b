//! Futures that are dropped half way: the statement ends on the server, and nobody gets its answer.

use crate::support::{Database, becomes, lease, number, on_both, rows, script, statement};
use orm_core::backend::{BaseDBAsyncClient, Health, Intent, Sink, TransactionOptions};
use orm_core::value::Value;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

on_both! {
    the_next_user_gets_rows_of_their_own
    a_dropped_statement_ends_on_the_server
    a_dropped_transaction_gives_its_locks_back
    a_dropped_stream_of_rows_is_not_read_to_its_end
    a_storm_of_drops_keeps_the_server_free
    a_transaction_may_be_dropped_at_every_poll
    answers_never_cross_under_random_drops
}

const RUNNING: &str = "SELECT COUNT(*) FROM information_schema.processlist \
    WHERE info LIKE '%BENCHMARK(%' AND info NOT LIKE '%processlist%' AND db = DATABASE()";

/// Rounds that take minutes. `SLEEP` would do, but MariaDB may take two seconds to end one of many.
const ENDLESS: i64 = 4_000_000_000;

fn busy() -> String {
    format!("SELECT BENCHMARK({ENDLESS}, 1 + 1)")
}

/// Awaits for so long, and then drops.
async fn only_for<F: Future>(limit: Duration, work: F) {
    assert!(
        tokio::time::timeout(limit, work).await.is_err(),
        "it was too quick"
    );
}

async fn the_next_user_gets_rows_of_their_own(db: Database) {
    let client = db.client_with("&max_connections=1").await;
    script(
        &client,
        "CREATE TABLE t (id INT, owner TEXT); INSERT INTO t VALUES (1, 'alice'), (2, 'bob')",
    )
    .await;
    let sql = "SELECT owner FROM t WHERE id = ? AND BENCHMARK(?, 1 + 1) = 0";
    for _ in 0..3 {
        let slow = client.execute_query(sql, vec![1i64.into(), ENDLESS.into()]);
        only_for(Duration::from_millis(50), slow).await;
        let start = Instant::now();
        let rows = client
            .execute_query(sql, vec![2i64.into(), 0i64.into()])
            .await
            .unwrap();
        assert_eq!(rows.rows(), [vec![Value::from("bob")]]);
        assert!(
            start.elapsed() < Duration::from_millis(400),
            "{:?}",
            start.elapsed()
        );
    }
}

async fn a_dropped_statement_ends_on_the_server(db: Database) {
    let client = db.client().await;
    let watcher = db.client().await;
    only_for(
        Duration::from_millis(200),
        client.execute_query(&busy(), Vec::new()),
    )
    .await;
    becomes(&watcher, RUNNING, 0).await;
    only_for(
        Duration::from_millis(200),
        client.execute_script(&busy().replace("SELECT", "DO")),
    )
    .await;
    becomes(&watcher, RUNNING, 0).await;
    assert_eq!(number(&client, "SELECT 41 + 1").await, 42);
}

async fn a_dropped_transaction_gives_its_locks_back(db: Database) {
    let client = db.client().await;
    script(
        &client,
        "CREATE TABLE t (id INT PRIMARY KEY, n INT); INSERT INTO t VALUES (1, 0)",
    )
    .await;
    let update = "UPDATE t SET n = n + 1 WHERE id = 1";
    let work = async {
        let mut lease = lease(&client).await;
        lease.begin(&TransactionOptions::new()).await.unwrap();
        let update = statement(update, Vec::new());
        lease.run(&update, &mut Sink::discard()).await.unwrap();
        rows(&mut lease, &busy()).await;
    };
    only_for(Duration::from_millis(200), work).await;
    let start = Instant::now();
    let done = client.execute_query(update, Vec::new()).await.unwrap();
    assert_eq!(done.rows_affected(), 1);
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(number(&client, "SELECT n FROM t").await, 1);
}

async fn a_dropped_stream_of_rows_is_not_read_to_its_end(db: Database) {
    let client = db.client_with("&max_connections=1").await;
    // About 16 million rows: never all in a moment.
    let digits = "(SELECT 0 a UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3)";
    let tables: Vec<String> = (0..12).map(|i| format!("{digits} t{i}")).collect();
    let sql = format!("SELECT t0.a, REPEAT('x', 100) FROM {}", tables.join(", "));
    let mut lease = client.acquire(Intent::Read).await.unwrap();
    let endless = statement(&sql, Vec::new());
    let mut sink = Sink::discard();
    only_for(Duration::from_millis(200), lease.run(&endless, &mut sink)).await;
    assert_eq!(lease.health(), Health::Broken);
    drop(lease);
    let start = Instant::now();
    assert_eq!(number(&client, "SELECT 7").await, 7);
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );
}

async fn a_storm_of_drops_keeps_the_server_free(db: Database) {
    let client = db.client_with("&max_connections=4").await;
    let watcher = db.client().await;
    let sessions = "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE()";
    let client = std::sync::Arc::new(client);
    let mut most = 0;
    for _ in 0..10 {
        let storm: Vec<_> = (0..10)
            .map(|_| {
                let client = client.clone();
                tokio::spawn(async move {
                    let sql = busy();
                    let slow = client.execute_query(&sql, Vec::new());
                    let _ = tokio::time::timeout(Duration::from_millis(30), slow).await;
                })
            })
            .collect();
        for task in storm {
            task.await.unwrap();
        }
        most = most.max(number(&watcher, sessions).await);
    }
    becomes(&watcher, RUNNING, 0).await;
    // Four of the pool, two that end others, those closing, and the watcher.
    assert!(most <= 4 + 2 + 4 + 1, "{most} sessions");
    assert_eq!(number(&client, "SELECT 1").await, 1);
}

/// Polls a future at most so often, and then gives up: `None`.
struct AtMost<F>(Pin<Box<F>>, usize);

impl<F: Future> Future for AtMost<F> {
    type Output = Option<F::Output>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.0.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if self.1 <= 1 => Poll::Ready(None),
            Poll::Pending => {
                self.1 -= 1;
                Poll::Pending
            }
        }
    }
}

async fn a_transaction_may_be_dropped_at_every_poll(db: Database) {
    let client = db.client_with("&max_connections=1").await;
    let watcher = db.client().await;
    script(&client, "CREATE TABLE t (a INT PRIMARY KEY)").await;
    let (mut polls, mut finished) = (0, false);
    while !finished {
        polls += 1;
        assert!(polls < 200, "it never ends");
        let work = async {
            let mut lease = lease(&client).await;
            lease.begin(&TransactionOptions::new()).await.unwrap();
            lease.savepoint(1).await.unwrap();
            let insert = statement("INSERT INTO t VALUES (?)", vec![polls.into()]);
            lease.run(&insert, &mut Sink::discard()).await.unwrap();
            lease.rollback_to(1).await.unwrap();
            lease.run(&insert, &mut Sink::discard()).await.unwrap();
            lease.commit().await.unwrap();
        };
        let at_most = usize::try_from(polls).unwrap();
        finished = AtMost(Box::pin(work), at_most).await.is_some();
        let mut next = lease(&client).await;
        assert_eq!(next.health(), Health::Clean, "after {polls} polls");
        // Were it inside a transaction, nobody else would see this.
        let marker = statement("INSERT INTO t VALUES (?)", vec![(-polls).into()]);
        next.run(&marker, &mut Sink::discard()).await.unwrap();
        drop(next);
        let sql = format!("SELECT COUNT(*) FROM t WHERE a = {}", -polls);
        assert_eq!(number(&watcher, &sql).await, 1, "after {polls} polls");
    }
    assert!(polls > 5, "{polls} polls");
    assert_eq!(
        number(
            &watcher,
            &format!("SELECT COUNT(*) FROM t WHERE a = {polls}")
        )
        .await,
        1
    );
}

async fn answers_never_cross_under_random_drops(db: Database) {
    let client = std::sync::Arc::new(db.client_with("&max_connections=4").await);
    let tasks: Vec<_> = (0..8u64)
        .map(|task| {
            let client = client.clone();
            tokio::spawn(async move {
                let mut answered = 0;
                // A small generator, so that a failure can be run again.
                let mut state = task.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
                for round in 0..100u64 {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    let mine = i64::try_from(task * 1_000 + round).unwrap();
                    let ask =
                        client.execute_query("SELECT ?, REPEAT('x', 20000)", vec![mine.into()]);
                    let limit = Duration::from_micros(state % 4_000);
                    if let Ok(rows) = tokio::time::timeout(limit, ask).await {
                        assert_eq!(rows.unwrap().rows()[0][0], mine.into());
                        answered += 1;
                    }
                }
                answered
            })
        })
        .collect();
    let mut answered = 0;
    for task in tasks {
        answered += task.await.unwrap();
    }
    assert!(
        answered > 0 && answered < 800,
        "{answered} answers: the limits cut none, or all"
    );
    assert_eq!(number(&client, "SELECT 42").await, 42);
}
