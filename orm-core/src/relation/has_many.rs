//! The many side of a relation: a manager bound to its owner, and the rows once they are loaded.

use crate::backend::Sink;
use crate::columns::Q;
use crate::entity::{Entity, Shared, ToManySlot, saved_key};
use crate::error::{Error, NotLoaded, Result};
use crate::query::{ColumnRef, Expr, Predicate};
use crate::queryset::{BoxFuture, QuerySet, Related};
use crate::schema::{ModelMeta, Reach, ThroughMeta};
use crate::sql;
use crate::transaction::Db;
use crate::value::Value;
use std::{fmt, future::IntoFuture, marker::PhantomData};

/// The rows that refer to an instance, or are linked with it: the reverse side of a foreign key, or
/// either side of a many-to-many.
///
/// It knows its owner once the owner has a key: after a read, `create` or `save`.
pub struct HasMany<T: Entity> {
    owner: Option<Owner>,
    loaded: Option<Shared>,
    target: PhantomData<fn() -> T>,
}

#[derive(Clone)]
struct Owner {
    key: Value,
    model: &'static ModelMeta,
    relation: usize,
}

impl<T: Entity> HasMany<T> {
    /// The relation at this position of `owner`'s model, for the owner with this key. Used by the
    /// derive.
    pub fn bound(key: Value, owner: &'static ModelMeta, relation: usize) -> Self {
        let owner = Owner {
            key,
            model: owner,
            relation,
        };
        HasMany {
            owner: Some(owner),
            loaded: None,
            target: PhantomData,
        }
    }

    /// Tells the owner's key. Rows loaded for another owner are forgotten. Used by the derive.
    pub fn bind(&mut self, key: Value, owner: &'static ModelMeta, relation: usize) {
        if self.owner.as_ref().is_none_or(|known| known.key != key) {
            *self = HasMany::bound(key, owner, relation);
        }
    }

    /// The rows, if they are loaded.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let ann = User::get(kw!(username = "ann")).await?;
    /// assert!(ann.posts.loaded().is_none());
    /// # Ok(()) }) }
    /// ```
    pub fn loaded(&self) -> Option<&[T]> {
        let rows: &Vec<T> = self.loaded.as_ref()?.downcast_ref()?;
        Some(rows)
    }

    /// The loaded rows. Sends nothing.
    ///
    /// # Errors
    /// [`Error::NotLoaded`] when no query has loaded them; [`Error::Unsaved`] when the owner has no
    /// key yet.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let ann = User::get(kw!(username = "ann")).prefetch_related("posts").await?;
    /// assert_eq!(ann.posts.get()?.len(), 3);
    /// let bob = User::get(kw!(username = "bob")).await?;
    /// assert!(bob.posts.get().is_err());
    /// # Ok(()) }) }
    /// ```
    pub fn get(&self) -> Result<&[T]> {
        if let Some(rows) = self.loaded() {
            return Ok(rows);
        }
        let (owner, _) = self.owner()?;
        let (model, relation) = (owner.model.name, owner.model.relations[owner.relation].name);
        let hint = "use `prefetch_related` in the query, or `.all().await`";
        Err(NotLoaded::new(model, relation, hint).into())
    }

    fn owner(&self) -> Result<(&Owner, Reach)> {
        let owner = self.owner.as_ref().ok_or(Error::Unsaved("instance"))?;
        if owner.key.is_null() {
            return Err(Error::Unsaved(owner.model.name));
        }
        let relation = &owner.model.relations[owner.relation];
        let reach = relation.reach(owner.model).ok_or_else(|| {
            Error::configuration(format!(
                "`{}.{}` has no other side",
                owner.model.name, relation.name
            ))
        })?;
        Ok((owner, reach))
    }

    fn through(&self) -> Result<(ThroughMeta, Value)> {
        let (owner, reach) = self.owner()?;
        match reach {
            Reach::Through(through) => Ok((through, owner.key.clone())),
            _ => Err(Error::configuration(format!(
                "`{}.{}` is the reverse side of a foreign key: set the key on `{}` instead of adding or removing",
                owner.model.name,
                owner.model.relations[owner.relation].name,
                T::meta().name
            ))),
        }
    }
}

impl<T: Related> HasMany<T> {
    /// A query set of the rows. It fails with [`Error::Unsaved`] if the owner has no key yet.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let ann = User::get(kw!(username = "ann")).await?;
    /// assert_eq!(ann.posts.all().order_by("id").limit(1).await?[0].title, "Hello");
    /// # Ok(()) }) }
    /// ```
    pub fn all(&self) -> QuerySet<T> {
        match self.owner() {
            Err(error) => QuerySet::failed(error),
            Ok((owner, Reach::Through(through))) => QuerySet::under(Predicate::LinkedTo {
                column: ColumnRef::own(T::meta().pk()),
                through,
                owner: owner.key.clone(),
            }),
            Ok((owner, Reach::Reverse(field) | Reach::Forward(field))) => {
                QuerySet::under(Predicate::equals(Expr::own(field), owner.key.clone()))
            }
        }
    }

    /// A query set of the rows that match.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let ann = User::get(kw!(username = "ann")).await?;
    /// assert_eq!(ann.posts.filter(kw!(views__gt = 10)).count().await?, 2);
    /// # Ok(()) }) }
    /// ```
    pub fn filter(&self, condition: Q<T>) -> QuerySet<T> {
        self.all().filter(condition)
    }

    /// Links instances, with one statement. Those linked already, and repeated ones, change
    /// nothing. Many-to-many only.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let post = Post::get(kw!(title = "Hello")).await?;
    /// let (rust, news) = (Tag::get(kw!(name = "rust")).await?, Tag::get(kw!(name = "news")).await?);
    /// post.tags.add([&rust, &news]).await?;
    /// post.tags.add(&rust).await?;
    /// assert_eq!(post.tags.all().count().await?, 2);
    /// assert_eq!(rust.posts.all().count().await?, 3);
    /// # Ok(()) }) }
    /// ```
    pub fn add(&self, members: impl IntoMembers<T>) -> Link {
        self.link(Operation::Add, members.into_keys())
    }

    /// Removes links, with one statement. Instances that are not linked change nothing.
    /// Many-to-many only.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let post = Post::get(kw!(title = "Rust")).await?;
    /// let rust = Tag::get(kw!(name = "rust")).await?;
    /// post.tags.remove(&rust).await?;
    /// assert_eq!(post.tags.all().count().await?, 0);
    /// assert_eq!(rust.posts.all().count().await?, 1);
    /// # Ok(()) }) }
    /// ```
    pub fn remove(&self, members: impl IntoMembers<T>) -> Link {
        self.link(Operation::Remove, members.into_keys())
    }

    /// Removes all links of the owner, with one statement. Many-to-many only.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let rust = Tag::get(kw!(name = "rust")).await?;
    /// rust.posts.clear().await?;
    /// assert_eq!(Post::filter(kw!(tags__name = "rust")).count().await?, 0);
    /// # Ok(()) }) }
    /// ```
    pub fn clear(&self) -> Link {
        self.link(Operation::Clear, Ok(Vec::new()))
    }

    fn link(&self, operation: Operation, members: Result<Vec<Value>>) -> Link {
        let work = self
            .through()
            .and_then(|(through, owner)| Ok((through, owner, members?)));
        Link {
            operation,
            work,
            db: None,
        }
    }
}

/// One instance or several, as arguments of `add` and `remove`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be linked: this relation holds `{T}`",
    label = "expected `&{T}`, or an array, slice or `Vec` of them"
)]
pub trait IntoMembers<T> {
    /// Their keys.
    ///
    /// # Errors
    /// [`Error::Unsaved`] when one has no key.
    fn into_keys(self) -> Result<Vec<Value>>;
}

impl<T: Entity> IntoMembers<T> for &T {
    fn into_keys(self) -> Result<Vec<Value>> {
        Ok(vec![saved_key(self)?])
    }
}
impl<T: Entity> IntoMembers<T> for &[T] {
    fn into_keys(self) -> Result<Vec<Value>> {
        self.iter().map(saved_key).collect()
    }
}
impl<T: Entity> IntoMembers<T> for &Vec<T> {
    fn into_keys(self) -> Result<Vec<Value>> {
        self.iter().map(saved_key).collect()
    }
}
impl<T: Entity, const N: usize> IntoMembers<T> for [&T; N] {
    fn into_keys(self) -> Result<Vec<Value>> {
        self.into_iter().map(saved_key).collect()
    }
}
impl<T: Entity> IntoMembers<T> for Vec<&T> {
    fn into_keys(self) -> Result<Vec<Value>> {
        self.into_iter().map(saved_key).collect()
    }
}

#[derive(Clone, Copy, Debug)]
enum Operation {
    Add,
    Remove,
    Clear,
}

/// A change of links, sent when awaited.
///
/// # Examples
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
/// # fn main() -> Result<()> { run(async {
/// let post = Post::get(kw!(title = "Hello")).await?;
/// let news = Tag::get(kw!(name = "news")).await?;
/// let tx = begin().await?;
/// post.tags.add(&news).using_db(&tx).await?;
/// tx.rollback().await?;
/// assert_eq!(post.tags.all().count().await?, 0);
/// # Ok(()) }) }
/// ```
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug)]
pub struct Link {
    operation: Operation,
    work: Result<(ThroughMeta, Value, Vec<Value>)>,
    db: Option<Db>,
}

impl Link {
    /// Runs on this connection or transaction instead of the current one.
    pub fn using_db(mut self, db: impl Into<Db>) -> Self {
        self.db = Some(db.into());
        self
    }

    async fn run(self) -> Result<()> {
        let (through, owner, members) = self.work?;
        if members.is_empty() && !matches!(self.operation, Operation::Clear) {
            return Ok(());
        }
        let db = Db::pick(self.db.as_ref())?;
        let statement = match self.operation {
            Operation::Add => sql::link(through, owner, members, db.dialect())?,
            Operation::Remove => sql::unlink(through, owner, members, db.dialect())?,
            Operation::Clear => sql::unlink_all(through, owner, db.dialect())?,
        };
        db.run(&statement, &mut Sink::discard()).await?;
        Ok(())
    }
}

impl IntoFuture for Link {
    type Output = Result<()>;
    type IntoFuture = BoxFuture<'static, Result<()>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<T: Entity> ToManySlot for HasMany<T> {
    fn put(&mut self, loaded: Shared) {
        self.loaded = Some(loaded);
    }
}

impl<T: Entity> Default for HasMany<T> {
    fn default() -> Self {
        HasMany {
            owner: None,
            loaded: None,
            target: PhantomData,
        }
    }
}

impl<T: Entity> Clone for HasMany<T> {
    fn clone(&self) -> Self {
        HasMany {
            owner: self.owner.clone(),
            loaded: self.loaded.clone(),
            target: PhantomData,
        }
    }
}

impl<T: Entity> PartialEq for HasMany<T> {
    /// Always equal: what an instance is does not depend on which relations are loaded.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T: Entity> fmt::Debug for HasMany<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.loaded() {
            Some(rows) => write!(f, "[{} {}]", rows.len(), T::meta().name),
            None => write!(f, "[{}, not loaded]", T::meta().name),
        }
    }
}
