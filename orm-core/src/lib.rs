//! Backend-agnostic core of fast-django: models, queries, transactions, and the driver contract.

#[doc(hidden)]
pub mod __private;
pub mod backend;
pub mod columns;
pub mod entity;
pub mod error;
pub mod fields;
pub mod model;
pub mod query;
pub mod relation;
pub mod schema;
pub mod sql;
pub mod value;

mod macros;

pub use orm_macros::Model;
pub use orm_macros::Values;
pub use orm_macros::kwargs;
