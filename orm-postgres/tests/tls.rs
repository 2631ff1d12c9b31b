//! Encrypted connections, against a server with certificates made here.
#![cfg(feature = "tls")]

#[path = "support/server.rs"]
#[allow(dead_code, reason = "the pooler is for other tests")]
mod server;

use orm_core::backend::{BaseDBAsyncClient, ConnectOptions, ConnectionUrl};
use orm_core::error::{Error, ErrorKind, Result};
use orm_core::value::Value;
use orm_postgres::PostgresClient;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use server::Server;
use std::time::{Duration, Instant};

/// An authority and a certificate for `localhost` that it signed, in PEM.
fn certificates() -> (String, String, String) {
    let authority_key = KeyPair::generate().expect("a key");
    let mut authority = CertificateParams::new(Vec::new()).expect("no names");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_cert = authority.self_signed(&authority_key).expect("signs");
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().expect("a key");
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    let leaf = leaf.signed_by(&key, &issuer).expect("signs");
    (authority_cert.pem(), leaf.pem(), key.serialize_pem())
}

async fn open(url: &str) -> Result<PostgresClient> {
    let mut options = ConnectOptions::default();
    options.max_connections = Some(1);
    PostgresClient::connect(&ConnectionUrl::parse(url)?, &options).await
}

async fn is_encrypted(client: &PostgresClient) -> Value {
    let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let rows = client.execute_query(sql, Vec::new()).await.expect("asks");
    rows.rows()[0][0].clone()
}

fn hides_the_password(error: &Error) {
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("canary"), "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_are_verified_unless_told_otherwise() {
    let (authority, leaf, key) = certificates();
    let server = Server::postgres(&leaf, &key);
    let port = server.port;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, authority).expect("writes");
    let (stranger, ..) = certificates();
    let strange = folder.path().join("strange.pem");
    std::fs::write(&strange, stranger).expect("writes");
    let url = |host: &str, options: &str| {
        format!("postgres://postgres:canary@{host}:{port}/postgres?{options}")
    };
    let with_ca = format!("sslmode=require&sslrootcert={}", file.display());

    // The server may still be starting behind its port.
    let start = Instant::now();
    let client = loop {
        match open(&url("localhost", &with_ca)).await {
            Ok(client) => break client,
            Err(error) if start.elapsed() > Duration::from_secs(10) => panic!("{error}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    };
    assert_eq!(is_encrypted(&client).await, true.into());

    // A dropped statement is cancelled over an encrypted connection of its own.
    let sleeps = client.execute_query("SELECT pg_sleep(30)", Vec::new());
    let waited = tokio::time::timeout(Duration::from_millis(100), sleeps).await;
    assert!(waited.is_err(), "it sleeps");
    let start = Instant::now();
    assert_eq!(is_encrypted(&client).await, true.into());
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );

    // Another name, another authority, the public list.
    let unknown = format!("sslmode=verify-full&sslrootcert={}", strange.display());
    for (host, options) in [
        ("127.0.0.1", with_ca.as_str()),
        ("localhost", unknown.as_str()),
        ("localhost", "sslmode=require"),
    ] {
        let error = open(&url(host, options)).await.expect_err(options);
        assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
        let shown = error.to_string();
        assert!(
            shown.contains("certificate") && shown.contains("sslrootcert"),
            "{shown}"
        );
        hides_the_password(&error);
    }
    let believing = "sslmode=require&danger_accept_invalid_certs=true";
    let client = open(&url("127.0.0.1", believing)).await.expect("believes");
    assert_eq!(is_encrypted(&client).await, true.into());
    let client = open(&url("127.0.0.1", "sslmode=disable"))
        .await
        .expect("in the clear");
    assert_eq!(is_encrypted(&client).await, false.into());

    // A Unix socket needs no encryption, and has none.
    let socket = format!(
        "postgres:///postgres?user=postgres&password=canary&host={}&port={port}",
        server.socket_folder().display()
    );
    for options in ["", "&sslmode=require"] {
        let client = open(&format!("{socket}{options}"))
            .await
            .expect("by the socket");
        assert_eq!(is_encrypted(&client).await, false.into());
    }

    let missing = "sslmode=require&sslrootcert=/nowhere.pem";
    let error = open(&url("localhost", missing)).await.expect_err("no file");
    assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");

    let wrong = url("localhost", &with_ca).replace("canary", "canary-2");
    let error = open(&wrong).await.expect_err("a wrong password");
    assert_eq!(error.kind(), ErrorKind::Auth, "{error}");
    let place = format!("localhost:{port}");
    let shown = error.to_string();
    assert!(
        shown.contains(&place) && shown.contains("`postgres`"),
        "{shown}"
    );
    hides_the_password(&error);
    let none = url("localhost", &with_ca).replace(":canary", "");
    let error = open(&none).await.expect_err("no password");
    assert_eq!(error.kind(), ErrorKind::Auth, "{error}");
    assert!(error.to_string().contains("asks for a password"), "{error}");
    drop(server);
}
