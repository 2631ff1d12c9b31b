//! Where a column is seen from: the model itself, a path with a row at its end, or one without.

use super::Entity;
use crate::value::Field;
use std::marker::PhantomData;

/// Reached from `M` through relations that always have a row.
#[derive(Debug)]
pub struct Via<M>(PhantomData<fn() -> M>);

/// Reached from `M` through a relation that may have no row: columns come back as `Option`.
#[derive(Debug)]
pub struct Opt<M>(PhantomData<fn() -> M>);

/// Which model a path starts from, and whether it may end without a row.
pub trait Scope: Sized + 'static {
    /// The model the query is about.
    type Root: Entity;
    /// The scope behind a relation that always has a row.
    type Joined: Scope<Root = Self::Root>;
    /// The scope behind a relation that may have none.
    type Nullable: Scope<Root = Self::Root>;
    /// What a column of type `T` gives when it is selected.
    type Wrap<T: Field>: Field;
}

impl<M: Entity> Scope for M {
    type Root = M;
    type Joined = Via<M>;
    type Nullable = Opt<M>;
    type Wrap<T: Field> = T;
}

impl<M: Entity> Scope for Via<M> {
    type Root = M;
    type Joined = Via<M>;
    type Nullable = Opt<M>;
    type Wrap<T: Field> = T;
}

impl<M: Entity> Scope for Opt<M> {
    type Root = M;
    type Joined = Opt<M>;
    type Nullable = Opt<M>;
    type Wrap<T: Field> = T::Nullable;
}
