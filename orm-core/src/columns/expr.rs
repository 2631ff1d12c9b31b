//! Typed expressions: arithmetic and date parts, usable wherever a value is.

use super::lookup;
use super::{Col, Comparable, IntoExpr, IntoRange, Order, Q};
use crate::entity::Scope;
use crate::query::{self, ArithmeticOp, Lookup};
use crate::value::{Field, Numeric};
use std::{
    fmt,
    marker::PhantomData,
    ops::{Add, Div, Mul, Neg, Sub},
};

/// An expression of type `T` over rows of `M`, such as `Post::views + 1` or
/// `Post::created_at.year()`.
///
/// # Examples
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
/// # fn main() -> Result<()> { run(async {
/// let half = Post::views / 2;
/// assert_eq!(Post::filter(half.clone().gte(10)).count().await?, 2);
/// assert_eq!(Post::filter(half.clone().in_([10, 0])).count().await?, 2);
/// assert_eq!(Post::filter(half.clone().eq(0) | half.clone().gt(100)).count().await?, 2);
/// assert_eq!(Post::filter(half.clone().range(0..=10) & half.clone().ne(0)).count().await?, 1);
/// assert_eq!(Post::filter(half.clone().lt(10) | half.clone().isnull(true)).count().await?, 1);
/// let order = Post::all().order_by(half.clone().desc()).values_list((Post::id, half));
/// assert_eq!(order.await?[0].1, 150);
/// # Ok(()) }) }
/// ```
pub struct Expr<M, T> {
    tree: query::Expr,
    marker: PhantomData<fn() -> (M, T)>,
}

impl<M, T> Clone for Expr<M, T> {
    fn clone(&self) -> Self {
        Expr::from_tree(self.tree.clone())
    }
}

impl<M, T> fmt::Debug for Expr<M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tree.fmt(f)
    }
}

impl<M, T> Expr<M, T> {
    /// An expression of the query tree, which must be of type `T` over rows of `M`.
    pub fn from_tree(tree: query::Expr) -> Self {
        Expr {
            tree,
            marker: PhantomData,
        }
    }

    /// The expression of the query tree.
    pub fn into_tree(self) -> query::Expr {
        self.tree
    }

    /// Smallest first.
    pub fn asc(self) -> Order<M> {
        Order::new(self.tree, false)
    }

    /// Largest first; so is the unary minus.
    pub fn desc(self) -> Order<M> {
        Order::new(self.tree, true)
    }

    /// Whether the expression is NULL.
    pub fn isnull(self, yes: bool) -> Q<M> {
        lookup::is_null(self.tree, yes)
    }
}

impl<M, T: Field> Expr<M, T> {
    /// Equal; `None` asks for NULL.
    pub fn eq<V: Comparable<M, T::Base>>(self, value: V) -> Q<M> {
        lookup::equal(self.tree, value.into_compared())
    }

    /// Equal: the long name of [`eq`](Self::eq).
    pub fn exact<V: Comparable<M, T::Base>>(self, value: V) -> Q<M> {
        self.eq(value)
    }

    /// Not equal, NULL rows included.
    pub fn ne<V: Comparable<M, T::Base>>(self, value: V) -> Q<M> {
        !self.eq(value)
    }

    /// Greater.
    pub fn gt<V: IntoExpr<M, T::Base>>(self, value: V) -> Q<M> {
        lookup::compare(self.tree, Lookup::Gt, value.into_expr())
    }

    /// Greater or equal.
    pub fn gte<V: IntoExpr<M, T::Base>>(self, value: V) -> Q<M> {
        lookup::compare(self.tree, Lookup::Gte, value.into_expr())
    }

    /// Less.
    pub fn lt<V: IntoExpr<M, T::Base>>(self, value: V) -> Q<M> {
        lookup::compare(self.tree, Lookup::Lt, value.into_expr())
    }

    /// Less or equal.
    pub fn lte<V: IntoExpr<M, T::Base>>(self, value: V) -> Q<M> {
        lookup::compare(self.tree, Lookup::Lte, value.into_expr())
    }

    /// One of these values.
    pub fn in_<V: Comparable<M, T::Base>>(self, values: impl IntoIterator<Item = V>) -> Q<M> {
        let values = values.into_iter().map(Comparable::into_compared);
        lookup::one_of(self.tree, values)
    }

    /// None of these values, NULL rows included.
    pub fn not_in<V: Comparable<M, T::Base>>(self, values: impl IntoIterator<Item = V>) -> Q<M> {
        !self.in_(values)
    }

    /// Between two values, both included.
    pub fn range<V: IntoRange<M, T::Base>>(self, ends: V) -> Q<M> {
        lookup::between(self.tree, ends.into_range())
    }

    /// `kw!(created_at__year = 2024)`.
    #[doc(hidden)]
    pub fn __kv<V: Comparable<M, T::Base>>(self, value: V) -> Q<M> {
        self.eq(value)
    }
}

impl<M, T> Neg for Expr<M, T> {
    type Output = Order<M>;
    fn neg(self) -> Order<M> {
        self.desc()
    }
}

fn arithmetic<M, T>(op: ArithmeticOp, left: query::Expr, right: query::Expr) -> Expr<M, T> {
    Expr::from_tree(query::Expr::Arithmetic(op, Box::new(left), Box::new(right)))
}

macro_rules! operators {
    ($($trait:ident $method:ident $op:ident;)*) => { $(
        impl<S: Scope, T: Field + Numeric, K, V> $trait<V> for Col<S, T, K>
        where
            V: IntoExpr<S::Root, T::Base>,
        {
            type Output = Expr<S::Root, S::Wrap<T>>;
            fn $method(self, right: V) -> Self::Output {
                arithmetic(ArithmeticOp::$op, self.tree(), right.into_expr())
            }
        }
        impl<M, T: Field + Numeric, V: IntoExpr<M, T::Base>> $trait<V> for Expr<M, T> {
            type Output = Expr<M, T>;
            fn $method(self, right: V) -> Self::Output {
                arithmetic(ArithmeticOp::$op, self.tree, right.into_expr())
            }
        }
        operators!(@values $trait $method $op: i16 i32 i64 f64);
    )* };
    (@values $trait:ident $method:ident $op:ident: $($value:ty)*) => { $(
        impl<S: Scope, T: Field<Base = $value> + Numeric, K> $trait<Col<S, T, K>> for $value {
            type Output = Expr<S::Root, S::Wrap<T>>;
            fn $method(self, right: Col<S, T, K>) -> Self::Output {
                arithmetic(ArithmeticOp::$op, query::Expr::Value(self.into()), right.tree())
            }
        }
        impl<M, T: Field<Base = $value> + Numeric> $trait<Expr<M, T>> for $value {
            type Output = Expr<M, T>;
            fn $method(self, right: Expr<M, T>) -> Self::Output {
                arithmetic(ArithmeticOp::$op, query::Expr::Value(self.into()), right.tree)
            }
        }
    )* };
}
operators! {
    Add add Add;
    Sub sub Subtract;
    Mul mul Multiply;
    Div div Divide;
}
