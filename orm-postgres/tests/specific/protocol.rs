//! Round trips, prepared statements, and statements sent together.

use crate::database::{Database, one};
use crate::proxy::Proxy;
use orm_core::backend::{
    BaseDBAsyncClient, BulkRows, Connector, Health, Intent, Lease, Session, Sink, Statement,
    StatementText, Step, TransactionOptions,
};
use orm_core::backend::{Collect, ConnectionUrl, RowAccess};
use orm_core::error::{ErrorKind, Result};
use orm_core::value::Value;
use orm_postgres::PostgresConnector;
use std::sync::Arc;
use std::time::Duration;

fn statement(text: &Arc<StatementText>, values: Vec<Value>) -> Statement {
    Statement::new(Arc::clone(text), values)
}

async fn rows(lease: &mut Lease, statement: &Statement) -> Result<Vec<usize>> {
    fn width(row: &dyn RowAccess) -> Result<usize> {
        Ok(row.len())
    }
    let mut sink = Sink::new(Collect::new(width));
    lease.run(statement, &mut sink).await?;
    Ok(sink
        .downcast::<Collect<usize>>()
        .expect("the sink")
        .into_rows())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_is_one_round_trip_once_it_is_warm() {
    let database = Database::new().await;
    let proxy = Proxy::start(database.address(), Duration::ZERO).await;
    let url = database.url_at(proxy.port, "max_connections=1");
    let client = crate::database::open(&url).await.expect("opens");
    client
        .execute_script("CREATE TABLE t (id int PRIMARY KEY, name text)")
        .await
        .expect("a table");
    let texts = [
        "INSERT INTO t VALUES ($1, $2) RETURNING id",
        "SELECT * FROM t WHERE id = $1 AND name = $2",
        "UPDATE t SET name = $2 WHERE id = $1",
        "DELETE FROM t WHERE id = $1 AND name = $2",
    ]
    .map(|sql| statement(&StatementText::new(sql), vec![1.into(), "a".into()]));
    for text in &texts {
        client.run(text, &mut Sink::discard()).await.expect("runs");
    }
    for text in &texts {
        proxy.take();
        client.run(text, &mut Sink::discard()).await.expect("runs");
        let counts = proxy.take();
        let sent: String = counts.messages.keys().collect();
        // Bind, Execute and Sync: nothing prepared, no ping.
        assert_eq!(sent, "BES", "{}", text.sql());
        assert_eq!((counts.turns, counts.connections), (1, 0), "{}", text.sql());
    }
    // A text that is used once is not prepared by a round trip of its own.
    client
        .execute_query("SELECT $1", vec!["x".into()])
        .await
        .expect("runs");
    assert_eq!(proxy.take().turns, 1);

    let mut lease = client.acquire(Intent::Write).await.expect("a connection");
    lease
        .begin(&TransactionOptions::new())
        .await
        .expect("begins");
    lease
        .run(&texts[0], &mut Sink::discard())
        .await
        .expect("runs");
    lease.commit().await.expect("commits");
    drop(lease);
    assert_eq!(proxy.take().turns, 3);
    let unnamed = database.url_at(proxy.port, "max_connections=1&statement_mode=unnamed");
    let client = crate::database::open(&unnamed).await.expect("opens");
    for text in &texts[1..3] {
        proxy.take();
        client.run(text, &mut Sink::discard()).await.expect("runs");
        assert_eq!(proxy.take().turns, 1, "{}", text.sql());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_that_are_sent_together_are_one_round_trip() {
    let database = Database::new().await;
    // Answers are held back, so that what is not sent at once is another turn.
    let proxy = Proxy::start(database.address(), Duration::from_millis(20)).await;
    let url = database.url_at(proxy.port, "max_connections=1");
    let client = crate::database::open(&url).await.expect("opens");
    client
        .execute_script("CREATE TABLE t (id int PRIMARY KEY)")
        .await
        .expect("a table");
    let texts = ["SELECT 1", "SELECT 2, 2", "SELECT 3, 3, 3"].map(StatementText::new);
    let reads = texts.map(|text| statement(&text, Vec::new()).with_intent(Intent::Read));
    for round in 0..2 {
        proxy.take();
        let mut sinks = [Sink::discard(), Sink::discard(), Sink::discard()];
        let pairs = reads.iter().zip(&mut sinks);
        let mut steps: Vec<Step<'_>> = pairs.map(|(read, sink)| Step::new(read, sink)).collect();
        client.run_many(&mut steps).await.expect("reads");
        assert!(steps.iter().all(|step| step.done.is_some()));
        if round == 1 {
            assert_eq!(proxy.take().turns, 1);
        }
    }
    let insert = "INSERT INTO t VALUES ($1)";
    let sets = |from: i64| (from..from + 50).map(|i| vec![Value::I64(i)]).collect();
    proxy.take();
    assert_eq!(
        client.execute_many(insert, sets(0)).await.expect("inserts"),
        50
    );
    // BEGIN, the preparation, all of the sets, COMMIT.
    assert_eq!(proxy.take().turns, 4);
    let error = client
        .execute_many(insert, sets(49))
        .await
        .expect_err("49 is there");
    assert!(error.is_unique_violation());
    assert_eq!(one(&client, "SELECT count(*) FROM t").await, 50.into());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copied_rows_are_all_or_none() {
    use orm_core::backend::{BulkRows, Health};
    let database = Database::new().await;
    let client = database.client("max_connections=1").await;
    client
        .execute_script(
            "CREATE TABLE \"odd \"\"name\" (id serial PRIMARY KEY, a text, b bytea, c timestamptz, d float8, e bool UNIQUE)",
        )
        .await
        .expect("a table");
    let at = orm_core::value::parse_datetime("2024-02-29 23:59:59.123456").expect("an instant");
    let row: Vec<Value> = vec![
        "a\tb\\N\n\r\\.".into(),
        vec![0u8, 92, 10].into(),
        at.into(),
        0.1.into(),
        Value::Null,
    ];
    let columns = ["a", "b", "c", "d", "e"];
    let values: Vec<Value> = row.iter().cycle().take(5 * 20_000).cloned().collect();
    let rows = BulkRows::new("odd \"name", &columns, &values);
    let mut lease = client.acquire(Intent::Write).await.expect("a connection");
    for round in 1..=2 {
        let done = lease
            .bulk_insert(&rows)
            .await
            .expect("copies")
            .expect("faster");
        assert_eq!(done.rows_affected, 20_000, "{round}");
    }
    let few = BulkRows::new("odd \"name", &columns, &values[..5]);
    assert_eq!(
        lease.bulk_insert(&few).await.expect("nothing is sent"),
        None
    );

    let mut twice = values.clone();
    twice[4] = true.into();
    twice[9] = true.into();
    let twice = BulkRows::new("odd \"name", &columns, &twice);
    let error = lease.bulk_insert(&twice).await.expect_err("a duplicate");
    assert!(error.is_unique_violation(), "{error}");
    let mut wrong = values.clone();
    let last = wrong.len() - 2;
    wrong[last] = Value::Array(Box::new(orm_core::value::Array::new(
        orm_core::value::ColumnType::Text,
        vec![Value::Text("x".into())],
    )));
    let wrong = BulkRows::new("odd \"name", &columns, &wrong);
    let error = lease.bulk_insert(&wrong).await.expect_err("no number");
    assert_eq!(error.kind(), ErrorKind::Data, "{error}");
    lease
        .begin(&TransactionOptions::new())
        .await
        .expect("begins");
    lease.bulk_insert(&wrong).await.expect_err("no number");
    let error = lease.commit().await.expect_err("it failed");
    let code = error.as_database().and_then(|report| report.code());
    assert_eq!(code, Some("25P02"));
    lease.rollback().await.expect("rolls back");
    assert_eq!(lease.health(), Health::Clean);
    drop(lease);
    let sql = "SELECT count(*) FROM \"odd \"\"name\"";
    assert_eq!(one(&client, sql).await, 40_000.into());
    let sql = "SELECT a, b, c, d, e FROM \"odd \"\"name\" LIMIT 1";
    let read = client.execute_query(sql, Vec::new()).await.expect("reads");
    assert_eq!(read.rows(), [row]);

    // A copy that cannot begin costs the connection, and nothing else.
    let mut lease = client.acquire(Intent::Write).await.expect("a connection");
    let nowhere = BulkRows::new("nowhere", &columns, &values);
    let error = lease.bulk_insert(&nowhere).await.expect_err("no table");
    assert_eq!(error.kind(), ErrorKind::Statement, "{error}");
    assert_eq!(lease.health(), Health::Broken);
    drop(lease);
    assert_eq!(one(&client, "SELECT 1").await, 1.into());
}

#[tokio::test]
async fn writes_outside_a_transaction_stop_at_the_first_error() {
    let database = Database::new().await;
    let client = database.client("max_connections=1").await;
    client
        .execute_script("CREATE TABLE t (id int PRIMARY KEY)")
        .await
        .expect("a table");
    let text = StatementText::new("INSERT INTO t VALUES ($1)");
    let writes = [1, 1, 2].map(|i| statement(&text, vec![Value::I64(i)]));
    let mut sinks = [Sink::discard(), Sink::discard(), Sink::discard()];
    let pairs = writes.iter().zip(&mut sinks);
    let mut steps: Vec<Step<'_>> = pairs.map(|(write, sink)| Step::new(write, sink)).collect();
    let error = client.run_many(&mut steps).await.expect_err("a duplicate");
    assert!(error.is_unique_violation());
    let done: Vec<bool> = steps.iter().map(|step| step.done.is_some()).collect();
    assert_eq!(done, [true, false, false]);
    assert_eq!(one(&client, "SELECT count(*) FROM t").await, 1.into());
}

#[tokio::test]
async fn kept_statements_survive_changes_of_their_tables() {
    let database = Database::new().await;
    let client = database.client("max_connections=1").await;
    let other = database.client("max_connections=1").await;
    other
        .execute_script("CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
        .await
        .expect("a table");
    let text = StatementText::new("SELECT * FROM t");
    let select = statement(&text, Vec::new()).with_intent(Intent::Read);
    let mut lease = client.acquire(Intent::Read).await.expect("a connection");
    assert_eq!(rows(&mut lease, &select).await.expect("reads"), [1]);
    other
        .execute_script("ALTER TABLE t ADD b int")
        .await
        .expect("alters");
    assert_eq!(
        rows(&mut lease, &select).await.expect("prepared again"),
        [2]
    );
    // Inside a transaction it cannot be repeated, but the next transaction is fine.
    lease
        .begin(&TransactionOptions::new())
        .await
        .expect("begins");
    other
        .execute_script("ALTER TABLE t ADD c int")
        .await
        .expect("alters");
    let error = rows(&mut lease, &select).await.expect_err("stale");
    assert_eq!(error.kind(), ErrorKind::Statement);
    lease.rollback().await.expect("rolls back");
    assert_eq!(
        rows(&mut lease, &select).await.expect("prepared again"),
        [3]
    );
    // Statements that are gone from the server are prepared again too.
    lease.run_script("DEALLOCATE ALL").await.expect("forgets");
    assert_eq!(
        rows(&mut lease, &select).await.expect("prepared again"),
        [3]
    );
}

#[tokio::test]
async fn prepared_statements_are_bounded_and_closed() {
    let database = Database::new().await;
    let url = ConnectionUrl::parse(&database.url("statement_cache=3")).expect("a URL");
    let connector = PostgresConnector::from_url(&url).expect("a connector");
    let mut session = connector.connect(Intent::Write).await.expect("opens");
    for i in 0..20 {
        let text = StatementText::new(format!("SELECT {i}"));
        for statement in [
            statement(&text, Vec::new()),
            statement(&text, Vec::new()).uncached(),
        ] {
            session
                .run(&statement, &mut Sink::discard())
                .await
                .expect("runs");
        }
    }
    assert_eq!(session.kept_statements(), 3);
    fn count(row: &dyn RowAccess) -> Result<Value> {
        Ok(row.cell(0)?.to_value())
    }
    let text = StatementText::new("SELECT count(*) FROM pg_prepared_statements");
    let mut sink = Sink::new(Collect::new(count));
    let asked = statement(&text, Vec::new()).uncached();
    session.run(&asked, &mut sink).await.expect("runs");
    let counted = sink
        .downcast::<Collect<Value>>()
        .expect("the sink")
        .into_rows();
    assert_eq!(counted, [Value::I64(3)]);
}

/// What is found at the commit of a COPY is an error, and nothing is stored.
#[tokio::test]
async fn a_copy_that_fails_at_its_commit_is_not_acknowledged() {
    let database = Database::new().await;
    let client = database.client("max_connections=1").await;
    let table = "CREATE TABLE late (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)";
    client.execute_script(table).await.expect("a table");
    let values: Vec<Value> = (0..400).map(|i| Value::from(i % 200)).collect();
    let rows = BulkRows::new("late", &["id"], &values);
    let mut lease = client.acquire(Intent::Write).await.expect("a connection");
    let error = lease.bulk_insert(&rows).await.expect_err("duplicates");
    assert_eq!(error.kind(), ErrorKind::Integrity, "{error}");
    assert_eq!(lease.health(), Health::Clean);
    drop(lease);
    assert_eq!(one(&client, "SELECT count(*) FROM late").await, 0.into());
}
