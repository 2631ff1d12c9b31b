//! Inserting one instance.

use super::Model;
use crate::backend::{Collect, RowAccess, Sink, Statement};
use crate::error::{DataError, DatabaseError, Error, ErrorKind, Result, ValidationError};
use crate::fields;
use crate::query::{Assignment, Expr};
use crate::queryset::BoxFuture;
use crate::schema::{FieldMeta, ModelMeta};
use crate::sql;
use crate::transaction::Db;
use crate::value::{Cell, ColumnType, Field, Key, Value};
use chrono::{DateTime, Utc};
use std::{future::IntoFuture, marker::PhantomData};

/// An insert, sent when awaited. Gives the instance, equal to its row.
///
/// # Examples
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
/// # fn main() -> Result<()> { run(async {
/// let tx = begin().await?;
/// User::create(kw!(username = "carl")).using_db(&tx).await?;
/// tx.rollback().await?;
/// assert!(!User::filter(kw!(username = "carl")).exists().await?);
/// # Ok(()) }) }
/// ```
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
        let row = OwnedRow::checked(M::meta(), self.assignments)?;
        let mut instance = M::from_row(&row, 0)?;
        let db = Db::pick(self.db.as_ref())?;
        let (columns, mut values) = (columns::<M>(&instance), row.values);
        if columns.len() < values.len() {
            values.remove(M::meta().pk);
        }
        insert_values(&mut instance, columns, values, &db).await?;
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
    M::from_row(&OwnedRow::checked(M::meta(), assignments)?, 0)
}

/// One clock reading a call, cut to microseconds.
pub(super) fn now_once(now: &mut Option<DateTime<Utc>>) -> DateTime<Utc> {
    *now.get_or_insert_with(|| crate::value::truncate_to_micros(Utc::now()))
}

/// Which fields were given: the first 64 without an allocation.
#[derive(Default)]
struct Given {
    first: u64,
    more: Vec<usize>,
}

impl Given {
    fn add(&mut self, at: usize) {
        match at {
            0..64 => self.first |= 1 << at,
            _ => self.more.push(at),
        }
    }

    fn has(&self, at: usize) -> bool {
        match at {
            0..64 => self.first >> at & 1 == 1,
            _ => self.more.contains(&at),
        }
    }
}

/// Owned values read as a row.
struct OwnedRow {
    model: &'static ModelMeta,
    values: Vec<Value>,
}

impl OwnedRow {
    /// These values and the fields' defaults, validated, each as its field gives it back.
    fn checked(model: &'static ModelMeta, assignments: Vec<Assignment>) -> Result<OwnedRow> {
        let mut values = vec![Value::Null; model.fields.len()];
        let mut given = Given::default();
        for Assignment { field, expr } in assignments {
            // By address first: comparing names is slower.
            let same = |own: &FieldMeta| std::ptr::eq(own, field);
            let at = model.fields.iter().position(same);
            let at = at.or_else(|| model.position(field.name));
            let at = at.unwrap_or(model.pk);
            given.add(at);
            values[at] = match expr {
                Expr::Value(value) => stored(model.fields[at].ty, value),
                Expr::Error(error) => return Err(*error),
                _ => {
                    return Err(Error::validation(
                        field.name,
                        "an insert takes values, not expressions",
                    ));
                }
            };
        }
        let mut now = None;
        let mut problems = ValidationError::new();
        for (at, (field, value)) in model.fields.iter().zip(&mut values).enumerate() {
            if !given.has(at) {
                *value = stored(field.ty, missing(field, &mut now));
            }
            fields::validate(model, field, value, &mut problems);
        }
        problems.into_result()?;
        Ok(OwnedRow { model, values })
    }
}

/// What a field holds that was not given.
fn missing(field: &FieldMeta, now: &mut Option<DateTime<Utc>>) -> Value {
    if field.auto_now || field.auto_now_add {
        return now_once(now).into();
    }
    match field.default {
        Some(default) => default(),
        None => Value::Null,
    }
}

/// The value as the field's type gives it back: what the row and the instance both hold.
fn stored(ty: ColumnType, value: Value) -> Value {
    match (ty, value) {
        (ColumnType::Float, Value::I64(number)) => Value::F64(number as f64),
        (_, Value::DateTime(at)) => Value::DateTime(crate::value::truncate_to_micros(at)),
        (_, value) => value,
    }
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
    let columns = columns::<M>(instance);
    let values = columns.iter().map(|at| instance.get_value(*at)).collect();
    insert_values(instance, columns, values, db).await
}

/// As [`insert`], with the values of these columns at hand.
pub(super) async fn insert_values<M: Model>(
    instance: &mut M,
    columns: Vec<usize>,
    values: Vec<Value>,
    db: &Db,
) -> Result<()> {
    let model = M::meta();
    if !omits_key::<M>(instance) {
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
        return Err(Error::Unsupported("returning_insert"));
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

/// Whether the database assigns the key.
pub(super) fn omits_key<M: Model>(instance: &M) -> bool {
    M::meta().pk().generated && instance.pk().is_unset()
}

/// Positions of the columns to write.
pub(super) fn columns<M: Model>(instance: &M) -> Vec<usize> {
    let model = M::meta();
    let omit_key = omits_key(instance);
    let all = 0..model.fields.len();
    // A filter does not know its length, so collecting it would grow step by step.
    let mut columns = Vec::with_capacity(all.len());
    columns.extend(all.filter(|at| !(omit_key && *at == model.pk)));
    columns
}
