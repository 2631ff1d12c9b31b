//! What `order_by` takes: names, columns, expressions, and lists of these.

use super::{Col, Expr};
use crate::entity::Scope;
use crate::query::{self, OrderBy};
use crate::value::Field;
use std::{fmt, marker::PhantomData};

/// One typed ordering key of rows of `M`: `Post::views.desc()` or `-Post::views`.
pub struct Order<M> {
    key: OrderBy,
    marker: PhantomData<fn() -> M>,
}

impl<M> Order<M> {
    pub(super) fn new(expr: query::Expr, descending: bool) -> Self {
        Order {
            key: OrderBy { expr, descending },
            marker: PhantomData,
        }
    }

    /// The key of the query tree.
    pub fn into_key(self) -> OrderBy {
        self.key
    }
}

impl<M> Clone for Order<M> {
    fn clone(&self) -> Self {
        Order {
            key: self.key.clone(),
            marker: PhantomData,
        }
    }
}

impl<M> fmt::Debug for Order<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.key.fmt(f)
    }
}

/// One ordering key, not yet looked up if it was given as a name.
#[derive(Clone, Debug)]
pub enum OrderKey {
    /// A name, with `-` before it for descending.
    Name(String),
    /// A typed key.
    Key(OrderBy),
}

/// Something `order_by` takes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an ordering of `{M}`",
    label = "use \"name\", \"-name\", `Model::field`, `-Model::field`, or a tuple or array of these"
)]
pub trait IntoOrder<M> {
    /// Adds the keys, most significant first.
    fn push_order(self, out: &mut Vec<OrderKey>);
}

#[diagnostic::do_not_recommend]
impl<M> IntoOrder<M> for &str {
    fn push_order(self, out: &mut Vec<OrderKey>) {
        out.push(OrderKey::Name(self.to_owned()));
    }
}
#[diagnostic::do_not_recommend]
impl<M> IntoOrder<M> for &&str {
    fn push_order(self, out: &mut Vec<OrderKey>) {
        out.push(OrderKey::Name((*self).to_owned()));
    }
}
#[diagnostic::do_not_recommend]
impl<M> IntoOrder<M> for String {
    fn push_order(self, out: &mut Vec<OrderKey>) {
        out.push(OrderKey::Name(self));
    }
}
#[diagnostic::do_not_recommend]
impl<M> IntoOrder<M> for &String {
    fn push_order(self, out: &mut Vec<OrderKey>) {
        out.push(OrderKey::Name(self.clone()));
    }
}
#[diagnostic::do_not_recommend]
impl<M> IntoOrder<M> for Order<M> {
    fn push_order(self, out: &mut Vec<OrderKey>) {
        out.push(OrderKey::Key(self.key));
    }
}
#[diagnostic::do_not_recommend]
impl<S: Scope, T: Field, K> IntoOrder<S::Root> for Col<S, T, K> {
    fn push_order(self, out: &mut Vec<OrderKey>) {
        out.push(OrderKey::Key(self.asc().key));
    }
}
#[diagnostic::do_not_recommend]
impl<M, T> IntoOrder<M> for Expr<M, T> {
    fn push_order(self, out: &mut Vec<OrderKey>) {
        out.push(OrderKey::Key(self.asc().key));
    }
}
#[diagnostic::do_not_recommend]
impl<M> IntoOrder<M> for () {
    fn push_order(self, _: &mut Vec<OrderKey>) {}
}
#[diagnostic::do_not_recommend]
impl<M, X: IntoOrder<M>, const N: usize> IntoOrder<M> for [X; N] {
    fn push_order(self, out: &mut Vec<OrderKey>) {
        self.into_iter().for_each(|x| x.push_order(out));
    }
}
#[diagnostic::do_not_recommend]
impl<M, X: IntoOrder<M>> IntoOrder<M> for Vec<X> {
    fn push_order(self, out: &mut Vec<OrderKey>) {
        self.into_iter().for_each(|x| x.push_order(out));
    }
}
#[diagnostic::do_not_recommend]
impl<'x, M, X> IntoOrder<M> for &'x [X]
where
    &'x X: IntoOrder<M>,
{
    fn push_order(self, out: &mut Vec<OrderKey>) {
        self.iter().for_each(|x| x.push_order(out));
    }
}

macro_rules! tuples {
    ($($($name:ident)+;)*) => { $(
        #[diagnostic::do_not_recommend]
        impl<M, $($name: IntoOrder<M>),+> IntoOrder<M> for ($($name,)+) {
            #[allow(non_snake_case, reason = "one variable per type parameter")]
            fn push_order(self, out: &mut Vec<OrderKey>) {
                let ($($name,)+) = self;
                $($name.push_order(out);)+
            }
        }
    )* };
}
tuples! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
}
