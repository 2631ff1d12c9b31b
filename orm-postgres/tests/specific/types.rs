//! Values and cells of every type.

use crate::database::{Database, one};
use orm_core::backend::{BaseDBAsyncClient, Intent};
use orm_core::error::{ConstraintKind, ErrorKind};
use orm_core::value::{Array, ColumnType, Value, parse_datetime};

/// Both ways of sending values.
const MODES: [&str; 2] = ["statement_mode=named", "statement_mode=unnamed"];

#[tokio::test]
async fn text_becomes_what_the_column_is() {
    let database = Database::new().await;
    for mode in MODES {
        let client = database.client(mode).await;
        client
            .execute_script(
                "DROP TABLE IF EXISTS t; DROP TYPE IF EXISTS mood; CREATE TYPE mood AS ENUM ('sad', 'glad');
                 CREATE TABLE t (j json, jb jsonb, u uuid, e mood, n numeric(30, 10), x xml, d date, tm time,
                   ts timestamp, v varchar(9), c char(3), i2 smallint, i4 int, i8 bigint, f4 real, b bytea, yes boolean)",
            )
            .await
            .expect("a table");
        // The type is known to connections that are made after it.
        client.close().await;
        let client = database.client(mode).await;
        let at = parse_datetime("2024-02-29 23:59:59.123456+00:00").expect("an instant");
        let values = vec![
            r#"{"a": 1}"#.into(),
            r#"{"a":  1}"#.into(),
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11".into(),
            "glad".into(),
            "12345678901234567890.0123456789".into(),
            "<a/>".into(),
            "2024-02-29".into(),
            "23:59:59.5".into(),
            at.into(),
            5.into(),
            "ab".into(),
            (-3i64).into(),
            true.into(),
            i64::MIN.into(),
            1.5.into(),
            vec![0u8, 255].into(),
            true.into(),
        ];
        let columns = (1..=values.len()).map(|i| format!("${i}"));
        let insert = format!(
            "INSERT INTO t VALUES ({}) RETURNING *",
            columns.collect::<Vec<_>>().join(", ")
        );
        let rows = client.execute_query(&insert, values).await.expect(mode);
        let expected: Vec<Value> = vec![
            r#"{"a": 1}"#.into(),
            r#"{"a": 1}"#.into(),
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11".into(),
            "glad".into(),
            "12345678901234567890.0123456789".into(),
            "<a/>".into(),
            "2024-02-29".into(),
            "23:59:59.500".into(),
            at.into(),
            "5".into(),
            "ab ".into(),
            (-3i64).into(),
            1i64.into(),
            i64::MIN.into(),
            1.5.into(),
            vec![0u8, 255].into(),
            true.into(),
        ];
        assert_eq!(rows.rows(), [expected], "{mode}");
    }
}

#[tokio::test]
async fn numbers_and_nulls_find_their_type() {
    let database = Database::new().await;
    for mode in MODES {
        let client = database.client(mode).await;
        let rows = client
            .execute_query(
                "SELECT $1::int + 1, $2::float8, $3::numeric, $4::text IS NULL, $5::text, $6 = 'x'",
                vec![
                    41.into(),
                    2.into(),
                    0.1.into(),
                    Value::Null,
                    7.into(),
                    "x".into(),
                ],
            )
            .await
            .expect(mode);
        let expected: Vec<Value> = vec![
            42.into(),
            2.0.into(),
            "0.1".into(),
            true.into(),
            "7".into(),
            true.into(),
        ];
        assert_eq!(rows.rows(), [expected], "{mode}");
    }
}

#[tokio::test]
async fn arrays_are_one_value() {
    let database = Database::new().await;
    for mode in MODES {
        let client = database.client(mode).await;
        let rows = client
            .execute_query(
                "SELECT * FROM unnest($1::int[], $2::text[], $3::bytea[], $4::timestamptz[])",
                vec![
                    Array::new(ColumnType::Int, vec![1.into(), Value::Null]).into(),
                    Array::new(ColumnType::Text, vec!["a\"\\,{}".into(), "NULL".into()]).into(),
                    Array::new(ColumnType::Binary, vec![vec![0u8, 92].into(), Value::Null]).into(),
                    Array::new(
                        ColumnType::DateTime,
                        vec![
                            parse_datetime("2024-01-01").expect("a day").into(),
                            Value::Null,
                        ],
                    )
                    .into(),
                ],
            )
            .await
            .expect(mode);
        let first: Vec<Value> = vec![
            1.into(),
            "a\"\\,{}".into(),
            vec![0u8, 92].into(),
            parse_datetime("2024-01-01").expect("a day").into(),
        ];
        let second: Vec<Value> = vec![Value::Null, "NULL".into(), Value::Null, Value::Null];
        assert_eq!(rows.rows(), [first, second], "{mode}");
    }
}

#[tokio::test]
async fn what_does_not_fit_is_a_data_error_without_the_value() {
    let database = Database::new().await;
    for mode in MODES {
        let client = database.client(&format!("{mode}&max_connections=1")).await;
        for (sql, value) in [
            ("SELECT $1::int4", Value::I64(7_777_777_777)),
            ("SELECT $1::int2", Value::I64(77_777)),
            ("SELECT $1::int4", "secret".into()),
            ("SELECT $1::uuid", "secret".into()),
            ("SELECT $1::timestamptz", "secret".into()),
        ] {
            let error = client.execute_query(sql, vec![value]).await.expect_err(sql);
            assert_eq!(error.kind(), ErrorKind::Data, "{mode} {sql}: {error}");
            let shown = format!("{error} {error:?}");
            assert!(
                !shown.contains("secret") && !shown.contains("777"),
                "{shown}"
            );
        }
        assert_eq!(one(&client, "SELECT 1").await, 1.into());
    }
}

#[tokio::test]
async fn cells_that_no_field_can_hold_name_their_column() {
    let database = Database::new().await;
    let client = database.client("max_connections=1").await;
    let pid = one(&client, "SELECT pg_backend_pid()").await;
    for (sql, hint) in [
        ("SELECT 'infinity'::timestamptz AS until", "infinite"),
        ("SELECT '-infinity'::date AS until", "infinite"),
        ("SELECT 'NaN'::numeric AS until", "NaN"),
        ("SELECT '24:00'::time AS until", "24:00"),
        (
            "SELECT '10.0.0.1/8'::inet AS until FROM generate_series(1, 1000)",
            "::text",
        ),
    ] {
        let error = client.execute_query(sql, Vec::new()).await.expect_err(sql);
        assert_eq!(error.kind(), ErrorKind::Data, "{sql}");
        let shown = error.to_string();
        assert!(shown.contains("`until`") && shown.contains(hint), "{shown}");
    }
    // The connection is the same, and in step.
    assert_eq!(one(&client, "SELECT pg_backend_pid()").await, pid);
}

#[tokio::test]
async fn broken_constraints_name_what_they_are() {
    let database = Database::new().await;
    let client = database.client("").await;
    client
        .execute_script(
            r#"CREATE TABLE parent (id int PRIMARY KEY);
               CREATE TABLE child (id int PRIMARY KEY, "Odd, name" text, slug text NOT NULL,
                 parent int REFERENCES parent, age int CONSTRAINT grown CHECK (age > 17),
                 CONSTRAINT once UNIQUE ("Odd, name", slug));
               INSERT INTO parent VALUES (1);
               INSERT INTO child VALUES (1, 'secret', 'b', 1, 18)"#,
        )
        .await
        .expect("tables");
    for (sql, kind, constraint, columns) in [
        (
            "INSERT INTO child VALUES (1, 'x', 'x', 1, 18)",
            ConstraintKind::Unique,
            Some("child_pkey"),
            vec!["id"],
        ),
        (
            "INSERT INTO child VALUES (2, 'x', 'x', 9, 18)",
            ConstraintKind::ForeignKey,
            Some("child_parent_fkey"),
            vec!["parent"],
        ),
        (
            "DELETE FROM parent",
            ConstraintKind::ForeignKey,
            Some("child_parent_fkey"),
            vec!["id"],
        ),
        (
            "INSERT INTO child VALUES (2, 'x', NULL, 1, 18)",
            ConstraintKind::NotNull,
            None,
            vec!["slug"],
        ),
        (
            "INSERT INTO child VALUES (2, 'x', 'x', 1, 3)",
            ConstraintKind::Check,
            Some("grown"),
            vec![],
        ),
    ] {
        let error = client.execute_query(sql, Vec::new()).await.expect_err(sql);
        let broken = error.constraint().expect("integrity");
        assert_eq!(broken.kind(), kind, "{sql}");
        assert_eq!(broken.constraint(), constraint, "{sql}");
        assert_eq!(broken.columns().collect::<Vec<_>>(), columns, "{sql}");
        assert!(broken.table().is_some(), "{sql}");
    }
    let sql = "INSERT INTO child VALUES (3, 'secret', 'b', 1, 18)";
    let values = vec!["secret".into()];
    let error = client
        .execute_query(&sql.replace("'secret'", "$1"), values)
        .await
        .expect_err(sql);
    assert_eq!(
        error.constraint().and_then(|c| c.constraint()),
        Some("once")
    );
    assert!(
        !format!("{error} {error:?}").contains("secret"),
        "{error:?}"
    );
}

#[tokio::test]
async fn counts_are_those_of_matched_rows_and_checked_against_placeholders() {
    let database = Database::new().await;
    for mode in MODES {
        let client = database.client(mode).await;
        client
            .execute_script(
                "DROP TABLE IF EXISTS t; CREATE TABLE t (id int); INSERT INTO t VALUES (1), (2)",
            )
            .await
            .expect("a table");
        let update = "UPDATE t SET id = id";
        let rows = client
            .execute_query(update, Vec::new())
            .await
            .expect(update);
        assert_eq!(rows.rows_affected(), 2);
        let select = "SELECT * FROM t";
        let rows = client
            .execute_query(select, Vec::new())
            .await
            .expect(select);
        assert_eq!((rows.len(), rows.rows_affected()), (2, 0));
        for values in [vec![], vec![1.into(), 2.into()]] {
            let sql = "SELECT * FROM t WHERE id = $1";
            let error = client.execute_query(sql, values).await.expect_err(sql);
            assert_eq!(error.kind(), ErrorKind::Statement, "{mode}: {error}");
        }
        let many = vec![Value::I64(1); 65_536];
        let error = client
            .execute_query("SELECT 1", many)
            .await
            .expect_err("too many");
        assert_eq!(error.kind(), ErrorKind::Resource);
        let mut lease = client.acquire(Intent::Read).await.expect("a connection");
        assert_eq!(lease.health(), orm_core::backend::Health::Clean);
    }
}
