//! Inserting many instances: chunks of a fixed shape, in one transaction.

use super::{Model, create, save};
use crate::backend::{BulkRows, Collect, Done, Sink};
use crate::error::{Error, Result, ValidationError};
use crate::queryset::{BoxFuture, collected};
use crate::sql;
use crate::transaction::Db;
use crate::value::{Cell, Field, Key, Value};
use std::future::IntoFuture;

/// An insert of many instances, sent when awaited. All or none; gives them with their keys.
///
/// # Examples
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
/// # fn main() -> Result<()> { run(async {
/// let tx = begin().await?;
/// let users = ["x", "y"].map(|name| User { username: name.into(), ..User::default() });
/// User::bulk_create(users.into()).using_db(&tx).await?;
/// tx.commit().await?;
/// assert_eq!(User::all().count().await?, 4);
/// # Ok(()) }) }
/// ```
#[must_use = "nothing is inserted until it is awaited"]
#[derive(Debug)]
pub struct BulkCreate<M> {
    objects: Vec<M>,
    db: Option<Db>,
    without_keys: bool,
}

impl<M: Model> BulkCreate<M> {
    pub(super) fn new(objects: Vec<M>) -> Self {
        BulkCreate {
            objects,
            db: None,
            without_keys: false,
        }
    }

    /// Runs on this connection or transaction instead of the current one.
    pub fn using_db(mut self, db: impl Into<Db>) -> Self {
        self.db = Some(db.into());
        self
    }

    /// Does not ask for the keys that the database generates: instances that had none come back
    /// without. This lets a database use the fastest way in that it has.
    pub fn without_keys(mut self) -> Self {
        self.without_keys = true;
        self
    }

    async fn run(self) -> Result<Vec<M>> {
        let BulkCreate {
            mut objects,
            db,
            without_keys,
        } = self;
        if objects.is_empty() {
            return Ok(objects);
        }
        let values = prepare(&mut objects)?;
        let db = Db::pick(db.as_ref())?;
        let chunks = chunks(&objects, &db);
        if let [only] = chunks.as_slice()
            && is_one_statement(&objects, &db)
        {
            insert_chunk(&mut objects[only.clone()], values, without_keys, &db).await?;
            return Ok(objects);
        }
        let mut values = values.into_iter();
        db.atomic(async |tx| {
            let inside = Db::from(tx);
            for chunk in chunks {
                let objects = &mut objects[chunk];
                let count = create::columns(&objects[0]).len() * objects.len();
                let values = values.by_ref().take(count).collect();
                insert_chunk(objects, values, without_keys, &inside).await?;
            }
            Ok(objects)
        })
        .await
    }
}

impl<M: Model> IntoFuture for BulkCreate<M> {
    type Output = Result<Vec<M>>;
    type IntoFuture = BoxFuture<'static, Result<Vec<M>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// Sets times with one clock reading and validates everything; names the rows of bad fields.
/// Gives the values to write, row after row.
fn prepare<M: Model>(objects: &mut [M]) -> Result<Vec<Value>> {
    let mut now = None;
    let mut values = Vec::with_capacity(objects.len() * M::meta().fields.len());
    let mut problems = ValidationError::new();
    for (row, object) in objects.iter_mut().enumerate() {
        match save::prepare_insert(object, &mut now, &mut values) {
            Ok(()) => {}
            Err(Error::Validation(error)) => {
                for issue in error.issues() {
                    problems.push(format!("{row}.{}", issue.field), issue.message.to_string());
                }
            }
            Err(error) => return Err(error),
        }
    }
    problems.into_result()?;
    Ok(values)
}

/// Whether one run of rows is one statement, which is stored as a whole by itself.
fn is_one_statement<M: Model>(objects: &[M], db: &Db) -> bool {
    let facts = db.dialect().capabilities();
    let keys_come_back = facts.returning_insert || facts.key_sequences;
    objects.len() == 1 || !create::omits_key(&objects[0]) || keys_come_back
}

/// Runs of rows that are all with or all without a key, cut to what one statement should carry.
fn chunks<M: Model>(objects: &[M], db: &Db) -> Vec<std::ops::Range<usize>> {
    let facts = db.dialect().capabilities();
    let all: Vec<usize> = (0..M::meta().fields.len()).collect();
    let per_params = match sql::array_types(M::meta(), &all, db.dialect()) {
        Some(_) => usize::MAX,
        None => facts.max_params as usize / all.len().max(1),
    };
    let most = if facts.multi_row_insert {
        per_params.min(facts.rows_per_insert as usize).max(1)
    } else {
        1
    };
    let mut chunks = Vec::new();
    let mut start = 0;
    for at in 1..=objects.len() {
        let full = at - start == most;
        let changes =
            at < objects.len() && objects[at].pk().is_unset() != objects[start].pk().is_unset();
        if at == objects.len() || full || changes {
            chunks.push(start..at);
            start = at;
        }
    }
    chunks
}

async fn insert_chunk<M: Model>(
    objects: &mut [M],
    values: Vec<Value>,
    without_keys: bool,
    db: &Db,
) -> Result<()> {
    let model = M::meta();
    let columns = create::columns(&objects[0]);
    let omit_key = create::omits_key(&objects[0]);
    let facts = db.dialect().capabilities();
    let asks_keys = omit_key && !without_keys;
    if !asks_keys && !columns.is_empty() {
        let names: Vec<&'static str> = columns.iter().map(|at| model.fields[*at].column).collect();
        let rows = BulkRows::new(model.table, &names, &values);
        if db.bulk_insert(&rows).await?.is_some() {
            if !omit_key {
                objects.iter_mut().for_each(M::bind_relations);
            }
            return Ok(());
        }
    }
    if asks_keys && !facts.returning_insert && !facts.key_sequences {
        let mut values = values.into_iter();
        for object in objects {
            let row = values.by_ref().take(columns.len()).collect();
            create::insert_values(object, columns.clone(), row, db).await?;
        }
        return Ok(());
    }
    let by_arithmetic = asks_keys && facts.key_sequences;
    let statement = sql::insert_many(
        model,
        &columns,
        objects.len(),
        values,
        asks_keys && !by_arithmetic,
        db.dialect(),
    )?;
    if by_arithmetic {
        let done = db.run(&statement, &mut Sink::discard()).await?;
        return count_keys(objects, done);
    }
    if !asks_keys {
        db.run(&statement, &mut Sink::discard()).await?;
        if !omit_key {
            objects.iter_mut().for_each(M::bind_relations);
        }
        return Ok(());
    }
    let mut sink = Sink::new(Collect::new(create::read_key));
    db.run(&statement, &mut sink).await?;
    let mut keys: Vec<Value> = collected(sink)?;
    // RETURNING promises no order. Generated keys go one way; if these do not, they are ascending
    // ones in another order.
    let number = |key: &Value| if let Value::I64(key) = key { *key } else { 0 };
    let descends = keys.is_sorted_by(|a, b| number(a) > number(b));
    if !descends {
        keys.sort_unstable_by_key(number);
    }
    if keys.len() != objects.len() {
        return Err(other_number());
    }
    for (object, key) in objects.iter_mut().zip(keys) {
        object.set_pk(M::Pk::from_cell(key.as_cell())?);
    }
    Ok(())
}

/// Gives the rows of one statement the keys that it reported.
fn count_keys<M: Model>(objects: &mut [M], done: Done) -> Result<()> {
    let keys = done
        .keys
        .filter(|_| done.rows_affected == objects.len() as u64)
        .ok_or_else(other_number)?;
    for (row, object) in objects.iter_mut().enumerate() {
        let key = keys.key(row).ok_or_else(other_number)?;
        object.set_pk(M::Pk::from_cell(Cell::I64(key))?);
    }
    Ok(())
}

fn other_number() -> Error {
    Error::configuration("the database returned another number of keys than rows")
}
