//! Starting and stopping: connections, models, schemas.

mod config;

pub use config::Config;
pub use config::IntoConfig;

use crate::backend::{Backend, ConnectionUrl};
use crate::connection::{self, Connection};
use crate::error::{Error, Result, nearest_names};
use crate::schema::{ModelMeta, check_models, closure_over_relations};
use crate::sql;
use crate::sql::ddl::SchemaOptions;
use crate::transaction::Db;
use std::sync::{Arc, PoisonError, RwLock};

/// The models that `init` was given, with those that their relations reach.
static MODELS: RwLock<Vec<&'static ModelMeta>> = RwLock::new(Vec::new());

/// Opens the connections of a configuration, replacing those of an earlier call, and creates the
/// tables if it asks for that. `enabled` are the drivers that the caller was built with.
///
/// # Errors
/// `Configuration` for unknown schemes, wrong URLs and wrong models; whatever connecting fails with.
/// Nothing is changed then.
pub async fn init_with(config: Config, enabled: &[Arc<dyn Backend>]) -> Result<()> {
    config.check()?;
    let models = closure_over_relations(&config.models);
    let mut opened = Vec::with_capacity(config.connections.len());
    for (name, url) in &config.connections {
        match open(name, url, &config, enabled).await {
            Ok(connection) => opened.push(connection),
            Err(error) => {
                close_all(opened).await;
                return Err(error);
            }
        }
    }
    for connection in &opened {
        let limit = connection.dialect().capabilities().max_identifier;
        if let Err(error) = check_models(&models, limit) {
            close_all(opened).await;
            return Err(error);
        }
    }
    if config.generate_schemas
        && let Some(default) = opened
            .iter()
            .find(|c| c.name() == config.default_connection)
        && let Err(error) = create_tables(default, &models, true).await
    {
        close_all(opened).await;
        return Err(error);
    }
    let old = connection::replace_with_default(opened, &config.default_connection)?;
    *MODELS.write().unwrap_or_else(PoisonError::into_inner) = models;
    close_all(old).await;
    Ok(())
}

async fn open(
    name: &str,
    url: &str,
    config: &Config,
    enabled: &[Arc<dyn Backend>],
) -> Result<Connection> {
    let url = ConnectionUrl::parse(url)?;
    let serves = |backend: &&Arc<dyn Backend>| backend.schemes().contains(&url.scheme());
    let backend = config
        .backends
        .iter()
        .find(serves)
        .or_else(|| enabled.iter().find(serves));
    let Some(backend) = backend else {
        let known: Vec<&str> = config
            .backends
            .iter()
            .chain(enabled)
            .flat_map(|b| b.schemes().iter().copied())
            .collect();
        return Err(unknown_scheme(name, url.scheme(), &known));
    };
    let client = backend.connect(&url, &config.options).await?;
    Ok(Connection::new(name, client))
}

fn unknown_scheme(connection: &str, scheme: &str, known: &[&str]) -> Error {
    let near = nearest_names(scheme, known.iter().copied());
    let hint = match (near.first(), known) {
        (Some(near), _) => format!("did you mean `{near}:`?"),
        (None, []) => "no driver is built in.".to_owned(),
        (None, known) => format!("known are `{}:`.", known.join(":`, `")),
    };
    Error::configuration(format!(
        "connection `{connection}`: no driver serves `{scheme}:` URLs; {hint} A driver of your own \
         is passed with `Config::backend`"
    ))
}

async fn close_all(connections: Vec<Connection>) {
    for connection in connections {
        connection.close().await;
    }
}

/// Creates tables, indexes and constraints of the models and of all models that their relations
/// reach.
///
/// # Errors
/// Those of the database, with the statement that failed.
pub async fn create_tables(
    connection: &Connection,
    models: &[&'static ModelMeta],
    safe: bool,
) -> Result<()> {
    create_tables_with(connection, models, &SchemaOptions::new().safe(safe)).await
}

/// As [`create_tables`], with all options.
///
/// In a transaction of this connection the statements are part of it.
///
/// # Errors
/// As [`create_tables`]; in a transaction `Unsupported` where DDL cannot be rolled back.
pub async fn create_tables_with(
    connection: &Connection,
    models: &[&'static ModelMeta],
    options: &SchemaOptions,
) -> Result<()> {
    let facts = connection.dialect().capabilities();
    let models = closure_over_relations(models);
    check_models(&models, facts.max_identifier)?;
    let db = Db::current(connection);
    if db.is_transaction() && !facts.transactional_ddl {
        return Err(Error::Unsupported("transactional_ddl"));
    }
    for statement in sql::ddl::create_schema_with(&models, connection.dialect(), options)? {
        let done = db.script(&statement).await;
        done.map_err(|error| error.or_sql(&statement))?;
    }
    Ok(())
}

/// Creates the tables of the models that `init` was given, on the default connection. `safe` leaves
/// tables that exist alone.
///
/// # Errors
/// `Configuration` before `init`; those of the database.
pub async fn generate_schemas(safe: bool) -> Result<()> {
    let connection = connection::default_connection()?;
    let models = MODELS
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    create_tables(&connection, &models, safe).await
}

/// Closes all connections. Queries fail until the next `init`. Closing twice is fine.
///
/// # Errors
/// None today; the result keeps the call the shape of its siblings.
pub async fn close_connections() -> Result<()> {
    close_all(connection::clear()).await;
    Ok(())
}
