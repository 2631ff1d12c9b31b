//! Reads.

use super::column::Renderer;
use super::condition::{Rendered, in_list, join};
use super::key::Operation;
use super::lower::Lower;
use super::render::{self, Draft, Join, OrderKey, Skeleton};
use super::shape;
use super::term::{Cond, List, Term, TestKind};
use super::walk::Walk;
use crate::backend::{Cost, Dialect, Intent, Statement};
use crate::error::{Error, Result};
use crate::query::{self, Lookup, Output, Select};
use crate::schema::ModelMeta;

/// Longest list of keys that still counts as a few rows.
const FEW: usize = 128;

/// The statement of a read. Moves the values out of `select` and leaves NULL in their places.
///
/// Rows come with the columns of the model in declaration order, or the asked expressions; with
/// `linked`, the owner's key stands before them.
///
/// # Errors
/// `Validation` for values or trees that no database takes alike; `Field` for ordering over a
/// to-many path; `Unsupported` for what the dialect lacks; the error inside an [`Expr::Error`](crate::query::Expr::Error).
pub fn select(select: &mut Select, dialect: &'static dyn Dialect) -> Result<Statement> {
    shape::statement(
        dialect,
        select,
        |walk, select| {
            walk.key
                .begin(Operation::Select, dialect, Some(select.model));
            walk.select(select)
        },
        |walk, select| draft(walk, select),
    )
}

fn draft(walk: &Walk, select: &Select) -> Result<Draft> {
    let mut renderer = Renderer::new(walk.dialect);
    let mut lower = Lower::new(walk);
    let rows = rows(&mut renderer, &mut lower, select)?;
    Ok(Draft {
        text: rows.text,
        intent: Intent::Read,
        cost: rows.cost,
    })
}

/// Text and cost of a read.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) text: String,
    pub(super) cost: Cost,
}

/// The conditions of all filters, lowered. Each filter stays apart.
pub(super) fn filters(lower: &mut Lower<'_>, select: &Select) -> Result<Vec<Cond>> {
    let mut conds = Vec::with_capacity(select.filters.len());
    for filter in &select.filters {
        match lower.predicate(filter)? {
            Cond::True => {}
            cond => conds.push(cond),
        }
    }
    // Nothing else matters then. Some databases even refuse to change a table by a sub-query of
    // itself that they find to be empty.
    if conds.iter().any(|cond| matches!(cond, Cond::False)) {
        return Ok(vec![Cond::False]);
    }
    Ok(conds)
}

pub(super) fn rows(
    renderer: &mut Renderer,
    lower: &mut Lower<'_>,
    select: &Select,
) -> Result<Rows> {
    for order in &select.order {
        query::check_order(select.model, &order.expr)?;
    }
    renderer.open(select.model);
    let conds = filters(lower, select)?;
    let cost = cost(&conds, select.model);
    let mut parts = Vec::with_capacity(conds.len() + 1);
    for cond in &conds {
        parts.push(renderer.condition(cond)?);
    }
    let linked = linked(renderer, lower, select, &mut parts)?;
    let mut columns = columns(renderer, lower, select)?;
    let mut order = renderer.order(select, lower)?;
    order.extend(renderer.default_order(select)?);
    let paging = paging(renderer, lower, select);
    // How many rows there are does not depend on their order.
    if matches!(select.output, Output::Count | Output::Exists) {
        order.clear();
    }
    let mut joins = Vec::new();
    if let Some((owner, link)) = linked {
        columns.insert(0, owner);
        joins.push(link);
    }
    let counts_paged = matches!(select.output, Output::Count) && !paging.is_empty();
    match select.output {
        Output::Count if !counts_paged => columns = vec!["COUNT(*)".to_owned()],
        Output::Count | Output::Exists => columns = vec!["1".to_owned()],
        Output::Model | Output::Exprs(_) => {}
    }
    let text = skeleton(renderer, select.model, columns, joins, parts, order)? + &paging;
    let text = if counts_paged {
        let alias = render::name(&renderer.alias(), renderer.dialect);
        format!("SELECT COUNT(*) FROM ({text}) AS {alias}")
    } else {
        text
    };
    Ok(Rows { text, cost })
}

/// Closes the statement's scope and renders it.
pub(super) fn skeleton(
    renderer: &mut Renderer,
    model: &'static ModelMeta,
    columns: Vec<String>,
    mut joins: Vec<Join>,
    parts: Vec<Rendered>,
    order: Vec<OrderKey>,
) -> Result<String> {
    let filter = match parts.is_empty() {
        true => None,
        false => Some(join(parts, " AND ")?.text),
    };
    let (alias, more) = renderer.close().into_joins();
    joins.extend(more);
    let skeleton = Skeleton {
        columns,
        table: model.table,
        alias,
        joins,
        filter,
        order,
    };
    Ok(skeleton.render(renderer.dialect))
}

/// LIMIT and OFFSET.
fn paging(renderer: &Renderer, lower: &mut Lower<'_>, select: &Select) -> String {
    let limit = match (&select.output, select.limit) {
        (Output::Exists, Some(0)) => Some("0".to_owned()),
        (Output::Exists, _) => Some("1".to_owned()),
        (_, limit) => limit.map(|_| render::slot(lower.slot())),
    };
    let offset = select.offset.map(|_| render::slot(lower.slot()));
    render::paging(limit, offset, renderer.dialect.family())
}

/// The join with the through table, the owner's key, and the condition on it.
fn linked(
    renderer: &mut Renderer,
    lower: &mut Lower<'_>,
    select: &Select,
    parts: &mut Vec<Rendered>,
) -> Result<Option<(String, Join)>> {
    let Some(linked) = &select.linked else {
        return Ok(None);
    };
    let own = renderer.source(&[])?;
    let alias = renderer.alias();
    let key = renderer.qualified(&own.alias, select.model.pk().column);
    let target = renderer.qualified(&alias, linked.through.target_column);
    let owner = renderer.qualified(&alias, linked.through.source_column);
    let list = lower.list();
    let condition = match &list {
        List::Slots(slots) if slots.is_empty() => "1 = 0".to_owned(),
        list => in_list(&owner, list),
    };
    parts.push(Rendered::leaf(condition, false));
    let link = Join {
        left: false,
        table: linked.through.table,
        alias,
        on: format!("{target} = {key}"),
    };
    Ok(Some((owner, link)))
}

fn columns(renderer: &mut Renderer, lower: &mut Lower<'_>, select: &Select) -> Result<Vec<String>> {
    match &select.output {
        Output::Model => {
            let own = renderer.source(&[])?;
            let fields = select.model.fields.iter();
            Ok(fields
                .map(|field| renderer.qualified(&own.alias, field.column))
                .collect())
        }
        Output::Exprs(exprs) => {
            let mut columns = Vec::with_capacity(exprs.len());
            for expr in exprs {
                let term = lower.expr(expr)?;
                columns.push(renderer.term(&term)?.0);
            }
            Ok(columns)
        }
        Output::Count | Output::Exists => Ok(vec!["1".to_owned()]),
    }
}

/// Whether a condition that every row must meet names a few rows by a unique column.
pub(super) fn cost(conds: &[Cond], model: &'static ModelMeta) -> Cost {
    let narrow = conds.iter().any(|cond| match cond {
        Cond::And(children) => children.iter().any(|child| is_few(child, model)),
        other => is_few(other, model),
    });
    if narrow { Cost::Point } else { Cost::Scan }
}

fn is_few(cond: &Cond, model: &'static ModelMeta) -> bool {
    let Cond::Test(test) = cond else { return false };
    let Term::Column(column) = &test.left else {
        return false;
    };
    let unique = column.field.unique || column.field.pk || std::ptr::eq(column.field, model.pk());
    let few = match &test.kind {
        TestKind::Compare(Lookup::Exact, Term::Slot { .. }) => true,
        TestKind::In(List::Slots(slots)) => slots.len() <= FEW,
        _ => false,
    };
    column.hops.is_empty() && unique && few
}

/// For statements that change rows: the error of an expression over a to-many path.
pub(super) fn no_single_value(field: &'static str) -> Error {
    Error::validation(
        field,
        "leads to many rows, so there is no single value here",
    )
}
