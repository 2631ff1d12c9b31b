//! Updates and deletes of all rows of a query set.

use super::fetch::rows;
use super::{BoxFuture, QuerySet, Related};
use crate::backend::Sink;
use crate::error::{FieldError, Result, ValidationError};
use crate::fields;
use crate::query::{self, Assignment, Expr, Output, Select};
use crate::sql;
use crate::transaction::Db;
use crate::value::Field;
use std::future::IntoFuture;

/// An update of all rows of a query set. Awaiting gives the number of rows matched.
///
/// # Examples
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
/// # fn main() -> Result<()> { run(async {
/// let tx = begin().await?;
/// let update = Post::all().update(Post::views.set(0)).using_db(&tx);
/// assert_eq!(update.await?, 3);
/// tx.commit().await?;
/// # Ok(()) }) }
/// ```
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct Update<M: Related> {
    query: QuerySet<M>,
    assignments: Vec<Assignment>,
}

/// A delete of all rows of a query set. Awaiting gives the number of rows deleted.
///
/// # Examples
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
/// # fn main() -> Result<()> { run(async {
/// let tx = begin().await?;
/// assert_eq!(Post::filter(kw!(views = 1)).delete().using_db(&tx).await?, 1);
/// tx.commit().await?;
/// # Ok(()) }) }
/// ```
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct Delete<M: Related> {
    query: QuerySet<M>,
}

impl<M: Related> Update<M> {
    pub(super) fn new(query: QuerySet<M>, assignments: Vec<Assignment>) -> Self {
        Update { query, assignments }
    }

    /// Runs on this connection or transaction instead of the current one.
    pub fn using_db(mut self, db: impl Into<Db>) -> Self {
        self.query = self.query.using_db(db);
        self
    }

    async fn run(self) -> Result<u64> {
        let Update {
            mut query,
            assignments,
        } = self;
        if let Some(error) = query.error.take() {
            return Err(error);
        }
        check::<M>(&assignments)?;
        if assignments.is_empty() || query.select.is_empty() {
            return Ok(0);
        }
        let db = Db::pick(query.db.as_ref())?;
        let mut update = query::Update {
            select: query.select,
            assignments,
        };
        let statement = sql::update(&mut update, db.dialect())?;
        Ok(db
            .run(&statement, &mut Sink::discard())
            .await?
            .rows_affected)
    }
}

fn check<M: Related>(assignments: &[Assignment]) -> Result<()> {
    let mut problems = ValidationError::new();
    for Assignment { field, expr } in assignments {
        if field.pk {
            let reason = "is the primary key, which cannot be updated";
            return Err(FieldError::misused(M::meta().name, field.name, field.name, reason).into());
        }
        match expr {
            Expr::Value(value) => fields::validate(M::meta(), field, value, &mut problems),
            Expr::Error(error) => return Err((**error).clone()),
            _ => {}
        }
    }
    problems.into_result()
}

impl<M: Related> Delete<M> {
    pub(super) fn new(query: QuerySet<M>) -> Self {
        Delete { query }
    }

    /// Runs on this connection or transaction instead of the current one.
    pub fn using_db(mut self, db: impl Into<Db>) -> Self {
        self.query = self.query.using_db(db);
        self
    }

    async fn run(self) -> Result<u64> {
        let mut query = self.query;
        if let Some(error) = query.error.take() {
            return Err(error);
        }
        if query.select.is_empty() {
            return Ok(0);
        }
        let db = Db::pick(query.db.as_ref())?;
        let facts = db.dialect().capabilities();
        if M::meta().cascades_to_itself() && facts.foreign_keys {
            return delete_counted(&query.select, &db).await;
        }
        delete(&mut query.select, &db).await
    }
}

async fn delete(select: &mut Select, db: &Db) -> Result<u64> {
    let statement = sql::delete(select, db.dialect())?;
    Ok(db
        .run(&statement, &mut Sink::discard())
        .await?
        .rows_affected)
}

/// Where a row goes with another one of its table, the database may not count it, depending on
/// which of them it comes to first: so the rows are counted before.
async fn delete_counted(select: &Select, db: &Db) -> Result<u64> {
    db.atomic(async |tx| {
        let inside = Db::from(tx);
        let mut counted = select.clone();
        counted.output = Output::Count;
        let matched = rows(
            &mut counted,
            |row| row.cell(0).and_then(i64::from_cell),
            &inside,
        )
        .await?;
        delete(&mut select.clone(), &inside).await?;
        Ok(matched.first().map_or(0, |count| count.unsigned_abs()))
    })
    .await
}

impl<M: Related> IntoFuture for Update<M> {
    type Output = Result<u64>;
    type IntoFuture = BoxFuture<'static, Result<u64>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<M: Related> IntoFuture for Delete<M> {
    type Output = Result<u64>;
    type IntoFuture = BoxFuture<'static, Result<u64>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
