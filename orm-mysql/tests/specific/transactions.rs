//! Transactions as these servers have them: implicit commits, deadlocks, waits.

use crate::support::{Database, lease, number, on_both, rows, script, statement};
use orm_core::backend::{BaseDBAsyncClient, Health, Isolation, Lease, Sink, TransactionOptions};
use orm_core::error::{Error, ErrorKind, Result, TimeoutKind};

on_both! {
    ddl_in_a_transaction_is_refused
    a_deadlock_ends_the_whole_transaction
    a_lock_wait_ends_the_statement_only
    savepoints_undo_their_part
    isolation_levels_hold
    read_only_transactions_refuse_writes
    a_failed_statement_leaves_the_transaction_open
    commit_after_the_end_is_an_error
}

async fn write(lease: &mut Lease, sql: &str) -> Result<u64> {
    let done = lease
        .run(&statement(sql, Vec::new()), &mut Sink::discard())
        .await;
    done.map(|done| done.rows_affected)
}

async fn begin(lease: &mut Lease) {
    lease.begin(&TransactionOptions::new()).await.unwrap();
    assert_eq!(lease.health(), Health::InTransaction);
}

async fn ddl_in_a_transaction_is_refused(db: Database) {
    let client = db.client().await;
    script(&client, "CREATE TABLE t (a INT)").await;
    let mut held = lease(&client).await;
    begin(&mut held).await;
    write(&mut held, "INSERT INTO t VALUES (1)").await.unwrap();
    for sql in [
        "CREATE TABLE u (a INT)",
        "/* x */ DROP TABLE t",
        "TRUNCATE t",
        "BEGIN",
    ] {
        let error = write(&mut held, sql).await.unwrap_err();
        assert!(
            matches!(error, Error::Unsupported("transactional_ddl")),
            "{sql}: {error}"
        );
    }
    let error = held
        .run_script("SELECT 1; CREATE TABLE u (a INT)")
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Unsupported("transactional_ddl")));
    // Nothing was sent, so all of it can still be undone.
    held.rollback().await.unwrap();
    assert_eq!(held.health(), Health::Clean);
    drop(held);
    assert_eq!(number(&client, "SELECT COUNT(*) FROM t").await, 0);
    let mut held = lease(&client).await;
    begin(&mut held).await;
    write(&mut held, "CREATE TEMPORARY TABLE mine (a INT)")
        .await
        .unwrap();
    assert_eq!(held.health(), Health::InTransaction);
}

async fn a_deadlock_ends_the_whole_transaction(db: Database) {
    let client = db.client().await;
    script(
        &client,
        "CREATE TABLE t (id INT PRIMARY KEY, n INT); INSERT INTO t VALUES (1, 0), (2, 0)",
    )
    .await;
    let (mut one, mut two) = (lease(&client).await, lease(&client).await);
    begin(&mut one).await;
    begin(&mut two).await;
    let add = |id: i32| format!("UPDATE t SET n = n + 1 WHERE id = {id}");
    write(&mut one, &add(1)).await.unwrap();
    write(&mut two, &add(2)).await.unwrap();
    let (first, second) = (add(2), add(1));
    let (left, right) = tokio::join!(write(&mut one, &first), write(&mut two, &second));
    let (mut victim, mut winner) = match (&left, &right) {
        (Err(_), Ok(_)) => (one, two),
        (Ok(_), Err(_)) => (two, one),
        other => panic!("one of them loses: {other:?}"),
    };
    let error = left.and(right).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Serialization, "{error}");
    assert_eq!(victim.health(), Health::Clean);
    // The server would take it, and keep nothing of what comes after apart.
    assert_eq!(
        victim.savepoint(1).await.unwrap_err().kind(),
        ErrorKind::Serialization
    );
    assert!(victim.commit().await.is_err());
    winner.commit().await.unwrap();
    drop((victim, winner));
    assert_eq!(number(&client, "SELECT SUM(n) = 2 FROM t").await, 1);
}

async fn a_lock_wait_ends_the_statement_only(db: Database) {
    let client = db.client().await;
    script(
        &client,
        "CREATE TABLE t (id INT PRIMARY KEY, n INT); INSERT INTO t VALUES (1, 0), (2, 0)",
    )
    .await;
    let (mut holder, mut waiter) = (lease(&client).await, lease(&client).await);
    rows(&mut waiter, "SET SESSION innodb_lock_wait_timeout = 1").await;
    begin(&mut holder).await;
    begin(&mut waiter).await;
    write(&mut holder, "UPDATE t SET n = 1 WHERE id = 1")
        .await
        .unwrap();
    write(&mut waiter, "UPDATE t SET n = 2 WHERE id = 2")
        .await
        .unwrap();
    let error = write(&mut waiter, "UPDATE t SET n = 2 WHERE id = 1")
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Timeout(TimeoutKind::Lock, _)),
        "{error}"
    );
    assert_eq!(waiter.health(), Health::InTransaction);
    let error = rows_fail(
        &mut waiter,
        "SELECT * FROM t WHERE id = 1 FOR UPDATE NOWAIT",
    )
    .await;
    assert!(
        matches!(error, Error::Timeout(TimeoutKind::Lock, _)),
        "{error}"
    );
    waiter.rollback().await.unwrap();
    holder.commit().await.unwrap();
    drop((holder, waiter));
    assert_eq!(number(&client, "SELECT SUM(n) = 1 FROM t").await, 1);
}

async fn rows_fail(lease: &mut Lease, sql: &str) -> Error {
    let statement = statement(sql, Vec::new());
    lease
        .run(&statement, &mut Sink::discard())
        .await
        .unwrap_err()
}

async fn savepoints_undo_their_part(db: Database) {
    let client = db.client().await;
    script(&client, "CREATE TABLE t (a INT)").await;
    let mut held = lease(&client).await;
    begin(&mut held).await;
    write(&mut held, "INSERT INTO t VALUES (1)").await.unwrap();
    for round in 0..2 {
        held.savepoint(1).await.unwrap();
        write(&mut held, "INSERT INTO t VALUES (2)").await.unwrap();
        held.savepoint(2).await.unwrap();
        write(&mut held, "INSERT INTO t VALUES (4)").await.unwrap();
        held.release(2).await.unwrap();
        if round == 0 {
            held.rollback_to(1).await.unwrap();
        } else {
            held.release(1).await.unwrap();
        }
        assert_eq!(held.health(), Health::InTransaction);
    }
    held.commit().await.unwrap();
    assert_eq!(held.health(), Health::Clean);
    drop(held);
    assert_eq!(number(&client, "SELECT SUM(a) = 7 FROM t").await, 1);
}

async fn isolation_levels_hold(db: Database) {
    let client = db.client().await;
    script(&client, "CREATE TABLE t (a INT); INSERT INTO t VALUES (1)").await;
    let mut held = lease(&client).await;
    for (level, sees) in [
        (Some(Isolation::ReadCommitted), true),
        (Some(Isolation::RepeatableRead), false),
        (None, false),
        (Some(Isolation::ReadCommitted), true),
    ] {
        let mut options = TransactionOptions::new();
        options.isolation = level;
        held.begin(&options).await.unwrap();
        let before = rows(&mut held, "SELECT COUNT(*) FROM t").await;
        client
            .execute_query("INSERT INTO t VALUES (2)", Vec::new())
            .await
            .unwrap();
        let after = rows(&mut held, "SELECT COUNT(*) FROM t").await;
        assert_eq!(before != after, sees, "{level:?}");
        held.commit().await.unwrap();
    }
    // Serializable: what was read is locked.
    held.begin(&TransactionOptions::new().isolation(Isolation::Serializable))
        .await
        .unwrap();
    rows(&mut held, "SELECT * FROM t").await;
    let mut other = lease(&client).await;
    rows(&mut other, "SET SESSION innodb_lock_wait_timeout = 1").await;
    let error = write(&mut other, "UPDATE t SET a = 9").await.unwrap_err();
    assert!(
        matches!(error, Error::Timeout(TimeoutKind::Lock, _)),
        "{error}"
    );
}

async fn read_only_transactions_refuse_writes(db: Database) {
    let client = db.client().await;
    script(&client, "CREATE TABLE t (a INT)").await;
    let mut held = lease(&client).await;
    held.begin(&TransactionOptions::new().read_only())
        .await
        .unwrap();
    let error = write(&mut held, "INSERT INTO t VALUES (1)")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadOnly);
    held.rollback().await.unwrap();
    assert_eq!(
        write(&mut held, "INSERT INTO t VALUES (1)").await.unwrap(),
        1
    );
}

async fn a_failed_statement_leaves_the_transaction_open(db: Database) {
    let client = db.client().await;
    script(&client, "CREATE TABLE t (a INT PRIMARY KEY)").await;
    let mut held = lease(&client).await;
    begin(&mut held).await;
    write(&mut held, "INSERT INTO t VALUES (1)").await.unwrap();
    let error = write(&mut held, "INSERT INTO t VALUES (1)")
        .await
        .unwrap_err();
    assert!(error.is_unique_violation());
    assert_eq!(held.health(), Health::InTransaction);
    // Refused here, after the server has prepared it.
    let error = write(&mut held, "INSERT INTO t VALUES (?)")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Statement);
    assert_eq!(held.health(), Health::InTransaction);
    // Dropped with a transaction open: undone before the next user.
    drop(held);
    assert_eq!(number(&client, "SELECT COUNT(*) FROM t").await, 0);
}

async fn commit_after_the_end_is_an_error(db: Database) {
    let client = db.client().await;
    let mut held = lease(&client).await;
    begin(&mut held).await;
    held.commit().await.unwrap();
    assert!(held.commit().await.is_err());
    held.rollback().await.unwrap();
    assert_eq!(held.health(), Health::Clean);
}
