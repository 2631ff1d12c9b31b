//! Comparisons of relations with instances and foreign keys.

use super::lookup::{equal, one_of};
use super::{Kv, Null, Optional, Q, Rel};
use crate::entity::{Entity, Scope, saved_key};
use crate::error::Result;
use crate::query::{self, Predicate};
use crate::value::Value;

/// What a relation to `T` can be compared with, or a foreign key set to: `&user`, a foreign key,
/// and `None` where the relation may be absent (`K` is [`Optional`]).
#[diagnostic::on_unimplemented(
    message = "this relation holds a `{T}`, not `{Self}`",
    label = "expected `&{T}` or a foreign key; a plain key goes to the `.._id` field"
)]
pub trait RelValue<T: Entity, K = Optional> {
    /// The key of the related row; NULL for none.
    ///
    /// # Errors
    /// [`Unsaved`](crate::error::Error::Unsaved) when the instance has no key yet.
    fn key_value(&self) -> Result<Value>;
}

#[diagnostic::do_not_recommend]
impl<T: Entity, K> RelValue<T, K> for &T {
    fn key_value(&self) -> Result<Value> {
        saved_key(*self)
    }
}
#[diagnostic::do_not_recommend]
impl<T: Entity, K> RelValue<T, K> for T {
    fn key_value(&self) -> Result<Value> {
        saved_key(self)
    }
}
#[diagnostic::do_not_recommend]
impl<T: Entity> RelValue<T, Optional> for Option<&T> {
    fn key_value(&self) -> Result<Value> {
        self.map_or(Ok(Value::Null), saved_key)
    }
}
#[diagnostic::do_not_recommend]
impl<T: Entity> RelValue<T, Optional> for Null {
    fn key_value(&self) -> Result<Value> {
        Ok(Value::Null)
    }
}

/// The key as an expression; a missing one fails the query before it is sent.
fn key_expr<T: Entity, K>(value: &impl RelValue<T, K>) -> query::Expr {
    match value.key_value() {
        Ok(key) => query::Expr::Value(key),
        Err(error) => query::Expr::Error(Box::new(error)),
    }
}

impl<O, S: Scope, T: Entity, K> Rel<O, S, T, K> {
    fn key(self) -> query::Expr {
        query::Expr::Column(self.key_column())
    }

    /// Related to this instance; to none for `None`.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let ann = User::get(kw!(username = "ann")).await?;
    /// assert_eq!(Post::filter(Post::author.eq(&ann)).count().await?, 3);
    /// assert_eq!(Post::filter(Post::author.ne(&ann)).count().await?, 0);
    /// # Ok(()) }) }
    /// ```
    pub fn eq<V: RelValue<T>>(self, value: V) -> Q<S::Root> {
        match key_expr(&value) {
            query::Expr::Value(Value::Null) => self.isnull(true),
            key => equal(self.key(), key),
        }
    }

    /// Related to this instance: the long name of [`eq`](Self::eq).
    pub fn exact<V: RelValue<T>>(self, value: V) -> Q<S::Root> {
        self.eq(value)
    }

    /// Not related to this instance: the exact complement of [`eq`](Self::eq).
    pub fn ne<V: RelValue<T>>(self, value: V) -> Q<S::Root> {
        !self.eq(value)
    }

    /// Related to one of these instances.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let users = User::all().await?;
    /// assert_eq!(Post::filter(Post::author.in_(&users)).count().await?, 3);
    /// assert_eq!(Post::filter(Post::author.not_in(&users)).count().await?, 0);
    /// # Ok(()) }) }
    /// ```
    pub fn in_<V: RelValue<T>>(self, values: impl IntoIterator<Item = V>) -> Q<S::Root> {
        one_of(self.key(), values.into_iter().map(|v| key_expr(&v)))
    }

    /// Related to none of these instances: the exact complement of [`in_`](Self::in_).
    pub fn not_in<V: RelValue<T>>(self, values: impl IntoIterator<Item = V>) -> Q<S::Root> {
        !self.in_(values)
    }

    /// Whether there is no related row.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// assert_eq!(User::filter(User::posts.isnull(true)).await?[0].username, "bob");
    /// assert_eq!(Post::filter(Post::tags.not_isnull(true)).count().await?, 2);
    /// # Ok(()) }) }
    /// ```
    pub fn isnull(self, yes: bool) -> Q<S::Root> {
        // Over a to-many relation a condition means "some related row", so absence is the
        // complement of "some row with a key".
        let some = Predicate::is_null(self.key(), false);
        if !self.relation().is_to_many() {
            return Q::from_predicate(Predicate::is_null(self.key(), yes));
        }
        Q::from_predicate(if yes { some.negate() } else { some })
    }

    /// Whether there is a related row.
    pub fn not_isnull(self, yes: bool) -> Q<S::Root> {
        self.isnull(!yes)
    }

    /// `kw!(relation = value)`.
    #[doc(hidden)]
    pub fn __kv<V: RelValue<T, K>>(self, value: V) -> Kv<O, K>
    where
        O: Scope<Root = S::Root>,
    {
        Kv::new(self.key_column(), key_expr(&value))
    }
}
