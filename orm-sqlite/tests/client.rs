//! The pooled client as the core uses it.

use orm_core::backend::{Backend, BaseDBAsyncClient, ConnectOptions, ConnectionUrl};
use orm_core::value::Value;
use orm_sqlite::SqliteBackend;
use std::sync::Arc;
use std::time::Duration;

async fn client(url: &str) -> Arc<dyn BaseDBAsyncClient> {
    let url = ConnectionUrl::parse(url).expect("a URL");
    let opened = SqliteBackend
        .connect(&url, &ConnectOptions::default())
        .await;
    opened.expect("opens")
}

const TABLE: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, n INTEGER) STRICT";

#[tokio::test]
async fn the_documented_calls_work_in_memory() {
    let db = client("sqlite::memory:").await;
    db.execute_script(TABLE).await.expect("table");
    let key = db
        .execute_insert("INSERT INTO t (n) VALUES (?)", vec![5.into()])
        .await;
    assert_eq!(key.expect("insert"), Value::I64(1));
    let sets = vec![vec![6.into()], vec![7.into()]];
    let count = db.execute_many("INSERT INTO t (n) VALUES (?)", sets).await;
    assert_eq!(count.expect("many"), 2);
    let dicts = db
        .execute_query_dict("SELECT n FROM t WHERE id = ?", vec![3.into()])
        .await;
    assert_eq!(dicts.expect("row")[0]["n"], Value::I64(7));
    // The data outlives a query that its caller gave up.
    let slow = "SELECT count(*) FROM t a, t b, (WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL \
                SELECT x + 1 FROM c WHERE x < 20000000) SELECT x FROM c)";
    let limit = Duration::from_millis(30);
    assert!(
        tokio::time::timeout(limit, db.execute_query(slow, Vec::new()))
            .await
            .is_err()
    );
    let rows = db
        .execute_query("SELECT n FROM t", Vec::new())
        .await
        .expect("rows");
    assert_eq!(rows.len(), 3);
    db.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tasks_write_and_read_one_file() {
    let path = std::env::temp_dir().join(format!("orm-sqlite-client-{}.db", std::process::id()));
    let db = client(&format!("sqlite://{}", path.display())).await;
    db.execute_script(TABLE).await.expect("table");
    let mut tasks = Vec::new();
    for task in 0..16i64 {
        let db = Arc::clone(&db);
        tasks.push(tokio::spawn(async move {
            for _ in 0..25 {
                let insert = db.execute_insert("INSERT INTO t (n) VALUES (?)", vec![task.into()]);
                insert.await.expect("insert");
                let own = "SELECT n FROM t WHERE n = ?";
                let rows = db
                    .execute_query(own, vec![task.into()])
                    .await
                    .expect("rows");
                assert!(rows.rows().iter().all(|row| row[0] == Value::I64(task)));
            }
        }));
    }
    for task in tasks {
        task.await.expect("task");
    }
    let rows = db
        .execute_query("SELECT count(*) FROM t", Vec::new())
        .await
        .expect("rows");
    assert_eq!(rows.rows()[0][0], Value::I64(400));
    db.close().await;
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", path.display()));
    }
}
