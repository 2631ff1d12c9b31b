//! Each trap of the two servers and of their protocol, against both.

#![allow(clippy::unwrap_used, reason = "helpers of tests panic like tests")]

mod cancel;
mod connect;
mod errors;
mod keys;
mod lookups;
mod proxy;
mod statements;
mod support;
mod transactions;
mod values;
