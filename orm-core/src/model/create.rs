//! Inserting one instance.

use super::Model;
use crate::backend::{Collect, RowAccess, Sink, Statement};
use crate::error::{DataError, DatabaseError, Error, ErrorKind, Result, ValidationError};
use crate::fields;
use crate::query::{Assignment, Expr};
use crate::queryset::BoxFuture;
use crate::schema::ModelMeta;
use crate::sql;
use crate::transaction::Db;
use crate::value::{Cell, Field, Key, Value};
use chrono::{DateTime, Utc};
use std::{future::IntoFuture, marker::PhantomData};

/// An insert, sent when awaited. Gives the instance, equal to its row.
#[must_use = "nothing is inserted until it is awaited"]
#[derive(Debug)]
pub struct Create<M> {
    assignments: Vec<Assignment>,
    db: Option<Db>,
    model: PhantomData<fn() -> M>,
}

impl<M: Model> Create<M> {
    pub(super) fn new(assignments: Vec<Assignment>) -> Self {
        Create {
            assignments,
            db: None,
            model: PhantomData,
        }
    }

    /// Runs on this connection or transaction instead of the current one.
    pub fn using_db(mut self, db: impl Into<Db>) -> Self {
        self.db = Some(db.into());
        self
    }

    async fn run(self) -> Result<M> {
        let mut instance: M = unsaved(self.assignments)?;
        let db = Db::pick(self.db.as_ref())?;
        insert(&mut instance, &db).await?;
        Ok(instance)
    }
}

impl<M: Model> IntoFuture for Create<M> {
    type Output = Result<M>;
    type IntoFuture = BoxFuture<'static, Result<M>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// An instance of these values and the fields' defaults, validated.
pub(super) fn unsaved<M: Model>(assignments: Vec<Assignment>) -> Result<M> {
    let model = M::meta();
    let mut values: Vec<Option<Value>> = vec![None; model.fields.len()];
    for Assignment { field, expr } in assignments {
        let at = model.position(field.name).unwrap_or(model.pk);
        values[at] = Some(match expr {
            Expr::Value(value) => value,
            Expr::Error(error) => return Err(*error),
            _ => {
                return Err(Error::validation(
                    field.name,
                    "an insert takes values, not expressions",
                ));
            }
        });
    }
    let mut now = None;
    let mut problems = ValidationError::new();
    let mut row = Vec::with_capacity(values.len());
    for (field, value) in model.fields.iter().zip(values) {
        let value = match value {
            Some(value) => value,
            None if field.auto_now || field.auto_now_add => now_once(&mut now).into(),
            None => match field.default {
                Some(default) => default(),
                None if field.pk && field.generated => Value::I64(0),
                None => Value::Null,
            },
        };
        fields::validate(model, field, &value, &mut problems);
        row.push(value);
    }
    problems.into_result()?;
    M::from_row(&OwnedRow { model, values: row }, 0)
}

/// One clock reading a call, cut to microseconds.
pub(super) fn now_once(now: &mut Option<DateTime<Utc>>) -> DateTime<Utc> {
    *now.get_or_insert_with(|| crate::value::truncate_to_micros(Utc::now()))
}

/// Owned values read as a row.
struct OwnedRow {
    model: &'static ModelMeta,
    values: Vec<Value>,
}

impl RowAccess for OwnedRow {
    fn len(&self) -> usize {
        self.values.len()
    }
    fn name(&self, index: usize) -> &str {
        self.model.fields.get(index).map_or("", |field| field.name)
    }
    fn cell(&self, index: usize) -> Result<Cell<'_>> {
        match self.values.get(index) {
            Some(value) => Ok(value.as_cell()),
            None => Err(DataError::new("the row has no such column").into()),
        }
    }
}

/// Inserts an instance that is valid already, and gives it its key.
pub(super) async fn insert<M: Model>(instance: &mut M, db: &Db) -> Result<()> {
    let model = M::meta();
    let omit_key = model.pk().generated && instance.pk().is_unset();
    let (columns, values) = columns_and_values(instance, omit_key);
    if !omit_key {
        let statement = sql::insert(model, &columns, values, &[], db.dialect())?;
        db.run(&statement, &mut Sink::discard()).await?;
        instance.bind_relations();
        return Ok(());
    }
    let facts = db.dialect().capabilities();
    let key = if facts.last_insert_id {
        let statement = sql::insert(model, &columns, values, &[], db.dialect())?;
        let done = db.run(&statement, &mut Sink::discard()).await?;
        done.last_insert_id
            .map(Value::I64)
            .ok_or_else(|| no_key(&statement))?
    } else if facts.returning_insert {
        let statement = sql::insert(model, &columns, values, &[model.pk], db.dialect())?;
        let mut sink = Sink::new(Collect::new(read_key));
        db.run(&statement, &mut sink).await?;
        let mut keys: Vec<Value> = crate::queryset::collected(sink)?;
        keys.pop().ok_or_else(|| no_key(&statement))?
    } else {
        return Err(Error::Unsupported("generated_keys"));
    };
    instance.set_pk(M::Pk::from_cell(key.as_cell())?);
    Ok(())
}

pub(super) fn read_key(row: &dyn RowAccess) -> Result<Value> {
    Ok(row.cell(0)?.to_value())
}

fn no_key(statement: &Statement) -> Error {
    let error = DatabaseError::new("the database reported no key for the inserted row")
        .with_sql(statement.text.sql().clone());
    Error::database(ErrorKind::Operational, error)
}

/// Positions and values of the columns to write.
pub(super) fn columns_and_values<M: Model>(
    instance: &M,
    omit_key: bool,
) -> (Vec<usize>, Vec<Value>) {
    let model = M::meta();
    let columns: Vec<usize> = (0..model.fields.len())
        .filter(|at| !(omit_key && *at == model.pk))
        .collect();
    let values = columns.iter().map(|at| instance.get_value(*at)).collect();
    (columns, values)
}
