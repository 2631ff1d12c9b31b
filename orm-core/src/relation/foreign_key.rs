//! A foreign key: the key, and the instance once it is loaded.

use crate::columns::RelValue;
use crate::entity::{Entity, Shared, ToOneSlot};
use crate::error::{DoesNotExist, Error, NotLoaded, Result};
use crate::query::{Expr, Predicate};
use crate::queryset::{QuerySet, Related};
use crate::schema::ModelMeta;
use crate::value::{Field, Value};
use std::{fmt, marker::PhantomData, sync::Arc};

/// The key of another row, and that row's instance once a query has loaded it.
///
/// Reading the instance never sends a query by itself: [`get`](ForeignKey::get) is an error when
/// it is not loaded, [`fetch`](ForeignKey::fetch) asks the database.
pub struct ForeignKey<T: Entity> {
    key: T::Pk,
    state: Loading,
    owner: Option<(&'static ModelMeta, usize)>,
    target: PhantomData<fn() -> T>,
}

#[derive(Clone)]
enum Loading {
    Not,
    Missing,
    Loaded(Shared),
}

impl<T: Entity> ForeignKey<T> {
    /// Refers to the row with this key; nothing is loaded.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let ann = User::get(kw!(username = "ann")).await?;
    /// let mut post = Post {
    ///     title: "New".into(),
    ///     author: ForeignKey::from_key(ann.id),
    ///     ..Post::default()
    /// };
    /// post.save().await?;
    /// assert!(post.author.loaded().is_none());
    /// # Ok(()) }) }
    /// ```
    pub fn from_key(key: T::Pk) -> Self {
        ForeignKey {
            key,
            state: Loading::Not,
            owner: None,
            target: PhantomData,
        }
    }

    /// Tells which relation of which model this is, for messages. Used by the derive.
    #[must_use]
    pub fn located(mut self, owner: &'static ModelMeta, relation: usize) -> Self {
        self.owner = Some((owner, relation));
        self
    }

    /// The key.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let post = Post::get(kw!(title = "Hello")).await?;
    /// let ann = User::get(kw!(username = "ann")).await?;
    /// assert_eq!(*post.author.key(), ann.id);
    /// # Ok(()) }) }
    /// ```
    pub fn key(&self) -> &T::Pk {
        &self.key
    }

    /// The key, copied.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let post = Post::get(kw!(title = "Hello")).await?;
    /// assert_eq!(User::get(kw!(id = post.author.id())).await?.username, "ann");
    /// # Ok(()) }) }
    /// ```
    pub fn id(&self) -> T::Pk {
        self.key.clone()
    }

    /// Refers to another row. A loaded instance of another key is forgotten.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let bob = User::get(kw!(username = "bob")).await?;
    /// let mut post = Post::get(kw!(title = "Hello")).await?;
    /// post.author.set_key(bob.id);
    /// post.save().await?;
    /// assert_eq!(bob.posts.all().count().await?, 1);
    /// # Ok(()) }) }
    /// ```
    pub fn set_key(&mut self, key: T::Pk) {
        if self.key != key {
            self.key = key;
            self.state = Loading::Not;
        }
    }

    /// Refers to this instance, and keeps it as loaded.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let bob = User::get(kw!(username = "bob")).await?;
    /// let mut post = Post::get(kw!(title = "Hello")).await?;
    /// post.author.set(bob);
    /// assert_eq!(post.author.get()?.username, "bob");
    /// # Ok(()) }) }
    /// ```
    pub fn set(&mut self, target: impl Into<Arc<T>>) {
        let target = target.into();
        self.key = target.pk().clone();
        self.state = Loading::Loaded(target);
    }

    /// The instance, if it is loaded.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let post = Post::get(kw!(title = "Hello")).prefetch_related("author").await?;
    /// assert_eq!(post.author.loaded().map(|user| user.username.as_str()), Some("ann"));
    /// assert!(Post::get(kw!(title = "Hello")).await?.author.loaded().is_none());
    /// # Ok(()) }) }
    /// ```
    pub fn loaded(&self) -> Option<&T> {
        match &self.state {
            Loading::Loaded(instance) => instance.downcast_ref(),
            _ => None,
        }
    }

    /// The loaded instance. Sends nothing.
    ///
    /// # Errors
    /// [`NotLoaded`](crate::error::Error::NotLoaded) when no query has loaded it; [`DoesNotExist`](crate::error::Error::DoesNotExist) when one has
    /// looked and found no row of that key.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let post = Post::get(kw!(title = "Hello")).await?;
    /// assert!(post.author.get().unwrap_err().to_string().contains("prefetch_related"));
    /// let post = Post::get(kw!(title = "Hello")).prefetch_related("author").await?;
    /// assert_eq!(post.author.get()?.username, "ann");
    /// # Ok(()) }) }
    /// ```
    pub fn get(&self) -> Result<&T> {
        if let Some(instance) = self.loaded() {
            return Ok(instance);
        }
        if matches!(self.state, Loading::Missing) {
            return Err(DoesNotExist::new(T::meta().name, "the foreign key").into());
        }
        let (model, relation) = self
            .owner
            .map_or((T::meta().name, "foreign key"), |(m, r)| {
                (m.name, m.relations[r].name)
            });
        let hint = "use `prefetch_related` in the query, or `.fetch().await`";
        Err(NotLoaded::new(model, relation, hint).into())
    }
}

impl<T: Related> ForeignKey<T> {
    /// The instance: the loaded one, else from the database with one statement.
    ///
    /// # Errors
    /// [`DoesNotExist`](crate::error::Error::DoesNotExist) when there is no such row; those of the query.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let post = Post::get(kw!(title = "Hello")).await?;
    /// assert_eq!(post.author.fetch().await?.username, "ann");
    /// # Ok(()) }) }
    /// ```
    pub async fn fetch(&self) -> Result<Arc<T>> {
        if let Loading::Loaded(instance) = &self.state
            && let Ok(instance) = Arc::clone(instance).downcast()
        {
            return Ok(instance);
        }
        let predicate = Predicate::equals(Expr::own(T::meta().pk()), self.key.to_value());
        let query = QuerySet::<T>::under(predicate);
        query.get(crate::columns::all([])).await.map(Arc::new)
    }
}

impl<T: Entity> ToOneSlot for ForeignKey<T> {
    fn key(&self) -> Value {
        self.key.to_value()
    }
    fn put(&mut self, loaded: Option<Shared>) {
        self.state = loaded.map_or(Loading::Missing, Loading::Loaded);
    }
}

impl<T: Entity, K> RelValue<T, K> for &ForeignKey<T> {
    fn key_value(&self) -> Result<Value> {
        match self.key.to_value() {
            Value::Null => Err(Error::Unsaved(T::meta().name)),
            key => Ok(key),
        }
    }
}

impl<T: Entity> From<&T> for ForeignKey<T> {
    fn from(target: &T) -> Self {
        ForeignKey::from(target.clone())
    }
}

impl<T: Entity> From<T> for ForeignKey<T> {
    fn from(target: T) -> Self {
        let mut key = ForeignKey::from_key(target.pk().clone());
        key.state = Loading::Loaded(Arc::new(target));
        key
    }
}

impl<T: Entity> Clone for ForeignKey<T> {
    fn clone(&self) -> Self {
        ForeignKey {
            key: self.key.clone(),
            state: self.state.clone(),
            owner: self.owner,
            target: PhantomData,
        }
    }
}

impl<T: Entity> Default for ForeignKey<T>
where
    T::Pk: Default,
{
    fn default() -> Self {
        ForeignKey::from_key(T::Pk::default())
    }
}

impl<T: Entity> PartialEq for ForeignKey<T> {
    /// Equal keys; what is loaded does not matter.
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl<T: Entity> fmt::Debug for ForeignKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            Loading::Loaded(_) => ", loaded",
            Loading::Missing => ", missing",
            Loading::Not => "",
        };
        match self.key.to_value() {
            Value::I64(key) => write!(f, "{}({key}{state})", T::meta().name),
            _ => write!(f, "{}(..{state})", T::meta().name),
        }
    }
}
