//! The models of the UI cases, and functions that take what the query methods take.

#![allow(dead_code, unused_imports)]

pub use chrono::{DateTime, Utc};
pub use orm_core::columns::{New, Q, Set, all, any, not};
pub use orm_core::entity::Entity;
pub use orm_core::relation::{ForeignKey, HasMany, HasOne, ManyToMany, OneToOne};
pub use orm_core::model::Model;
pub use orm_core::{Model, Values, kw, q};

use orm_core::columns::{IntoOrder, IntoPrefetch, Selection};

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct User {
    #[field(pk)]
    pub id: i32,
    #[field(max_length = 50, unique)]
    pub username: String,
    #[field(max_length = 100)]
    pub email: String,
    pub bio: Option<String>,
    pub posts: HasMany<Post>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct Tag {
    #[field(pk)]
    pub id: i32,
    #[field(max_length = 30, unique)]
    pub name: String,
    pub posts: HasMany<Post>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct Post {
    #[field(pk)]
    pub id: i32,
    #[field(max_length = 200)]
    pub title: String,
    #[field(default = 0)]
    pub views: i32,
    #[field(auto_now_add)]
    pub created_at: DateTime<Utc>,
    #[field(related_name = "posts", on_delete = Cascade)]
    pub author: ForeignKey<User>,
    #[field(on_delete = SetNull)]
    pub editor: Option<ForeignKey<User>>,
    #[field(related_name = "posts", through = "post_tags")]
    pub tags: ManyToMany<Tag>,
}

pub fn filter<M: Entity>(condition: Q<M>) -> Q<M> {
    condition
}
pub fn create<M: Entity>(new: New<M>) -> New<M> {
    new
}
pub fn update<M: Entity>(set: Set<M>) -> Set<M> {
    set
}
pub fn order_by<M: Entity>(_: impl IntoOrder<M>) {}
pub fn prefetch_related<M: Entity>(_: impl IntoPrefetch<M>) {}
pub fn values_list<M: Entity, A: Selection<M>>(_: A) -> Vec<A::Out> {
    Vec::new()
}
