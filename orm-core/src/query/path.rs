//! Paths of relations, from a model to the rows a column belongs to.

use crate::schema::RelationMeta;
use std::{
    any::Any,
    fmt,
    sync::{Arc, OnceLock},
};

/// One hop of a path known at compile time.
///
/// There is one node for each place in the source that can be named (`Post::author` has one,
/// `Post::author.posts` another), made when first used and kept, so that a handle to a path is one
/// pointer. Their number is bounded by the source, never by input.
pub struct Node {
    parent: Option<&'static Node>,
    relation: &'static RelationMeta,
    fields: OnceLock<Box<dyn Any + Send + Sync>>,
}

impl Node {
    /// The first hop from a model.
    pub const fn root(relation: &'static RelationMeta) -> Node {
        Node {
            parent: None,
            relation,
            fields: OnceLock::new(),
        }
    }

    /// A further hop. Leaks one node; call it once for each place in the source.
    pub fn child(parent: Option<&'static Node>, relation: &'static RelationMeta) -> &'static Node {
        Box::leak(Box::new(Node {
            parent,
            relation,
            fields: OnceLock::new(),
        }))
    }

    /// The hop before this one.
    pub fn parent(&self) -> Option<&'static Node> {
        self.parent
    }

    /// The relation that this hop follows.
    pub fn relation(&self) -> &'static RelationMeta {
        self.relation
    }

    /// The typed columns at this place, made on first use.
    ///
    /// # Panics
    /// If one node is asked for two types; a node belongs to one relation, which has one target.
    pub fn fields<T: Any + Send + Sync>(
        &'static self,
        make: fn(Option<&'static Node>) -> T,
    ) -> &'static T {
        self.fields
            .get_or_init(|| Box::new(make(Some(self))))
            .downcast_ref()
            .expect("a node leads to one model")
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            write!(f, "{parent:?}__")?;
        }
        f.write_str(self.relation.name)
    }
}

/// The relations from the query's model to a column's model, in order. Empty for own columns.
#[derive(Clone, Default)]
pub enum Path {
    /// A column of the query's own model.
    #[default]
    Own,
    /// Known at compile time.
    Static(&'static Node),
    /// Made from names at run time.
    Dynamic(Arc<[&'static RelationMeta]>),
}

impl Path {
    /// A path of these relations.
    pub fn of(relations: Vec<&'static RelationMeta>) -> Path {
        if relations.is_empty() {
            Path::Own
        } else {
            Path::Dynamic(relations.into())
        }
    }

    /// Whether the column is one of the query's own model.
    pub fn is_own(&self) -> bool {
        matches!(self, Path::Own)
    }

    /// The relations, first hop first.
    pub fn relations(&self) -> Vec<&'static RelationMeta> {
        match self {
            Path::Own => Vec::new(),
            Path::Dynamic(relations) => relations.to_vec(),
            Path::Static(node) => {
                let mut relations = Vec::new();
                let mut at = Some(*node);
                while let Some(node) = at {
                    relations.push(node.relation);
                    at = node.parent;
                }
                relations.reverse();
                relations
            }
        }
    }

    /// Calls `each` with every relation, last hop first, without allocating.
    pub fn for_each_from_end(&self, mut each: impl FnMut(&'static RelationMeta)) {
        match self {
            Path::Own => {}
            Path::Dynamic(relations) => relations.iter().rev().for_each(|r| each(r)),
            Path::Static(node) => {
                let mut at = Some(*node);
                while let Some(node) = at {
                    each(node.relation);
                    at = node.parent;
                }
            }
        }
    }

    /// The path with one more hop.
    pub fn join(&self, relation: &'static RelationMeta) -> Path {
        let mut relations = self.relations();
        relations.push(relation);
        Path::of(relations)
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, relation) in self.relations().iter().enumerate() {
            if i > 0 {
                f.write_str("__")?;
            }
            f.write_str(relation.name)?;
        }
        Ok(())
    }
}
