//! PostgreSQL, with a database for each case on the server of `FD_TEST_POSTGRES_URL`.

use async_trait::async_trait;
use orm_core::backend::{Backend as Driver, BaseDBAsyncClient, ConnectOptions, ConnectionUrl};
use orm_core::error::{Error, Result};
use orm_postgres::{PostgresBackend, PostgresClient};
use orm_testkit::{Availability, Backend, Sandbox};
use std::sync::Arc;

const VARIABLE: &str = "FD_TEST_POSTGRES_URL";

fn admin() -> std::result::Result<String, String> {
    let missing = |_| format!("{VARIABLE} is not set: run `cargo xtask servers up`");
    std::env::var(VARIABLE).map_err(missing)
}

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

    fn availability(&self) -> Availability {
        match admin() {
            Ok(_) => Availability::Ready,
            Err(missing) => Availability::Missing(missing),
        }
    }

    fn driver_version(&self) -> String {
        format!("orm-postgres {}", env!("CARGO_PKG_VERSION"))
    }

    async fn provision(&self, id: &str) -> Result<Sandbox> {
        let admin = admin().map_err(Error::configuration)?;
        let name = format!("fd_{id}");
        let script = format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'");
        run(&admin, &script).await?;
        let separator = if admin.contains('?') { '&' } else { '?' };
        let url = format!("{admin}{separator}dbname={name}");
        let sandbox = Sandbox::open(&PostgresBackend, url).await?;
        Ok(sandbox.with_teardown(async move {
            run(&admin, &format!("DROP DATABASE {name} WITH (FORCE)")).await
        }))
    }
}

async fn run(admin: &str, script: &str) -> Result<()> {
    let url = ConnectionUrl::parse(admin)?;
    let client = PostgresClient::connect(&url, &ConnectOptions::default()).await?;
    let done = client.execute_script(script).await;
    client.close().await;
    done
}
