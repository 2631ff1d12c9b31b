//! Sending a select and collecting its rows.

use super::{BoxFuture, QuerySet, Related};
use crate::backend::{Collect, RowAccess, Sink};
use crate::error::{Error, Result};
use crate::query::Select;
use crate::sql;
use crate::transaction::Db;
use std::future::IntoFuture;

/// Runs a select and decodes its rows in order.
pub(crate) async fn rows<T: Send + 'static>(
    select: &mut Select,
    read: fn(&dyn RowAccess) -> Result<T>,
    db: &Db,
) -> Result<Vec<T>> {
    let statement = sql::select(select, db.dialect())?;
    let mut sink = Sink::new(Collect::new(read));
    db.run(&statement, &mut sink).await?;
    collected(sink)
}

/// The rows of a [`Collect`] sink.
pub(crate) fn collected<T: Send + 'static>(sink: Sink) -> Result<Vec<T>> {
    match sink.downcast::<Collect<T>>() {
        Some(collect) => Ok(collect.into_rows()),
        None => Err(Error::configuration(
            "the driver did not give the row sink back",
        )),
    }
}

impl<M: Related, Out: Send + 'static> QuerySet<M, Out> {
    /// Sends the query; the select keeps its shape (for messages) but loses its values.
    pub(super) async fn fetch(&mut self) -> Result<Vec<Out>> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        if self.select.is_empty() {
            return Ok(Vec::new());
        }
        let db = Db::pick(self.db.as_ref())?;
        let rows = rows(&mut self.select, self.read, &db).await?;
        match self.after {
            Some(after) if !self.prefetch.is_empty() && !rows.is_empty() => {
                after(rows, std::mem::take(&mut self.prefetch), db).await
            }
            _ => Ok(rows),
        }
    }
}

impl<M: Related, Out: Send + 'static> IntoFuture for QuerySet<M, Out> {
    type Output = Result<Vec<Out>>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(mut self) -> Self::IntoFuture {
        Box::pin(async move { self.fetch().await })
    }
}
