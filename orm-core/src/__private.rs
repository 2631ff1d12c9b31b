//! What the expansions of the macros name. Hidden, in step with `orm-macros`, free to change.

pub use crate::backend;
pub use crate::columns;
pub use crate::entity;
pub use crate::error;
pub use crate::kw;
pub use crate::model;
pub use crate::query;
pub use crate::queryset;
pub use crate::relation;
pub use crate::schema;
pub use crate::value;
pub use ::core;
pub use ::std;
pub use orm_macros::__kw;
