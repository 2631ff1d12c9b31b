//! What `prefetch_related` and `select_related` take: names, relations, and lists of these.

use super::Rel;
use super::arguments::names_and_lists;
use crate::entity::{Entity, Scope};
use crate::schema::RelationMeta;

/// A path of relations, not yet looked up if it was given as a name.
#[derive(Clone, Debug)]
pub enum PrefetchPath {
    /// A name such as `posts__tags`.
    Name(String),
    /// A typed path, first hop first.
    Path(Vec<&'static RelationMeta>),
}

/// Something `prefetch_related` and `select_related` take.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a relation of `{M}`",
    label = "use \"posts__tags\", `Model::posts.tags`, or a tuple or array of these"
)]
pub trait IntoPrefetch<M> {
    /// Adds the paths.
    fn push_prefetch(self, out: &mut Vec<PrefetchPath>);
}

#[diagnostic::do_not_recommend]
impl<O, S: Scope, T: Entity, K> IntoPrefetch<S::Root> for Rel<O, S, T, K> {
    fn push_prefetch(self, out: &mut Vec<PrefetchPath>) {
        out.push(PrefetchPath::Path(self.relations()));
    }
}

names_and_lists!(IntoPrefetch, push_prefetch, PrefetchPath);
