//! Runs plans on a backend, through the public API.

use super::datum::Datum;
use super::model::{Answer, Data, Tree};
use super::plan::{Action, Call, Cond, Lookup, NewValue, Place, Plan, Right, Test};
use super::schema::{Grain, POST, TABLES, TAG, spelled};
use super::subject::{Instance, Subject, build, key_kind, tree, with_model};
use crate::case::Context;
use crate::models::Post;
use orm_core::backend::RowAccess;
use orm_core::columns::{Selection, Set};
use orm_core::connection;
use orm_core::error::{Error, Result};
use orm_core::prelude::*;
use orm_core::query::{
    self, Argument, ArithmeticOp, Operand, Predicate, resolve_column, resolve_filter,
};
use orm_core::tortoise;
use orm_core::value::Value;

/// Refused where there are no foreign keys, which deletes need to cascade.
pub(super) async fn needs_foreign_keys(cx: &Context) -> Result<()> {
    let connection = Connection::new(connection::DEFAULT, cx.client().clone());
    let models: Vec<_> = models![Grain].into_iter().collect();
    tortoise::create_tables(&connection, &models, true).await
}

/// Replaces all rows by these.
pub(super) async fn store(cx: &Context, data: &Data) -> Result<()> {
    let statement = async |sql: String| cx.client().execute_query(&sql, Vec::new()).await;
    statement("DELETE FROM kit_post_tags".to_owned()).await?;
    for table in TABLES.iter().rev() {
        statement(format!("DELETE FROM {}", table.sql)).await?;
    }
    for table in 0..TABLES.len() {
        with_model!(table, insert(&data.rows[table]))?;
    }
    if !data.links.is_empty() {
        let pairs: Vec<String> = data
            .links
            .iter()
            .map(|(post, tag)| format!("({post}, {tag})"))
            .collect();
        let pairs = pairs.join(", ");
        statement(format!(
            "INSERT INTO kit_post_tags (post_id, tag_id) VALUES {pairs}"
        ))
        .await?;
    }
    Ok(())
}

async fn insert<M: Subject>(rows: &[Vec<Datum>]) -> Result<()> {
    let instances = rows.iter().map(|row| build::<M>(row));
    M::bulk_create(instances.collect::<Result<_>>()?).await?;
    Ok(())
}

/// All rows, as the backend has them.
pub(super) async fn stored() -> Result<Data> {
    let mut data = Data::default();
    for table in 0..TABLES.len() {
        data.rows[table] = with_model!(table, read_all())?;
    }
    let tags = Place {
        root: POST,
        hops: vec![2],
        column: 0,
    };
    let query = Post::all()
        .order_by(["id"])
        .values_list(Cells(exprs::<Post>(&[tags])?));
    for row in query.await? {
        let link = (int(&row[0])?, int(&row[1])?);
        if let (Some(post), Some(tag)) = link {
            data.links.push((post, tag));
        }
    }
    data.links.sort_unstable();
    Ok(data)
}

fn int(value: &Value) -> Result<Option<i64>> {
    Datum::read(key_kind(TAG), value).map(|datum| datum.int())
}

async fn read_all<M: Subject>() -> Result<Vec<Vec<Datum>>> {
    let instances = M::all()
        .order_by([TABLES[M::TABLE].columns[0].name])
        .await?;
    instances
        .iter()
        .map(|instance| Ok(tree(instance, &[])?.row))
        .collect()
}

/// Runs a plan. What it changes is undone.
pub(super) async fn answer(plan: &Plan) -> Answer {
    let result = match plan.action.writes() {
        true => change(plan).await,
        false => with_model!(plan.table, ask(plan)),
    };
    result.unwrap_or_else(|error| Answer::Failed(error.kind()))
}

async fn change(plan: &Plan) -> Result<Answer> {
    let guard = begin().await?;
    let tx = guard.handle();
    let work = async {
        let count = with_model!(plan.table, write(plan))?;
        Ok(Answer::Changed(count, Box::new(stored().await?)))
    };
    let answer = tx.scope(work).await;
    guard.rollback().await?;
    answer
}

async fn write<M: Subject>(plan: &Plan) -> Result<u64> {
    let query = query::<M>(plan)?;
    match &plan.action {
        Action::Update(sets) => query.update(assignments::<M>(sets)?).await,
        _ => query.delete().await,
    }
}

async fn ask<M: Subject>(plan: &Plan) -> Result<Answer> {
    let query = query::<M>(plan)?;
    let trees = |rows: Vec<M>, paths: &[Vec<usize>]| {
        let paths: Vec<&[usize]> = paths.iter().map(Vec::as_slice).collect();
        let trees = rows.iter().map(|row| tree(row as &dyn Instance, &paths));
        Ok(Answer::Rows(trees.collect::<Result<_>>()?))
    };
    match &plan.action {
        Action::Rows => trees(query.await?, &[]),
        Action::Count => Ok(Answer::Count(query.count().await?)),
        Action::Exists => Ok(Answer::Exists(query.exists().await?)),
        Action::First => trees(query.first().await?.into_iter().collect(), &[]),
        Action::Get => trees(vec![query.get(Q::default()).await?], &[]),
        Action::GetOrNone => trees(
            query.get_or_none(Q::default()).await?.into_iter().collect(),
            &[],
        ),
        Action::Prefetch(paths) => {
            let names: Vec<String> = paths
                .iter()
                .filter(|path| !path.is_empty())
                .map(|path| spelled(M::TABLE, path))
                .collect();
            trees(query.prefetch_related(names).await?, paths)
        }
        Action::Values(places) => {
            let rows = query.values_list(Cells(exprs::<M>(places)?)).await?;
            let kinds: Vec<_> = std::iter::once(key_kind(M::TABLE))
                .chain(places.iter().map(Place::kind))
                .collect();
            let rows = rows.iter().map(|row| {
                let row = kinds
                    .iter()
                    .zip(row)
                    .map(|(kind, cell)| Datum::read(*kind, cell));
                Ok(Tree {
                    row: row.collect::<Result<_>>()?,
                    branches: Vec::new(),
                })
            });
            Ok(Answer::Rows(rows.collect::<Result<_>>()?))
        }
        Action::CountValues(places) => Ok(Answer::Count(
            query
                .values_list(Cells(exprs::<M>(places)?))
                .count()
                .await?,
        )),
        Action::Update(_) | Action::Delete => unreachable!("writes run in a transaction"),
    }
}

/// The query set of a plan, without its action.
pub(super) fn query<M: Subject>(plan: &Plan) -> Result<QuerySet<M>> {
    let mut query = M::all();
    for Call { exclude, cond } in &plan.calls {
        query = match (cond.keywords(), exclude) {
            (Some(tests), false) => query.filter_by(keywords(&tests)),
            (Some(tests), true) => query.exclude_by(keywords(&tests)),
            (None, false) => query.filter(condition::<M>(cond)?),
            (None, true) => query.exclude(condition::<M>(cond)?),
        };
    }
    if !plan.order.is_empty() {
        query = query.order_by(plan.order.iter().map(|key| key.name()).collect::<Vec<_>>());
    }
    if let Some(limit) = plan.limit {
        query = query.limit(limit);
    }
    if let Some(offset) = plan.offset {
        query = query.offset(offset);
    }
    Ok(query)
}

fn keywords(tests: &[&Test]) -> Vec<(String, Argument)> {
    tests
        .iter()
        .map(|test| (test.keyword(), argument(test)))
        .collect()
}

fn argument(test: &Test) -> Argument {
    let Right::Values(values) = &test.right else {
        unreachable!("a comparison of columns is no keyword")
    };
    let mut values: Vec<Value> = values.iter().map(Datum::to_value).collect();
    match test.lookup {
        Lookup::In | Lookup::NotIn | Lookup::Range => Argument::Many(values),
        _ => Argument::One(values.pop().unwrap_or_default()),
    }
}

/// The condition, with the operators that a program would use.
pub(super) fn condition<M: Subject>(cond: &Cond) -> Result<Q<M>> {
    let all = |children: &[Cond]| {
        children
            .iter()
            .map(condition::<M>)
            .collect::<Result<Vec<_>>>()
    };
    Ok(match cond {
        Cond::Empty => Q::default(),
        Cond::And(children) => all(children)?
            .into_iter()
            .reduce(|a, b| a & b)
            .unwrap_or_default(),
        Cond::Or(children) => all(children)?
            .into_iter()
            .reduce(|a, b| a | b)
            .unwrap_or_default(),
        Cond::Not(inner) => !condition::<M>(inner)?,
        Cond::Test(test) => Q::from_predicate(match &test.right {
            Right::Values(_) => resolve_filter(M::meta(), &test.keyword(), argument(test))?,
            Right::Column(place, plus) => columns::<M>(test, place, *plus)?,
        }),
    })
}

fn columns<M: Subject>(test: &Test, place: &Place, plus: i64) -> Result<Predicate> {
    let lookup = match test.lookup {
        Lookup::Gt => query::Lookup::Gt,
        Lookup::Gte => query::Lookup::Gte,
        Lookup::Lt => query::Lookup::Lt,
        Lookup::Lte => query::Lookup::Lte,
        _ => query::Lookup::Exact,
    };
    let mut right = expr::<M>(place)?;
    if plus != 0 {
        right = arithmetic(ArithmeticOp::Add, right, plus);
    }
    Ok(Predicate::Compare(
        expr::<M>(&test.left)?,
        lookup,
        Operand::Expr(right),
    ))
}

fn expr<M: Subject>(place: &Place) -> Result<query::Expr> {
    let (column, _) = resolve_column(M::meta(), &place.name())?;
    Ok(query::Expr::Column(column))
}

fn arithmetic(op: ArithmeticOp, left: query::Expr, number: i64) -> query::Expr {
    let number = Box::new(query::Expr::Value(Value::I64(number)));
    query::Expr::Arithmetic(op, Box::new(left), number)
}

fn assignments<M: Subject>(sets: &[(usize, NewValue)]) -> Result<Set<M>> {
    let mut all = Set::default();
    for (column, value) in sets {
        let tree = match value {
            NewValue::Value(value) => query::Expr::Value(value.to_value()),
            NewValue::Computed {
                column,
                factor,
                plus,
            } => {
                let place = Place {
                    root: M::TABLE,
                    hops: Vec::new(),
                    column: *column,
                };
                let product = arithmetic(ArithmeticOp::Multiply, expr::<M>(&place)?, *factor);
                arithmetic(ArithmeticOp::Add, product, *plus)
            }
        };
        all = all & M::set(*column, tree);
    }
    Ok(all)
}

/// The key, then these.
fn exprs<M: Subject>(places: &[Place]) -> Result<Vec<query::Expr>> {
    let key = Place {
        root: M::TABLE,
        hops: Vec::new(),
        column: 0,
    };
    std::iter::once(&key).chain(places).map(expr::<M>).collect()
}

/// A selection of any number of columns; rows come as plain values.
struct Cells(Vec<query::Expr>);

impl<M> Selection<M> for Cells {
    type Out = Vec<Value>;

    fn push_exprs(self, out: &mut Vec<query::Expr>) {
        out.extend(self.0);
    }

    fn read(row: &dyn RowAccess, at: &mut usize) -> Result<Self::Out> {
        let cells = (*at..row.len()).map(|at| Ok(row.cell(at)?.to_value()));
        *at = row.len();
        cells.collect::<Result<_, Error>>()
    }
}
