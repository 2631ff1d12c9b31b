//! Queries with one answer: `get`, `get_or_none`, `first`, `count`, `exists`.

use super::{BoxFuture, QuerySet, Related};
use crate::backend::RowAccess;
use crate::columns::IntoPrefetch;
use crate::error::{DoesNotExist, MultipleObjectsReturned, Result};
use crate::query::{Expr, OrderBy, Output};
use crate::transaction::Db;
use crate::value::Field;
use std::future::IntoFuture;

macro_rules! single {
    ($(#[$doc:meta])* $name:ident -> $answer:ty) => {
        $(#[$doc])*
        #[must_use = "nothing is sent until it is awaited"]
        #[derive(Debug, Clone)]
        pub struct $name<M: Related, Out = M>(QuerySet<M, Out>);

        impl<M: Related, Out: Send + 'static> $name<M, Out> {
            pub(super) fn new(query: QuerySet<M, Out>) -> Self {
                $name(query)
            }

            /// Runs on this connection or transaction instead of the current one.
            pub fn using_db(self, db: impl Into<Db>) -> Self {
                $name(self.0.using_db(db))
            }
        }

        impl<M: Related, Out: Send + 'static> IntoFuture for $name<M, Out> {
            type Output = Result<$answer>;
            type IntoFuture = BoxFuture<'static, Self::Output>;

            // By reference: an argument taken by value would be in the future twice.
            fn into_future(mut self) -> Self::IntoFuture {
                Box::pin(async move { self.run().await })
            }
        }
    };
}

single! {
    /// The only row that matches. None is [`DoesNotExist`](crate::error::Error::DoesNotExist), more
    /// than one [`MultipleObjectsReturned`](crate::error::Error::MultipleObjectsReturned).
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let tx = begin().await?;
    /// let post = Post::get(kw!(title = "Hello")).prefetch_related("author").using_db(&tx).await?;
    /// assert_eq!(post.author.get()?.username, "ann");
    /// # drop(tx);
    /// # Ok(()) }) }
    /// ```
    Get -> Out
}
single! {
    /// The only row that matches, or `None`; more than one is an error.
    GetOrNone -> Option<Out>
}
single! {
    /// The first row, or `None`.
    First -> Option<Out>
}
single! {
    /// The number of rows.
    Count -> u64
}
single! {
    /// Whether there is any row.
    Exists -> bool
}

macro_rules! prefetching {
    ($($name:ident)*) => { $(
        impl<M: Related> $name<M> {
            /// Loads relations of the instance; see [`QuerySet::prefetch_related`].
            pub fn prefetch_related(self, relations: impl IntoPrefetch<M>) -> Self {
                $name(self.0.prefetch_related(relations))
            }
        }
    )* };
}
prefetching!(Get GetOrNone First);

impl<M: Related, Out: Send + 'static> QuerySet<M, Out> {
    /// At most one row; several are an error.
    async fn only(&mut self) -> Result<Option<Out>> {
        self.select.limit = Some(self.select.limit.map_or(2, |limit| limit.min(2)));
        let mut rows = self.fetch().await?;
        if rows.len() > 1 {
            return Err(
                MultipleObjectsReturned::new(M::meta().name, self.select.describe()).into(),
            );
        }
        match rows.pop() {
            Some(row) => Ok(Some(row)),
            None => Ok(None),
        }
    }
}

impl<M: Related, Out: Send + 'static> Get<M, Out> {
    async fn run(&mut self) -> Result<Out> {
        let query = &mut self.0;
        query.select.limit = Some(query.select.limit.map_or(2, |limit| limit.min(2)));
        let mut rows = query.fetch().await?;
        match (rows.pop(), rows.is_empty()) {
            (Some(row), true) => Ok(row),
            (Some(_), false) => {
                Err(MultipleObjectsReturned::new(M::meta().name, query.select.describe()).into())
            }
            (None, _) => Err(DoesNotExist::new(M::meta().name, query.select.describe()).into()),
        }
    }
}

impl<M: Related, Out: Send + 'static> GetOrNone<M, Out> {
    async fn run(&mut self) -> Result<Option<Out>> {
        self.0.only().await
    }
}

impl<M: Related, Out: Send + 'static> First<M, Out> {
    async fn run(&mut self) -> Result<Option<Out>> {
        let query = &mut self.0;
        let select = &mut query.select;
        if select.order.is_empty() && (select.order_set || select.model.ordering.is_empty()) {
            let expr = Expr::own(select.model.pk());
            select.order.push(OrderBy {
                expr,
                descending: false,
            });
        }
        select.limit = Some(select.limit.map_or(1, |limit| limit.min(1)));
        Ok(query.fetch().await?.pop())
    }
}

fn read_count(row: &dyn RowAccess) -> Result<i64> {
    row.cell(0).and_then(i64::from_cell)
}

impl<M: Related, Out: Send + 'static> Count<M, Out> {
    async fn run(&mut self) -> Result<u64> {
        let counts = self.0.scalar(Output::Count).await?;
        Ok(counts.first().map_or(0, |count| count.unsigned_abs()))
    }
}

impl<M: Related, Out: Send + 'static> Exists<M, Out> {
    async fn run(&mut self) -> Result<bool> {
        Ok(!self.0.scalar(Output::Exists).await?.is_empty())
    }
}

impl<M: Related, Out: Send + 'static> QuerySet<M, Out> {
    async fn scalar(&mut self, output: Output) -> Result<Vec<i64>> {
        let query = self;
        if let Some(error) = query.error.take() {
            return Err(error);
        }
        if query.select.is_empty() {
            return Ok(Vec::new());
        }
        // Across to-many relations a projection has one row a match, so it is counted as it is.
        let counts_projection = matches!(query.select.output, Output::Exprs(_))
            && matches!(output, Output::Count)
            && query.select.projects_to_many();
        let db = Db::pick(query.db.as_ref())?;
        if counts_projection {
            let rows = super::fetch::rows(&mut query.select, |_| Ok(0), &db).await?;
            return Ok(vec![i64::try_from(rows.len()).unwrap_or(i64::MAX)]);
        }
        query.select.output = output;
        super::fetch::rows(&mut query.select, read_count, &db).await
    }
}
