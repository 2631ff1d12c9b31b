//! Backend-agnostic core of fast-django: models, queries, transactions, and the driver contract.

#[doc(hidden)]
pub mod __private;
pub mod backend;
pub mod columns;
pub mod connection;
pub mod entity;
pub mod error;
pub mod fields;
pub mod instrument;
mod macros;
pub mod model;
pub mod pool;
pub mod prelude;
pub mod query;
pub mod queryset;
pub mod relation;
pub mod runtime;
pub mod schema;
pub mod sql;
pub mod tortoise;
pub mod transaction;
pub mod value;

pub use orm_macros::Model;
pub use orm_macros::Values;
pub use orm_macros::kwargs;
