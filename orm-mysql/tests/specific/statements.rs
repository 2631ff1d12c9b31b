//! Prepared statements, round trips, sinks, and the tables that schema generation makes.

use crate::proxy::{CLOSE, EXECUTE, PREPARE, Proxy, QUERY};
use crate::support::{Database, lease, number, on_both, one, open, rows, script, statement};
use orm_core::backend::{
    BaseDBAsyncClient, Health, Intent, Isolation, ListItems, RowAccess, RowSink, Sink, SinkFlow,
    Statement, TransactionOptions,
};
use orm_core::error::{DataError, ErrorKind, Result};
use orm_core::prelude::*;
use orm_core::schema::ThroughMeta;
use orm_core::sql::{self, ddl::create_schema};
use orm_core::value::Value;
use std::any::Any;

on_both! {
    one_round_trip_for_each_operation
    prepared_statements_are_bounded_and_closed
    tables_may_change_under_prepared_statements
    forgotten_statements_are_prepared_again
    a_lost_answer_leaves_the_outcome_open
    a_sink_may_stop_or_fail
    schemas_can_be_created_twice
    long_texts_are_indexed_by_their_beginnings
    long_lists_and_many_links
}

async fn one_round_trip_for_each_operation(db: Database) {
    let proxy = Proxy::start(&db.url("")).await;
    let client = open(&proxy.url(&db.url("&max_connections=1")))
        .await
        .unwrap();
    script(
        &client,
        "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, n INT)",
    )
    .await;
    let insert = statement("INSERT INTO t (n) VALUES (?)", vec![1i64.into()]);
    let select = statement("SELECT n FROM t WHERE id = ?", vec![1i64.into()]);
    let warm_up = [&insert, &select];
    for statement in warm_up {
        client.run(statement, &mut Sink::discard()).await.unwrap();
    }
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    proxy.commands();
    for _ in 0..5 {
        client.run(&insert, &mut Sink::discard()).await.unwrap();
        client.run(&select, &mut Sink::discard()).await.unwrap();
    }
    assert_eq!(proxy.commands(), [EXECUTE; 10]);
    // A transaction adds its begin and its end, even with an isolation level.
    let mut held = lease(&client).await;
    let options = TransactionOptions::new()
        .isolation(Isolation::Serializable)
        .read_only();
    held.begin(&options).await.unwrap();
    held.run(&select, &mut Sink::discard()).await.unwrap();
    held.commit().await.unwrap();
    drop(held);
    assert_eq!(proxy.commands(), [QUERY, EXECUTE, QUERY]);
    // A text used once is prepared, run and closed; closing has no answer.
    number(&client, "SELECT 1").await;
    number(&client, "SELECT 1").await;
    let once = [PREPARE, EXECUTE, CLOSE];
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert_eq!(proxy.commands(), [once, once].concat());
    // A new connection: one round trip of set-up after the login.
    let other = open(&proxy.url(&db.url(""))).await.unwrap();
    assert_eq!(proxy.commands(), [QUERY]);
    other.close().await;
}

async fn prepared_statements_are_bounded_and_closed(db: Database) {
    let proxy = Proxy::start(&db.url("")).await;
    let client = open(&proxy.url(&db.url("&max_connections=1&statement_cache=3")))
        .await
        .unwrap();
    let texts: Vec<Statement> = (0..10)
        .map(|i| statement(&format!("SELECT {i}"), Vec::new()))
        .collect();
    proxy.commands();
    for text in texts.iter().chain(&texts[7..]).chain(&texts[..1]) {
        client.run(text, &mut Sink::discard()).await.unwrap();
    }
    let commands = proxy.commands();
    let count = |command| commands.iter().filter(|c| **c == command).count();
    assert_eq!((count(PREPARE), count(EXECUTE), count(CLOSE)), (11, 14, 8));
}

async fn tables_may_change_under_prepared_statements(db: Database) {
    let client = db.client_with("&max_connections=1").await;
    let other = db.client().await;
    script(
        &client,
        "CREATE TABLE t (a INT, b TEXT); INSERT INTO t VALUES (1, 'x')",
    )
    .await;
    let mut held = client.acquire(Intent::Read).await.unwrap();
    let all = statement("SELECT * FROM t", Vec::new());
    for (ddl, width) in [
        ("ALTER TABLE t ADD COLUMN c INT DEFAULT 3", 3),
        ("ALTER TABLE t DROP COLUMN b", 2),
        ("ALTER TABLE t MODIFY a VARCHAR(10)", 2),
        ("DROP TABLE t", 0),
        ("CREATE TABLE t (z DATETIME(6), y TIME)", 2),
    ] {
        script(&other, ddl).await;
        let mut sink = Sink::new(Widths::default());
        let result = held.run(&all, &mut sink).await;
        if width == 0 {
            assert_eq!(result.unwrap_err().kind(), ErrorKind::Statement);
            continue;
        }
        result.unwrap();
        script(&other, "INSERT INTO t () VALUES ()").await;
        let mut sink = Sink::new(Widths::default());
        held.run(&all, &mut sink).await.unwrap();
        let widths = sink.downcast::<Widths>().unwrap().0;
        assert!(
            !widths.is_empty() && widths.iter().all(|found| *found == width),
            "{ddl}: {widths:?}"
        );
    }
}

/// How wide each row was; reads every cell.
#[derive(Default)]
struct Widths(Vec<usize>);

impl RowSink for Widths {
    fn row(&mut self, row: &dyn RowAccess) -> Result<SinkFlow> {
        for i in 0..row.len() {
            row.cell(i)?;
        }
        assert!(row.cell(row.len()).is_err());
        self.0.push(row.len());
        Ok(SinkFlow::More)
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

async fn forgotten_statements_are_prepared_again(db: Database) {
    let client = db.client().await;
    let mut held = lease(&client).await;
    let select = statement("SELECT ?", vec![7i64.into()]);
    held.run(&select, &mut Sink::discard()).await.unwrap();
    let native = held
        .native()
        .unwrap()
        .downcast_mut::<mysql_async::Conn>()
        .unwrap();
    // Closes the prepared statements on the server.
    assert!(native.reset().await.unwrap());
    let mut sink = Sink::new(Widths::default());
    held.run(&select, &mut sink).await.unwrap();
    assert_eq!(sink.downcast::<Widths>().unwrap().0, [1]);
}

async fn a_lost_answer_leaves_the_outcome_open(db: Database) {
    let proxy = Proxy::start(&db.url("")).await;
    let client = open(&proxy.url(&db.url("&max_connections=1")))
        .await
        .unwrap();
    let direct = db.client().await;
    script(&direct, "CREATE TABLE t (a INT)").await;
    let insert = statement("INSERT INTO t VALUES (1)", Vec::new());
    client.run(&insert, &mut Sink::discard()).await.unwrap();
    proxy.cut_answers(true);
    let error = client.run(&insert, &mut Sink::discard()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    assert!(error.as_database().unwrap().outcome_unknown());
    proxy.cut_answers(false);
    let read = statement("SELECT a FROM t", Vec::new()).with_intent(Intent::Read);
    client.run(&read, &mut Sink::discard()).await.unwrap();
    proxy.cut_answers(true);
    let error = client.run(&read, &mut Sink::discard()).await.unwrap_err();
    assert!(!error.as_database().unwrap().outcome_unknown());
    proxy.cut_answers(false);
    // In a transaction nothing is stored before COMMIT.
    let mut held = lease(&client).await;
    held.begin(&TransactionOptions::new()).await.unwrap();
    proxy.cut_answers(true);
    let error = held.run(&insert, &mut Sink::discard()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    assert!(!error.as_database().unwrap().outcome_unknown());
    proxy.cut_answers(false);
    drop(held);
    // The answer to COMMIT.
    let mut held = lease(&client).await;
    held.begin(&TransactionOptions::new()).await.unwrap();
    held.run(&insert, &mut Sink::discard()).await.unwrap();
    proxy.cut_answers(true);
    let error = held.commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CommitOutcomeUnknown);
    drop(held);
    proxy.cut_answers(false);
    // All three writes had arrived.
    crate::support::becomes(&direct, "SELECT COUNT(*) FROM t", 3).await;
}

/// Stops or fails at the second row.
struct Second {
    fails: bool,
    seen: usize,
}

impl RowSink for Second {
    fn row(&mut self, _: &dyn RowAccess) -> Result<SinkFlow> {
        self.seen += 1;
        match (self.seen, self.fails) {
            (1, _) => Ok(SinkFlow::More),
            (_, true) => Err(DataError::new("as intended").into()),
            (_, false) => Ok(SinkFlow::Stop),
        }
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

async fn a_sink_may_stop_or_fail(db: Database) {
    let client = db.client().await;
    let mut held = lease(&client).await;
    let many = "SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4";
    for fails in [false, true] {
        let mut sink = Sink::new(Second { fails, seen: 0 });
        let result = held.run(&statement(many, Vec::new()), &mut sink).await;
        assert_eq!(result.is_err(), fails);
        assert_eq!(sink.downcast::<Second>().unwrap().seen, 2);
        assert_eq!(held.health(), Health::Clean);
        assert_eq!(rows(&mut held, "SELECT 5").await, [[Value::I64(5)]]);
    }
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core", table = "egg")]
struct Egg {
    #[field(pk)]
    id: i32,
    #[field(related_name = "eggs", on_delete = SetNull)]
    hen: Option<ForeignKey<Hen>>,
    hens: HasMany<Hen>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core", table = "hen")]
struct Hen {
    #[field(pk)]
    id: i32,
    #[field(related_name = "hens", on_delete = Cascade)]
    egg: ForeignKey<Egg>,
    eggs: HasMany<Egg>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core", table = "essay")]
struct Essay {
    #[field(pk)]
    id: i32,
    #[field(index)]
    text: String,
    #[field(max_length = 2000, index)]
    abstract_text: String,
    #[field(max_length = 20000)]
    summary: String,
}

async fn schemas_can_be_created_twice(db: Database) {
    let client = db.client().await;
    let models: Vec<_> = models![Egg, Hen].into_iter().collect();
    for _ in 0..2 {
        for text in create_schema(&models, client.dialect(), true).unwrap() {
            script(&client, &text).await;
        }
    }
    let sql = "SELECT COUNT(*) FROM information_schema.table_constraints \
               WHERE constraint_schema = DATABASE() AND constraint_type = 'FOREIGN KEY'";
    assert_eq!(number(&client, sql).await, 2);
}

async fn long_texts_are_indexed_by_their_beginnings(db: Database) {
    let client = db.client().await;
    let models: Vec<_> = models![Essay].into_iter().collect();
    for text in create_schema(&models, client.dialect(), false).unwrap() {
        script(&client, &text).await;
    }
    let sql = "SELECT COUNT(*) FROM information_schema.statistics \
               WHERE table_schema = DATABASE() AND table_name = 'essay' AND sub_part = 768";
    assert_eq!(number(&client, sql).await, 2);
    let long = "é".repeat(20_000);
    let values = vec![long.as_str().into(), "a".into(), long.as_str().into()];
    let insert = "INSERT INTO essay (text, abstract_text, summary) VALUES (?, ?, ?)";
    client.execute_insert(insert, values).await.unwrap();
    assert_eq!(
        one(&client, "SELECT summary FROM essay").await,
        long.as_str().into()
    );
}

async fn long_lists_and_many_links(db: Database) {
    let client = db.client().await;
    script(
        &client,
        "CREATE TABLE link (a INT, b INT, PRIMARY KEY (a, b))",
    )
    .await;
    let through = ThroughMeta {
        table: "link",
        source_column: "a",
        target_column: "b",
    };
    for _ in 0..2 {
        let targets = (0..5_000i64).map(Value::from).collect();
        let link = sql::link(through, 1i64.into(), targets, client.dialect()).unwrap();
        assert_eq!(link.values.len(), 2);
        client.run(&link, &mut Sink::discard()).await.unwrap();
        assert_eq!(number(&client, "SELECT COUNT(*) FROM link").await, 5_000);
    }
    let dialect = client.dialect();
    let text = dialect.column_type(orm_core::value::ColumnType::Text);
    script(&client, &format!("CREATE TABLE t (n BIGINT, s {text})")).await;
    let values = vec![
        i64::MAX.into(),
        "it's \"a\" \\ 🎉".into(),
        5i64.into(),
        "a ".into(),
    ];
    client
        .execute_query("INSERT INTO t VALUES (?, ?), (?, ?)", values)
        .await
        .unwrap();
    for (items, column, list, wanted) in [
        (ListItems::Integers, "n", "[5,9223372036854775807,-1]", 2i64),
        (ListItems::Integers, "n", "[]", 0),
        (
            ListItems::Texts,
            "s",
            "[\"it's \\\"a\\\" \\\\ 🎉\", \"A\"]",
            1,
        ),
        (ListItems::Texts, "s", "[\"a\", \"A \"]", 0),
        (ListItems::Texts, "s", "[\"a \"]", 1),
    ] {
        let table = dialect.list_table(items).unwrap().replace("{r}", "?");
        let sql = format!("SELECT COUNT(*) FROM t WHERE {column} IN ({table})");
        let rows = client.execute_query(&sql, vec![list.into()]).await.unwrap();
        assert_eq!(rows.rows()[0], [wanted.into()], "{column} {list}");
    }
}
