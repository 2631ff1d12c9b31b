//! Statements that are sent in other words than core's, and answers that are wrong.

use async_trait::async_trait;
use orm_core::backend::{Collect, Done, Sink, Statement, StatementText, TransactionManager};
use orm_core::error::Result;
use orm_core::value::Value;
use orm_testkit::layer::Layer;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Sends something else.
pub(crate) struct Sends(pub(crate) fn(&mut String, &mut Vec<Value>));

impl fmt::Debug for Sends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sends")
    }
}

#[async_trait]
impl Layer for Sends {
    async fn run(
        &self,
        session: &mut dyn TransactionManager,
        statement: &Statement,
        sink: &mut Sink,
    ) -> Result<Done> {
        let mut sql = statement.sql().to_owned();
        let mut values = statement.values.clone();
        (self.0)(&mut sql, &mut values);
        let text = match sql == statement.sql() {
            true => Arc::clone(&statement.text),
            false => StatementText::new(sql),
        };
        let changed = Statement::new(text, values)
            .with_intent(statement.intent)
            .with_cost(statement.cost)
            .uncached();
        session.run(&changed, sink).await
    }
}

/// Takes the clause out of the text, with the value that it binds.
fn without(clause: &str, sql: &mut String, values: &mut Vec<Value>) {
    if let Some(at) = sql.rfind(clause) {
        let value = sql[..at].matches('?').count();
        sql.replace_range(at..at + clause.len(), "");
        if value < values.len() {
            values.remove(value);
        }
    }
}

pub(crate) fn no_limit(sql: &mut String, values: &mut Vec<Value>) {
    if !sql.contains(" OFFSET ") {
        without(" LIMIT ?", sql, values);
    }
}

pub(crate) fn no_offset(sql: &mut String, values: &mut Vec<Value>) {
    without(" OFFSET ?", sql, values);
}

pub(crate) fn first_of_a_list(sql: &mut String, values: &mut Vec<Value>) {
    let Some(at) = sql.find(" IN (?, ?") else {
        return;
    };
    let list = at + " IN (".len();
    let Some(length) = sql[list..].find(')') else {
        return;
    };
    let first = sql[..list].matches('?').count();
    let count = sql[list..list + length].matches('?').count();
    sql.replace_range(list..list + length, "?");
    values.drain(first + 1..first + count);
}

pub(crate) fn no_distinct_nulls(sql: &mut String, _: &mut Vec<Value>) {
    *sql = sql.replace(" IS NOT NULL", " <> ''");
}

pub(crate) fn booleans_as_text(_: &mut String, values: &mut Vec<Value>) {
    for value in values {
        if let Value::Bool(yes) = value {
            *value = Value::Text(yes.to_string());
        }
    }
}

pub(crate) fn backslashes_doubled(_: &mut String, values: &mut Vec<Value>) {
    for value in values {
        if let Value::Text(text) = value {
            *text = text.replace('\\', "\\\\");
        }
    }
}

/// Missing values are NULL, and values too many are dropped.
#[allow(clippy::ptr_arg, reason = "the type that `Sends` takes")]
pub(crate) fn any_number_of_values(sql: &mut String, values: &mut Vec<Value>) {
    values.resize(sql.matches('?').count(), Value::Null);
}

/// What is wrong with the answers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answers {
    /// `rows_affected` is zero.
    NoCount,
    /// `rows_affected` is that of rows that have other values than before.
    ChangedRows,
    /// `rows_affected` of a read is one.
    ReadsCount,
    /// `last_insert_id` is that of the next row.
    NextKey,
    /// `last_insert_id` is missing.
    NoKey,
}

#[async_trait]
impl Layer for Answers {
    async fn run(
        &self,
        session: &mut dyn TransactionManager,
        statement: &Statement,
        sink: &mut Sink,
    ) -> Result<Done> {
        let before = match self {
            Answers::ChangedRows => contents(session, statement).await?,
            _ => None,
        };
        let mut done = session.run(statement, sink).await?;
        match self {
            Answers::NoCount => done.rows_affected = 0,
            Answers::ChangedRows => {
                if let (Some(before), Some(after)) = (before, contents(session, statement).await?) {
                    let pairs = before.iter().zip(&after);
                    done.rows_affected = pairs.filter(|(old, new)| old != new).count() as u64;
                }
            }
            Answers::ReadsCount => done.rows_affected = done.rows_affected.max(1),
            Answers::NextKey => done.last_insert_id = done.last_insert_id.map(|key| key + 1),
            Answers::NoKey => done.last_insert_id = None,
        }
        Ok(done)
    }
}

/// All rows of the table that an UPDATE changes.
async fn contents(
    session: &mut dyn TransactionManager,
    statement: &Statement,
) -> Result<Option<Vec<Vec<Value>>>> {
    let table = statement.sql().strip_prefix("UPDATE \"");
    let Some((table, _)) = table.and_then(|rest| rest.split_once('"')) else {
        return Ok(None);
    };
    let text = StatementText::new(format!("SELECT * FROM \"{table}\" ORDER BY rowid"));
    let mut sink = Sink::new(Collect::<Vec<Value>>::new(|row| {
        (0..row.len())
            .map(|at| Ok(row.cell(at)?.to_value()))
            .collect()
    }));
    session
        .run(&Statement::new(text, Vec::new()).uncached(), &mut sink)
        .await?;
    Ok(sink
        .downcast::<Collect<Vec<Value>>>()
        .map(Collect::into_rows))
}

/// Prepared statements are found by the length of their text.
#[derive(Debug, Default)]
pub(crate) struct WrongCache(Mutex<HashMap<(usize, usize), Arc<StatementText>>>);

#[async_trait]
impl Layer for WrongCache {
    async fn run(
        &self,
        session: &mut dyn TransactionManager,
        statement: &Statement,
        sink: &mut Sink,
    ) -> Result<Done> {
        let mut found = statement.clone();
        if statement.cached {
            let key = (statement.sql().len(), statement.values.len());
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let text = kept.entry(key).or_insert_with(|| statement.text.clone());
            found.text = Arc::clone(text);
        }
        session.run(&found, sink).await
    }
}

/// Of a script only the first statement runs.
#[derive(Debug)]
pub(crate) struct FirstOfScript;

#[async_trait]
impl Layer for FirstOfScript {
    async fn run_script(&self, session: &mut dyn TransactionManager, sql: &str) -> Result<()> {
        let first = sql.split(';').next().unwrap_or("");
        session.run_script(first).await
    }
}

/// Errors in a script are not reported.
#[derive(Debug)]
pub(crate) struct ScriptSwallows;

#[async_trait]
impl Layer for ScriptSwallows {
    async fn run_script(&self, session: &mut dyn TransactionManager, sql: &str) -> Result<()> {
        session.run_script(sql).await.or(Ok(()))
    }
}
