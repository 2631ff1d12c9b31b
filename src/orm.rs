//! The documented API, name by name.

pub use orm_core::Model;
pub use orm_core::Values;
pub use orm_core::backend;
pub use orm_core::backend::BaseDBAsyncClient;
pub use orm_core::backend::Dialect;
pub use orm_core::backend::TransactionManager;
pub use orm_core::columns::Clause;
pub use orm_core::columns::New;
pub use orm_core::columns::Q;
pub use orm_core::columns::Set;
pub use orm_core::columns::Values;
pub use orm_core::columns::all;
pub use orm_core::columns::any;
pub use orm_core::columns::not;
pub use orm_core::connection::Connection;
pub use orm_core::error;
pub use orm_core::error::DoesNotExist;
pub use orm_core::error::Error;
pub use orm_core::error::ErrorKind;
pub use orm_core::error::FieldError;
pub use orm_core::error::IntegrityError;
pub use orm_core::error::MultipleObjectsReturned;
pub use orm_core::error::Result;
pub use orm_core::error::ValidationError;
pub use orm_core::fields;
pub use orm_core::instrument;
pub use orm_core::kw;
pub use orm_core::kwargs;
pub use orm_core::model::Model;
pub use orm_core::models;
pub use orm_core::q;
pub use orm_core::queryset::QuerySet;
pub use orm_core::relation::ForeignKey;
pub use orm_core::relation::HasMany;
pub use orm_core::relation::HasOne;
pub use orm_core::relation::ManyToMany;
pub use orm_core::relation::OneToOne;
pub use orm_core::runtime::run_async;
pub use orm_core::runtime::try_run_async;
pub use orm_core::tortoise::Config;
pub use orm_core::tortoise::IntoConfig;
pub use orm_core::transaction;
pub use orm_core::transaction::begin;
pub use orm_core::transaction::in_transaction;
pub use orm_core::value::Auto;
pub use orm_core::value::Value;

/// What a program that uses models needs in scope: `use fast_django::orm::prelude::*;`.
pub mod prelude {
    pub use super::Tortoise;
    #[doc(inline)]
    #[allow(
        clippy::wildcard_imports,
        reason = "this is the same list, and must stay so"
    )]
    pub use orm_core::prelude::*;
}

/// Starts and stops the ORM.
#[derive(Clone, Copy, Debug)]
pub struct Tortoise;

impl Tortoise {
    /// Opens the connections of a configuration: a URL, a [`Config`], or a JSON object shaped like
    /// the documented dictionary. Replaces the connections of an earlier call.
    ///
    /// # Errors
    /// [`Error::Configuration`] that names what is wrong; what connecting fails with.
    ///
    /// # Examples
    /// ```
    /// use fast_django::orm::prelude::*;
    ///
    /// # #[derive(Model, Clone, Debug, Default)]
    /// # pub struct User {
    /// #     #[field(pk)]
    /// #     pub id: i32,
    /// # }
    /// # fn main() -> Result<()> { run_async(async {
    /// let config = Config::new("sqlite::memory:").models(models![User]).generate_schemas(true);
    /// Tortoise::init(config).await?;
    /// assert_eq!(User::all().count().await?, 0);
    /// # Ok(()) }) }
    /// ```
    pub async fn init(config: impl IntoConfig) -> Result<()> {
        orm_core::tortoise::init_with(config.into_config()?, &crate::backends::enabled()).await
    }

    /// Creates the tables of the models given to `init`. `safe` leaves existing tables alone.
    ///
    /// # Errors
    /// [`Error::Configuration`] before `init`; those of the database.
    ///
    /// # Examples
    /// ```
    /// use fast_django::orm::prelude::*;
    ///
    /// # #[derive(Model, Clone, Debug, Default)]
    /// # pub struct User {
    /// #     #[field(pk)]
    /// #     pub id: i32,
    /// # }
    /// # fn main() -> Result<()> { run_async(async {
    /// Tortoise::init(Config::new("sqlite::memory:").models(models![User])).await?;
    /// Tortoise::generate_schemas(true).await?;
    /// assert_eq!(User::all().count().await?, 0);
    /// # Ok(()) }) }
    /// ```
    pub async fn generate_schemas(safe: bool) -> Result<()> {
        orm_core::tortoise::generate_schemas(safe).await
    }

    /// Closes all connections. Closing twice is fine; a new `init` starts again.
    ///
    /// # Errors
    /// None today.
    ///
    /// # Examples
    /// ```
    /// use fast_django::orm::prelude::*;
    ///
    /// # #[derive(Model, Clone, Debug, Default)]
    /// # pub struct User {
    /// #     #[field(pk)]
    /// #     pub id: i32,
    /// # }
    /// # fn main() -> Result<()> { run_async(async {
    /// Tortoise::init("sqlite::memory:").await?;
    /// Tortoise::close_connections().await?;
    /// assert!(User::all().await.is_err());
    /// # Ok(()) }) }
    /// ```
    pub async fn close_connections() -> Result<()> {
        orm_core::tortoise::close_connections().await
    }

    /// The connection of this name; the first one is called `default`. Inside a transaction of
    /// that connection it is the transaction, so that raw SQL takes part in it.
    ///
    /// # Errors
    /// [`Error::Configuration`] before `init`, or with the names that there are.
    ///
    /// # Examples
    /// ```
    /// use fast_django::orm::prelude::*;
    ///
    /// # #[derive(Model, Clone, Debug, Default)]
    /// # pub struct User {
    /// #     #[field(pk)]
    /// #     pub id: i32,
    /// # }
    /// # fn main() -> Result<()> { run_async(async {
    /// Tortoise::init("sqlite::memory:").await?;
    /// let connection = Tortoise::get_connection("default")?;
    /// let rows = connection.execute_query("SELECT 1 + ?", vec![2.into()]).await?;
    /// assert_eq!(rows.rows()[0][0], 3.into());
    /// # Ok(()) }) }
    /// ```
    pub fn get_connection(name: &str) -> Result<Connection> {
        orm_core::transaction::get_connection(name)
    }
}
