//! An async ORM with Django's pleasure, checked by the compiler, the same on every database.
//!
//! Everything is under [`orm`], the import path of the documented API:
//!
//! ```
//! use fast_django::orm::prelude::*;
//!
//! #[derive(Model, Clone, Debug, Default)]
//! pub struct User {
//!     #[field(pk)]
//!     pub id: i32,
//!     #[field(max_length = 50, unique)]
//!     pub username: String,
//! }
//!
//! fn main() -> Result<()> {
//!     run_async(async {
//!         Tortoise::init(Config::new("sqlite::memory:").models(models![User]).generate_schemas(true)).await?;
//!         let john = User::create(kw!(username = "john")).await?;
//!         assert_eq!(User::get(kw!(id = john.id)).await?.username, "john");
//!         Ok(())
//!     })
//! }
//! ```
//!
//! Cargo features bring the drivers, and the URL chooses among them:
//!
//! | feature | gives | URLs | default |
//! |---|---|---|---|
//! | `sqlite` | the SQLite driver (libsql, compiled in) | `sqlite:path`, `sqlite::memory:` | yes |
//! | `libsql-remote` | databases of libSQL servers, in the SQLite driver | `libsql://host?authToken=…` | no |
//! | `postgres` | the PostgreSQL driver (tokio-postgres) | `postgres://user:password@host:5432/database` | no |
//! | `mysql` | the MariaDB and MySQL driver (mysql_async) | `mariadb://…`, `mysql://user:password@host:3306/database` | no |
//! | `tls` | encrypted connections to servers (rustls with ring) | `?sslmode=require` (PostgreSQL), `?ssl_mode=required` (MariaDB, MySQL) | no |
//!
//! The manual of each database, in `docs/backends` of the repository, has its column types,
//! differences and options. A driver of your own is passed with [`orm::Config::backend`].

mod backends;
pub mod orm;

#[doc(hidden)]
pub use orm_core::__private;
