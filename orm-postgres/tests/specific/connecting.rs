//! Connections that cannot be made, and what they are set up with.

use crate::database::{Database, one, open};
use crate::server::{Server, free_port};
use orm_core::backend::{BaseDBAsyncClient, ConnectionUrl, Intent};
use orm_core::error::{Error, ErrorKind};
use orm_postgres::PostgresClient;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Fails within the limit, with this kind, and names all of these.
async fn refused(url: &str, kind: ErrorKind, parts: &[&str]) -> Error {
    let start = Instant::now();
    let error = open(url).await.expect_err(url);
    assert!(
        start.elapsed() < Duration::from_secs(3),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(error.kind(), kind, "{error}");
    let shown = error.to_string();
    for part in parts {
        assert!(shown.contains(part), "`{shown}` does not name `{part}`");
    }
    assert!(
        !format!("{shown} {error:?}").contains("canary"),
        "{error:?}"
    );
    error
}

#[tokio::test]
async fn servers_that_cannot_be_reached_are_named() {
    let port = free_port();
    let (place, name) = (format!("127.0.0.1:{port}"), "database `d`");
    let url = format!("postgres://u:canary@{place}/d");
    refused(&url, ErrorKind::ConnectionLost, &[&place, name, "refused"]).await;
    let url = "postgres://u:canary@no-such-host.invalid/d";
    refused(
        url,
        ErrorKind::ConnectionLost,
        &["no-such-host.invalid:5432", name],
    )
    .await;

    // Takes the connection, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let place = silent.local_addr().expect("an address").to_string();
    let url = format!("postgres://u:canary@{place}/d?connect_timeout=1");
    refused(&url, ErrorKind::Timeout, &[&place]).await;

    let url = "postgres:///d?host=/nowhere&password=canary";
    refused(url, ErrorKind::ConnectionLost, &["/nowhere:5432", name]).await;
}

#[tokio::test]
async fn what_is_no_usable_server_is_said() {
    // A server whose version this driver does not know how to talk to.
    let old = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let place = old.local_addr().expect("an address").to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = old.accept().await {
            let mut room = [0; 1024];
            let _ = stream.read(&mut room).await;
            let mut answer = vec![b'R', 0, 0, 0, 8, 0, 0, 0, 0];
            let parameter = b"server_version\09.6.24\0";
            answer.push(b'S');
            answer.extend_from_slice(&(parameter.len() as u32 + 4).to_be_bytes());
            answer.extend_from_slice(parameter);
            answer.extend_from_slice(&[b'Z', 0, 0, 0, 5, b'I']);
            let _ = stream.write_all(&answer).await;
            let _ = stream.read(&mut room).await;
        }
    });
    let url = format!("postgres://u:canary@{place}/d");
    refused(
        &url,
        ErrorKind::Configuration,
        &[&place, "9.6.24", "12 or newer"],
    )
    .await;

    let other = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let place = other.local_addr().expect("an address").to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = other.accept().await {
            let mut room = [0; 1024];
            let _ = stream.read(&mut room).await;
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let url = format!("postgres://u:canary@{place}/d");
    refused(
        &url,
        ErrorKind::ConnectionLost,
        &[&place, "is it a PostgreSQL server?"],
    )
    .await;
}

#[tokio::test]
async fn refused_logins_say_what_to_do() {
    let database = Database::new().await;
    let (host, port) = database.address();
    let place = format!("{host}:{port}");
    let url = database
        .url("")
        .replace(database.name(), "fd_no_such_database");
    let advice = "create the database";
    refused(
        &url,
        ErrorKind::Auth,
        &[&place, "`fd_no_such_database`", advice],
    )
    .await;

    let role = format!("{}_role", database.name());
    database
        .as_admin(&format!("CREATE ROLE {role} LOGIN CONNECTION LIMIT 1"))
        .await;
    let url = database.url(&format!("user={role}&password=canary"));
    let first = open(&url).await.expect("one is allowed");
    refused(&url, ErrorKind::Resource, &[&place, "max_connections"]).await;
    first.close().await;
    drop(first);
    database.as_admin(&format!("DROP ROLE {role}")).await;
}

#[tokio::test]
async fn several_hosts_are_tried_in_turn() {
    let database = Database::new().await;
    let (host, port) = database.address();
    let dead = free_port();
    let options = format!("host=127.0.0.1,{host}&port={dead},{port}&application_name=tried");
    let client = database.client(&options).await;
    assert_eq!(one(&client, "SHOW application_name").await, "tried".into());
    let url = database.url("target_session_attrs=read-only");
    refused(&url, ErrorKind::ReadOnly, &["also writes"]).await;
    let client = database.client("target_session_attrs=read-write").await;
    assert_eq!(one(&client, "SELECT 1").await, 1.into());
}

#[tokio::test]
async fn the_session_does_not_depend_on_the_servers_settings() {
    let database = Database::new().await;
    let name = database.name();
    database
        .as_admin(&format!(
            "ALTER DATABASE {name} SET TimeZone = 'Asia/Tokyo'; \
             ALTER DATABASE {name} SET standard_conforming_strings = off; \
             ALTER DATABASE {name} SET DateStyle = 'SQL, DMY'"
        ))
        .await;
    for mode in ["named", "unnamed"] {
        let client = database.client(&format!("statement_mode={mode}")).await;
        assert_eq!(one(&client, "SHOW TimeZone").await, "UTC".into(), "{mode}");
        let at = orm_core::value::parse_datetime("2024-03-02 01:00:00").expect("an instant");
        let sql = "SELECT $1::timestamptz, EXTRACT(DAY FROM $1::timestamptz)::int";
        let rows = client
            .execute_query(sql, vec![at.into()])
            .await
            .expect("reads");
        assert_eq!(rows.rows(), [vec![at.into(), 2.into()]], "{mode}");
    }
    let client = database.client("").await;
    let setting = one(&client, "SHOW standard_conforming_strings").await;
    assert_eq!(setting, "on".into());
}

#[tokio::test]
async fn tables_are_found_along_the_search_path() {
    let database = Database::new().await;
    let client = database.client("").await;
    client
        .execute_script("CREATE SCHEMA \"my own\"; CREATE TABLE \"my own\".t (id int)")
        .await
        .expect("a table");
    let client = database.client("search_path=%22my%20own%22,public").await;
    assert_eq!(one(&client, "SELECT count(*) FROM t").await, 0.into());
}

#[tokio::test]
async fn a_server_without_tls_is_not_talked_to_in_the_clear() {
    let database = Database::new().await;
    let url = database.url("sslmode=require");
    let parsed = ConnectionUrl::parse(&url).expect("a URL");
    let options = orm_core::backend::ConnectOptions::default();
    let error = PostgresClient::connect(&parsed, &options)
        .await
        .expect_err("no TLS");
    let wanted = if cfg!(feature = "tls") {
        "TLS"
    } else {
        "feature `tls`"
    };
    assert!(error.to_string().contains(wanted), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooler_in_transaction_mode_needs_unnamed_statements_only() {
    use orm_core::backend::{Sink, Statement, StatementText, TransactionOptions};
    let database = Database::new().await;
    database
        .client("")
        .await
        .execute_script("CREATE TABLE t (id int PRIMARY KEY, name text, at timestamptz)")
        .await
        .expect("a table");
    let pooler = Server::pgbouncer(&database.address());
    let url = database.url_at(pooler.port, "statement_mode=unnamed&max_connections=8");
    let client = std::sync::Arc::new(open(&url).await.expect("through the pooler"));
    let insert = StatementText::new(
        "INSERT INTO t SELECT * FROM unnest(CAST($1 AS int[]), CAST($2 AS text[]), CAST($3 AS timestamptz[]))",
    );
    let find =
        StatementText::new("SELECT name FROM t WHERE id = $1 AND id = ANY(CAST($2 AS bigint[]))");
    let tasks = (0..8i64).map(|task| {
        let (client, insert, find) = (client.clone(), insert.clone(), find.clone());
        tokio::spawn(async move {
            use orm_core::value::{Array, ColumnType, Value};
            for i in 0..25 {
                let id = Value::I64(task * 100 + i);
                let at = orm_core::value::parse_datetime("2024-01-01").expect("a day");
                let row = vec![
                    Array::new(ColumnType::Int, vec![id.clone()]).into(),
                    Array::new(ColumnType::Text, vec![format!("it's {task}-{i}").into()]).into(),
                    Array::new(ColumnType::DateTime, vec![at.into()]).into(),
                ];
                let statement = Statement::new(insert.clone(), row);
                let mut lease = client.acquire(Intent::Write).await?;
                lease.begin(&TransactionOptions::new()).await?;
                lease.run(&statement, &mut Sink::discard()).await?;
                lease.commit().await?;
                drop(lease);
                let list = Array::new(ColumnType::BigInt, vec![id.clone(), Value::I64(-1)]);
                let rows = client
                    .execute_query(find.sql(), vec![id, list.into()])
                    .await?;
                assert_eq!(rows.rows(), [vec![format!("it's {task}-{i}").into()]]);
            }
            Ok::<_, Error>(())
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("no panic").expect("no error");
    }
    assert_eq!(one(&*client, "SELECT count(*) FROM t").await, 200.into());
    assert_eq!(one(&*client, "SHOW TimeZone").await, "UTC".into());
    // A dropped statement is cancelled through the pooler too.
    let sleeps = client.execute_query("SELECT pg_sleep(30)", Vec::new());
    let waited = tokio::time::timeout(Duration::from_millis(100), sleeps).await;
    assert!(waited.is_err(), "it sleeps");
    tokio::time::sleep(Duration::from_millis(500)).await;
    let spy = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(30)%' \
               AND datname = current_database() AND state = 'active'";
    assert_eq!(one(&*client, spy).await, 0.into());
    client.close().await;
    drop(client);
    drop(pooler);
}
