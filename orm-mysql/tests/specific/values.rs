//! Every column type, both ways.

use crate::support::{Database, Server, on_both, one, script};
use orm_core::backend::{BaseDBAsyncClient, Row};
use orm_core::error::ErrorKind;
use orm_core::value::{Value, parse_datetime};

on_both! {
    every_column_type_reads_as_its_kind
    values_come_back_as_they_went
    bytes_need_not_be_text
    dates_with_zeros_are_errors_that_name_the_column
    instants_do_not_depend_on_zones
    text_is_compared_by_code_point
    too_long_texts_and_numbers_are_errors
    values_that_no_column_can_hold_are_not_sent
    other_character_sets_arrive_as_text
}

fn at(text: &str) -> Value {
    parse_datetime(text).unwrap().into()
}

async fn first(client: &impl BaseDBAsyncClient, sql: &str) -> Row {
    let rows = client.execute_query(sql, Vec::new()).await.unwrap();
    rows.into_rows().remove(0)
}

async fn every_column_type_reads_as_its_kind(db: Database) {
    let client = db.client().await;
    script(
        &client,
        "CREATE TABLE t (
            a TINYINT(1), b TINYINT UNSIGNED, c BIGINT UNSIGNED, d BIGINT, e DECIMAL(30, 10),
            f FLOAT, g DOUBLE, h BIT(12), i YEAR, j DATE, k DATETIME(6), l TIMESTAMP(3) NULL,
            m TIME(6), n TIME, o ENUM('x', 'y'), p SET('x', 'y'), q JSON, r VARBINARY(4),
            s CHAR(3), z TEXT, u BLOB, v MEDIUMINT);
         INSERT INTO t VALUES (1, 255, 18446744073709551615, -9223372036854775808,
            '12345678901234567890.0123456789', 0.5, 0.1, b'101010101010', 2024, '2024-02-29',
            '2024-02-29 23:59:59.999999', '2024-02-29 12:00:00.5', '-838:59:58.000001',
            '00:00:00', 'y', 'x,y', '[1]', X'00FF', 'abc', 'texté', X'FE', -8388608)",
    )
    .await;
    let row = first(&client, "SELECT * FROM t").await;
    let text = |text: &str| Value::from(text);
    let expected = [
        1i64.into(),
        255i64.into(),
        // Wider than any integer of a field: the only kind that holds it, roughly.
        Value::F64(18_446_744_073_709_551_615.0),
        i64::MIN.into(),
        text("12345678901234567890.0123456789"),
        0.5.into(),
        0.1.into(),
        0b1010_1010_1010i64.into(),
        2024i64.into(),
        text("2024-02-29"),
        at("2024-02-29 23:59:59.999999"),
        at("2024-02-29 12:00:00.500000"),
        text("-838:59:58.000001"),
        text("00:00:00"),
        text("y"),
        text("x,y"),
        text("[1]"),
        vec![0u8, 255].into(),
        text("abc"),
        text("texté"),
        vec![254u8].into(),
        (-8_388_608i64).into(),
    ];
    for (i, (found, wanted)) in row.iter().zip(&expected).enumerate() {
        assert_eq!(found, wanted, "column {i}");
    }
    assert_eq!(row.len(), expected.len());
    let nulls = "INSERT INTO t () VALUES ()";
    client.execute_query(nulls, Vec::new()).await.unwrap();
    let row = first(&client, "SELECT * FROM t WHERE a IS NULL").await;
    assert!(row.iter().all(Value::is_null));
}

async fn values_come_back_as_they_went(db: Database) {
    let client = db.client().await;
    script(
        &client,
        "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, b TINYINT(1), i BIGINT, f DOUBLE,
            s LONGTEXT CHARACTER SET utf8mb4, y LONGBLOB, d DATETIME(6))",
    )
    .await;
    let long = "é🎉".repeat(100_000);
    let texts = [
        "",
        " a ",
        "it's \\ \"x\" `y` % _ ?",
        "🎉\u{feff}\u{200b}",
        &long,
    ];
    let numbers = [0, 1, -1, i64::MIN, i64::MAX];
    let floats = [0.0, -1.5, 0.1, f64::MAX, 5e-324];
    let days = [
        "0001-01-01 00:00:00",
        "1969-12-31 23:59:59.999999",
        "2024-02-29 00:00:00.000001",
        "9999-12-31 23:59:59.999999",
        "2038-01-19 03:14:08",
    ];
    for n in 0..5 {
        let values = vec![
            Value::Bool(n % 2 == 0),
            numbers[n].into(),
            floats[n].into(),
            texts[n].into(),
            vec![0, 255, b'\'', b'\\', 10].into(),
            at(days[n]),
        ];
        let insert = "INSERT INTO t (b, i, f, s, y, d) VALUES (?, ?, ?, ?, ?, ?)";
        client.execute_insert(insert, values.clone()).await.unwrap();
        let row = first(
            &client,
            "SELECT b, i, f, s, y, d FROM t ORDER BY id DESC LIMIT 1",
        )
        .await;
        assert_eq!(row[0], i64::from(n % 2 == 0).into());
        assert_eq!(row[1..], values[1..], "{n}");
        if let (Value::F64(found), Value::F64(sent)) = (&row[2], &values[2]) {
            assert_eq!(found.to_bits(), sent.to_bits());
        }
    }
}

async fn bytes_need_not_be_text(db: Database) {
    let client = db.client().await;
    script(&client, "CREATE TABLE t (y LONGBLOB, v VARBINARY(300))").await;
    let all: Vec<u8> = (0..=255).collect();
    let values = vec![all.clone().into(), all.clone().into()];
    client
        .execute_query("INSERT INTO t VALUES (?, ?)", values)
        .await
        .unwrap();
    let row = first(&client, "SELECT y, v FROM t").await;
    assert_eq!(row, [all.clone().into(), all.clone().into()]);
    let sql = "SELECT COUNT(*) FROM t WHERE y = ? AND v = ?";
    let found = client
        .execute_query(sql, vec![all.clone().into(), all.into()])
        .await
        .unwrap();
    assert_eq!(found.rows()[0], [1i64.into()]);
}

async fn dates_with_zeros_are_errors_that_name_the_column(db: Database) {
    let client = db.client().await;
    script(
        &client,
        "CREATE TABLE t (d DATE, happened DATETIME(6));
         SET sql_mode = ''; INSERT INTO t VALUES ('0000-00-00', NULL), (NULL, '2024-00-10')",
    )
    .await;
    for column in ["d", "happened"] {
        let sql = format!("SELECT {column} FROM t WHERE {column} IS NOT NULL");
        let error = client.execute_query(&sql, Vec::new()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data);
        assert!(error.to_string().contains(column), "{error}");
    }
    // The connection is fine, and strict again.
    let insert = "INSERT INTO t VALUES ('0000-00-00', NULL)";
    let error = client.execute_query(insert, Vec::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
}

async fn instants_do_not_depend_on_zones(db: Database) {
    let client = db.client().await;
    script(&client, "CREATE TABLE t (d DATETIME(6), s TIMESTAMP(6))").await;
    let instant = at("2024-06-01 12:00:00.123456");
    let values = vec![instant.clone(), instant.clone()];
    client
        .execute_query("INSERT INTO t VALUES (?, ?)", values)
        .await
        .unwrap();
    script(&client, "SET time_zone = '+05:00'").await;
    let row = first(&client, "SELECT d, s, @@time_zone FROM t").await;
    assert_eq!(row, [instant.clone(), instant, "+00:00".into()]);
}

async fn text_is_compared_by_code_point(db: Database) {
    let client = db.client().await;
    for (left, right) in [
        ("A", "a"),
        ("a", "a "),
        ("é", "e"),
        ("🎉", "😀"),
        ("ß", "ss"),
    ] {
        let values = vec![left.into(), right.into()];
        let rows = client.execute_query("SELECT ? = ?", values).await.unwrap();
        assert_eq!(rows.rows()[0], [0i64.into()], "{left} {right}");
    }
    let dialect = client.dialect();
    let column = dialect.column_type(orm_core::value::ColumnType::Char(20));
    let suffix = dialect.table_suffix();
    script(
        &client,
        &format!("CREATE TABLE t (s {column} UNIQUE){suffix}"),
    )
    .await;
    for text in ["b", "B", "b ", "bé", "be"] {
        let insert = "INSERT INTO t VALUES (?)";
        client
            .execute_query(insert, vec![text.into()])
            .await
            .unwrap();
    }
    let rows = client
        .execute_query("SELECT s FROM t ORDER BY s", Vec::new())
        .await
        .unwrap();
    let found: Vec<Value> = rows.into_rows().into_iter().flatten().collect();
    let sorted = ["B", "b", "b ", "be", "bé"].map(Value::from);
    assert_eq!(found, sorted);
}

async fn too_long_texts_and_numbers_are_errors(db: Database) {
    let client = db.client().await;
    script(&client, "CREATE TABLE t (s VARCHAR(3), n SMALLINT, i INT)").await;
    for (column, value) in [
        ("s", Value::from("abcd")),
        ("n", 40_000i64.into()),
        ("i", i64::MAX.into()),
        ("i", "canary".into()),
    ] {
        let sql = format!("INSERT INTO t ({column}) VALUES (?)");
        let error = client.execute_query(&sql, vec![value]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data, "{column}: {error}");
        assert!(error.to_string().contains(column), "{error}");
        assert!(
            !format!("{error} {error:?}").contains("canary"),
            "{error:?}"
        );
    }
    assert_eq!(one(&client, "SELECT COUNT(*) FROM t").await, 0i64.into());
}

async fn values_that_no_column_can_hold_are_not_sent(db: Database) {
    let client = db.client().await;
    for value in [
        Value::F64(f64::NAN),
        f64::NEG_INFINITY.into(),
        "a\0b".into(),
    ] {
        let error = client
            .execute_query("SELECT ?", vec![value])
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Validation);
    }
}

async fn other_character_sets_arrive_as_text(db: Database) {
    let client = db.client().await;
    script(
        &client,
        "CREATE TABLE t (s VARCHAR(20) CHARACTER SET latin1); INSERT INTO t VALUES ('déjà')",
    )
    .await;
    assert_eq!(one(&client, "SELECT s FROM t").await, "déjà".into());
    // What the column's set lacks is an error, not a question mark.
    let insert = "INSERT INTO t VALUES (?)";
    let error = client
        .execute_query(insert, vec!["日".into()])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    assert!(matches!(db.server, Server::MariaDb | Server::MySql));
}
