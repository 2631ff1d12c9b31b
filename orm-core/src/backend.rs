//! The driver contract: what a database driver implements, and what the core promises it.
//!
//! A driver author writes a [`Connector`] (makes connections), its [`Session`] and
//! [`TransactionManager`] (one connection: run statements, begin, commit), a [`Dialect`]
//! (capabilities and spellings) and a client that holds a [`Pool`](crate::pool::Pool) and
//! implements [`BaseDBAsyncClient`]. Everything above text and values (pool, leases, transactions,
//! cancellation, chunking, decoding) is the core's.

mod capabilities;
mod client;
mod connector;
mod dialect;
mod factory;
mod lease;
mod row;
mod statement;
mod transaction;
mod url;

pub use capabilities::Capabilities;
pub use capabilities::Capability;
pub use capabilities::Claim;
pub use client::BaseDBAsyncClient;
pub use client::Row;
pub use client::Rows;
pub use connector::BulkRows;
pub use connector::Connector;
pub use connector::Done;
pub use connector::Health;
pub use connector::KeySequence;
pub use connector::Session;
pub use connector::Step;
pub use dialect::Dialect;
pub use dialect::ListItems;
pub use dialect::SqlFamily;
pub use dialect::TextPattern;
pub use dialect::TextSpelling;
pub use factory::Backend;
pub use factory::ConnectOptions;
pub use lease::Held;
pub use lease::Lease;
pub use row::Collect;
pub use row::Discard;
pub use row::RowAccess;
pub use row::RowSink;
pub use row::Sink;
pub use row::SinkFlow;
pub use statement::Cost;
pub use statement::Intent;
pub use statement::Statement;
pub use statement::StatementText;
pub use transaction::Isolation;
pub use transaction::TransactionManager;
pub use transaction::TransactionOptions;
pub use url::ConnectionUrl;
