//! The client of libSQL servers, against a server of the protocol that fails on demand. With
//! `FD_SQLD_URL` set to the URL of a real server, what is common to both runs on that one as well.

mod engine;
mod faults;
mod server;
mod spelling;
mod tls;

use orm_core::backend::{
    BaseDBAsyncClient, Collect, ConnectOptions, ConnectionUrl, Connector, Health, Intent,
    RowAccess, RowSink, Session, Sink, SinkFlow, Statement, StatementText, TransactionManager,
    TransactionOptions,
};
use orm_core::error::{ConstraintKind, Error, ErrorKind, Result};
use orm_core::value::Value;
use orm_sqlite::{RemoteClient, RemoteConnector, RemoteSession};
use server::{Limits, Server};
use std::any::Any;

async fn open(url: &str) -> Result<RemoteClient> {
    RemoteClient::connect(&ConnectionUrl::parse(url)?, &ConnectOptions::default()).await
}

async fn connect(server: &Server) -> RemoteSession {
    let url = ConnectionUrl::parse(&server.url()).expect("a URL");
    let connector = RemoteConnector::from_url(&url).await.expect("a connector");
    connector.connect(Intent::Write).await.expect("a session")
}

fn read(sql: &str) -> Statement {
    Statement::new(StatementText::new(sql), Vec::new()).with_intent(Intent::Read)
}

fn write(sql: &str) -> Statement {
    Statement::new(StatementText::new(sql), Vec::new())
}

async fn run(session: &mut RemoteSession, statement: &Statement) -> Result<u64> {
    let done = session.run(statement, &mut Sink::discard()).await?;
    Ok(done.rows_affected)
}

async fn begin(session: &mut RemoteSession) -> Result<()> {
    session.begin(&TransactionOptions::new()).await
}

async fn count(client: &RemoteClient, table: &str) -> Value {
    let sql = format!("SELECT count(*) FROM {table}");
    let rows = client.execute_query(&sql, vec![]).await.expect("a count");
    rows.rows()[0][0].clone()
}

/// What every server of the protocol must do; `t` is a name that is free on it.
async fn basics(url: &str, t: &str) {
    let db = open(url).await.expect("opens");
    let table = format!(
        "-- two statements\nCREATE TABLE {t} (id INTEGER PRIMARY KEY AUTOINCREMENT, n INTEGER \
         UNIQUE, r REAL, s TEXT, b BLOB, CONSTRAINT few CHECK (n < 1000)) STRICT; \
         CREATE TABLE {t}_x (t INTEGER NOT NULL REFERENCES {t} (id)) STRICT;"
    );
    db.execute_script(&table).await.expect("tables");
    db.execute_script(" -- nothing\n;")
        .await
        .expect("blank text");

    let insert = format!("INSERT INTO {t} (n, r, s, b) VALUES (?, ?, ?, ?)");
    let values = |n: i64| -> Vec<Value> {
        vec![
            n.into(),
            (-0.1).into(),
            "it's \"ü\" \n🎉".into(),
            vec![0u8, 255, 7].into(),
        ]
    };
    let key = db.execute_insert(&insert, values(i64::MIN)).await;
    assert_eq!(key.expect("a key"), Value::I64(1));
    let sql = format!("{insert} RETURNING id");
    let key = db.execute_insert(&sql, values(7)).await;
    assert_eq!(key.expect("a key"), Value::I64(2));
    let all = format!("SELECT n, r, s, b, NULL AS z FROM {t} ORDER BY id");
    let rows = db.execute_query(&all, vec![]).await.expect("rows");
    let mut wanted = values(i64::MIN);
    wanted.push(Value::Null);
    assert_eq!(rows.rows()[0], wanted);
    let dicts = db.execute_query_dict(&all, vec![]).await.expect("rows");
    assert_eq!((dicts.len(), &dicts[1]["n"]), (2, &Value::I64(7)));
    let sets = vec![values(8), values(9), values(10)];
    assert_eq!(db.execute_many(&insert, sets).await.expect("many"), 3);

    let duplicate = db
        .execute_insert(&insert, values(7))
        .await
        .expect_err("twice");
    let broken = duplicate.constraint().expect("integrity");
    assert_eq!(broken.kind(), ConstraintKind::Unique);
    assert_eq!(broken.columns().collect::<Vec<_>>(), ["n"]);
    let sql = format!("{insert} RETURNING id");
    let duplicate = db.execute_insert(&sql, values(7)).await.expect_err("twice");
    assert_eq!(duplicate.constraint().expect("integrity").table(), Some(t));
    let check = db
        .execute_insert(&insert, values(1000))
        .await
        .expect_err("too many");
    assert_eq!(
        check.constraint().expect("integrity").constraint(),
        Some("few")
    );
    for (sql, kind) in [
        (
            format!("INSERT INTO {t}_x VALUES (99)"),
            ConstraintKind::ForeignKey,
        ),
        (
            format!("INSERT INTO {t}_x VALUES (NULL)"),
            ConstraintKind::NotNull,
        ),
    ] {
        let error = db.execute_query(&sql, vec![]).await.expect_err(&sql);
        assert_eq!(
            error.constraint().expect("integrity").kind(),
            kind,
            "{error}"
        );
    }
    for sql in [
        "SELECT nothing FROM nowhere",
        "INSERT INTO nowhere VALUES (1)",
        "SELEC 1",
        "SELECT 1; SELECT 2",
        "SELECT ?",
        "",
        "PRAGMA journal_mode = DELETE",
    ] {
        let error = db.execute_query(sql, vec![]).await.expect_err(sql);
        assert_eq!(error.kind(), ErrorKind::Statement, "{sql}: {error}");
    }
    let infinite = db
        .execute_query("SELECT ?", vec![f64::INFINITY.into()])
        .await;
    assert_eq!(infinite.expect_err("no JSON").kind(), ErrorKind::Validation);

    let mut lease = db.acquire(Intent::Write).await.expect("a lease");
    lease
        .begin(&TransactionOptions::new())
        .await
        .expect("begins");
    let delete = write(&format!("DELETE FROM {t}"));
    let done = lease
        .run(&delete, &mut Sink::discard())
        .await
        .expect("deletes");
    assert_eq!(
        (done.rows_affected, count(&db, t).await),
        (5, Value::I64(5))
    );
    lease.savepoint(1).await.expect("a savepoint");
    lease.rollback_to(1).await.expect("back to it");
    assert_eq!(lease.health(), Health::InTransaction);
    // Dropping it rolls back before the connection is lent again.
    drop(lease);
    let update = format!("UPDATE {t} SET r = 1.5 WHERE n < ?");
    let changed = db.execute_query(&update, vec![9.into()]).await;
    assert_eq!(changed.expect("updates").rows_affected(), 3);
    assert_eq!(count(&db, t).await, Value::I64(5));

    let failed = db
        .execute_script(&format!("BEGIN; DELETE FROM {t}; SELECT missing;"))
        .await;
    assert_eq!(
        failed.expect_err("no such column").kind(),
        ErrorKind::Statement
    );
    assert_eq!(count(&db, t).await, Value::I64(5));
    let drop = format!("DROP TABLE {t}_x; DROP TABLE {t};");
    db.execute_script(&drop).await.expect("no tables");
    db.close().await;
}

#[tokio::test]
async fn every_server_does_what_is_documented() {
    let server = Server::start(Some("a.token"), Limits::default());
    basics(&server.url(), "fd_basics").await;
    if let Ok(url) = std::env::var("FD_SQLD_URL") {
        basics(&url, &format!("fd_basics_{}", std::process::id())).await;
    }
}

#[tokio::test]
async fn a_statement_is_one_request() {
    let server = Server::start(None, Limits::default());
    let mut session = connect(&server).await;
    assert_eq!(
        server.requests(),
        3,
        "a greeting, and the check of the foreign keys"
    );
    run(&mut session, &write("CREATE TABLE t (a)"))
        .await
        .expect("a table");
    assert_eq!(server.requests(), 4);
    let insert = write("INSERT INTO t VALUES (1)");
    let returning = write("INSERT INTO t VALUES (2) RETURNING a");
    let select = read("SELECT a FROM t");
    for statement in [&returning, &select] {
        run(&mut session, statement).await.expect("described");
    }
    let before = server.requests();
    for statement in [&insert, &returning, &select] {
        run(&mut session, statement).await.expect("runs");
    }
    assert_eq!(server.requests() - before, 3);
    begin(&mut session).await.expect("begins");
    for statement in [&insert, &returning, &select] {
        run(&mut session, statement).await.expect("runs");
    }
    session.commit().await.expect("commits");
    assert_eq!(server.requests() - before, 3 + 5);
    assert_eq!(session.health(), Health::Clean);
}

#[tokio::test]
async fn wrong_counts_and_texts_are_refused_before_anything_is_sent() {
    let server = Server::start(None, Limits::default());
    let mut session = connect(&server).await;
    let before = server.requests();
    for sql in ["SELECT ?", "SELECT 1; SELECT 2", "", "SELECT :a"] {
        let error = run(&mut session, &read(sql)).await.expect_err(sql);
        assert_eq!(error.kind(), ErrorKind::Statement, "{sql}");
    }
    let text = Statement::new(StatementText::new("SELECT ?"), vec!["a\0b".into()]);
    let error = run(&mut session, &text).await.expect_err("NUL");
    assert_eq!(error.kind(), ErrorKind::Validation);
    let read_only = TransactionOptions::new().read_only();
    let error = session.begin(&read_only).await.expect_err("no such");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(server.requests(), before);
}

#[tokio::test]
async fn keys_of_many_rows_follow_each_other() {
    let server = Server::start(None, Limits::default());
    let mut session = connect(&server).await;
    let table = "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a)";
    run(&mut session, &write(table)).await.expect("a table");
    let insert = write("INSERT INTO t (a) VALUES (1), (2), (3)");
    for first in [1, 4] {
        let done = session
            .run(&insert, &mut Sink::discard())
            .await
            .expect("inserts");
        let keys = done.keys.expect("keys");
        assert_eq!((keys.first, keys.key(2)), (first, done.last_insert_id));
    }
    let ignored = write("INSERT INTO t (id) VALUES (1) ON CONFLICT DO NOTHING");
    let done = session
        .run(&ignored, &mut Sink::discard())
        .await
        .expect("nothing");
    assert_eq!((done.rows_affected, done.last_insert_id), (0, None));
}

#[tokio::test]
async fn a_script_that_fails_leaves_no_transaction_of_its_own() {
    let server = Server::start(None, Limits::default());
    let mut session = connect(&server).await;
    let script = "CREATE TABLE t (a); BEGIN; INSERT INTO t VALUES (1); SELECT missing; COMMIT;";
    let error = session
        .run_script(script)
        .await
        .expect_err("no such column");
    assert_eq!(error.kind(), ErrorKind::Statement, "{error}");
    assert_eq!(session.health(), Health::Clean);
    assert_eq!(
        run(&mut session, &write("DELETE FROM t"))
            .await
            .expect("runs"),
        0
    );
    session
        .run_script("BEGIN; INSERT INTO t VALUES (1);")
        .await
        .expect("begins");
    assert_eq!(session.health(), Health::InTransaction);
    // Inside of a transaction that was open before, it stays open.
    let error = session
        .run_script("SELECT missing")
        .await
        .expect_err("no such column");
    assert_eq!(error.kind(), ErrorKind::Statement, "{error}");
    assert_eq!(session.health(), Health::InTransaction);
    session.reset().await.expect("rolls back");
    assert_eq!(session.health(), Health::Clean);
    assert_eq!(
        run(&mut session, &write("DELETE FROM t"))
            .await
            .expect("runs"),
        0
    );
}

#[tokio::test]
async fn a_transaction_that_the_database_ends_is_seen_to_be_over() {
    let server = Server::start(None, Limits::default());
    let mut session = connect(&server).await;
    let tables = "CREATE TABLE t (a INTEGER PRIMARY KEY); INSERT INTO t VALUES (1);\
                  CREATE TABLE d (a REFERENCES t (a) DEFERRABLE INITIALLY DEFERRED);";
    session.run_script(tables).await.expect("tables");
    // With rows and without, since the answers tell it in different ways.
    for sql in [
        "INSERT OR ROLLBACK INTO t VALUES (1)",
        "INSERT OR ROLLBACK INTO t VALUES (1) RETURNING a",
    ] {
        begin(&mut session).await.expect("begins");
        run(&mut session, &write("INSERT INTO t VALUES (2)"))
            .await
            .expect("inserts");
        let error = run(&mut session, &write(sql)).await.expect_err("twice");
        assert_eq!(error.kind(), ErrorKind::Integrity);
        assert_eq!(session.health(), Health::Clean);
        session.rollback().await.expect("nothing to do");
    }
    begin(&mut session).await.expect("begins");
    run(&mut session, &write("INSERT INTO d VALUES (5)"))
        .await
        .expect("later");
    let error = session.commit().await.expect_err("a reference to nothing");
    assert_eq!(error.kind(), ErrorKind::Integrity);
    assert_eq!(session.health(), Health::Clean);
    // What is left can be used, and holds no lock.
    assert_eq!(
        run(&mut session, &write("DELETE FROM t"))
            .await
            .expect("runs"),
        1
    );
    assert_eq!(
        run(&mut connect(&server).await, &write("DELETE FROM d"))
            .await
            .expect("runs"),
        0
    );
}

/// Takes one row, then stops or fails.
struct First(Result<SinkFlow>);

impl RowSink for First {
    fn row(&mut self, row: &dyn RowAccess) -> Result<SinkFlow> {
        assert_eq!((row.len(), row.name(0)), (1, "a"));
        assert!(row.cell(1).is_err());
        std::mem::replace(&mut self.0, Ok(SinkFlow::Stop))
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

#[tokio::test]
async fn a_sink_that_stops_or_fails_leaves_the_connection_usable() {
    let server = Server::start(None, Limits::default());
    let mut session = connect(&server).await;
    let rows = "CREATE TABLE t (a); INSERT INTO t WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL \
                SELECT x + 1 FROM c WHERE x < 5000) SELECT x FROM c;";
    session.run_script(rows).await.expect("rows");
    let (select, update) = (
        read("SELECT a FROM t"),
        write("UPDATE t SET a = a + 1 RETURNING a"),
    );
    for in_transaction in [false, true] {
        if in_transaction {
            begin(&mut session).await.expect("begins");
        }
        for statement in [&select, &update] {
            let mut sink = Sink::new(First(Ok(SinkFlow::Stop)));
            let done = session.run(statement, &mut sink).await.expect("stops");
            let all = if statement.intent == Intent::Write {
                5000
            } else {
                0
            };
            assert_eq!(done.rows_affected, all);
            let refused = Error::configuration("refused by the sink");
            let mut sink = Sink::new(First(Err(refused)));
            let error = session.run(statement, &mut sink).await.expect_err("fails");
            assert_eq!(error.kind(), ErrorKind::Configuration);
        }
    }
    session.commit().await.expect("commits");
    let mut sink = Sink::new(Collect::new(|row| Ok(row.cell(0)?.to_value())));
    session
        .run(&read("SELECT min(a) FROM t"), &mut sink)
        .await
        .expect("runs");
    let rows = sink
        .downcast::<Collect<Value>>()
        .expect("the sink")
        .into_rows();
    assert_eq!(rows, [Value::I64(5)], "every update was whole");
}
