//! What the session knows of its transaction.

use crate::database::{Database, one};
use orm_core::backend::{
    BaseDBAsyncClient, Health, Intent, Isolation, Lease, Sink, Statement, StatementText,
    TransactionOptions,
};
use orm_core::error::{ErrorKind, Result};

async fn run(lease: &mut Lease, sql: &str) -> Result<()> {
    let statement = Statement::new(StatementText::new(sql), Vec::new());
    lease.run(&statement, &mut Sink::discard()).await.map(drop)
}

#[tokio::test]
async fn commit_of_a_failed_transaction_is_an_error() {
    let database = Database::new().await;
    let client = database.client("max_connections=1").await;
    client
        .execute_script("CREATE TABLE t (id int PRIMARY KEY)")
        .await
        .expect("a table");
    let mut lease = client.acquire(Intent::Write).await.expect("a connection");
    lease
        .begin(&TransactionOptions::new())
        .await
        .expect("begins");
    run(&mut lease, "INSERT INTO t VALUES (1)")
        .await
        .expect("inserts");
    run(&mut lease, "INSERT INTO t VALUES (1)")
        .await
        .expect_err("a duplicate");
    assert_eq!(lease.health(), Health::InTransaction);
    let error = lease.commit().await.expect_err("failed before");
    let code = error.as_database().and_then(|report| report.code());
    assert_eq!(code, Some("25P02"));
    lease.rollback().await.expect("rolls back");
    assert_eq!(lease.health(), Health::Clean);
    drop(lease);
    assert_eq!(one(&client, "SELECT count(*) FROM t").await, 0.into());
}

#[tokio::test]
async fn a_failure_that_nobody_noticed_keeps_the_commit_from_lying() {
    let database = Database::new().await;
    let client = database.client("max_connections=1").await;
    client
        .execute_script("CREATE TABLE t (id int PRIMARY KEY)")
        .await
        .expect("a table");
    let mut lease = client.acquire(Intent::Write).await.expect("a connection");
    lease
        .begin(&TransactionOptions::new())
        .await
        .expect("begins");
    run(&mut lease, "INSERT INTO t VALUES (1)")
        .await
        .expect("inserts");
    let native = lease.native().expect("in step");
    let native = native
        .downcast_mut::<tokio_postgres::Client>()
        .expect("the documented type");
    native.batch_execute("SELECT 1/0").await.expect_err("fails");
    let error = lease.commit().await.expect_err("failed before");
    let code = error.as_database().and_then(|report| report.code());
    assert_eq!(code, Some("25P02"));
    lease.rollback().await.expect("rolls back");
    assert_eq!(lease.health(), Health::Clean);
}

#[tokio::test]
async fn deferred_constraints_roll_back_at_commit() {
    let database = Database::new().await;
    let client = database.client("max_connections=1").await;
    client
        .execute_script("CREATE TABLE t (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
        .await
        .expect("a table");
    let mut lease = client.acquire(Intent::Write).await.expect("a connection");
    lease
        .begin(&TransactionOptions::new())
        .await
        .expect("begins");
    run(&mut lease, "INSERT INTO t VALUES (1), (1)")
        .await
        .expect("deferred");
    let error = lease.commit().await.expect_err("a duplicate");
    assert!(error.is_unique_violation());
    assert_eq!(lease.health(), Health::Clean);
    lease.rollback().await.expect("nothing to do");
    drop(lease);
    assert_eq!(one(&client, "SELECT count(*) FROM t").await, 0.into());
}

#[tokio::test]
async fn savepoints_undo_a_failure() {
    let database = Database::new().await;
    let client = database.client("max_connections=1").await;
    client
        .execute_script("CREATE TABLE t (id int PRIMARY KEY)")
        .await
        .expect("a table");
    let mut lease = client.acquire(Intent::Write).await.expect("a connection");
    lease
        .begin(&TransactionOptions::new())
        .await
        .expect("begins");
    run(&mut lease, "INSERT INTO t VALUES (1)")
        .await
        .expect("inserts");
    lease.savepoint(1).await.expect("a savepoint");
    run(&mut lease, "INSERT INTO t VALUES (1)")
        .await
        .expect_err("a duplicate");
    lease.rollback_to(1).await.expect("undoes");
    run(&mut lease, "INSERT INTO t VALUES (2)")
        .await
        .expect("goes on");
    lease.commit().await.expect("commits");
    drop(lease);
    assert_eq!(one(&client, "SELECT count(*) FROM t").await, 2.into());
}

#[tokio::test]
async fn options_reach_the_server() {
    let database = Database::new().await;
    let client = database.client("max_connections=1").await;
    let mut lease = client.acquire(Intent::Write).await.expect("a connection");
    let options = TransactionOptions::new()
        .isolation(Isolation::Serializable)
        .read_only();
    lease.begin(&options).await.expect("begins");
    run(
        &mut lease,
        "SELECT 1 / (current_setting('transaction_isolation') = 'serializable')::int",
    )
    .await
    .expect("serializable");
    let error = run(&mut lease, "CREATE TABLE t ()")
        .await
        .expect_err("read-only");
    assert_eq!(error.kind(), ErrorKind::ReadOnly);
    lease.rollback().await.expect("rolls back");
}

#[tokio::test]
async fn transactions_of_raw_text_are_noticed() {
    let database = Database::new().await;
    let client = database.client("max_connections=1").await;
    let mut lease = client.acquire(Intent::Write).await.expect("a connection");
    lease
        .run_script("BEGIN; CREATE TABLE t (id int)")
        .await
        .expect("begins");
    assert_eq!(lease.health(), Health::InTransaction);
    lease.run_script("COMMIT").await.expect("commits");
    assert_eq!(lease.health(), Health::Clean);
    lease
        .run_script("begin; SELECT 1/0; COMMIT")
        .await
        .expect_err("fails");
    assert_eq!(lease.health(), Health::InTransaction);
    drop(lease);
    // The transaction was rolled back before the connection was lent again.
    let mut lease = client.acquire(Intent::Write).await.expect("a connection");
    assert_eq!(lease.health(), Health::Clean);
    run(&mut lease, "INSERT INTO t VALUES (1)")
        .await
        .expect("no failed transaction");
    drop(lease);
    client
        .execute_query("BEGIN", Vec::new())
        .await
        .expect("begins");
    // Inside one transaction, both would be the same.
    let first = one(&client, "SELECT now()").await;
    assert!(first != one(&client, "SELECT now()").await);
}

#[tokio::test]
async fn scripts_keep_what_ran_before_an_error() {
    let database = Database::new().await;
    let client = database.client("max_connections=1").await;
    let script = "CREATE TABLE t (id int); INSERT INTO t VALUES (1); SELECT nonsense; DROP TABLE t";
    client.execute_script(script).await.expect_err("nonsense");
    assert_eq!(one(&client, "SELECT count(*) FROM t").await, 1.into());
    client
        .execute_script(" -- nothing\n")
        .await
        .expect("no statement");
}

#[tokio::test]
async fn conflicts_are_retryable_and_locks_time_out() {
    let database = Database::new().await;
    let client = database.client("max_connections=2").await;
    client
        .execute_script("CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 0)")
        .await
        .expect("a table");
    let options = TransactionOptions::new().isolation(Isolation::RepeatableRead);
    let mut first = client.acquire(Intent::Write).await.expect("a connection");
    let mut second = client.acquire(Intent::Write).await.expect("a connection");
    first.begin(&options).await.expect("begins");
    second.begin(&options).await.expect("begins");
    run(&mut first, "SELECT * FROM t").await.expect("reads");
    run(&mut second, "UPDATE t SET n = 1")
        .await
        .expect("writes");
    let error = run(&mut first, "SELECT * FROM t FOR UPDATE NOWAIT")
        .await
        .expect_err("locked");
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.to_string().contains("lock"), "{error}");
    first.rollback().await.expect("rolls back");
    first.begin(&options).await.expect("begins");
    run(&mut first, "SELECT * FROM t").await.expect("reads");
    second.commit().await.expect("commits");
    let error = run(&mut first, "UPDATE t SET n = 2")
        .await
        .expect_err("a conflict");
    assert!(error.is_retryable(), "{error}");
}
