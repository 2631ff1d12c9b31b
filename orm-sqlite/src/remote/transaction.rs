//! BEGIN, COMMIT and ROLLBACK on the stream that the server holds.

use super::session::RemoteSession;
use async_trait::async_trait;
use orm_core::backend::{Health, Session, TransactionManager, TransactionOptions};
use orm_core::error::Result;

#[async_trait]
impl TransactionManager for RemoteSession {
    async fn begin(&mut self, options: &TransactionOptions) -> Result<()> {
        for sql in self.dialect().begin_sql(options)? {
            self.command(sql).await?;
        }
        Ok(())
    }

    async fn commit(&mut self) -> Result<()> {
        self.command("COMMIT").await
    }

    async fn rollback(&mut self) -> Result<()> {
        // Some errors end the transaction by themselves.
        match self.health() {
            Health::Clean => Ok(()),
            _ => self.command("ROLLBACK").await,
        }
    }
}
