//! Futures that are dropped half way: the statement ends on the server, and nobody gets its answer.

use crate::support::{Database, becomes, lease, number, on_both, rows, script, statement};
use orm_core::backend::{BaseDBAsyncClient, Health, Intent, Sink, TransactionOptions};
use orm_core::value::Value;
use std::time::{Duration, Instant};

on_both! {
    the_next_user_gets_rows_of_their_own
    a_dropped_statement_ends_on_the_server
    a_dropped_transaction_gives_its_locks_back
    a_dropped_stream_of_rows_is_not_read_to_its_end
    a_storm_of_drops_keeps_the_server_free
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
