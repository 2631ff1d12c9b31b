//! A database for each test, on the servers that the environment names.

use orm_core::backend::{
    BaseDBAsyncClient, ConnectOptions, ConnectionUrl, Intent, Lease, Sink, Statement, StatementText,
};
use orm_core::error::Result;
use orm_core::value::Value;
use orm_mysql::MySqlClient;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    MariaDb,
    MySql,
}

/// Makes one test for each server out of an async function that takes a [`Database`].
macro_rules! on_both {
    ($($name:ident)+) => {
        mod mariadb { $(
            #[test]
            fn $name() {
                crate::support::run(crate::support::Server::MariaDb, super::$name);
            }
        )+ }
        mod mysql { $(
            #[test]
            fn $name() {
                crate::support::run(crate::support::Server::MySql, super::$name);
            }
        )+ }
    };
}
pub(crate) use on_both;

/// An empty database.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    pub(crate) server: Server,
    pub(crate) name: String,
}

impl Server {
    /// The URL of a user who may create databases.
    pub(crate) fn admin(self) -> String {
        let variable = match self {
            Server::MariaDb => "FD_TEST_MARIADB_URL",
            Server::MySql => "FD_TEST_MYSQL_URL",
        };
        std::env::var(variable).unwrap_or_else(|_| {
            panic!("{variable} is not set: run `cargo xtask servers up`, which says what to set")
        })
    }
}

impl Database {
    /// Its URL with more options, such as `&statement_cache=3`.
    pub(crate) fn url(&self, options: &str) -> String {
        let admin = self.server.admin();
        let host = &admin[..admin.rfind('/').unwrap()];
        format!("{host}/{}?program_name=fd{options}", self.name)
    }

    pub(crate) async fn client(&self) -> MySqlClient {
        self.client_with("").await
    }

    pub(crate) async fn client_with(&self, options: &str) -> MySqlClient {
        open(&self.url(options)).await.unwrap()
    }
}

pub(crate) async fn open(url: &str) -> Result<MySqlClient> {
    let url = ConnectionUrl::parse(url)?;
    MySqlClient::connect(&url, &ConnectOptions::default()).await
}

static NEXT: AtomicU32 = AtomicU32::new(0);

/// Runs a test in a database of its own, which is dropped afterwards, also when the test fails.
pub(crate) fn run<F: Future<Output = ()> + Send + 'static>(
    server: Server,
    test: impl FnOnce(Database) -> F + Send + 'static,
) {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("fd_my_specific_{}_{number}", std::process::id());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let outcome = runtime.block_on(async {
        let admin = open(&server.admin()).await.unwrap();
        let create = format!("CREATE DATABASE {name}");
        admin.execute_script(&create).await.unwrap();
        let database = Database {
            server,
            name: name.clone(),
        };
        let limited = tokio::time::timeout(Duration::from_secs(60), test(database));
        let outcome = tokio::spawn(limited).await;
        let drop = format!("DROP DATABASE {name}");
        admin.execute_script(&drop).await.unwrap();
        outcome
    });
    match outcome {
        Ok(in_time) => in_time.expect("the test ends within a minute"),
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// A statement that is kept prepared.
pub(crate) fn statement(sql: &str, values: Vec<Value>) -> Statement {
    let reads = sql.starts_with("SELECT");
    let intent = if reads { Intent::Read } else { Intent::Write };
    Statement::new(StatementText::new(sql), values).with_intent(intent)
}

pub(crate) async fn lease(client: &MySqlClient) -> Lease {
    client.acquire(Intent::Write).await.unwrap()
}

/// Rows of a statement on a lease.
pub(crate) async fn rows(lease: &mut Lease, sql: &str) -> Vec<Vec<Value>> {
    use orm_core::backend::{Collect, RowAccess};
    fn read(row: &dyn RowAccess) -> Result<Vec<Value>> {
        (0..row.len())
            .map(|i| Ok(row.cell(i)?.to_value()))
            .collect()
    }
    let mut sink = Sink::new(Collect::new(read));
    let statement = statement(sql, Vec::new()).uncached();
    lease.run(&statement, &mut sink).await.unwrap();
    sink.downcast::<Collect<Vec<Value>>>().unwrap().into_rows()
}

/// The one value of a query on a client.
pub(crate) async fn one(client: &MySqlClient, sql: &str) -> Value {
    let rows = client.execute_query(sql, Vec::new()).await.unwrap();
    assert_eq!(rows.len(), 1, "{sql}");
    rows.rows()[0][0].clone()
}

pub(crate) async fn number(client: &MySqlClient, sql: &str) -> i64 {
    match one(client, sql).await {
        Value::I64(number) => number,
        other => panic!("{sql}: {other:?}"),
    }
}

pub(crate) async fn script(client: &MySqlClient, sql: &str) {
    client.execute_script(sql).await.unwrap();
}

/// Waits until a query gives this number, for at most a second.
pub(crate) async fn becomes(client: &MySqlClient, sql: &str, wanted: i64) {
    let start = std::time::Instant::now();
    loop {
        let found = number(client, sql).await;
        if found == wanted {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(1), "{sql}: {found}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
