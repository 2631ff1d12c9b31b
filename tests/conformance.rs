//! The conformance suite over the drivers that the enabled features bring.

#[cfg(feature = "libsql-remote")]
#[path = "../orm-sqlite/tests/remote/engine.rs"]
mod engine;
#[cfg(feature = "libsql-remote")]
#[path = "conformance/libsql.rs"]
mod libsql;
#[cfg(feature = "mysql")]
#[path = "conformance/mysql.rs"]
mod mysql;
#[cfg(feature = "postgres")]
#[path = "conformance/postgres.rs"]
mod postgres;
#[cfg(feature = "libsql-remote")]
#[path = "../orm-sqlite/tests/remote/server.rs"]
mod server;
#[cfg(feature = "sqlite")]
#[path = "conformance/sqlite.rs"]
mod sqlite;

orm_testkit::main!(
    #[cfg(feature = "sqlite")]
    sqlite::Sqlite,
    #[cfg(feature = "libsql-remote")]
    libsql::LibsqlRemote,
    #[cfg(feature = "postgres")]
    postgres::Postgres,
    #[cfg(feature = "mysql")]
    mysql::MARIADB,
    #[cfg(feature = "mysql")]
    mysql::MYSQL,
);
