//! What every model can do: query, create, save, delete.

mod bulk;
mod create;
mod dict;
mod save;

pub use bulk::BulkCreate;
pub use create::Create;
pub use dict::IntoDict;
pub use save::DeleteInstance;
pub use save::Save;

use crate::columns::{New, Q};
use crate::error::Result;
use crate::query::Argument;
use crate::queryset::{Get, GetOrNone, QuerySet, Related};

/// A model: `#[derive(Model)]` on a struct makes one. All methods are provided.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model",
    label = "add `#[derive(Model)]` to this struct"
)]
pub trait Model: Related {
    /// A query set of all instances. Sends nothing until awaited.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// assert_eq!(Post::all().await?.len(), 3);
    /// # Ok(()) }) }
    /// ```
    fn all() -> QuerySet<Self> {
        QuerySet::new()
    }

    /// A query set of the instances that match: `User::filter(kw!(age__gte = 18))`.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// assert_eq!(Post::filter(kw!(views__gte = 20)).await?.len(), 2);
    /// assert_eq!(Post::filter(Post::views.lt(20)).await?[0].title, "Hello");
    /// # Ok(()) }) }
    /// ```
    fn filter(condition: Q<Self>) -> QuerySet<Self> {
        QuerySet::new().filter(condition)
    }

    /// `filter` with names at run time; see [`QuerySet::filter_by`].
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let found = User::filter_by([("username__startswith", "b")]).await?;
    /// assert_eq!(found[0].username, "bob");
    /// # Ok(()) }) }
    /// ```
    fn filter_by<K: AsRef<str>, V: Into<Argument>>(
        keywords: impl IntoIterator<Item = (K, V)>,
    ) -> QuerySet<Self> {
        QuerySet::new().filter_by(keywords)
    }

    /// A query set by a closure over the model's columns: `filter_with(|p| p.views.gt(3))`.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let found = Post::filter_with(|p| p.views.gt(3) & p.author.username.eq("ann")).await?;
    /// assert_eq!(found.len(), 2);
    /// # Ok(()) }) }
    /// ```
    fn filter_with<F: FnOnce(&'static Self::Fields<Self>) -> Q<Self>>(
        condition: F,
    ) -> QuerySet<Self> {
        QuerySet::new().filter(condition(Self::fields()))
    }

    /// A query set of the instances that do not match.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// assert_eq!(User::exclude(kw!(username = "ann")).await?[0].username, "bob");
    /// # Ok(()) }) }
    /// ```
    fn exclude(condition: Q<Self>) -> QuerySet<Self> {
        QuerySet::new().exclude(condition)
    }

    /// The only instance that matches.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// assert_eq!(User::get(kw!(username = "bob")).await?.bio, None);
    /// assert!(User::get(kw!(username = "nobody")).await.unwrap_err().is_does_not_exist());
    /// # Ok(()) }) }
    /// ```
    fn get(condition: Q<Self>) -> Get<Self> {
        QuerySet::new().get(condition)
    }

    /// The only instance that matches, or `None`.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// assert!(User::get_or_none(kw!(username = "bob")).await?.is_some());
    /// assert!(User::get_or_none(kw!(username = "nobody")).await?.is_none());
    /// # Ok(()) }) }
    /// ```
    fn get_or_none(condition: Q<Self>) -> GetOrNone<Self> {
        QuerySet::new().get_or_none(condition)
    }

    /// Inserts an instance with these values and the fields' defaults, and returns it.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let ann = User::get(kw!(username = "ann")).await?;
    /// let post = Post::create(kw!(title = "New", author = &ann)).await?;
    /// assert!(post.id > 0 && post.views == 0);
    /// # Ok(()) }) }
    /// ```
    fn create(values: New<Self>) -> Create<Self> {
        Create::new(values.into_assignments())
    }

    /// An instance with these values and the fields' defaults that is not saved yet.
    ///
    /// # Errors
    /// [`Validation`](crate::error::Error::Validation) with every value that does not fit.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let mut user = User::new(kw!(username = "carl"))?;
    /// assert_eq!(user.id, 0);
    /// user.save().await?;
    /// assert!(user.id > 0);
    /// assert!(User::new(kw!(username = "x".repeat(51))).is_err());
    /// # Ok(()) }) }
    /// ```
    fn new(values: New<Self>) -> Result<Self> {
        create::unsaved(values.into_assignments())
    }

    /// Inserts instances in as few statements as the database takes, all or none, and returns them
    /// with their keys, in order. No instances: nothing is sent.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let names = ["x", "y"].map(|name| User { username: name.into(), ..User::default() });
    /// let users = User::bulk_create(names.into()).await?;
    /// assert!(users.iter().all(|user| user.id > 0));
    /// # Ok(()) }) }
    /// ```
    fn bulk_create(objects: Vec<Self>) -> BulkCreate<Self> {
        BulkCreate::new(objects)
    }

    /// Writes all columns: an insert when the key is unset, else an update by key. One statement.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let mut user = User::get(kw!(username = "bob")).await?;
    /// user.bio = Some("reads".into());
    /// user.save().await?;
    /// assert_eq!(User::get(kw!(id = user.id)).await?.bio.as_deref(), Some("reads"));
    /// # Ok(()) }) }
    /// ```
    fn save(&mut self) -> Save<'_, Self> {
        Save::new(self)
    }

    /// Deletes the instance's row.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let user = User::get(kw!(username = "bob")).await?;
    /// user.delete().await?;
    /// assert!(user.delete().await.unwrap_err().is_does_not_exist());
    /// # Ok(()) }) }
    /// ```
    fn delete(&self) -> DeleteInstance<Self> {
        DeleteInstance::new(self)
    }

    /// Sets fields from a map of names and values, all or none, without sending anything.
    /// Takes `json!({..})`, maps and arrays of pairs.
    ///
    /// # Errors
    /// [`Validation`](crate::error::Error::Validation) with every unknown name, every field that a
    /// caller must not set (primary key, times set by the ORM, to-many relations) and every value
    /// that does not fit. Nothing is changed then.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let mut user = User::get(kw!(username = "bob")).await?;
    /// user.update_from_dict([("bio", "reads")])?;
    /// assert!(user.update_from_dict([("boi", "reads")]).unwrap_err().to_string().contains("`bio`"));
    /// # Ok(()) }) }
    /// ```
    fn update_from_dict(&mut self, data: impl IntoDict) -> Result<()> {
        dict::update(self, data.into_dict()?)
    }
}
