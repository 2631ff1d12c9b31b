//! Backend-agnostic core of fast-django: models, queries, transactions, and the driver contract.

pub mod backend;
pub mod connection;
pub mod entity;
pub mod error;
pub mod instrument;
pub mod pool;
pub mod query;
pub mod schema;
pub mod transaction;
pub mod value;
