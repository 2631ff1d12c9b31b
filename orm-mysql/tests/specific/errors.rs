//! What the servers report, as errors that say what was broken.

use crate::support::{Database, Server, lease, number, on_both, rows, script, statement};
use orm_core::backend::{BaseDBAsyncClient, Health, Intent, Sink};
use orm_core::error::{ConstraintKind, Error, ErrorKind};
use orm_core::value::Value;
use orm_mysql::MySqlClient;

on_both! {
    broken_constraints_are_named
    wrong_statements_keep_their_text_and_no_value
    several_statements_are_refused
    a_wrong_number_of_values_is_refused
    too_many_values_are_refused
    what_the_server_does_not_take_is_not_sent
    matched_rows_are_counted
    scripts_stop_at_the_first_error
}

async fn fails(client: &MySqlClient, sql: &str, values: Vec<Value>) -> Error {
    match client.execute_query(sql, values).await {
        Err(error) => error,
        Ok(_) => panic!("{sql} ran"),
    }
}

async fn broken_constraints_are_named(db: Database) {
    let client = db.client().await;
    script(
        &client,
        "CREATE TABLE parent (id INT PRIMARY KEY);
         CREATE TABLE child (id INT AUTO_INCREMENT PRIMARY KEY, a VARCHAR(20) NOT NULL, b INT,
            n INT, p INT, CONSTRAINT uq_pair UNIQUE (a, b), CONSTRAINT positive CHECK (n > 0),
            CONSTRAINT fk_p FOREIGN KEY (p) REFERENCES parent (id));
         INSERT INTO parent VALUES (1); INSERT INTO child (a, b, p) VALUES ('canary', 1, 1)",
    )
    .await;
    let unique = "INSERT INTO child (a, b) VALUES (?, ?)";
    let cases = [
        (
            unique,
            vec!["canary".into(), 1i64.into()],
            ConstraintKind::Unique,
            "uq_pair",
            "a,b",
        ),
        (
            "INSERT INTO child (id, a) VALUES (1, 'x')",
            vec![],
            ConstraintKind::Unique,
            "PRIMARY",
            "id",
        ),
        (
            "INSERT INTO child (a) VALUES (NULL)",
            vec![],
            ConstraintKind::NotNull,
            "",
            "a",
        ),
        (
            "INSERT INTO child (b) VALUES (2)",
            vec![],
            ConstraintKind::NotNull,
            "",
            "a",
        ),
        (
            "INSERT INTO child (a, n) VALUES ('y', -1)",
            vec![],
            ConstraintKind::Check,
            "positive",
            "",
        ),
        (
            "INSERT INTO child (a, p) VALUES ('z', 9)",
            vec![],
            ConstraintKind::ForeignKey,
            "fk_p",
            "p",
        ),
        (
            "DELETE FROM parent",
            vec![],
            ConstraintKind::ForeignKey,
            "fk_p",
            "p",
        ),
    ];
    // Twice: what the first time has learnt is used the second time.
    for (sql, values, kind, constraint, columns) in cases.iter().chain(&cases) {
        let error = fails(&client, sql, values.clone()).await;
        let broken = error.constraint().expect(sql);
        assert_eq!(broken.kind(), *kind, "{sql}");
        assert_eq!(broken.constraint().unwrap_or(""), *constraint, "{sql}");
        assert_eq!(
            broken.columns().collect::<Vec<_>>().join(","),
            *columns,
            "{sql}"
        );
        assert_eq!(broken.table(), Some("child"), "{sql}");
        assert!(
            !format!("{error} {error:?}")
                .replace(sql, "")
                .contains("canary")
        );
    }
    // The definition has changed, and so has the answer.
    script(
        &client,
        "ALTER TABLE child DROP KEY uq_pair, ADD CONSTRAINT uq_pair UNIQUE (a)",
    )
    .await;
    let error = fails(&client, unique, vec!["canary".into(), 2i64.into()]).await;
    assert_eq!(
        error.constraint().unwrap().columns().collect::<Vec<_>>(),
        ["a"]
    );
}

async fn wrong_statements_keep_their_text_and_no_value(db: Database) {
    let client = db.client().await;
    for sql in [
        "SELEKT ?",
        "SELECT ? FROM no_such_table",
        "SELECT no_such_column, ?",
    ] {
        let error = fails(&client, sql, vec!["canary".into()]).await;
        assert_eq!(error.kind(), ErrorKind::Statement, "{sql}: {error}");
        assert_eq!(error.as_database().unwrap().sql(), Some(sql));
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
}

async fn several_statements_are_refused(db: Database) {
    let client = db.client().await;
    script(&client, "CREATE TABLE t (a INT)").await;
    let error = fails(&client, "SELECT 1; DROP TABLE t", Vec::new()).await;
    assert_eq!(error.kind(), ErrorKind::Statement);
    assert_eq!(number(&client, "SELECT COUNT(*) FROM t").await, 0);
}

async fn a_wrong_number_of_values_is_refused(db: Database) {
    let client = db.client_with("&max_connections=1").await;
    let id = number(&client, "SELECT CONNECTION_ID()").await;
    for values in [vec![], vec![1i64.into(), 2i64.into()]] {
        let error = fails(&client, "SELECT ?", values).await;
        assert_eq!(error.kind(), ErrorKind::Statement);
        assert!(error.to_string().contains("1 placeholders"), "{error}");
    }
    assert_eq!(number(&client, "SELECT CONNECTION_ID()").await, id);
}

async fn too_many_values_are_refused(db: Database) {
    let client = db.client().await;
    let sql = |count: usize| format!("SELECT 1 IN (?{})", ", ?".repeat(count - 1));
    let values = |count: usize| vec![Value::I64(1); count];
    let rows = client
        .execute_query(&sql(65_535), values(65_535))
        .await
        .unwrap();
    assert_eq!(rows.len(), 1);
    let error = fails(&client, &sql(65_536), values(65_536)).await;
    assert_eq!(error.kind(), ErrorKind::Resource);
}

async fn what_the_server_does_not_take_is_not_sent(db: Database) {
    let client = db.client_with("&max_connections=1").await;
    let id = number(&client, "SELECT CONNECTION_ID()").await;
    let limit = number(&client, "SELECT @@max_allowed_packet").await;
    let limit = usize::try_from(limit).unwrap();
    let error = fails(&client, "SELECT LENGTH(?)", vec!["x".repeat(limit).into()]).await;
    assert_eq!(error.kind(), ErrorKind::Resource);
    assert!(error.to_string().contains("max_allowed_packet"), "{error}");
    // What is just below it arrives.
    let fits = "x".repeat(limit - 4_096);
    let length = client
        .execute_query("SELECT LENGTH(?)", vec![fits.into()])
        .await
        .unwrap();
    assert_eq!(
        length.rows()[0],
        [i64::try_from(limit - 4_096).unwrap().into()]
    );
    assert_eq!(number(&client, "SELECT CONNECTION_ID()").await, id);
}

async fn matched_rows_are_counted(db: Database) {
    let client = db.client().await;
    script(
        &client,
        "CREATE TABLE t (id INT PRIMARY KEY, n INT); INSERT INTO t VALUES (1, 5), (2, 5)",
    )
    .await;
    let count = async |sql: &str| {
        let done = client.execute_query(sql, Vec::new()).await.unwrap();
        done.rows_affected()
    };
    assert_eq!(count("UPDATE t SET n = 5").await, 2);
    assert_eq!(count("UPDATE t SET n = 6 WHERE id = 3").await, 0);
    assert_eq!(count("INSERT INTO t VALUES (3, 1), (4, 1)").await, 2);
    assert_eq!(count("DELETE FROM t WHERE id > 2").await, 2);
    assert_eq!(count("SELECT * FROM t").await, 0);
    if db.server == Server::MariaDb {
        assert_eq!(
            count("INSERT INTO t VALUES (7, 1), (8, 1) RETURNING id").await,
            2
        );
        assert_eq!(count("DELETE FROM t WHERE id > 6 RETURNING id").await, 2);
    }
}

async fn scripts_stop_at_the_first_error(db: Database) {
    let client = db.client().await;
    script(&client, "").await;
    script(&client, " -- nothing\n; /* nothing */ ;").await;
    let text = "CREATE TABLE t (a INT);; INSERT INTO t VALUES (1); SELECT * FROM t; -- ;\n\
                INSERT INTO t VALUES (2); SELEKT; INSERT INTO t VALUES (3)";
    let error = client.execute_script(text).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Statement);
    assert_eq!(number(&client, "SELECT SUM(a) = 3 FROM t").await, 1);
    // A body with semicolons of its own.
    script(
        &client,
        "CREATE PROCEDURE p() BEGIN INSERT INTO t VALUES (7); SELECT a FROM t; SELECT 2; END",
    )
    .await;
    let mut held = lease(&client).await;
    let called = rows(&mut held, "CALL p()").await;
    assert_eq!(called.len(), 3);
    assert_eq!(held.health(), Health::Clean);
    assert_eq!(rows(&mut held, "SELECT 8").await, [[8i64.into()]]);
    drop(held);
    // Only in the text protocol.
    let mut held = client.acquire(Intent::Write).await.unwrap();
    for sql in ["LOCK TABLES t READ", "UNLOCK TABLES"] {
        let only_text = statement(sql, Vec::new()).uncached();
        held.run(&only_text, &mut Sink::discard()).await.unwrap();
    }
}
