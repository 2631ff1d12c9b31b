//! PostgreSQL, with a database for each case on the server of `FD_TEST_POSTGRES_URL`.

use async_trait::async_trait;
use orm_core::backend::{Backend as Driver, ConnectOptions, ConnectionUrl};
use orm_core::error::{Error, Result};
use orm_postgres::{PostgresBackend, PostgresClient};
use orm_testkit::{Backend, Sandbox};
use std::sync::Arc;

const VARIABLE: &str = "FD_TEST_POSTGRES_URL";

/// The backend under test.
#[derive(Debug)]
pub(crate) struct Postgres;

#[async_trait]
impl Backend for Postgres {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn driver(&self) -> Arc<dyn Driver> {
        Arc::new(PostgresBackend)
    }

    async fn provision(&self, id: &str) -> Result<Sandbox> {
        let admin = std::env::var(VARIABLE).map_err(|_| {
            Error::configuration(format!(
                "{VARIABLE} is not set: run `cargo xtask servers up`"
            ))
        })?;
        let name = format!("fd_{id}");
        let script = format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'");
        run(&admin, &script).await?;
        let cleanup = DropDatabase {
            admin: admin.clone(),
            name: name.clone(),
        };
        let separator = if admin.contains('?') { '&' } else { '?' };
        let url = format!("{admin}{separator}dbname={name}");
        Ok(Sandbox::open(&PostgresBackend, url)
            .await?
            .with_cleanup(cleanup))
    }
}

async fn run(admin: &str, script: &str) -> Result<()> {
    use orm_core::backend::BaseDBAsyncClient;
    let url = ConnectionUrl::parse(admin)?;
    let client = PostgresClient::connect(&url, &ConnectOptions::default()).await?;
    let done = client.execute_script(script).await;
    client.close().await;
    done
}

/// Drops the database of a case when the case has ended.
struct DropDatabase {
    admin: String,
    name: String,
}

impl Drop for DropDatabase {
    fn drop(&mut self) {
        let script = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        let admin = self.admin.clone();
        // A thread of its own, since this one may be inside a runtime.
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime
                .map_err(|error| Error::configuration(error.to_string()))
                .and_then(|runtime| runtime.block_on(run(&admin, &script)))
        });
        match thread.join() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => eprintln!("database {} was not dropped: {error}", self.name),
            Err(_) => eprintln!("database {} was not dropped", self.name),
        }
    }
}
