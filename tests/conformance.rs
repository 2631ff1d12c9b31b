//! The conformance suite over the drivers that the enabled features bring.

#[cfg(feature = "mysql")]
#[path = "conformance/mysql.rs"]
mod mysql;
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
        #[cfg(feature = "mysql")]
        Arc::new(mysql::MARIADB),
        #[cfg(feature = "mysql")]
        Arc::new(mysql::MYSQL),
    ];
    orm_testkit::run(backends)
}
