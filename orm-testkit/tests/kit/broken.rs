//! Drivers that break a rule on purpose: the suite must find each of them.

use crate::sqlite::Sqlite;
use async_trait::async_trait;
use orm_core::backend::{Done, Sink, Statement, TransactionManager};
use orm_core::error::{Error, Result};
use orm_testkit::layer::{Layer, Layered};
use orm_testkit::{Filter, Report, Verdict, check};
use std::sync::Arc;
use std::time::Duration;

fn run(layer: impl Layer, filter: &Filter) -> Report {
    let layered = Layered::new(Arc::new(Sqlite), layer).with_deadline(Duration::from_secs(5));
    check(Arc::new(layered), filter)
}

/// The case fails, with this in its message.
fn found(layer: impl Layer, id: &str, message: &str) -> Verdict {
    let report = run(layer, &Filter::all().id(id));
    assert_eq!(report.records().len(), 1, "{id}");
    let record = &report.records()[0];
    assert!(record.is_failure(), "{id}: {}", record.verdict);
    assert!(record.message.contains(message), "{id}: {}", record.message);
    record.verdict
}

#[derive(Debug)]
struct CommitUndoes;

#[async_trait]
impl Layer for CommitUndoes {
    async fn commit(&self, session: &mut dyn TransactionManager) -> Result<()> {
        session.rollback().await
    }
}

#[test]
fn a_commit_that_undoes_is_an_overclaim() {
    let verdict = found(CommitUndoes, "commit::ok_keeps_all", "found");
    assert_eq!(verdict, Verdict::Overclaim);
}

#[derive(Debug)]
struct ReleaseUndoes;

#[async_trait]
impl Layer for ReleaseUndoes {
    async fn release(&self, session: &mut dyn TransactionManager, depth: u32) -> Result<()> {
        session.rollback_to(depth).await
    }
}

#[test]
fn a_release_that_undoes_is_an_overclaim() {
    let verdict = found(ReleaseUndoes, "nested::inner_commits_with_outer", "found");
    assert_eq!(verdict, Verdict::Overclaim);
}

#[derive(Debug)]
struct CountsNothing;

#[async_trait]
impl Layer for CountsNothing {
    async fn run(
        &self,
        session: &mut dyn TransactionManager,
        statement: &Statement,
        sink: &mut Sink,
    ) -> Result<Done> {
        session.run(statement, sink).await?;
        Ok(Done::default())
    }
}

#[test]
fn lost_counts_are_a_failure() {
    let verdict = found(CountsNothing, "update::counts_matched_rows", "key");
    assert_eq!(verdict, Verdict::Failed);
}

/// What every SELECT of users does.
#[derive(Clone, Copy, Debug)]
enum OnSelect {
    Hangs,
    Panics,
    Fails,
    Blocks,
}

#[async_trait]
impl Layer for OnSelect {
    async fn run(
        &self,
        session: &mut dyn TransactionManager,
        statement: &Statement,
        sink: &mut Sink,
    ) -> Result<Done> {
        if statement.sql().starts_with("SELECT") && statement.sql().contains("kit_user") {
            match self {
                OnSelect::Hangs => std::future::pending().await,
                OnSelect::Panics => panic!("out of cheese"),
                OnSelect::Fails => return Err(Error::configuration("no more")),
                OnSelect::Blocks => std::thread::sleep(Duration::from_millis(1500)),
            }
        }
        session.run(statement, sink).await
    }
}

#[test]
fn a_call_that_hangs_panics_or_fails_is_a_failure_with_its_reason() {
    let id = "filter::all::every_row_and_none";
    found(OnSelect::Panics, id, "panicked: out of cheese");
    found(OnSelect::Fails, id, "no more");
    let hangs = Layered::new(Arc::new(Sqlite), OnSelect::Hangs);
    let hangs = hangs.with_deadline(Duration::from_millis(800));
    let report = check(Arc::new(hangs), &Filter::all().id(id));
    let record = &report.records()[0];
    assert!(
        record.message.contains("no end after"),
        "{}",
        record.message
    );
    let sql = record.sql.last().expect("the statements are shown");
    assert!(
        sql.contains("kit_user"),
        "the last one is the one that hangs: {sql}"
    );
    assert!(report.to_terminal().contains(id));
}

#[test]
fn a_call_that_only_takes_its_time_is_fine() {
    let filter = Filter::all().id("filter::all::every_row_and_none");
    let report = run(OnSelect::Blocks, &filter);
    assert_eq!(report.failures().count(), 0);
}

/// No connection is lent.
#[derive(Debug)]
struct Empty;

#[async_trait]
impl Layer for Empty {
    async fn acquire(&self) -> Result<()> {
        Err(Error::configuration("none left"))
    }
}

#[test]
fn a_pool_without_connections_is_a_failure() {
    found(Empty, "filter::all::every_row_and_none", "none left");
}
