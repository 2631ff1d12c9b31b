//! The kit itself under test: SQLite with fewer claims, more claims, and broken rules.

mod broken;
mod claims;
mod sqlite;
