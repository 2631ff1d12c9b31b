//! How keys of type [`Auto`] and plain numbers fit each other.

use super::convert::{compared_only, or_null, settable};
use super::{Col, Comparable, ComparedOnly, Expr, IntoExpr, IntoKv, IntoSet, Null};
use crate::entity::Scope;
use crate::error::Error;
use crate::query;
use crate::value::{Auto, Field, Value};

/// The number of a key. An unset one is no number, and must not become NULL by mistake.
fn number<T: Into<Value>>(key: Option<T>) -> query::Expr {
    match key {
        Some(number) => query::Expr::Value(number.into()),
        None => query::Expr::Error(Box::new(Error::Unsaved("instance"))),
    }
}

macro_rules! keys {
    ($($base:ty)*) => { $(
        keys!(@key $base: Auto<$base>);
        keys!(@key $base: &Auto<$base>);
        keys!(@number $base => $base);
        keys!(@number $base => &$base);
        settable!([M] M, Option<Auto<$base>>, Null => |_null| query::Expr::Value(Value::Null));
        compared_only!([] $base: Auto<$base>);
        compared_only!([] $base: Option<Auto<$base>>);
        compared_only!([] Option<$base>: Auto<$base>);
        compared_only!([] Option<$base>: Option<Auto<$base>>);
        compared_only!([] Auto<$base>: $base);
        compared_only!([] Auto<$base>: Option<$base>);
        compared_only!([] Option<Auto<$base>>: $base);
        compared_only!([] Option<Auto<$base>>: Option<$base>);
    )* };
    // A key given to columns of numbers and of keys.
    (@key $base:ty: $from:ty) => {
        #[diagnostic::do_not_recommend]
        impl<M> IntoExpr<M, $base> for $from {
            fn into_expr(self) -> query::Expr {
                number(self.get())
            }
        }
        #[diagnostic::do_not_recommend]
        impl<M> Comparable<M, $base> for $from {
            fn into_compared(self) -> query::Expr {
                number(self.get())
            }
        }
        #[diagnostic::do_not_recommend]
        impl<M> Comparable<M, $base> for Option<$from> {
            fn into_compared(self) -> query::Expr {
                or_null(self.map(|key| number(key.get())))
            }
        }
        // An unset key is no value for the key itself: the database generates it.
        settable!([M] M, Auto<$base>, $from => |key| query::Expr::Value(key.to_value()));
        settable!([M] M, $base, $from => |key| number(key.get()));
        keys!(@nullable Option<$base>: $from);
        keys!(@nullable Option<Auto<$base>>: $from);
    };
    (@nullable $to:ty: $from:ty) => {
        settable!([M] M, $to, $from => |key| number(key.get()));
        settable!([M] M, $to, Option<$from> => |key| or_null(key.map(|key| number(key.get()))));
    };
    // A number given to columns of keys.
    (@number $base:ty => $from:ty) => {
        settable!([M] M, Auto<$base>, $from => |v| IntoExpr::<M, $base>::into_expr(v));
        settable!([M] M, Option<Auto<$base>>, $from => |v| IntoExpr::<M, $base>::into_expr(v));
        settable!([M] M, Option<Auto<$base>>, Option<$from> =>
            |v| or_null(v.map(IntoExpr::<M, $base>::into_expr)));
    };
}
keys!(i16 i32 i64);
