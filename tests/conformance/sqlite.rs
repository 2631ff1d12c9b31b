//! SQLite, with a file for each case.

use async_trait::async_trait;
use orm_core::backend::Backend as Driver;
use orm_core::error::{Error, Result};
use orm_testkit::{Backend, Sandbox};
use std::sync::Arc;

/// The backend under test.
#[derive(Debug)]
pub(crate) struct Sqlite;

#[async_trait]
impl Backend for Sqlite {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn driver(&self) -> Arc<dyn Driver> {
        Arc::new(orm_sqlite::SqliteBackend)
    }

    async fn provision(&self, id: &str) -> Result<Sandbox> {
        let folder = tempfile::tempdir()
            .map_err(|error| Error::configuration(format!("no temporary folder: {error}")))?;
        let file = folder.path().join(format!("{id}.db"));
        let url = format!("sqlite://{}", file.display());
        Ok(Sandbox::open(&*self.driver(), url)
            .await?
            .with_cleanup(folder))
    }
}
