//! Databases of a libSQL server, over HTTP (feature `remote`).

mod bind;
mod client;
mod config;
mod dialect;
mod error;
mod scan;
mod session;
mod transaction;
mod wait;

pub use client::RemoteClient;
pub use client::RemoteConnector;
pub use dialect::LibsqlDialect;
pub use session::RemoteSession;
