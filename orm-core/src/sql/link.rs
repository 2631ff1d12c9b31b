//! Rows of through tables.

use super::condition::in_list;
use super::insert::push_rows;
use super::key::Operation;
use super::lower::Lower;
use super::render::{self, Draft};
use super::shape;
use super::term::List;
use crate::backend::{Cost, Dialect, Intent, Statement};
use crate::error::{Error, Result};
use crate::schema::ThroughMeta;
use crate::value::Value;

/// Links an owner with targets, in one statement; links that exist are left alone.
///
/// # Errors
/// `Unsupported` when the database cannot leave existing rows alone, or cannot take so many at
/// once; `Validation` for no targets.
pub fn link(
    through: ThroughMeta,
    owner: Value,
    targets: Vec<Value>,
    dialect: &'static dyn Dialect,
) -> Result<Statement> {
    if !dialect.capabilities().ignore_conflicts {
        return Err(Error::Unsupported("ignore_conflicts"));
    }
    if targets.is_empty() {
        return Err(Error::validation(
            through.target_column,
            "needs at least one target",
        ));
    }
    shape::statement(
        dialect,
        (owner, targets),
        |walk, (owner, targets)| {
            walk.key.begin(Operation::Link, dialect, None);
            walk.through(through);
            walk.check(owner, through.source_column)?;
            walk.list(targets, through.target_column)?;
            // One owner for each target, or one for the table of them.
            let owners = walk.values.len();
            let listed = walk.values.drain(..).collect::<Vec<_>>();
            walk.values.reserve_exact(owners * 2);
            for target in listed {
                walk.values.push(owner.clone());
                walk.values.push(target);
            }
            Ok(())
        },
        |walk, _| {
            let columns = [through.source_column, through.target_column];
            let mut text = format!(
                "INSERT INTO {} ({})",
                render::name(through.table, dialect),
                render::names(columns.into_iter(), dialect)
            );
            match Lower::new(walk).list() {
                List::Slots(slots) => {
                    text.push_str(" VALUES ");
                    push_rows(&mut text, 2, slots.len());
                }
                List::Table(_, table) => {
                    let table = render::list_table(table, &render::slot(1));
                    text.push_str(&render::each_of_table(&render::slot(0), &table, dialect));
                }
                List::Array(_, cast) => {
                    let rows = render::unnest(&render::slot(1), cast.name);
                    text.push_str(&format!(" SELECT {}, * FROM {rows}", render::slot(0)));
                }
            }
            text.push_str(&render::or_ignore(through.source_column, dialect.family()));
            Ok(point(text))
        },
    )
}

/// Removes the links of an owner with these targets; links that do not exist are no error.
///
/// # Errors
/// `Unsupported` for more targets than one statement can take; `Validation` for NUL in text keys.
pub fn unlink(
    through: ThroughMeta,
    owner: Value,
    targets: Vec<Value>,
    dialect: &'static dyn Dialect,
) -> Result<Statement> {
    shape::statement(
        dialect,
        (owner, targets),
        |walk, (owner, targets)| {
            walk.key.begin(Operation::Unlink, dialect, None);
            walk.through(through);
            walk.value(owner, through.source_column)?;
            walk.list(targets, through.target_column)?;
            Ok(())
        },
        |walk, _| {
            let mut lower = Lower::new(walk);
            let source = source_is(through, lower.slot(), dialect);
            let target = render::qualified(through.table, through.target_column, dialect);
            let filter = match lower.list() {
                List::Slots(slots) if slots.is_empty() => "1 = 0".to_owned(),
                list => format!("{source} AND {}", in_list(&target, &list)),
            };
            Ok(point(render::delete(through.table, Some(filter), dialect)))
        },
    )
}

/// Removes all links of an owner.
///
/// # Errors
/// `Validation` for NUL in a text key.
pub fn unlink_all(
    through: ThroughMeta,
    owner: Value,
    dialect: &'static dyn Dialect,
) -> Result<Statement> {
    shape::statement(
        dialect,
        owner,
        |walk, owner| {
            walk.key.begin(Operation::UnlinkAll, dialect, None);
            walk.through(through);
            walk.value(owner, through.source_column)
        },
        |_, _| {
            let filter = source_is(through, 0, dialect);
            Ok(point(render::delete(through.table, Some(filter), dialect)))
        },
    )
}

fn source_is(through: ThroughMeta, slot: usize, dialect: &dyn Dialect) -> String {
    let column = render::qualified(through.table, through.source_column, dialect);
    format!("{column} = {}", render::slot(slot))
}

fn point(text: String) -> Draft {
    Draft {
        text,
        intent: Intent::Write,
        cost: Cost::Point,
    }
}
