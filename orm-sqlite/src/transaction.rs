//! BEGIN, COMMIT and ROLLBACK of one connection, kept prepared.

use crate::session::SqliteSession;
use async_trait::async_trait;
use orm_core::backend::{
    Cost, Health, Session, Sink, Statement, StatementText, TransactionManager, TransactionOptions,
};
use orm_core::error::Result;
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

/// The texts of the commands, each with one number for the life of the process.
struct Commands {
    begin: Arc<StatementText>,
    begin_write: Arc<StatementText>,
    commit: Arc<StatementText>,
    rollback: Arc<StatementText>,
}

fn commands() -> &'static Commands {
    static COMMANDS: OnceLock<Commands> = OnceLock::new();
    COMMANDS.get_or_init(|| Commands {
        begin: StatementText::new("BEGIN"),
        begin_write: StatementText::new("BEGIN IMMEDIATE"),
        commit: StatementText::new("COMMIT"),
        rollback: StatementText::new("ROLLBACK"),
    })
}

impl SqliteSession {
    async fn command(&mut self, text: &Arc<StatementText>) -> Result<()> {
        let statement = Statement::new(Arc::clone(text), Vec::new()).with_cost(Cost::Point);
        self.run_patiently(&statement, &mut Sink::discard(), None)
            .await
            .map(drop)
    }
}

#[async_trait]
impl TransactionManager for SqliteSession {
    async fn begin(&mut self, options: &TransactionOptions) -> Result<()> {
        // Refuses isolation levels that SQLite has not.
        self.dialect().begin_sql(options)?;
        self.end_read_only()?;
        let commands = commands();
        if !options.read_only {
            let writes = !self.is_reader();
            let text = if writes {
                &commands.begin_write
            } else {
                &commands.begin
            };
            return self.command(text).await;
        }
        self.command(&commands.begin).await?;
        if !self.is_reader() {
            self.engine()
                .run_script("PRAGMA query_only = ON", Duration::ZERO)?;
            self.refuses_writes = true;
        }
        Ok(())
    }

    async fn commit(&mut self) -> Result<()> {
        self.command(&commands().commit).await?;
        self.end_read_only()
    }

    async fn rollback(&mut self) -> Result<()> {
        // Some errors end the transaction by themselves.
        if self.health() == Health::InTransaction {
            self.command(&commands().rollback).await?;
        }
        self.end_read_only()
    }
}
