//! What can be selected with a typed result: columns, expressions, tuples, and structs of them.

use super::{Col, Expr};
use crate::backend::RowAccess;
use crate::entity::{Entity, Scope};
use crate::error::{DataError, Error, Result};
use crate::query;
use crate::value::Field;

/// Something `values_list` takes; `Out` is what each row becomes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be selected from `{M}`",
    label = "expected columns or expressions of `{M}`, or a tuple of them"
)]
pub trait Selection<M> {
    /// What one row becomes.
    type Out: Send + 'static;

    /// Adds the expressions to select.
    fn push_exprs(self, out: &mut Vec<query::Expr>);

    /// Reads the cells of those expressions, from `*at` on, and moves `*at` behind them.
    ///
    /// # Errors
    /// `Data` that names the result column.
    fn read(row: &dyn RowAccess, at: &mut usize) -> Result<Self::Out>;
}

/// A struct whose fields are selected from a model. `#[derive(Values)]` implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a projection",
    label = "add `#[derive(Values)]` and `#[values(Model)]` to this struct"
)]
pub trait Values: Sized + Send + 'static {
    /// The model it selects from.
    type Model: Entity;

    /// Adds the expressions to select.
    fn push_exprs(out: &mut Vec<query::Expr>);

    /// Reads the cells of those expressions, from `*at` on, and moves `*at` behind them.
    ///
    /// # Errors
    /// `Data` that names the result column.
    fn read(row: &dyn RowAccess, at: &mut usize) -> Result<Self>;
}

/// Reads what `selection` stands for. Used by the expansion of `#[derive(Values)]`, which has a
/// path but not the name of its type.
///
/// # Errors
/// `Data` that names the result column.
pub fn read_as<M, A: Selection<M>>(
    _selection: A,
    row: &dyn RowAccess,
    at: &mut usize,
) -> Result<A::Out> {
    A::read(row, at)
}

fn read_cell<T: Field>(row: &dyn RowAccess, at: &mut usize) -> Result<T> {
    let index = *at;
    *at += 1;
    row.cell(index)
        .and_then(T::from_cell)
        .map_err(|error| match error {
            Error::Data(error) => DataError::at(*error, "", row.name(index)).into(),
            other => other,
        })
}

impl<S: Scope, T: Field, K> Selection<S::Root> for Col<S, T, K> {
    type Out = S::Wrap<T>;
    fn push_exprs(self, out: &mut Vec<query::Expr>) {
        out.push(self.tree());
    }
    fn read(row: &dyn RowAccess, at: &mut usize) -> Result<Self::Out> {
        read_cell(row, at)
    }
}

impl<M, T: Field> Selection<M> for Expr<M, T> {
    type Out = T;
    fn push_exprs(self, out: &mut Vec<query::Expr>) {
        out.push(self.into_tree());
    }
    fn read(row: &dyn RowAccess, at: &mut usize) -> Result<T> {
        read_cell(row, at)
    }
}

macro_rules! tuples {
    ($($($name:ident)+;)*) => { $(
        #[diagnostic::do_not_recommend]
        impl<Model, $($name: Selection<Model>),+> Selection<Model> for ($($name,)+) {
            type Out = ($($name::Out,)+);
            #[allow(non_snake_case, reason = "one variable per type parameter")]
            fn push_exprs(self, out: &mut Vec<query::Expr>) {
                let ($($name,)+) = self;
                $($name.push_exprs(out);)+
            }
            fn read(row: &dyn RowAccess, at: &mut usize) -> Result<Self::Out> {
                Ok(($($name::read(row, at)?,)+))
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
    A B C D E F G H I;
    A B C D E F G H I J;
    A B C D E F G H I J K;
    A B C D E F G H I J K L;
}
