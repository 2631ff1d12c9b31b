//! Updates and deletes of the rows of a query.

use super::column::Renderer;
use super::condition::join;
use super::key::Operation;
use super::lower::Lower;
use super::render::{self, Draft};
use super::select::{self, Rows, filters, no_single_value};
use super::shape;
use super::term::{Cond, Term};
use super::walk::Walk;
use crate::backend::{Cost, Dialect, Intent, Statement};
use crate::error::{Error, Result};
use crate::query::{Expr, Output, Select, Update};
use crate::schema::ModelMeta;

/// The statement of an update of all rows of a query. Moves the values out.
///
/// Filters across relations, `limit`, `offset` and `order` become a sub-query of keys.
///
/// # Errors
/// As [`select`](super::select()); `Validation` for no assignments, for the primary key, and for
/// expressions over to-many paths; `Unsupported` where the database cannot read what it changes.
pub fn update(update: &mut Update, dialect: &'static dyn Dialect) -> Result<Statement> {
    shape::statement(
        dialect,
        update,
        |walk, update| {
            let model = update.select.model;
            walk.key.begin(Operation::Update, dialect, Some(model));
            walk.key.word(update.assignments.len() as u64);
            for assignment in &mut update.assignments {
                walk.key.address(assignment.field);
                walk.expr(&mut assignment.expr, assignment.field.name)?;
            }
            as_keys(&mut update.select);
            walk.select(&mut update.select)
        },
        |walk, update| draft_update(walk, update),
    )
}

/// The statement of a delete of all rows of a query. Moves the values out.
///
/// # Errors
/// As [`select`](super::select()).
pub fn delete(select: &mut Select, dialect: &'static dyn Dialect) -> Result<Statement> {
    shape::statement(
        dialect,
        select,
        |walk, select| {
            walk.key
                .begin(Operation::Delete, dialect, Some(select.model));
            as_keys(select);
            walk.select(select)
        },
        |walk, select| {
            let mut renderer = Renderer::new(walk.dialect);
            let mut lower = Lower::new(walk);
            open_table(&mut renderer, select.model);
            let (filter, cost) = chosen(&mut renderer, &mut lower, select)?;
            Ok(Draft {
                text: render::delete(select.model.table, filter, walk.dialect),
                intent: Intent::Write,
                cost,
            })
        },
    )
}

/// What a sub-query of the rows to change reads; the default ordering does not apply.
fn as_keys(select: &mut Select) {
    select.output = Output::Exprs(vec![Expr::own(select.model.pk())]);
    select.order_set = true;
}

/// The changed table under its own name: not every database takes an alias there.
fn open_table(renderer: &mut Renderer, model: &'static ModelMeta) {
    renderer.open_as(Vec::new(), model, model.table.to_owned());
}

fn draft_update(walk: &Walk, update: &Update) -> Result<Draft> {
    let model = update.select.model;
    if update.assignments.is_empty() {
        return Err(Error::validation(
            "update",
            "needs at least one field to set",
        ));
    }
    let mut renderer = Renderer::new(walk.dialect);
    let mut lower = Lower::new(walk);
    open_table(&mut renderer, model);
    let mut sets = Vec::with_capacity(update.assignments.len());
    for assignment in &update.assignments {
        let field = assignment.field;
        if std::ptr::eq(field, model.pk()) {
            return Err(Error::validation(
                field.name,
                "the primary key cannot be updated",
            ));
        }
        let term = lower.expr(&assignment.expr)?;
        sets.push((field, term));
    }
    let sets = in_safe_order(sets, walk.dialect)?;
    let mut texts = Vec::with_capacity(sets.len());
    for (field, term) in &sets {
        let text = own_term(&mut renderer, term, field.name)?;
        texts.push((field.column, text));
    }
    let (filter, cost) = chosen(&mut renderer, &mut lower, &update.select)?;
    Ok(Draft {
        text: render::update(model.table, texts, filter, walk.dialect),
        intent: Intent::Write,
        cost,
    })
}

type Set = (&'static crate::schema::FieldMeta, Term);

/// Every expression means the values before the update. Where assignments see the earlier ones,
/// what reads a column goes before what sets it.
fn in_safe_order(mut sets: Vec<Set>, dialect: &dyn Dialect) -> Result<Vec<Set>> {
    if !render::assigns_in_order(dialect.family()) {
        return Ok(sets);
    }
    let mut ordered: Vec<Set> = Vec::with_capacity(sets.len());
    while !sets.is_empty() {
        let free = (0..sets.len()).find(|at| {
            let readers = sets.iter().enumerate().filter(|(i, _)| i != at);
            readers
                .into_iter()
                .all(|(_, (_, term))| !reads(term, sets[*at].0))
        });
        let at = free.ok_or(Error::Unsupported("updates of columns from each other"))?;
        ordered.push(sets.remove(at));
    }
    Ok(ordered)
}

fn reads(term: &Term, field: &'static crate::schema::FieldMeta) -> bool {
    let mut found = false;
    term.for_each_column(&mut |column| found |= std::ptr::eq(column.field, field));
    found
}

/// An expression over the changed row; related columns are read by sub-queries.
fn own_term(renderer: &mut Renderer, term: &Term, field: &'static str) -> Result<String> {
    let mut relations = Vec::new();
    let mut to_many = false;
    term.for_each_column(&mut |column| {
        if let Some(first) = column.hops.first() {
            relations.push(*first);
        }
        to_many |= column.first_to_many(0).is_some();
    });
    if to_many {
        return Err(no_single_value(field));
    }
    let Some(relation) = relations.first().copied() else {
        return Ok(renderer.term(term)?.0);
    };
    if relations
        .iter()
        .any(|other| !std::ptr::eq(*other, relation))
    {
        return Err(Error::Unsupported(
            "expressions over several relations in an update",
        ));
    }
    let owner = renderer.source(&[])?;
    if render::hides_changed_table(renderer.dialect.family())
        && relation.target().table == owner.model.table
    {
        return Err(Error::Unsupported("updates from the updated table"));
    }
    let (skeleton, link) = renderer.related(relation, &owner, vec![relation])?;
    let (text, _) = renderer.term(term)?;
    let mut skeleton = renderer.finish(skeleton);
    skeleton.columns = vec![text];
    skeleton.filter = Some(link);
    Ok(format!("({})", skeleton.render(renderer.dialect)))
}

/// The condition on the changed table, in its own terms or by a sub-query of keys.
fn chosen(
    renderer: &mut Renderer,
    lower: &mut Lower<'_>,
    select: &Select,
) -> Result<(Option<String>, Cost)> {
    if select.limit.is_some() || select.offset.is_some() || select.linked.is_some() {
        return by_keys(renderer, lower, select);
    }
    let mut ahead = lower.clone();
    let conds = filters(&mut ahead, select)?;
    let has_path = |cond: &Cond| {
        let mut found = false;
        cond.for_each_column(&mut |column| found |= !column.hops.is_empty());
        found
    };
    if conds.iter().any(has_path) {
        return by_keys(renderer, lower, select);
    }
    let mut parts = Vec::with_capacity(conds.len());
    for cond in &conds {
        parts.push(renderer.condition(cond)?);
    }
    let filter = match parts.is_empty() {
        true => None,
        false => Some(join(parts, " AND ")?.text),
    };
    Ok((filter, select::cost(&conds, select.model)))
}

fn by_keys(
    renderer: &mut Renderer,
    lower: &mut Lower<'_>,
    select: &Select,
) -> Result<(Option<String>, Cost)> {
    let table = renderer.close();
    let Rows { mut text, cost } = select::rows(renderer, lower, select)?;
    let key = select.model.pk().column;
    if render::hides_changed_table(renderer.dialect.family()) {
        let alias = renderer.alias();
        let column = renderer.qualified(&alias, key);
        let alias = render::name(&alias, renderer.dialect);
        text = format!("SELECT {column} FROM ({text}) AS {alias}");
    }
    let key = renderer.qualified(&table.alias, key);
    Ok((Some(format!("{key} IN ({text})")), cost))
}
