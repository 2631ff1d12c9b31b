//! The macros of queries. They forward their crate's path, so that users may rename it.

/// Keywords, checked by the compiler: `kw!(title__icontains = "x", author = &user)`.
///
/// In `filter`, `exclude` and `get` the keywords are conditions, all of which must hold; in
/// `create` and `update` they are assignments. Where nothing says which model is meant (a `let`,
/// or around `|`), name it: `kw!(Post: title = "x")`.
///
/// * A name is a path with `__` or dots: `author__posts__tags__name`, `author.posts.tags.name`.
/// * It may end in a lookup: `exact` (the default), `iexact`, `contains`, `icontains`,
///   `startswith`, `istartswith`, `endswith`, `iendswith`, `regex`, `iregex`, `gt`, `gte`, `lt`,
///   `lte`, `in`, `not_in`, `range`, `isnull`, `not_isnull`, `ne` or `not`; and take a part of a
///   date-time before it: `created_at__year__gte = 2024`.
/// * `kw!(title)` is `kw!(title = title)`; `None` is NULL; `F(views)` is a column:
///   `kw!(views = F(views) + 1)`.
///
/// # Examples
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
/// # fn main() -> Result<()> { run(async {
/// let title = "New";
/// let ann = User::get(kw!(username = "ann")).await?;
/// let post = Post::create(kw!(title, author = &ann, views = 5)).await?;
/// let condition = kw!(Post: author__bio = "writes") & kw!(Post: views__in = [5, 6]);
/// assert_eq!(Post::get(condition).await?.id, post.id);
/// Post::filter(kw!(tags.name = "rust")).update(kw!(views = F(views) * 2)).await?;
/// # Ok(()) }) }
/// ```
#[macro_export]
macro_rules! kw {
    ($($keywords:tt)*) => { $crate::__private::__kw!(@ $crate; $($keywords)*) };
}

/// A condition on a named model: `q!(Post, title = "a") | !q!(Post, views__gt = 3)`.
///
/// The same as `kw!(Post: ..)`.
///
/// # Examples
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
/// # fn main() -> Result<()> { run(async {
/// let found = q!(Post, title = "Hello") | !q!(Post, views__lt = 300);
/// assert_eq!(Post::filter(found).count().await?, 2);
/// # Ok(()) }) }
/// ```
#[macro_export]
macro_rules! q {
    ($model:ty $(, $($keywords:tt)*)?) => {
        $crate::__private::__kw!(@ $crate; $model: $($($keywords)*)?)
    };
}

/// The metadata of some models, for the configuration: `models![User, Post]`.
///
/// # Examples
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
/// # fn main() -> Result<()> { run(async {
/// let metas = models![User, Post, Tag];
/// assert_eq!(metas[1].table, "post");
/// # Ok(()) }) }
/// ```
#[macro_export]
macro_rules! models {
    ($($model:ty),* $(,)?) => {
        [$(<$model as $crate::__private::entity::Entity>::meta()),*]
    };
}
