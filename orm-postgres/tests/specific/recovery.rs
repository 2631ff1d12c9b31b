//! Dropped futures, dead connections, and what raw SQL leaves behind.

use crate::database::{Database, one};
use crate::proxy::Proxy;
use orm_core::backend::{
    BaseDBAsyncClient, Health, Intent, Sink, Statement, StatementText, TransactionOptions,
};
use orm_core::error::ErrorKind;
use orm_core::value::Value;
use std::time::{Duration, Instant};

/// How many statements with this mark the server runs for the database.
async fn running(spy: &dyn BaseDBAsyncClient, mark: &str) -> Value {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
               AND state <> 'idle' AND pid <> pg_backend_pid() AND query LIKE '%' || $1 || '%'";
    let rows = spy.execute_query(sql, vec![mark.into()]).await;
    rows.expect("the spy sees").rows()[0][0].clone()
}

async fn until_none_runs(spy: &dyn BaseDBAsyncClient, mark: &str) {
    let start = Instant::now();
    while running(spy, mark).await != Value::I64(0) {
        assert!(start.elapsed() < Duration::from_secs(1), "still runs");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_statement_is_cancelled_and_the_next_user_is_clean() {
    let database = Database::new().await;
    let spy = database.client("max_connections=1").await;
    for mode in ["statement_mode=named", "statement_mode=unnamed"] {
        let client = database.client(&format!("max_connections=1&{mode}")).await;
        let pid = one(&client, "SELECT pg_backend_pid()").await;
        for _ in 0..5 {
            let sleeps = client.execute_query("SELECT pg_sleep(30)", Vec::new());
            let waited = tokio::time::timeout(Duration::from_millis(50), sleeps).await;
            assert!(waited.is_err(), "it sleeps");
            let start = Instant::now();
            assert_eq!(one(&client, "SELECT 42").await, 42.into());
            assert!(
                start.elapsed() < Duration::from_secs(1),
                "{:?}",
                start.elapsed()
            );
            until_none_runs(&spy, "pg_sleep(30)").await;
        }
        // Recovered, not replaced.
        assert_eq!(one(&client, "SELECT pg_backend_pid()").await, pid, "{mode}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_transaction_is_rolled_back_wherever_it_was() {
    let database = Database::new().await;
    let client = database.client("max_connections=1").await;
    let spy = database.client("max_connections=1").await;
    client
        .execute_script("CREATE TABLE t (id int)")
        .await
        .expect("a table");
    for polls in 0..40 {
        let work = async {
            let mut lease = client.acquire(Intent::Write).await?;
            lease.begin(&TransactionOptions::new()).await?;
            let text = StatementText::new("INSERT INTO t VALUES (1)");
            let insert = Statement::new(text, Vec::new());
            lease.run(&insert, &mut Sink::discard()).await?;
            lease.run_script("SELECT pg_sleep(30)").await
        };
        let mut work = Box::pin(work);
        for _ in 0..polls {
            let waker = std::task::Waker::noop();
            let mut cx = std::task::Context::from_waker(waker);
            assert!(work.as_mut().poll(&mut cx).is_pending());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        drop(work);
        let mut lease = client.acquire(Intent::Write).await.expect("a connection");
        assert_eq!(lease.health(), Health::Clean);
        drop(lease);
        assert_eq!(
            one(&client, "SELECT count(*) FROM t").await,
            0.into(),
            "{polls}"
        );
        let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                    AND state LIKE 'idle in transaction%'";
        assert_eq!(one(&spy, open).await, 0.into(), "{polls}");
    }
}

#[tokio::test]
async fn what_raw_text_leaves_is_undone() {
    let database = Database::new().await;
    let client = database.client("max_connections=1").await;
    for script in [
        "SET statement_timeout = 1234; SET TimeZone = 'Asia/Tokyo'; SET search_path = nowhere",
        "SELECT pg_advisory_lock(42); CREATE TEMP TABLE left_over (id int); LISTEN news",
        "SET SESSION AUTHORIZATION pg_monitor",
        "BEGIN; CREATE TABLE never (id int)",
    ] {
        client.execute_script(script).await.expect(script);
        for (sql, wanted) in [
            (
                "SELECT current_setting('statement_timeout')",
                Value::from("0"),
            ),
            ("SELECT current_setting('TimeZone')", "UTC".into()),
            (
                "SELECT current_setting('search_path')",
                "\"$user\", public".into(),
            ),
            (
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'",
                0.into(),
            ),
            (
                "SELECT count(*) FROM pg_class WHERE relname IN ('left_over', 'never')",
                0.into(),
            ),
            ("SELECT count(*) FROM pg_listening_channels()", 0.into()),
            ("SELECT current_user = session_user", true.into()),
            ("SELECT current_user <> 'pg_monitor'", true.into()),
        ] {
            assert_eq!(one(&client, sql).await, wanted, "{script}: {sql}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_connection_is_replaced_and_one_that_dies_is_reported() {
    let database = Database::new().await;
    let client = database.client("max_connections=1").await;
    let spy = database.client("max_connections=1").await;
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                WHERE datname = current_database() AND pid <> pg_backend_pid()";
    one(&client, "SELECT 1").await;
    spy.execute_query(kill, Vec::new()).await.expect("kills");
    // The reader of the socket needs a moment to see its end.
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(one(&client, "SELECT 1").await, 1.into());

    client
        .execute_script("CREATE TABLE t (id int)")
        .await
        .expect("a table");
    let writes = client.execute_query("INSERT INTO t SELECT 1 FROM pg_sleep(30)", Vec::new());
    let (error, _) = tokio::join!(writes, async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        spy.execute_query(kill, Vec::new()).await.expect("kills")
    });
    let error = error.expect_err("killed");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
    let report = error.as_database().expect("the server's words");
    // The server said that it stopped the statement, so it did not take effect.
    assert!(
        !report.outcome_unknown() && error.to_string().contains("terminating"),
        "{error}"
    );
    assert_eq!(one(&client, "SELECT count(*) FROM t").await, 0.into());

    let mut lease = client.acquire(Intent::Write).await.expect("a connection");
    lease
        .begin(&TransactionOptions::new())
        .await
        .expect("begins");
    spy.execute_query(kill, Vec::new()).await.expect("kills");
    let error = lease.commit().await.expect_err("killed");
    assert_eq!(error.kind(), ErrorKind::CommitOutcomeUnknown, "{error}");
    assert_eq!(lease.health(), Health::Broken);
    drop(lease);
    assert_eq!(one(&client, "SELECT 1").await, 1.into());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_says_whether_the_outcome_is_known() {
    let database = Database::new().await;
    let proxy = Proxy::start(database.address(), Duration::ZERO).await;
    let url = database.url_at(proxy.port, "max_connections=1");
    let client = crate::database::open(&url).await.expect("opens");
    client
        .execute_script("CREATE TABLE t (id int)")
        .await
        .expect("a table");
    let cut = async |sql: &str, intent| {
        let statement = Statement::new(StatementText::new(sql), Vec::new()).with_intent(intent);
        // Prepared while the answers still come, so that only the last one is lost.
        let mut lease = client.acquire(Intent::Write).await.expect("a connection");
        lease
            .begin(&TransactionOptions::new())
            .await
            .expect("begins");
        lease
            .run(&statement, &mut Sink::discard())
            .await
            .expect("runs");
        lease.rollback().await.expect("rolls back");
        proxy.cut_answers(true);
        let lost = lease
            .run(&statement, &mut Sink::discard())
            .await
            .expect_err("cut");
        proxy.cut_answers(false);
        assert_eq!(lost.kind(), ErrorKind::ConnectionLost, "{lost}");
        assert_eq!(lease.health(), Health::Broken);
        lost.as_database().expect("a report").outcome_unknown()
    };
    assert!(cut("INSERT INTO t VALUES (1)", Intent::Write).await);
    assert!(!cut("SELECT * FROM t", Intent::Read).await);
    // The row is there although the answer was lost, and the pool goes on.
    assert_eq!(one(&client, "SELECT count(*) FROM t").await, 1.into());

    let mut lease = client.acquire(Intent::Write).await.expect("a connection");
    lease
        .begin(&TransactionOptions::new())
        .await
        .expect("begins");
    proxy.cut_answers(true);
    let text = StatementText::new("INSERT INTO t VALUES (1)");
    let insert = Statement::new(text, Vec::new());
    let lost = lease
        .run(&insert, &mut Sink::discard())
        .await
        .expect_err("cut");
    proxy.cut_answers(false);
    // Inside a transaction nothing is stored before COMMIT.
    assert!(!lost.as_database().expect("a report").outcome_unknown());
    drop(lease);

    // Unless it was raw text that commits.
    let mut lease = client.acquire(Intent::Write).await.expect("a connection");
    let begin = TransactionOptions::new();
    lease.begin(&begin).await.expect("begins");
    proxy.cut_answers(true);
    let lost = lease.run_script("COMMIT").await.expect_err("cut");
    proxy.cut_answers(false);
    assert!(lost.as_database().expect("a report").outcome_unknown());
    drop(lease);

    let mut lease = client.acquire(Intent::Write).await.expect("a connection");
    lease
        .begin(&TransactionOptions::new())
        .await
        .expect("begins");
    lease
        .run(&insert, &mut Sink::discard())
        .await
        .expect("inserts");
    proxy.cut_answers(true);
    let lost = lease.commit().await.expect_err("cut");
    proxy.cut_answers(false);
    assert_eq!(lost.kind(), ErrorKind::CommitOutcomeUnknown, "{lost}");
    drop(lease);
    assert_eq!(one(&client, "SELECT count(*) FROM t").await, 2.into());
}

#[tokio::test]
async fn a_sink_that_stops_or_fails_leaves_the_connection_in_step() {
    use orm_core::backend::{Collect, RowAccess, RowSink, SinkFlow};
    #[derive(Default)]
    struct First(u32);
    impl RowSink for First {
        fn row(&mut self, _: &dyn RowAccess) -> orm_core::error::Result<SinkFlow> {
            self.0 += 1;
            Ok(SinkFlow::Stop)
        }
        fn into_any(self: Box<Self>) -> Box<dyn std::any::Any + Send> {
            self
        }
    }
    let database = Database::new().await;
    let client = database.client("max_connections=1").await;
    let mut lease = client.acquire(Intent::Read).await.expect("a connection");
    let text = StatementText::new("SELECT i, 10 / (100000 - i) FROM generate_series(1, 99999) i");
    let many = Statement::new(text, Vec::new()).with_intent(Intent::Read);
    let mut sink = Sink::new(First::default());
    lease.run(&many, &mut sink).await.expect("stops early");
    assert_eq!(sink.downcast::<First>().expect("the sink").0, 1);

    // An error that comes after the sink has stopped is still one.
    let text = StatementText::new("SELECT 10 / (1000 - i) FROM generate_series(1, 1000) i");
    let fails = Statement::new(text, Vec::new()).with_intent(Intent::Read);
    let mut sink = Sink::new(First::default());
    let error = lease
        .run(&fails, &mut sink)
        .await
        .expect_err("divides by zero");
    assert_eq!(error.kind(), ErrorKind::Data);

    fn refuse(_: &dyn RowAccess) -> orm_core::error::Result<()> {
        Err(orm_core::error::Error::validation("row", "is not wanted"))
    }
    let mut sink = Sink::new(Collect::new(refuse));
    let error = lease.run(&many, &mut sink).await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Validation);
    assert_eq!(lease.health(), Health::Clean);
}
