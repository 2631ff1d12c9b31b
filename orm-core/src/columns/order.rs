//! What `order_by` takes: names, columns, expressions, and lists of these.

use super::arguments::names_and_lists;
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

names_and_lists!(IntoOrder, push_order, OrderKey);
