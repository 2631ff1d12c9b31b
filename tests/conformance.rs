//! The conformance suite over the drivers that the enabled features bring.

use async_trait::async_trait;
use orm_core::backend::{Backend as Driver, ConnectOptions, ConnectionUrl};
use orm_core::error::{Error, Result};
use orm_testkit::{Backend, Sandbox};

/// SQLite, with a file for each case.
#[derive(Debug)]
struct Sqlite;

#[async_trait]
impl Backend for Sqlite {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    async fn provision(&self, id: &str) -> Result<Sandbox> {
        let folder = tempfile::tempdir()
            .map_err(|error| Error::configuration(format!("no temporary folder: {error}")))?;
        let url = format!("sqlite://{}", folder.path().join(format!("{id}.db")).display());
        let parsed = ConnectionUrl::parse(&url)?;
        let client = orm_sqlite::SqliteBackend.connect(&parsed, &ConnectOptions::default()).await?;
        Ok(Sandbox::new(client, url).with_cleanup(folder))
    }
}

orm_testkit::main!(Sqlite);
