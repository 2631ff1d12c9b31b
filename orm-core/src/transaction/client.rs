//! A transaction as a client, so that raw SQL runs inside it too.

use super::{Tx, task};
use crate::backend::{
    BaseDBAsyncClient, Dialect, Done, Intent, Lease, Sink, Statement, StatementText, Step,
};
use crate::connection::{self, Connection};
use crate::error::{Error, Result};
use crate::value::Value;
use async_trait::async_trait;
use std::{ops::Deref, sync::Arc};

/// The connection of this name; inside one of its transactions, that transaction, so that raw SQL
/// of the same task takes part in it.
///
/// # Errors
/// `Configuration` before `Tortoise::init`, and for a name that is not configured.
///
/// # Examples
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
/// # fn main() -> Result<()> { run(async {
/// let connection = Tortoise::get_connection("default")?;
/// let rows = connection.execute_query("SELECT COUNT(*) FROM post", vec![]).await?;
/// assert_eq!(rows.rows()[0][0], 3_i64.into());
/// # Ok(()) }) }
/// ```
pub fn get_connection(name: &str) -> Result<Connection> {
    let connection = connection::get_connection(name)?;
    Ok(match task::current(&connection) {
        Some(tx) => Connection::new(connection.name(), Arc::new(tx)),
        None => connection,
    })
}

#[async_trait]
impl BaseDBAsyncClient for Tx {
    fn dialect(&self) -> &'static dyn Dialect {
        Tx::dialect(self)
    }

    async fn acquire(&self, _: Intent) -> Result<Lease> {
        Err(Error::configuration(
            "a transaction has one connection and lends it statement by statement: \
             run statements on the handle, or acquire from the connection outside",
        ))
    }

    async fn close(&self) {}

    async fn run(&self, statement: &Statement, sink: &mut Sink) -> Result<Done> {
        Tx::run(self, statement, sink).await
    }

    async fn run_many(&self, steps: &mut [Step<'_>]) -> Result<()> {
        Tx::run_many(self, steps).await
    }

    async fn execute_many(&self, sql: &str, sets: Vec<Vec<Value>>) -> Result<u64> {
        let statement = Statement::new(StatementText::new(sql), Vec::new());
        self.turn(async |lease: &mut Lease| lease.execute_many(&statement, sets).await)
            .await
    }

    async fn execute_script(&self, sql: &str) -> Result<()> {
        self.script(sql).await
    }
}

impl Deref for Tx {
    type Target = dyn BaseDBAsyncClient;
    fn deref(&self) -> &Self::Target {
        self
    }
}
