//! What `filter`, `create` and `update` take: conditions and assignments, tied to their model.

use crate::query::{Assignment, Predicate};
use std::{
    fmt,
    marker::PhantomData,
    ops::{BitAnd, BitOr, Not},
};

/// Context of `filter`, `exclude`, `get`: keywords are conditions.
#[derive(Debug)]
pub struct Where;

/// Context of `create`: keywords are assignments, and no required field may be missing.
#[derive(Debug)]
pub struct Insert;

/// Context of `update`: keywords are assignments.
#[derive(Debug)]
pub struct Update;

/// What keywords stand for in a place: [`Where`], [`Insert`] or [`Update`].
pub trait Context {
    /// What the keywords are collected into.
    type Repr: Default + Clone + fmt::Debug + Send + Sync + 'static;

    /// An empty one, for keywords of a model with so many fields.
    fn with_room(_fields: usize) -> Self::Repr {
        Self::Repr::default()
    }
}
impl Context for Where {
    type Repr = Predicate;
}
impl Context for Insert {
    type Repr = Vec<Assignment>;

    // Most of the fields are given; growing step by step would move them again and again.
    fn with_room(fields: usize) -> Self::Repr {
        Vec::with_capacity(fields)
    }
}
impl Context for Update {
    type Repr = Vec<Assignment>;
}

/// Keywords of a model `M` in a context `C`. `kw!(..)` makes one; so do the methods of columns.
#[must_use = "a clause does nothing until it is given to a query"]
pub struct Clause<M, C: Context> {
    repr: C::Repr,
    marker: PhantomData<fn() -> (M, C)>,
}

/// A condition on rows of `M`. Combine with `&`, `|` and `!`, or [`all`], [`any`] and [`not`].
///
/// # Examples
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
/// # fn main() -> Result<()> { run(async {
/// let mut wanted: fast_django::orm::Q<Post> = Post::title.icontains("rust");
/// let popular = true;
/// if popular {
///     wanted = wanted & (Post::views.gt(100) | !Post::tags.isnull(true));
/// }
/// assert_eq!(Post::filter(wanted).count().await?, 2);
/// # Ok(()) }) }
/// ```
pub type Q<M> = Clause<M, Where>;

/// The fields of a new `M`.
///
/// # Examples
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
/// # fn main() -> Result<()> { run(async {
/// use fast_django::orm::New;
///
/// async fn register(user: New<User>) -> Result<i32> {
///     Ok(User::create(user).await?.id)
/// }
/// assert!(register(kw!(username = "carl")).await? > 0);
/// # Ok(()) }) }
/// ```
pub type New<M> = Clause<M, Insert>;

/// New values for fields of `M`. Combine with `&`.
///
/// # Examples
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
/// # fn main() -> Result<()> { run(async {
/// let changes = Post::title.set("Same") & Post::views.set(Post::views * 2);
/// assert_eq!(Post::all().update(changes).await?, 3);
/// assert_eq!(Post::get(kw!(views = 600)).await?.title, "Same");
/// # Ok(()) }) }
/// ```
pub type Set<M> = Clause<M, Update>;

impl<M, C: Context> Clone for Clause<M, C> {
    fn clone(&self) -> Self {
        Clause::from_repr(self.repr.clone())
    }
}

impl<M, C: Context> fmt::Debug for Clause<M, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.repr.fmt(f)
    }
}

impl<M, C: Context> Default for Clause<M, C> {
    fn default() -> Self {
        Clause::from_repr(C::Repr::default())
    }
}

impl<M, C: Context> Clause<M, C> {
    pub(super) fn from_repr(repr: C::Repr) -> Self {
        Clause {
            repr,
            marker: PhantomData,
        }
    }
}

impl<M> Clause<M, Where> {
    /// The condition of the query tree.
    pub fn into_predicate(self) -> Predicate {
        self.repr
    }

    /// A condition from the query tree. Its columns must be those of `M`.
    pub fn from_predicate(predicate: Predicate) -> Self {
        Clause::from_repr(predicate)
    }
}

impl<M> Clause<M, Insert> {
    /// The assignments, in no particular order.
    pub fn into_assignments(self) -> Vec<Assignment> {
        self.repr
    }
}

impl<M> Clause<M, Update> {
    /// The assignments, in no particular order.
    pub fn into_assignments(self) -> Vec<Assignment> {
        self.repr
    }
}

impl<M> BitAnd for Clause<M, Where> {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Clause::from_repr(self.repr.and(other.repr))
    }
}

impl<M> BitOr for Clause<M, Where> {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Clause::from_repr(self.repr.or(other.repr))
    }
}

impl<M> Not for Clause<M, Where> {
    type Output = Self;
    fn not(self) -> Self {
        Clause::from_repr(self.repr.negate())
    }
}

impl<M> BitAnd for Clause<M, Update> {
    type Output = Self;
    fn bitand(mut self, other: Self) -> Self {
        self.repr.extend(other.repr);
        self
    }
}

/// Any of these conditions; none given is no condition.
///
/// Unlike `|`, it tells `kw!` which model it is about: `any([kw!(a = 1), kw!(b = 2)])`.
///
/// # Examples
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
/// # fn main() -> Result<()> { run(async {
/// let either = Post::filter(any([kw!(title = "Hello"), kw!(views__gt = 100)]));
/// assert_eq!(either.count().await?, 2);
/// # Ok(()) }) }
/// ```
pub fn any<M, const N: usize>(conditions: [Q<M>; N]) -> Q<M> {
    conditions
        .into_iter()
        .reduce(|left, right| left | right)
        .unwrap_or_default()
}

/// All of these conditions. Unlike `&`, it tells `kw!` which model it is about.
///
/// # Examples
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
/// # fn main() -> Result<()> { run(async {
/// let both = Post::filter(all([kw!(title__icontains = "rust"), not(kw!(views__gt = 100))]));
/// assert_eq!(both.count().await?, 1);
/// # Ok(()) }) }
/// ```
pub fn all<M, const N: usize>(conditions: [Q<M>; N]) -> Q<M> {
    conditions
        .into_iter()
        .reduce(|left, right| left & right)
        .unwrap_or_default()
}

/// The complement. Unlike `!`, it tells `kw!` which model it is about.
///
/// # Examples
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
/// # fn main() -> Result<()> { run(async {
/// assert_eq!(Post::filter(not(kw!(title = "Hello"))).count().await?, 2);
/// # Ok(()) }) }
/// ```
pub fn not<M>(condition: Q<M>) -> Q<M> {
    !condition
}
