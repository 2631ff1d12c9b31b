//! What `kw!` expands to: a list of keywords whose meaning follows from the expected type, and the
//! check that `create` is given every required field.
//!
//! `kw!(title = t)` becomes `keywords((t,), |f, (v,)| Kws(f.title.__kv(v), Nil))`. The expected
//! type `Clause<Post, Insert>` reaches `Cols<Post>` through the `fn` pointer, so the macro needs
//! no model's name.

use super::lookup::equals;
use super::{Clause, Context, Insert, Optional, Q, Required, Update, Where};
use crate::entity::{Entity, Scope};
use crate::query::{self, Assignment, ColumnRef, Predicate};
use std::{fmt, marker::PhantomData, ops::Deref};

/// The columns and relations of `M`, inside `kw!`.
pub struct Cols<M>(PhantomData<fn() -> M>);

impl<M> fmt::Debug for Cols<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cols")
    }
}

impl<M: Entity> Deref for Cols<M> {
    type Target = M::Fields<M>;
    fn deref(&self) -> &M::Fields<M> {
        M::fields()
    }
}

/// One `name = value` of a `kw!`: a test for equality in `filter`, an assignment in `create` and
/// `update`.
pub struct Kv<S, K> {
    column: ColumnRef,
    expr: query::Expr,
    marker: PhantomData<fn() -> (S, K)>,
}

impl<S, K> fmt::Debug for Kv<S, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} = {:?}", self.column, self.expr)
    }
}

impl<S, K> Kv<S, K> {
    pub(super) fn new(column: ColumnRef, expr: query::Expr) -> Self {
        Kv {
            column,
            expr,
            marker: PhantomData,
        }
    }

    fn into_predicate(self) -> Predicate {
        equals(query::Expr::Column(self.column), self.expr)
    }

    fn into_assignment(self) -> Assignment {
        Assignment {
            field: self.column.field,
            expr: self.expr,
        }
    }
}

/// The end of a list of keywords.
#[derive(Debug)]
pub struct Nil;

/// A keyword and the rest of the list.
#[derive(Debug)]
pub struct Kws<H, T>(pub H, pub T);

/// Keywords that have a meaning in context `C`.
#[diagnostic::on_unimplemented(
    message = "this keyword cannot be used here: `{C}` does not accept `{Self}`",
    label = "lookups such as `age__gt` belong in filter, get and exclude; create and update take \
             `field = value` of the model's own fields"
)]
pub trait IntoClause<M, C: Context> {
    /// Adds the keywords.
    fn put(self, out: &mut C::Repr);
}

fn narrow(out: &mut Predicate, condition: Predicate) {
    *out = std::mem::take(out).and(condition);
}

#[diagnostic::do_not_recommend]
impl<M> IntoClause<M, Where> for Nil {
    fn put(self, _: &mut Predicate) {}
}
#[diagnostic::do_not_recommend]
impl<M, H, T> IntoClause<M, Where> for Kws<H, T>
where
    H: IntoClause<M, Where>,
    T: IntoClause<M, Where>,
{
    fn put(self, out: &mut Predicate) {
        self.0.put(out);
        self.1.put(out);
    }
}
#[diagnostic::do_not_recommend]
impl<M, S: Scope<Root = M>, K> IntoClause<M, Where> for Kv<S, K> {
    fn put(self, out: &mut Predicate) {
        narrow(out, self.into_predicate());
    }
}
#[diagnostic::do_not_recommend]
impl<M> IntoClause<M, Where> for Q<M> {
    fn put(self, out: &mut Predicate) {
        narrow(out, self.into_predicate());
    }
}

#[diagnostic::do_not_recommend]
impl<M> IntoClause<M, Update> for Nil {
    fn put(self, _: &mut Vec<Assignment>) {}
}
#[diagnostic::do_not_recommend]
impl<M, H, T> IntoClause<M, Update> for Kws<H, T>
where
    H: IntoClause<M, Update>,
    T: IntoClause<M, Update>,
{
    fn put(self, out: &mut Vec<Assignment>) {
        self.0.put(out);
        self.1.put(out);
    }
}
// Not for `Many`: a relation to many rows has no column.
#[diagnostic::do_not_recommend]
impl<M: Entity> IntoClause<M, Update> for Kv<M, Optional> {
    fn put(self, out: &mut Vec<Assignment>) {
        out.push(self.into_assignment());
    }
}
#[diagnostic::do_not_recommend]
impl<M: Entity, N> IntoClause<M, Update> for Kv<M, Required<N>> {
    fn put(self, out: &mut Vec<Assignment>) {
        out.push(self.into_assignment());
    }
}

impl<M: Entity<Required: ProvidedBy<M, Self>>> IntoClause<M, Insert> for Nil {
    fn put(self, out: &mut Vec<Assignment>) {
        M::Required::push(self, out);
    }
}
impl<M: Entity<Required: ProvidedBy<M, Self>>, H, T> IntoClause<M, Insert> for Kws<H, T> {
    fn put(self, out: &mut Vec<Assignment>) {
        M::Required::push(self, out);
    }
}

/// The same as [`IntoClause`]. The compiler lists the impls of a bound that fails, but not one for
/// every type: this keeps the message short.
pub trait Keywords<M, C: Context>: IntoClause<M, C> {}
impl<M, C: Context, A: IntoClause<M, C>> Keywords<M, C> for A {}

/// The required field `N` and the rest of the list, sorted by name.
#[derive(Debug)]
pub struct Req<N, R>(PhantomData<fn() -> (N, R)>);

/// The end of the list of required fields.
#[derive(Debug)]
pub struct End;

/// Stands for the field that is given when no keyword is left.
#[derive(Debug)]
pub struct Nothing;

/// A list of required fields that these keywords provide. Both lists are sorted by name, so that
/// they can be walked in step.
#[diagnostic::on_unimplemented(
    message = "this keyword cannot be used in `{M}::create`",
    label = "`create` takes `field = value` of the model's own fields"
)]
pub trait ProvidedBy<M, Given> {
    /// Adds the assignments.
    fn push(given: Given, out: &mut Vec<Assignment>);
}

/// A required field, as the subject of [`IsGiven`]. Its own type and not the field's marker, which
/// belongs to the user's crate: the compiler would show where it is declared.
#[derive(Debug)]
pub struct Wanted<N>(PhantomData<fn() -> N>);

/// The wanted field `N` is the given one.
#[diagnostic::on_unimplemented(
    message = "required field `{N}` is not given",
    label = "`{N}` has no default and is missing here"
)]
pub trait IsGiven<N, Given, M, R, T> {
    /// Adds the assignments of the keywords behind it.
    fn rest(keywords: T, out: &mut Vec<Assignment>);
}

// The walk goes on only behind a match, so that one missing field gives one error.
impl<W, N, M, R: ProvidedBy<M, T>, T> IsGiven<N, N, M, R, T> for W {
    fn rest(keywords: T, out: &mut Vec<Assignment>) {
        R::push(keywords, out);
    }
}
impl<M> ProvidedBy<M, Nil> for End {
    fn push(_: Nil, _: &mut Vec<Assignment>) {}
}
impl<M, N, R> ProvidedBy<M, Nil> for Req<N, R>
where
    Wanted<N>: IsGiven<N, Nothing, M, End, Nil>,
{
    fn push(_: Nil, _: &mut Vec<Assignment>) {}
}
impl<M: Entity, R: ProvidedBy<M, T>, T> ProvidedBy<M, Kws<Kv<M, Optional>, T>> for R {
    fn push(given: Kws<Kv<M, Optional>, T>, out: &mut Vec<Assignment>) {
        out.push(given.0.into_assignment());
        R::push(given.1, out);
    }
}
impl<M: Entity, N, G, R, T> ProvidedBy<M, Kws<Kv<M, Required<G>>, T>> for Req<N, R>
where
    Wanted<N>: IsGiven<N, G, M, R, T>,
{
    fn push(given: Kws<Kv<M, Required<G>>, T>, out: &mut Vec<Assignment>) {
        out.push(given.0.into_assignment());
        <Wanted<N> as IsGiven<N, G, M, R, T>>::rest(given.1, out);
    }
}

/// What `kw!` calls: the values, and a function that puts them behind their columns.
#[doc(hidden)]
pub fn keywords<M: Entity, C: Context, V, A: Keywords<M, C>>(
    values: V,
    build: fn(Cols<M>, V) -> A,
) -> Clause<M, C> {
    let mut repr = C::with_room(M::meta().fields.len());
    build(Cols(PhantomData), values).put(&mut repr);
    Clause::from_repr(repr)
}

/// What a `kw!` with mistakes becomes: it has the expected type, so that the mistakes are the only
/// errors, and shows an editor the paths that could be read.
#[doc(hidden)]
pub fn unfinished<M: Entity, C: Context>(_: fn(Cols<M>)) -> Clause<M, C> {
    Clause::default()
}

/// What `q!(Post, ..)` and `kw!(Post: ..)` call, to name the model of a condition.
#[doc(hidden)]
pub fn typed<M: Entity>(condition: Q<M>) -> Q<M> {
    condition
}
