//! Connecting: errors that say what to do, what a connection is set to, and what is undone.

use crate::support::{Database, Server, lease, number, on_both, one, open, rows, script};
use orm_core::backend::{BaseDBAsyncClient, ConnectOptions, ConnectionUrl, Intent};
use orm_core::error::{Error, ErrorKind, TimeoutKind};
use orm_mysql::MySqlClient;
use std::time::Duration;

on_both! {
    the_server_is_told_by_what_it_says
    every_connection_is_set_up_alike
    what_raw_sql_leaves_is_undone
    errors_name_the_server_and_what_to_do
    a_connection_that_was_killed_is_replaced
    a_host_that_does_not_answer_is_a_timeout
    options_reach_the_driver
    an_ordinary_user_with_a_password
    messages_are_in_english
}

async fn the_server_is_told_by_what_it_says(db: Database) {
    let wanted = match db.server {
        Server::MariaDb => "mariadb",
        Server::MySql => "mysql",
    };
    for scheme in ["mysql", "mariadb"] {
        let url = db.url("");
        let (_, rest) = url.split_once(':').unwrap();
        let client = open(&format!("{scheme}:{rest}")).await.unwrap();
        assert_eq!(client.dialect().name(), wanted);
    }
}

async fn every_connection_is_set_up_alike(db: Database) {
    let client = db.client().await;
    let row = client
        .execute_query(
            "SELECT @@time_zone, @@collation_connection, @@character_set_client, @@sql_mode,
                @@autocommit, @@foreign_key_checks",
            Vec::new(),
        )
        .await
        .unwrap();
    let row = &row.rows()[0];
    let collation = match db.server {
        Server::MariaDb => "utf8mb4_nopad_bin",
        Server::MySql => "utf8mb4_0900_bin",
    };
    assert_eq!(
        row[..3],
        ["+00:00".into(), collation.into(), "utf8mb4".into()]
    );
    let orm_core::value::Value::Text(mode) = &row[3] else {
        panic!("sql_mode is text");
    };
    assert!(mode.contains("STRICT_ALL_TABLES") && mode.contains("NO_ZERO_DATE"));
    assert!(!mode.contains("NO_BACKSLASH_ESCAPES") && !mode.contains("ANSI_QUOTES"));
    assert_eq!(row[4..], [1i64.into(), 1i64.into()]);
}

async fn what_raw_sql_leaves_is_undone(db: Database) {
    let client = db.client_with("&max_connections=1").await;
    script(
        &client,
        "SET @left = 1, time_zone = '+05:00', sql_mode = '', foreign_key_checks = 0;
         CREATE TEMPORARY TABLE mine (a INT); SELECT GET_LOCK('fd_left', 1)",
    )
    .await;
    assert!(one(&client, "SELECT @left").await.is_null());
    assert_eq!(one(&client, "SELECT @@time_zone").await, "+00:00".into());
    assert_eq!(number(&client, "SELECT @@foreign_key_checks").await, 1);
    assert!(
        one(&client, "SELECT IS_USED_LOCK('fd_left')")
            .await
            .is_null()
    );
    let error = client
        .execute_query("SELECT * FROM mine", Vec::new())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Statement);
}

async fn errors_name_the_server_and_what_to_do(db: Database) {
    let url = ConnectionUrl::parse(&db.url("")).unwrap();
    let (host, port) = (url.host().unwrap(), url.port().unwrap());
    let name = &db.name;
    for (url, kind, hints) in [
        (
            format!("mysql://root:canary@{host}:{port}/{name}"),
            ErrorKind::Auth,
            vec!["root", host, name, "check user and password"],
        ),
        (
            format!("mysql://root@{host}:{port}/fd_missing"),
            ErrorKind::Auth,
            vec!["fd_missing", "does not exist"],
        ),
        (
            format!("mysql://root:canary@{host}:1/{name}"),
            ErrorKind::ConnectionLost,
            vec![":1/", "start the server"],
        ),
        (
            format!("mysql://root:canary@no.such.host.invalid/{name}"),
            ErrorKind::ConnectionLost,
            vec!["no.such.host.invalid:3306", "check host"],
        ),
        (
            format!("mysql://root:canary@{host}/{name}?socket=/no/such.sock"),
            ErrorKind::ConnectionLost,
            vec!["/no/such.sock", "socket"],
        ),
    ] {
        let error = open(&url).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{url}: {error}");
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("canary"), "{shown}");
        for hint in hints {
            assert!(error.to_string().contains(hint), "{hint}: {error}");
        }
    }
}

async fn a_connection_that_was_killed_is_replaced(db: Database) {
    let client = db.client_with("&max_connections=1").await;
    let other = db.client().await;
    let id = number(&client, "SELECT CONNECTION_ID()").await;
    let mut held = lease(&client).await;
    script(&other, &format!("KILL {id}")).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let sql = crate::support::statement("INSERT INTO t VALUES (1)", Vec::new());
    let error = held
        .run(&sql, &mut orm_core::backend::Sink::discard())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
    drop(held);
    assert_ne!(number(&client, "SELECT CONNECTION_ID()").await, id);
}

async fn a_host_that_does_not_answer_is_a_timeout(_: Database) {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let url = ConnectionUrl::parse(&format!("mysql://root@127.0.0.1:{port}/x")).unwrap();
    let mut options = ConnectOptions::default();
    options.connect_timeout = Duration::from_millis(100);
    let error = MySqlClient::connect(&url, &options).await.unwrap_err();
    assert!(
        matches!(error, Error::Timeout(TimeoutKind::Connect, _)),
        "{error}"
    );
    assert!(error.to_string().contains(&port.to_string()), "{error}");
}

async fn options_reach_the_driver(db: Database) {
    let client = db
        .client_with("&max_connections=2&compression=true&tcp_keepalive=5")
        .await;
    assert_eq!(client.status().max_size, 2);
    let text = "x".repeat(100_000);
    let rows = client
        .execute_query("SELECT ?", vec![text.as_str().into()])
        .await
        .unwrap();
    assert_eq!(rows.rows()[0], [text.as_str().into()]);
    let mut lease = client.acquire(Intent::Read).await.unwrap();
    assert_eq!(rows_of_status(&mut lease).await, "ON");
}

async fn rows_of_status(lease: &mut orm_core::backend::Lease) -> String {
    match rows(lease, "SHOW SESSION STATUS LIKE 'Compression'").await[0][1].clone() {
        orm_core::value::Value::Text(text) => text,
        other => panic!("{other:?}"),
    }
}

async fn an_ordinary_user_with_a_password(db: Database) {
    let admin = db.client().await;
    let (user, name) = (format!("fd_{}", &db.name[16..]), &db.name);
    script(
        &admin,
        &format!(
            "DROP USER IF EXISTS '{user}'@'%'; CREATE USER '{user}'@'%' IDENTIFIED BY 'p/ä:@?';
             GRANT ALL ON {name}.* TO '{user}'@'%'"
        ),
    )
    .await;
    let url = ConnectionUrl::parse(&db.url("")).unwrap();
    let (host, port) = (url.host().unwrap(), url.port().unwrap());
    let url = format!("mysql://{user}:p%2F%C3%A4%3A%40%3F@{host}:{port}/{name}?max_connections=1");
    // Twice: the second time the server may know the password already.
    for _ in 0..2 {
        let client = open(&url).await.unwrap();
        assert_eq!(number(&client, "SELECT 1").await, 1);
        // May end the statements of their own connections.
        let long = client.execute_query("SELECT BENCHMARK(4000000000, 1 + 1)", Vec::new());
        assert!(
            tokio::time::timeout(Duration::from_millis(100), long)
                .await
                .is_err()
        );
        let running = "SELECT COUNT(*) FROM information_schema.processlist \
                       WHERE info LIKE '%BENCHMARK(4%' AND info NOT LIKE '%processlist%' \
                       AND db = DATABASE()";
        crate::support::becomes(&admin, running, 0).await;
        assert_eq!(number(&client, "SELECT 2").await, 2);
    }
    let elsewhere = url.replace(&format!("/{name}"), "/mysql");
    let error = open(&elsewhere).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(error.to_string().contains("grant"), "{error}");
    script(&admin, &format!("DROP USER '{user}'@'%'")).await;
}

async fn messages_are_in_english(db: Database) {
    let client = db.client().await;
    assert_eq!(one(&client, "SELECT @@lc_messages").await, "en_US".into());
    script(&client, "SET lc_messages = 'de_DE'").await;
    assert_eq!(one(&client, "SELECT @@lc_messages").await, "en_US".into());
}

#[test]
fn a_unix_socket_is_an_address_too() {
    crate::support::run(Server::MariaDb, async |db: Database| {
        let client = db.client().await;
        let orm_core::value::Value::Text(path) = one(&client, "SELECT @@socket").await else {
            panic!("a path");
        };
        let url = format!("mariadb://root@localhost/{}?socket={path}", db.name);
        let local = open(&url).await.unwrap();
        assert_eq!(number(&local, "SELECT 1").await, 1);
    });
}

/// A server that asks for a login whose code is not built in.
#[test]
fn an_unknown_kind_of_login_is_an_error() {
    use std::io::{Read, Write};
    let mut greeting = vec![10];
    greeting.extend(b"5.5.5-10.11.0-MariaDB\0\x01\0\0\0saltsalt\0");
    // What the server can do, its character set and status, and the length of the salt.
    greeting.extend([0x09, 0xa2, 45, 2, 0, 0x08, 0, 21]);
    greeting.extend([0; 10]);
    greeting.extend(b"saltsaltsalt\0mysql_native_password\0");
    let packet = |number: u8, content: &[u8]| {
        let length = u8::try_from(content.len()).unwrap();
        [&[length, 0, 0, number], content].concat()
    };
    let greeting = packet(0, &greeting);
    let other_login = b"\xfeclient_ed25519\0saltsaltsaltsaltsaltsaltsaltsalt\0";
    let other_login = packet(2, other_login);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        for packet in [greeting, other_login] {
            stream.write_all(&packet).unwrap();
            let _ = stream.read(&mut [0; 1024]);
        }
    });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let url = format!("mariadb://fd:canary@127.0.0.1:{port}/x");
    let error = runtime.block_on(open(&url)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth, "{error}");
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("caching_sha2_password"), "{shown}");
    assert!(shown.contains(&port.to_string()) && !shown.contains("canary"));
    server.join().unwrap();
}

#[cfg(feature = "tls")]
mod tls {
    use super::{Server, number, one, open};
    use orm_core::error::ErrorKind;

    /// MySQL makes itself a certificate that nobody has signed.
    #[test]
    fn encryption_verifies_unless_told_otherwise() {
        crate::support::run(Server::MySql, async |db| {
            let error = open(&db.url("&ssl_mode=required")).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionLost);
            assert!(error.to_string().contains("ssl_ca"), "{error}");
            let any = "&ssl_mode=required&danger_accept_invalid_certs=true";
            let client = open(&db.url(any)).await.unwrap();
            assert_eq!(number(&client, "SELECT 1").await, 1);
            let sql = "SELECT variable_value FROM performance_schema.session_status \
                       WHERE variable_name = 'Ssl_version'";
            assert_eq!(one(&client, sql).await, "TLSv1.3".into());
        });
    }

    /// This server has no certificate.
    #[test]
    fn a_server_without_encryption_is_refused() {
        crate::support::run(Server::MariaDb, async |db| {
            let error = open(&db.url("&ssl_mode=required")).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionLost);
            assert!(error.to_string().contains("no encryption"), "{error}");
        });
    }
}
