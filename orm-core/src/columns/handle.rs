//! Handles to columns and relations: one or two pointers, `Copy`, with everything else in the type.

use crate::entity::{Entity, Scope};
use crate::query::{self, ColumnRef, Node, Path};
use crate::schema::{FieldMeta, RelationMeta};
use std::{fmt, marker::PhantomData, ops::Deref};

/// `create` can do without this field.
#[derive(Debug)]
pub struct Optional;

/// `create` must be given this field; `N` is a type that bears the field's name.
#[derive(Debug)]
pub struct Required<N>(PhantomData<fn() -> N>);

/// A relation to many rows, which no statement can assign.
#[derive(Debug)]
pub struct Many;

/// A column of type `T`, as seen from scope `S`.
///
/// `Post::title` is one, and so is `Post::author.username`. `K` says whether `create` needs it.
pub struct Col<S, T, K = Optional> {
    node: Option<&'static Node>,
    field: &'static FieldMeta,
    marker: PhantomData<fn() -> (S, T, K)>,
}

impl<S, T, K> Clone for Col<S, T, K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<S, T, K> Copy for Col<S, T, K> {}

impl<S, T, K> fmt::Debug for Col<S, T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.column().fmt(f)
    }
}

impl<S, T, K> Col<S, T, K> {
    /// The column `field` behind the hops of `node`. The derive calls it.
    pub const fn new(node: Option<&'static Node>, field: &'static FieldMeta) -> Self {
        Col {
            node,
            field,
            marker: PhantomData,
        }
    }

    /// The column in the query tree.
    ///
    /// The key behind a foreign key (`author.id`) is the foreign key's own column, which needs no
    /// join.
    pub fn column(self) -> ColumnRef {
        match self.node {
            Some(node) if self.field.pk => match node.relation().column {
                Some(own) => at(node.parent(), own),
                None => at(Some(node), self.field),
            },
            node => at(node, self.field),
        }
    }

    /// The column as an expression of the query tree.
    pub(super) fn tree(self) -> query::Expr {
        query::Expr::Column(self.column())
    }

    /// The field's metadata.
    pub fn field(self) -> &'static FieldMeta {
        self.field
    }
}

fn at(node: Option<&'static Node>, field: &'static FieldMeta) -> ColumnRef {
    ColumnRef {
        path: node.map_or(Path::Own, Path::Static),
        field,
    }
}

/// A relation from scope `O` to a model `T`, whose columns are seen from scope `S`.
///
/// It dereferences to the columns and relations of `T`: `Post::author.posts.tags.name`.
pub struct Rel<O, S, T, K = Optional> {
    node: &'static Node,
    marker: PhantomData<fn() -> (O, S, T, K)>,
}

impl<O, S, T, K> Clone for Rel<O, S, T, K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<O, S, T, K> Copy for Rel<O, S, T, K> {}

impl<O, S, T, K> fmt::Debug for Rel<O, S, T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.node.fmt(f)
    }
}

impl<O, S, T, K> Rel<O, S, T, K> {
    /// The relation at the end of `node`. The derive calls it.
    pub const fn new(node: &'static Node) -> Self {
        Rel {
            node,
            marker: PhantomData,
        }
    }

    /// The relations that lead here, first hop first.
    pub fn relations(self) -> Vec<&'static RelationMeta> {
        Path::Static(self.node).relations()
    }

    /// The last hop.
    pub fn relation(self) -> &'static RelationMeta {
        self.node.relation()
    }
}

impl<O, S, T: Entity, K> Rel<O, S, T, K> {
    /// The column that tells which row is related: the foreign key, else the target's key.
    pub fn key_column(self) -> ColumnRef {
        match self.node.relation().column {
            Some(own) => at(self.node.parent(), own),
            None => at(Some(self.node), T::meta().pk()),
        }
    }
}

impl<O, S: Scope, T: Entity, K> Deref for Rel<O, S, T, K> {
    type Target = T::Fields<S>;
    fn deref(&self) -> &T::Fields<S> {
        self.node.fields(T::fields_at::<S>)
    }
}
