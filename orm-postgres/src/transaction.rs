//! BEGIN, COMMIT and ROLLBACK of one connection, each in one round trip.

use crate::error::{self, failed_transaction};
use crate::session::{PostgresSession, State};
use async_trait::async_trait;
use orm_core::backend::{Session, TransactionManager, TransactionOptions};
use orm_core::error::Result;

#[async_trait]
impl TransactionManager for PostgresSession {
    async fn begin(&mut self, options: &TransactionOptions) -> Result<()> {
        let sql = self.dialect().begin_sql(options)?.join("; ");
        self.command(&sql).await?;
        self.state = State::Open;
        Ok(())
    }

    async fn commit(&mut self) -> Result<()> {
        // The server would answer ROLLBACK, and the driver would take that for success.
        if self.state == State::Failed {
            return Err(failed_transaction("COMMIT"));
        }
        // Every answer was read to its end, so a failure would be known; if some were not, a
        // statement before COMMIT fails for it.
        let sql = if self.unseen {
            "SELECT 1; COMMIT"
        } else {
            "COMMIT"
        };
        match self.command(sql).await {
            Ok(()) => {
                self.state = State::Idle;
                Ok(())
            }
            Err(refused) => {
                let code = refused.as_database().and_then(|report| report.code());
                // A COMMIT that is refused (a deferred constraint) has rolled back.
                if code != Some(error::IN_FAILED_TRANSACTION) {
                    self.state = State::Idle;
                }
                Err(refused)
            }
        }
    }

    async fn rollback(&mut self) -> Result<()> {
        if self.state == State::Idle {
            return Ok(());
        }
        self.command("ROLLBACK").await?;
        self.state = State::Idle;
        Ok(())
    }

    async fn rollback_to(&mut self, depth: u32) -> Result<()> {
        self.command(&format!(
            "ROLLBACK TO SAVEPOINT sp{depth}; RELEASE SAVEPOINT sp{depth}"
        ))
        .await?;
        self.state = State::Open;
        Ok(())
    }

    async fn savepoint(&mut self, depth: u32) -> Result<()> {
        self.command(&format!("SAVEPOINT sp{depth}")).await
    }

    async fn release(&mut self, depth: u32) -> Result<()> {
        self.command(&format!("RELEASE SAVEPOINT sp{depth}")).await
    }
}
