//! Inserts, and writes of one row by its key. Text of our own: rows are repeated by hand.

use super::key::Operation;
use super::render::{self, Draft};
use super::shape;
use super::walk::Walk;
use crate::backend::{Cost, Dialect, Intent, Statement};
use crate::error::{Error, Result};
use crate::schema::ModelMeta;
use crate::value::{Array, Value};

/// The insert of one row: `fields` are positions in the model, `values` theirs in the same order.
///
/// Without fields, a row of defaults. `returning` are the fields that the database is to answer
/// with; a lone key is left out where the database reports it otherwise.
///
/// # Errors
/// `Unsupported` when the database answers with no columns; `Validation` for NUL in texts.
pub fn insert(
    model: &'static ModelMeta,
    fields: &[usize],
    values: Vec<Value>,
    returning: &[usize],
    dialect: &'static dyn Dialect,
) -> Result<Statement> {
    let parts = (fields, values, returning);
    shape::statement(
        dialect,
        parts,
        |walk, (fields, values, returning)| {
            walk.key.begin(Operation::Insert, dialect, Some(model));
            positions(walk, fields);
            positions(walk, returning);
            take(walk, model, fields, 1, std::mem::take(values))
        },
        |_, (fields, _, returning)| {
            let mut text = into(model, fields, dialect);
            if fields.is_empty() {
                text.push_str(render::default_row(dialect.family()));
            } else {
                text.push_str(" VALUES ");
                push_rows(&mut text, fields.len(), 1);
            }
            push_returning(&mut text, model, returning, dialect)?;
            Ok(point(text))
        },
    )
}

/// The insert of many rows: `values` row after row.
///
/// # Errors
/// `Unsupported` when the database takes one row at a time, or for rows of nothing but defaults
/// without a generated key; `Validation` for NUL in texts.
pub fn insert_many(
    model: &'static ModelMeta,
    fields: &[usize],
    rows: usize,
    values: Vec<Value>,
    returning_pk: bool,
    dialect: &'static dyn Dialect,
) -> Result<Statement> {
    if rows > 1 && !dialect.capabilities().multi_row_insert {
        return Err(Error::Unsupported("multi_row_insert"));
    }
    let arrays = array_types(model, fields, dialect);
    shape::statement(
        dialect,
        values,
        |walk, values| {
            walk.key.begin(Operation::InsertMany, dialect, Some(model));
            // Arrays have room for any number of rows, so one text does for all.
            walk.key.word(arrays.as_ref().map_or(rows as u64, |_| 0));
            walk.key.word(u64::from(returning_pk));
            positions(walk, fields);
            take(walk, model, fields, rows, std::mem::take(values))?;
            if arrays.is_some() {
                walk.values = by_column(model, fields, std::mem::take(&mut walk.values));
            }
            Ok(())
        },
        |_, _| {
            let mut text = if fields.is_empty() {
                default_rows(model, rows, dialect)?
            } else if let Some(types) = &arrays {
                let columns = types.iter().enumerate();
                let columns: Vec<String> = columns
                    .map(|(slot, ty)| render::array(&render::slot(slot), ty))
                    .collect();
                let rows = columns.join(", ");
                into(model, fields, dialect) + &format!(" SELECT * FROM unnest({rows})")
            } else {
                let mut text = into(model, fields, dialect);
                text.push_str(" VALUES ");
                push_rows(&mut text, fields.len(), rows);
                text
            };
            if returning_pk {
                push_returning(&mut text, model, &[model.pk], dialect)?;
            }
            Ok(point(text))
        },
    )
}

/// The update of one row by its key.
///
/// # Errors
/// `Validation` for no fields and for NUL in texts.
pub fn update_by_pk(
    model: &'static ModelMeta,
    fields: &[usize],
    values: Vec<Value>,
    pk: Value,
    dialect: &'static dyn Dialect,
) -> Result<Statement> {
    if fields.is_empty() {
        return Err(Error::validation(
            "update",
            "needs at least one field to set",
        ));
    }
    shape::statement(
        dialect,
        (values, pk),
        |walk, (values, pk)| {
            walk.key.begin(Operation::UpdateByPk, dialect, Some(model));
            positions(walk, fields);
            take(walk, model, fields, 1, std::mem::take(values))?;
            walk.check(pk, model.pk().name)?;
            walk.values.push(pk.take());
            Ok(())
        },
        |_, _| {
            let columns = fields.iter().enumerate();
            let sets = columns
                .map(|(slot, field)| (model.fields[*field].column, render::slot(slot)))
                .collect();
            let filter = by_key(model, fields.len(), dialect);
            Ok(point(render::update(
                model.table,
                sets,
                Some(filter),
                dialect,
            )))
        },
    )
}

/// The delete of one row by its key.
///
/// # Errors
/// `Validation` for NUL in a text key.
pub fn delete_by_pk(
    model: &'static ModelMeta,
    pk: Value,
    dialect: &'static dyn Dialect,
) -> Result<Statement> {
    shape::statement(
        dialect,
        pk,
        |walk, pk| {
            walk.key.begin(Operation::DeleteByPk, dialect, Some(model));
            walk.check(pk, model.pk().name)?;
            walk.values.push(pk.take());
            Ok(())
        },
        |_, _| {
            let filter = by_key(model, 0, dialect);
            Ok(point(render::delete(model.table, Some(filter), dialect)))
        },
    )
}

fn point(text: String) -> Draft {
    Draft {
        text,
        intent: Intent::Write,
        cost: Cost::Point,
    }
}

fn by_key(model: &'static ModelMeta, slot: usize, dialect: &dyn Dialect) -> String {
    let key = render::qualified(model.table, model.pk().column, dialect);
    format!("{key} = {}", render::slot(slot))
}

fn positions(walk: &mut Walk, fields: &[usize]) {
    walk.key.word(fields.len() as u64);
    for field in fields {
        walk.key.word(*field as u64);
    }
}

/// Takes the values of so many rows, which must be as many as the text will ask for.
fn take(
    walk: &mut Walk,
    model: &'static ModelMeta,
    fields: &[usize],
    rows: usize,
    values: Vec<Value>,
) -> Result<()> {
    if fields.len().checked_mul(rows) != Some(values.len()) || rows == 0 {
        return Err(Error::configuration(format!(
            "{rows} rows of {} fields of `{}` were given {} values",
            fields.len(),
            model.name,
            values.len()
        )));
    }
    for (value, field) in values.iter().zip(fields.iter().cycle()) {
        walk.check(value, model.fields[*field].name)?;
    }
    walk.values = values;
    Ok(())
}

fn into(model: &'static ModelMeta, fields: &[usize], dialect: &dyn Dialect) -> String {
    let mut text = format!("INSERT INTO {}", render::name(model.table, dialect));
    if !fields.is_empty() {
        let columns = fields.iter().map(|field| model.fields[*field].column);
        text.push_str(" (");
        text.push_str(&render::names(columns, dialect));
        text.push(')');
    }
    text
}

/// `(?, ?), (?, ?)`.
pub(super) fn push_rows(text: &mut String, columns: usize, rows: usize) {
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..columns {
            if column > 0 {
                text.push_str(", ");
            }
            text.push_str(&render::slot(row * columns + column));
        }
        text.push(')');
    }
}

/// The array type of each field, when the database has one for all of them.
pub(crate) fn array_types(
    model: &'static ModelMeta,
    fields: &[usize],
    dialect: &dyn Dialect,
) -> Option<Vec<&'static str>> {
    if fields.is_empty() {
        return None;
    }
    let types = fields.iter().map(|field| model.fields[*field].ty);
    types.map(|ty| dialect.array_type(ty)).collect()
}

/// The values of rows as one array for each field.
fn by_column(model: &'static ModelMeta, fields: &[usize], values: Vec<Value>) -> Vec<Value> {
    let rows = values.len() / fields.len().max(1);
    let mut columns: Vec<Vec<Value>> = fields.iter().map(|_| Vec::with_capacity(rows)).collect();
    for (at, value) in values.into_iter().enumerate() {
        columns[at % fields.len()].push(value);
    }
    let columns = fields.iter().zip(columns);
    columns
        .map(|(field, items)| Array::new(model.fields[*field].ty, items).into())
        .collect()
}

fn default_rows(model: &'static ModelMeta, rows: usize, dialect: &dyn Dialect) -> Result<String> {
    if rows == 1 {
        return Ok(into(model, &[], dialect) + render::default_row(dialect.family()));
    }
    if !model.pk().generated {
        return Err(Error::Unsupported("many rows of defaults"));
    }
    let mut text = into(model, &[model.pk], dialect);
    let row = format!("({})", render::generated_value(dialect.family()));
    text.push_str(" VALUES ");
    text.push_str(&vec![row; rows].join(", "));
    Ok(text)
}

fn push_returning(
    text: &mut String,
    model: &'static ModelMeta,
    returning: &[usize],
    dialect: &dyn Dialect,
) -> Result<()> {
    let facts = dialect.capabilities();
    if returning.is_empty()
        || (!facts.returning_insert && facts.last_insert_id && returning == [model.pk])
    {
        return Ok(());
    }
    if !facts.returning_insert {
        return Err(Error::Unsupported("returning_insert"));
    }
    let columns = returning.iter().map(|field| model.fields[*field].column);
    text.push_str(" RETURNING ");
    text.push_str(&render::names(columns, dialect));
    Ok(())
}
