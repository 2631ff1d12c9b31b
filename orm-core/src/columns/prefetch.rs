//! What `prefetch_related` and `select_related` take: names, relations, and lists of these.

use super::Rel;
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
impl<M> IntoPrefetch<M> for &str {
    fn push_prefetch(self, out: &mut Vec<PrefetchPath>) {
        out.push(PrefetchPath::Name(self.to_owned()));
    }
}
#[diagnostic::do_not_recommend]
impl<M> IntoPrefetch<M> for &&str {
    fn push_prefetch(self, out: &mut Vec<PrefetchPath>) {
        out.push(PrefetchPath::Name((*self).to_owned()));
    }
}
#[diagnostic::do_not_recommend]
impl<M> IntoPrefetch<M> for String {
    fn push_prefetch(self, out: &mut Vec<PrefetchPath>) {
        out.push(PrefetchPath::Name(self));
    }
}
#[diagnostic::do_not_recommend]
impl<M> IntoPrefetch<M> for &String {
    fn push_prefetch(self, out: &mut Vec<PrefetchPath>) {
        out.push(PrefetchPath::Name(self.clone()));
    }
}
#[diagnostic::do_not_recommend]
impl<O, S: Scope, T: Entity, K> IntoPrefetch<S::Root> for Rel<O, S, T, K> {
    fn push_prefetch(self, out: &mut Vec<PrefetchPath>) {
        out.push(PrefetchPath::Path(self.relations()));
    }
}
#[diagnostic::do_not_recommend]
impl<M, X: IntoPrefetch<M>, const N: usize> IntoPrefetch<M> for [X; N] {
    fn push_prefetch(self, out: &mut Vec<PrefetchPath>) {
        self.into_iter().for_each(|x| x.push_prefetch(out));
    }
}
#[diagnostic::do_not_recommend]
impl<M, X: IntoPrefetch<M>> IntoPrefetch<M> for Vec<X> {
    fn push_prefetch(self, out: &mut Vec<PrefetchPath>) {
        self.into_iter().for_each(|x| x.push_prefetch(out));
    }
}
#[diagnostic::do_not_recommend]
impl<'x, M, X> IntoPrefetch<M> for &'x [X]
where
    &'x X: IntoPrefetch<M>,
{
    fn push_prefetch(self, out: &mut Vec<PrefetchPath>) {
        self.iter().for_each(|x| x.push_prefetch(out));
    }
}

macro_rules! tuples {
    ($($($name:ident)+;)*) => { $(
        #[diagnostic::do_not_recommend]
        impl<M, $($name: IntoPrefetch<M>),+> IntoPrefetch<M> for ($($name,)+) {
            #[allow(non_snake_case, reason = "one variable per type parameter")]
            fn push_prefetch(self, out: &mut Vec<PrefetchPath>) {
                let ($($name,)+) = self;
                $($name.push_prefetch(out);)+
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
