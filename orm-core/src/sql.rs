//! Statements from the query tree: the only place where SQL text is made.
//!
//! Each call walks the tree once. The walk moves the values out (leaving NULL behind) and writes
//! down the *shape* of the query: everything that decides the text, and no value. The text of a
//! shape is made once and kept; a second query of that shape only collects its values.

pub mod ddl;

mod column;
mod condition;
mod exists;
mod expr;
mod insert;
mod key;
mod link;
mod list;
mod lower;
mod order;
mod render;
mod select;
mod shape;
mod term;
mod update;
mod walk;

pub(crate) use insert::array_types;
pub use insert::delete_by_pk;
pub use insert::insert;
pub use insert::insert_many;
pub use insert::update_by_pk;
pub use link::link;
pub use link::unlink;
pub use link::unlink_all;
pub use select::select;
pub use update::delete;
pub use update::update;
