//! Backend-agnostic core of fast-django: models, queries, transactions, and the driver contract.

pub mod backend;
pub mod entity;
pub mod error;
pub mod query;
pub mod schema;
pub mod sql;
pub mod value;
