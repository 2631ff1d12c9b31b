//! What `Tortoise::init` takes: a URL, a [`Config`], or a JSON object shaped like the documented
//! dictionary.

use crate::backend::{Backend, ConnectOptions};
use crate::error::{Error, Result, nearest_names};
use crate::schema::ModelMeta;
use serde_json::{Map, Value as Json};
use std::{sync::Arc, time::Duration};

/// Connections, models and options.
///
/// URLs may hold passwords, so `Debug` shows names only.
///
/// # Examples
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
/// # fn main() -> Result<()> { run(async {
/// use std::time::Duration;
///
/// let config = Config::new("sqlite::memory:")
///     .models(models![User, Post, Tag])
///     .generate_schemas(true)
///     .max_connections(4)
///     .acquire_timeout(Duration::from_secs(2))
///     .connect_timeout(Duration::from_secs(2))
///     .statement_timeout(Duration::from_secs(30))
///     .slow_statement(Duration::from_millis(200));
/// Tortoise::init(config).await?;
/// assert_eq!(User::all().count().await?, 0);
/// # Ok(()) }) }
/// ```
#[derive(Clone, Default)]
pub struct Config {
    pub(super) connections: Vec<(String, String)>,
    pub(super) default_connection: String,
    pub(super) models: Vec<&'static ModelMeta>,
    pub(super) named_models: Vec<String>,
    pub(super) backends: Vec<Arc<dyn Backend>>,
    pub(super) options: ConnectOptions,
    pub(super) generate_schemas: bool,
}

impl Config {
    /// One connection, named `default`.
    pub fn new(url: impl Into<String>) -> Self {
        Config {
            connections: vec![("default".to_owned(), url.into())],
            default_connection: "default".to_owned(),
            ..Config::default()
        }
    }

    /// Adds a connection, or replaces the one of this name.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let config = Config::new("sqlite::memory:").connection("archive", "sqlite::memory:");
    /// Tortoise::init(config).await?;
    /// let archive = Tortoise::get_connection("archive")?;
    /// assert_eq!(archive.execute_query("SELECT 1", vec![]).await?.len(), 1);
    /// # Ok(()) }) }
    /// ```
    #[must_use]
    pub fn connection(mut self, name: impl Into<String>, url: impl Into<String>) -> Self {
        let name = name.into();
        self.connections.retain(|(known, _)| *known != name);
        self.connections.push((name, url.into()));
        self
    }

    /// The models, as `models![User, Post]`. Models that they have relations to come with them.
    #[must_use]
    pub fn models(mut self, models: impl IntoIterator<Item = &'static ModelMeta>) -> Self {
        self.models.extend(models);
        self
    }

    /// Creates the tables that do not exist yet, on the default connection.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// Tortoise::init(Config::new("sqlite::memory:").models(models![Tag])).await?;
    /// assert!(Tag::all().await.is_err(), "there is no table yet");
    /// Tortoise::generate_schemas(true).await?;
    /// assert_eq!(Tag::all().await?.len(), 0);
    /// # Ok(()) }) }
    /// ```
    #[must_use]
    pub fn generate_schemas(mut self, yes: bool) -> Self {
        self.generate_schemas = yes;
        self
    }

    /// Adds a driver of your own. It is asked before the ones built in.
    #[must_use]
    pub fn backend(mut self, backend: impl Backend) -> Self {
        self.backends.push(Arc::new(backend));
        self
    }

    /// Most connections of each pool. A `max_connections` in the URL wins.
    #[must_use]
    pub fn max_connections(mut self, count: usize) -> Self {
        self.options.max_connections = Some(count);
        self
    }

    /// Longest wait for a free connection. Default 10 s.
    #[must_use]
    pub fn acquire_timeout(mut self, timeout: Duration) -> Self {
        self.options.acquire_timeout = timeout;
        self
    }

    /// Longest wait for a new connection. Default 5 s. A `connect_timeout` in the URL wins.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.options.connect_timeout = timeout;
        self
    }

    /// Longest time a statement may run. No limit by default.
    #[must_use]
    pub fn statement_timeout(mut self, timeout: Duration) -> Self {
        self.options.statement_timeout = Some(timeout);
        self
    }

    /// Statements that take longer are logged as slow. Default 1 s.
    #[must_use]
    pub fn slow_statement(mut self, threshold: Duration) -> Self {
        self.options.slow_statement = threshold;
        self
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.connections.is_empty() {
            return Err(Error::configuration(
                "no connection is configured: pass a URL",
            ));
        }
        if !self
            .connections
            .iter()
            .any(|(name, _)| *name == self.default_connection)
        {
            return Err(Error::configuration(format!(
                "the default connection `{}` is not among the configured ones: {}",
                self.default_connection,
                self.connections
                    .iter()
                    .map(|(n, _)| n.as_str())
                    .collect::<Vec<_>>()
                    .join(", ")
            )));
        }
        for name in &self.named_models {
            let bare = name.rsplit('.').next().unwrap_or(name);
            if !self.models.iter().any(|model| model.name == bare) {
                let near = nearest_names(bare, self.models.iter().map(|m| m.name));
                let hint = near
                    .first()
                    .map(|n| format!("; did you mean `{n}`?"))
                    .unwrap_or_default();
                return Err(Error::configuration(format!(
                    "the configuration names the model `{name}`, which was not passed with `models![..]`{hint}"
                )));
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field(
                "connections",
                &self
                    .connections
                    .iter()
                    .map(|(name, _)| name)
                    .collect::<Vec<_>>(),
            )
            .field(
                "models",
                &self.models.iter().map(|m| m.name).collect::<Vec<_>>(),
            )
            .finish_non_exhaustive()
    }
}

/// A configuration, or something that is one.
///
/// # Examples
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
/// # fn main() -> Result<()> { run(async {
/// Tortoise::init("sqlite::memory:").await?;
/// Tortoise::init(serde_json::json!({
///     "connections": {"default": "sqlite::memory:"},
///     "apps": {"app": {"models": [], "default_connection": "default"}},
/// }))
/// .await?;
/// assert!(Tortoise::get_connection("default").is_ok());
/// # Ok(()) }) }
/// ```
pub trait IntoConfig {
    /// The configuration.
    ///
    /// # Errors
    /// [`Error::Configuration`] that names the part that is wrong.
    fn into_config(self) -> Result<Config>;
}

impl IntoConfig for Config {
    fn into_config(self) -> Result<Config> {
        Ok(self)
    }
}
impl IntoConfig for &str {
    fn into_config(self) -> Result<Config> {
        Ok(Config::new(self))
    }
}
impl IntoConfig for String {
    fn into_config(self) -> Result<Config> {
        Ok(Config::new(self))
    }
}
impl IntoConfig for Json {
    /// `{"connections": {"default": URL or {"engine", "credentials"}}, "apps": {..}}`.
    fn into_config(self) -> Result<Config> {
        from_json(&self)
    }
}
impl IntoConfig for &Json {
    fn into_config(self) -> Result<Config> {
        from_json(self)
    }
}

fn object<'a>(json: &'a Json, what: &str) -> Result<&'a Map<String, Json>> {
    json.as_object()
        .ok_or_else(|| Error::configuration(format!("configuration: `{what}` must be an object")))
}

fn known_keys(map: &Map<String, Json>, what: &str, known: &[&str]) -> Result<()> {
    match map.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => {
            let near = nearest_names(key, known.iter().copied());
            let hint = near
                .first()
                .map(|n| format!("; did you mean `{n}`?"))
                .unwrap_or_default();
            Err(Error::configuration(format!(
                "configuration: `{what}` has no key `{key}`{hint}"
            )))
        }
    }
}

fn from_json(json: &Json) -> Result<Config> {
    let map = object(json, "config")?;
    known_keys(
        map,
        "config",
        &[
            "connections",
            "apps",
            "generate_schemas",
            "use_tz",
            "timezone",
        ],
    )?;
    if map.get("use_tz").is_some_and(|v| v != &Json::Bool(true))
        || map
            .get("timezone")
            .is_some_and(|v| v.as_str() != Some("UTC"))
    {
        return Err(Error::configuration(
            "configuration: date-times are always in UTC (use_tz true, timezone UTC)",
        ));
    }
    let mut config = Config {
        default_connection: "default".to_owned(),
        ..Config::default()
    };
    let missing = || Error::configuration("configuration: `connections` is missing");
    for (name, value) in object(map.get("connections").ok_or_else(missing)?, "connections")? {
        config
            .connections
            .push((name.clone(), connection_url(name, value)?));
    }
    if let Some(apps) = map.get("apps") {
        for (app, value) in object(apps, "apps")? {
            app_from_json(app, value, &mut config)?;
        }
    }
    config.generate_schemas = match map.get("generate_schemas") {
        None => false,
        Some(value) => value.as_bool().ok_or_else(|| {
            Error::configuration("configuration: `generate_schemas` must be true or false")
        })?,
    };
    Ok(config)
}

fn app_from_json(app: &str, value: &Json, config: &mut Config) -> Result<()> {
    let map = object(value, app)?;
    known_keys(map, app, &["models", "default_connection"])?;
    if let Some(name) = map.get("default_connection").and_then(Json::as_str) {
        config.default_connection = name.to_owned();
    }
    let names = map
        .get("models")
        .and_then(Json::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    for name in names {
        let name = name.as_str().ok_or_else(|| {
            Error::configuration(format!("configuration: `{app}.models` must hold names"))
        })?;
        config.named_models.push(name.to_owned());
    }
    Ok(())
}

/// A URL, or an engine with credentials.
fn connection_url(name: &str, value: &Json) -> Result<String> {
    if let Some(url) = value.as_str() {
        return Ok(url.to_owned());
    }
    let map = object(value, name)?;
    known_keys(map, name, &["engine", "credentials"])?;
    let engine = map.get("engine").and_then(Json::as_str).unwrap_or_default();
    let scheme = engine.rsplit('.').next().unwrap_or(engine);
    let none = Map::new();
    let credentials = map
        .get("credentials")
        .and_then(Json::as_object)
        .unwrap_or(&none);
    let text = |key: &str| {
        credentials
            .get(key)
            .map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned))
    };
    if let Some(path) = text("file_path") {
        known_keys(credentials, "credentials", &["file_path"])?;
        return Ok(format!("{scheme}:{}", encode(&path, b"/:.")));
    }
    known_keys(
        credentials,
        "credentials",
        &["host", "port", "user", "password", "database"],
    )?;
    let (Some(host), Some(database)) = (text("host"), text("database")) else {
        return Err(Error::configuration(format!(
            "configuration: connection `{name}` needs `credentials` with `file_path`, or `host` and `database`"
        )));
    };
    let mut login = text("user")
        .map(|user| encode(&user, b""))
        .unwrap_or_default();
    if let Some(password) = text("password") {
        login = format!("{login}:{}", encode(&password, b""));
    }
    let at = if login.is_empty() { "" } else { "@" };
    let port = text("port")
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    Ok(format!(
        "{scheme}://{login}{at}{}{port}/{}",
        if host.contains(':') {
            format!("[{host}]")
        } else {
            encode(&host, b".,")
        },
        encode(&database, b"")
    ))
}

fn encode(text: &str, keep: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_".contains(&byte) || keep.contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("writing to a String cannot fail");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_documented_dictionary_becomes_urls() {
        let config = json!({
            "connections": {
                "default": "sqlite::memory:",
                "other": {"engine": "tortoise.backends.sqlite", "credentials": {"file_path": "/tmp/a b.db"}},
                "far": {"engine": "x", "credentials": {"host": "h", "port": 1, "user": "u", "password": "p@", "database": "d"}},
                "six": {"engine": "x", "credentials": {"host": "::1", "database": "d"}},
                "unix": {"engine": "x", "credentials": {"host": "/run/x", "database": "d"}},
            },
            "apps": {"models": {"models": [], "default_connection": "other"}},
        })
        .into_config()
        .expect("a good configuration");
        let urls: Vec<&str> = config
            .connections
            .iter()
            .map(|(_, url)| url.as_str())
            .collect();
        for wanted in [
            "sqlite:/tmp/a%20b.db",
            "x://u:p%40@h:1/d",
            "x://[::1]/d",
            "x://%2Frun%2Fx/d",
        ] {
            assert!(urls.contains(&wanted), "{wanted}: {urls:?}");
        }
        assert_eq!(config.default_connection, "other");
    }

    #[test]
    fn a_misspelt_key_names_the_nearest_one() {
        let error = json!({"conections": {}})
            .into_config()
            .expect_err("misspelt");
        assert!(error.to_string().contains("`connections`"), "{error}");
    }
}
