//! The conformance suite over the drivers that the enabled features bring.

#[cfg(feature = "postgres")]
#[path = "conformance/postgres.rs"]
mod postgres;
#[cfg(feature = "sqlite")]
#[path = "conformance/sqlite.rs"]
mod sqlite;

use orm_testkit::Backend;
use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    let backends: Vec<Arc<dyn Backend>> = vec![
        #[cfg(feature = "sqlite")]
        Arc::new(sqlite::Sqlite),
        #[cfg(feature = "postgres")]
        Arc::new(postgres::Postgres),
    ];
    orm_testkit::run(backends)
}
