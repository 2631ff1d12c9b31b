//! Which Rust values fit which column: in comparisons, in equality with NULL, in assignments.

use super::{Col, Expr};
use crate::entity::Scope;
use crate::query;
use crate::value::{Field, Value};
use chrono::{DateTime, Utc};
use std::ops::RangeInclusive;

/// A value, column or expression of type `T` that a query on `M` can compare with.
#[diagnostic::on_unimplemented(
    message = "a `{T}` column cannot be compared with a value of type `{Self}`",
    label = "expected a `{T}` value, column or expression"
)]
pub trait IntoExpr<M, T> {
    /// The expression of the query tree.
    fn into_expr(self) -> query::Expr;
}

/// Like [`IntoExpr`], for equality: NULL (`None`) is allowed too.
#[diagnostic::on_unimplemented(
    message = "a `{T}` column cannot be compared with a value of type `{Self}`",
    label = "expected a `{T}` value, column or expression"
)]
pub trait Comparable<M, T> {
    /// The expression of the query tree; a bound NULL for `None`.
    fn into_compared(self) -> query::Expr;
}

/// A value, column or expression that a field of type `T` can be set to.
#[diagnostic::on_unimplemented(
    message = "a `{T}` field cannot take a value of type `{Self}`",
    label = "expected a `{T}` value"
)]
pub trait IntoSet<M, T> {
    /// The expression of the query tree; a bound NULL for `None`.
    fn into_set(self) -> query::Expr;
}

/// What `kw!(column = value)` takes for a column of type `T`: what the field can be set to, and
/// columns of the same base type, which are only compared with.
#[diagnostic::on_unimplemented(
    message = "a `{T}` field cannot take a value of type `{Self}`",
    label = "expected a `{T}` value"
)]
pub trait IntoKv<M, T> {
    /// What `create` and `update` are told of a column of presence `K`: `K` itself, or
    /// [`ComparedOnly`].
    type Presence<K>;

    /// The expression of the query tree; a bound NULL for `None`.
    fn into_kv(self) -> query::Expr;
}

/// In place of a column's presence: its keyword is a condition and never an assignment.
#[derive(Debug)]
pub struct ComparedOnly;

/// What a bare `None` in `kw!` becomes, since the type of a plain `None` could not be inferred.
#[derive(Clone, Copy, Debug)]
pub struct Null;

#[diagnostic::do_not_recommend]
impl<M, T> Comparable<M, T> for Null {
    fn into_compared(self) -> query::Expr {
        query::Expr::Value(Value::Null)
    }
}

/// Both ends of `range`, each included: `(1, 10)`, `[1, 10]` or `1..=10`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a range of `{T}`",
    label = "expected both ends: `(low, high)`, `[low, high]` or `low..=high`"
)]
pub trait IntoRange<M, T> {
    /// The ends, lower first.
    fn into_range(self) -> (query::Expr, query::Expr);
}
#[diagnostic::do_not_recommend]
impl<M, T, A: IntoExpr<M, T>, B: IntoExpr<M, T>> IntoRange<M, T> for (A, B) {
    fn into_range(self) -> (query::Expr, query::Expr) {
        (self.0.into_expr(), self.1.into_expr())
    }
}
#[diagnostic::do_not_recommend]
impl<M, T, A: IntoExpr<M, T>> IntoRange<M, T> for [A; 2] {
    fn into_range(self) -> (query::Expr, query::Expr) {
        let [low, high] = self;
        (low.into_expr(), high.into_expr())
    }
}
#[diagnostic::do_not_recommend]
impl<M, T, A: IntoExpr<M, T>> IntoRange<M, T> for RangeInclusive<A> {
    fn into_range(self) -> (query::Expr, query::Expr) {
        let (low, high) = self.into_inner();
        (low.into_expr(), high.into_expr())
    }
}

/// What `.set(..)` takes, `kw!(column = value)` takes too.
macro_rules! settable {
    ([$($generics:tt)*] $m:ty, $to:ty, $from:ty => |$v:ident| $expr:expr) => {
        #[diagnostic::do_not_recommend]
        impl<$($generics)*> IntoSet<$m, $to> for $from {
            fn into_set(self) -> query::Expr {
                let $v = self;
                $expr
            }
        }
        #[diagnostic::do_not_recommend]
        impl<$($generics)*> IntoKv<$m, $to> for $from {
            type Presence<P> = P;
            fn into_kv(self) -> query::Expr {
                IntoSet::<$m, $to>::into_set(self)
            }
        }
    };
}

/// A column or expression that a column of type `$to` is compared with and never set to.
macro_rules! compared_only {
    ([$($generics:tt)*] $to:ty: $from:ty) => {
        #[diagnostic::do_not_recommend]
        impl<S: Scope, $($generics)* K> IntoKv<S::Root, $to> for Col<S, $from, K> {
            type Presence<P> = ComparedOnly;
            fn into_kv(self) -> query::Expr {
                self.tree()
            }
        }
        #[diagnostic::do_not_recommend]
        impl<M, $($generics)*> IntoKv<M, $to> for Expr<M, $from> {
            type Presence<P> = ComparedOnly;
            fn into_kv(self) -> query::Expr {
                self.into_tree()
            }
        }
    };
}
pub(super) use {compared_only, settable};

// Leaf implementations are written out for each pair: a blanket one would let the compiler follow
// it and report a missing bound two steps away from the user's value. They are hidden from the
// list of "other types", which would be longer than the message.
macro_rules! values {
    ($($base:ty: $($from:ty => |$v:ident| $to:expr),+;)*) => { $(
        settable!([M] M, Option<$base>, Null => |_null| query::Expr::Value(Value::Null));
    $(
        #[diagnostic::do_not_recommend]
        impl<M> IntoExpr<M, $base> for $from {
            fn into_expr(self) -> query::Expr {
                let $v = self;
                query::Expr::Value($to)
            }
        }
        #[diagnostic::do_not_recommend]
        impl<M> Comparable<M, $base> for $from {
            fn into_compared(self) -> query::Expr {
                IntoExpr::<M, $base>::into_expr(self)
            }
        }
        #[diagnostic::do_not_recommend]
        impl<M> Comparable<M, $base> for Option<$from> {
            fn into_compared(self) -> query::Expr {
                or_null(self.map(IntoExpr::<M, $base>::into_expr))
            }
        }
        settable!([M] M, $base, $from => |v| IntoExpr::<M, $base>::into_expr(v));
        settable!([M] M, Option<$base>, $from => |v| IntoExpr::<M, $base>::into_expr(v));
        settable!([M] M, Option<$base>, Option<$from> =>
            |v| or_null(v.map(IntoExpr::<M, $base>::into_expr)));
    )+ )* };
}
values! {
    bool: bool => |v| v.into(), &bool => |v| (*v).into();
    i16: i16 => |v| v.into(), &i16 => |v| (*v).into();
    i32: i32 => |v| v.into(), &i32 => |v| (*v).into();
    i64: i64 => |v| v.into(), &i64 => |v| (*v).into();
    f64: f64 => |v| v.into(), &f64 => |v| (*v).into();
    String: String => |v| v.into(), &String => |v| v.into(), &str => |v| v.into(),
        &&str => |v| (*v).into();
    Vec<u8>: Vec<u8> => |v| v.into(), &Vec<u8> => |v| v.clone().into(),
        &[u8] => |v| v.to_vec().into();
    DateTime<Utc>: DateTime<Utc> => |v| v.into(), &DateTime<Utc> => |v| (*v).into();
}

/// The value of `#[field(default = ..)]`. Used by the expansion of `#[derive(Model)]`, so that a
/// `&str` fits a `String` and a plain value an `Option`.
#[doc(hidden)]
pub fn default_value<T>(value: impl IntoSet<(), T>) -> Value {
    match value.into_set() {
        query::Expr::Value(value) => value,
        _ => Value::Null,
    }
}

pub(super) fn or_null(expr: Option<query::Expr>) -> query::Expr {
    expr.unwrap_or(query::Expr::Value(Value::Null))
}

#[diagnostic::do_not_recommend]
impl<S: Scope, T: Field, K> IntoExpr<S::Root, T::Base> for Col<S, T, K> {
    fn into_expr(self) -> query::Expr {
        self.tree()
    }
}
#[diagnostic::do_not_recommend]
impl<M, T: Field> IntoExpr<M, T::Base> for Expr<M, T> {
    fn into_expr(self) -> query::Expr {
        self.into_tree()
    }
}
#[diagnostic::do_not_recommend]
impl<S: Scope, T: Field, K> Comparable<S::Root, T::Base> for Col<S, T, K> {
    fn into_compared(self) -> query::Expr {
        self.tree()
    }
}
#[diagnostic::do_not_recommend]
impl<M, T: Field> Comparable<M, T::Base> for Expr<M, T> {
    fn into_compared(self) -> query::Expr {
        self.into_tree()
    }
}
settable!([S: Scope, T: Field, K] S::Root, T, Col<S, T, K> => |column| column.tree());
settable!([S: Scope, T: Field, K] S::Root, Option<T>, Col<S, T, K> => |column| column.tree());
settable!([M, T: Field] M, T, Expr<M, T> => |expr| expr.into_tree());
settable!([M, T: Field] M, Option<T>, Expr<M, T> => |expr| expr.into_tree());
// A nullable column may be compared with a required one, but not stored in it.
compared_only!([T: Field,] T: Option<T>);
