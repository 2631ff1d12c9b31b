//! Query sets: lazy, cheap to clone, sent when awaited.

mod fetch;
mod prefetch;
mod single;
mod write;

pub(crate) use fetch::collected;
pub use prefetch::Group;
pub use prefetch::GroupKey;
pub use prefetch::Loaded;
pub use prefetch::PrefetchPlan;
pub use prefetch::Related;
pub use prefetch::Target;
pub use prefetch::fetch_related;
pub use prefetch::target;
pub use single::Count;
pub use single::Exists;
pub use single::First;
pub use single::Get;
pub use single::GetOrNone;
pub use write::Delete;
pub use write::Update;

use crate::backend::RowAccess;
use crate::columns::{IntoOrder, IntoPrefetch, OrderKey, PrefetchPath, Q, Selection, Set, Values};
use crate::entity::read_instance;
use crate::error::{Error, FieldError, Result};
use crate::query::{
    Argument, OrderBy, Output, Predicate, Select, resolve_column, resolve_filter, resolve_order,
};
use crate::transaction::Db;
use std::{fmt, future::Future, pin::Pin};

/// A boxed future, as `.await` on a query makes one.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

type Read<Out> = fn(&dyn RowAccess) -> Result<Out>;
type After<Out> = fn(Vec<Out>, Vec<PrefetchPlan>, Db) -> BoxFuture<'static, Result<Vec<Out>>>;

/// A lazy query over the rows of a model.
///
/// Nothing is sent until it is awaited; each awaiting asks again. Every method returns a new query
/// set. Awaiting gives a `Vec` in the order asked for; no rows is an empty `Vec`.
///
/// # Examples
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
/// # fn main() -> Result<()> { run(async {
/// let popular = Post::filter(kw!(views__gt = 10)).order_by("-views");
/// let first = popular.clone().first().await?;
/// assert_eq!(first.map(|post| post.title).as_deref(), Some("More Rust"));
/// assert_eq!(popular.await?.len(), 2);
/// # Ok(()) }) }
/// ```
#[must_use = "a query set does nothing until it is awaited"]
pub struct QuerySet<M: Related, Out = M> {
    pub(crate) select: Select,
    prefetch: Vec<PrefetchPlan>,
    db: Option<Db>,
    error: Option<Error>,
    read: Read<Out>,
    after: Option<After<Out>>,
    model: std::marker::PhantomData<fn() -> M>,
}

impl<M: Related, Out> Clone for QuerySet<M, Out> {
    fn clone(&self) -> Self {
        QuerySet {
            select: self.select.clone(),
            prefetch: self.prefetch.clone(),
            db: self.db.clone(),
            error: self.error.clone(),
            read: self.read,
            after: self.after,
            model: std::marker::PhantomData,
        }
    }
}

impl<M: Related, Out> fmt::Debug for QuerySet<M, Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "QuerySet<{}>({})",
            M::meta().name,
            self.select.describe()
        )
    }
}

pub(crate) fn read_model<M: Related>(row: &dyn RowAccess) -> Result<M> {
    read_instance(row, 0)
}

fn load_relations<M: Related>(
    mut rows: Vec<M>,
    plans: Vec<PrefetchPlan>,
    db: Db,
) -> BoxFuture<'static, Result<Vec<M>>> {
    Box::pin(async move {
        fetch_related(&mut rows, &plans, &db).await?;
        Ok(rows)
    })
}

impl<M: Related> QuerySet<M> {
    /// All rows of the model.
    pub fn new() -> Self {
        QuerySet {
            select: Select::new(M::meta()),
            prefetch: Vec::new(),
            db: None,
            error: None,
            read: read_model::<M>,
            after: Some(load_relations::<M>),
            model: std::marker::PhantomData,
        }
    }

    /// A query set that fails with `error` when awaited.
    pub fn failed(error: Error) -> Self {
        let mut query = Self::new();
        query.error = Some(error);
        query
    }

    /// The rows under a predicate.
    pub(crate) fn under(predicate: Predicate) -> Self {
        let mut query = Self::new();
        query.select.filter(predicate);
        query
    }

    /// Loads relations of all instances with one more statement a relation, whatever the number of
    /// instances. Takes `"posts__tags"`, `Post::author`, arrays and tuples of them; calls add up.
    /// An unknown name fails when awaited, with [`Error::Field`].
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// for user in User::all().prefetch_related("posts__tags").await? {
    ///     for post in user.posts.get()? {
    ///         println!("{} has {} tags", post.title, post.tags.get()?.len());
    ///     }
    /// }
    /// # Ok(()) }) }
    /// ```
    pub fn prefetch_related(mut self, relations: impl IntoPrefetch<M>) -> Self {
        let mut wanted = Vec::new();
        relations.push_prefetch(&mut wanted);
        for relation in wanted {
            let path = match relation {
                PrefetchPath::Path(path) => Ok(path),
                PrefetchPath::Name(name) => {
                    crate::query::resolve_relations(self.select.model, &name)
                }
            };
            match path {
                Ok(path) => PrefetchPlan::merge(&mut self.prefetch, self.select.model, &path),
                Err(error) => self.fail(error),
            }
        }
        self
    }

    /// Reads these columns instead of instances: `values_list((Post::id, Post::author.username))`
    /// gives `(i32, String)`. Across to-many relations there is one row a match.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let rows: Vec<(String, String)> =
    ///     Post::all().order_by("id").values_list((Post::title, Post::author.username)).await?;
    /// assert_eq!(rows[0], ("Hello".to_owned(), "ann".to_owned()));
    /// # Ok(()) }) }
    /// ```
    pub fn values_list<A: Selection<M>>(self, columns: A) -> QuerySet<M, A::Out> {
        let mut exprs = Vec::new();
        columns.push_exprs(&mut exprs);
        self.projected(exprs, read_selection::<M, A>)
    }

    /// Reads a struct with `#[derive(Values)]` instead of instances.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// #[derive(Values)]
    /// #[values(Post)]
    /// struct Card {
    ///     title: String,
    ///     #[values(author.username)]
    ///     by: String,
    /// }
    /// let cards = Post::all().order_by("id").values::<Card>().await?;
    /// assert_eq!((cards[0].title.as_str(), cards[0].by.as_str()), ("Hello", "ann"));
    /// # Ok(()) }) }
    /// ```
    pub fn values<V: Values<Model = M>>(self) -> QuerySet<M, V> {
        let mut exprs = Vec::new();
        V::push_exprs(&mut exprs);
        self.projected(exprs, read_values::<V>)
    }

    fn projected<Out>(
        mut self,
        exprs: Vec<crate::query::Expr>,
        read: Read<Out>,
    ) -> QuerySet<M, Out> {
        self.select.output = Output::Exprs(exprs);
        QuerySet {
            select: self.select,
            prefetch: Vec::new(),
            db: self.db,
            error: self.error,
            read,
            after: None,
            model: std::marker::PhantomData,
        }
    }

    /// Sets columns of all matching rows, in one statement. Gives the number of rows matched.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let matched = Post::filter(kw!(tags__name = "rust")).update(kw!(views = F(views) + 1)).await?;
    /// assert_eq!(matched, 2);
    /// # Ok(()) }) }
    /// ```
    pub fn update(self, assignments: Set<M>) -> Update<M> {
        Update::new(self, assignments.into_assignments())
    }

    /// Deletes all matching rows, in one statement. Gives their number, without cascades.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// assert_eq!(Post::filter(kw!(views__lt = 10)).delete().await?, 1);
    /// # Ok(()) }) }
    /// ```
    pub fn delete(self) -> Delete<M> {
        Delete::new(self)
    }
}

impl<M: Related> Default for QuerySet<M> {
    fn default() -> Self {
        Self::new()
    }
}

fn read_selection<M: Related, A: Selection<M>>(row: &dyn RowAccess) -> Result<A::Out> {
    A::read(row, &mut 0)
}

fn read_values<V: Values>(row: &dyn RowAccess) -> Result<V> {
    V::read(row, &mut 0)
}

impl<M: Related, Out: Send + 'static> QuerySet<M, Out> {
    /// Keeps the rows that match. Conditions over one to-many relation inside one call speak of
    /// the same related row; separate calls are independent. Never multiplies rows.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let popular = Post::all().filter(kw!(author__username = "ann")).filter(kw!(views__gt = 10));
    /// assert_eq!(popular.await?.len(), 2);
    /// let either = Post::title.eq("Hello") | Post::views.gte(300);
    /// assert_eq!(Post::filter(either).count().await?, 2);
    /// # Ok(()) }) }
    /// ```
    pub fn filter(mut self, condition: Q<M>) -> Self {
        self.select.filter(condition.into_predicate());
        self
    }

    /// Keeps the rows that do *not* match: the exact complement of `filter`, also for NULL.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// // Users without a biography are not excluded: a condition on NULL is false.
    /// assert_eq!(User::all().exclude(kw!(bio = "writes")).count().await?, 1);
    /// # Ok(()) }) }
    /// ```
    pub fn exclude(mut self, condition: Q<M>) -> Self {
        self.select.filter(condition.into_predicate().negate());
        self
    }

    /// `filter` with names at run time: `filter_by([("author__name__icontains", "jo")])`.
    /// Unknown names fail when awaited, with [`Error::Field`]; values that do not fit the column
    /// with [`Error::Validation`]. Names from outside may cross any relation: see
    /// [`filter_by_allowed`](QuerySet::filter_by_allowed).
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let found = Post::all().filter_by([("author__username__icontains", "AN")]).await?;
    /// assert_eq!(found.len(), 3);
    /// let error = Post::all().filter_by([("titel", "x")]).await.unwrap_err();
    /// assert!(error.to_string().contains("did you mean `title`"));
    /// # Ok(()) }) }
    /// ```
    pub fn filter_by<K: AsRef<str>, V: Into<Argument>>(
        mut self,
        keywords: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        match self.resolve(keywords) {
            Ok(predicate) => self.select.filter(predicate),
            Err(error) => self.fail(error),
        }
        self
    }

    /// `exclude` with names at run time.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// assert_eq!(Post::all().exclude_by([("views__gt", 10)]).count().await?, 1);
    /// # Ok(()) }) }
    /// ```
    pub fn exclude_by<K: AsRef<str>, V: Into<Argument>>(
        mut self,
        keywords: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        match self.resolve(keywords) {
            Ok(predicate) => self.select.filter(predicate.negate()),
            Err(error) => self.fail(error),
        }
        self
    }

    /// `filter_by` for names that come from outside: only the columns in `allowed` (such as
    /// `"author__name"`) may be used, with any lookup.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let query = [("title__icontains", "rust")];
    /// assert_eq!(Post::all().filter_by_allowed(&["title"], query).await?.len(), 2);
    /// let query = [("author__bio__startswith", "w")];
    /// let refused = Post::all().filter_by_allowed(&["title"], query).await;
    /// assert!(refused.unwrap_err().to_string().contains("not allowed"));
    /// # Ok(()) }) }
    /// ```
    pub fn filter_by_allowed<K: AsRef<str>, V: Into<Argument>>(
        mut self,
        allowed: &[&str],
        keywords: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let model = self.select.model;
        let keywords: Vec<(K, V)> = keywords.into_iter().collect();
        for (name, _) in &keywords {
            match resolve_column(model, name.as_ref()) {
                Ok((column, _)) if allowed.contains(&format!("{column:?}").as_str()) => {}
                Ok(_) => {
                    let name = name.as_ref();
                    self.fail(
                        FieldError::misused(model.name, name, name, "is not allowed here").into(),
                    );
                }
                Err(error) => self.fail(error),
            }
        }
        self.filter_by(keywords)
    }

    fn resolve<K: AsRef<str>, V: Into<Argument>>(
        &self,
        keywords: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Predicate> {
        keywords
            .into_iter()
            .try_fold(Predicate::All, |all, (name, value)| {
                Ok(all.and(resolve_filter(
                    self.select.model,
                    name.as_ref(),
                    value.into(),
                )?))
            })
    }

    /// Orders the rows, replacing an earlier order: `"-created_at"`, `["name", "-id"]`,
    /// `Post::title`, `-Post::id`, tuples of them; `()` or an empty array clears. NULL comes first
    /// ascending and last descending. Unknown names fail when awaited, with [`Error::Field`].
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let titles = Post::all().order_by(["-views", "title"]).values_list((Post::title,)).await?;
    /// assert_eq!(titles[0].0, "More Rust");
    /// # Ok(()) }) }
    /// ```
    pub fn order_by(mut self, keys: impl IntoOrder<M>) -> Self {
        let mut wanted = Vec::new();
        keys.push_order(&mut wanted);
        let mut order: Vec<OrderBy> = Vec::with_capacity(wanted.len());
        for key in wanted {
            let key = match key {
                OrderKey::Name(name) => resolve_order(self.select.model, &name),
                OrderKey::Key(key) => {
                    crate::query::check_order(self.select.model, &key.expr).map(|()| key)
                }
            };
            match key {
                Ok(key) => order.push(key),
                Err(error) => self.fail(error),
            }
        }
        self.select.order = order;
        self.select.order_set = true;
        self
    }

    /// Keeps at most `count` rows, counted after filters, ordering and `offset`.
    ///
    /// `limit(0)` gives an empty result without a round trip. A later call replaces an earlier
    /// one. Without `order_by` the database may return any of the matching rows.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let newest = Post::all().order_by("-id").limit(2).await?;
    /// assert_eq!(newest.len(), 2);
    /// # Ok(()) }) }
    /// ```
    pub fn limit(mut self, count: u64) -> Self {
        self.select.limit = Some(count);
        self
    }

    /// Skips the first `count` rows. Works without `limit`; past the end gives an empty result.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let rest = Post::all().order_by("id").offset(1).await?;
    /// assert_eq!(rest[0].title, "Rust");
    /// # Ok(()) }) }
    /// ```
    pub fn offset(mut self, count: u64) -> Self {
        self.select.offset = Some(count);
        self
    }

    /// Runs on this connection or transaction instead of the current one.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let tx = begin().await?;
    /// Post::all().using_db(&tx).delete().await?;
    /// assert_eq!(Post::all().using_db(&tx).count().await?, 0);
    /// tx.rollback().await?;
    /// assert_eq!(Post::all().count().await?, 3);
    /// # Ok(()) }) }
    /// ```
    pub fn using_db(mut self, db: impl Into<Db>) -> Self {
        self.db = Some(db.into());
        self
    }

    fn fail(&mut self, error: Error) {
        self.error.get_or_insert(error);
    }

    /// The first row, or `None`: by the order given, else the model's, else the primary key.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// assert_eq!(Post::all().order_by("-views").first().await?.map(|p| p.views), Some(300));
    /// # Ok(()) }) }
    /// ```
    pub fn first(self) -> First<M, Out> {
        First::new(self)
    }

    /// The only row that matches. Reads two rows at most.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let posts = Post::filter(kw!(author__username = "ann"));
    /// assert_eq!(posts.get(kw!(views = 20)).await?.title, "Rust");
    /// # Ok(()) }) }
    /// ```
    pub fn get(self, condition: Q<M>) -> Get<M, Out> {
        Get::new(self.filter(condition))
    }

    /// The only row that matches, or `None` when there is none.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// assert!(User::all().get_or_none(kw!(username = "nobody")).await?.is_none());
    /// # Ok(()) }) }
    /// ```
    pub fn get_or_none(self, condition: Q<M>) -> GetOrNone<M, Out> {
        GetOrNone::new(self.filter(condition))
    }

    /// The number of rows, after limit and offset.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// assert_eq!(Post::filter(kw!(views__gt = 1)).count().await?, 2);
    /// assert_eq!(Post::all().limit(1).count().await?, 1);
    /// # Ok(()) }) }
    /// ```
    pub fn count(self) -> Count<M, Out> {
        Count::new(self)
    }

    /// Whether there is any row.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// assert!(Post::filter(kw!(title = "Rust")).exists().await?);
    /// assert!(!Post::filter(kw!(title = "Go")).exists().await?);
    /// # Ok(()) }) }
    /// ```
    pub fn exists(self) -> Exists<M, Out> {
        Exists::new(self)
    }

    /// The statement that awaiting would send on the current connection, without its values.
    ///
    /// # Errors
    /// What awaiting would fail with before sending.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let text = Post::filter(kw!(views__gt = 10)).sql()?;
    /// assert!(text.contains("WHERE") && !text.contains("10"));
    /// # Ok(()) }) }
    /// ```
    pub fn sql(&self) -> Result<String> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        let db = Db::pick(self.db.as_ref())?;
        Ok(crate::sql::select(&mut self.select.clone(), db.dialect())?
            .sql()
            .to_owned())
    }
}
