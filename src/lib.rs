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
//! | feature | gives | default |
//! |---|---|---|
//! | `libsql-remote` | databases of libSQL servers, in the SQLite driver | no |
//! | `mysql` | the MariaDB and MySQL driver | no |
//! | `sqlite` | the SQLite driver (libsql, compiled in) | yes |
//! | `postgres` | the PostgreSQL driver (tokio-postgres) | no |
//! | `tls` | encrypted connections to servers (rustls) | no |

mod backends;
pub mod orm;

#[doc(hidden)]
pub use orm_core::__private;
