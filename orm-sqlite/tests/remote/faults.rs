//! Servers that fail: what the caller is told, and what becomes of the connection.

use crate::server::{Fault, Limits, Server};
use crate::{begin, connect, count, open, read, run, write};
use orm_core::backend::{BaseDBAsyncClient, Health, Intent, Session, Sink, TransactionManager};
use orm_core::error::{Error, ErrorKind};
use orm_core::value::Value;
use std::{
    future::{Future, poll_fn},
    task::Poll,
    time::{Duration, Instant},
};

const CANARY: &str = "canary-token";

fn unknown(error: &Error) -> bool {
    error
        .as_database()
        .is_some_and(|report| report.outcome_unknown())
}

#[tokio::test]
async fn an_idle_stream_is_replaced_outside_of_a_transaction() {
    let server = Server::start(None, Limits::default());
    let mut session = connect(&server).await;
    let select = read("SELECT 1");
    run(&mut session, &select).await.expect("leaves a stream");
    assert_eq!(server.streams(), 1);
    server.fail(&[Fault::Expire]);
    run(&mut session, &select).await.expect("on a new stream");
    server.fail(&[Fault::Expire]);
    run(&mut session, &write("CREATE TABLE t (a)"))
        .await
        .expect("on a new stream");
    assert_eq!(session.health(), Health::Clean);
}

#[tokio::test]
async fn an_expired_stream_is_a_lost_transaction() {
    let server = Server::start(None, Limits::default());
    let db = open(&server.url()).await.expect("opens");
    db.execute_script("CREATE TABLE t (a)")
        .await
        .expect("a table");
    for sql in ["INSERT INTO t VALUES (2)", "SELECT a FROM t"] {
        let mut session = connect(&server).await;
        begin(&mut session).await.expect("begins");
        run(&mut session, &write("INSERT INTO t VALUES (1)"))
            .await
            .expect("inserts");
        server.fail(&[Fault::Expire]);
        let error = run(&mut session, &write(sql)).await.expect_err("expired");
        assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
        assert!(
            error.to_string().contains(&server.address().to_string()),
            "{error}"
        );
        assert_eq!(session.health(), Health::Broken);
        let again = run(&mut session, &write(sql)).await.expect_err("closed");
        assert_eq!(again.kind(), ErrorKind::ConnectionLost);
        assert!(session.rollback().await.is_err());
    }
    assert_eq!(count(&db, "t").await, Value::I64(0));
}

#[tokio::test]
async fn an_expired_commit_is_unknown_to_the_caller() {
    let server = Server::start(None, Limits::default());
    let db = open(&server.url()).await.expect("opens");
    db.execute_script("CREATE TABLE t (a)")
        .await
        .expect("a table");
    let mut lease = db.acquire(Intent::Write).await.expect("a lease");
    lease.begin(&Default::default()).await.expect("begins");
    let insert = write("INSERT INTO t VALUES (1)");
    lease
        .run(&insert, &mut Sink::discard())
        .await
        .expect("inserts");
    server.fail(&[Fault::NoAnswer]);
    let error = lease.commit().await.expect_err("no answer");
    assert_eq!(error.kind(), ErrorKind::CommitOutcomeUnknown, "{error}");
    drop(lease);
    // It was run before the server hung up.
    assert_eq!(count(&db, "t").await, Value::I64(1));
}

#[tokio::test]
async fn a_transaction_that_keeps_others_waiting_can_be_tried_again() {
    let lock = Duration::from_millis(150);
    let limits = Limits {
        lock,
        ..Limits::default()
    };
    let server = Server::start(None, limits);
    let (mut first, mut second) = (connect(&server).await, connect(&server).await);
    run(&mut first, &write("CREATE TABLE t (a)"))
        .await
        .expect("a table");
    begin(&mut first).await.expect("begins");
    let insert = write("INSERT INTO t VALUES (1)");
    run(&mut first, &insert).await.expect("holds the lock");
    run(&mut second, &insert).await.expect("gets the lock");
    let error = run(&mut first, &insert).await.expect_err("rolled back");
    assert!(error.is_retryable(), "{error}");
    assert_ne!(first.health(), Health::InTransaction);
    let rows = run(&mut second, &write("DELETE FROM t")).await;
    assert_eq!(rows.expect("deletes"), 1);
}

#[tokio::test]
async fn a_lock_is_waited_for() {
    // The server itself gives up at once.
    let limits = Limits {
        patience: Duration::ZERO,
        idle: Duration::from_millis(300),
        ..Limits::default()
    };
    let server = Server::start(None, limits);
    let mut first = connect(&server).await;
    run(&mut first, &write("CREATE TABLE t (a)"))
        .await
        .expect("a table");
    let url = format!("{}?busy_timeout=100", server.url());
    let hasty = open(&url).await.expect("opens");
    let patient = open(&server.url()).await.expect("opens");
    begin(&mut first).await.expect("begins");
    let insert = "INSERT INTO t VALUES (1)";
    run(&mut first, &write(insert))
        .await
        .expect("holds the lock");
    let error = hasty
        .execute_query(insert, vec![])
        .await
        .expect_err("locked");
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert!(error.to_string().contains("busy_timeout"), "{error}");
    // The stream of the first expires, and with it its lock.
    patient.execute_query(insert, vec![]).await.expect("waits");
}

#[tokio::test]
async fn a_refused_token_is_named_and_never_shown() {
    let server = Server::start(Some(CANARY), Limits::default());
    let db = open(&server.url()).await.expect("the right token");
    let wrong = server.url().replace(CANARY, "canary-wrong");
    let error = open(&wrong).await.expect_err("the wrong token");
    assert_eq!(error.kind(), ErrorKind::Auth, "{error}");
    assert!(error.to_string().contains("authToken"), "{error}");
    let mut texts = vec![format!("{error} {error:?}"), format!("{db:?}")];
    for status in [400, 401, 404, 413, 429, 500, 503] {
        server.fail(&[Fault::Status(status)]);
        let error = db
            .execute_query("SELECT 1", vec![])
            .await
            .expect_err("refused");
        texts.push(format!("{error} {error:?}"));
    }
    let mut session = connect(&server).await;
    texts.push(format!("{session:?}"));
    server.fail(&[Fault::Stall]);
    let limit = Duration::from_millis(50);
    let select = read("SELECT 1");
    let stalled = tokio::time::timeout(limit, run(&mut session, &select));
    assert!(stalled.await.is_err());
    texts.push(format!("{session:?}"));
    for text in texts {
        assert!(!text.contains("canary"), "{text}");
        assert!(!text.contains("Bearer c"), "{text}");
    }
}

#[tokio::test]
async fn statuses_have_their_kinds() {
    let server = Server::start(None, Limits::default());
    for (status, kind, is_unknown) in [
        (401, ErrorKind::Auth, false),
        (404, ErrorKind::Auth, false),
        (413, ErrorKind::Resource, false),
        (429, ErrorKind::Resource, false),
        (418, ErrorKind::Operational, false),
        (500, ErrorKind::ConnectionLost, true),
        (503, ErrorKind::ConnectionLost, true),
    ] {
        for (statement, writes) in [
            (write("CREATE TABLE t (a)"), true),
            (read("SELECT 1"), false),
        ] {
            let mut session = connect(&server).await;
            server.fail(&[Fault::Status(status)]);
            let error = run(&mut session, &statement).await.expect_err("refused");
            assert_eq!(error.kind(), kind, "{error}");
            assert_eq!(unknown(&error), is_unknown && writes, "{error}");
            assert!(error.to_string().contains(&status.to_string()), "{error}");
            assert_eq!(session.health(), Health::Broken);
        }
    }
}

#[tokio::test]
async fn answers_that_break_off_are_never_taken_for_whole() {
    let server = Server::start(None, Limits::default());
    let db = open(&server.url()).await.expect("opens");
    let rows = "CREATE TABLE t (a); INSERT INTO t WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL \
                SELECT x + 1 FROM c WHERE x < 500) SELECT x FROM c;";
    db.execute_script(rows).await.expect("rows");
    let select = read("SELECT a FROM t");
    let insert = write("INSERT INTO t VALUES (0)");
    let returning = write("INSERT INTO t VALUES (0) RETURNING a");
    for fault in [Fault::NoAnswer, Fault::Cut, Fault::Nonsense, Fault::NoText] {
        // The first request of a text with rows describes it.
        for (statement, before) in [(&select, 0), (&select, 1), (&insert, 0), (&returning, 1)] {
            let mut session = connect(&server).await;
            let mut faults = vec![Fault::None; before];
            faults.push(fault);
            server.fail(&faults);
            let error = run(&mut session, statement).await.expect_err("no answer");
            assert_eq!(
                error.kind(),
                ErrorKind::ConnectionLost,
                "{fault:?}: {error}"
            );
            assert_eq!(
                unknown(&error),
                statement.intent == Intent::Write,
                "{error}"
            );
            assert_eq!(session.health(), Health::Broken);
        }
    }
    assert!(
        count(&db, "t").await != Value::I64(500),
        "the writes were run"
    );
}

#[tokio::test]
async fn a_silent_server_is_given_up() {
    let server = Server::start(None, Limits::default());
    let db = open(&format!("{}?request_timeout=200", server.url()))
        .await
        .expect("opens");
    for (sql, is_unknown) in [("SELECT 1", false), ("CREATE TABLE t (a)", true)] {
        let started = Instant::now();
        server.fail(&[Fault::Stall]);
        let error = db.execute_query(sql, vec![]).await.expect_err("no answer");
        assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
        assert!(error.to_string().contains("200ms"), "{error}");
        assert_eq!(unknown(&error), is_unknown, "{error}");
        assert!(started.elapsed() < Duration::from_secs(2));
        db.execute_query("SELECT 1", vec![])
            .await
            .expect("the pool is fine");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = port.local_addr().expect("an address");
    drop(port);
    let url = format!("libsql+http://{address}?authToken={CANARY}");
    let error = open(&url).await.expect_err("nobody listens");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
    assert!(error.to_string().contains(&address.to_string()), "{error}");
    assert!(error.to_string().contains("check the host"), "{error}");
    assert!(!unknown(&error) && !format!("{error:?}").contains(CANARY));
    // A server that speaks something else, or no TLS.
    let server = Server::start(None, Limits::default());
    let url = format!("libsql://{}", server.address());
    let error = open(&url).await.expect_err("no TLS there");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
    server.fail(&[Fault::Nonsense]);
    let error = open(&server.url()).await.expect_err("nonsense");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
}

#[tokio::test]
async fn a_dropped_call_closes_the_connection_and_frees_its_lock() {
    let server = Server::start(None, Limits::default());
    let db = open(&server.url()).await.expect("opens");
    db.execute_script("CREATE TABLE t (a)")
        .await
        .expect("a table");
    for sql in ["INSERT INTO t VALUES (1)", "SELECT a FROM t", "COMMIT"] {
        let mut session = connect(&server).await;
        begin(&mut session).await.expect("begins");
        run(&mut session, &write("INSERT INTO t VALUES (1)"))
            .await
            .expect("inserts");
        server.fail(&[Fault::Stall]);
        let limit = Duration::from_millis(50);
        let statement = write(sql);
        let call = run(&mut session, &statement);
        assert!(tokio::time::timeout(limit, call).await.is_err());
        assert_eq!(session.health(), Health::Broken);
        assert!(session.recover().await.is_err());
        drop(session);
        // It asks the server to close the stream.
        let started = Instant::now();
        db.execute_query("DELETE FROM t", vec![])
            .await
            .expect("no lock is left");
        assert!(started.elapsed() < Duration::from_secs(2));
    }
    let deadline = Instant::now() + Duration::from_secs(2);
    while server.streams() > 1 && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(server.streams() <= 1, "{} streams", server.streams());
}

/// Polls a future so many times at most.
async fn poll_times<F: Future>(future: F, times: usize) -> Option<F::Output> {
    let mut future = Box::pin(future);
    let mut left = times;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

#[tokio::test]
async fn a_call_can_be_dropped_at_every_poll() {
    let lock = Duration::from_millis(50);
    let server = Server::start(
        None,
        Limits {
            lock,
            ..Limits::default()
        },
    );
    let db = open(&server.url()).await.expect("opens");
    db.execute_script("CREATE TABLE t (a)")
        .await
        .expect("a table");
    let mut times = 0;
    loop {
        let call = async {
            let mut lease = db.acquire(Intent::Write).await?;
            lease.begin(&Default::default()).await?;
            let insert = write("INSERT INTO t VALUES (1) RETURNING a");
            lease.run(&insert, &mut Sink::discard()).await?;
            lease.commit().await
        };
        let done = poll_times(call, times).await;
        // The next one gets its own answer, and no lock is in its way.
        let id = i64::try_from(times).expect("a small number");
        let rows = db.execute_query("SELECT ?", vec![id.into()]).await;
        assert_eq!(rows.expect("its own").rows()[0][0], Value::I64(id));
        let sql = "DELETE FROM t WHERE a = 1 RETURNING a";
        let rows = db.execute_query(sql, vec![]).await.expect("deletes");
        if let Some(result) = done {
            result.expect("commits");
            assert_eq!(rows.len(), 1, "what was acknowledged is there");
            break;
        }
        times += 1;
    }
    assert!(times > 4, "only {times} polls");
}
