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

/// The address of the server in a URL.
#[cfg(any(feature = "mysql", feature = "postgres"))]
fn server(url: &str, usual_port: u16) -> Option<std::net::SocketAddr> {
    use std::net::ToSocketAddrs;
    let url = orm_core::backend::ConnectionUrl::parse(url).ok()?;
    let port = url.port().unwrap_or(usual_port);
    (url.host()?, port).to_socket_addrs().ok()?.next()
}
