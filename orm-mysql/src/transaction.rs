//! BEGIN, COMMIT and ROLLBACK of one connection, each in one round trip.

use crate::error::closed;
use crate::session::MySqlSession;
use async_trait::async_trait;
use orm_core::backend::{Health, Session, TransactionManager, TransactionOptions};
use orm_core::error::{DatabaseError, Error, ErrorKind, Result};

#[async_trait]
impl TransactionManager for MySqlSession {
    async fn begin(&mut self, options: &TransactionOptions) -> Result<()> {
        if self.in_transaction() {
            // The server would commit it without a word.
            return Err(closed("a transaction is open already on this connection"));
        }
        let sql = self.dialect().begin_sql(options)?;
        self.command(&sql.join("; ")).await?;
        match self.in_transaction() {
            true => Ok(()),
            false => Err(closed("the server did not begin a transaction")),
        }
    }

    async fn commit(&mut self) -> Result<()> {
        if self.health() == Health::Clean {
            let message = "the transaction had ended before COMMIT: a statement in it committed \
                           by itself, or the server rolled it back";
            return Err(Error::database(
                ErrorKind::Operational,
                DatabaseError::new(message),
            ));
        }
        self.command("COMMIT").await
    }

    async fn rollback(&mut self) -> Result<()> {
        // Some errors end the transaction by themselves.
        match self.health() {
            Health::Clean => Ok(()),
            _ => self.command("ROLLBACK").await,
        }
    }

    async fn savepoint(&mut self, depth: u32) -> Result<()> {
        // Outside a transaction the server takes it without an error, and forgets it at once.
        if !self.in_transaction() {
            return Err(gone());
        }
        self.command(&format!("SAVEPOINT sp{depth}")).await
    }

    async fn rollback_to(&mut self, depth: u32) -> Result<()> {
        if !self.in_transaction() {
            return Err(gone());
        }
        self.command(&format!(
            "ROLLBACK TO SAVEPOINT sp{depth}; RELEASE SAVEPOINT sp{depth}"
        ))
        .await
    }

    async fn release(&mut self, depth: u32) -> Result<()> {
        if !self.in_transaction() {
            return Err(gone());
        }
        self.command(&format!("RELEASE SAVEPOINT sp{depth}")).await
    }
}

fn gone() -> Error {
    let message = "the server has ended the whole transaction: run it again";
    Error::database(ErrorKind::Serialization, DatabaseError::new(message))
}
