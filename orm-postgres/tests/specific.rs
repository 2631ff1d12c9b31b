//! What only PostgreSQL does: each trap of its protocol and its types, against a server.

#[path = "specific/connecting.rs"]
mod connecting;
#[path = "support/database.rs"]
mod database;
#[path = "specific/protocol.rs"]
mod protocol;
#[path = "support/proxy.rs"]
mod proxy;
#[path = "specific/recovery.rs"]
mod recovery;
#[path = "support/server.rs"]
#[allow(dead_code, reason = "the server with certificates is for other tests")]
mod server;
#[path = "specific/transactions.rs"]
mod transactions;
#[path = "specific/types.rs"]
mod types;
