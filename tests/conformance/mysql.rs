//! MariaDB and MySQL: a database for each case, made and dropped through the URL in the
//! environment.

use async_trait::async_trait;
use orm_core::backend::{Backend as Driver, ConnectOptions, ConnectionUrl};
use orm_core::error::{Error, Result};
use orm_testkit::{Availability, Backend, Sandbox};
use std::sync::Arc;

/// A server, by the name of its dialect and the variable that holds its URL.
#[derive(Debug)]
pub(crate) struct Server {
    name: &'static str,
    variable: &'static str,
}

/// MariaDB.
pub(crate) const MARIADB: Server = Server {
    name: "mariadb",
    variable: "FD_TEST_MARIADB_URL",
};
/// MySQL.
pub(crate) const MYSQL: Server = Server {
    name: "mysql",
    variable: "FD_TEST_MYSQL_URL",
};

impl Server {
    fn admin(&self) -> Result<String> {
        std::env::var(self.variable).map_err(|_| Error::configuration(self.missing()))
    }

    fn missing(&self) -> String {
        format!(
            "{} is not set: run `cargo xtask servers up`, which says what to set",
            self.variable
        )
    }
}

#[async_trait]
impl Backend for Server {
    fn name(&self) -> &'static str {
        self.name
    }

    fn driver(&self) -> Arc<dyn Driver> {
        Arc::new(orm_mysql::MySqlBackend)
    }

    fn driver_version(&self) -> String {
        format!("orm-mysql {}", env!("CARGO_PKG_VERSION"))
    }

    fn availability(&self) -> Availability {
        match self.admin() {
            Ok(_) => Availability::Ready,
            Err(_) => Availability::Missing(self.missing()),
        }
    }

    async fn provision(&self, id: &str) -> Result<Sandbox> {
        let admin = self.admin()?;
        let database = format!("fd_my_{id}");
        run(&admin, &format!("CREATE DATABASE {database}")).await?;
        let url = with_database(&admin, &database);
        let sandbox = Sandbox::open(&*self.driver(), url).await?;
        let sandbox = sandbox.with_teardown(async move {
            run(&admin, &format!("DROP DATABASE IF EXISTS {database}")).await
        });
        let found = sandbox.client().dialect().name();
        if found != self.name {
            let (wanted, variable) = (self.name, self.variable);
            return Err(Error::configuration(format!(
                "{variable} leads to {found}, not to {wanted}"
            )));
        }
        Ok(sandbox)
    }
}

/// The URL with another database.
fn with_database(url: &str, database: &str) -> String {
    let (base, options) = url.split_once('?').map_or((url, ""), |(b, o)| (b, o));
    let host = base.rfind('/').map_or(base, |at| &base[..at]);
    match options {
        "" => format!("{host}/{database}"),
        options => format!("{host}/{database}?{options}"),
    }
}

async fn run(url: &str, sql: &str) -> Result<()> {
    let url = ConnectionUrl::parse(url)?;
    let options = ConnectOptions::default();
    let client = orm_mysql::MySqlBackend.connect(&url, &options).await?;
    let result = client.execute_script(sql).await;
    client.close().await;
    result
}
