//! A database for one test on the server of `FD_TEST_POSTGRES_URL`, dropped with the value.

use orm_core::backend::{BaseDBAsyncClient, ConnectOptions, ConnectionUrl, Rows};
use orm_core::error::Result;
use orm_core::value::Value;
use orm_postgres::PostgresClient;
use std::sync::atomic::{AtomicU32, Ordering};

static NEXT: AtomicU32 = AtomicU32::new(0);

pub(crate) struct Database {
    admin: String,
    name: String,
}

/// Opens a URL with the default options.
pub(crate) async fn open(url: &str) -> Result<PostgresClient> {
    PostgresClient::connect(&ConnectionUrl::parse(url)?, &ConnectOptions::default()).await
}

fn admin_url() -> String {
    std::env::var("FD_TEST_POSTGRES_URL")
        .expect("FD_TEST_POSTGRES_URL is not set: run `cargo xtask servers up`")
}

impl Database {
    pub(crate) async fn new() -> Database {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("fd_specific_{}_{number}", std::process::id());
        let database = Database {
            admin: admin_url(),
            name,
        };
        database
            .as_admin(&format!(
                "CREATE DATABASE {} TEMPLATE template0",
                database.name
            ))
            .await;
        database
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The URL of the database, with further options.
    pub(crate) fn url(&self, options: &str) -> String {
        let separator = if self.admin.contains('?') { '&' } else { '?' };
        format!("{}{separator}dbname={}&{options}", self.admin, self.name)
    }

    /// The same through another address.
    pub(crate) fn url_at(&self, port: u16, options: &str) -> String {
        self.url(&format!("host=127.0.0.1&port={port}&{options}"))
    }

    /// Host and port of the server.
    pub(crate) fn address(&self) -> (String, u16) {
        let url = ConnectionUrl::parse(&self.admin).expect("a URL");
        let host = url.host().unwrap_or("localhost").to_owned();
        (host, url.port().unwrap_or(5432))
    }

    pub(crate) async fn client(&self, options: &str) -> PostgresClient {
        open(&self.url(options)).await.expect("the server is there")
    }

    /// Runs a script on the server's own database.
    pub(crate) async fn as_admin(&self, script: &str) {
        let admin = open(&self.admin).await.expect("the server is there");
        admin.execute_script(script).await.expect(script);
        admin.close().await;
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let script = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        let admin = self.admin.clone();
        // A thread of its own, since this one is inside a runtime.
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                let admin = open(&admin).await?;
                let dropped = admin.execute_script(&script).await;
                admin.close().await;
                dropped
            })
        });
        if let Ok(Err(error)) = thread.join() {
            eprintln!("{} was not dropped: {error}", self.name);
        }
    }
}

/// The first cell of a query.
pub(crate) async fn one(client: &dyn BaseDBAsyncClient, sql: &str) -> Value {
    let rows: Rows = client.execute_query(sql, Vec::new()).await.expect(sql);
    rows.rows()[0][0].clone()
}
