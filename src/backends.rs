//! The drivers that Cargo features enable.

use orm_core::backend::Backend;
use std::sync::Arc;

/// One driver for each enabled feature.
pub(crate) fn enabled() -> Vec<Arc<dyn Backend>> {
    vec![
        #[cfg(feature = "mysql")]
        Arc::new(orm_mysql::MySqlBackend),
        #[cfg(feature = "postgres")]
        Arc::new(orm_postgres::PostgresBackend),
        #[cfg(feature = "sqlite")]
        Arc::new(orm_sqlite::SqliteBackend),
    ]
}
